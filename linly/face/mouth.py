"""The moving lower face: skin and lips by two displacement fields, the mouth's inside between them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np

from linly.face.frame import CHIN, Array, MouthFrame
from linly.face.interior import Interior
from linly.face.mouth_field import REACH, SHAPES, MouthField
from linly.values import Image

CELLS = 22
"""field samples in one mouth width: about one for every two pixels of a face 150 pixels wide"""
STEPS = 3
"""Newton steps of the inversion: plain iteration oscillates where skin stretches and creeps where it is pressed"""
SOFT = 0.011
"""half width of a lip's edge, in mouth widths, but at least half a pixel"""
LIPS = 0.66
"""half width of the part in which the two lips are drawn one by one, in mouth widths"""
STILL = 1 / 64
"""pixels: a shift smaller than this leaves a resampled picture as it is"""
STRIP = 4
"""rows of cells that are redrawn at once, from the first to the last column that moves there"""

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1"""


class Mouth:
    """Redraws the lower face of one still image, in place."""

    def __init__(self, image: Image, points: Array) -> None:
        frame = MouthFrame(points)
        field = MouthField(frame)
        self._image, self._frame, self._field = image, frame, field
        chin = float(frame.local(CHIN)[0, 1])
        corners = [(u, v) for u in (-REACH, REACH) for v in (field.top, 1.05 * chin + 0.75)]
        self.region = x0, y0, x1, y1 = _box(frame.to_pixels(np.array(corners, np.float32)), image)
        self._step = step = max(1, round(frame.width / CELLS))
        xs, ys = (np.arange(a, b, step, dtype=np.float32) + (step - 1) / 2 for a, b in ((x0, x1), (y0, y1)))
        self._grid = frame.to_local(np.stack(np.meshgrid(xs, ys), axis=-1))
        self._cells = _places(len(xs), len(ys))
        self._pixels = _places(x1 - x0, y1 - y0) + np.array([x0, y0], np.float32)
        turn = frame.axes * frame.width / step
        bases = [(field.bases(self._grid, below) @ turn).reshape(len(SHAPES), -1) for below in (False, True)]
        self._bases = np.ascontiguousarray(np.concatenate(bases, axis=1), np.float32)
        self._lines = (field.upper_line, field.lower_line)
        self._line_bases = [field.bases(line, bool(below)) for below, line in enumerate(self._lines)]
        self._interior = Interior(frame, image)

    def draw(self, target: Image, pose: Mapping[str, float]) -> None:
        """Redraw `target` (a copy of the still image) for one frame's curves (see values.CURVES)."""
        amounts = self._field.amounts(pose)
        if not np.abs(amounts).max() > 1e-4:
            return
        upper, lower = (self._inverse(d) for d in (amounts @ self._bases).reshape(2, *self._cells.shape))
        contours = self._contours(amounts)
        lips = self._lips_box(contours)
        self._draw_skin(target, upper, lower, contours, lips)
        self._draw_lips(target, upper, lower, contours, lips, pose)

    def _draw_skin(
        self, target: Image, upper: Array, lower: Array, contours: tuple[Array, Array, Array], hole: Box
    ) -> None:
        """All that moves but for the box of the lips; a picture's still parts are not touched."""
        import cv2

        u, tops, bottoms = contours
        middle = np.interp(self._grid[..., 0], u, (tops + bottoms) / 2)
        shift = np.where((self._grid[..., 1] > middle)[..., None], lower, upper)
        moves = np.abs(shift).max(axis=-1) > STILL / self._step
        maps = self._source(shift, (0, 0, moves.shape[1], moves.shape[0]))
        x0, y0, x1, y1 = self.region
        canvas = target[y0:y1, x0:x1]
        for a, b, c, d in _parts(moves, hole):
            part = slice(b * self._step, d * self._step), slice(a * self._step, c * self._step)
            cv2.remap(self._image, maps[part], None, cv2.INTER_CUBIC, dst=canvas[part], borderMode=cv2.BORDER_REPLICATE)

    def _draw_lips(
        self,
        target: Image,
        upper: Array,
        lower: Array,
        contours: tuple[Array, Array, Array],
        box: Box,
        pose: Mapping[str, float],
    ) -> None:
        """Each lip by its own field up to its own edge, and what is seen between them."""
        import cv2

        maps = [self._source(shift, box) for shift in (upper, lower)]
        h, w = maps[0].shape[:2]
        x0, y0 = self.region[0] + box[0] * self._step, self.region[1] + box[1] * self._step
        lips = [cv2.remap(self._image, m, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE) for m in maps]
        u, v = self._frame.grid(x0, y0, w, h)
        top, bottom = _along(u, contours)
        edge = max(SOFT, 0.5 / self._frame.width)
        above = np.clip((top - v) / (2 * edge) + 0.5, 0, 1)
        below = np.clip((v - bottom) / (2 * edge) + 0.5, 0, 1)
        drawn = cv2.blendLinear(lips[0], lips[1], above, below)
        inside = np.clip(1 - above - below, 0, 1)
        rows, columns = (np.flatnonzero(inside.max(axis=axis) > 0) for axis in (1, 0))
        if len(rows):
            part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
            corner = x0 + int(columns[0]), y0 + int(rows[0])
            painted = self._interior.paint(corner, top[part], bottom[part], pose)
            weights = (np.ascontiguousarray(a[part]) for a in (above + below, inside))
            drawn[part] = cv2.blendLinear(np.ascontiguousarray(drawn[part]), painted, *weights)
        target[y0 : y0 + h, x0 : x0 + w] = drawn

    def _contours(self, amounts: Array) -> tuple[Array, Array, Array]:
        """u, v of the upper and v of the lower lip's inner edge after the move; (n,) each, in mouth units."""
        moved = [
            line + np.tensordot(amounts, bases, 1) for line, bases in zip(self._lines, self._line_bases, strict=True)
        ]
        u = (moved[0][:, 0] + moved[1][:, 0]) / 2
        top, bottom = moved[0][:, 1], np.maximum(moved[1][:, 1], moved[0][:, 1])
        return u, top, bottom

    def _lips_box(self, contours: tuple[Array, Array, Array]) -> Box:
        """The cells around both lips' inner edges, as drawn out to +-LIPS."""
        u, top, bottom = contours
        ends = np.array([-LIPS, LIPS], np.float32)
        around = [np.stack([u, top], 1), np.stack([u, bottom], 1)]
        around += [np.stack([ends, np.array([line[0], line[-1]])], 1) for line in (top, bottom)]
        pixels = self._frame.to_pixels(np.concatenate(around).astype(np.float32))
        cells = (pixels - np.array(self.region[:2], np.float32)) / self._step
        low, high = np.floor(cells.min(axis=0)).astype(int) - 2, np.ceil(cells.max(axis=0)).astype(int) + 2
        rows, columns = self._cells.shape[:2]
        x0, x1 = (int(c) for c in np.clip((low[0], high[0]), 0, columns))
        y0, y1 = (int(c) for c in np.clip((low[1], high[1]), 0, rows))
        return x0, y0, x1, y1

    def _inverse(self, displacement: Array) -> Array:
        """By how much each cell's source lies beside it (in cells), for a forward displacement: Newton's method.

        Each axis is solved with its own slope; what little one axis takes from the other the steps settle.
        """
        import cv2

        slopes = np.empty_like(displacement)
        slopes[..., 0] = 1 + _slope(displacement[..., 0].T).T
        slopes[..., 1] = 1 + _slope(displacement[..., 1])
        np.maximum(slopes, 0.25, out=slopes)
        known = np.concatenate([displacement, slopes], axis=-1)
        shift = -displacement / slopes
        for _ in range(STEPS):
            there = cv2.remap(known, self._cells + shift, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            shift -= (shift + there[..., :2]) / there[..., 2:]
        return shift

    def _source(self, shift: Array, box: Box) -> Array:
        """(h, w, 2) pixels of the image from which those in a box of cells come, cut at the region's edge."""
        import cv2

        # What moves is scaled up, not the map itself: where nothing moves, pixels stay exactly where they are.
        x0, y0, x1, y1 = box
        left, top = min(1, x0), min(1, y0)
        cells = shift[y0 - top : y1 + 1, x0 - left : x1 + 1]
        step = self._step
        large = cv2.resize(cells * step, None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR)
        own = self._pixels[y0 * step : y1 * step, x0 * step : x1 * step]
        there: Array = cv2.add(own, large[top * step :, left * step :][: own.shape[0], : own.shape[1]])
        return there


def _parts(moves: Array, hole: Box) -> Iterator[Box]:
    """Boxes of cells that cover all that moves (rows, columns), and a cell around it, but for the hole."""
    x0, y0, x1, y1 = hole
    first = np.where(moves.any(axis=1), moves.argmax(axis=1), moves.shape[1])
    last = moves.shape[1] - moves[:, ::-1].argmax(axis=1) - moves.shape[1] * (first == moves.shape[1])
    cuts = sorted({*range(0, len(moves), STRIP), y0, y1, len(moves)})
    for top, bottom in itertools.pairwise(cuts):
        near = slice(max(0, top - 1), bottom + 1)
        left, right = int(first[near].min()), int(last[near].max())
        if left >= right:
            continue
        left, right = max(0, left - 1), min(moves.shape[1], right + 1)
        spans = ((left, min(right, x0)), (max(left, x1), right)) if y0 <= top < y1 else ((left, right),)
        yield from ((a, top, b, bottom) for a, b in spans if b > a)


def _slope(values: Array) -> Array:
    """Change of each value (rows, columns) from row to row, by central differences."""
    padded = np.concatenate([values[:1], values, values[-1:]])
    return np.asarray((padded[2:] - padded[:-2]) / 2)


def _along(u: Array, contours: tuple[Array, Array, Array]) -> tuple[Array, Array]:
    """v of both contours at each u (h, w): from a table, which is many times faster than np.interp."""
    import cv2

    size = 256
    grid = np.linspace(-LIPS, LIPS, size)
    table = np.stack([np.interp(grid, contours[0], line) for line in contours[1:]], axis=-1).astype(np.float32)
    place = (u + LIPS) * ((size - 1) / (2 * LIPS))
    found = cv2.remap(table[None], place, np.zeros_like(place), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(found[..., 0]), np.ascontiguousarray(found[..., 1])


def _places(width: int, height: int) -> Array:
    """(height, width, 2): x and y of every place of a grid."""
    return np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)


def _box(points: Array, image: Image) -> Box:
    """The pixels around some points, inside the image."""
    h, w = image.shape[:2]
    low, high = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0))
    x0, x1 = (int(np.clip(c, 0, w)) for c in (low[0], high[0]))
    y0, y1 = (int(np.clip(c, 0, h)) for c in (low[1], high[1]))
    return x0, y0, x1, y1
