"""How skin and lips move with the mouth: displacement bases in mouth units, one set for each side of the lip line.

The upper field is smooth across the opening as if there were no lower lip, and the other way round, so each lip keeps
its texture to its very edge. The inner-lip gap is exactly what is asked for: jaw and shape never change it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from linly.face.frame import CHIN, JAWLINE, LOWER_LIDS, NOSE_BASE, OVAL, UPPER_CLOSES, Array, MouthFrame, smooth
from linly.values import OPEN_WIDTHS

FULL_AGAIN, RELAXED = 1.2, 0.3
"""how far an open smile's lips fill out, and its corners sink, while it talks; in units of `press` and `smile`"""
SHAPES = ("upper", "lower", "close", "jaw", "round", "spread", "smile", "press", "tuck")
UPPER_SHARE = 0.27
"""part of the gap that the upper lip makes; the rest is the lower lip's"""
JAW_DROP = 0.26
"""how far the chin falls at jaw = 1, in mouth widths"""
NECK = 0.52
"""length below the jawline over which a dropped chin is taken up, in mouth widths: twice the drop, so nothing folds"""
LIPS_REACH = 0.62
"""half width, in mouth widths, in which the lips move in full even where a turned face ends beside them"""
REACH = 1.55
"""half width of the region that moves, in mouth widths"""


class MouthField:
    """Displacement bases of one portrait on any set of points in mouth units."""

    def __init__(self, frame: MouthFrame) -> None:
        self.frame = frame
        self.upper_line, self.lower_line = frame.lips
        hangs = float(frame.local(13, 14)[:, 1].mean())  # below the corners, as lips do in a smile
        self._smiles = float(smooth(np.array(hangs), 0.02, 0.08) * smooth(np.array(frame.gap), 0.05, 0.12))
        self._nose = float(frame.local(NOSE_BASE)[0, 1])
        self._chin = float(frame.local(CHIN)[0, 1])
        self.top = min(-0.95, float(frame.local(*LOWER_LIDS)[:, 1].mean()))
        self._outline = _outline(frame.local(*OVAL), self._chin)
        self._sides = _sides(frame.local(*OVAL))
        self._jawline = _jawline(frame.local(*JAWLINE))

    def bases(self, points: Array, below: bool) -> Array:
        """(len(SHAPES), ..., 2): how each point (..., 2) moves at shape = 1, as skin of the upper or the lower side."""
        u, v = points[..., 0], points[..., 1]
        line = self.lower_line if below else self.upper_line
        w = v - _along(u, line)
        opening = self._opening(u)
        face = self._face(u, v)
        near = face * np.exp(-(((u / 0.72) ** 2 + (w / 0.55) ** 2) ** 1.5))
        made = np.zeros((len(SHAPES), *points.shape), np.float32)
        if below:
            made[SHAPES.index("lower"), ..., 1] = opening * self._fall(
                w, self.frame.thickness[1] * 1.1, 0.62 * self._chin
            )
        else:
            made[SHAPES.index("upper"), ..., 1] = -opening * self._fall(-w, self.frame.thickness[0], 0.95 * -self._nose)
        apart = _along(u, self.lower_line) - _along(u, self.upper_line)  # what the photo's own mouth is open
        if below:
            made[SHAPES.index("close"), ..., 1] = (
                -(1 - UPPER_CLOSES) * apart * self._fall(w, self.frame.thickness[1], 0.6 * self._chin)
            )
        else:
            made[SHAPES.index("close"), ..., 1] = (
                UPPER_CLOSES * apart * self._fall(-w, self.frame.thickness[0], -self._nose)
            )
        made[SHAPES.index("round"), ..., 0] = -0.30 * np.clip(u, -0.62, 0.62) * near
        made[SHAPES.index("round"), ..., 1] = np.where(w > 0, 0.02, -0.02) * opening * near
        made[SHAPES.index("spread"), ..., 0] = 0.13 * np.clip(u, -0.6, 0.6) * near * 1.2
        made[SHAPES.index("smile")] = self._smile(u, v, w)
        thin = self.frame.thickness[1 if below else 0]
        made[SHAPES.index("press"), ..., 1] = -0.30 * w * np.exp(-((w / (1.3 * thin)) ** 2)) * _bell(u, 0.6)
        if below:
            made[SHAPES.index("tuck"), ..., 1] = -0.055 * opening * self._fall(w, 0.5 * thin, 0.5 * self._chin)
        made *= self._on_the_face(u, v)[..., None]
        made[SHAPES.index("jaw")] = self._jaw(u, v, w)
        return made

    def _smile(self, u: Array, v: Array, w: Array) -> Array:
        """Corners up and out along the zygomatic muscle, the cheek above bulging up to the lower lid."""
        beside = np.abs(u) - 0.5
        corner = np.exp(-((beside / 0.36) ** 2) - (w / np.where(w < 0, 0.46, 0.36)) ** 2)
        cheek = np.exp(-(((np.abs(u) - 0.72) / 0.36) ** 2) - ((v - 0.55 * self.top) / 0.5) ** 2)
        cheek *= smooth(v, self.top, 0.6 * self.top)
        return np.stack([np.sign(u) * (0.05 * corner), -0.115 * corner - 0.045 * cheek], axis=-1)

    def _on_the_face(self, u: Array, v: Array) -> Array:
        """1 on the face, 0 a little beyond its outline: what is beside the jaw stays where it is."""
        left, right = (np.interp(v, *self._outline[[0, row]]) for row in (1, 2))
        half = (right - left) / 2
        # A turned face's far lips lie on its outline: there it fades beyond them, or they would never meet.
        lips = LIPS_REACH * np.exp(-((v / 0.45) ** 4))
        near, far = (np.minimum(half, side) for side in (np.abs(left), np.abs(right)))
        beyond_left = (np.minimum(left, -lips) - u) / np.maximum(near, lips)
        beyond_right = (u - np.maximum(right, lips)) / np.maximum(far, lips)
        return 1 - smooth(np.maximum(beyond_left, beyond_right), -0.14, 0.08)

    def amounts(self, pose: Mapping[str, float]) -> Array:
        """(len(SHAPES),) coefficients of the bases for one frame's curves (see values.CURVES)."""
        gap = OPEN_WIDTHS * pose["open"]
        # A tucked lip rises; the lips stay as far apart as asked, so the lower lip's own share makes up for it.
        lower = (1 - UPPER_SHARE) * gap + 0.055 * pose["tuck"]
        values = {
            **pose,
            "close": pose["talk"],
            # A smile draws the lips thin; when it closes they grow full again, its corners relax, the jaw comes up.
            "press": pose["press"] - FULL_AGAIN * self._smiles * pose["talk"],
            "smile": pose["smile"] - RELAXED * self._smiles * pose["talk"],
            "upper": UPPER_SHARE * gap,
            "lower": lower,
            "jaw": JAW_DROP * (pose["jaw"] - 0.5 * RELAXED * self._smiles * pose["talk"]),
        }
        return np.array([values[name] for name in SHAPES], np.float32)

    def _opening(self, u: Array) -> Array:
        """1 at the mid-line, 0 at and beyond the corners: the outline of an open mouth."""
        half = 0.5 * (self.upper_line[-1, 0] - self.upper_line[0, 0])
        middle = 0.5 * (self.upper_line[-1, 0] + self.upper_line[0, 0])
        x = np.clip(np.abs(u - middle) / half, 0, 1)
        return np.asarray((1 - x**2.4) ** 0.9, np.float32)

    def _face(self, u: Array, v: Array) -> Array:
        """1 inside the face, 0 a little beyond its outline: the background beside a talking jaw stays."""
        left, right = (_along(v, np.stack([self._sides[0], side], axis=1)) for side in self._sides[1:])
        beyond = np.maximum((left - u) / -left, (u - right) / right)
        return np.asarray(1 - smooth(beyond, -0.06, 0.12), np.float32)

    @staticmethod
    def _fall(distance: Array, rigid: float, end: float) -> Array:
        """1 on the lip itself, falling smoothly to 0 at `end`."""
        return np.asarray(1 - smooth(distance, 0.6 * rigid, max(end, 2.2 * rigid)), np.float32)

    def _jaw(self, u: Array, v: Array, w: Array) -> Array:
        """The jaw turns about the ears: all of the drop at the chin, less towards the jaw's angles, none beyond.

        Below the jawline the neck is pressed together, over a length that neither folds it nor reaches a collar.
        """
        across = 1 - smooth(np.where(u < 0, u / self._jawline[0, 0], u / self._jawline[-1, 0]), 0.12, 1.02)
        ramp = smooth(w, 0.0, 0.92 * self._chin)
        neck = 1 - _even(v - _along(u, self._jawline), 0.0, NECK)
        corner = np.exp(-(((np.abs(u) - 0.52) / 0.3) ** 2) - (w / 0.42) ** 2)
        down = across * ramp * neck + 0.17 * corner
        return np.stack([-0.16 * np.sign(u) * corner, down], axis=-1)


