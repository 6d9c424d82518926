"""How the light falls on a face, and what can be done about it: shadow levelled, grain cleaned, both gently."""

from __future__ import annotations

from typing import Any

import numpy as np

from linly.face.frame import OVAL, Array
from linly.face.view import FACE, SIDE, FaceView
from linly.values import Floats, Image

UNEVEN = 0.16
"""difference of the face's halves by their sum from which one side is in shadow"""
DARK, BLOWN = 95.0, 0.18
"""brightest twentieth of the skin (grey levels) below which a face is too dark; share of it without any drawing left
from which it is too bright"""
WHITE = 250
LEVELLED, LIFTED = 0.75, 0.65
"""how far shadow and darkness are made up for; all of it would look like a mask"""
MOST = 0.5
"""largest change of light, natural logarithm"""
GRAINY = 3.5
"""noise in grey levels from which a picture is cleaned"""


def measured(view: FaceView) -> dict[str, float]:
    """Of the face's skin: light (mean grey level), highlights (its brightest twentieth), blown (share of white)
    and balance (right half of the picture minus left by their sum, -1..1)."""
    grey, skin = view.grey, view.skin if view.skin.any() else view.inside
    low = skin & (np.arange(SIDE)[:, None] > view.points[[105, 334], 1].mean())  # hair and hats shade the forehead
    left, right = (
        float(np.median(grey[part])) if part.any() else 0.0 for part in (low & ~view.right, low & view.right)
    )
    return {
        "light": round(float(grey[skin].mean()), 1),
        "highlights": round(float(np.percentile(grey[skin], 95)), 1),
        "blown": round(float((view.rgb[skin].min(axis=-1) >= WHITE).mean()), 3),
        "balance": round((right - left) / max(1.0, right + left), 3),
    }


def normalised(image: Image, points: Floats) -> Image:
    """The photo with a dark face lifted and a side in shadow levelled; the very same array where nothing is wrong.

    image: (h, w, 3) RGB uint8; points: its mesh, (478, 3) pixels. Every pixel keeps its hue: only light changes.
    """
    view = FaceView.of(image, points)
    found = measured(view)
    lifts = found["highlights"] < DARK
    if not lifts and abs(found["balance"]) < UNEVEN:
        return image
    gain = np.ones(image.shape[:2], np.float32)
    if abs(found["balance"]) >= UNEVEN:
        gain = np.exp(_shadow(image, points, view))
    light = image.max(axis=-1).astype(np.float32) * gain
    if lifts:
        # More exposure first, as far as the picture's highlights allow, since it keeps contrast; then a softer curve.
        now, aim = max(found["light"], 4.0), _aim(found["light"])
        exposure = float(np.clip(245 / max(1.0, np.percentile(light, 99)), 1, aim / now))
        light, now = np.minimum(255, light * exposure), now * exposure
        power = np.log(aim / 255) / np.log(now / 255)
        lifted = 255 * np.maximum(light / 255, 1 / 255) ** power
        gain = gain * exposure * lifted / np.maximum(light, 1)
        light = image.max(axis=-1) * gain
    gain = gain * np.minimum(1, 255 / np.maximum(light, 1))  # brighter than white would change the hue
    return np.asarray(np.clip(np.rint(image * gain[..., None]), 0, 255), np.uint8)


def _aim(light: float) -> float:
    """The mean grey level that a dark face is lifted to: most of the way to a well lit one."""
    return float(np.exp((1 - LIFTED) * np.log(max(light, 4.0)) + LIFTED * np.log(110.0)))


def _shadow(image: Image, points: Floats, view: FaceView) -> Array:
    """(h, w) natural logarithm of the light to add: each side goes towards the mean of itself and its mirror image."""
    import cv2

    light = np.log(view.rgb.max(axis=-1).astype(np.float32) + 4)
    known = view.skin.astype(np.float32)
    spread = 0.13 * FACE
    share = cv2.GaussianBlur(known, (0, 0), spread) + 1e-3
    smooth = (cv2.GaussianBlur(light * known, (0, 0), spread) + 1e-3 * light[view.skin].mean()) / share
    top, low = view.points[10], view.points[152]
    across = np.array([low[1] - top[1], top[0] - low[0]], np.float64)  # reflect in the line from forehead to chin
    across /= np.hypot(*across)
    turn = np.eye(2) - 2 * np.outer(across, across)
    mirror = np.column_stack([turn, top - turn @ top])
    other = cv2.warpAffine(smooth, mirror, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.GaussianBlur(view.polygon(OVAL).astype(np.float32), (0, 0), 0.07 * FACE)
    change = np.clip(LEVELLED * (other - smooth) / 2, -MOST, MOST) * inside
    h, w = image.shape[:2]
    back: Array = cv2.warpAffine(
        change, view.into, (w, h), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT
    )
    return back


def denoised(image: Image) -> Image:
    """The photo without its grain, by non-local means (Buades, Coll, Morel 2005) in OpenCV; the very same array where
    there is none. (h, w, 3) RGB uint8; the stronger the grain, the stronger the cleaning."""
    import cv2

    noise = grain(image)
    if noise < GRAINY:
        return image
    strength = float(np.clip(0.8 * noise, 3, 12))
    return np.asarray(cv2.fastNlMeansDenoisingColored(image, None, strength, strength, 5, 15), np.uint8)


def grain(image: Image) -> float:
    """Noise in grey levels, by what no smooth surface has (Immerkaer 1996), in the quieter half of the picture."""
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    kernel = np.array([(1, -2, 1), (-2, 4, -2), (1, -2, 1)], np.float32)
    rough: Any = cv2.blur(np.abs(cv2.filter2D(grey, -1, kernel)), (9, 9))
    inner = rough[8:-8:4, 8:-8:4]
    return float(np.median(inner) * np.sqrt(np.pi / 2) / 6) if inner.size else 0.0
