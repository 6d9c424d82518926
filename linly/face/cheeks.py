"""Folds and hollows of the cheeks as light: what a flat photo cannot show of skin that bulges or is drawn in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from linly.face.frame import Array, MouthFrame, smooth
from linly.face.tone import Tone
from linly.values import Image

FOLDS = ((129, 203, 206, 216, 212), (358, 423, 426, 436, 432))
"""the mesh's points along the fold from the wing of the nose round the corner of the mouth"""
FOLD, HOLLOW = 0.16, 0.09
"""part of the light that the deepest fold and the deepest hollow take away"""
LEAST = 0.004
"""a shade below this is not seen"""


class Cheeks:
    """Darkens the folds of one face with its smile and its cheeks with its falling jaw; nothing at rest."""

    def __init__(self, frame: MouthFrame, u: Array, v: Array, tone: Tone) -> None:
        """`u`, `v`: (h, w) places in mouth units of the cells in which shade is told."""
        self._warm = tone.shaded
        # The flat cheeks of a drawing have less shade.
        self._depth = 0.5 + 0.5 * float(smooth(np.array(tone.grain), 0.1, 0.5))
        lines = [frame.local(*indices) for indices in FOLDS]
        clear = smooth(np.hypot(np.abs(u) - 0.5, v), 0.05, 0.22)  # not on the corner of the lips itself
        outer = frame.local(234, 454)[:, 0]
        self._fold = np.asarray(sum(_fold(u, v, line) for line in lines) * clear)
        self._hollow = np.asarray(sum(_hollow(u, v, float(side)) for side in outer))

    def shade(self, pose: Mapping[str, float]) -> Array | None:
        """(h, w) part of the light that is taken away, 0..1; None where nothing is."""
        smile, talk = float(pose["smile"]), float(np.clip(pose["talk"], 0, 1))
        fold = self._depth * FOLD * float(np.clip(max(0.0, smile) + 0.55 * talk * pose["spread"], 0, 1.2))
        hollow = self._depth * HOLLOW * float(np.clip(pose["jaw"] + 0.5 * talk * pose["round"], 0, 1.2))
        if max(fold, hollow) < LEAST:
            return None
        shade = np.asarray(fold * self._fold + hollow * self._hollow, np.float32)
        return shade if shade.max() >= LEAST else None

    def darkened(self, picture: Image, shade: Array, step: int) -> Image:
        """A picture with its light taken away by `shade`, told for blocks of `step` pixels; the last may be cut."""
        import cv2

        h, w = picture.shape[:2]
        kept = np.clip(255 * (1 - shade)[..., None] ** self._warm + 0.5, 0, 255).astype(np.uint8)
        factor = cv2.resize(kept, None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR)[:h, :w]
        dark: Image = cv2.multiply(picture, factor, scale=1 / 255)
        return dark


def _fold(u: Array, v: Array, line: Array) -> Array:
    """1 in the fold, soft towards the cheek and sharper towards the lip, fading at both ends of the line (n, 2)."""
    t = np.linspace(0, 1, 17)
    knots = np.linspace(0, 1, len(line))
    points = np.stack([np.interp(t, knots, line[:, axis]) for axis in (0, 1)], axis=-1)
    away = np.hypot(u[..., None] - points[:, 0], v[..., None] - points[:, 1])
    nearest = away.argmin(axis=-1)
    ends = np.sin(np.pi * np.clip(0.1 + 0.85 * t[nearest], 0, 1)) ** 0.8
    side = np.abs(u) - np.abs(points[nearest, 0])
    width = np.where(side > 0, 0.085, 0.055)
    return np.asarray(ends * np.exp(-((away.min(axis=-1) / width) ** 2)), np.float32)


def _hollow(u: Array, v: Array, side: float) -> Array:
    """The soft dip below the cheekbone, between the teeth's end and the jaw's muscle; `side`: u of the face's edge.

    It ends on the face and inside the region that is redrawn, and a cheek turned away has none.
    """
    reach = abs(side)
    centre = min(0.62 * reach, 0.85)
    out = np.sign(side) * u
    dip = np.exp(-(((out - centre) / 0.17) ** 2) - ((v + 0.05) / 0.36) ** 2)
    clear = (1 - smooth(out, 0.8 * min(reach, 1.8), min(reach, 1.5))) * smooth(np.array(reach), 0.7, 1.0)
    return np.asarray(dip * clear, np.float32)
