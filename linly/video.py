"""The only place that writes videos: pictures and sound become a file while they are made, and are read back.

A picture is drawn while the one before is encoded (encoders.py), in a thread of its own.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any

import numpy as np

from linly.encoders import MP4, Encoder, Kind, kind_of
from linly.errors import EngineFailed, InputError
from linly.files import check_writable, publish, replacing, temporary, why
from linly.values import Audio, Floats, Image, VideoFile

__all__ = ["Writer", "check_writable", "probe", "read_frames", "read_metadata", "write_png"]

QUEUE = 8
"""Pictures that may wait for the encoder: enough to smooth its pace, few enough to keep memory flat (50 MB at 1080)."""


class Writer:
    """Writes one video. Use as a context manager; `finish()` gives the VideoFile.

    path: ending in .mov (ProRes 4444, PCM sound) or .webm (VP9, Opus sound) the video has transparency and is given
    RGBA pictures; any other ending is an MP4 (H.264, AAC) of RGB pictures.
    size: width, height in pixels, both even. fps: hertz. rate: hertz of every sound given, one that the codec knows.
    crf, preset: x264's quality (18 looks lossless, larger is smaller) and speed. metadata: tags (title, comment, ...).
    faststart: the index is moved to the front, so that a browser plays before all is loaded.
    kind: one of encoders.py instead of the one that the ending stands for.
    fragmented: the MP4 can be played while it is written (a fragment a second); no faststart then.
    The file appears under its name only when it is whole; whatever goes wrong leaves nothing behind.
    Raises InputError if the file cannot be written (also from `add` and `finish`: the disk may fill up meanwhile).
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        size: tuple[int, int],
        fps: float,
        rate: int,
        *,
        crf: int = 18,
        preset: str = "superfast",
        metadata: Mapping[str, str] | None = None,
        faststart: bool = True,
        fragmented: bool = False,
        kind: Kind | None = None,
    ) -> None:
        if size[0] % 2 or size[1] % 2 or min(size) < 2:
            raise ValueError(f"both sides of a video must be even, got {size[0]}x{size[1]}")
        self.kind = kind = kind or kind_of(Path(path))
        if kind.rates and rate not in kind.rates:
            raise ValueError(f"{kind.sound} knows no rate of {rate} Hz; resample to one of {kind.rates}")
        if fragmented and kind is not MP4:
            raise ValueError("only an MP4 can be written in fragments")
        self.path, self.size, self.fps, self.rate = check_writable(path).absolute(), size, Fraction(fps), rate
        self.fps = self.fps.limit_denominator(1001)
        self.frames = 0
        self._heard = 0
        self._part = temporary(self.path)
        self._queue: queue.Queue[Any] = queue.Queue(QUEUE)
        self.encode_seconds = 0.0
        """how long the encoder has worked; it works beside the thread that adds pictures"""
        self._failure: BaseException | None = None
        self._stop = threading.Event()
        try:
            self._encoder = Encoder(
                self._part,
                kind,
                size,
                self.fps,
                rate,
                crf=crf,
                preset=preset,
                metadata=dict(metadata or {}),
                faststart=faststart,
                fragmented=fragmented,
            )
        except BaseException as error:
            self._part.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise why(self.path, error) from error
            raise
        self._thread = threading.Thread(target=self._work, name="linly-encoder", daemon=True)
        self._thread.start()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()

    def add(self, frames: Iterable[Image], audio: Audio) -> None:
        """One utterance: its pictures ((h, w, 3) RGB uint8, may be one reused buffer) and its sound, padded to them.

        A video with transparency takes (h, w, 4) RGBA, straight (not premultiplied).
        Raises ValueError if size, rate or length do not fit, InputError if the disk is full.
        """
        if audio.rate != self.rate:
            raise ValueError(f"this video's sound is at {self.rate} Hz, got {audio.rate} Hz")
        shape = (self.size[1], self.size[0], 4 if self.kind.alpha else 3)
        begin = self._heard
        for image in frames:
            if image.shape != shape or image.dtype != np.uint8:
                raise ValueError(f"pictures must be {shape} uint8, got {image.shape} {image.dtype}")
            self.frames += 1
            self._put((self._encoder.picture(image), self._sound(audio, begin)))
        # A sample may be over or missing: sentences round to whole samples one by one, the video as a whole.
        if abs(begin + len(audio.samples) - self._heard) > 1:
            seen = (self._heard - begin) / self.rate
            raise ValueError(f"{seen:.3f} s of pictures came with {audio.seconds:.3f} s of sound; pad the sound first")

    def _sound(self, audio: Audio, begin: int) -> Floats:
        """The samples that last up to the end of the picture counted last."""
        end = round(self.frames * self.rate / self.fps)
        piece = audio.samples[max(0, self._heard - begin) : end - begin]
        missing = end - self._heard - len(piece)
        self._heard = end
        return np.pad(piece, (0, missing)) if missing else piece

    def finish(self) -> VideoFile:
        """Write what is left, check the file by reading it back, and give it its name."""
        if not self.frames:
            raise ValueError("a video needs at least one picture")
        self._put(None)
        self._thread.join()
        self._raise()
        try:
            found = probe(self._part)
            if found.frames != self.frames or found.size != self.size:
                raise EngineFailed(f"The encoder wrote {found.frames} of {self.frames} pictures; try again.")
            publish(self._part, self.path)
        except OSError as error:
            raise why(self.path, error) from error
        finally:
            self._part.unlink(missing_ok=True)
        return VideoFile(self.path, found.seconds, found.fps, found.size, found.frames, found.audio_seconds)

    def abort(self) -> None:
        """Stop and remove what was written so far; does nothing after `finish`."""
        self._stop.set()
        self._thread.join()
        self._part.unlink(missing_ok=True)

    def _put(self, item: Any) -> None:
        while True:
            self._raise()
            try:
                return self._queue.put(item, timeout=0.2)
            except queue.Full:
                continue

    def _raise(self) -> None:
        if isinstance(self._failure, OSError):
            raise why(self.path, self._failure) from self._failure
        if self._failure is not None:
            raise EngineFailed(f"The video encoder failed: {self._failure}.") from self._failure

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    item = self._queue.get(timeout=0.2)
                except queue.Empty:
                    continue
                if item is None:
                    break
                began = perf_counter()
                self._encoder.encode(*item)
                self.encode_seconds += perf_counter() - began
            began = perf_counter()
            self._encoder.close(whole=not self._stop.is_set())
            self.encode_seconds += perf_counter() - began
        except BaseException as error:  # handed to the thread that adds pictures
            self._failure = error
            self._encoder.close(whole=False)


