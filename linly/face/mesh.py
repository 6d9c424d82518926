"""Face mesh: find faces and their 478 points (MediaPipe's Face Landmarker models, run by LiteRT; no MediaPipe code).

Models: BlazeFace (Bazarevsky et al. 2019) and face mesh (Kartynnik et al. 2019; Grishchenko et al. 2020), Apache-2.0.
"""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linly.values import Floats, Image

DETECTOR_SIDE = 128
MESH_SIDE = 256
MIN_SCORE = 0.5
SURE_SCORE = 0.75
"""below this on the whole picture, smaller tiles are searched too: small faces hide there"""
EYES = (33, 263)
"""outer corners of the eye on the picture's left and right"""


@dataclass(frozen=True, eq=False)
class Found:
    """One detected face."""

    box: tuple[float, float, float, float]
    """x, y, width, height in pixels"""
    eyes: Floats
    """(2, 2) pixels: the eye on the picture's left, then right"""
    score: float


class FaceMesh:
    """Detector and landmark model. Not thread-safe: LiteRT interpreters hold their input and output."""

    def __init__(self, task: Path, threads: int = 2) -> None:
        with zipfile.ZipFile(task) as archive:
            self._detector = interpreter(archive.read("face_detector.tflite"), threads)
            self._landmarks = interpreter(archive.read("face_landmarks_detector.tflite"), threads)
            self._blendshapes = interpreter(archive.read("face_blendshapes.tflite"), 1)
            self.canonical = _canonical(archive.read("geometry_pipeline_metadata_landmarks.binarypb"))
        self._anchors = _anchors()

    def detect(self, image: Image) -> list[Found]:
        """Faces, largest first; (h, w, 3) RGB uint8. Small faces are looked for in overlapping tiles."""
        faces = self._in_tile(image, 0, 0)
        if not faces or max(f.score for f in faces) < SURE_SCORE:
            h, w = image.shape[:2]
            for share in (0.6, 0.4):
                side = int(share * max(h, w))
                for y in _steps(h, side):
                    for x in _steps(w, side):
                        faces += self._in_tile(image[y : y + side, x : x + side], x, y)
        return sorted(_distinct(faces), key=lambda f: -f.box[2] * f.box[3])

    def landmarks(self, image: Image, face: Found) -> tuple[Floats, float]:
        """(478, 3) points in pixels (z smaller is nearer) and the model's score; the second pass crops by the first."""
        x, y, w, h = face.box
        centre, side = np.array([x + w / 2, y + h / 2]), 1.5 * max(w, h)
        points, _ = self._mesh_of(image, centre, side, _angle(face.eyes[0], face.eyes[1]))
        return self.follow(image, points)

    def follow(self, image: Image, points: Floats) -> tuple[Floats, float]:
        """The same face in the next picture: one pass, cropped by the last points."""
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        angle = _angle(points[EYES[0], :2], points[EYES[1], :2])
        return self._mesh_of(image, (low + high) / 2, 1.5 * float((high - low).max()), angle)

    def _in_tile(self, tile: Image, left: int, top: int) -> list[Found]:
        import cv2

        h, w = tile.shape[:2]
        scale = DETECTOR_SIDE / max(h, w)
        small = cv2.resize(tile, (max(1, round(w * scale)), max(1, round(h * scale))), interpolation=cv2.INTER_AREA)
        square = np.zeros((DETECTOR_SIDE, DETECTOR_SIDE, 3), np.float32)
        square[: small.shape[0], : small.shape[1]] = small.astype(np.float32) / 127.5 - 1
        boxes, scores = run(self._detector, square[None])
        if boxes.shape[-1] != 16:
            boxes, scores = scores, boxes
        chance = 1 / (1 + np.exp(-np.clip(scores.reshape(-1), -50, 50)))
        found = []
        for i in np.flatnonzero(chance > MIN_SCORE):
            raw = boxes.reshape(-1, 16)[i]
            cx, cy = raw[0] + self._anchors[i, 0] * DETECTOR_SIDE, raw[1] + self._anchors[i, 1] * DETECTOR_SIDE
            eyes = raw[4:8].reshape(2, 2) + self._anchors[i] * DETECTOR_SIDE
            box = ((cx - raw[2] / 2) / scale + left, (cy - raw[3] / 2) / scale + top, raw[2] / scale, raw[3] / scale)
            found.append(Found(box, (eyes / scale + (left, top)).astype(np.float32), float(chance[i])))
        return _distinct(found)

    def _mesh_of(self, image: Image, centre: NDArray[Any], side: float, angle: float) -> tuple[Floats, float]:
        import cv2

        k = MESH_SIDE / side
        c, s = k * np.cos(angle), k * np.sin(angle)
        into = np.array([[c, s, 0], [-s, c, 0]])
        into[:, 2] = MESH_SIDE / 2 - into[:, :2] @ centre
        crop = cv2.warpAffine(image, into, (MESH_SIDE, MESH_SIDE), flags=cv2.INTER_LINEAR)
        outputs = run(self._landmarks, crop[None].astype(np.float32) / 255)
        raw = next(o for o in outputs if o.size == 478 * 3).reshape(478, 3)
        score = next(float(o.reshape(-1)[0]) for o in outputs if o.size == 1)
        back = cv2.invertAffineTransform(into)
        points = np.empty((478, 3), np.float32)
        points[:, :2] = raw[:, :2] @ back[:, :2].T + back[:, 2]
        points[:, 2] = raw[:, 2] / k
        return points, 1 / (1 + float(np.exp(-score)))


