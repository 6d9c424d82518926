"""The only place that decodes, resamples, levels or writes sound. Everything here is mono float32 in [-1, 1]."""

from __future__ import annotations

import os
import wave
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from linly.errors import InputError
from linly.files import replacing
from linly.values import Audio, Floats, frame_count

DEMUXERS = "wav,w64,aiff,mp3,mov,flac,ogg,aac,amr,matroska,webm,avi,mpegts,mpeg"
"""Containers that may be opened. Play lists are not among them: they could name other files or addresses."""
SHORTEST = 1.0
"""Seconds that must decode before a damaged file is used for what it still holds."""
SILENCE = -55.0
"""Sound whose loudest 50 ms stay below this level (dBFS) counts as silent."""
_LEAST_BYTES = 300.0
"""Bytes that a second of sound takes at the very least; a header that claims less is not believed."""
_FILTER = {"filter_size": "64", "cutoff": "0.95", "rematrix_maxval": "1.0"}
"""Resampling filter; the last setting makes mono of stereo the mean, which cannot clip, and not their scaled sum."""


def load(path: str | os.PathLike[str], *, max_seconds: float, rate: int | None = None) -> Audio:
    """The sound of a file (wav, mp3, m4a, flac, ogg and others, or the sound track of a video), mixed to mono.

    `max_seconds` is the longest sound taken; decoding stops as soon as more is found, so memory stays bounded
    whatever a header claims. `rate` in hertz asks for resampling on the way; None keeps the file's own.
    Raises InputError (one sentence) if the file is missing, empty, not sound, damaged or too long.
    """
    source = _existing(Path(path))
    read = _Reader(source, max_seconds, rate)
    pieces = list(read)
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    audio = Audio(np.clip(samples, -1.0, 1.0, out=samples), read.rate or 1)
    if not len(audio.samples):
        raise InputError(f"{source.name} holds no sound that can be decoded; give a wav, mp3, m4a, flac or ogg file.")
    if read.damaged and audio.seconds < SHORTEST:
        raise InputError(f"{source.name} is damaged: only {audio.seconds:.1f} s can be decoded; export it again.")
    return audio


def _existing(path: Path) -> Path:
    try:
        if path.is_dir():
            raise InputError(f"{path.name or path} is a folder; give a sound or video file.")
        if not path.exists():
            raise InputError(f"There is no file {path}; check the name.")
        if not path.stat().st_size:
            raise InputError(f"{path.name} is empty (0 bytes); export or copy it again.")
        with path.open("rb"):
            return path
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name} cannot be read ({getattr(error, 'strerror', None) or error}).") from error


class _Reader:
    """Decodes one file piece by piece; afterwards `rate` and `damaged` tell what was met."""

    def __init__(self, path: Path, max_seconds: float, rate: int | None) -> None:
        self.path, self.max_seconds, self.rate, self.damaged = path, max_seconds, rate, False

    def __iter__(self) -> Iterator[Floats]:
        import av

        try:
            container = av.open(f"file:{self.path}", options={"format_whitelist": DEMUXERS}, metadata_errors="ignore")
        except (av.FFmpegError, UnicodeError) as error:
            raise InputError(
                f"{self.path.name} is not a sound file, or damaged; give a wav, mp3, m4a, flac or ogg file, or a video."
            ) from error
        with container:
            if not container.streams.audio:
                if container.streams.video:
                    raise InputError(f"{self.path.name} has no sound track; give a file with sound.")
                raise InputError(f"{self.path.name} holds no sound; give a wav, mp3, m4a, flac or ogg file.")
            self._refuse_long(container)
            yield from self._decode(container, container.streams.audio[0])

    def _refuse_long(self, container: Any) -> None:
        seconds = (container.duration or 0) / 1e6
        if seconds > self.max_seconds and self.path.stat().st_size > seconds * _LEAST_BYTES:
            raise self._too_long()

    def _too_long(self) -> InputError:
        limit = f"{self.max_seconds / 60:g} minutes" if self.max_seconds >= 60 else f"{self.max_seconds:g} seconds"
        return InputError(f"{self.path.name} is too long: at most {limit} of sound can be used; cut it into parts.")

    def _decode(self, container: Any, stream: Any) -> Iterator[Floats]:
        import av

        stream.thread_type = "AUTO"
        resampler: Any = None
        total = 0
        for frame in self._frames(container, stream):
            if resampler is None:
                self.rate = self.rate or frame.sample_rate
                resampler = av.AudioResampler("fltp", "mono", self.rate, options=_FILTER)
            frame.pts = None
            for out in resampler.resample(frame):
                total += out.samples
                if total > self.max_seconds * out.sample_rate:
                    raise self._too_long()
                yield self._finite(out)
        if resampler is not None:
            yield from (self._finite(out) for out in resampler.resample(None))

    def _frames(self, container: Any, stream: Any) -> Iterator[Any]:
        import av

        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                yield from packet.decode()
            except av.EOFError:
                return
            except av.FFmpegError:
                self.damaged = True  # a bad packet; what follows may be whole again

    def _finite(self, frame: Any) -> Floats:
        samples: Floats = frame.to_ndarray()[0]
        if not np.isfinite(samples).all():
            raise InputError(f"{self.path.name} is damaged: it holds values that are not numbers; export it again.")
        return samples.copy()


