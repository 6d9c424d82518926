"""The moving lower face: skin and lips by two displacement fields, the mouth's inside between them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from linly.face.cheeks import Cheeks
from linly.face.frame import CHIN, Array, MouthFrame
from linly.face.interior import Interior
from linly.face.mouth_field import REACH, SHAPES, MouthField
from linly.face.teeth import parted
from linly.face.texture import FINER, Texture
from linly.face.tone import tone_of
from linly.values import Image

CELLS = 19
"""field samples in one mouth width"""
STEPS = 3
"""Newton steps of the inversion: plain iteration oscillates where skin stretches and creeps where it is pressed"""
SOFT = 0.011
"""half width of a lip's edge, in mouth widths, but at least half a pixel"""
LIPS = 0.66
"""half width of the part in which the two lips are drawn one by one, in mouth widths"""
STILL = 1 / 64
"""pixels: a shift smaller than this leaves a resampled picture as it is"""
STRIP = 12
"""rows of cells that are redrawn at once, from the first to the last column that moves there"""

TABLE = 256
"""places between -LIPS and LIPS at which a contour is looked up"""
_GRID = np.linspace(-LIPS, LIPS, TABLE)

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1"""


class Mouth:
    """Redraws the lower face of one still image, in place."""

    def __init__(self, image: Image, points: Array) -> None:
        frame = MouthFrame(parted(image, points))
        field = MouthField(frame)
        self._frame, self._field = frame, field
        chin = float(frame.local(CHIN)[0, 1])
        corners = [(u, v) for u in (-REACH, REACH) for v in (field.top, 1.05 * chin + 0.75)]
        self.region = x0, y0, x1, y1 = _box(frame.to_pixels(np.array(corners, np.float32)), image)
        self._step = step = max(1, round(frame.width / CELLS))
        xs, ys = range(x0, x1, step), range(y0, y1, step)
        self._rows, self._columns = len(ys), len(xs)
        u, self._v = frame.grid(x0, y0, len(xs), len(ys), step)
        self._u = _place(u)
        # Both sides' fields lie one below the other in one grid of cells, so that each step is taken once for both.
        self._cells = np.indices((2 * len(ys), len(xs)), np.float32)[::-1].copy()
        self._texture = Texture(image, (x0 - step, y0 - step, x1 + step, y1 + step))
        self._places = np.stack(self._texture.places(self.region))
        turn = frame.axes * frame.width / step
        local = np.stack([u, self._v], axis=-1)
        bases = np.stack([field.bases(local, below) @ turn for below in (False, True)], axis=1)
        self._bases = np.ascontiguousarray(np.moveaxis(bases, -1, 1).reshape(len(SHAPES), -1), np.float32)
        self._lines = (field.upper_line, field.lower_line)
        self._line_bases = [field.bases(line, bool(below)) for below, line in enumerate(self._lines)]
        tone = tone_of(frame.points, frame.width, image)
        self._interior = Interior(frame, image, tone)
        self._cheeks = Cheeks(frame, u, self._v, tone)

    def draw(self, target: Image, pose: Mapping[str, float]) -> None:
        """Redraw `target` (a copy of the still image) for one frame's curves (see values.CURVES)."""
        amounts = self._field.amounts(pose)
        if not np.abs(amounts).max() > 1e-4:
            return
        shift = self._inverse((amounts @ self._bases).reshape(self._cells.shape))
        upper, lower = shift[:, : self._rows], shift[:, self._rows :]
        contours = self._contours(amounts)
        lips, lines = self._lips_box(contours), _table(contours)
        self._draw_skin(target, upper, lower, lines, lips)
        self._draw_lips(target, upper, lower, lines, lips, pose)
        self._shade(target, pose)

    def _draw_skin(self, target: Image, upper: Array, lower: Array, lines: Array, hole: Box) -> None:
        """All that moves but for the box of the lips; a picture's still parts are not touched."""
        import cv2

        top, bottom = _along(self._u, lines)
        shift = np.where(self._v > (top + bottom) / 2, lower, upper)
        moves = np.abs(shift).max(axis=0) > STILL / self._step
        maps = self._source(shift, (0, 0, self._columns, self._rows))
        x0, y0, x1, y1 = self.region
        canvas = target[y0:y1, x0:x1]
        for a, b, c, d in _parts(moves, hole):
            part = slice(b * self._step, d * self._step), slice(a * self._step, c * self._step)
            cv2.cvtColor(self._texture.at(*(m[part] for m in maps)), cv2.COLOR_RGBA2RGB, dst=canvas[part])

    def _draw_lips(
        self, target: Image, upper: Array, lower: Array, lines: Array, box: Box, pose: Mapping[str, float]
    ) -> None:
        """Each lip by its own field up to its own edge, and what is seen between them."""
        import cv2

        x0, y0 = self.region[0] + box[0] * self._step, self.region[1] + box[1] * self._step
        maps = [self._source(shift, box) for shift in (upper, lower)]
        h, w = maps[0][0].shape
        if not h * w:
            return
        u, v = self._frame.grid(x0, y0, w, h)
        top, bottom = _along(_place(u), lines)
        edge = max(SOFT, 0.5 / self._frame.width)
        above = np.clip((top - v) / (2 * edge) + 0.5, 0, 1)
        below = np.clip((v - bottom) / (2 * edge) + 0.5, 0, 1)
        lips = np.zeros((2, h, w, 4), np.uint8)
        for lip, (xs, ys), shown in zip(lips, maps, (above, below), strict=True):
            seen = _span(shown.max(axis=1) > 0)  # the rows in which this lip is seen
            if seen.stop:
                lip[seen] = self._texture.at(xs[seen], ys[seen])
        drawn = cv2.cvtColor(cv2.blendLinear(lips[0], lips[1], above, below), cv2.COLOR_RGBA2RGB)
        inside = np.clip(1 - above - below, 0, 1)
        part = rows, columns = _span(inside.max(axis=1) > 0), _span(inside.max(axis=0) > 0)
        if rows.stop:
            corner = x0 + columns.start, y0 + rows.start
            painted = self._interior.paint(corner, top[part], bottom[part], pose)
            weights = (np.ascontiguousarray(a[part]) for a in (above + below, inside))
            drawn[part] = cv2.blendLinear(np.ascontiguousarray(drawn[part]), painted, *weights)
        target[y0 : y0 + h, x0 : x0 + w] = drawn

    def _shade(self, target: Image, pose: Mapping[str, float]) -> None:
        """Darken folds and hollows, in the cells that have any."""
        shade = self._cheeks.shade(pose)
        if shade is None:
            return
        dark = shade > 1 / 255
        rows, columns = _span(dark.any(axis=1)), _span(dark.any(axis=0))
        x0, y0, x1, y1 = self.region
        step = self._step
        part = target[y0:y1, x0:x1][rows.start * step : rows.stop * step, columns.start * step : columns.stop * step]
        part[:] = self._cheeks.darkened(part, shade[rows, columns], step)

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
        limits = self._columns, self._rows
        x0, y0 = (min(max(int(c), 0), n) for c, n in zip(low, limits, strict=True))
        x1, y1 = (min(max(int(c), 0), n) for c, n in zip(high, limits, strict=True))
        return x0, y0, x1, y1

    def _inverse(self, displacement: Array) -> Array:
        """By how much each cell's source lies beside it (in cells), for a forward displacement: Newton's method.

        Each axis is solved with its own slope; what little one axis takes from the other the steps settle.
        """
        import cv2

        inverse = np.empty_like(displacement)
        inverse[0, :, 1:-1] = displacement[0, :, 2:] - displacement[0, :, :-2]
        inverse[1, 1:-1] = displacement[1, 2:] - displacement[1, :-2]
        inverse[0, :, [0, -1]] = inverse[1, [0, -1]] = 0
        inverse = 1 / np.maximum(1 + 0.5 * inverse, 0.25)
        known = cv2.merge([*displacement, *inverse])
        shift = -displacement * inverse
        for _ in range(STEPS):
            xs, ys = self._cells + shift
            there = cv2.remap(known, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            dx, dy, across, down = cv2.split(there)
            shift[0] -= (shift[0] + dx) * across
            shift[1] -= (shift[1] + dy) * down
        return shift

    def _source(self, shift: Array, box: Box) -> tuple[Array, Array]:
        """x and y (h, w) in the texture from which the pixels in a box of cells come, cut at the region's edge."""
        import cv2

        # What moves is scaled up, not the map itself: where nothing moves, pixels stay exactly where they are.
        x0, y0, x1, y1 = box
        left, top, step = min(1, x0), min(1, y0), self._step
        own = self._places[:, y0 * step : y1 * step, x0 * step : x1 * step]
        rows, columns = own.shape[1:]
        maps = []
        for axis in (0, 1):
            cells = shift[axis, y0 - top : y1 + 1, x0 - left : x1 + 1] * (step * FINER)
            large = cv2.resize(cells, None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR)
            maps.append(cv2.add(own[axis], large[top * step :, left * step :][:rows, :columns]))
        return maps[0], maps[1]


def _parts(moves: Array, hole: Box) -> Iterator[Box]:
    """Boxes of cells that cover all that moves (rows, columns), and a cell around it, but for the hole."""
    x0, y0, x1, y1 = hole
    columns = moves.shape[1]
    any_ = moves.any(axis=1)
    first = np.where(any_, moves.argmax(axis=1), columns).tolist()
    last = np.where(any_, columns - moves[:, ::-1].argmax(axis=1), 0).tolist()
    cuts = sorted({*range(0, len(moves), STRIP), y0, y1, len(moves)})
    for top, bottom in itertools.pairwise(cuts):
        near = slice(max(0, top - 1), bottom + 1)
        left, right = min(first[near]), max(last[near])
        if left >= right:
            continue
        left, right = max(0, left - 1), min(columns, right + 1)
        spans = ((left, min(right, x0)), (max(left, x1), right)) if y0 <= top < y1 else ((left, right),)
        yield from ((a, top, b, bottom) for a, b in spans if b > a)


def _span(seen: Any) -> slice:
    """From the first to the last True; empty if there is none."""
    places = np.flatnonzero(seen)
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0)


def _place(u: Array) -> Array:
    """(h, w) where in the table each u lies."""
    return np.asarray((u + LIPS) * ((TABLE - 1) / (2 * LIPS)), np.float32)


def _table(contours: tuple[Array, Array, Array]) -> Array:
    """(1, TABLE, 2): v of both contours at places from -LIPS to LIPS."""
    lines = [np.interp(_GRID, contours[0], line) for line in contours[1:]]
    return np.stack(lines, axis=-1).astype(np.float32)[None]


def _along(place: Array, lines: Array) -> list[Array]:
    """v of both contours at each place (h, w): from their table, which is many times faster than np.interp."""
    import cv2

    found = cv2.remap(lines, place, np.zeros_like(place), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return list(cv2.split(found))


def _box(points: Array, image: Image) -> Box:
    """The pixels around some points, inside the image."""
    h, w = image.shape[:2]
    low, high = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0))
    x0, x1 = (int(np.clip(c, 0, w)) for c in (low[0], high[0]))
    y0, y1 = (int(np.clip(c, 0, h)) for c in (low[1], high[1]))
    return x0, y0, x1, y1
