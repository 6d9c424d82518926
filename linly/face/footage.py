"""A short video of a person as a portrait: decoded once, its face followed, its best picture chosen."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from linly.errors import InputError
from linly.face.check import MOST_TURNED, examine, head_pose
from linly.face.eyes import SIDES
from linly.face.frame import Array
from linly.face.matte import PersonMask
from linly.face.mesh import FaceMesh
from linly.face.track import Follower, calmed, mean_head
from linly.values import Clip, Floats, Image, Portrait, Progress

SHORTEST, LONGEST = 0.5, 60.0
"""seconds"""
MAX_SIDE, MIN_SIDE = 1920, 64
MOST_FPS = 30.5
"""Faster films give every second picture (or fourth): a talking face needs no more."""
QUALITY = 95
"""of the JPEGs that the pictures are kept as"""
KEPT = 8
"""pictures kept decoded"""
TRIED = 5
"""pictures shown to the portrait check before it is believed that none will do"""
HDR, BT709 = (16, 18), 1
"""H.264's codes for the light of HDR films (PQ, HLG), as phones make them, and for that of screens"""
SPEAKS = 0.06
"""range of the inner-lip gap, in eye spans, from which a clip's own mouth is taken to move"""


def load(
    path: str | os.PathLike[str],
    mesh: FaceMesh,
    mask: PersonMask,
    name: str,
    max_side: int = MAX_SIDE,
    progress: Progress | None = None,
) -> Portrait:
    """A film of 0.5 to 60 seconds as a Portrait with `clip`; its sound is not used.

    Turned upright as the file asks, at most `max_side` pixels long, at most 30 pictures a second; kept in a temporary
    file. `progress` is told "portrait" and the fraction done, and may raise Cancelled. `report` gets, beside what the
    portrait check says of the best picture: picture (its number), frames, fps, seconds, missing (pictures without the
    face), turned (those where it is turned too far), mouth_moves (the person speaks in it).
    Raises InputError (one sentence) for what is no such film, or shows no face that can be animated.
    """
    source = Path(path)
    pictures, follow, found, fps = _Pictures(), Follower(mesh), [], 0.0
    with ThreadPoolExecutor(1) as keeper:  # a picture is kept while its face is looked for
        for image, rate, done in _film(source, max_side):
            kept, fps = keeper.submit(pictures.add, image), rate
            found.append(follow(image))
            kept.result()
            if progress is not None:
                progress("portrait", done)
    if len(found) < SHORTEST * fps or not found:
        raise InputError(f"{source.name} is too short: give at least half a second of video.")
    landmarks = np.full((len(found), 478, 3), np.nan, np.float32)
    for row, points in zip(landmarks, found, strict=True):
        if points is not None:
            row[:] = points
    seen = np.isfinite(landmarks[:, 0, 0])
    if not seen.any():
        raise InputError(f"No face was found in {source.name}: use a video of one face from the front, well lit.")
    if seen.sum() < SHORTEST * fps:
        raise InputError(f"{source.name} hardly shows a face: use a video of one face from the front, well lit.")
    landmarks = calmed(landmarks)
    turns = np.array([head_pose(p, mesh.canonical) if s else (0, 0, 0) for p, s in zip(landmarks, seen, strict=True)])
    turned = seen & (np.abs(turns[:, 0]) > MOST_TURNED)
    try:
        best, points, box, report = _best(pictures, landmarks, turns, seen, mesh)
    except InputError as error:
        raise InputError(f"{source.name}: {error}") from error
    landmarks[turned] = np.nan  # a face that cannot be animated passes as it is
    counted = {
        **{"picture": best, "frames": len(found), "fps": round(fps, 3), "seconds": round(len(found) / fps, 2)},
        **{"missing": int((~seen).sum()), "turned": int(turned.sum()), "mouth_moves": _mouth_moves(landmarks)},
    }
    image = pictures.image(best)
    matte = mask.matte(image, (box[0] + box[2] / 2, box[1] + box[3] / 2))
    clip = Clip(fps, landmarks, pictures.image)
    return Portrait(name, image, box, points, matte, {**report, **counted}, clip=clip)


