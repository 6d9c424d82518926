"""The moving lower face: skin and lips by two displacement fields, the mouth's inside between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from linly.face.frame import CHIN, Array, MouthFrame
from linly.face.interior import Interior
from linly.face.mouth_field import REACH, SHAPES, MouthField
from linly.values import Image

CELLS = 22
"""field samples in one mouth width: about one for every two pixels of a face 150 pixels wide"""
STEPS = (1.0, 0.62, 1.0, 0.62, 0.62)
"""relaxation of the inversion: plain iteration oscillates where skin stretches by nearly two"""
SOFT = 0.011
"""half width of a lip's edge, in mouth widths, but at least half a pixel"""


class Mouth:
    """Redraws the lower face of one still image, in place."""

    def __init__(self, image: Image, points: Array) -> None:
        self._image = image
        self._places: dict[tuple[int, int, int, int], Array] = {}
        frame = MouthFrame(points)
        field = MouthField(frame)
        self._field, self._unit = field, frame.width
        chin = float(frame.local(CHIN)[0, 1])
        corners = [(u, v) for u in (-REACH, REACH) for v in (-0.95, 1.05 * chin + 0.95)]
        self.region = _box(frame.to_pixels(np.array(corners, np.float32)), image)
        self._step = max(1.0, frame.width / CELLS)
        x0, y0, x1, y1 = self.region
        xs, ys = (np.arange(a, b + self._step, self._step, dtype=np.float32) for a, b in ((x0, x1), (y0, y1)))
        grid = np.stack(np.meshgrid(xs, ys), axis=-1)
        local = frame.to_local(grid)
        self._grid_v = local[..., 1]
        self._grid_u = local[..., 0]
        self._cells = np.stack(np.meshgrid(np.arange(len(xs)), np.arange(len(ys))), axis=-1).astype(np.float32)
        turn = frame.axes * frame.width
        self._bases = [
            np.ascontiguousarray((field.bases(local, below) @ turn / self._step).reshape(len(SHAPES), -1))
            for below in (False, True)
        ]
        self._shape = grid.shape
        self._lines = (field.upper_line, field.lower_line)
        self._line_bases = [field.bases(self._lines[below], bool(below)) for below in (0, 1)]
        self._place_mouth(frame, image)

    def _place_mouth(self, frame: MouthFrame, image: Image) -> None:
        """The smaller box in which both lips and the inside are composed at full resolution."""
        corners = [(u, v) for u in (-0.78, 0.78) for v in (-0.55, 0.85)]
        self._box = bx0, by0, bx1, by1 = _box(frame.to_pixels(np.array(corners, np.float32)), image)
        pixels = np.stack(np.meshgrid(np.arange(bx0, bx1), np.arange(by0, by1)), axis=-1).astype(np.float32)
        self._inner = frame.to_local(pixels)
        self._patch = image[by0:by1, bx0:bx1].copy()
        self._interior = Interior(frame, image, self._inner, self._patch)
        self._edge = max(SOFT, 0.5 / frame.width)

    def draw(self, target: Image, pose: Mapping[str, float]) -> None:
        """Redraw `target` (a copy of the still image) for one frame's curves (see values.CURVES)."""
        import cv2

        amounts = self._field.amounts(pose)
        if not np.abs(amounts).max() > 1e-4:
            return
        sources = [self._inverse((amounts @ bases).reshape(self._shape)) for bases in self._bases]
        u, top, bottom = self._contours(amounts)
        middle = np.interp(self._grid_u, u, (top + bottom) / 2)
        side = (self._grid_v > middle)[..., None]
        x0, y0, x1, y1 = self.region
        maps = self._pixel_map(np.where(side, sources[1], sources[0]), self.region)
        cv2.remap(self._image, maps, None, cv2.INTER_CUBIC, dst=target[y0:y1, x0:x1], borderMode=cv2.BORDER_REPLICATE)
        self._compose(target, sources, (u, top, bottom), pose)

    def _compose(
        self, target: Image, sources: list[Array], contours: tuple[Array, Array, Array], pose: Mapping[str, float]
    ) -> None:
        import cv2

        u, tops, bottoms = contours
        x0, y0, x1, y1 = self._box
        lips = [
            cv2.remap(
                self._image, self._pixel_map(s, self._box), None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
            )
            for s in sources
        ]
        column, v = self._inner[..., 0], self._inner[..., 1]
        top, bottom = np.interp(column, u, tops), np.interp(column, u, bottoms)
        upper = np.clip((top - v) / (2 * self._edge) + 0.5, 0, 1)
        lower = np.clip((v - bottom) / (2 * self._edge) + 0.5, 0, 1)
        inside = np.clip(1 - upper - lower, 0, 1)
        total = upper + lower + inside
        mixed = (upper / total)[..., None] * lips[0] + (lower / total)[..., None] * lips[1]
        seen = inside > 0
        if seen.any():
            rows, columns = _span(seen.any(axis=1)), _span(seen.any(axis=0))
            part = (rows, columns)
            talk = float(np.clip(pose["talk"], 0, 1))
            painted = self._interior.paint(part, top[part], bottom[part], pose["tongue"])
            painted = talk * painted + (1 - talk) * self._patch[part]
            mixed[part] += (inside / total)[part][..., None] * painted
        target[y0:y1, x0:x1] = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)

    def _contours(self, amounts: Array) -> tuple[Array, Array, Array]:
        """u, v of the upper and v of the lower lip's inner edge after the move; (n,) each, in mouth units."""
        moved = [
            line + np.tensordot(amounts, bases, 1) for line, bases in zip(self._lines, self._line_bases, strict=True)
        ]
        u = (moved[0][:, 0] + moved[1][:, 0]) / 2
        top, bottom = moved[0][:, 1], np.maximum(moved[1][:, 1], moved[0][:, 1])
        return u, top, bottom

    def _inverse(self, displacement: Array) -> Array:
        """Where each grid cell comes from (in cells), for a forward displacement in cells: relaxed fixed point."""
        import cv2

        displacement = np.ascontiguousarray(displacement, np.float32)
        source = self._cells - displacement
        for step in STEPS[1:]:
            there = cv2.remap(displacement, source, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            source += step * (self._cells - there - source)
        return source

    def _pixel_map(self, cells: Array, box: tuple[int, int, int, int]) -> Array:
        """Source pixels for every pixel of `box`, from a map in cells of the region's grid."""
        import cv2

        x0, y0, x1, y1 = box
        offset = np.array([(x0 - self.region[0]) / self._step, (y0 - self.region[1]) / self._step])
        scale = 1 / self._step
        to_cells = np.array([[scale, 0, offset[0]], [0, scale, offset[1]]])
        # What moves is scaled up, not the map itself: where nothing moves, pixels stay exactly where they are.
        map_: Array = cv2.warpAffine(
            cells - self._cells,
            to_cells,
            (x1 - x0, y1 - y0),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        map_ *= self._step
        map_ += self._own_pixels(box)
        return map_

    def _own_pixels(self, box: tuple[int, int, int, int]) -> Array:
        """(h, w, 2): the place of every pixel of `box` itself."""
        if box not in self._places:
            x0, y0, x1, y1 = box
            self._places[box] = np.stack(np.meshgrid(np.arange(x0, x1), np.arange(y0, y1)), axis=-1).astype(np.float32)
        return self._places[box]


def _span(seen: Any) -> slice:
    """From the first to the last True."""
    places = np.flatnonzero(seen)
    return slice(int(places[0]), int(places[-1]) + 1)


def _box(points: Array, image: Image) -> tuple[int, int, int, int]:
    """The pixels around some points: x0, y0, x1, y1 inside the image."""
    h, w = image.shape[:2]
    low, high = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0))
    x0, x1 = (int(np.clip(c, 0, w)) for c in (low[0], high[0]))
    y0, y1 = (int(np.clip(c, 0, h)) for c in (low[1], high[1]))
    return x0, y0, x1, y1
