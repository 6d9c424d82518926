"""What a photo tells about its own light and lens, so that what is painted into it looks taken with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linly.face.frame import Array
from linly.values import Image

CHEEKS = (50, 280)
EYE_WHITES = ((33, 471), (133, 469), (362, 476), (263, 474))
"""corner of an eye and the edge of the iris that faces it"""
SHARP = 0.6
"""blur in pixels of an edge that is drawn as sharply as pixels allow"""


@dataclass(frozen=True, eq=False)
class Tone:
    """Colours are (3,) float32 RGB as in the photo."""

    skin: Array
    """of the cheeks"""
    tooth: Array
    """of a front tooth in the same light"""
    light: float
    """how bright the photo is beside an even portrait, 0.45..1.15"""
    colourful: float
    """0 for a grey photo, 1 from the colourfulness of ordinary skin on"""
    shaded: Array
    """powers by which red, green and blue fall in the shade; evenly darkened, teeth look like grey plastic"""
    blur: float
    """standard deviation in pixels of the photo's own blur beyond SHARP; 0 for a sharp one"""
    grain: float
    """standard deviation of its grain in grey levels"""

    def tinted(self, colour: tuple[int, int, int]) -> Array:
        """(3,): a colour as it looks in this photo."""
        full = np.array(colour, np.float32)
        return np.asarray((full.mean() + self.colourful * (full - full.mean())) * self.light, np.float32)


def tone_of(points: Array, width: float, image: Image) -> Tone:
    """The tone of a photo by its mesh (478, 3) in pixels and the width of the mouth in pixels."""
    radius = max(2, int(0.12 * width))
    cheeks = [_patch(image, points[index, :2], radius) for index in CHEEKS]
    skin = np.median(np.concatenate([c.reshape(-1, 3) for c in cheeks]), axis=0).astype(np.float32)
    grey = max(1.0, float(skin.mean()))
    colourful = float(np.clip(np.ptp(skin) / grey / 0.25, 0, 1))
    return Tone(
        skin=skin,
        tooth=_tooth(skin, _eye_white(points, width, image), colourful),
        light=float(np.clip(grey / 165, 0.45, 1.15)),
        colourful=colourful,
        shaded=1 + colourful * np.array([-0.28, 0.0, 0.16], np.float32),
        blur=min(_blur(points, image), 0.03 * width),
        grain=float(np.clip(np.mean([_grain(c) for c in cheeks]), 0, 6)),
    )


def _tooth(skin: Array, white: float, colourful: float) -> Array:
    """Ivory in the photo's light. The whites of the eyes tell it better than skin, which may be dark or pale."""
    grey = max(1.0, float(skin.mean()))
    usual = grey * float(np.interp(grey, (80, 170), (1.5, 1.2)))  # teeth differ less from face to face than skins do
    level = float(np.clip(0.6 * usual + 0.4 * white, usual, 1.9 * grey))
    ivory = 1 + colourful * np.array([0.03, 0.0, -0.07], np.float32)
    return np.asarray(np.clip(min(level, 212.0) * (1 + 0.25 * (skin / grey - 1)) * ivory, 0, 240), np.float32)


def _eye_white(points: Array, width: float, image: Image) -> float:
    """Brightness of the whites of the eyes: the middle of the brighter half of four samples."""
    radius = max(1, round(0.02 * width))
    spots = [_patch(image, points[list(pair), :2].mean(axis=0), radius) for pair in EYE_WHITES]
    return float(np.mean(sorted(float(np.median(s.mean(axis=-1))) for s in spots)[2:]))


def _blur(points: Array, image: Image) -> float:
    """Blur beyond SHARP from the strongest edges about the eyes, by blurring them once more (Zhuo and Sim, 2011)."""
    import cv2

    low, high = points[[33, 263, 159, 145], :2].min(axis=0), points[[33, 263, 159, 145], :2].max(axis=0)
    h, w = image.shape[:2]
    (x0, y0), (x1, y1) = np.clip(low - 4, 0, (w - 8, h - 8)).astype(int), np.clip(high + 4, 8, (w, h)).astype(int)
    grey = cv2.cvtColor(np.ascontiguousarray(image[y0:y1, x0:x1]), cv2.COLOR_RGB2GRAY).astype(np.float32)
    again = 1.5
    slopes = [np.hypot(*np.gradient(g)) for g in (grey, cv2.GaussianBlur(grey, (0, 0), again))]
    strong = slopes[0] >= np.percentile(slopes[0], 96)
    ratio = float(np.median(slopes[0][strong] / np.maximum(slopes[1][strong], 1e-3)))
    own = again / np.sqrt(max(ratio**2 - 1, 0.05))
    return float(np.sqrt(max(0.0, own**2 - SHARP**2 - 0.5)))


def _grain(patch: Image) -> float:
    """Standard deviation of what a slight blur takes out of plain skin; by the median, so that a mole counts little."""
    import cv2

    grey = patch.astype(np.float32).mean(axis=-1)
    rest = grey - cv2.GaussianBlur(grey, (0, 0), 1.0)
    return float(np.median(np.abs(rest))) * 1.48


def _patch(image: Image, place: Array, radius: int) -> Image:
    """The square of pixels about a place, moved inside the image where it would reach beyond."""
    h, w = image.shape[:2]
    x, y = int(np.clip(place[0], radius, w - radius - 1)), int(np.clip(place[1], radius, h - radius - 1))
    return np.ascontiguousarray(image[y - radius : y + radius + 1, x - radius : x + radius + 1])
