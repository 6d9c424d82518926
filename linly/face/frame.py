"""The mouth's own coordinates: origin between its corners, one unit is its width at rest, u right, v down."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
"""Geometry inside this package is computed in whatever precision numpy chooses; values leave it as float32."""

UPPER_INNER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
CORNERS = (61, 291)
NOSE_BASE, CHIN = 2, 152
LOWER_LIDS = (145, 374)
OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
        148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
JAWLINE = OVAL[8:29]
"""from ear to ear along the chin"""
UPPER_CLOSES = 0.3
"""part of the way on which the upper lip comes down to shut a mouth that the photo shows open"""
OPEN_FROM = 0.035
"""An inner-lip gap below this, in mouth widths, is a closed mouth: the mesh is not more exact than that."""


@dataclass(frozen=True, eq=False)
class MouthFrame:
    """Geometry of one portrait's mouth at rest. `points`: (478, 3) pixels."""

    points: Array

    @cached_property
    def width(self) -> float:
        """Pixels from corner to corner: the unit."""
        left, right = self.points[CORNERS[0], :2], self.points[CORNERS[1], :2]
        return float(np.hypot(*(right - left)))

    @cached_property
    def centre(self) -> Array:
        return np.asarray(self.points[list(CORNERS), :2].mean(axis=0), np.float32)

    @cached_property
    def axes(self) -> Array:
        """(2, 2): unit vectors of u and v in pixels; u runs along the line of the eyes, which the mouth may not."""
        across = self.points[263, :2] - self.points[33, :2]
        across = across / np.hypot(*across)
        return np.array([across, (-across[1], across[0])], np.float32)

    def to_local(self, pixels: Array) -> Array:
        """(..., 2) pixels -> (..., 2) mouth units."""
        return np.asarray((pixels - self.centre) @ self.axes.T / self.width, np.float32)

    def grid(self, x: int, y: int, width: int, height: int, step: int = 1) -> tuple[Array, Array]:
        """u and v, (height, width) each, of pixels from (x, y) on; of the middles of blocks of `step` pixels."""
        across, down = self.axes / self.width
        middle = (step - 1) / 2
        xs = step * np.arange(width, dtype=np.float32) + np.float32(x + middle - self.centre[0])
        ys = step * np.arange(height, dtype=np.float32)[:, None] + np.float32(y + middle - self.centre[1])
        return xs * across[0] + ys * across[1], xs * down[0] + ys * down[1]

    def to_pixels(self, local: Array) -> Array:
        """(..., 2) mouth units -> (..., 2) pixels."""
        return np.asarray(local @ self.axes * self.width + self.centre, np.float32)

    def local(self, *indices: int) -> Array:
        """(n, 2) mesh points in mouth units."""
        return self.to_local(self.points[list(indices), :2])

    @cached_property
    def lips(self) -> tuple[Array, Array]:
        """Inner contours (n, 2) of the upper and the lower lip, corner to corner, in mouth units, on one set of u.

        Where the mouth is closed both are the same line; where the photo shows it open they part.
        """
        upper, lower = self.local(*UPPER_INNER), self.local(*LOWER_INNER)
        u = np.linspace(upper[0, 0], upper[-1, 0], 33).astype(np.float32)
        top, bottom = _curve(u, upper), _curve(u, lower)
        middle = (top + bottom) / 2
        if self.gap < OPEN_FROM:
            top = bottom = middle
        else:  # into the lips, so that no bright edge of a tooth stays on them
            top, bottom = np.minimum(top, middle) - 0.016, np.maximum(bottom, middle) + 0.016
            top[[0, -1]] = bottom[[0, -1]] = middle[[0, -1]]
        return np.stack([u, top], axis=1), np.stack([u, bottom], axis=1)

    @cached_property
    def gap(self) -> float:
        """Inner-lip gap of the photo at the mid-line, in mouth widths."""
        upper, lower = self.local(13, 14)
        return float(lower[1] - upper[1])

    @cached_property
    def thickness(self) -> tuple[float, float]:
        """Height of the upper and the lower lip at the mid-line, in mouth widths."""
        top, upper, lower, bottom = self.local(0, 13, 14, 17)[:, 1]
        return max(0.05, float(upper - top)), max(0.06, float(bottom - lower))


def _curve(u: Array, points: Array) -> Array:
    """v at each u on a smooth curve through the contour points (cubic least squares of order 6: no ripples)."""
    order = np.argsort(points[:, 0])
    fit = np.polynomial.Polynomial.fit(points[order, 0], points[order, 1], 6)
    return np.asarray(fit(u), np.float32)


def smooth(x: Array, low: float, high: float) -> Array:
    """0 below `low`, 1 above `high`, an S between."""
    t = np.minimum(np.maximum((x - low) * (1 / (high - low)), 0), 1)  # np.clip takes twice as long for small arrays
    return np.asarray(t * t * (3 - 2 * t), np.float32)