def probe(path: str | os.PathLike[str]) -> VideoFile:
    """Measure a video by walking its packets. Raises InputError if it cannot be read or lacks picture or sound."""
    with _opened(path) as container:
        if not container.streams.video or not container.streams.audio:
            raise InputError(f"{Path(path).name} lacks {'a sound' if container.streams.video else 'a picture'} track.")
        video, audio = container.streams.video[0], container.streams.audio[0]
        fps = float(video.average_rate or video.guessed_rate or 0)
        ends = {video.index: Fraction(0), audio.index: Fraction(0)}
        frames = 0
        for packet in container.demux(video, audio):
            if packet.pts is None:
                continue
            frames += packet.stream.index == video.index
            end = (packet.pts + (packet.duration or 0)) * packet.time_base
            ends[packet.stream.index] = max(ends[packet.stream.index], end)
        size = (video.codec_context.width, video.codec_context.height)
        return VideoFile(Path(path), float(ends[video.index]), fps, size, frames, float(ends[audio.index]))


def read_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """The tags of a video or sound file (title, comment, ...). Raises InputError if it cannot be read."""
    with _opened(path) as container:
        shouts = "webm" in container.format.name  # WebM writes all names in capitals
        return {name.lower() if shouts else name: value for name, value in container.metadata.items()}


def read_frames(path: str | os.PathLike[str], *, alpha: bool = False) -> Iterator[Image]:
    """The pictures of a video, (h, w, 3) RGB uint8 each, one at a time. Raises InputError if it cannot be read.

    alpha: (h, w, 4) RGBA instead, straight; wholly opaque where the video knows no transparency.
    """
    from av.video.reformatter import Interpolation

    with _opened(path) as container:
        if not container.streams.video:
            raise InputError(f"{Path(path).name} has no picture.")
        quality = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
        for frame in _decoded(container, container.streams.video[0], alpha):
            yield frame.to_ndarray(format="rgba" if alpha else "rgb24", interpolation=quality)


def _decoded(container: Any, stream: Any, alpha: bool) -> Iterator[Any]:
    import av

    if not alpha or stream.codec_context.name != "vp9":
        yield from container.decode(stream)
        return
    decoder: Any = av.CodecContext.create("libvpx-vp9", "r")  # ffmpeg's own drops the transparency
    for packet in container.demux(stream):
        yield from decoder.decode(packet if packet.size else None)


def _opened(path: str | os.PathLike[str]) -> Any:
    import av

    from linly.audio import DEMUXERS

    try:
        return av.open(f"file:{os.fspath(path)}", options={"format_whitelist": DEMUXERS}, metadata_errors="ignore")
    except (av.FFmpegError, UnicodeError, OSError) as error:
        raise InputError(f"{Path(path).name} cannot be read as a video; check the file.") from error


def write_png(image: Image, path: str | os.PathLike[str]) -> Path:
    """Write one (h, w, 3) RGB or (h, w, 4) RGBA uint8 picture. Raises InputError if it cannot be written."""
    from PIL import Image as Pictures

    with replacing(path) as part:
        Pictures.fromarray(image).save(part, format="PNG")
    return Path(path)