def _sides(oval: Array) -> tuple[Array, Array, Array]:
    """Heights v and how far the face reaches to either side there; never narrower than a neck."""
    heights = np.linspace(oval[:, 1].min(), oval[:, 1].max(), 24).astype(np.float32)
    middle = oval[:, 0].mean()
    reaches = []
    for sign in (-1, 1):
        side = oval[sign * (oval[:, 0] - middle) >= 0]
        side = side[np.argsort(side[:, 1])]
        reach = np.interp(heights, side[:, 1], side[:, 0])
        neck = 0.62 * np.abs(reach).max()
        reaches.append(np.asarray(sign * np.maximum(sign * reach, neck), np.float32))
    return heights, reaches[0], reaches[1]


def _jawline(points: Array) -> Array:
    """(n, 2): the lower edge of the face as v over rising u."""
    points = points[np.argsort(points[:, 0])]
    return np.asarray(points, np.float32)


def _outline(oval: Array, chin: float) -> Array:
    """(3, n): v, and there u of both edges of the face; below the chin those of the neck, as wide as the chin."""
    top = int(oval[:, 1].argmin())
    low = int(oval[:, 1].argmax())
    ring = np.roll(oval, -top, axis=0)
    low = (low - top) % len(oval)
    right, left = ring[: low + 1], ring[low:][::-1]
    v = np.linspace(-1.0, 0.8 * chin, 24)
    edges = [np.interp(v, side[:, 1], side[:, 0]) for side in (left, right)]
    return np.stack([v, np.minimum(*edges), np.maximum(*edges)])


def _along(u: Array, line: Array) -> Array:
    return np.asarray(np.interp(u, line[:, 0], line[:, 1]), np.float32)


def _even(x: Array, low: float, high: float) -> Array:
    """0 below `low`, 1 above `high`, as steady as can be between: its slope is never above 4/3 of the mean."""
    t = 4 * np.clip((x - low) / (high - low), 0, 1)
    rise = np.where(t < 1, t * t / 2, np.where(t < 3, t - 0.5, 3 - (4 - t) ** 2 / 2))
    return np.asarray(rise / 3, np.float32)


def _bell(u: Array, half: float) -> Array:
    return np.asarray(np.exp(-((u / half) ** 4)), np.float32)
