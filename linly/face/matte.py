"""Person or background: MediaPipe's selfie segmentation (run by LiteRT), sharpened by the photo itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from linly.face.mesh import interpreter, run
from linly.values import Floats, Image

SIDE = 256
HIDDEN = 360
"""What the person hides is guessed on a picture whose longer side has at most so many pixels: it is smooth."""


class PersonMask:
    """The segmentation model. Not thread-safe."""

    def __init__(self, model: Path, threads: int = 2) -> None:
        self._model = interpreter(model.read_bytes(), threads)

    def matte(self, image: Image, face: tuple[float, float]) -> Floats:
        """(h, w) float32 in [0, 1]: the person whose face is at `face` (x, y pixels)."""
        import cv2

        h, w = image.shape[:2]
        small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        mask = run(self._model, small[None])[0].reshape(SIDE, SIDE).astype(np.float32)
        mask = np.clip((mask - 0.1) / 0.8, 0, 1)
        _, labels = cv2.connectedComponents((mask > 0.3).astype(np.uint8))
        mine = labels[min(SIDE - 1, int(face[1] / h * SIDE)), min(SIDE - 1, int(face[0] / w * SIDE))]
        if mine:
            mask *= cv2.GaussianBlur((labels == mine).astype(np.float32), (0, 0), 2)
        wide = cv2.resize(mask, (w, h), interpolation=cv2.INTER_CUBIC)
        refined = _guided(
            cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255, wide, max(2, max(h, w) // 90)
        )
        return np.asarray(np.clip((refined - 0.04) / 0.92, 0, 1), np.float32)


def _guided(guide: Floats, mask: Floats, radius: int, epsilon: float = 2e-4) -> Floats:
    """Guided filter (He, Sun, Tang 2010): the mask follows the edges of the picture."""
    import cv2

    def mean(x: Floats) -> Floats:
        return np.asarray(cv2.boxFilter(x, -1, (2 * radius + 1, 2 * radius + 1)), np.float32)

    mean_guide, mean_mask = mean(guide), mean(mask)
    slope = (mean(guide * mask) - mean_guide * mean_mask) / (mean(guide * guide) - mean_guide**2 + epsilon)
    return mean(slope) * guide + mean(mean_mask - slope * mean_guide)


def background_plate(image: Image, matte: Floats) -> Image:
    """(h, w, 3) uint8: the background, carried on smoothly under the person (a push-pull pyramid)."""
    import cv2

    h, w = matte.shape
    reach = max(2, max(h, w) // 120)  # hair is finer than the mask: stay a little away from the person
    weight = (1 - cv2.dilate(matte, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))) ** 4
    scale = min(1.0, HIDDEN / max(h, w))
    size = max(2, round(w * scale)), max(2, round(h * scale))
    share = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    seen = cv2.resize(np.rint(image * weight[..., None]).astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    levels = [(seen.astype(np.float32), share)]
    while min(levels[-1][1].shape) > 2:
        colour, covered = levels[-1]
        levels.append((cv2.pyrDown(colour), cv2.pyrDown(covered)))
    colour, covered = levels[-1]
    filled = colour / np.maximum(covered, 1e-3)[..., None]
    for colour, covered in reversed(levels[:-1]):
        filled = cv2.resize(filled, colour.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        known = np.clip(covered, 0, 1)[..., None]
        filled = known * (colour / np.maximum(covered, 1e-3)[..., None]) + (1 - known) * filled
    under = np.clip(np.rint(filled), 0, 255).astype(np.uint8)
    wide = cv2.resize(under, (w, h), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.blendLinear(image, wide, weight, 1 - weight), np.uint8)
