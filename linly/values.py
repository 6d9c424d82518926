"""The values that flow along the road. Frozen, checked once when made, a unit under every field.

Time is in seconds (float), rates in hertz, angles in degrees, images are RGB uint8 (height, width, 3),
sound is float32 mono in [-1, 1]. This module knows numpy and the standard library only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]
Timing = Literal["exact", "aligned", "estimated", "none"]
Progress = Callable[[str, float], None]
"""Called with a stage name and the fraction done in [0, 1]; may raise Cancelled to stop the work."""

EMOTIONS = ("auto", "neutral", "happy", "sad", "serious", "surprised")
SIZES = ("256", "512", "720", "1080", "source")
CROPS = ("whole", "half", "head")
"""How much of the photo is shown: all of it, down to the chest, or head and shoulders."""
FRAMES = ("photo", "16:9", "9:16", "1:1")
"""Shape of the picture: the photo's own (after the crop), or what the platforms show."""
BACKGROUNDS = ("keep", "blur", "transparent")
"""What is behind the person, besides a colour as #rrggbb and a picture file."""

TIERS = ("stock", "closest", "fitted", "zeroshot")
"""How a voice came about: an engine's own; the nearest of them, or a blend; the engine's model adapted to the person; a
model that takes any reference."""

CURVES = (
    "open",  # gap between the inner lips at the mid-line: 0 closed, 1 = OPEN_WIDTHS mouth widths
    "jaw",  # how far the chin has dropped, 0..1 (lips may still be closed)
    "round",  # lips rounded and narrowed (oo, w), 0..1
    "spread",  # lip corners drawn apart (ee, s), 0..1
    "tuck",  # lower lip under the upper teeth (f v), 0..1
    "press",  # lips pressed together (p b m), 0..1
    "tongue",  # tongue tip up at the teeth (th l t d n), 0..1
    "smile",  # mouth corners up (+) or down (-), -1..1
    "brow",  # brows up (+) or down (-), -1..1
    "blink",  # upper lids shut, 0..1
    "gaze_x",  # eyes to the picture's right (+) or left (-), -1..1
    "gaze_y",  # eyes up (+) or down (-), -1..1
    "breath",  # chest and shoulders lifted, -1..1
    "talk",  # 1 while speech controls the mouth (rest is shut), 0 where the photo's own mouth is shown untouched
)
"""What `move` writes and `draw` reads: the columns of FaceMotion.curves, in this order."""

OPEN_WIDTHS = 0.37
"""Inner-lip gap at open = 1, in widths of the portrait's mouth at rest."""


def frame_count(seconds: float, fps: float) -> int:
    """Frames that cover `seconds` of sound: the one place where time becomes a number of pictures."""
    return max(1, math.ceil(seconds * fps - 1e-6))


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


@dataclass(frozen=True, eq=False)
class Audio:
    """Mono sound together with its rate."""

    samples: Floats
    """(n,) float32 in [-1, 1]"""
    rate: int
    """hertz"""

    def __post_init__(self) -> None:
        _require(self.rate > 0, f"rate must be positive, got {self.rate}")
        _require(self.samples.ndim == 1, f"sound must be mono (n,), got shape {self.samples.shape}")
        _require(self.samples.dtype == np.float32, f"sound must be float32, got {self.samples.dtype}")
        _require(bool(np.isfinite(self.samples).all()), "sound holds NaN or infinity")

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


@dataclass(frozen=True)
class Span:
    """A piece of text (a word, a phoneme in IPA) with its place in time."""

    text: str
    start: float
    """seconds"""
    end: float
    """seconds"""

    def __post_init__(self) -> None:
        _require(self.end >= self.start >= 0, f"span {self.text!r} runs from {self.start} to {self.end}")

    def shifted(self, seconds: float) -> Span:
        return Span(self.text, self.start + seconds, self.end + seconds)


@dataclass(frozen=True)
class Transcript:
    """What was heard."""

    text: str
    language: str
    """ISO 639-1 code"""
    words: tuple[Span, ...] = ()
    """sorted by time, seconds from the start of the sound"""


