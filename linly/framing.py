"""Which part of a photo is shown, and in which shape: head, half or all; 16:9, 9:16 and 1:1 for the platforms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linly.face.frame import CHIN, OVAL
from linly.values import CROPS, FRAMES, Floats, Image, Portrait, Style

SHAPES = {"16:9": 16 / 9, "9:16": 9 / 16, "1:1": 1.0}
"""width by height"""
HEIGHTS = {"head": 1.95, "half": 2.9}
"""How much a crop shows, in heights of the head (hair to chin)."""
WIDTHS = {"head": 1.6, "half": 2.2}
"""What a crop should show from side to side: a narrow frame takes more below instead of cutting the shoulders."""
PHOTO_SHAPES = 4 / 5, 4 / 3
"""A crop without a frame keeps the photo's shape between these."""
HEADROOM, MOST_HEADROOM = 0.14, 0.35
"""Above the hair: a part of what is left beside the head, at most so many heights of the head."""
SLOPE = 0.8
"""how steeply a shoulder goes on down beyond the photo's edge"""
WORKING = 1920
"""What lies beyond the photo is made with its longer side at most so large, pixels, and then enlarged."""
DARK = 0.7
"""how bright the continued background is far from the photo"""


@dataclass(frozen=True)
class _Window:
    """What is shown, in the photo's pixels; it may reach beyond the photo at the sides and the top."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True)
class _Head:
    """Hair to chin and ear to ear, pixels."""

    top: float
    chin: float
    left: float
    right: float
    middle: float
    sure: bool
    """the matte has found it"""

    @property
    def tall(self) -> float:
        return self.chin - self.top


def output_size(shape: tuple[int, int], style: Style) -> tuple[int, int]:
    """(width, height) in pixels, both even, of the pictures made of a portrait whose image is `shape` (h, w).

    `style.size` is the longer side; with a frame the shorter one, so that 1080 and 16:9 are 1920x1080.
    """
    h, w = shape
    if style.size == "source":
        return _even(w), _even(h)
    side = int(style.size)
    if style.frame == "photo":
        return _even(w * side / max(w, h)), _even(h * side / max(w, h))
    ratio = SHAPES[style.frame]
    return _even(side * max(1.0, ratio)), _even(side * max(1.0, 1 / ratio))


def _even(side: float) -> int:
    return max(2, 2 * round(side / 2))


def framed(portrait: Portrait, crop: str, frame: str) -> Portrait:
    """The part of the portrait that `crop` (CROPS) and `frame` (FRAMES) ask for; nothing is enlarged.

    Hair and chin are never cut where the photo has them. Where a frame is wider than the photo, the background goes on
    softly blurred and darker, and so does a shoulder that the photo's edge cuts: it slopes down, in the matte too.
    Landmarks, box, matte, plate and clip move along.
    Raises ValueError for a crop or frame that does not exist.
    """
    if crop not in CROPS or frame not in FRAMES:
        raise ValueError(f"there is no crop {crop!r} with frame {frame!r}")
    h, w = portrait.image.shape[:2]
    window = _Window(0, 0, w, h) if (crop, frame) == ("whole", "photo") else _window(portrait, crop, frame)
    if window == _Window(0, 0, w, h):
        return portrait
    canvas = _Canvas(portrait, window)
    shift = np.array([window.x, window.y, 0], np.float32)
    clip = portrait.clip
    if clip is not None:
        pictures = clip.image
        clip = replace(clip, landmarks=clip.landmarks - shift, image=lambda number: canvas.image(pictures(number)))
    x, y, wide, tall = portrait.box
    left, top = max(0, x - window.x), max(0, y - window.y)
    right, bottom = min(window.w, x + wide - window.x), min(window.h, y + tall - window.y)
    return replace(
        portrait,
        image=canvas.image(portrait.image),
        box=(left, top, right - left, bottom - top),
        landmarks=portrait.landmarks - shift,
        matte=canvas.matte(portrait.matte),
        plate=None if portrait.plate is None else canvas.image(portrait.plate),
        clip=clip,
    )


def _head(portrait: Portrait) -> _Head:
    """The head with its hair: the face's mesh, and above and beside it what the matte says."""
    oval = portrait.landmarks[list(OVAL), :2]
    (left, brow), (right, low) = oval.min(axis=0), oval.max(axis=0)
    chin = max(float(low), float(portrait.landmarks[CHIN, 1]))
    face, wide = chin - float(brow), float(right - left)
    h, w = portrait.matte.shape
    # Hair rises from the forehead without a gap; a hand or a neighbour beyond a gap, or far away, is none.
    strip = portrait.matte[: max(1, int(brow)), max(0, int(left)) : min(w, int(right)) + 1]
    covered = (strip > 0.3).mean(axis=1) > 0.08 if strip.size else np.zeros(1, bool)
    gaps = np.flatnonzero(~covered)
    top = max(float(gaps[-1] + 1) if len(gaps) else 0.0, brow - 0.8 * face)
    top = min(top, max(0.0, float(brow) - 0.12 * face))
    rows = portrait.matte[int(max(0, top)) : max(1, min(h, int(chin - 0.25 * face)))] > 0.5
    columns = np.flatnonzero(rows.any(axis=0)) if rows.size else np.zeros(0, int)
    middle = float(left + right) / 2
    columns = columns[np.abs(columns - middle) < 0.95 * wide]
    sides = (float(columns[0]), float(columns[-1] + 1)) if len(columns) else (float(left), float(right))
    inner = portrait.matte[max(0, int(brow)) : int(chin), max(0, int(middle - 0.3 * wide)) : int(middle + 0.3 * wide)]
    sure = bool(inner.size) and float(inner.mean()) > 0.9
    return _Head(max(0.0, top), min(float(h), chin), min(sides[0], left), max(sides[1], right), middle, sure)


