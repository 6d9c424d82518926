"""Films for the tests, made from the sample portraits by the engine itself."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import face_measure as measure
import numpy as np
from conftest import ROOT

from linly import registry, video, weights
from linly.face.footage import load
from linly.pictures import load_image
from linly.values import CURVES, Audio, FaceMotion, Portrait, Style, Utterance

FPS = 25
COUNT = 75
"""pictures of a film"""


def syllables(count: int, each: int, seed: int) -> np.ndarray:
    """(count,) an opening like that of speech, 0 once in `each` frames."""
    peaks = np.random.default_rng(seed).uniform(0.3, 1.0, count // each + 1)
    t = np.arange(count)
    return peaks[t // each] * np.sin(np.pi * (t % each) / each) ** 0.8


def drawn(name: str, size: str = "512", **curves: np.ndarray | float) -> list[np.ndarray]:
    """A sample portrait that moves its head, blinks, and does what `curves` say, by the built-in engine."""
    engine = registry.open_engine("draw", "warp")
    t = np.arange(COUNT) / FPS
    head = np.stack([5 * np.sin(2.3 * t), 2.5 * np.sin(3.1 * t), 2 * np.sin(1.7 * t)], axis=1).astype(np.float32)
    rows = np.zeros((COUNT, len(CURVES)), np.float32)
    for start in (20, 55):
        rows[start : start + 7, CURVES.index("blink")] = (0.35, 0.85, 1, 0.8, 0.5, 0.22, 0.08)
    for curve, values in curves.items():
        rows[:, CURVES.index(curve)] = values
    silence = Utterance("", Audio(np.zeros(COUNT, np.float32), FPS))
    portrait = engine.prepare(load_image(ROOT / "assets" / "portraits" / f"{name}.jpg"), name)
    made = engine.draw(portrait, silence, FaceMotion(FPS, rows, head), Style(size=size))
    return [frame.copy() for frame in made]


def written(path: Path, images: list[np.ndarray], fps: float = FPS) -> Path:
    h, w = images[0].shape[:2]
    with video.Writer(path, (w, h), fps, 8000, crf=12) as writer:
        writer.add(images, Audio(np.zeros(round(len(images) / fps * 8000), np.float32), 8000))
        writer.finish()
    return path


def silent(path: Path, images: list[np.ndarray], fps: int = FPS, rotation: int = 0) -> Path:
    """A film without a sound track, lying on its side if asked."""
    import av

    h, w = images[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "14", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = w, h, "yuv420p"
        if rotation:
            stream.set_display_rotation(rotation)
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@dataclass(frozen=True)
class Engines:
    mesh: object
    mask: object

    def load(self, path: Path) -> Portrait:
        return load(path, self.mesh, self.mask, path.stem)


def resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    import cv2

    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


@cache
def engines() -> Engines:
    from linly.face.matte import PersonMask

    return Engines(measure.mesh(), PersonMask(weights.folder("person-mask") / "selfie_segmentation.tflite"))


@cache
def own_words() -> np.ndarray:
    """(COUNT,) what the mouth does in `spoken_images`."""
    return syllables(COUNT, 7, seed=1)


@cache
def spoken_images() -> list[np.ndarray]:
    words = own_words()
    return drawn("admiral", talk=1, open=words, jaw=0.75 * words + 0.1, round=0.3 * words)
