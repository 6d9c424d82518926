"""What is seen between the lips: cavity, tongue, teeth, in the light of the portrait; or the photo's own teeth."""

from __future__ import annotations

import numpy as np

from linly.face.frame import Array, MouthFrame, smooth
from linly.values import Image

TEETH_HEIGHT = 0.155
"""visible height of the upper front teeth, in mouth widths"""
OWN_TEETH_FROM = 0.06
"""inner-lip gap of the photo from which its own teeth are looked for"""


class Interior:
    """Paints the mouth's inside on a grid of points in mouth units (h, w, 2)."""

    def __init__(self, frame: MouthFrame, image: Image, grid: Array, patch: Image) -> None:
        self._u, self._v = grid[..., 0], grid[..., 1]
        self._patch = self._carried_up(frame, patch)
        self._own = self._own_teeth(frame) if frame.gap > OWN_TEETH_FROM else None
        skin = _skin_tone(frame, image)
        light = float(np.clip(skin.mean() / 165, 0.45, 1.15))
        grey = float(skin.mean())
        self._tooth = np.clip((grey + 0.35 * (skin - grey)) * 1.12 + 10, 0, 238)
        self._cavity = np.array([62, 24, 22], np.float32) * light
        self._tongue = np.array([168, 84, 82], np.float32) * light
        self._top = float(frame.lips[0][len(frame.lips[0]) // 2, 1])
        self._teeth_shade = self._front_teeth()

    def paint(self, part: tuple[slice, slice], top: Array, bottom: Array, tongue: float) -> Array:
        """(h, w, 3) float32: the inside on a part of the grid, for lips at v = `top` and `bottom` ((h, w))."""
        u, v = self._u[part], self._v[part]
        depth = np.maximum(bottom - top, 1e-3)
        across = np.clip(np.abs(u) / 0.5, 0, 1)
        # darkest in the middle and under the upper lip; the corners and the floor catch a little light
        t = np.clip((v - top) / depth, 0, 1)
        shade = (0.42 + 0.5 * t) * (1 - 0.25 * across)
        inside = shade[..., None] * self._cavity
        rise = 0.10 + 0.16 * tongue
        hump = bottom - rise * (1 - (u / 0.36) ** 2) - 0.01
        lit = smooth(v - hump, 0.0, 0.05) * (np.abs(u) < 0.42)
        groove = 1 - 0.16 * np.exp(-((u / 0.035) ** 2))
        inside += (lit * (1 - 0.35 * across))[..., None] * ((self._tongue * 0.82) * groove[..., None] - inside)
        lower = self._lower_teeth(u, v, bottom)
        inside += lower[..., None] * (self._tooth * 0.62 - inside)
        edge = self._top + TEETH_HEIGHT * (1 - 0.55 * (u / 0.5) ** 2)
        upper = smooth(edge - v, -0.008, 0.012) * smooth(0.47 - np.abs(u), 0.0, 0.08)
        shadow = 0.55 + 0.45 * smooth(v - top, 0.0, 0.075)  # the lip's own shadow
        colour = self._tooth * (self._teeth_shade[part] * shadow)[..., None] ** np.array([0.8, 1.0, 1.12], np.float32)
        inside += upper[..., None] * (colour - inside)
        if self._own is not None:
            own = self._own[part][..., None]
            inside += own * (self._patch[part] * (0.72 + 0.28 * shadow)[..., None] - inside)
        return np.asarray(inside, np.float32)

    def _front_teeth(self) -> Array:
        """Brightness of the upper row: each tooth rounded, gaps a little darker, fading towards the corners."""
        edges = np.array([-0.46, -0.395, -0.315, -0.225, -0.118, 0.0, 0.118, 0.225, 0.315, 0.395, 0.46])
        gap = np.min(np.abs(self._u[..., None] - edges), axis=-1)
        shade = 1 - 0.16 * np.exp(-((gap / 0.012) ** 2))
        return np.asarray(shade * (1 - 0.72 * np.clip(np.abs(self._u) / 0.5, 0, 1) ** 2.2), np.float32)

    @staticmethod
    def _lower_teeth(u: Array, v: Array, bottom: Array) -> Array:
        row = smooth(v - (bottom - 0.045), -0.006, 0.02) * smooth(0.30 - np.abs(u), 0.0, 0.1)
        gaps = 1 - 0.25 * np.exp(-((((u / 0.075 + 0.5) % 1 - 0.5) / 0.09) ** 2))
        return np.asarray(0.8 * row * gaps, np.float32)

    def _carried_up(self, frame: MouthFrame, patch: Image) -> Array:
        """The photo's mouth with what is just below the upper lip carried on above it: seen when the lip is raised."""
        import cv2

        upper = frame.lips[0]
        below = np.interp(self._u, upper[:, 0], upper[:, 1]) + 0.045
        step = max(1e-6, float(self._v[-1, 0] - self._v[0, 0]) / max(1, len(self._v) - 1))
        rows = np.arange(len(self._v), dtype=np.float32)[:, None] + np.maximum(0, below - self._v) / step
        columns = np.broadcast_to(np.arange(self._v.shape[1], dtype=np.float32), self._v.shape)
        carried = cv2.remap(patch, np.ascontiguousarray(columns), rows.astype(np.float32), cv2.INTER_LINEAR)
        return np.asarray(carried, np.float32)

    def _own_teeth(self, frame: MouthFrame) -> Array | None:
        """Where the photo itself shows teeth: bright, unsaturated, between its lips; None where there are too few."""
        upper, lower = frame.lips
        top = np.interp(self._u, upper[:, 0], upper[:, 1])
        bottom = np.interp(self._u, lower[:, 0], lower[:, 1])
        between = smooth(self._v - top, -0.14, -0.12) * smooth(bottom - self._v, 0.0, 0.03)
        between *= smooth(0.46 - np.abs(self._u), 0.0, 0.05)
        high, low = self._patch.max(axis=-1), self._patch.min(axis=-1)
        bright = smooth(low, 60.0, 105.0) * (1 - smooth((high - low) / np.maximum(high, 1), 0.35, 0.6))
        mask = between * bright
        return np.asarray(mask, np.float32) if (mask > 0.5).sum() > 0.25 * (between > 0.5).sum() else None


def _skin_tone(frame: MouthFrame, image: Image) -> Array:
    """Median colour of both cheeks, (3,) float32."""
    h, w = image.shape[:2]
    radius = max(2, int(0.12 * frame.width))
    samples = []
    for index in (50, 280):
        x, y = (round(float(c)) for c in frame.points[index, :2])
        x, y = int(np.clip(x, radius, w - radius - 1)), int(np.clip(y, radius, h - radius - 1))
        samples.append(image[y - radius : y + radius, x - radius : x + radius].reshape(-1, 3))
    return np.asarray(np.median(np.concatenate(samples), axis=0), np.float32)
