"""The face upright and at one size, whatever the photo: what the portrait check measures on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from linly.face.frame import OVAL, Array
from linly.face.mesh import EYES
from linly.values import Floats, Image

SIDE = 256
FACE = 160
"""pixels across the face in a view"""
BROW_LEFT, BROW_RIGHT = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (336, 296, 334, 293, 300, 276, 283, 282, 295, 285)
EYE_LEFT = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
EYE_RIGHT = (362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398)
LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
MIDDLE = (10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 19, 94, 2, 164, 0, 13, 14, 17, 18, 200, 199, 175, 152)


@dataclass(frozen=True, eq=False)
class FaceView:
    """A square picture of one face, its eyes level, FACE pixels wide."""

    rgb: Image
    """(SIDE, SIDE, 3)"""
    points: Floats
    """(478, 2) pixels of the view"""
    inside: Array
    """(SIDE, SIDE) bool: False where the photo has ended"""
    into: Array
    """(2, 3): pixels of the photo to pixels of the view"""

    @classmethod
    def of(cls, image: Image, points: Floats) -> FaceView:
        """The view of the face whose mesh (478, 3) in pixels of `image` is `points`."""
        import cv2

        across = points[EYES[1], :2] - points[EYES[0], :2]
        across = across / np.hypot(*across)
        axes = np.array([across, (-across[1], across[0])], np.float64)
        flat = points[list(OVAL), :2] @ axes.T
        scale = FACE / float(np.ptp(flat[:, 0]))
        centre = (flat.min(axis=0) + flat.max(axis=0)) / 2
        small = image
        if scale < 0.7:  # a remap alone would skip pixels and show grain as sharpness
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        shrunk = small.shape[1] / image.shape[1]
        into = np.empty((2, 3))
        into[:, :2] = axes * (scale / shrunk)
        into[:, 2] = SIDE / 2 - scale * centre
        size = (SIDE, SIDE)
        rgb = cv2.warpAffine(small, into, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        inside = cv2.warpAffine(np.ones(small.shape[:2], np.uint8), into, size, flags=cv2.INTER_NEAREST) > 0
        into[:, :2] *= shrunk
        return cls(rgb, np.asarray(points[:, :2] @ into[:, :2].T + into[:, 2], np.float32), inside, into)

    @cached_property
    def grey(self) -> Floats:
        """(SIDE, SIDE) float32, 0..255."""
        import cv2

        return np.asarray(cv2.cvtColor(self.rgb, cv2.COLOR_RGB2GRAY), np.float32)

    @cached_property
    def lab(self) -> Floats:
        """(SIDE, SIDE, 3) float32: lightness 0..100, a and b, where skin has a and b above 0."""
        import cv2

        return np.asarray(cv2.cvtColor(self.rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)

    @cached_property
    def skin(self) -> Array:
        """(SIDE, SIDE) bool: inside the face's outline, a little away from it, without eyes, brows and lips."""
        import cv2

        face = self.polygon(OVAL).astype(np.uint8)
        face = cv2.erode(face, np.ones((9, 9), np.uint8))
        features = np.zeros_like(face)
        for part in (EYE_LEFT, EYE_RIGHT, BROW_LEFT, BROW_RIGHT, LIPS):
            features |= self.polygon(part).astype(np.uint8)
        near: Array = cv2.dilate(features, np.ones((7, 7), np.uint8)) > 0
        return np.asarray((face > 0) & ~near & self.inside)

    def polygon(self, corners: Sequence[int] | Array) -> Array:
        """(SIDE, SIDE) bool: inside a polygon of mesh indices, or of places (n, 2)."""
        import cv2

        places = self.points[list(corners)] if np.ndim(corners) == 1 else np.asarray(corners)
        mask = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillPoly(mask, [np.rint(places).astype(np.int32)], 1)
        return mask > 0

    @cached_property
    def right(self) -> Array:
        """(SIDE, SIDE) bool: the picture's right of the face's middle."""
        line = self.points[list(MIDDLE)]
        return self.polygon(np.vstack([line, [(SIDE, line[-1, 1]), (SIDE, line[0, 1])]]))
