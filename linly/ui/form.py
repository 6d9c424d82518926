"""What the Render tab's controls hold, and the job that it makes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from linly import lexicon, library, registry
from linly.errors import InputError
from linly.job import RenderJob
from linly.ui import jobs, voices
from linly.values import BACKGROUNDS, Style

OWN, OWN_CLIP = "own", "own-clip"
"""the portrait choices that stand for an uploaded photo and an uploaded video"""
BACKDROPS = (*BACKGROUNDS[:2], "colour", "picture", *BACKGROUNDS[2:])
"""the page's choices of background"""


@dataclass(frozen=True)
class Form:
    """What the page's controls hold, in their order."""

    portrait: str = ""
    """name of a sample or an enrolled portrait, OWN, OWN_CLIP, or empty for a sample that fits the voice"""
    photo: str | None = None
    """uploaded picture (from scripts also a video)"""
    clip: str | None = None
    """uploaded video of a person"""
    voice: str = ""
    source: str = "text"
    """"text" or "sound": which of the next two counts"""
    script: str = ""
    sound: str | None = None
    rate: float = 1.0
    expression: float = 1.0
    head: float = 1.0
    language: str = "auto"
    emotion: str = "auto"
    size: str = "512"
    fps: float = 25
    subtitles: str = "none"
    speak: str = ""
    draw: str = ""
    seed: float = 0
    crop: str = "whole"
    frame: str = "photo"
    background: str = "keep"
    """one of BACKDROPS, or a colour as #rrggbb"""
    colour: str = "#ffffff"
    """of the background "colour" """
    backdrop: str | None = None
    """uploaded picture of the background "picture" """
    pitch: float = 0.0
    """semitones"""
    lexicon: str = ""
    """the pronunciation list as it was typed, a word and its reading a line"""

    def style(self) -> Style:
        """Raises InputError with the limits for a number outside them."""
        background = self._background()
        try:
            return Style(
                language=self.language, rate=float(self.rate), expression=float(self.expression),
                head=float(self.head), emotion=self.emotion, size=self.size, fps=int(self.fps or 25),
                seed=int(self.seed or 0), crop=self.crop, frame=self.frame, background=background,
                pitch=float(self.pitch or 0), lexicon=lexicon.parse(self.lexicon),
            )  # fmt: skip
        except ValueError as error:
            raise InputError(f"{error}.") from error

    def job(self, preview: str = "") -> RenderJob:
        """The job in a private folder of its own. Raises InputError for what the user must change."""
        style, spoken = self.style(), self.source == "text"
        if spoken and not self.script.strip():
            raise InputError("There is nothing to say: give a text or a sound file.")
        if not spoken and not self.sound:
            raise InputError("Record or choose a sound first.")
        portrait = self._portrait()
        voice = self.chosen_voice(style) if spoken else ""
        name = jobs.safe_name(self.script.strip()[:24] if spoken else Path(str(self.sound)).stem)
        film = ".webm" if style.background == "transparent" else ".mp4"  # VP9 keeps transparency and browsers play it
        return RenderJob(
            out=jobs.folder(jobs.root()) / f"{name}{'.png' if preview == 'frame' else film}",
            text=self.script if spoken else "",
            audio=None if spoken else Path(str(self.sound)),
            portrait=portrait,
            voice=voice,
            style=style,
            subtitles=self.subtitles,
            preview=preview,
            engines={kind: name for kind, name in (("speak", self.speak), ("draw", self.draw)) if name},
        )

    def chosen_voice(self, style: Style) -> str:
        """The voice asked for; for a sample portrait without one, a voice of its gender that speaks the language."""
        if self.voice:
            library.known(registry.open_engine("speak", self.speak or registry.default("speak")), self.voice)
        gender = next((s.gender for s in library.samples() if s.name == self.portrait), "")
        if self.voice or not gender:
            return self.voice
        from linly.text.language import detect

        language = detect(self.script) if style.language == "auto" else style.language
        fitting = [v for v in voices.voices(self.speak) if language in v.languages and v.gender == gender]
        return fitting[0].id if fitting else ""

    def _portrait(self) -> str:
        """Never a path that a visitor typed: a known name, or the file that the page itself took in."""
        if self.portrait == OWN_CLIP:
            if not self.clip:
                raise InputError("Choose a short video of the person first, or take one of the samples.")
            return self.clip
        if self.portrait == OWN or (self.photo and not self.portrait):
            if not self.photo:
                raise InputError("Choose a photo first, or take one of the samples.")
            return self.photo
        if self.portrait and self.portrait not in known_portraits():
            raise InputError(f"There is no sample or enrolled portrait called {self.portrait!r}.")
        return self.portrait

    def _background(self) -> str:
        """As Style wants it. A picture is only ever the file that the page itself took in."""
        if self.background == "colour":
            return hexadecimal(self.colour)
        if self.background == "picture":
            if not self.backdrop:
                raise InputError("Choose a picture for the background first.")
            return self.backdrop
        if self.background in BACKGROUNDS:
            return self.background
        return hexadecimal(self.background)


def hexadecimal(colour: str) -> str:
    """A colour as #rrggbb; the page's picker gives #rgb or rgb(...) too. Raises InputError."""
    wish = colour.strip().lower()
    if re.fullmatch(r"#[0-9a-f]{3}", wish):
        return "#" + "".join(2 * digit for digit in wish[1:])
    if re.fullmatch(r"#[0-9a-f]{6}([0-9a-f]{2})?", wish):
        return wish[:7]
    found = re.fullmatch(r"rgba?\(\s*([\d.]+)\s*,\s*([\d.]+)\s*,\s*([\d.]+)\s*(?:,.*)?\)", wish)
    if found and all(float(part) <= 255 for part in found.groups()):
        return "#" + "".join(f"{round(float(part)):02x}" for part in found.groups())
    raise InputError(f"The background must be {', '.join(BACKGROUNDS)} or a colour as #rrggbb, got {colour!r}.")


def known_portraits() -> list[str]:
    """Names of the samples and of the enrolled portraits."""
    from linly import portraits

    return [*(s.name for s in library.samples()), *portraits.names()]