def _best(
    pictures: _Pictures, landmarks: Floats, turns: Array, seen: Array, mesh: FaceMesh
) -> tuple[int, Floats, tuple[int, int, int, int], dict[str, Any]]:
    """The picture to judge the person by: frontal, sharp, eyes open, mouth shut; with the portrait check's word on it.

    Raises the check's InputError if it will have none of the best few.
    """
    order = sorted(np.flatnonzero(seen), key=lambda i: _flaws(landmarks[i], turns[i]))
    near = order[: max(1, len(order) // 8)][:12]  # sharpness costs a look at the picture, so only the likely ones
    near.sort(key=lambda i: _flaws(landmarks[i], turns[i]) - min(0.3, _sharpness(pictures.image(int(i)), landmarks[i])))
    refused: InputError | None = None
    for i in [*near, *order[len(near) :: max(1, len(order) // TRIED)]][:TRIED]:
        try:
            face, points, report = examine(pictures.image(int(i)), mesh)
        except InputError as error:
            refused = refused or error
            continue
        x, y, w, h = face.box
        return int(i), points, (round(x), round(y), round(w), round(h)), dict(report)
    assert refused is not None
    raise refused


def _flaws(points: Floats, turn: Array) -> float:
    """What speaks against a picture: 1 is a head turned by 20 degrees, or shut eyes, or a mouth a third open."""
    span = float(np.hypot(*(points[263, :2] - points[33, :2])))
    opened = float(np.hypot(*(points[14, :2] - points[13, :2]))) / span
    lids = min(float(np.hypot(*(points[s.upper[4], :2] - points[s.lower[4], :2]))) for s in SIDES) / span
    return float(np.hypot(*turn[:2])) / 20 + abs(float(turn[2])) / 60 + 6 * opened + max(0.0, 1 - lids / 0.07)


def _sharpness(image: Image, points: Floats) -> float:
    """Variance of the Laplacian of the face, in thousands."""
    import cv2

    h, w = image.shape[:2]
    (x0, y0), (x1, y1) = np.clip([points[:, :2].min(axis=0), points[:, :2].max(axis=0)], 0, (w, h)).astype(int)
    grey = cv2.cvtColor(image[y0:y1, x0:x1], cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var()) / 1000 if grey.size else 0.0


def _mouth_moves(landmarks: Floats) -> bool:
    """Does the person speak in the film? A smile that stays is no speech."""
    points = landmarks[np.isfinite(landmarks[:, 0, 0])]
    if not len(points):
        return False
    shape, fit = mean_head(points.astype(np.float64))
    heads = fit.head(points)
    gap = np.linalg.norm(heads[:, 14] - heads[:, 13], axis=-1) / np.linalg.norm(shape[263] - shape[33])
    return bool(np.percentile(gap, 96) - np.percentile(gap, 4) > SPEAKS)


class _Pictures:
    """Pictures in a temporary file, so that memory stays flat; read by any number of threads."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="linly-")  # noqa: SIM115 - it lives as long as this object
        self._places: list[tuple[int, int]] = []
        self._end = 0
        self._lock = threading.Lock()
        self._kept = lru_cache(KEPT)(self._read)

    def add(self, image: Image) -> None:
        import cv2

        _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        try:
            self._file.write(data.tobytes())
            self._file.flush()
        except OSError as error:
            raise InputError(
                f"There is no room for the film's pictures in {tempfile.gettempdir()}; free some."
            ) from error
        self._places.append((self._end, len(data)))
        self._end += len(data)

    def image(self, number: int) -> Image:
        """(h, w, 3) RGB uint8, not to be written to."""
        return self._kept(number)

    def _read(self, number: int) -> Image:
        import cv2

        at, size = self._places[number]
        with self._lock:
            self._file.seek(at)
            data = self._file.read(size)
        image: Image = cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        image.flags.writeable = False  # the next one who asks gets the same array
        return image


def _film(source: Path, max_side: int) -> Iterator[tuple[Image, float, float]]:
    """The pictures of a film, evenly spaced in time, upright and scaled; each with the rate and the share now read."""
    from av.video.reformatter import VideoReformatter

    with _opened(source) as container:
        tracks = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
        if not tracks:
            raise InputError(f"{source.name} has no picture track; give a video of one face.")
        track = tracks[0]
        if (container.duration or 0) / 1e6 > LONGEST + 1:
            raise _too_long(source)
        fps = float(track.average_rate or track.guessed_rate or 25)
        while fps > MOST_FPS:
            fps /= 2
        fps = max(5.0, fps)
        shape: tuple[int, int] | None = None
        reformatter = VideoReformatter()  # one for all: it makes its tables of colours once, which takes HDR seconds
        expected = max(1.0, (container.duration or LONGEST * 1e6) / 1e6 * fps)
        for number, frame in enumerate(_evenly(source, _decoded(source, container, track), fps)):
            shape = shape or _shape(source, frame, track, max_side)
            yield _upright(frame, shape, reformatter), fps, min(1.0, (number + 1) / expected)


def _opened(source: Path) -> Any:
    import av

    from linly.audio import DEMUXERS

    if source.is_dir():
        raise InputError(f"{source.name or source} is a folder; give a video.")
    if not source.exists():
        raise InputError(f"There is no file {source}; check the name.")
    try:
        return av.open(f"file:{source}", options={"format_whitelist": DEMUXERS}, metadata_errors="ignore")
    except (av.FFmpegError, UnicodeError, OSError, ValueError) as error:
        raise InputError(
            f"{source.name} is not a video that can be read, or damaged; give an MP4, MOV or WebM file."
        ) from error


def _decoded(source: Path, container: Any, track: Any) -> Iterator[Any]:
    import av

    track.thread_type = "AUTO"
    try:
        with contextlib.suppress(av.EOFError):
            yield from container.decode(track)
    except (av.FFmpegError, ValueError) as error:
        raise InputError(f"{source.name} is damaged or cut off; export or copy the video again.") from error


def _evenly(source: Path, frames: Iterator[Any], fps: float) -> Iterator[Any]:
    """One frame each 1 / fps seconds, whatever the film's own times: phones record at a rate that varies."""
    start: float | None = None
    last, given = None, 0
    for number, frame in enumerate(frames):
        time = frame.time if frame.time is not None else number / fps
        start = time if start is None else start
        while last is not None and time - start > (given + 0.5) / fps:
            if given > LONGEST * fps:
                raise _too_long(source)
            yield last
            given += 1
        last = frame
    if last is not None:
        yield last


def _shape(source: Path, frame: Any, track: Any, max_side: int) -> tuple[int, int]:
    """Height and width, upright and even, of the pictures that are made of frames like this."""
    aspect = float(track.sample_aspect_ratio or 1)
    w, h = frame.width * aspect, float(frame.height)
    if _quarters(frame) % 2:
        w, h = h, w
    scale = min(1.0, max_side / max(w, h))
    rows, columns = (2 * round(side * scale / 2) for side in (h, w))
    if min(rows, columns) < MIN_SIDE:
        raise InputError(f"{source.name} is too small ({columns}x{rows}); give a video of at least {MIN_SIDE} pixels.")
    return rows, columns


def _quarters(frame: Any) -> int:
    """Quarter turns, anticlockwise, that the file asks for: phones film lying down and say so."""
    return int(round(frame.rotation / 90) % 4)


def _upright(frame: Any, shape: tuple[int, int], reformatter: Any) -> Image:
    import cv2
    from av.video.reformatter import Interpolation

    quality = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
    light = {"dst_color_trc": BT709, "dst_color_primaries": BT709} if frame.color_trc in HDR else {}
    rgb = reformatter.reformat(frame, format="rgb24", interpolation=quality, **light).to_ndarray()
    image: Image = np.rot90(rgb, _quarters(frame))
    if image.shape[:2] != shape:
        image = cv2.resize(np.ascontiguousarray(image), shape[::-1], interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(image)


def _too_long(source: Path) -> InputError:
    return InputError(f"{source.name} is too long: at most {LONGEST:g} seconds of video can be used; cut it shorter.")
