"""One portrait at one size, ready to be drawn in any pose."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from linly.face.eyes import Eyes
from linly.face.head import Head
from linly.face.mouth import Mouth
from linly.values import Floats, Image, Portrait


class Rig:
    """Draws pictures of one portrait; a picture depends on its pose alone, so clips join without a seam."""

    def __init__(self, portrait: Portrait, size: tuple[int, int]) -> None:
        import cv2

        h, w = portrait.image.shape[:2]
        shrinks = size[0] < w
        way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        image = portrait.image if size == (w, h) else cv2.resize(portrait.image, size, interpolation=way)
        matte = portrait.matte if size == (w, h) else cv2.resize(portrait.matte, size, interpolation=cv2.INTER_LINEAR)
        scale = np.array([size[0] / w, size[1] / h, size[0] / w], np.float32)
        points = portrait.landmarks * scale
        self._image = image
        self._mouth, self._eyes = Mouth(image, points), Eyes(image, points)
        self._head = Head(image, points, np.clip(matte, 0, 1))

    def draw(self, pose: Mapping[str, float], head: Floats) -> Image:
        """(h, w, 3) uint8, the caller's own. `pose`: values by values.CURVES; `head`: yaw, pitch, roll in degrees."""
        still = self._image.copy()
        self._mouth.draw(still, pose)
        self._eyes.draw(still, pose)
        return self._head.draw(still, pose, head)