def _window(portrait: Portrait, crop: str, frame: str) -> _Window:
    h, w = portrait.image.shape[:2]
    head = _head(portrait)
    ratio = SHAPES.get(frame) or float(np.clip(w / h, *PHOTO_SHAPES))
    tall = _height(head, crop, ratio, (h, w))
    least = 0.9 * tall if crop != "whole" else min(tall, _height(head, "half", ratio, (h, w)))
    if frame != "photo":
        tall = float(np.clip(w / ratio, least, tall))  # rather less of the photo than a background made up
    wide = ratio * tall
    needed = 1.04 * (head.right - head.left)
    if wide < needed:
        cut = float(portrait.matte[:2, int(head.left) : int(head.right) + 1].mean()) > 0.02  # nothing goes on above
        tall = needed / ratio if frame != "photo" and not cut and head.sure else min(needed / ratio, float(h))
        wide = ratio * tall
    if frame == "photo":
        wide = min(wide, float(w))
    width, height = _even(wide), _even(tall)
    room = min(HEADROOM * max(0.0, height - head.tall), MOST_HEADROOM * head.tall)
    y = h - height if height > h else int(np.clip(round(head.top - room), 0, h - height))
    return _Window(_left(portrait, head, width, slice(max(0, y), y + height)), y, width, height)


def _height(head: _Head, crop: str, ratio: float, shape: tuple[int, int]) -> float:
    """Height of the part that a crop shows, in pixels of the photo, within the photo."""
    h = shape[0]
    if crop == "whole":
        return float(h)
    tall = max(HEIGHTS[crop], WIDTHS[crop] / ratio) * head.tall
    above = head.top - HEADROOM * (tall - head.tall)
    return min(tall, h - max(0.0, above), float(h))


def _left(portrait: Portrait, head: _Head, width: int, rows: slice) -> int:
    """Where the window begins: the head in the middle, and wholly inside."""
    w = portrait.image.shape[1]
    x = head.middle - width / 2
    if width >= head.right - head.left:
        x = float(np.clip(x, head.right - width, head.left))
    if width <= w:
        return int(np.clip(round(x), 0, w - width))
    cut = [float((portrait.matte[rows, column] > 0.5).mean()) > 0.03 for column in (0, w - 1)]
    if cut[0] != cut[1]:  # whoever is cut by the photo's edge stays at that edge, unless that is far from the middle
        at_edge = 0 if cut[0] else w - width
        if abs((head.middle - at_edge) / width - 0.5) < 0.2:
            return at_edge
    return int(np.clip(round(x), w - width, 0))


class _Canvas:
    """Cuts pictures to a window; where it reaches beyond the photo, the background goes on."""

    def __init__(self, portrait: Portrait, window: _Window) -> None:
        h, w = portrait.image.shape[:2]
        self._window = window
        self._from = (
            slice(max(0, window.y), min(h, window.y + window.h)),
            slice(max(0, window.x), min(w, window.x + window.w)),
        )
        top, left = max(0, -window.y), max(0, -window.x)
        inner = self._from[0].stop - self._from[0].start, self._from[1].stop - self._from[1].start
        self._to = slice(top, top + inner[0]), slice(left, left + inner[1])
        self._around: tuple[Image, Floats] | None = None
        if inner != (window.h, window.w):
            pads = (top, window.h - top - inner[0]), (left, window.w - left - inner[1])
            matte = np.maximum(portrait.matte, _disc(_head(portrait), portrait.matte.shape))  # no face is mirrored
            self._around = _continued(portrait.image[self._from], portrait.matte[self._from], matte[self._from], pads)

    def image(self, picture: Image) -> Image:
        """(h, w, 3) uint8 of the window, of a picture as large as the photo."""
        if self._around is None:
            return np.ascontiguousarray(picture[self._from])
        made = self._around[0].copy()
        made[self._to] = picture[self._from]
        return made

    def matte(self, matte: Floats) -> Floats:
        """(h, w) float32 of the window: beyond the photo nobody but a shoulder that its edge cuts."""
        if self._around is None:
            return np.ascontiguousarray(matte[self._from])
        made = self._around[1].copy()
        made[self._to] = matte[self._from]
        return made


