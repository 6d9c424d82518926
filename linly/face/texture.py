"""A part of a picture that is resampled again and again: enlarged once, it needs only bilinear each time."""

from __future__ import annotations

import numpy as np

from linly.face.frame import Array
from linly.values import Image

FINER = 3
"""samples for each pixel; odd, so that every pixel's own colour is one of them and what does not move stays exact"""


class Texture:
    """As sharp as bicubic, in a seventh of its time: OpenCV is fast at bilinear in four channels."""

    def __init__(self, image: Image, box: tuple[int, int, int, int]) -> None:
        """`box`: x0, y0, x1, y1 of the part; what it has beyond the image is left out."""
        import cv2

        h, w = image.shape[:2]
        x0, y0, x1, y1 = box
        self._corner = x0, y0 = max(0, x0), max(0, y0)
        part = cv2.cvtColor(image[y0 : min(h, y1), x0 : min(w, x1)], cv2.COLOR_RGB2RGBA)
        self._samples = cv2.resize(part, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_CUBIC)

    def places(self, box: tuple[int, int, int, int]) -> tuple[Array, Array]:
        """x and y (h, w) at which the pixels of a box of the image lie in this texture."""
        x0, y0, x1, y1 = box
        ys, xs = np.indices((y1 - y0, x1 - x0), np.float32)
        left, top = self._corner
        middle = (FINER - 1) / 2
        return (xs + (x0 - left)) * FINER + middle, (ys + (y0 - top)) * FINER + middle

    def at(self, xs: Array, ys: Array) -> Image:
        """(h, w, 4), the last one without meaning: the colours at these places of the texture."""
        import cv2

        found: Image = cv2.remap(self._samples, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return found
