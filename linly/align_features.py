"""What the aligner compares: cepstra and slopes of a sound every 10 ms, where it is silent, and how high the voice is.

Cepstra: Davis and Mermelstein, "Comparison of parametric representations for monosyllabic word recognition" (1980).
A clean reference is given the recording's noise before the two are compared, as in parallel model combination (Gales
and Young, 1996), because noise hides the quiet sounds of one that stand out in the other. numpy only.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from linly.audio import resample
from linly.values import Audio

Array = NDArray[np.float64]

RATE = 16000
HOP = 0.010
"""seconds between frames"""
WINDOW = 0.025
"""seconds seen by a frame"""
MELS, CEPSTRA = 32, 14
SILENCE = -38.0
"""dB below loud speech: quieter is silence"""
FLOOR = -60.0
"""dB below loud speech that every band holds at least, so that digital silence has a shape"""
ABOVE_NOISE = 2.5
"""dB that sound stands above the noise in the mean of the bands; less is silence"""
_PITCHES = (70.0, 400.0)
"""hertz"""


class Spectrum:
    """Power in mel bands over time, (n, MELS), with loud speech at 1 (the mean of a band), and the noise in it."""

    def __init__(self, audio: Audio) -> None:
        samples = resample(audio, RATE).samples.astype(np.float64)
        hop, size = round(HOP * RATE), round(WINDOW * RATE)
        count = max(2, len(samples) // hop)
        padded = np.pad(np.append(samples[:1], samples[1:] - 0.97 * samples[:-1]), (size, size + hop * 2))
        starts = np.arange(count) * hop + hop // 2 - size // 2 + size
        frames = padded[starts[:, None] + np.arange(size)] * np.hamming(size)
        power = np.abs(np.fft.rfft(frames, 512)) ** 2 @ _mel_bank().T
        self.power: Array = power / (np.percentile(power.mean(axis=1), 95) + 1e-12)
        smooth = np.apply_along_axis(lambda x: np.convolve(x, np.ones(7) / 7, mode="same"), 0, self.power)
        # The quietest tenth of smoothed noise is a little under its mean.
        self.noise: Array = np.clip(1.25 * np.percentile(smooth, 10, axis=0), 10 ** (FLOOR / 10), 0.1)

    def with_noise(self, noise: Array) -> Array:
        """The power as it would be in that noise, (MELS,)."""
        result: Array = self.power + np.maximum(0, noise - self.noise)
        return result


class Features:
    """`vectors`: (n, d) cepstra and their slopes, each of mean 0 and variance 1 over speech; `quiet`: (n,) in silence.

    Frame i is centred on second i * HOP + HOP / 2; speech runs from frame `first` to before frame `last`.
    """

    def __init__(self, power: Array, noise: Array) -> None:
        level = 10 * np.log10(power.mean(axis=1) + 1e-12)
        level -= np.percentile(level, 95)
        logs = np.log(power + 10 ** (FLOOR / 10))
        above = (10 / np.log(10)) * (logs - np.log(noise + 10 ** (FLOOR / 10))).mean(axis=1)
        above = np.convolve(np.pad(above, 1, mode="edge"), np.ones(3) / 3, mode="valid")
        self.quiet = (level < SILENCE) | (above < ABOVE_NOISE)
        loud = np.flatnonzero(~self.quiet)
        self.first, self.last = (int(loud[0]), int(loud[-1]) + 1) if len(loud) else (0, len(level))
        cosines = np.cos(np.pi * np.outer(np.arange(CEPSTRA), np.arange(MELS) + 0.5) / MELS)
        cepstra = logs @ cosines.T
        both = np.hstack([cepstra, _slope(cepstra)])
        base = both[loud] if len(loud) > 10 else both
        vectors = (both - base.mean(axis=0)) / (base.std(axis=0) + 1e-6)
        vectors[:, CEPSTRA:] *= 0.7
        self.vectors: Array = np.clip(vectors, -4, 4)


def compare(model: Audio, spoken: Audio) -> tuple[Features, Features]:
    """Features of a clean reference as it would sound in the recording's noise, and those of the recording."""
    clean, heard = Spectrum(model), Spectrum(spoken)
    return Features(clean.with_noise(heard.noise), np.maximum(heard.noise, clean.noise)), Features(
        heard.power, heard.noise
    )


@functools.cache
def _mel_bank() -> Array:
    """(MELS, 257) triangles from 80 Hz to 7 kHz, evenly spaced on the mel scale."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (80.0, 7000.0))
    edges = np.linspace(float(low), float(high), MELS + 2)
    hertz = 700 * (10 ** (edges / 2595) - 1)
    bins = np.fft.rfftfreq(512, 1 / RATE)
    rise = (bins - hertz[:-2, None]) / (hertz[1:-1] - hertz[:-2])[:, None]
    fall = (hertz[2:, None] - bins) / (hertz[2:] - hertz[1:-1])[:, None]
    result: Array = np.maximum(0, np.minimum(rise, fall))
    return result


def _slope(x: Array) -> Array:
    """(n, d) change a frame, fitted over five frames."""
    p = np.pad(x, ((2, 2), (0, 0)), mode="edge")
    result: Array = (2 * (p[4:] - p[:-4]) + p[3:-1] - p[1:-3]) / 10
    return result


def pitch(audio: Audio, seconds: float = 30.0) -> float:
    """Median pitch of the voiced parts in hertz, from at most `seconds` of sound; 0.0 where nothing is voiced."""
    samples = resample(Audio(audio.samples[: round(seconds * audio.rate)], audio.rate), 8000).samples.astype(np.float64)
    size, hop = 400, 160
    if len(samples) < size:
        return 0.0
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]
    energy = (frames**2).mean(axis=1)
    frames = frames[energy > 0.1 * np.percentile(energy, 95)]
    frames = (frames - frames.mean(axis=1, keepdims=True)) * np.hanning(size)
    shape, window = (np.fft.irfft(np.abs(np.fft.rfft(x, 1024)) ** 2)[..., :size] for x in (frames, np.hanning(size)))
    low, high = round(8000 / _PITCHES[1]), round(8000 / _PITCHES[0])
    # Divided by the window's own fall, with a slight leaning to the shorter period: no octave too low (Boersma, 1993).
    curve = shape[:, low:high] / (shape[:, :1] + 1e-12) / (window[low:high] / window[0])
    best = (curve - 0.05 * np.log2(np.arange(low, high) / low)).argmax(axis=1)
    voiced = curve[np.arange(len(best)), best] > 0.6
    return float(np.median(8000 / (low + best[voiced]))) if voiced.sum() >= 5 else 0.0