@dataclass(frozen=True, eq=False)
class Voice:
    """A voice that a speak engine can use: one of its own, a sample, or an enrolled person."""

    id: str
    name: str
    engine: str
    """name of the speak engine that it belongs to"""
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes that it speaks well"""
    gender: str = ""
    """"female", "male" or empty"""
    reference: Audio | None = None
    """the person's own sound, for engines that clone"""
    transcript: str = ""
    """what is said in `reference`, for engines that must know it; empty where nobody knows"""
    features: Floats | None = None
    """engine-specific style or embedding"""
    changes: Mapping[str, Floats] | None = None
    """what fitting changed in the engine's own model, by the engine's names; None for a voice that was not fitted"""
    tier: str = "stock"
    """how it came about, one of TIERS: the honest name for how like the person it is"""
    similarity: float | None = None
    """cosine of the speaker encoder between what it says and the person's own sound; None where nothing was measured"""
    consent: Mapping[str, Any] | None = None
    """who agreed, when and to what; None for stock voices"""


@dataclass(frozen=True, eq=False)
class Utterance:
    """One spoken sentence with everything known about its timing."""

    text: str
    audio: Audio
    language: str = ""
    """ISO 639-1 code, empty if unknown"""
    words: tuple[Span, ...] = ()
    """seconds from the start of this utterance"""
    phonemes: tuple[Span, ...] = ()
    """IPA; long marks, stress and tone marks merged into their vowel; seconds from the start of this utterance"""
    timing: Timing = "none"
    """where the phoneme times come from"""
    start: float = 0.0
    """seconds from the start of the whole talk; lets idle motion flow on across sentences"""
    last: bool = False
    """the talk ends with it, as far as the voice knows: the face comes to rest"""

    def __post_init__(self) -> None:
        for name in ("words", "phonemes"):
            last = 0.0
            for span in getattr(self, name):
                _require(span.start >= last - 1e-3, f"{name} overlap at {span}")
                last = span.end
            _require(last <= self.audio.seconds + 1e-3, f"{name} run past the sound ({last} s)")


@dataclass(frozen=True, eq=False)
class Clip:
    """A short video of the person, looped there and back: its own head motion and blinks, the mouth driven."""

    fps: float
    """hertz"""
    landmarks: Floats
    """(n, 478, 3) as in Portrait, smoothed over time; rows of NaN where no face was found"""
    image: Callable[[int], Image]
    """picture number 0..n-1, (h, w, 3) RGB uint8, all of Portrait.image's shape"""

    def __len__(self) -> int:
        return len(self.landmarks)


@dataclass(frozen=True, eq=False)
class Portrait:
    """One face, ready to be animated."""

    id: str
    image: Image
    """(h, w, 3) RGB uint8, upright, both sides even"""
    box: tuple[int, int, int, int]
    """face: x, y, width, height in pixels"""
    landmarks: Floats
    """(478, 3): x, y in pixels, z in pixels (smaller is nearer); MediaPipe's order, irises last"""
    matte: Floats
    """(h, w) float32 in [0, 1]: 1 where the person is"""
    report: Mapping[str, Any] = field(default_factory=dict)
    """what the portrait check found: faces, yaw, pitch, roll, mouth_open, sharpness, light, advice[...]"""
    plate: Image | None = None
    """(h, w, 3) what is behind the person, where it is known; None: to be guessed from the photo"""
    clip: Clip | None = None
    """where the portrait is a video: all its pictures; `image` is the best of them"""

    def __post_init__(self) -> None:
        h, w = self.image.shape[:2]
        _require(self.image.dtype == np.uint8 and self.image.ndim == 3, "image must be (h, w, 3) uint8")
        _require(h % 2 == 0 and w % 2 == 0, f"image sides must be even, got {w}x{h}")
        _require(self.landmarks.ndim == 2 and self.landmarks.shape[1] == 3, "landmarks must be (n, 3)")
        _require(self.matte.shape == (h, w), f"matte {self.matte.shape} does not match the image {(h, w)}")
        _require(self.plate is None or self.plate.shape == self.image.shape, "plate does not match the image")


