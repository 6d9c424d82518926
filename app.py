"""The page: parse flags, set up logging, build, launch."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def main(argv: Sequence[str] | None = None) -> int:
    """Open the page and serve it until stopped; 2 if a flag cannot be used."""
    flags = _parser().parse_args(argv)
    level = logging.DEBUG if flags.debug else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
    from linly import heap, settings
    from linly.errors import LinlyError

    heap.few_arenas()
    sys.setswitchinterval(0.001)
    try:
        chosen = settings.load(token=flags.token, lang=flags.lang)
        host, port, auth = _address(flags, chosen.token)
    except LinlyError as error:
        sys.stderr.write(f"linly: {error}\n")
        return 2
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("GRADIO_TEMP_DIR", str(chosen.library / "jobs"))  # uploads and videos on one disk
    from linly.ui.chat_room import converse
    from linly.ui.layout import build, look

    page = build(chosen)
    page.queue(default_concurrency_limit=8)
    app, _, _ = page.launch(
        server_name=host, server_port=port, auth=auth, inbrowser=flags.open, share=False, ssr_mode=False,
        quiet=not flags.debug, prevent_thread_lock=True, **look(chosen),
    )  # fmt: skip
    converse(app)
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    sys.stdout.write(f"Linly is at http://{shown}:{port}  (Ctrl+C stops it)\n")
    sys.stdout.flush()
    page.block_thread()
    return 0


def _address(flags: argparse.Namespace, token: str) -> tuple[str, int, tuple[str, str] | None]:
    """Host, port and the user with password. Raises InputError for a page open to the network without a token."""
    from linly.errors import InputError

    if os.environ.get("SPACE_ID"):  # the Space's own door keeper stands in front
        return "0.0.0.0", flags.port, None
    if flags.listen not in LOOPBACK and not token:
        raise InputError(
            "--listen opens the page to everyone on the network, who could then use this machine and its voices:"
            " give a password with --token or LINLY_TOKEN (the user is linly)."
        )
    return flags.listen, flags.port, ("linly", token) if token else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="app.py", description="Linly in the browser.")
    parser.add_argument("--port", type=int, default=7860, help="default 7860")
    parser.add_argument(
        "--listen", nargs="?", const="0.0.0.0", default="127.0.0.1", metavar="HOST",
        help="listen beyond this machine; demands --token",
    )  # fmt: skip
    parser.add_argument("--token", help="password of the page, for the user linly; or LINLY_TOKEN")
    parser.add_argument("--lang", choices=("auto", "en", "zh"), help="language of the page (default: the browser's)")
    parser.add_argument("--open", action="store_true", help="show the page in the browser of this machine")
    parser.add_argument("--debug", action="store_true", help="show the log")
    return parser


if __name__ == "__main__":
    sys.exit(main())
