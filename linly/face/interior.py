"""What is seen between the lips: cavity, tongue, teeth, in the light of the portrait; or the photo's own teeth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from linly.face.frame import Array, MouthFrame, smooth
from linly.values import Image

TEETH_BELOW = 0.05
"""how far the upper front teeth reach below the resting upper lip, in mouth widths (about 2.5 mm)"""
TEETH = (0.0, 0.135, 0.245, 0.335, 0.405)
"""edges of the upper teeth from the mid-line outwards, in mouth widths"""
OWN_TEETH_FROM = 0.06
"""inner-lip gap of the photo from which its own teeth are looked for"""
WARM = np.array([0.75, 1.0, 1.15], np.float32)
"""powers by which shaded teeth lose red, green and blue: darkened evenly they look like grey plastic"""


class Interior:
    """Paints the mouth's inside on a grid of points in mouth units (h, w, 2)."""

    def __init__(self, frame: MouthFrame, image: Image) -> None:
        corners = frame.to_pixels(np.array([(u, v) for u in (-0.6, 0.6) for v in (-0.5, 0.8)], np.float32))
        h, w = image.shape[:2]
        low, high = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int)
        (x0, y0), (x1, y1) = np.clip(low, 0, (w - 2, h - 2)), np.clip(high, 2, (w, h))
        self._corner = int(x0), int(y0)
        self._u, self._v = frame.grid(int(x0), int(y0), int(x1 - x0), int(y1 - y0))
        upper = frame.lips[0]
        self._rest = np.asarray(np.interp(self._u, upper[:, 0], upper[:, 1]), np.float32)
        self._photo = image[y0:y1, x0:x1]
        self._patch = self._carried_up(self._photo)
        self._own = self._own_teeth(frame) if frame.gap > OWN_TEETH_FROM else None
        skin = _skin_tone(frame, image)
        grey = float(skin.mean())
        light = float(np.clip(grey / 165, 0.45, 1.15))
        colourful = float(np.clip(np.ptp(skin) / max(grey, 1) / 0.25, 0, 1))  # a grey photo keeps a grey mouth
        self._tooth = np.clip((grey + 0.38 * (skin - grey)) * 1.22 + 8, 0, 238).astype(np.float32)
        self._cavity = _tinted((66, 26, 24), colourful) * light
        self._tongue = _tinted((168, 84, 80), colourful) * light
        self._teeth_edge, self._teeth_shade = self._front_teeth(float(upper[len(upper) // 2, 1]))

    def paint(self, corner: tuple[int, int], top: Array, bottom: Array, pose: Mapping[str, float]) -> Image:
        """(h, w, 3) uint8: the inside from pixel `corner` (x, y) on, for lips at v = `top` and `bottom` ((h, w))."""
        rows, columns = (
            np.clip(np.arange(n) + corner[axis] - self._corner[axis], 0, self._u.shape[1 - axis] - 1)
            for n, axis in ((top.shape[0], 1), (top.shape[1], 0))
        )
        part = np.ix_(rows, columns)
        u, v, tongue = self._u[part], self._v[part], pose["tongue"]
        depth = np.maximum(bottom - top, 1e-3)
        across = np.clip(np.abs(u) / 0.5, 0, 1)
        # darkest under the upper lip and at the corners; the floor catches a little light
        t = np.clip((v - top) / depth, 0, 1)
        inside = ((0.4 + 0.5 * t) * (1 - 0.4 * across))[..., None] * self._cavity
        lit = self._tongue_light(u, v, bottom, float(depth.max()), tongue)
        inside += lit[..., None] * (self._tongue - inside)
        lower = self._lower_teeth(u, v, bottom) * smooth(depth, 0.12, 0.24)
        inside += lower[..., None] * (self._tooth * (0.5**WARM) - inside)
        shadow = 0.5 + 0.5 * smooth(v - top, -0.01, 0.07)  # the upper lip's own
        if self._own is None:
            front = 1 - 0.55 * tongue * lit * smooth(v - self._teeth_edge[part], -0.05, 0.0)
            seen = smooth(self._teeth_edge[part] - v, -0.008, 0.010) * smooth(0.43 - np.abs(u), 0.0, 0.10) * front
            colour = self._tooth * (self._teeth_shade[part] * shadow)[..., None] ** WARM
            inside += seen[..., None] * (colour - inside)
        else:
            above = smooth(self._rest[part] - v, -0.01, 0.07)  # never seen in the photo: in the lip's shadow
            own = self._own[part][..., None]
            dim = (0.6 + 0.4 * shadow) * (1 - 0.45 * above)
            inside += own * (self._patch[part] * dim[..., None] ** WARM - inside)
        talk = float(np.clip(pose["talk"], 0, 1))
        if talk < 1:
            inside = talk * inside + (1 - talk) * self._photo[part]
        return np.asarray(np.clip(inside + 0.5, 0, 255), np.uint8)

    @staticmethod
    def _tongue_light(u: Array, v: Array, bottom: Array, depth: float, tongue: float) -> Array:
        """How much of the tongue is seen: a low hill behind the lower lip, its tip raised with `tongue`."""
        hill = bottom - (0.05 + 0.28 * depth + 0.18 * tongue) * (1 - (u / 0.38) ** 2)
        groove = 1 - 0.14 * (1 - 0.6 * tongue) * np.exp(-((u / 0.04) ** 2))
        seen = smooth(v - hill, -0.01, 0.11) * smooth(0.44 - np.abs(u), 0.0, 0.12)
        return np.asarray(seen * groove * (1 - 0.5 * np.clip(np.abs(u) / 0.45, 0, 1) ** 2), np.float32)

    def _front_teeth(self, middle: float) -> tuple[Array, Array]:
        """v of the upper row's lower edge, an arch of rounded teeth; and its brightness, fading towards the corners."""
        across = np.abs(self._u)
        gap = np.min(np.abs(across[..., None] - np.array(TEETH)), axis=-1)
        notch = np.exp(-((gap / 0.016) ** 2))
        row = middle + 0.5 * (self._rest - middle)  # half as curved as the lip that hides it
        edge = row + TEETH_BELOW * (1 - 0.9 * (across / 0.43) ** 2) - 0.010 * notch
        beside = np.where((across > TEETH[1]) & (across < TEETH[2]), 0.008, 0.0)  # the second teeth are shorter
        shade = (1 - 0.10 * np.exp(-((gap / 0.010) ** 2))) * (1 - 0.62 * np.clip(across / 0.45, 0, 1) ** 1.8)
        return np.asarray(edge - beside, np.float32), np.asarray(shade, np.float32)

    @staticmethod
    def _lower_teeth(u: Array, v: Array, bottom: Array) -> Array:
        row = smooth(v - (bottom - 0.045), -0.006, 0.02) * smooth(0.30 - np.abs(u), 0.0, 0.1)
        gaps = 1 - 0.25 * np.exp(-((((u / 0.075 + 0.5) % 1 - 0.5) / 0.09) ** 2))
        return np.asarray(0.8 * row * gaps, np.float32)

    def _carried_up(self, patch: Image) -> Array:
        """The photo's mouth with what is just below the upper lip carried on above it: seen when the lip is raised."""
        import cv2

        step = max(1e-6, float(self._v[-1, 0] - self._v[0, 0]) / max(1, len(self._v) - 1))
        rise = np.maximum(0, self._rest + 0.045 - self._v)
        rows = np.arange(len(self._v), dtype=np.float32)[:, None] + rise / step
        columns = np.broadcast_to(np.arange(self._v.shape[1], dtype=np.float32), self._v.shape)
        maps = np.ascontiguousarray(columns), rows.astype(np.float32)
        carried = cv2.remap(patch, *maps, cv2.INTER_LINEAR).astype(np.float32)
        even = cv2.remap(cv2.blur(patch, (max(3, round(0.09 / step)), 1)), *maps, cv2.INTER_LINEAR)
        far = smooth(rise, 0.045, 0.09)[..., None]  # without this the gaps between the teeth become stripes
        return np.asarray(carried + far * (even - carried), np.float32)

    def _own_teeth(self, frame: MouthFrame) -> Array | None:
        """Where the photo itself shows teeth: bright, unsaturated, between its lips; None where there are too few."""
        bottom = np.interp(self._u, frame.lips[1][:, 0], frame.lips[1][:, 1])
        between = smooth(self._v - self._rest, -0.14, -0.12) * smooth(bottom - self._v, 0.016, 0.04)
        between *= smooth(0.46 - np.abs(self._u), 0.0, 0.05)
        high, low = self._patch.max(axis=-1), self._patch.min(axis=-1)
        bright = smooth(low, 60.0, 105.0) * (1 - smooth((high - low) / np.maximum(high, 1), 0.35, 0.6))
        mask = between * bright
        return np.asarray(mask, np.float32) if (mask > 0.5).sum() > 0.25 * (between > 0.5).sum() else None


def _tinted(colour: tuple[int, int, int], amount: float) -> Array:
    """A colour with its saturation scaled by `amount`, (3,) float32."""
    full = np.array(colour, np.float32)
    return np.asarray(full.mean() + amount * (full - full.mean()), np.float32)


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
