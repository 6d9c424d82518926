"""Small bitmaps laid over pictures: drawn once, blended into every frame with integers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from linly.errors import EngineUnavailable
from linly.values import Image

FONT = "subtitle-font"
"""The model (weights.toml) whose folder holds one font with Latin and Chinese letters."""


class Overlay:
    """A drawing with transparency at a fixed place.

    drawing: Pillow picture in mode RGBA; x, y: its upper left corner in pixels; what lies outside the frame is cut off
    by `apply`. opaque_from: on a transparent picture, what is drawn with at least this opacity (1..255) becomes solid.
    """

    def __init__(self, drawing: Any, x: int, y: int, opaque_from: int = 255) -> None:
        pixels = np.asarray(drawing, dtype=np.uint16)
        self._alpha = alpha = pixels[..., 3:]
        self._opaque_from = opaque_from
        self.x, self.y = x, y
        self._keep = (255 - alpha) + (alpha < 128)  # 256 where nothing is drawn: those pixels stay as they are
        self._ink = pixels[..., :3] * alpha

    @property
    def size(self) -> tuple[int, int]:
        """Width, height in pixels."""
        return self._keep.shape[1], self._keep.shape[0]

    def apply(self, image: Image) -> None:
        """Blend into `image` ((h, w, 3) RGB or (h, w, 4) straight RGBA, uint8), in place."""
        top, left = max(0, self.y), max(0, self.x)
        under = image[top : self.y + self.size[1], left : self.x + self.size[0]]
        own = slice(top - self.y, top - self.y + under.shape[0]), slice(left - self.x, left - self.x + under.shape[1])
        if image.shape[2] == 4:
            self._apply_clear(under, own)
        else:
            under[...] = (under * self._keep[own] + self._ink[own]) >> 8

    def _apply_clear(self, under: Image, own: tuple[slice, slice]) -> None:
        """The same over RGBA: colours weighted by their opacity (Porter and Duff 1984, "over")."""
        alpha = self._alpha[own].astype(np.float32)
        beneath = under[..., 3:] * (1 - alpha / 255)
        total = alpha + beneath
        colours = (self._ink[own] + under[..., :3] * beneath) / np.maximum(total, 1)
        solid = np.maximum(total, np.minimum(255, alpha * (255 / self._opaque_from)))
        np.copyto(under, np.rint(np.concatenate([colours, solid], axis=2)).astype(np.uint8), where=alpha > 0)


def font_file() -> Path | None:
    """The subtitle font, or None while it is not here."""
    from linly import weights

    if not weights.ready(FONT):
        return None
    return next((f for f in sorted(weights.folder(FONT).iterdir()) if f.suffix in (".ttf", ".otf", ".ttc")), None)


def chinese_font(pixels: int) -> Any:
    """The subtitle font at a height. Raises EngineUnavailable if it is not here."""
    from linly import weights

    path = font_file()
    if path is None:
        raise EngineUnavailable(
            f"Chinese letters in the picture need a font that is not here yet ({weights.describe(FONT)}):"
            f" run `python -m linly weights pull {FONT}`."
        )
    return open_font(path, pixels)


def open_font(path: Path, pixels: int) -> Any:
    """A font at a height; of a collection, the face for simplified Chinese."""
    from PIL import ImageFont

    faces = range(10) if path.suffix == ".ttc" else range(1)
    for face in faces:
        try:
            font = ImageFont.truetype(str(path), pixels, index=face)
        except OSError:
            break  # no more faces
        if (font.getname()[0] or "").endswith("SC"):
            return font
    return ImageFont.truetype(str(path), pixels)


def latin_font(pixels: int) -> Any:
    """The small font inside Pillow: Latin letters, always there."""
    from PIL import ImageFont

    return ImageFont.load_default(pixels)
