"""Where slide and person are in the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from linly.batch.values import SIZES, Options
from linly.pictures import load_image
from linly.values import Floats, Frames, Image, Style

SIDES = (256, 512, 720, 1080)
"""in which a person can be drawn"""
MARGIN = 0.03
"""of an inset, as a share of the picture's height"""
BESIDE = 0.3
"""of the picture's width, that a person beside a slide takes"""
GROUND = (24, 26, 30)
"""behind slides of another shape"""
RING = 0.012
"""width of the light ring around a round inset, as a share of its height"""


@dataclass(frozen=True)
class Place:
    """Where the person goes."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class Layout:
    """One slide's picture with a hole for the person."""

    size: tuple[int, int]
    ground: Image
    """(h, w, 3)"""
    place: Place | None
    """None: the person fills the picture"""
    mask: Floats | None = None
    """(height, width, 1) of the person's place, 0..1"""

    def filled(self, frames: Frames) -> Iterator[Image]:
        """The whole pictures. One buffer is used again and again."""
        import cv2

        if self.place is None:
            for image in frames.images:
                yield image if image.shape[1::-1] == self.size else cv2.resize(image, self.size)
            return
        p = self.place
        out = self.ground.copy()
        behind = self.ground[p.y : p.y + p.height, p.x : p.x + p.width].astype(np.float32)
        for image in frames.images:
            np.copyto(out, self.ground)
            person = cv2.resize(image, (p.width, p.height), interpolation=cv2.INTER_AREA)
            alpha = self.mask
            if person.shape[2] == 4:
                alpha = person[..., 3:].astype(np.float32) / 255
            region = out[p.y : p.y + p.height, p.x : p.x + p.width]
            if alpha is None:
                region[:] = person
            else:
                np.copyto(region, np.rint(behind + alpha * (person[..., :3] - behind)).astype(np.uint8))
            yield out


def kind(options: Options, slides: bool) -> str:
    """The layout that is meant."""
    if options.layout == "auto":
        return "inset" if slides else "portrait"
    return options.layout if slides or options.layout == "audio" else "portrait"


def style(options: Options, layout: str, said: Style) -> Style:
    """How the person is drawn for this layout."""
    width, height = SIZES[options.size]
    if layout in ("portrait", "audio"):
        return replace(said, size=options.size, frame="16:9")
    if layout == "beside":
        return replace(said, size=_side(round(BESIDE * width)), frame="9:16")
    ground = "transparent" if options.shape == "cutout" else "keep"
    return replace(said, size=_side(round(options.inset * height)), frame="1:1", crop="head", background=ground)


def arranged(options: Options, layout: str, slide: Path | None, drawn: tuple[int, int]) -> Layout:
    """drawn: size of the person's pictures."""
    width, height = size = SIZES[options.size]
    if layout == "portrait" or slide is None:
        return Layout(size, np.zeros((2, 2, 3), np.uint8), None)
    picture = load_image(slide)
    if layout == "beside":
        column = 2 * round(BESIDE * width / 2)
        ground = _fitted(picture, (width - column, height), size)
        tall = min(height, round(column * drawn[1] / drawn[0]))
        return Layout(size, ground, Place(width - column, (height - tall) // 2, column, tall))
    high = 2 * round(options.inset * height / 2)
    wide = 2 * round(high * drawn[0] / drawn[1] / 2)
    gap = round(MARGIN * height)
    x = gap if "left" in options.corner else width - wide - gap
    y = gap if "top" in options.corner else height - high - (0 if options.shape == "cutout" else gap)
    ground = _fitted(picture, size, size)
    place = Place(x, y, wide, high)
    if options.shape != "circle":
        return Layout(size, ground, place)
    _ring(ground, place)
    return Layout(size, ground, place, _disc(wide, high))


def alone(options: Options, slide: Path) -> Image:
    """The picture of a slide without a person."""
    size = SIZES[options.size]
    return _fitted(load_image(slide), size, size)


def _side(pixels: int) -> str:
    return str(next((side for side in SIDES if side >= pixels), SIDES[-1]))


def _fitted(picture: Image, room: tuple[int, int], size: tuple[int, int]) -> Image:
    """The slide as large as it can be in the left `room` of a picture of this size."""
    import cv2

    h, w = picture.shape[:2]
    scale = min(room[0] / w, room[1] / h)
    wide, high = max(1, round(w * scale)), max(1, round(h * scale))
    out = np.empty((size[1], size[0], 3), np.uint8)
    out[:] = GROUND
    x, y = (room[0] - wide) // 2, (room[1] - high) // 2
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    out[y : y + high, x : x + wide] = cv2.resize(picture, (wide, high), interpolation=how)
    return out


def _disc(width: int, height: int) -> Floats:
    """(height, width, 1) a soft-edged disc."""
    y, x = np.mgrid[:height, :width] + 0.5
    radius = min(width, height) / 2 - 1
    far = np.hypot(x - width / 2, y - height / 2)
    disc: Floats = np.clip(radius - far + 0.5, 0, 1).astype(np.float32)[..., None]
    return disc


def _ring(ground: Image, place: Place) -> None:
    import cv2

    wide = max(1, round(RING * place.height))
    centre: Any = (place.x + place.width // 2, place.y + place.height // 2)
    cv2.circle(ground, centre, min(place.width, place.height) // 2 - 1 + wide // 2, (245, 245, 245), wide, cv2.LINE_AA)
