"""What to render, and what was rendered: the two ends of the main road."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from linly import settings, video
from linly.errors import InputError
from linly.values import Style

SUBTITLES = ("none", "srt", "vtt", "burn")
PREVIEWS = ("", "frame", "short")


@dataclass(frozen=True)
class RenderJob:
    """What to render. Either `text` or `audio`; everything else has a sensible default."""

    out: Path
    """the video: .mp4, with a transparent background .mov (ProRes 4444) or .webm (VP9); for the preview "frame" .png"""
    text: str = ""
    audio: Path | None = None
    """a recording that drives the face instead of text; the sound of a video will do"""
    pieces: Iterable[str] | None = None
    """instead of both, a text that is still being written: clauses, each spoken as soon as it is there"""
    portrait: str = ""
    """a sample's or enrolled name, or an image file; empty: a sample that fits the voice"""
    voice: str = ""
    """a voice of the speak engine or an enrolled name; empty: one that speaks the text's language"""
    style: Style = field(default_factory=Style)
    subtitles: str = "none"
    """one of SUBTITLES"""
    sidecar: bool = False
    """also write the timing of sentences, words and phonemes as JSON beside the video"""
    preview: str = ""
    """one of PREVIEWS"""
    engines: Mapping[str, str] = field(default_factory=dict)
    """kind -> engine name, where the default is not wanted"""

    def check(self) -> None:
        """Raise InputError for what can be seen to be wrong before any work begins."""
        limit = settings.load().max_characters
        if self.audio and self.text.strip():
            raise InputError("Give either a text or a sound file, not both.")
        if not self.audio and not self.text.strip() and self.pieces is None:
            raise InputError("There is nothing to say: give a text or a sound file.")
        if len(self.text) > limit:
            raise InputError(
                f"The text has {len(self.text):,} characters and the limit is {limit:,}: split it into several videos,"
                " or raise LINLY_MAX_CHARACTERS."
            )
        for what, value, choices in (("subtitles", self.subtitles, SUBTITLES), ("preview", self.preview, PREVIEWS)):
            if value not in choices:
                raise InputError(f"{what} must be one of {', '.join(c for c in choices if c)}, got {value!r}.")
        self._check_out()

    def _check_out(self) -> None:
        clear = self.style.background == "transparent"
        wanted = (".png",) if self.preview == "frame" else (".mov", ".webm") if clear else (".mp4",)
        if self.out.suffix.lower() not in wanted:
            why = " with a transparent background" if clear and self.preview != "frame" else ""
            raise InputError(f"The output{why} must be a {' or '.join(wanted)} file, got {self.out.name!r}.")
        video.check_writable(self.out)


@dataclass(frozen=True)
class Report:
    """What was made and how; its JSON is what the command line and the page show."""

    video: str
    seconds: float
    frames: int
    fps: float
    size: tuple[int, int]
    timings: Mapping[str, float]
    """seconds of work by stage; stages overlap, so together they may exceed "total" """
    first: Mapping[str, float]
    """seconds from the beginning to the first sentence spoken ("speak") and the first picture drawn ("draw")"""
    realtime_factor: float
    """seconds of work in all for one second of video"""
    peak_rss_mb: float
    engines: Mapping[str, str]
    portrait: str
    voice: str
    language: str
    sentences: int
    seed: int
    subtitles: str
    """path of the subtitle file, "burnt", or empty"""
    sidecar: str
    """path of the timing file, or empty"""
    marks: Mapping[str, bool]
    """how the file says that it is synthetic"""
    warnings: tuple[str, ...]
    portrait_report: Mapping[str, Any]
    emotions: tuple[Mapping[str, Any], ...] = ()
    """for each sentence: start, end (seconds), emotion and strength (0..1) that the face played"""
    crop: str = "whole"
    frame: str = "photo"
    background: str = "keep"

    def json(self) -> dict[str, Any]:
        return asdict(self)