def _disc(head: _Head, shape: tuple[int, ...]) -> Floats:
    """(h, w) float32: 1 where the head is, at least."""
    import cv2

    made = np.zeros(shape[:2], np.float32)
    centre = round((head.left + head.right) / 2), round((head.top + head.chin) / 2)
    axes = round(0.52 * (head.right - head.left)), round(0.52 * head.tall)
    return np.asarray(cv2.ellipse(made, centre, axes, 0, 0, 360, 1.0, -1), np.float32)


def _continued(
    image: Image, matte: Floats, hidden: Floats, pads: tuple[tuple[int, int], tuple[int, int]]
) -> tuple[Image, Floats]:
    """(h, w, 3) uint8: the background mirrored at the photo's edges, blurred more and darker the farther it is.

    And (h, w) float32: where a shoulder goes on. `matte` is the person, `hidden` all that must not appear in the
    mirror; pads: pixels (above, below), (left, right).
    """
    import cv2

    size = image.shape[1] + sum(pads[1]), image.shape[0] + sum(pads[0])
    scale = min(1.0, WORKING / max(size))  # it is soft anyway
    small = max(2, round(image.shape[1] * scale)), max(2, round(image.shape[0] * scale))
    image, matte, hidden = (cv2.resize(p, small, interpolation=cv2.INTER_AREA) for p in (image, matte, hidden))
    (above, below), (before, after) = ((round(one * scale), round(other * scale)) for one, other in pads)
    person = hidden[..., None]
    behind = np.rint(image * (1 - person) + _plate(image, hidden) * person).astype(np.uint8)
    made = cv2.copyMakeBorder(behind, above, below, before, after, cv2.BORDER_REFLECT).astype(np.float32)
    h, w = made.shape[:2]
    side = float(min(image.shape[:2]))
    y, x = np.mgrid[:h, :w].astype(np.float32)
    y, x = y - above, x - before
    beside = np.maximum(0, np.maximum(-x, x - (image.shape[1] - 1)))
    away = np.maximum(beside, np.maximum(0, np.maximum(-y, y - (image.shape[0] - 1)))) / side
    # A shoulder that the edge cuts does not end there: its colours run on and slope down.
    onward = x, y - SLOPE * beside, cv2.INTER_LINEAR
    share = cv2.remap(matte, *onward, borderMode=cv2.BORDER_REPLICATE)[..., None]
    made += (cv2.remap(image, *onward, borderMode=cv2.BORDER_REPLICATE) - made) * share
    for sigma, begin, end in ((0.012, 0.0, 0.05), (0.05, 0.02, 0.2)):
        much = np.clip((away - begin) / (end - begin), 0, 1)[..., None]
        made += (_blurred(made, sigma * side) - made) * much
    light = 1 - (1 - DARK) * np.clip(away / 0.3, 0, 1) ** 0.8
    around = np.clip(np.rint(made * light[..., None]), 0, 255).astype(np.uint8)
    # The matte slopes down more steeply: it stays inside the shoulder, whose border is blurred into the background.
    steeper = cv2.remap(matte, x, y - 1.6 * SLOPE * beside, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    goes_on = np.where(beside > 0, steeper, 0).astype(np.float32)
    return np.asarray(cv2.resize(around, size), np.uint8), np.asarray(cv2.resize(goes_on, size), np.float32)


def _plate(image: Image, matte: Floats) -> Floats:
    """The background under the person, made small: it will be blurred anyway."""
    import cv2

    from linly.face.matte import background_plate

    h, w = matte.shape
    scale = min(1.0, 720 / max(h, w))
    size = max(2, round(w * scale)), max(2, round(h * scale))
    small = [cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (image, matte)]
    return np.asarray(np.clip(cv2.resize(background_plate(small[0], small[1]), (w, h)), 0, 255), np.float32)


def _blurred(picture: NDArray[Any], sigma: float) -> NDArray[Any]:
    """A wide Gaussian at the cost of a narrow one: computed on a smaller picture."""
    import cv2

    less = max(1, int(sigma / 3))
    h, w = picture.shape[:2]
    size = max(1, w // less), max(1, h // less)
    small = cv2.resize(picture.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(cv2.GaussianBlur(small, (0, 0), max(0.3, sigma / less)), (w, h)))
