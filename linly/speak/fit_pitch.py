"""Pitch and energy of a recording, in the steps and units of Kokoro's own curves."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from linly.values import Floats

Array = NDArray[Any]
RATE, STEP = 24000, 300
"""hertz; samples between two values (12.5 ms)"""
_LOW, _HIGH = 60.0, 520.0
"""hertz that a voice may have"""
_WIDTH = 1080
"""samples that are compared with the same number of earlier ones: nearly three periods of the lowest voice"""
_CANDIDATES = 6
_VOICED = 0.48
"""likeness to itself one period on, from which a sound counts as voiced"""
_JUMP, _CHANGE = 0.45, 0.22
"""cost of an octave from one step to the next, and of becoming voiced or unvoiced"""


def pitch(samples: Floats) -> Floats:
    """(steps,) hertz of sound at 24 kHz, 0 where it has no pitch; steps = ceil(n / STEP).

    Normalised cross-correlation and the cheapest path through its peaks, as in RAPT (Talkin, 1995).
    """
    likeness = _likeness(_low_pass(samples))
    lags = np.arange(likeness.shape[1]) + int(RATE / _HIGH)
    inner = likeness[:, 1:-1]
    peak = (inner > likeness[:, :-2]) & (inner >= likeness[:, 2:])
    # Two periods look as alike as one: the shorter of two equals is the pitch.
    worth = np.where(peak, inner - 0.045 * np.log2(lags[1:-1] / lags[0]), -1.0)
    best = np.argsort(-worth, axis=1)[:, :_CANDIDATES]
    score = np.take_along_axis(worth, best, 1)
    hertz = RATE / (lags[1:-1][best] + _offset(likeness, best + 1))
    chosen = _path(score, np.log2(hertz))
    found = np.where(chosen < _CANDIDATES, hertz[np.arange(len(hertz)), np.minimum(chosen, _CANDIDATES - 1)], 0.0)
    return found.astype(np.float32)


def _low_pass(samples: Floats) -> Floats:
    """Without what lies above 1 kHz, where breath covers the period."""
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    return np.fft.irfft(spectrum / (1 + (hertz / 1000) ** 8), len(samples)).astype(np.float32)


def _likeness(samples: Floats) -> Array:
    """(steps, lags) cosine between the sound around each step and the sound a lag away from it."""
    steps = -(-len(samples) // STEP)
    shortest, longest = int(RATE / _HIGH), int(np.ceil(RATE / _LOW)) + 1
    around = _WIDTH + longest
    before = around // 2 - STEP // 2
    padded = np.concatenate([np.zeros(before), samples, np.zeros(around + STEP)]).astype(np.float32)
    pieces = np.lib.stride_tricks.sliding_window_view(padded, around)[::STEP][:steps]
    size = 1 << int(np.ceil(np.log2(around + _WIDTH)))
    rows = []
    for block in np.array_split(pieces, max(1, steps // 512)):
        first = np.fft.rfft(block[:, :_WIDTH], size)
        crossed = np.fft.irfft(np.conj(first) * np.fft.rfft(block, size), size)[:, shortest:longest]
        power = np.cumsum(np.pad(block.astype(np.float64) ** 2, ((0, 0), (1, 0))), axis=1)
        own = power[:, _WIDTH : _WIDTH + 1]
        moved = power[:, _WIDTH + shortest : _WIDTH + longest] - power[:, shortest:longest]
        rows.append(crossed / np.sqrt(own * moved + 1e-3))
    found: Array = np.concatenate(rows)
    return found


def _offset(likeness: Array, at: Array) -> Array:
    """Where between the samples a peak is highest, by a parabola."""
    left, here, right = (np.take_along_axis(likeness, at + by, 1) for by in (-1, 0, 1))
    bend = np.minimum(left - 2 * here + right, -1e-6)
    shift: Array = np.clip(0.5 * (left - right) / bend, -0.5, 0.5)
    return shift


def _path(score: Array, octaves: Array) -> Array:
    """(steps,) the candidate of each step on the cheapest path, _CANDIDATES for unvoiced (Viterbi)."""
    steps = len(score)
    own = np.concatenate([1 - score, np.full((steps, 1), 1 - _VOICED)], axis=1)
    came = np.zeros(own.shape, np.int64)
    total = own[0]
    for i in range(1, steps):
        move = np.full((_CANDIDATES + 1, _CANDIDATES + 1), _CHANGE)
        move[:-1, :-1] = _JUMP * np.abs(octaves[i - 1][:, None] - octaves[i][None, :])
        move[-1, -1] = 0
        all_ways = total[:, None] + move
        came[i] = np.argmin(all_ways, axis=0)
        total = all_ways[came[i], np.arange(_CANDIDATES + 1)] + own[i]
    chosen = np.zeros(steps, np.int64)
    chosen[-1] = np.argmin(total)
    for i in range(steps - 1, 0, -1):
        chosen[i - 1] = came[i, chosen[i]]
    return chosen


def mel(samples: Floats, bands: int = 80) -> Array:
    """(steps, bands) power in mel bands up to 12 kHz, windows of 50 ms."""
    window = np.hanning(1201)[:-1]
    padded = np.pad(samples, (1200 // 2 - STEP // 2, 1200 + STEP))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, 1200)[::STEP][: -(-len(samples) // STEP)]
    power = np.abs(np.fft.rfft(pieces * window, 2048)) ** 2
    in_bands: Array = power @ bank(bands).T
    return in_bands


def bank(bands: int, size: int = 2048) -> Array:
    """(bands, size / 2 + 1) triangles evenly spaced in HTK mels."""
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 12000 / 700), bands + 2) / 2595) - 1)
    hertz = np.linspace(0, RATE / 2, size // 2 + 1)
    rise = (hertz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - hertz) / (edges[2:] - edges[1:-1])[:, None]
    triangles: Array = np.maximum(0, np.minimum(rise, fall))
    return triangles


def energy(samples: Floats) -> Floats:
    """(steps,) logarithm of the size of the mel spectrum; the model's own scale is a straight line of it."""
    size: Floats = np.log(np.sqrt((mel(samples) ** 2).sum(1)) + 1e-5).astype(np.float32)
    return size
