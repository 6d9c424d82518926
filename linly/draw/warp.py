"""The built-in face: the portrait's own pixels, moved. No checkpoint, no GPU, any size."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from linly.contracts import Files
from linly.framing import output_size
from linly.registry import engine
from linly.settings import threads
from linly.values import FaceMotion, Frames, Image, Portrait, Style, Utterance

SMALL = 600_000
"""pixels: a picture below is many short steps, which in two threads mostly wait for Python's lock: one is as fast, for
two thirds of the work"""
KEPT = 4
"""portraits (each at one size) kept ready to be drawn"""


@engine(
    "draw",
    "warp",
    title="Portrait warp",
    weights=("face-landmarks", "person-mask"),
    packages=("cv2", "ai_edge_litert"),
    needs_mb=300,
    can=("alpha", "clip", "gpu"),
)
class Warp:
    """Moves the photo itself: lips and jaw, lids, head and shoulders, each where it moves and nowhere else."""

    def __init__(self, files: Files, device: str) -> None:
        import cv2

        from linly.face.matte import PersonMask
        from linly.face.mesh import FaceMesh

        self._device = device
        cv2.setNumThreads(1)  # whole pictures are drawn side by side, so each needs one thread
        self._mesh = FaceMesh(files["face-landmarks"] / "face_landmarker.task", threads())
        self._mask = PersonMask(files["person-mask"] / "selfie_segmentation.tflite", threads())
        self._pool = ThreadPoolExecutor(max(1, threads()), thread_name_prefix="linly-draw")
        self._alone = ThreadPoolExecutor(1, thread_name_prefix="linly-draw-small")
        self._ready: OrderedDict[tuple[int, tuple[int, int], bool], tuple[Portrait, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Stop the drawing threads."""
        self._pool.shutdown()
        self._alone.shutdown()

    def prepare(self, image: Image, name: str) -> Portrait:
        """Find the face, its mesh and the person's outline. Raises InputError with advice where that cannot be done."""
        from linly.face.check import examine

        face, points, report = examine(image, self._mesh)
        x, y, w, h = face.box
        matte = self._mask.matte(image, (x + w / 2, y + h / 2))
        return Portrait(name, image, (round(x), round(y), round(w), round(h)), points, matte, report)

    def size(self, portrait: Portrait, style: Style) -> tuple[int, int]:
        """Width and height of the pictures, both even (see framing.output_size)."""
        h, w = portrait.image.shape[:2]
        return output_size((h, w), style)

    def prepare_clip(self, path: Path, name: str) -> Portrait:
        """A short video of the person as portrait. Raises InputError where none of its pictures will do."""
        from linly.face.footage import load

        return load(path, self._mesh, self._mask, name)

    def draw(self, portrait: Portrait, utterance: Utterance, motion: FaceMotion, style: Style) -> Frames:
        """One picture for each row of `motion`, drawn a few ahead.

        With the background "transparent" they are RGBA; the portrait then is the person on black, premultiplied by its
        matte, its plate black (as `backdrop.placed` makes it).
        """
        size, alpha = self.size(portrait, style), style.background == "transparent"
        picture = self._rig(portrait, size, alpha).draw
        if portrait.clip is not None:  # a film goes on through the whole talk
            first = round(utterance.start * motion.fps)
            images = self._images(lambda row, *pose: picture(*pose, first + row, motion.fps), motion, size)
        else:
            images = self._images(lambda row, *pose: picture(*pose), motion, size)
        return Frames(size, motion.fps, len(motion), images, alpha)

    def _rig(self, portrait: Portrait, size: tuple[int, int], alpha: bool) -> Any:
        """Everything that depends on portrait and size alone, made once."""
        from linly.face.clip_rig import ClipRig
        from linly.face.rig import Rig

        key = (id(portrait), size, alpha)
        with self._lock:
            if key not in self._ready:
                while len(self._ready) >= KEPT:
                    self._ready.popitem(last=False)
                still = portrait.clip is None
                rig = Rig(portrait, size, alpha, self._device) if still else ClipRig(portrait, size)
                self._ready[key] = (portrait, rig)
            self._ready.move_to_end(key)
            return self._ready[key][1]

    def _images(self, picture: Callable[..., Image], motion: FaceMotion, size: tuple[int, int]) -> Iterator[Image]:
        """`picture(row, pose, head)` of every row of `motion`, in a thread of its own or, where it pays, in several."""
        pool = self._pool if size[0] * size[1] > SMALL else self._alone
        coming: deque[Future[Image]] = deque()
        for row, (curves, head) in enumerate(zip(motion.curves, motion.head, strict=True)):
            pose = dict(zip(motion.names, curves.tolist(), strict=True))
            coming.append(pool.submit(picture, row, pose, np.asarray(head)))
            if len(coming) > threads():
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
