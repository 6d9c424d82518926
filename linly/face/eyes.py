"""Blinks, small gaze shifts: the lid's own skin comes down, its lash line kept whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from linly.face.frame import Array, smooth
from linly.values import Image

LASHES = 0.11
"""height of the lid's edge that keeps its shape, in eye widths"""
MEETS = 0.22
"""part of the way that the lower lid comes up to meet the upper one"""
SQUINT = 0.16
"""how far it comes up in a full smile, as a part of the opening"""
LEAST_OPEN = 0.08
"""eyes opened less than this (height by width) are taken as closed and left alone"""


@dataclass(frozen=True)
class _Points:
    corners: tuple[int, int]
    upper: tuple[int, ...]
    lower: tuple[int, ...]
    brow: tuple[int, ...]


SIDES = (
    _Points((33, 133), (33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133),
            (46, 53, 52, 65, 55)),
    _Points((362, 263), (362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263),
            (285, 295, 282, 283, 276)),
)  # fmt: skip


class Eye:
    """One eye of a still image."""

    def __init__(self, image: Image, points: Array, side: _Points) -> None:
        self._image = image
        left, right = points[side.corners[0], :2], points[side.corners[1], :2]
        self._centre, self.width = (left + right) / 2, float(np.hypot(*(right - left)))
        across = (right - left) / self.width
        self._axes = np.array([across, (-across[1], across[0])], np.float32)
        upper, lower = (self._local(points[list(i), :2]) for i in (side.upper, side.lower))
        brow = self._local(points[list(side.brow), :2])
        self.opening = float((lower[:, 1] - np.interp(lower[:, 0], upper[:, 0], upper[:, 1])).max())
        corners = np.array([(-0.72, -0.62), (0.72, -0.62), (-0.72, 0.42), (0.72, 0.42)], np.float32)
        box = corners @ self._axes * self.width + self._centre
        h, w = image.shape[:2]
        (x0, y0), (x1, y1) = np.floor(box.min(axis=0)).astype(int), np.ceil(box.max(axis=0)).astype(int)
        self.box = max(0, int(x0)), max(0, int(y0)), min(w, int(x1)), min(h, int(y1))
        x0, y0, x1, y1 = self.box
        self._pixels = np.stack(np.meshgrid(np.arange(x0, x1), np.arange(y0, y1)), axis=-1).astype(np.float32)
        local = self._local(self._pixels)
        self._u, self._v = local[..., 0], local[..., 1]
        inside = np.clip(1 - (np.abs(self._u) / 0.56) ** 12, 0, 1)
        self._lid = np.interp(self._u, upper[:, 0], upper[:, 1]) - 0.02
        low = np.interp(self._u, lower[:, 0], lower[:, 1])
        self._travel = np.maximum(low - self._lid - 0.005, 0) * inside
        ceiling = np.interp(self._u, brow[:, 0], brow[:, 1]) + 0.10
        free = self._lid - LASHES - self._free_skin(upper)
        self._start = np.minimum(np.maximum(ceiling, free), self._lid - LASHES - 0.08)
        soft = 0.06
        self._low, self._below = low, 1 - smooth(self._v - low, 0.02, 0.34)
        self._white = smooth(self._v - self._lid, 0.0, soft) * smooth(low - self._v, 0.0, soft)
        self._edge = max(0.02, 0.6 / self.width)

    def _free_skin(self, upper: Array) -> float:
        """Height of plain skin above the lashes, in eye widths: up to the brow's hair, or the rim of glasses."""
        import cv2

        u = np.linspace(-0.3, 0.3, 25, dtype=np.float32)
        heights = np.arange(0.03, 0.5, 0.03, dtype=np.float32)
        v = np.interp(u, upper[:, 0], upper[:, 1]) - 0.02 - LASHES - heights[:, None]
        places = np.stack([np.broadcast_to(u, v.shape), v], axis=-1) @ self._axes * self.width + self._centre
        places = places.astype(np.float32)
        seen = cv2.remap(self._image, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        light = seen.mean(axis=(1, 2))
        dark = light < 0.86 * np.maximum.accumulate(light)
        return float(heights[int(dark.argmax())] - 0.06) if dark.any() else float(heights[-1])

    def _local(self, pixels: Array) -> Array:
        return np.asarray((pixels - self._centre) @ self._axes.T / self.width, np.float32)

    def draw(self, target: Image, blink: float, gaze: tuple[float, float], squint: float = 0.0) -> None:
        """Redraw this eye in `target`. blink, squint 0..1; gaze -1..1 to the picture's right and up."""
        looks = float(np.hypot(*gaze)) >= 0.02
        if (blink < 0.01 and squint < 0.01 and not looks) or self.opening < LEAST_OPEN:
            return
        x0, y0, x1, y1 = self.box
        eye: Array = self._ball(target, blink, gaze if looks else (0.0, 0.0), squint)
        if blink >= 0.01:
            down = self._travel * (blink * (1 - MEETS))
            over = np.clip((self._lid + down + 0.02 - self._v) / self._edge + 0.5, 0, 1) * (down > 1e-4)
            eye = np.rint(eye + over[..., None] * (self._upper(target, down) - eye)).astype(np.uint8)
        target[y0:y1, x0:x1] = eye

    def _ball(self, target: Image, blink: float, gaze: tuple[float, float], squint: float) -> Image:
        """The eye as it looks, its lower lid raised."""
        shift = np.array([0.07 * gaze[0], -0.05 * gaze[1]], np.float32)
        u, v = -self._white * shift[0], -self._white * shift[1]
        rise = self._travel * (MEETS * blink + SQUINT * squint * (1 - blink))
        if rise.max() * self.width > 1 / 64:
            skin = np.clip((self._v - self._low + rise) / (2 * self._edge) + 0.5, 0, 1)
            u, v = u * (1 - skin), v * (1 - skin) + rise * skin * self._below
        return self._taken(target, u, v)

    def _taken(self, target: Image, u: Array | float, v: Array) -> Image:
        """What is drawn so far, each pixel from u, v eye widths away."""
        import cv2

        across, down = self._axes * self.width
        xs, ys = (self._pixels[..., i] + (u * across[i] + v * down[i]) for i in (0, 1))
        maps = xs.astype(np.float32, copy=False), ys.astype(np.float32, copy=False)
        return np.asarray(cv2.remap(target, *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8)

    def _upper(self, target: Image, down: Array) -> Array:
        """The upper lid `down` by so much: skin drawn out above the lashes, the lashes whole."""
        band = self._lid - LASHES
        ratio = (band - self._start) / (band + down - self._start)
        stretched = self._start + (self._v - self._start) * ratio
        source_v = np.where(self._v > band + down, self._v - down, stretched)
        source_v = np.where(self._v < self._start, self._v, source_v)
        lid = self._taken(target, 0.0, source_v - self._v)
        return self._evened(lid, np.where(self._v > band + down, 1.0, 1 / ratio))

    def _evened(self, lid: Image, stretch: Array) -> Array:
        """The lid without the streaks that a thin strip of skin makes when it is drawn out far; (h, w, 3) float32."""
        import cv2

        wide = max(3, round(0.22 * self.width))
        even = cv2.GaussianBlur(lid, (wide | 1, 1), 0.08 * self.width, sigmaY=0.01).astype(np.float32)
        share = smooth(stretch, 1.4, 3.0) * smooth(self._v - self._start, 0.0, 0.06)
        share = cv2.blur(share, (3, max(3, round(0.06 * self.width))))[..., None]
        return np.asarray(lid + share * (even - lid), np.float32)


class Eyes:
    """Both eyes of a still image."""

    def __init__(self, image: Image, points: Array) -> None:
        self.sides = [Eye(image, points, side) for side in SIDES]
        self.regions = [eye.box for eye in self.sides]

    def draw(self, target: Image, pose: Mapping[str, float]) -> None:
        """Redraw both eyes in `target` for one frame's curves."""
        for eye in self.sides:
            eye.draw(
                target,
                float(np.clip(pose["blink"], 0, 1)),
                (pose["gaze_x"], pose["gaze_y"]),
                float(np.clip(pose["smile"], 0, 1)),
            )
