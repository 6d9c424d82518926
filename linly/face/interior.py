"""What is seen between the lips: cavity, tongue and teeth, in the light, tone and sharpness of the portrait."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from linly.face.frame import Array, MouthFrame, smooth
from linly.face.teeth import upper_teeth
from linly.face.tone import Tone
from linly.values import Image

SAMPLES = 84
"""samples in a mouth width for all that is soft (cavity, tongue, shadows); finer pixels are scaled up from them"""
LOWER = 0.042
"""height of the lower teeth above the lower lip, in mouth widths"""


class Interior:
    """Paints the mouth's inside for any opening of one portrait's lips."""

    def __init__(self, frame: MouthFrame, image: Image, tone: Tone) -> None:
        self._frame, self._image = frame, image
        self._teeth = upper_teeth(frame, image, tone)
        warm = tone.shaded
        bright = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
        self._cavity = _table(bright * tone.tinted((74, 27, 25)))
        self._tongue = _table(bright**warm * tone.tinted((176, 86, 82)))
        self._lower = (tone.tooth * 0.56**warm).astype(np.uint8)
        self._light = _table(255 * bright**warm)
        self._step = max(1, round(frame.width / SAMPLES))
        side = 128
        noise = np.random.default_rng(0).normal(0, 0.7 * tone.grain, (side, side, 1))
        self._grain = np.repeat(np.rint(noise), 3, axis=2).astype(np.int16) if tone.grain >= 0.8 else None

    def paint(self, corner: tuple[int, int], top: Array, bottom: Array, pose: Mapping[str, float]) -> Image:
        """(h, w, 3) uint8: the inside from pixel `corner` (x, y) on, for lips at v = `top` and `bottom` ((h, w))."""
        import cv2

        h, w = top.shape
        step = self._step
        shape = -(-w // step), -(-h // step)
        u, v = self._frame.grid(*corner, *shape, step=step)
        upper, lower = (cv2.resize(line, shape, interpolation=cv2.INTER_AREA) for line in (top, bottom))
        floor, light, seen = self._soft(u, v, upper, lower, pose)
        size = shape[0] * step, shape[1] * step
        floor, light, seen = (cv2.resize(a, size, interpolation=cv2.INTER_LINEAR)[:h, :w] for a in (floor, light, seen))
        painted = self._with_teeth(np.ascontiguousarray(floor), corner, light, seen)
        if self._grain is not None:
            painted = self._grained(painted)
        talk = float(np.clip(pose["talk"], 0, 1))
        if talk == 1:
            return painted
        x, y = corner
        mixed: Image = cv2.addWeighted(painted, talk, self._image[y : y + h, x : x + w], 1 - talk, 0)
        return mixed

    def _with_teeth(self, painted: Image, corner: tuple[int, int], light: Array, seen: Array) -> Image:
        """The upper row over what lies behind it, in the light that the lip lets in."""
        import cv2

        h, w = painted.shape[:2]
        x, y = (a - b for a, b in zip(self._teeth.corner, corner, strict=True))
        rows, columns = self._teeth.cover.shape
        (x0, x1), (y0, y1) = np.clip([x, x + columns], 0, w).tolist(), np.clip([y, y + rows], 0, h).tolist()
        if x0 == x1 or y0 == y1:
            return painted
        here = slice(y0, y1), slice(x0, x1)
        there = slice(here[0].start - y, here[0].stop - y), slice(here[1].start - x, here[1].stop - x)
        lit = cv2.multiply(self._teeth.colour[there], _coloured(light[here], self._light), scale=1 / 255)
        cover = self._teeth.cover[there] * seen[here]
        painted[here] = cv2.blendLinear(np.ascontiguousarray(painted[here]), lit, 1 - cover, cover)
        return painted

    def _soft(
        self, u: Array, v: Array, top: Array, bottom: Array, pose: Mapping[str, float]
    ) -> tuple[Image, Array, Array]:
        """All behind the upper teeth (h, w, 3); the light that falls on these, how much is seen of them (h, w)."""
        import cv2

        tongue, spread = pose["tongue"], float(np.clip(pose["spread"], 0, 1))
        depth = np.maximum(bottom - top, 1e-3)
        widest = float(depth.max())
        across = np.minimum(np.abs(u) / 0.5, 1)
        # darkest under the upper lip and at the corners; the floor catches a little light
        below = np.clip((v - top) / depth, 0, 1)
        narrow = 1.9 - 0.9 * smooth(depth, 0.03, 0.12)  # between lips that nearly meet their own red shows
        inside = _coloured((0.28 + 0.44 * below) * (1 - 0.5 * across) * narrow, self._cavity)
        cover, light = self._tongue_light(u, v, bottom, widest, tongue)
        inside = cv2.blendLinear(inside, _coloured(light, self._tongue), 1 - cover, cover)
        lower = self._lower_teeth(u, v, bottom) * smooth(depth, 0.10, 0.22) * (0.45 + 0.55 * spread)
        inside = cv2.blendLinear(inside, np.full_like(inside, self._lower), 1 - lower, lower)
        # what lies deep in a narrow gap gets little light; the upper lip throws a shadow
        shadow = (0.64 + 0.36 * smooth(v - top, -0.01, 0.06)) * (0.6 + 0.4 * smooth(depth, 0.02, 0.12))
        seen = smooth(depth, 0.025, 0.10) * (1 - smooth(np.array(pose["tuck"]), 0.25, 0.8))
        seen = seen * (1 - 0.6 * tongue * cover * smooth(v - top, 0.06, 0.14))
        return inside, shadow, np.asarray(seen, np.float32)

    @staticmethod
    def _tongue_light(u: Array, v: Array, bottom: Array, depth: float, tongue: float) -> tuple[Array, Array]:
        """How much of the tongue is seen, and its light: a dome behind the lower lip, its tip raised with `tongue`."""
        height = 0.04 + 0.30 * depth + 0.18 * tongue
        dome = 1 - (u / 0.40) ** 2
        down = v - (bottom - height * dome)
        cover = smooth(down, -0.015, 0.045) * smooth(0.43 - np.abs(u), 0.0, 0.12)
        # it rises out of the dark, is brightest where it faces the light, and falls off to the sides
        light = (0.18 + 0.72 * smooth(down, -0.01, 0.17)) * (1 - 0.55 * np.minimum(np.abs(u) / 0.42, 1) ** 2)
        light = light * (1 - 0.16 * (1 - 0.6 * tongue) * np.exp(-((u / 0.035) ** 2)))
        return cover, np.asarray(light * (0.75 + 0.25 * tongue), np.float32)

    @staticmethod
    def _lower_teeth(u: Array, v: Array, bottom: Array) -> Array:
        x = (u / 0.072 + 0.5) % 1 - 0.5
        edge = bottom - LOWER * (1 - (u / 0.36) ** 2) + 0.02 * np.abs(x) ** 3
        row = smooth(v - edge, -0.006, 0.012) * smooth(0.30 - np.abs(u), 0.0, 0.14)
        return np.asarray(row * (1 - 0.35 * np.exp(-(((0.5 - np.abs(x)) / 0.09) ** 2))), np.float32)

    def _grained(self, painted: Image) -> Image:
        import cv2

        h, w = painted.shape[:2]
        assert self._grain is not None
        across, down = -(-w // len(self._grain)), -(-h // len(self._grain))
        noise = np.tile(self._grain, (down, across, 1))[:h, :w] if max(across, down) > 1 else self._grain[:h, :w]
        grained: Image = cv2.add(painted, noise, dtype=cv2.CV_8U)
        return grained


def _table(colours: Array) -> Image:
    """(1, 256, 3): a colour for each of 256 shades."""
    return np.clip(colours + 0.5, 0, 255).astype(np.uint8)[None]


def _coloured(shade: Array, table: Image) -> Image:
    """(h, w, 3) uint8 from shades (h, w) in 0..1, by a table of colours."""
    import cv2

    grey = np.clip(255 * shade, 0, 255).astype(np.uint8)
    coloured: Image = cv2.LUT(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), table)
    return coloured
