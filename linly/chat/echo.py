"""Whether the microphone hears a person, or the avatar's own voice coming back from the loudspeaker.

The browser cancels most of the echo; what it leaves has an unknown delay, level and colour, and the room smears it. So
powers in bands are compared, not waveforms: the delay is where the bands rise and fall alike; each band's gain is what
it usually is at that delay; and a person is what stands above the echo that this predicts, in the gaps of which even a
quieter voice is heard. numpy only.
"""

from __future__ import annotations

import functools
import threading
from collections import deque

import numpy as np
from numpy.typing import NDArray

from linly.hear.vad import RATE, To16k
from linly.values import Audio, Floats

Array = NDArray[np.float64]
HOP, SIZE = 160, 512
"""samples between two frames (10 ms), and in one"""
BANDS = 40
DELAY = 0.65
"""longest delay in seconds"""
KEPT = 5.0
"""seconds of played sound that are remembered"""
JUDGED = 0.3
"""seconds at the end of the sound that are judged; all of it tells delay and gains"""
DECAY = 0.75
"""what is left of a band's power after 10 ms in a room (60 dB in 0.5 s)"""
ABOVE = 7.0
"""decibels above the echo expected from which on a band holds something else"""
HEARD = 6.0
"""decibels above the noise from which on a band holds anything"""
USUAL = 0.65
"""quantile of a band's ratios that counts as its gain; a person makes some of them larger"""
JITTER = 0.06
"""seconds by which a piece's time may be off where pieces follow each other"""
FAINT = 1e-9
"""power under which nothing was played"""


class Echo:
    """What was played lately; told and asked from any thread."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[float, Floats]] = deque()
        self._to16k = To16k()
        self._lock = threading.Lock()

    def played(self, audio: Audio, at: float) -> None:
        """Sound that goes out to the loudspeaker from second `at` on, on the clock on which `own` is asked."""
        with self._lock:
            samples = self._to16k(audio)
            if self._pieces:
                end = self._pieces[-1][0] + len(self._pieces[-1][1]) / RATE
                at = end if abs(at - end) < JITTER else at
            self._pieces.append((at, samples))
            while self._pieces and self._pieces[0][0] < at - KEPT:
                self._pieces.popleft()

    def own(self, audio: Audio, at: float) -> float:
        """How much of the end of what the microphone heard is explained by what was played: 0 nothing, 1 all.

        `audio`: best 1 to 2 s, of which the last JUDGED count; it began at second `at`. 0 where nothing was played.
        """
        heard = To16k()(audio)
        back = round(DELAY * RATE)
        played = self._at(at - DELAY, len(heard) + back)
        if len(heard) < SIZE * 4 or float(np.square(played).mean()) < FAINT:
            return 0.0
        return _explained(_power(heard), _power(played), round(DELAY * RATE / HOP))

    def _at(self, start: float, count: int) -> Floats:
        """(count,) what was played from second `start` on."""
        out = np.zeros(count, np.float32)
        with self._lock:
            for at, samples in self._pieces:
                first = round((at - start) * RATE)
                a, b = max(0, first), min(count, first + len(samples))
                if b > a:
                    out[a:b] = samples[a - first : b - first]
        return out


def _explained(heard: Array, played: Array, lags: int) -> float:
    """`heard` (n, bands), `played` (n + lags, bands): powers; played[i + lags] went out when heard[i] came in."""
    count = len(heard)
    noise = np.percentile(heard, 10, axis=0) * 1.5 + 1e-9
    smeared = played.copy()
    for i in range(1, len(smeared)):
        smeared[i] += DECAY * smeared[i - 1]
    floor = np.percentile(smeared, 95, axis=0) * 1e-4 + 1e-12
    lag = _lag(np.log(heard + noise), np.log(smeared + floor))
    expected = smeared[lags - lag : lags - lag + count]
    gain = _gains(heard, expected, noise, floor)
    predicted = gain * expected + noise
    last = slice(max(0, count - round(JUDGED * RATE / HOP)), count)
    over = 10 * np.log10(heard[last] / noise)
    excess = 10 * np.log10(heard[last] / predicted[last])
    weight = np.maximum(0.0, over - HEARD)
    if weight.sum() <= 0:
        return 1.0
    return float((weight * (excess < ABOVE)).sum() / weight.sum())


def _lag(heard: Array, played: Array) -> int:
    """Frames by which `heard` (n, bands) comes after `played` (n + lags, bands): where their courses are most alike."""
    count, lags = len(heard), len(played) - len(heard)
    heard, played = _coarse(heard), _coarse(played)
    heard = heard - heard.mean(axis=0)
    pieces = np.lib.stride_tricks.sliding_window_view(played, count, axis=0)
    total = pieces.sum(axis=2)
    spread = (pieces**2).sum(axis=2) - total**2 / count
    crossed = np.einsum("kbn,nb->kb", pieces, heard)
    like = crossed.sum(axis=1) / np.sqrt(spread.sum(axis=1) + 1e-9)
    return int(lags - like.argmax())


def _coarse(power: Array) -> Array:
    """(n, 8) the mean of neighbouring bands."""
    result: Array = power.reshape(len(power), 8, -1).mean(axis=2)
    return result


def _gains(heard: Array, expected: Array, noise: Array, floor: Array) -> Array:
    """(bands,) how loud the echo is in each band: the usual ratio where something was played and heard."""
    ratio = np.log((heard + FAINT) / (expected + floor))
    strong = (expected > 100 * floor) & (heard > 2 * noise)
    count = strong.sum(axis=0)
    ranked = np.sort(np.where(strong, ratio, np.inf), axis=0)
    usual = ranked[(count * USUAL).astype(int).clip(0, len(ratio) - 1), np.arange(ratio.shape[1])]
    known = count >= 5
    if not known.any():
        return np.zeros(len(usual))
    gains: Array = np.exp(np.where(known, usual, np.median(usual[known])))
    return gains


def _power(samples: Floats) -> Array:
    """(n, BANDS) power in bands every HOP."""
    padded = np.concatenate([np.zeros(SIZE - HOP, np.float32), samples])
    frames = np.lib.stride_tricks.sliding_window_view(padded, SIZE)[::HOP]
    power: Array = np.abs(np.fft.rfft(frames * np.hanning(SIZE).astype(np.float32), axis=1)) ** 2 @ _bands().T / SIZE
    return power


@functools.cache
def _bands() -> Array:
    """(BANDS, SIZE / 2 + 1): bands from 150 Hz to 6 kHz, evenly spaced on the mel scale."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (150.0, 6000.0))
    edges = 700 * (10 ** (np.linspace(float(low), float(high), BANDS + 2) / 2595) - 1)
    hertz = np.fft.rfftfreq(SIZE, 1 / RATE)
    rise = (hertz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - hertz) / (edges[2:] - edges[1:-1])[:, None]
    bands: Array = np.maximum(0, np.minimum(rise, fall))
    return bands
