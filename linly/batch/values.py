"""The values of a batch, in the order in which they come about: Options, Line, Talk, Unit, Made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from linly.errors import InputError
from linly.values import EMOTIONS, Span, Style

LAYOUTS = ("auto", "portrait", "inset", "beside", "audio")
"""Where the person is: alone; in a corner of the slide; beside the slide; nowhere, only heard. "auto": in a corner
where there are slides, else alone."""
CORNERS = ("bottom-right", "bottom-left", "top-right", "top-left")
SHAPES = ("circle", "rectangle", "cutout")
"""Of the inset; a cutout is the person without what is behind."""
SIZES = {"256": (456, 256), "512": (910, 512), "720": (1280, 720), "1080": (1920, 1080)}
"""Of a lecture's video, 16:9."""


LEAD = 0.12
"""seconds of silence before the first sound of a segment, in which the mouth opens; it would jump from rest to the
first phoneme"""


@dataclass(frozen=True)
class Options:
    """How talks are made. Each may be said for all, and otherwise for one talk or one row of a table."""

    portrait: str = ""
    """as RenderJob.portrait"""
    voice: str = ""
    language: str = "auto"
    rate: float = 1.0
    emotion: str = "auto"
    size: str = "720"
    """one of SIZES"""
    fps: int = 25
    layout: str = "auto"
    corner: str = "bottom-right"
    inset: float = 0.3
    """height of the inset as a share of the slide's, 0.15..0.6"""
    shape: str = "circle"
    subtitles: bool = True
    """SRT and VTT beside the video"""
    intro: str = ""
    """picture shown before the talk"""
    outro: str = ""
    music: str = ""
    """sound file that plays softly under the talk"""
    loudness: float = -16.0
    """LUFS of the finished talk, by EBU R128; broadcasters want -23"""
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choices in (
            ("layout", LAYOUTS), ("corner", CORNERS), ("shape", SHAPES), ("size", tuple(SIZES)), ("emotion", EMOTIONS)
        ):  # fmt: skip
            if getattr(self, name) not in choices:
                raise InputError(f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}.")
        for name, low, high in (("rate", 0.5, 2.0), ("fps", 10, 60), ("inset", 0.15, 0.6), ("loudness", -40.0, -8.0)):
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} must be between {low:g} and {high:g}, got {getattr(self, name):g}.")
        if not re.fullmatch("auto|[a-z]{2,3}", self.language):
            raise InputError(f"language must be auto, zh, en or the like, got {self.language!r}.")

    def given(self, wishes: Mapping[str, Any]) -> Options:
        """With these options instead; texts become what they should be. Raises InputError for one that cannot be."""
        known = {one.name: one for one in fields(self)}
        changed: dict[str, Any] = {}
        for name, value in wishes.items():
            if name not in known:
                raise InputError(f"There is no option {name!r}; there are {', '.join(known)}.")
            changed[name] = _as(type(getattr(self, name)), value, name)
        return replace(self, **changed)

    def style(self, language: str, emotion: str, rate: float = 1.0) -> Style:
        """For the engines. The inset's size is the layout's matter."""
        return Style(language=language, rate=min(2.0, max(0.5, self.rate * rate)), emotion=emotion, fps=self.fps)


def _as(kind: type, value: Any, name: str) -> Any:
    try:
        if kind is bool and isinstance(value, str):
            return value.strip().lower() not in ("0", "no", "off", "false", "none", "")
        return kind(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} cannot be {str(value)[:40]!r}.") from error


@dataclass(frozen=True)
class Line:
    """Something to be said, or a silence, with everything that marks have settled for it."""

    text: str = ""
    """empty: a silence"""
    pause: float = 0.0
    """seconds of silence, where there is no text"""
    slide: int = 0
    """number of the slide that is shown, from 1; 0: none"""
    at: float | None = None
    """second of the talk at which it is to begin at the earliest; None: after what was before"""
    language: str = ""
    emotion: str = ""
    lexicon: tuple[tuple[str, str], ...] = ()
    portrait: str = ""
    voice: str = ""
    alone: bool = False
    """the slide without the person"""


@dataclass(frozen=True)
class Talk:
    """One lecture, as it was read."""

    name: str
    """of its files, without ending"""
    title: str
    source: str
    """the file it was read from, with the row if it was a table"""
    lines: tuple[Line, ...]
    slides: tuple[Path, ...] = ()
    """pictures"""
    options: Options = field(default_factory=Options)
    warnings: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    """titles of the slides"""


@dataclass(frozen=True)
class Unit:
    """One segment to be made. Everything that its pictures and sound depend on, and nothing else."""

    text: str
    frames: int
    """of a silence; 0 where there is a text"""
    portrait: str
    voice: str
    language: str
    emotion: str
    lexicon: tuple[tuple[str, str], ...]
    slide: str
    """path of the picture"""
    alone: bool
    """nobody is beside it"""
    options: Options
    key: str = ""
    """what its file is named by: a digest of the above, of the files' contents and of the engines"""


@dataclass(frozen=True)
class Made:
    """A finished segment, as its file tells."""

    key: str
    frames: int
    text: str = ""
    words: tuple[Span, ...] = ()
    """seconds from its beginning"""
    language: str = ""
    took: float = 0.0
    """seconds of work"""
