"""Who speaks: a speaker encoder that turns speech into 256 numbers, near each other when the person is the same.

GE2E (Wan, Wang, Papir and Lopez Moreno, "Generalized end-to-end loss for speaker verification", 2018) with the weights
of Resemblyzer: a mel spectrogram in windows of 1.6 s, three LSTM layers, one projection. The weights come as a torch
file, which is never unpickled: the manifest pins its bytes, so the numbers lie at known places. They are written out as
an ONNX graph in memory and run on one thread: a network this small only loses time when threads wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from linly import audio as sound
from linly import weights
from linly.errors import EngineFailed, InputError
from linly.speak.graph import field
from linly.values import Audio, Floats

MODEL = "speaker-encoder"
"""name in weights.toml"""
VERSION = 1
"""one more whenever the same sound would give another embedding: what was derived with it is then made anew"""
RATE = 16000
"""hertz"""
SIZE = 256
"""of an embedding and of each layer"""
SECONDS = 1.6
"""length of a window"""
MOST_WINDOWS = 240
"""of one sound, spread evenly over it: three minutes at the usual step"""
_MELS, _FFT, _HOP, _FRAMES, _STEP = 40, 400, 160, 160, 77
"""bands; samples of a frame and between frames; frames of a window and between windows"""
_COVERED = 0.75
"""a last window may hold this share of sound and end in silence"""
_LEVEL = -23.0
"""dBFS of the speech that the network hears. It takes power, not its logarithm, so that level changes what it says: the
original only raises quiet sound to -30, and the same clip played softly then scores 0.85 to 0.9 against itself."""
_AT_LINEAR, _AT_BIAS, _AT_LSTM = 7731, 6699, 269883
"""where the numbers lie in the pinned file, in bytes; the LSTM's are one run: weights layer by layer, then biases"""
_LSTM_NUMBERS = 1357824