def interpreter(model: bytes, threads: int) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    with _quiet():
        made = Interpreter(model_content=model, num_threads=threads)
        made.allocate_tensors()
    return made


@contextmanager
def _quiet() -> Iterator[None]:
    """LiteRT greets on standard error from C++, past Python's logging; there only our own sentences belong."""
    try:
        kept = os.dup(2)
    except OSError:  # no standard error at all
        yield
        return
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def run(interpreter: Any, value: NDArray[Any]) -> list[NDArray[Any]]:
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], value)
    interpreter.invoke()
    return [interpreter.get_tensor(o["index"]) for o in interpreter.get_output_details()]


def _anchors() -> Floats:
    """Centres of the detector's 896 anchors in [0, 1]: two on each cell of a 16 grid, six on each of an 8 grid."""
    centres = []
    for cells, each in ((16, 2), (8, 6)):
        ys, xs = np.mgrid[:cells, :cells]
        grid = (np.stack([xs, ys], axis=-1).reshape(-1, 2) + 0.5) / cells
        centres.append(np.repeat(grid, each, axis=0))
    return np.concatenate(centres).astype(np.float32)


def _steps(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    return [round(p) for p in np.linspace(0, length - side, 1 + int(np.ceil((length - side) / (0.5 * side))))]


def _distinct(faces: list[Found]) -> list[Found]:
    """Non-maximum suppression: of faces that overlap by more than 0.3, the surest."""
    kept: list[Found] = []
    for face in sorted(faces, key=lambda f: -f.score):
        if all(_overlap(face.box, k.box) < 0.3 for k in kept):
            kept.append(face)
    return kept


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(0.0, width) * max(0.0, height)
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def _angle(left: NDArray[Any], right: NDArray[Any]) -> float:
    return float(np.arctan2(right[1] - left[1], right[0] - left[0]))


def _canonical(message: bytes) -> Floats:
    """(468, 3) vertices of the canonical face in centimetres, out of the model's protobuf (field 3 of field 1)."""
    _, at = _varint(message, 0)
    size, at = _varint(message, at)
    end, floats = at + size, []
    while at < end:
        key, at = _varint(message, at)
        if key & 7 == 5:
            floats.append(struct.unpack_from("<f", message, at)[0])
            at += 4
        elif key & 7 == 0:
            _, at = _varint(message, at)
        else:
            skipped, at = _varint(message, at)
            at += skipped
    return np.array(floats, np.float32)[: 468 * 5].reshape(468, 5)[:, :3]


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
