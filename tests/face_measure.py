"""What a viewer would see, measured: landmarks and blendshapes found again on the pictures that were made."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from linly import video, weights
from linly.face.mesh import FaceMesh, _varint, interpreter, run
from linly.values import Floats, Image, Span

UPPER_LIP, LOWER_LIP = 13, 14
LEFT_CORNER, RIGHT_CORNER = 61, 291
LEFT_EYE, RIGHT_EYE = 33, 263
NOSE_BRIDGE = 168
EYES_AND_NOSE = (263, 362, 33, 133, 2)
"""the five points by which dlib aligns a face, in its order: corners of both eyes, then under the nose"""
CLEAR = 4e-4
"""area over the square of the eyes' span below which a triangle is too thin to show a side: in real films of people who
talk, such ones (at the corners of the mouth, at the edge of the jaw) do change sides, to 3.6e-4"""
EDGE_ON = 0.1
"""cosine to the viewer below which a triangle is seen edge-on: a head that turns by six degrees shows its other side"""
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


def jump(opening: np.ndarray) -> float:
    """Largest change of the opening from one frame to the next, over its 90th percentile."""
    return float(np.abs(np.diff(opening)).max() / np.percentile(opening, 90))


def jitter(points: np.ndarray) -> float:
    """Mean second difference of the nose's bridge from frame to frame, in per cent of the span of the eyes."""
    moves = np.diff(points[:, NOSE_BRIDGE, :2], 2, axis=0)
    return 100 * float(np.hypot(*moves.T).mean() / _distance(points, LEFT_EYE, RIGHT_EYE).mean())


def closures(opening: np.ndarray, phonemes: Iterable[Span], fps: float, reach: float = 0.04) -> np.ndarray:
    """Of every p, b and m: its smallest opening (`reach` seconds around it), over the 90th percentile."""
    least = []
    for span in phonemes:
        if span.text[:1] in "pbm":
            first, last = int((span.start - reach) * fps), int(np.ceil((span.end + reach) * fps))
            least.append(opening[max(0, first) : last + 1].min())
    return np.array(least) / np.percentile(opening, 90)


def triangles() -> np.ndarray:
    """(898, 3) corners of the canonical mesh's triangles, out of the model's protobuf (field 4 of field 1)."""
    with zipfile.ZipFile(weights.folder("face-landmarks") / "face_landmarker.task") as archive:
        message = archive.read("geometry_pipeline_metadata_landmarks.binarypb")
    _, at = _varint(message, 0)
    size, at = _varint(message, at)
    end, corners = at + size, []
    while at < end:
        key, at = _varint(message, at)
        if key & 7 == 5:  # a coordinate
            at += 4
            continue
        value, at = _varint(message, at)
        if key == 4 << 3:
            corners.append(value)
        elif key & 7 == 2:
            at += value
    return np.array(corners).reshape(-1, 3)


def skin() -> np.ndarray:
    """The triangles that are skin: the canonical mesh also spans mouth and eyes, which shut to nothing."""
    corners = triangles()
    spans = np.array([np.isin(corners, opening).all(axis=1) for opening in OPENINGS]).any(axis=0)
    return corners[~spans]


def flips(points: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """(t,) triangles of the skin that clearly show their other side than in the photo (478, 3)."""
    corners = skin()
    a, b, c = (photo[corners[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    faces_us = np.abs(normals[:, 2]) > EDGE_ON * np.linalg.norm(normals, axis=1)
    span = float(_distance(photo[None], LEFT_EYE, RIGHT_EYE)[0])
    before, after = (_areas(p, corners) / span**2 for p in (photo[None], points))
    sure = faces_us & (np.abs(before) > CLEAR) & (np.abs(after) > CLEAR)
    return (sure & (np.sign(before) != np.sign(after))).sum(axis=1)


def _areas(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """(t, n) signed areas in square pixels."""
    a, b, c = (points[:, corners[:, i], :2] for i in range(3))
    u, v = b - a, c - a
    return (u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]) / 2


class Identity:
    """Who it is: dlib's face embedder (a ResNet trained by D. King on metric loss, 128 numbers).

    Two pictures of one person lie below 0.6, mostly below 0.4. The face is aligned by our own mesh's points.
    """

    def __init__(self, model: Path) -> None:
        import dlib

        self._dlib, self._model = dlib, dlib.face_recognition_model_v1(str(model))

    def __call__(self, image: Image, points: Floats) -> Floats:
        """(128,) of the face whose mesh (478, 3) is given."""
        dlib = self._dlib
        low, high = points[:, :2].min(axis=0).astype(int), points[:, :2].max(axis=0).astype(int)
        box = dlib.rectangle(*low.tolist(), *high.tolist())
        five = [dlib.point(*(round(float(v)) for v in points[i, :2])) for i in EYES_AND_NOSE]
        shape = dlib.full_object_detection(box, five)
        return np.array(self._model.compute_face_descriptor(np.ascontiguousarray(image), shape), np.float32)


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
OPENINGS = (
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191),
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
"""rims of the mouth and of both eyes"""
# fmt: on
