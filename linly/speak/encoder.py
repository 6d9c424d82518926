"""Who speaks: a speaker encoder that turns speech into 256 numbers, near each other when the person is the same.

GE2E (Wan, Wang, Papir and Lopez Moreno, "Generalized end-to-end loss for speaker verification", 2018) with the weights
of Resemblyzer: a mel spectrogram in windows of 1.6 s, three LSTM layers, one projection. It runs in numpy alone. The
weights come as a torch file, which is never unpickled: the manifest pins its bytes, so the numbers lie at known places.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from linly import audio as sound
from linly import weights
from linly.errors import EngineFailed, InputError
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
        self._linear = _floats(data, _AT_LINEAR, SIZE * SIZE).reshape(SIZE, SIZE).T
        self._bias = _floats(data, _AT_BIAS, SIZE)
        self._layers = _layers(_floats(data, _AT_LSTM, _LSTM_NUMBERS))

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
        mel = _mel(np.pad(samples, (0, max(0, needed - len(samples)))))
        # Few at a time: larger products would be spread over threads, which on a busy machine wait for each other.
        pieces = [self._run(mel[starts[at : at + 4, None] + np.arange(_FRAMES)]) for at in range(0, len(starts), 4)]
        middles = np.minimum((starts + _FRAMES // 2) * _HOP, len(samples) - 1)
        return (places[middles] / RATE).astype(np.float32), np.concatenate(pieces)

    def _run(self, mels: Floats) -> Floats:
        """(n, 256) unit vectors of (n, 160, 40) windows."""
        values = mels
        for into, within, bias in self._layers:
            values = _lstm(values @ into + bias, within)
        return _unit(np.maximum(values[:, -1] @ self._linear + self._bias, 0.0))


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


def _layers(numbers: Floats) -> list[tuple[Floats, Floats, Floats]]:
    """For each layer the weights from below (k, 1024) and from the last step (256, 1024), and the bias (1024,)."""
    gates, at, pairs = 4 * SIZE, 0, []
    for below in (_MELS, SIZE, SIZE):
        into = numbers[at : at + gates * below].reshape(gates, below).T
        at += gates * below
        within = numbers[at : at + gates * SIZE].reshape(gates, SIZE).T
        at += gates * SIZE
        pairs.append((np.ascontiguousarray(into), np.ascontiguousarray(within)))
    biases = numbers[at:].reshape(3, 2, gates).sum(axis=1)
    return [(into, within, bias) for (into, within), bias in zip(pairs, biases, strict=True)]


def _lstm(driven: Floats, within: Floats) -> Floats:
    """(n, t, 256) hidden states of a layer (Hochreiter and Schmidhuber, 1997); driven (n, t, 1024): i, f, g, o."""
    n, steps, _ = driven.shape
    hidden, cell = np.zeros((n, SIZE), np.float32), np.zeros((n, SIZE), np.float32)
    out = np.empty((n, steps, SIZE), np.float32)
    for t in range(steps):
        gates = driven[:, t] + hidden @ within
        take, keep, give = (_sigmoid(gates[:, SIZE * k : SIZE * (k + 1)]) for k in (0, 1, 3))
        cell = keep * cell + take * np.tanh(gates[:, 2 * SIZE : 3 * SIZE])
        hidden = give * np.tanh(cell)
        out[:, t] = hidden
    return out


def _sigmoid(x: Floats) -> Floats:
    out: Floats = 0.5 + 0.5 * np.tanh(0.5 * x)
    return out


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


def _mel(samples: Floats) -> Floats:
    """(t, 40) power mel spectrogram: Hann frames of 25 ms every 10 ms, centred, silence beyond the ends."""
    padded = np.pad(samples, _FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP]
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FFT) / _FFT)).astype(np.float32)
    pieces = []
    for at in range(0, len(frames), 4096):  # bounded memory, however long the sound
        power = np.abs(np.fft.rfft(frames[at : at + 4096] * window, axis=1)) ** 2
        pieces.append((power @ _bands()).astype(np.float32))
    return np.concatenate(pieces)


@cache
def _bands() -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """(201, 40) triangular bands of equal area, evenly spaced on the mel scale of Slaney's Auditory Toolbox (1998):
    linear to 1 kHz, logarithmic above."""
    step = np.log(6.4) / 27
    top = 15 + np.log(RATE / 2 / 1000) / step
    mels = np.linspace(0, top, _MELS + 2)
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp(step * (mels - 15)))
    bins = np.linspace(0, RATE / 2, _FFT // 2 + 1)[:, None]
    up = (bins - edges[:-2]) / np.diff(edges)[:-1]
    down = (edges[2:] - bins) / np.diff(edges)[1:]
    bands: np.ndarray[tuple[int, int], np.dtype[np.float64]]
    bands = np.maximum(0, np.minimum(up, down)) * 2 / (edges[2:] - edges[:-2])
    return bands
