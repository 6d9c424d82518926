"""One portrait at one size, ready to be drawn in any pose."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import numpy as np

from linly.face.eyes import Eyes
from linly.face.gpu import TorchHead
from linly.face.head import Head
from linly.face.mouth import Mouth
from linly.values import Floats, Image, Portrait

WITH_GLASSES = 0.65
"""part of their way that brows move behind glasses"""


class Rig:
    """Draws pictures of one portrait; a picture depends on its pose alone, so clips join without a seam.

    alpha: RGBA, straight, of a portrait that is the person on black, premultiplied, its plate black.
    """

    def __init__(self, portrait: Portrait, size: tuple[int, int], alpha: bool = False, device: str = "cpu") -> None:
        import cv2

        h, w = portrait.image.shape[:2]
        way = cv2.INTER_AREA if size[0] < w else cv2.INTER_CUBIC

        def sized(picture: Image) -> Image:
            return picture if size == (w, h) else np.asarray(cv2.resize(picture, size, interpolation=way), np.uint8)

        image = sized(portrait.image)
        plate = None if portrait.plate is None else sized(portrait.plate)
        matte = portrait.matte if size == (w, h) else cv2.resize(portrait.matte, size, interpolation=cv2.INTER_LINEAR)
        points = portrait.landmarks * np.array([size[0] / w, size[1] / h, size[0] / w], np.float32)
        self._image = image
        self._mouth, self._eyes = Mouth(image, points), Eyes(image, points)
        self._boxes = [self._mouth.region, *self._eyes.regions]
        of_head = image, points, np.clip(matte, 0, 1), plate, self._boxes, alpha
        self._head = Head(*of_head) if device == "cpu" else TorchHead(*of_head, device=device)
        # The rim of glasses lies on the brow: it may not bend with it.
        self._brows = WITH_GLASSES if portrait.report.get("glasses", "none") != "none" else 1.0
        self._local = threading.local()

    def draw(self, pose: Mapping[str, float], head: Floats) -> Image:
        """(h, w, 3) uint8, with alpha (h, w, 4), the caller's own.

        pose: values by values.CURVES; head: yaw, pitch, roll in degrees.
        """
        still = self._still()
        self._mouth.draw(still, pose)
        self._eyes.draw(still, pose)
        return self._head.draw(still, {**pose, "brow": self._brows * pose["brow"]}, head)

    def _still(self) -> Image:
        """The photo in this thread's own buffer: only what may have been redrawn is restored."""
        if not hasattr(self._local, "still"):
            self._local.still = self._image.copy()
        still: Image = self._local.still
        for x0, y0, x1, y1 in self._boxes:
            still[y0:y1, x0:x1] = self._image[y0:y1, x0:x1]
        return still
