"""What this machine can keep up with: size and rate of the live picture, settled before it begins and never after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter
from typing import Any

from linly import audio as sound
from linly.values import SIZES, Image, Portrait, Style, Utterance

SHARE = 0.65
"""part of a picture's time that making it may take; the rest is for speech"""
TRIED = 14
"""pictures drawn to measure one size, after the first ones"""
WARM = 3
"""pictures drawn before, which wait for what is made once"""
SLOWEST = (20, 15, 12)
"""rates in hertz that are still a moving face, tried in this order where the wished one is too fast"""
LIVE = "512"
"""a face may become slower before it becomes smaller than this"""


@dataclass(frozen=True)
class Pace:
    """What was settled."""

    style: Style
    picture_ms: float
    """milliseconds of one picture at that size"""
    says: str
    """one sentence where less than wished can be kept, else empty"""


def affordable(
    move: Any, draw: Any, portrait: Portrait, style: Style, show: Callable[[Image], object] | None = None
) -> Pace:
    """The wished style, or the best of less that this machine keeps at SHARE of its time.

    Draws some real pictures at each size tried. show: what else is done to each picture in the same time, such as
    encoding it (see `encoding`). Where even the least is too much, that is what is given, and said.
    """
    known: dict[str, float] = {}
    wish = style.size, style.fps
    tried = list(_ladder(style))
    for size, fps in tried:
        candidate = replace(style, size=size, fps=fps)
        if size not in known:
            known[size] = _seconds(move, draw, portrait, candidate, show)
        fits = known[size] * fps <= SHARE
        if fits or (size, fps) == tried[-1]:
            return Pace(candidate, round(1000 * known[size], 1), _sentence(wish, (size, fps), known[wish[0]], fits))
    raise AssertionError("there is always something to try")


def encoding() -> Callable[[Image], object]:
    """What WebRTC does to each picture beside it, for `affordable`: the encoder that browsers ask for first."""
    from fractions import Fraction

    from aiortc.codecs.vpx import Vp8Encoder
    from av import VideoFrame

    encoder, count, clock = Vp8Encoder(), 0, Fraction(1, 90000)

    def encode(image: Image) -> object:
        nonlocal count
        frame = VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts, frame.time_base, count = 3600 * count, clock, count + 1
        return encoder.encode(frame)

    return encode


def _ladder(style: Style) -> Iterator[tuple[str, int]]:
    """Sizes and rates from the wished one downwards: smaller, then slower, then both."""
    slower = [fps for fps in SLOWEST if fps < style.fps]
    sizes = [size for size in reversed(SIZES) if size == style.size or _smaller(size, style.size)]
    for size in sizes:
        yield size, style.fps
        if size in (LIVE, sizes[-1]):
            yield from ((size, fps) for fps in slower[: None if size == sizes[-1] else 1])


def _smaller(size: str, than: str) -> bool:
    return SIZES.index(size) < SIZES.index(than)


def _seconds(move: Any, draw: Any, portrait: Portrait, style: Style, show: Callable[[Image], object] | None) -> float:
    """Seconds that one picture takes: the median of some."""
    quiet = sound.silence((WARM + TRIED) / style.fps, 24000)
    said = Utterance("", quiet, timing="exact", start=10.0)
    taken = []
    began = perf_counter()
    for image in draw.draw(portrait, said, move.move(said, style), style):
        if show is not None:
            show(image)
        now = perf_counter()
        taken.append(now - began)
        began = now
    return median(taken[WARM:])


def _sentence(wish: tuple[str, int], given: tuple[str, int], seconds: float, fits: bool) -> str:
    if wish == given and fits:
        return ""
    could = max(1, int(SHARE / seconds))
    why = f"At {wish[0]} pixels this machine makes {could} pictures a second beside speaking, not {wish[1]}"
    so = f"the live picture is {given[0]} pixels at {given[1]} a second"
    return f"{why}; {so}." if fits else f"{why}; {so}, and will be late at times."
