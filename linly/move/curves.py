"""What both move engines share: the frame clock, pauses, the speed limit of the mouth, and the finished FaceMotion."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from linly.move import emotion, idle
from linly.values import CURVES, FaceMotion, Style, Utterance, frame_count

Array = NDArray[np.float64]
Times = list[tuple[float, float]]

LEAD = 0.030
"""seconds by which the picture is ahead of the sound, as articulation is ahead of its acoustics"""
REST_AFTER = 0.3
"""seconds of pause from which on the mouth is at rest"""
CLOSING = 0.09
"""seconds in which the mouth comes to rest after the last sound, and opens before the first"""
P90 = 0.68
"""90th percentile of the opening in lively speech (0.145 of the outer-eye span, as in filmed people)"""
SPEED = 0.50 * P90 * 25
"""fastest opening or closing, in units of `open` a second, at expression 1"""
QUIET = -42.0
"""dB below the loudest speech of the utterance: quieter is a pause"""


def times(utterance: Utterance, fps: float) -> Array:
    """(t,) seconds from the utterance's start: the middle of each frame."""
    middles: Array = (np.arange(frame_count(utterance.audio.seconds, fps), dtype=np.float64) + 0.5) / fps
    return middles


def articulation(expression: float) -> float:
    """How far the mouth moves at Style.expression 0..2: hardly, as usual (1), and broadly (1.4)."""
    return 0.2 + 0.8 * expression if expression <= 1 else 1 + 0.4 * (expression - 1)


def lips(size: float) -> float:
    """How far the lips round and spread at an articulation `size`: less than the opening once it is broad."""
    return size if size <= 1 else 1 + 0.45 * (size - 1)


def loudness(utterance: Utterance, at: Array, window: float = 0.06) -> Array:
    """(t,) level in dB around each time of `at`, relative to the loudest speech (95th percentile), in [-80, 6].

    Sound that is silent throughout, as in an utterance that has only timing, counts as even: all 0.
    """
    samples, rate = utterance.audio.samples, utterance.audio.rate
    power = np.concatenate(([0.0], np.cumsum(np.square(samples, dtype=np.float64))))

    def mean(t: Array) -> Array:
        first = np.clip(((t - window / 2) * rate).astype(int), 0, len(samples))
        last = np.clip(((t + window / 2) * rate).astype(int), 0, len(samples))
        result: Array = (power[last] - power[first]) / max(1.0, window * rate)
        return result

    grid = mean(np.arange(0.005, utterance.audio.seconds, 0.01))
    loud = grid[grid > 1e-7]
    if not len(loud):
        return np.zeros(len(at))
    level: Array = np.clip(10 * np.log10(mean(at) / np.percentile(loud, 95) + 1e-9), -80, 6)
    return level


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and one-past-last index of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def pauses(utterance: Utterance, spoken: Times | None = None) -> Times:
    """Stretches of at least REST_AFTER without a sound of speech, and the edges of the utterance however short.

    `spoken` are the times of the phonemes if known; what is quiet in the sound itself is a pause too.
    """
    step = 0.01
    grid = np.arange(step / 2, max(utterance.audio.seconds, step), step)
    quiet = loudness(utterance, grid, window=0.03) < QUIET
    if spoken is not None:
        silent = np.ones(len(grid), bool)
        for start, end in spoken:
            silent[(grid >= start) & (grid < end)] = False
        quiet |= silent
    found = []
    for first, last in runs(quiet):
        at_edge = first == 0 or last == len(grid)
        if at_edge or (last - first) * step >= REST_AFTER - 1e-9:
            end = utterance.audio.seconds if last == len(grid) else last * step
            found.append((first * step, end))
    return found


def rest_cap(at: Array, still: Times, seconds: float) -> Array:
    """(t,) upper bound of the opening: 0 in pauses but for CLOSING seconds beside speech, and 0 on the outer frames."""
    cap = np.full(len(at), 2.0)
    for start, end in still:
        closing = 1 - (at - start) / CLOSING if start > 0 else np.zeros(len(at))
        opening = 1 - (end - at) / CLOSING if end < seconds else np.zeros(len(at))
        allowed = 0.5 * np.clip(np.maximum(closing, opening), 0, 1)
        inside = (at >= start) & (at <= end)
        cap[inside] = np.minimum(cap[inside], allowed[inside])
    cap[0] = cap[-1] = 0.0
    return cap


def presence(at: Array, still: Times, seconds: float, ease: float = 0.14) -> Array:
    """(t,) 1 while speaking, smoothly 0 in pauses: what lips shaped for a sound are multiplied with."""
    out = np.ones(len(at))
    for start, end in still:
        away = np.minimum(at - start if start > 0 else np.inf, end - at if end < seconds else np.inf)
        out = np.minimum(out, 1 - smoothstep(np.where((at < start) | (at > end), 0.0, away) / ease))
    return out


def smoothstep(x: Array) -> Array:
    """0 below 0, 1 above 1, and an S between."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def smooth(curve: Array, fps: float, seconds: float) -> Array:
    """(t,) Gaussian blur with a standard deviation of `seconds`; the ends count as going on."""
    reach = max(1, int(np.ceil(3 * seconds * fps)))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (seconds * fps)) ** 2)
    return np.convolve(np.pad(curve, reach, mode="edge"), kernel / kernel.sum(), mode="valid")


def speed_limit(opening: Array, step: float) -> Array:
    """(t,) the largest curve under `opening` that changes by at most `step` a frame: every closure is kept."""
    out = opening.copy()
    for i in range(1, len(out)):
        out[i] = min(out[i], out[i - 1] + step)
    for i in range(len(out) - 2, -1, -1):
        out[i] = min(out[i], out[i + 1] + step)
    return out


def finish(utterance: Utterance, style: Style, mouth: Mapping[str, Array], beats: Times) -> FaceMotion:
    """Add what is not the mouth (idle.py) and pack all. `beats`: (second, strength 0..1) of stressed sounds."""
    at = times(utterance, style.fps)
    mood = emotion.mood(utterance, style)
    head, face = idle.life(at, utterance, style, beats, mood)
    curves = np.zeros((len(at), len(CURVES)))
    for name, values in {**mouth, **face}.items():
        low = -1.0 if name in ("smile", "brow", "gaze_x", "gaze_y", "breath") else 0.0
        curves[:, CURVES.index(name)] = np.clip(values, low, 1.4 if name == "open" else 1.0)
    return FaceMotion(
        float(style.fps), curves.astype(np.float32), head.astype(np.float32), CURVES, mood.emotion, mood.strength
    )
