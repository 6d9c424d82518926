"""The head turns, the shoulders breathe, the background stays: one smooth field, one resampling, an exact matte."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from linly.face.frame import CHIN, OVAL, Array, smooth
from linly.face.matte import background_plate
from linly.values import Image

MOVES = ("yaw", "pitch", "roll", "breath", "brow")
CELLS = 26
"""field samples in one face width"""
TILE = 64
UNSURE = 0.08
"""with more of the picture than this half transparent, the matte is not trusted and everything moves together"""
BROWS = (46, 53, 52, 65, 55, 285, 295, 282, 283, 276)


@dataclass(frozen=True)
class _Tile:
    rows: slice
    columns: slice
    face: bool
    """part of it is face"""
    edge: bool
    """the background can show here"""


class Head:
    """Moves the person of one still image."""

    def __init__(self, image: Image, points: Array, matte: Array) -> None:
        import cv2

        h, w = self._size = image.shape[:2]
        half = float(((matte > 0.1) & (matte < 0.9)).mean())
        self._matte = matte if half < UNSURE else np.ones((h, w), np.float32)
        self._plate = np.clip(np.rint(background_plate(image, self._matte)), 0, 255).astype(np.uint8)
        # How far the background shows through, and what it adds to every pixel there: both move with the person.
        self._through = np.rint(255 * (1 - self._matte)).astype(np.uint8)
        self._veil = cv2.multiply(cv2.merge([self._through] * 3), self._plate, scale=1 / 255)
        oval = points[list(OVAL), :2]
        self._face = float(oval[:, 0].max() - oval[:, 0].min())
        self._step = max(4, round(self._face / CELLS))
        self._region, self._tiles = self._tiled(points)
        x0, y0, x1, y1 = self._region
        columns, rows = -(-(x1 - x0) // self._step) + 2, -(-(y1 - y0) // self._step) + 2
        self._cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).astype(np.float32)
        # One cell of margin on each side; a cell's value is that of its middle, which is how cv2.resize spreads it.
        at = (self._cells - 0.5) * self._step - 0.5 + np.array([x0, y0], np.float32)
        self._bases = np.ascontiguousarray((self._fields(at, points) / self._step).reshape(len(MOVES), -1))

    def _fields(self, at: Array, points: Array) -> Array:
        """(len(MOVES), rows, columns, 2): pixels that the picture moves per radian (yaw, pitch, roll) or per unit."""
        h, w = self._size
        oval = points[list(OVAL)]
        chin, top = points[CHIN, :2], points[10, :2]
        tall = float(np.hypot(*(chin - top)))
        x, y = at[..., 0], at[..., 1]
        # The head moves whole; its neck less and less; shoulders and the edges of the picture not at all.
        weight = 1 - smooth(y, float(chin[1]) - 0.05 * tall, float(chin[1]) + 0.62 * tall)
        weight = weight * smooth(x, 0.0, 0.05 * w) * smooth(w - 1 - x, 0.0, 0.05 * w) * smooth(y, 0.0, 0.04 * h)
        depth = self._depth(at, points, oval)
        made = np.zeros((len(MOVES), *at.shape), np.float32)
        made[0, ..., 0] = weight * (0.22 * self._face + depth)
        made[1, ..., 1] = -weight * (0.16 * self._face + depth)
        made[2, ..., 0] = -weight * (y - (chin[1] + 0.25 * tall))
        made[2, ..., 1] = weight * (x - chin[0])
        low = smooth(y, float(chin[1]) - 0.1 * tall, float(chin[1]) + 0.7 * tall)
        made[3, ..., 1] = -0.012 * self._face * (0.25 + 0.75 * low) * smooth(h - 1 - y, -0.5 * tall, 0.25 * tall)
        brows = points[list(BROWS), :2]
        for side in (brows[:5], brows[5:]):
            centre, wide = side.mean(axis=0), float(np.ptp(side[:, 0]))
            bump = np.exp(-(((x - centre[0]) / (0.75 * wide)) ** 4) - ((y - centre[1]) / (0.16 * self._face)) ** 2)
            made[4, ..., 1] -= 0.035 * self._face * bump
        return made

    def _depth(self, at: Array, points: Array, oval: Array) -> Array:
        """How far in front of the head's axis each place is, in pixels: the mesh inside the face, 0 at the outline."""
        level = float(np.median(oval[:, 2]))
        near = np.clip(level - points[:, 2], -0.1 * self._face, 0.55 * self._face) + 0.42 * self._face
        reach = 0.075 * self._face
        depth = np.empty(at.shape[:2], np.float32)
        for row, places in enumerate(at):
            square = ((places[:, None, :] - points[None, :, :2]) ** 2).sum(axis=-1)
            share = np.exp(-square / (2 * reach**2))
            depth[row] = (share @ near) / (share.sum(axis=-1) + 0.6)
        return depth

    def _tiled(self, points: Array) -> tuple[tuple[int, int, int, int], list[_Tile]]:
        """The box in which anything can move, and its tiles: what each needs and no more."""
        import cv2

        reach = int(np.ceil(0.12 * self._face))
        kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
        person = cv2.dilate((self._matte > 0.01).astype(np.uint8), kernel)
        edge = cv2.dilate((self._matte < 0.99).astype(np.uint8), kernel) & person
        ys, xs = np.flatnonzero(person.any(axis=1)), np.flatnonzero(person.any(axis=0))
        x0, y0, x1, y1 = int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        tiles = []
        for y in range(y0, y1, TILE):
            for x in range(x0, x1, TILE):
                rows, columns = slice(y, min(y + TILE, y1)), slice(x, min(x + TILE, x1))
                if person[rows, columns].any():
                    face = bool(low[0] < columns.stop and high[0] > x and low[1] < rows.stop and high[1] > y)
                    tiles.append(_Tile(rows, columns, face, bool(edge[rows, columns].any())))
        return (x0, y0, x1, y1), tiles

    def draw(self, still: Image, pose: Mapping[str, float], turn: Array) -> Image:
        """A new picture: `still` with its head at `turn` (yaw, pitch, roll, degrees), breathing as `pose` says."""
        import cv2

        amounts = np.array([*np.radians(turn), pose["breath"], pose["brow"]], np.float32)
        if not np.abs(amounts).max() > 1e-4:
            return still
        move = (amounts @ self._bases).reshape(self._cells.shape)
        source = self._cells - move
        for _ in range(2):
            source = self._cells - cv2.remap(move, source, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        x0, y0, _, _ = self._region
        map_ = self._pixel_map(source)
        moved = still.copy()
        for tile in self._tiles:
            at = tile.rows, tile.columns
            part = map_[tile.rows.start - y0 : tile.rows.stop - y0, tile.columns.start - x0 : tile.columns.stop - x0]
            # Bicubic keeps the face sharp; elsewhere nobody can tell it from bilinear, which is twice as fast.
            way = cv2.INTER_CUBIC if tile.face else cv2.INTER_LINEAR
            cv2.remap(still, part, None, way, dst=moved[at], borderMode=cv2.BORDER_REPLICATE)
            if tile.edge:
                veil = cv2.remap(self._veil, part, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
                through = cv2.remap(self._through, part, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
                shown = cv2.multiply(cv2.merge([through] * 3), self._plate[at], scale=1 / 255)
                change = cv2.subtract(shown, veil, dtype=cv2.CV_16S)
                cv2.add(moved[at], change, dst=moved[at], dtype=cv2.CV_8U)
        return moved

    def _pixel_map(self, source: Array) -> Array:
        """Source pixels for every pixel of the region, from source cells for every cell."""
        import cv2

        x0, y0, x1, y1 = self._region
        step = self._step
        pixels = (source - 0.5) * step - 0.5 + np.array([x0, y0], np.float32)
        wide: Array = cv2.resize(
            pixels, (pixels.shape[1] * step, pixels.shape[0] * step), interpolation=cv2.INTER_LINEAR
        )
        return wide[step : step + y1 - y0, step : step + x1 - x0]
