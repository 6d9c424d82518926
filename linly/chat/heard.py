"""What the ears tell of a turn, and a turn while it is open."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

from linly.values import Audio, Floats, Transcript


@dataclass(frozen=True)
class Began:
    """Somebody began to speak."""

    at: float
    """seconds on the clock of `push`"""


@dataclass(frozen=True)
class Partial:
    """What was said so far, as it seems now."""

    text: str


@dataclass(frozen=True, eq=False)
class Ended:
    """A turn is over and its text is known."""

    audio: Audio
    """the turn at 16 kHz, with a little of what was before and after it"""
    transcript: Transcript
    at: float
    """when the last word ended: seconds on the clock of `push`"""
    seconds: float
    """from then until the text was known and the turn over"""


@dataclass(frozen=True)
class Nothing:
    """What began was no speech."""

    at: float


Event = Began | Partial | Ended | Nothing
Found = Future[tuple[Transcript, float]]
"""a text and the seconds it took"""


class Inline(Executor):
    """Runs everything at once, in the caller's thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # given to whoever asks for the result
            done.set_exception(error)
        return done


@dataclass
class Open:
    """A turn while it is heard."""

    began: float
    frames: list[Floats]
    voiced: int = 0
    """frames with speech"""
    quiet: int = 0
    """frames since the last speech"""
    looked: int = 0
    """number of frames when the text was last looked for"""
    partial: Found | None = None
    guess: Found | None = None
    """the text of all that was said, if the pause that goes on is the end"""
    guessed: int = 0
    """frames of quiet when `guess` was asked for"""
    again: bool = False
    """the last frame was speech; one alone, after a pause, is a breath or a click"""
    ended: float = 0.0
    """when the last speech ended"""
    shown: str = ""
    """the text that was given last"""