def faster(audio: Audio, tempo: float) -> Audio:
    """The same at `tempo` times the speed (0.5 to 2) and at the same pitch, by FFmpeg's atempo, which overlaps pieces
    where they are most alike (WSOLA; Verhelst and Roelands, 1993)."""
    import av
    from av.filter import Graph

    graph = Graph()
    source = graph.add_abuffer(sample_rate=audio.rate, format="flt", layout="mono")
    stretch, sink = graph.add("atempo", f"{tempo:.6f}"), graph.add("abuffersink")
    source.link_to(stretch)
    stretch.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(audio.samples[None], np.float32), "flt", "mono")
    frame.sample_rate = audio.rate
    made: list[Floats] = []
    for piece in (frame, None):
        graph.push(piece)
        while True:
            try:
                made.append(np.asarray(graph.pull().to_ndarray(), np.float32).reshape(-1))
            except (av.error.BlockingIOError, av.error.EOFError):
                break
    return Audio(np.concatenate(made), audio.rate)


def resample(audio: Audio, rate: int) -> Audio:
    """The same sound at `rate` hertz: band-limited (64 taps, pass band to 0.95 of the lower Nyquist), no delay."""
    if rate == audio.rate or not len(audio.samples):
        return Audio(audio.samples, rate)
    import av

    resampler = av.AudioResampler("fltp", "mono", rate, options=_FILTER)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(audio.samples[None]), format="fltp", layout="mono")
    frame.sample_rate = audio.rate
    pieces = [out.to_ndarray()[0] for part in (frame, None) for out in resampler.resample(part)]
    wanted = round(len(audio.samples) * rate / audio.rate)
    return Audio(_fitted(np.concatenate(pieces), wanted), rate)


def _fitted(samples: Floats, length: int) -> Floats:
    """(length,) samples, cut or padded with silence at the end."""
    out = np.zeros(length, np.float32)
    out[: min(length, len(samples))] = samples[:length]
    return out


def concat(pieces: Iterable[Audio]) -> Audio:
    """One sound after the other. Raises ValueError if there is none or if their rates differ."""
    parts = list(pieces)
    rates = {part.rate for part in parts}
    if len(rates) != 1:
        raise ValueError(f"sounds to join must share one rate, got {sorted(rates) or 'no sound'}")
    return Audio(np.concatenate([part.samples for part in parts]), parts[0].rate)


def silence(seconds: float, rate: int) -> Audio:
    """Nothing, for `seconds`."""
    return Audio(np.zeros(round(seconds * rate), np.float32), rate)


def pad_to_frames(audio: Audio, fps: float) -> Audio:
    """The sound with silence at its end, so that it lasts exactly frame_count(seconds, fps) pictures."""
    return Audio(_fitted(audio.samples, round(frame_count(audio.seconds, fps) * audio.rate / fps)), audio.rate)


