"""What a viewer would see, measured: landmarks and blendshapes found again on the pictures that were made."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from linly import video, weights
from linly.face.mesh import FaceMesh, interpreter, run

UPPER_LIP, LOWER_LIP = 13, 14
LEFT_CORNER, RIGHT_CORNER = 61, 291
LEFT_EYE, RIGHT_EYE = 33, 263
BLINKS = (9, 10)
"""places of eyeBlinkLeft and eyeBlinkRight among the 52 blendshapes"""


def mesh() -> FaceMesh:
    return FaceMesh(weights.folder("face-landmarks") / "face_landmarker.task")


def landmarks(images: Iterable[np.ndarray]) -> np.ndarray:
    """(t, 478, 3) points in pixels, found anew on every picture (the last points only say where to look)."""
    finder, points, out = mesh(), None, []
    for image in images:
        if points is None:
            points, score = finder.landmarks(image, finder.detect(image)[0])
        points, score = finder.follow(image, points)
        assert score > 0.5, f"the face was lost on picture {len(out)}"
        out.append(points)
    return np.array(out)


def gap(points: np.ndarray) -> np.ndarray:
    """(t,) inner-lip gap at the mid-line over the span of the outer corners of the eyes."""
    return _distance(points, UPPER_LIP, LOWER_LIP) / _distance(points, LEFT_EYE, RIGHT_EYE)


def mouth_width(points: np.ndarray) -> np.ndarray:
    """(t,) distance of the mouth's corners over the span of the outer corners of the eyes."""
    return _distance(points, LEFT_CORNER, RIGHT_CORNER) / _distance(points, LEFT_EYE, RIGHT_EYE)


def measure_openings(path: str | Path) -> np.ndarray:
    """(t,) `gap` on every frame of a video."""
    return gap(landmarks(video.read_frames(path)))


def blinks(points: np.ndarray) -> np.ndarray:
    """(t,) mean score 0..1 of the blendshapes eyeBlinkLeft and eyeBlinkRight."""
    with zipfile.ZipFile(weights.folder("face-landmarks") / "face_landmarker.task") as archive:
        model = interpreter(archive.read("face_blendshapes.tflite"), 1)
    return np.array([run(model, p[None, BLENDSHAPE_POINTS, :2])[0].reshape(-1)[list(BLINKS)].mean() for p in points])


def psnr(a: np.ndarray, b: np.ndarray, where: np.ndarray | None = None) -> float:
    """Decibels between two pictures, over all pixels or where the mask (h, w) holds; infinite if equal."""
    difference = (a.astype(float) - b.astype(float)) if where is None else (a.astype(float) - b.astype(float))[where]
    error = float((difference**2).mean())
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)


def best_lag(a: np.ndarray, b: np.ndarray, reach: int = 6) -> int:
    """Frames by which `b` comes later than `a`, where they agree best."""

    def agreement(lag: int) -> float:
        x, y = (a[: len(a) - lag], b[lag:]) if lag >= 0 else (a[-lag:], b[:lag])
        return float(np.corrcoef(x, y)[0, 1])

    return max(range(-reach, reach + 1), key=agreement)


def sharpness(image: np.ndarray) -> float:
    """Variance of the Laplacian of a grey picture's brightness."""
    grey = image.astype(float).mean(axis=-1)
    middle = grey[1:-1, 1:-1]
    return float((grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * middle).var())


def _distance(points: np.ndarray, a: int, b: int) -> np.ndarray:
    return np.hypot(*(points[:, a, :2] - points[:, b, :2]).T)


# fmt: off
BLENDSHAPE_POINTS = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80, 81,
    82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153, 154,
    155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263,
    267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321,
    323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386, 387,
    388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
)
"""the points that the blendshape model reads, in its order (MediaPipe's face_landmarker graph)"""
# fmt: on