@dataclass(frozen=True, eq=False)
class FaceMotion:
    """How the face moves, frame by frame."""

    fps: float
    """hertz"""
    curves: Floats
    """(t, len(CURVES)) float32, columns named by CURVES"""
    head: Floats
    """(t, 3) float32: yaw (+ to the picture's right), pitch (+ up), roll (+ clockwise), degrees"""
    names: tuple[str, ...] = CURVES
    emotion: str = ""
    """the emotion that was played, one of EMOTIONS but "auto"; empty if the engine plays none"""
    strength: float = 0.0
    """how strongly, 0..1"""

    def __post_init__(self) -> None:
        _require(self.fps > 0, "fps must be positive")
        _require(self.curves.shape == (len(self.head), len(self.names)), "curves must be (t, k)")
        _require(self.head.shape[1:] == (3,), "head must be (t, 3)")
        _require(bool(np.isfinite(self.curves).all() and np.isfinite(self.head).all()), "motion holds NaN")

    def curve(self, name: str) -> Floats:
        """(t,) one curve by its name."""
        return self.curves[:, self.names.index(name)]

    def __len__(self) -> int:
        return len(self.head)


@dataclass(frozen=True, eq=False)
class Frames:
    """A stream of pictures: single pass and lazy, so memory stays flat however long the clip."""

    size: tuple[int, int]
    """width, height in pixels, both even"""
    fps: float
    """hertz"""
    count: int
    """pictures in all"""
    images: Iterator[Image]
    """(height, width, 3) RGB uint8 each; the consumer may keep a picture only until the next one is asked for"""
    alpha: bool = False
    """pictures are (height, width, 4) RGBA instead, straight (not premultiplied)"""

    def __iter__(self) -> Iterator[Image]:
        return iter(self.images)


@dataclass(frozen=True)
class VideoFile:
    """A finished video; made only by `video.py`, after probing what was written."""

    path: Path
    seconds: float
    """length of the picture track"""
    fps: float
    """hertz"""
    size: tuple[int, int]
    """width, height in pixels"""
    frames: int
    audio_seconds: float
    """length of the sound track; differs from `seconds` by less than one frame"""

    def __post_init__(self) -> None:
        _require(
            abs(self.seconds - self.audio_seconds) < 1.0 / self.fps,
            f"sound ({self.audio_seconds:.3f} s) and picture ({self.seconds:.3f} s) differ by a frame or more",
        )


@dataclass(frozen=True)
class Style:
    """How it is said and shown: one value that every stage reads what it needs from."""

    language: str = "auto"
    """ISO 639-1 code, or "auto" to go by the text"""
    rate: float = 1.0
    """speed of speech, 0.5..2"""
    pitch: float = 0.0
    """semitones up or down, -6..6, for engines that can"""
    lexicon: tuple[tuple[str, str], ...] = ()
    """how the user wants words read: pairs of a word and its pinyin ("chong2 qing4") or IPA ("/ˈlɪnli/")"""
    expression: float = 1.0
    """how much the face articulates and lives, 0..2"""
    head: float = 1.0
    """how much the head moves, 0..2"""
    emotion: str = "auto"
    """one of EMOTIONS"""
    size: str = "512"
    """one of SIZES, in pixels: the longer side; with `frame` the shorter one, as in 1080p; "source": the photo's own"""
    fps: int = 25
    """hertz"""
    seed: int = 0
    """same seed, same video"""
    crop: str = "auto"
    """one of CROPS, or "auto": as the portrait was enrolled, else the whole photo"""
    frame: str = "photo"
    """one of FRAMES"""
    background: str = "keep"
    """one of BACKGROUNDS, a colour as #rrggbb, or the path of a picture"""

    def __post_init__(self) -> None:
        _require(0.5 <= self.rate <= 2, f"rate must be between 0.5 and 2, got {self.rate}")
        _require(-6 <= self.pitch <= 6, f"pitch must be between -6 and 6 semitones, got {self.pitch}")
        _require(0 <= self.expression <= 2, f"expression must be between 0 and 2, got {self.expression}")
        _require(0 <= self.head <= 2, f"head must be between 0 and 2, got {self.head}")
        _require(self.emotion in EMOTIONS, f"emotion must be one of {', '.join(EMOTIONS)}, got {self.emotion!r}")
        _require(self.size in SIZES, f"size must be one of {', '.join(SIZES)}, got {self.size!r}")
        _require(10 <= self.fps <= 60, f"fps must be between 10 and 60, got {self.fps}")
        _require(self.crop in ("auto", *CROPS), f"crop must be one of auto, {', '.join(CROPS)}, got {self.crop!r}")
        _require(self.frame in FRAMES, f"frame must be one of {', '.join(FRAMES)}, got {self.frame!r}")