def fade(audio: Audio, start: float = 0.0, end: float = 0.0) -> Audio:
    """The sound with raised-cosine ramps of `start` and `end` seconds, against clicks at its edges."""
    samples = audio.samples.copy()
    first, last = (min(len(samples), round(seconds * audio.rate)) for seconds in (start, end))
    if first:
        samples[:first] *= _ramp(first)
    if last:
        samples[-last:] *= _ramp(last)[::-1]
    return Audio(samples, audio.rate)


def _ramp(n: int) -> Floats:
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(n) + 0.5) / n)).astype(np.float32)


def _decibels(power: Floats) -> Floats:
    return (10 * np.log10(np.maximum(power, 1e-12))).astype(np.float32)


def _powers(audio: Audio, seconds: float) -> Floats:
    """(n,) mean square of each `seconds` long block; a single block if the sound is shorter."""
    size = max(1, min(len(audio.samples), round(seconds * audio.rate)))
    whole = audio.samples[: len(audio.samples) // size * size].reshape(-1, size)
    powers: Floats = np.mean(np.square(whole), axis=1, dtype=np.float32)
    return powers


def is_silent(audio: Audio) -> bool:
    """True if nothing in it is loud enough (SILENCE) to be speech; true for empty sound."""
    return not len(audio.samples) or bool(_decibels(_powers(audio, 0.05)).max() < SILENCE)


@dataclass(frozen=True)
class Loudness:
    """How loud a sound is, in dBFS."""

    speech: float
    """mean power of the blocks that hold speech"""
    peak: float
    """largest sample"""


def loudness(audio: Audio) -> Loudness:
    """Level of the speech, pauses left out: 0.4 s blocks within 10 dB of the mean of the audible ones.

    The gating is that of ITU-R BS.1770-4, without its K filter, which hardly changes the level of one voice.
    """
    if is_silent(audio):
        return Loudness(-120.0, -120.0)
    powers = _powers(audio, 0.4)
    audible = powers[_decibels(powers) > SILENCE - 10]
    audible = audible if len(audible) else powers
    loud = audible[audible >= audible.mean() / 10]
    peak = np.abs(audio.samples).max()
    return Loudness(float(_decibels(loud.mean())), float(2 * _decibels(peak) if peak else -120.0))


def level(audio: Audio, target: float = -20.0, ceiling: float = -1.0) -> Audio:
    """The sound with its speech brought to `target` dBFS and no sample above `ceiling` dBFS. Silence stays as it is."""
    now = loudness(audio)
    if now.speech <= -120.0:
        return audio
    return limit(Audio(audio.samples * np.float32(10 ** ((target - now.speech) / 20)), audio.rate), ceiling)


def limit(audio: Audio, ceiling: float = -1.0) -> Audio:
    """Look-ahead limiter (5 ms): peaks above `ceiling` dBFS are turned down smoothly, the rest is untouched."""
    top = 10 ** (ceiling / 20)
    size = np.abs(audio.samples)
    if not len(size) or size.max() <= top:
        return audio
    reach = max(1, round(0.005 * audio.rate))
    gain = np.minimum(1.0, top / np.maximum(size, 1e-9))
    # Least gain within +-reach, then a mean over the same width: every mean that covers a peak is at most its gain.
    held = _least(np.pad(gain, 2 * reach, mode="edge"), 2 * reach + 1)
    sums = np.cumsum(np.concatenate(([0.0], held)))
    smooth = (sums[2 * reach + 1 :] - sums[: -(2 * reach + 1)]) / (2 * reach + 1)
    limited = audio.samples * smooth
    return Audio(np.clip(limited, -top, top).astype(np.float32), audio.rate)


def _least(values: np.ndarray[Any, Any], width: int) -> np.ndarray[Any, Any]:
    """(n - width + 1,) minimum of each run of `width` values, by doubling."""
    out, span = values, 1
    while span < width:
        step = min(span, width - span)
        out = np.minimum(out[:-step], out[step:])
        span += step
    return out


def write_wav(audio: Audio, path: str | os.PathLike[str]) -> Path:
    """Write 16-bit PCM; the file appears under its name only when whole. Raises InputError if it cannot be written."""
    pcm = np.round(np.clip(audio.samples, -1.0, 1.0) * 32767).astype("<i2")
    with replacing(path) as part, part.open("wb") as file, wave.open(file) as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(audio.rate)
        out.writeframes(pcm.tobytes())
    return Path(path)
