"""`linly chat`: one turn of a conversation, from a question to a video of the answer."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from linly.values import SIZES, Progress

Result = dict[str, Any]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `linly chat`."""
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--text", help="the question")
    asked.add_argument("--audio", type=Path, metavar="FILE", help="the question as a recording")
    parser.add_argument("--persona", default="", metavar="FILE", help="who answers: a persona file, or a sample's name")
    parser.add_argument("--portrait", default="", metavar="NAME|FILE", help="as in render; default the persona's")
    parser.add_argument("--voice", default="", metavar="NAME|FILE", help="as in render; default the persona's")
    parser.add_argument(
        "--user", default="", metavar="NAME", help="go on with this user's conversation, and remember it (default: not)"
    )
    parser.add_argument("--language", default="auto", help="auto, zh, en, … (default auto)")
    parser.add_argument("--size", choices=SIZES, default="512")
    parser.add_argument("--subtitles", choices=("none", "srt", "vtt", "burn"), default="none")
    for kind in ("think", "hear", "speak", "draw"):
        parser.add_argument(f"--{kind}", default="", metavar="ENGINE", help=f"the {kind} engine")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="OUT.mp4")


def run(a: argparse.Namespace, progress: Progress | None = None) -> Result:
    """See chat.once.answer."""
    from linly.chat import persona as personas
    from linly.chat.once import Asked, answer

    persona = personas.load(a.persona) if a.persona else personas.Persona()
    named = {kind: getattr(a, kind) for kind in ("think", "hear", "speak", "draw") if getattr(a, kind)}
    return answer(
        Asked(
            a.out, text=a.text or "", audio=a.audio, persona=persona, portrait=a.portrait, voice=a.voice, user=a.user,
            language=a.language, size=a.size, subtitles=a.subtitles, engines=named,
        ),
        progress,
    )  # fmt: skip


def lines(result: Result) -> list[str]:
    """The result in words."""
    shown = [f"heard: {result['heard']}", f"reply: {result['reply']}"]
    shown += [f"note: {result['error']}"] if result["error"] else []
    shown += [f"from: {source}" for source in result["sources"]]
    times = ", ".join(
        f"{what} {result[f'first_{key}_s']:.1f} s"
        for what, key in (("text", "text"), ("word", "token"), ("sound", "audio"), ("picture", "frame"))
        if result[f"first_{key}_s"] is not None
    )
    return [*shown, f"after the question: {times}", f"{result['video']}: {result['seconds']:.1f} s of video"]