class SpeakerEncoder:
    """The encoder, loaded. It holds no state between calls: threads may share it."""

    def __init__(self, folder: Path) -> None:
        """folder: where the manifest's `speaker-encoder` lies. Raises EngineFailed if its file is not there."""
        try:
            data = (folder / "pretrained.pt").read_bytes()
        except OSError as error:
            raise EngineFailed(
                f"The speaker encoder is not here: run `python -m linly weights pull {MODEL}`."
            ) from error
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(_graph(data), options, providers=["CPUExecutionProvider"])

    def embed(self, audio: Audio) -> Floats:
        """(256,) float32 unit vector of who speaks; sound of any rate, length and level, pauses are left out.

        Raises InputError for silence.
        """
        _, each = self.windows(audio)
        return _unit(each.mean(axis=0))

    def windows(self, audio: Audio) -> tuple[Floats, Floats]:
        """(n,) middle of each window of 1.6 s, in seconds of the sound as given, and (n, 256) its unit vector.

        Raises InputError for silence.
        """
        if sound.is_silent(audio):
            raise InputError("There is only silence in this sound: record it again, closer to the microphone.")
        heard = sound.resample(audio, RATE)
        samples, places = _without_pauses(heard.samples)
        samples = _levelled(samples)
        starts = _starts(len(samples))
        needed = (starts[-1] + _FRAMES) * _HOP
        power = _power(np.pad(samples, (0, max(0, needed - len(samples)))))
        pieces = [self._run(power[starts[at : at + 16, None] + np.arange(_FRAMES)]) for at in range(0, len(starts), 16)]
        middles = np.minimum((starts + _FRAMES // 2) * _HOP, len(samples) - 1)
        return (places[middles] / RATE).astype(np.float32), np.concatenate(pieces)

    def _run(self, windows: Floats) -> Floats:
        """(n, 256) unit vectors of (n, 160, 201) power spectra."""
        (raw,) = self._session.run(None, {"power": np.ascontiguousarray(windows.transpose(1, 0, 2))})
        return _unit(np.maximum(raw, 0.0))


@cache
def encoder(folder: Path) -> SpeakerEncoder:
    """The encoder of a folder, loaded once and shared."""
    return SpeakerEncoder(folder)


def opened() -> SpeakerEncoder:
    """The manifest's encoder, loaded once. Raises EngineUnavailable that says how to get it if it is not here."""
    weights.verify_once(MODEL)
    return encoder(weights.folder(MODEL))


def similarity(a: Floats, b: Floats) -> float:
    """Cosine of two embeddings: about 0.9 for two clips of one person, 0.5 to 0.75 for two people."""
    return float(np.dot(_unit(a), _unit(b)))


def _floats(data: bytes, at: int, count: int) -> Floats:
    return np.frombuffer(data, "<f4", count, at).astype(np.float32)


def _unit(values: Floats) -> Floats:
    out: Floats = (values / np.maximum(np.linalg.norm(values, axis=-1, keepdims=True), 1e-9)).astype(np.float32)
    return out


def _graph(data: bytes) -> bytes:
    """The network as an ONNX model: power spectra (160, n, 201) in, (n, 256) before rectifying out."""
    weights: dict[str, Floats] = {"bands": _bands()}
    steps = [_node("MatMul", ("power", "bands"), ("y0",))]
    gates = [SIZE * k + i for k in (0, 3, 1, 2) for i in range(SIZE)]  # torch has i f g o, ONNX i o f g
    numbers, at, biases = _floats(data, _AT_LSTM, _LSTM_NUMBERS), 0, _LSTM_NUMBERS - 3 * 2 * 4 * SIZE
    for layer, below in enumerate((_MELS, SIZE, SIZE)):
        for name, width in (("w", below), ("r", SIZE)):
            weights[f"{name}{layer}"] = numbers[at : at + 4 * SIZE * width].reshape(4 * SIZE, width)[gates][None]
            at += 4 * SIZE * width
        both = numbers[biases + layer * 8 * SIZE :][: 8 * SIZE].reshape(2, 4 * SIZE)
        weights[f"b{layer}"] = both[:, gates].reshape(1, -1)
        inputs = (f"y{layer}", *(f"{name}{layer}" for name in "wrb"))
        steps.append(_node("LSTM", inputs, (f"all{layer}", f"last{layer}"), {"hidden_size": SIZE}))
        steps.append(_node("Squeeze", (f"all{layer}", "one"), (f"y{layer + 1}",)))
    steps.append(_node("Squeeze", ("last2", "zero"), ("last",)))
    steps.append(_node("Gemm", ("last", "linear", "bias"), ("raw",), {"transB": 1}))
    weights |= {"linear": _floats(data, _AT_LINEAR, SIZE * SIZE).reshape(SIZE, SIZE)}
    weights |= {"bias": _floats(data, _AT_BIAS, SIZE)}
    tensors = [_tensor(name, values) for name, values in weights.items()]
    tensors += [_tensor("zero", np.zeros(1, np.int64)), _tensor("one", np.ones(1, np.int64))]
    body = b"".join(field(1, step) for step in steps) + field(2, "speaker") + b"".join(field(5, t) for t in tensors)
    ends = field(11, field(1, "power") + field(2, field(1, _number(1, 1)))) + field(12, field(1, "raw"))
    return _number(1, 8) + field(7, body + ends) + field(8, _number(2, 14))


def _node(operator: str, inputs: tuple[str, ...], outputs: tuple[str, ...], given: Mapping[str, int] = {}) -> bytes:
    names = b"".join(field(1, name) for name in inputs) + b"".join(field(2, name) for name in outputs)
    settings = (field(1, name) + _number(3, value) + _number(20, 2) for name, value in given.items())
    return names + field(4, operator) + b"".join(field(5, one) for one in settings)


def _tensor(name: str, values: Any) -> bytes:
    kind = 7 if values.dtype == np.int64 else 1
    sides = b"".join(_number(1, side) for side in values.shape)
    return sides + _number(2, kind) + field(8, name) + field(9, values.tobytes())


def _number(number: int, value: int) -> bytes:
    """A field of Protocol Buffers that holds a number."""
    out = bytearray()
    for whole in (number << 3, value):
        left = whole
        while left > 127:
            out.append(left & 127 | 128)
            left >>= 7
        out.append(left)
    return bytes(out)


def _starts(samples: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """First frame of every window over so many samples: at least one, thinned out evenly where there are too many."""
    frames = samples // _HOP + 1
    starts = np.arange(0, max(1, frames - _FRAMES + _STEP + 1), _STEP)
    if len(starts) > 1 and (samples - starts[-1] * _HOP) / (_FRAMES * _HOP) < _COVERED:
        starts = starts[:-1]
    if len(starts) > MOST_WINDOWS:
        starts = starts[np.linspace(0, len(starts) - 1, MOST_WINDOWS).astype(np.int64)]
    return starts


def _levelled(samples: Floats) -> Floats:
    """The sound at the level that the network hears best."""
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return samples * np.float32(10 ** (_LEVEL / 20) / max(1e-9, power**0.5))


def _without_pauses(samples: Floats) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """The sound without what is 30 dB below its speech for longer than 0.2 s, and where each sample was before."""
    block = RATE // 100
    whole = samples[: len(samples) // block * block]
    if len(whole) < 20 * block:
        return samples, np.arange(len(samples))
    power = 10 * np.log10(np.square(whole).reshape(-1, block).mean(axis=1) + 1e-12)
    loud = (power > np.percentile(power, 95) - 30).astype(np.float32)
    near = np.convolve(loud, np.ones(21), mode="same") > 0.5  # 0.1 s before and after
    places = np.flatnonzero(np.repeat(near, block))
    return samples[places], places


def _power(samples: Floats) -> Floats:
    """(t, 201) power spectrum: Hann frames of 25 ms every 10 ms, centred, silence beyond the ends."""
    padded = np.pad(samples, _FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP]
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FFT) / _FFT)).astype(np.float32)
    pieces = []
    for at in range(0, len(frames), 4096):  # bounded memory, however long the sound
        spectrum = np.abs(np.fft.rfft(frames[at : at + 4096] * window, axis=1))
        pieces.append(np.square(spectrum).astype(np.float32))
    return np.concatenate(pieces)


def _bands() -> Floats:
    """(201, 40) triangular bands of equal area, evenly spaced on the mel scale of Slaney's Auditory Toolbox (1998):
    linear to 1 kHz, logarithmic above."""
    step = np.log(6.4) / 27
    top = 15 + np.log(RATE / 2 / 1000) / step
    mels = np.linspace(0, top, _MELS + 2)
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp(step * (mels - 15)))
    bins = np.linspace(0, RATE / 2, _FFT // 2 + 1)[:, None]
    up = (bins - edges[:-2]) / np.diff(edges)[:-1]
    down = (edges[2:] - bins) / np.diff(edges)[1:]
    bands: Floats = (np.maximum(0, np.minimum(up, down)) * 2 / (edges[2:] - edges[:-2])).astype(np.float32)
    return bands
