"""What hides a face: mask, hand, hair or scarf before the mouth, sunglasses before the eyes; and plain glasses.

Whether a mouth is seen or only guessed is asked of the mesh model itself: the pixels around it are shifted a little,
and points that rest on what is there go along, while points of a guess stay (a counterfactual probe; it holds for
photos, beards and drawings alike, and needs neither colours nor a further model).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from linly.face.frame import Array
from linly.face.mesh import FaceMesh
from linly.face.view import EYE_LEFT, EYE_RIGHT, LIPS, SIDE, FaceView
from linly.values import Floats, Image

STAYS = (1, 4, 6, 168, 2, 5, 195)
"""points of the nose, which no probe moves"""
PARTS: dict[str, Sequence[int]] = {"mouth": LIPS, "left_eye": EYE_LEFT, "right_eye": EYE_RIGHT}
SHIFT = {"mouth": 8.0, "left_eye": 5.0, "right_eye": 5.0}
"""pixels of the view"""
SEEN = {"mouth": 0.18, "left_eye": 0.12, "right_eye": 0.12}
"""share of the shift from which points rest on the picture: on seen mouths it is 0.3 to 0.7, on hidden ones up to 0.12;
on seen eyes 0.35 to 0.8 (a cartoon's closed ones 0.15), on hidden ones up to 0.1"""
PLAIN = 0.32
"""mean of one look along each axis from which no further look is needed"""
RIM, BRIDGE = 9.0, 10.0
"""steps of lightness (0..100) that a frame makes below the eyes and between them"""


def covered(view: FaceView, mesh: FaceMesh) -> list[str]:
    """Which of PARTS are not to be seen, by the names of the picture's sides."""
    return [part for part, share in followed(view, mesh).items() if share < SEEN[part]]


def followed(view: FaceView, mesh: FaceMesh) -> dict[str, float]:
    """How far each part's points go along with a shift of its pixels: 0.3 to 0.8 where it is seen, 0 where not."""
    start = np.column_stack([view.points, np.zeros(len(view.points), np.float32)])
    rest, _ = mesh.follow(view.rgb, start)
    shares = {}
    for part, points in PARTS.items():
        weight = _window(rest[list(points), :2])
        answers: list[float] = []
        for way in ((1, 0), (0, 1), (-1, 0), (0, -1)):
            shift = SHIFT[part] * np.array(way, np.float32)
            seen, _ = mesh.follow(_shifted(view.rgb, weight, shift), start)
            moved = seen[:, :2] - rest[:, :2]
            own = moved[list(points)].mean(axis=0) - moved[list(STAYS)].mean(axis=0)
            answers.append(float(own @ shift / (shift @ shift)))
            if len(answers) == 2 and np.mean(answers) > PLAIN:
                break
        shares[part] = float(np.mean(answers))
    return shares


def _window(points: Floats) -> Array:
    """(SIDE, SIDE) float32: 1 over the points, fading to 0 around them."""
    low, high = points.min(axis=0), points.max(axis=0)
    centre, (rx, ry) = (low + high) / 2, (high - low) / 2
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    away = np.hypot((x - centre[0]) / (1.3 * rx + 2), (y - centre[1]) / (1.4 * max(ry, 0.4 * rx) + 3))
    weight = np.clip((1.55 - away) / 0.55, 0, 1)
    return np.asarray(weight * weight * (3 - 2 * weight), np.float32)


def _shifted(image: Image, weight: Array, shift: Array) -> Image:
    import cv2

    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    moved = cv2.remap(image, x - shift[0] * weight, y - shift[1] * weight, cv2.INTER_LINEAR,
                      borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    return np.asarray(moved, np.uint8)


def frames_of_glasses(view: FaceView) -> bool:
    """Plain glasses: a rim below both eyes and a bar between them, where bare skin has no edge across."""
    import cv2

    light = cv2.GaussianBlur(view.lab[..., 0], (0, 0), 1.0)
    steps = np.abs(cv2.Sobel(light, cv2.CV_32F, 0, 1, ksize=1))
    p = view.points

    def across(left: float, right: float, top: float, bottom: float) -> float:
        """The median column's steepest step in a box: only what runs all across it counts."""
        box = [round(float(np.clip(side, 0, SIDE - 1))) for side in (left, right, top, bottom)]
        seen = steps[box[2] : box[3] + 1, box[0] : box[1] + 1]
        return float(np.median(seen.max(axis=0))) if seen.size else 0.0

    rims = []
    for outer, inner, lid in ((33, 133, 145), (263, 362, 374)):
        wide, middle = abs(p[outer, 0] - p[inner, 0]), (p[outer, 0] + p[inner, 0]) / 2
        rims.append(across(middle - 0.3 * wide, middle + 0.3 * wide, p[lid, 1] + 0.18 * wide, p[lid, 1] + wide))
    between, middle = p[362, 0] - p[133, 0], (p[362, 0] + p[133, 0]) / 2
    bar = across(middle - 0.22 * between, middle + 0.22 * between, 0.4 * p[9, 1] + 0.6 * p[168, 1], float(p[197, 1]))
    return min(rims) > RIM and bar > BRIDGE
