"""One face through a film: its 478 points in every picture, calm where it is still and prompt where it moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from linly.face.frame import OVAL, Array, smooth
from linly.face.mesh import EYES, FaceMesh
from linly.values import Floats, Image

SURE = 0.5
"""score below which a face is looked for anew"""
FAR, LARGER = 0.6, 1.4
"""from one picture to the next a face moves by less (in its own widths), and grows or shrinks by less than this"""
PATIENCE, EVERY = 10, 5
"""after so many pictures without the face only every fifth is searched; searching is what takes time"""
SIGMA = 1.2
"""pictures: the Gaussian that calms what is still"""
STILL, QUICK = 0.005, 0.016
"""what the Gaussian may move a group of points by, in eye spans: noise is smaller than one, motion larger than both"""
RIGID = (10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 2, 33, 133, 362, 263, 127, 356, 234, 454, 67, 297, 103, 332, 54, 284,
         129, 358, 98, 327, 21, 251)  # fmt: skip
"""points that move with the skull alone: forehead, nose, corners of the eyes, temples"""
MOUTH = (0, 11, 12, 13, 14, 15, 16, 17, 18, 37, 38, 39, 40, 41, 42, 61, 62, 72, 73, 74, 76, 77, 78, 80, 81, 82, 84, 85,
         86, 87, 88, 89, 90, 91, 95, 96, 146, 178, 179, 180, 181, 183, 184, 185, 191, 200, 199, 175, 152, 148, 176, 377,
         400, 267, 268, 269, 270, 271, 272, 291, 292, 302, 303, 304, 306, 307, 308, 310, 311, 312, 314, 315, 316, 317,
         318, 319, 320, 321, 324, 325, 375, 402, 403, 404, 405, 407, 408, 409, 415)  # fmt: skip
"""lips and chin: they move together, and by themselves"""


class Follower:
    """Finds the same person's face in one picture after another; the largest face of the first is the one."""

    def __init__(self, mesh: FaceMesh) -> None:
        self._mesh = mesh
        self._last: Floats | None = None
        self._missed = 0

    def __call__(self, image: Image) -> Floats | None:
        """(478, 3) points in pixels, or None where the face is not seen."""
        points = self._followed(image)
        if points is None and (self._missed < PATIENCE or self._missed % EVERY == 0):
            points = self._found(image)
        if points is None:
            self._missed += 1
        else:
            self._last, self._missed = points, 0
        return points

    def _followed(self, image: Image) -> Floats | None:
        if self._last is None or self._missed:
            return None
        points, score = self._mesh.follow(image, self._last)
        return points if score >= SURE and self._same(points) else None

    def _found(self, image: Image) -> Floats | None:
        for face in self._mesh.detect(image):
            points, score = self._mesh.landmarks(image, face)
            if score >= SURE and self._same(points):
                return points
        return None

    def _same(self, points: Floats) -> bool:
        """Is this where the face was last seen, and as large? Another person's face elsewhere is not taken for it."""
        if self._last is None:
            return True
        (then, size), (now, other) = _place(self._last), _place(points)
        away = float(np.hypot(*(now - then))) / size
        larger = max(size / other, other / size)
        slack = 1 + min(self._missed, 10) / 10  # unseen, it may have gone a little further
        return away < FAR * slack and larger < 1 + (LARGER - 1) * slack


def _place(points: Array) -> tuple[Array, float]:
    oval = points[list(OVAL), :2]
    return oval.mean(axis=0), float(np.ptp(oval, axis=0).max())


@dataclass(frozen=True, eq=False)
class HeadFit:
    """Where the skull is in each picture: pixels = scale * rotation @ head + shift (Umeyama 1991)."""

    scale: Array
    """(n,)"""
    rotation: Array
    """(n, 3, 3)"""
    shift: Array
    """(n, 3)"""

    @classmethod
    def of(cls, shape: Array, points: Array) -> HeadFit:
        """The similarity that carries `shape` (478, 3) onto each of `points` (n, 478, 3), by the rigid points."""
        a, b = shape[list(RIGID)], points[:, list(RIGID)]
        middle_a, middle_b = a.mean(axis=0), b.mean(axis=1, keepdims=True)
        a, b = a - middle_a, b - middle_b
        u, s, vt = np.linalg.svd(np.swapaxes(b, 1, 2) @ a)
        flip = np.ones_like(s)
        flip[:, 2] = np.sign(np.linalg.det(u @ vt))
        rotation = (u * flip[:, None, :]) @ vt
        scale = (s * flip).sum(axis=1) / (a**2).sum()
        shift = middle_b[:, 0] - scale[:, None] * (rotation @ middle_a)
        return cls(scale, rotation, shift)

    def pixels(self, head: Array) -> Array:
        """(n, k, 3) or (k, 3) in the head's own coordinates -> (n, k, 3) in each picture's."""
        return np.asarray(self.scale[:, None, None] * (head @ np.swapaxes(self.rotation, 1, 2)) + self.shift[:, None])

    def head(self, pixels: Array) -> Array:
        """(n, k, 3) in each picture's coordinates -> in the head's own."""
        return np.asarray(((pixels - self.shift[:, None]) / self.scale[:, None, None]) @ self.rotation)


def mean_head(points: Array) -> tuple[Array, HeadFit]:
    """The mean face (478, 3) of some pictures (n, 478, 3) and where it lies in each."""
    shape = points[0].astype(np.float64)
    for _ in range(2):
        shape = HeadFit.of(shape, points).head(points).mean(axis=0)
    return shape, HeadFit.of(shape, points)


def calmed(points: Floats) -> Floats:
    """The same points (n, 478, 3), rows of NaN kept, without the mesh's jitter and without delay.

    The skull's motion and what moves on the face are calmed apart, each only as far as it is still: a turned head or
    a closing mouth is where it was seen.
    """
    made = points.copy()
    for run in runs(np.isfinite(points[:, 0, 0])):
        made[run] = _calmed_run(points[run].astype(np.float64))
    return made


def _calmed_run(points: Array) -> Array:
    shape, fit = mean_head(points)
    span = float(np.linalg.norm(shape[EYES[1]] - shape[EYES[0]]))
    own = fit.head(points) - shape
    skull = fit.pixels(shape)
    steady = HeadFit.of(shape, _calm(skull, span * float(fit.scale.mean())))
    moved = _calm(own, span)
    moved[:, MOUTH] = _calm(own[:, MOUTH], span)
    return steady.pixels(shape + moved)


def _calm(paths: Array, span: float) -> Array:
    """Points (n, k, 3) over time, smoothed as one group where that hardly moves them."""
    reach = int(np.ceil(3 * SIGMA))
    kernel = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * SIGMA**2))
    n = len(paths)
    total, weight = np.zeros_like(paths), np.zeros(n)
    for lag, share in zip(range(-reach, reach + 1), kernel, strict=True):
        to, there = slice(max(0, -lag), min(n, n - lag)), slice(max(0, lag), min(n, n + lag))
        total[to] += share * paths[there]
        weight[to] += share
    even = total / weight[:, None, None]
    away = np.sqrt(((paths - even) ** 2)[..., :2].sum(axis=-1).mean(axis=-1)) / span
    return np.asarray(even + smooth(away, STILL, QUICK)[:, None, None] * (paths - even))


def runs(seen: Array) -> Iterator[slice]:
    """Slices in which `seen` (n,) is True throughout."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], seen, [False]]).astype(int)))
    yield from (slice(int(a), int(b)) for a, b in edges.reshape(-1, 2))
