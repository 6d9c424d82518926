"""The terminal's side of a long job: its progress on one line, and Ctrl-C that is never lost."""

from __future__ import annotations

import signal
import sys
import threading
import time
from types import FrameType

_interrupted = threading.Event()


def heed_interrupts() -> None:
    """Let Ctrl-C raise KeyboardInterrupt at once, and again at the next progress if that one got lost.

    Python throws away what is raised inside a destructor or a callback from C, so a single interrupt can fall into
    such a moment and the job would go on to its end. Only the main thread may set this; elsewhere nothing happens.
    """
    _interrupted.clear()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _interrupt)
        sys.unraisablehook = _thrown_away


def _interrupt(number: int, frame: FrameType | None) -> None:
    _interrupted.set()
    raise KeyboardInterrupt


def _thrown_away(what: sys.UnraisableHookArgs) -> None:
    if not issubclass(what.exc_type, KeyboardInterrupt):  # that one is remembered: nobody need read about it
        sys.__unraisablehook__(what)


class Bar:
    """Progress on standard error, one line, only where somebody watches."""

    WORDS = {"load": "getting ready", "hear": "listening", "face": "face and voice", "finish": "finishing",  # noqa: RUF012
             "read": "reading", "check": "checking", "match": "looking for the nearest voice"}  # fmt: skip

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._shown = 0.0

    def __call__(self, stage: str, fraction: float) -> None:
        if _interrupted.is_set():
            _interrupted.clear()
            raise KeyboardInterrupt
        now = time.monotonic()
        if not sys.stderr.isatty() or (now - self._shown < 0.2 and fraction < 1):
            return
        self._shown = now
        left = (now - self._began) * (1 - fraction) / fraction if fraction > 0.03 else 0
        clock = f", {int(left) // 60:02d}:{int(left) % 60:02d} left" if left else ""
        filled = "#" * round(24 * fraction)
        text = f"{self.WORDS.get(stage, stage)} [{filled:24}] {100 * fraction:3.0f} %{clock}"
        _show(f"\r\033[K{text}")


def clear_line() -> None:
    """Wipe the line of progress before other words are printed."""
    if sys.stderr.isatty():
        _show("\r\033[K")


def _show(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
