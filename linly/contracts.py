"""The contracts: one Protocol an engine kind, one verb each. Constructing an engine is loading it.

An engine that needs more than its card can say (a server's address) has a static `why_not() -> str`: empty where it can
be opened, else one sentence.

Every engine class is called as `Engine(files, device)`: `files` maps each name in its card's `weights` to the
folder that holds that model's files, `device` is "cpu" or "cuda[:n]". An engine may have `close()`.
Engines raise InputError for what the user must change and EngineFailed for what broke inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from linly.values import Audio, FaceMotion, Frames, Image, Portrait, Style, Transcript, Utterance, Voice

Files = Mapping[str, Path]


@runtime_checkable
class Hear(Protocol):
    """Speech recognition."""

    def hear(self, audio: Audio, language: str = "auto") -> Transcript:
        """Words with times in seconds. `language`: ISO 639-1 or "auto". Sound without speech gives empty text."""
        ...


@runtime_checkable
class Think(Protocol):
    """A language model; one that claims "answers" makes up what it says, and may be chosen unasked."""

    def think(self, turns: Sequence[Mapping[str, str]]) -> Iterator[str]:
        """Stream the reply to `turns` (role and content each) as pieces of text."""
        ...


@runtime_checkable
class Speak(Protocol):
    """Text to speech."""

    def voices(self) -> Sequence[Voice]:
        """The engine's own voices."""
        ...

    def speak(self, text: str, voice: Voice, style: Style) -> Iterator[Utterance]:
        """One Utterance a sentence, lazily, for text of any length. Utterance.start is left at 0: the road sets it.

        Raises InputError if nothing in `text` can be spoken.
        """
        ...


@runtime_checkable
class Move(Protocol):
    """Speech to face motion."""

    def move(self, utterance: Utterance, style: Style) -> FaceMotion:
        """t = frame_count(utterance.audio.seconds, style.fps) frames; same seed, same motion."""
        ...


@runtime_checkable
class Draw(Protocol):
    """Face motion to pictures.

    An engine that claims "clip" also has `prepare_clip(path: Path, name: str) -> Portrait` for videos of the person;
    one that claims "alpha" gives Frames with alpha where Style.background is "transparent".
    """

    def prepare(self, image: Image, name: str) -> Portrait:
        """Check a photo ((h, w, 3) RGB uint8) and make it ready. Raises InputError with advice if no face is found."""
        ...

    def size(self, portrait: Portrait, style: Style) -> tuple[int, int]:
        """Width and height in pixels (both even) of the pictures that `draw` would make."""
        ...

    def draw(self, portrait: Portrait, utterance: Utterance, motion: FaceMotion, style: Style) -> Frames:
        """One picture per row of `motion`; a warp reads the motion, a neural lip-sync engine reads the sound."""
        ...


CONTRACTS: Mapping[str, type] = {"hear": Hear, "think": Think, "speak": Speak, "move": Move, "draw": Draw}
VERBS: Mapping[str, tuple[str, ...]] = {
    "hear": ("hear",),
    "think": ("think",),
    "speak": ("speak", "voices"),
    "move": ("move",),
    "draw": ("draw", "prepare", "size"),
}
