"""Life beside speech: blinks, head, brows, eyes and breath. Pure functions, no engine.

What goes on all the time is a function of the time since the start of the talk and of the seed, never of a sentence's
length, so sentences join without a seam. What follows speech (nods, raised brows) is zero at both ends of a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linly.values import Style, Utterance

Array = NDArray[np.float64]

BLINK = (0.0, 0.35, 0.85, 1.0, 0.8, 0.5, 0.22, 0.08, 0.0)
"""lids over time, a value every 1/25 s: shut in three frames, open again in five"""
SWAY = ((2.6, (0.043, 0.11, 0.27)), (1.5, (0.057, 0.14, 0.33)), (1.1, (0.037, 0.09, 0.21)))
"""yaw, pitch, roll: size in degrees and the frequencies in hertz of the sines that make it up"""
SHARES = (0.62, 0.38, 0.16)
"""how much each of those sines contributes"""
TREMOR = 0.16
"""degrees of quick small head movement (0.6 to 1.3 Hz), without which a head looks like a puppet's"""
FARTHEST = 6.0
"""degrees; the picture holds up to here"""
NOD = 1.7
"""degrees that the head dips on the strongest beat"""
MOOD = {
    "neutral": (0.0, 0.0),
    "happy": (0.40, 0.12),
    "sad": (-0.32, 0.10),
    "serious": (-0.06, -0.28),
    "surprised": (0.05, 0.55),
}
"""emotion -> smile, brow"""
_QUESTION = ("?", "？")
_CALL = ("!", "！")


def _stream(seed: int, what: int) -> np.random.Generator:
    return np.random.default_rng((int(seed) & 0xFFFFFFFF, what))


def blink_times(until: float, seed: int) -> Array:
    """Seconds (of the talk) at which the lids are shut, up to `until`: every 2 to 6 s, 18 a minute on average."""
    count = int(until / 2) + 2
    return np.cumsum(2.0 + 4.0 * _stream(seed, 1).beta(1.2, 2.6, count)) - 1.0


def blink(t: Array, seed: int) -> Array:
    """(n,) lids at the seconds `t` of the talk, 0 open to 1 shut."""
    out = np.zeros(len(t))
    shape = np.arange(len(BLINK)) / 25
    for moment in blink_times(float(t[-1]) + 1, seed):
        out = np.maximum(out, np.interp(t - moment + shape[3], shape, BLINK, left=0, right=0))
    return out


def gaze(t: Array, seed: int) -> Array:
    """(n, 2) eyes at the seconds `t` of the talk: mostly at the viewer, with a small quick glance now and then."""
    count = int((float(t[-1]) + 1) / 1.2) + 2
    rng = _stream(seed, 2)
    moments = np.cumsum(1.2 + 3.6 * rng.random(count))
    targets = _stream(seed, 3).normal(0, 1, (count, 2)) * (0.10, 0.05)
    targets[1::2] = 0.0  # every other glance comes back
    targets = np.clip(targets, -0.2, 0.2)
    knots = np.ravel(np.column_stack([moments, moments + 0.05]))
    values = np.repeat(np.vstack([np.zeros((1, 2)), targets]), 2, axis=0)[1:-1]
    return np.column_stack([np.interp(t, knots, values[:, k]) for k in (0, 1)])


def sway(t: Array, seed: int) -> Array:
    """(n, 3) yaw, pitch, roll in degrees at the seconds `t` of the talk: slow sines that never quite repeat."""
    rng = _stream(seed, 4)
    out = np.zeros((len(t), 3))
    for axis, (size, rates) in enumerate(SWAY):
        phases = rng.uniform(0, 2 * np.pi, len(rates) + 2)
        for rate, share, phase in zip(rates, SHARES, phases, strict=False):
            out[:, axis] += size * share * np.sin(2 * np.pi * rate * t + phase)
        for rate, phase in zip((0.61, 1.27), phases[len(rates) :], strict=True):
            out[:, axis] += TREMOR * size / 2.6 * np.sin(2 * np.pi * rate * t + phase)
    return out


def breath(t: Array, seed: int) -> Array:
    """(n,) chest at the seconds `t` of the talk: about 15 breaths a minute, in quicker than out."""
    phase = 2 * np.pi * 0.25 * t + _stream(seed, 5).uniform(0, 2 * np.pi)
    return 0.6 * np.sin(phase + 0.35 * np.sin(phase))


def brow_drift(t: Array, seed: int) -> Array:
    """(n,) brows at the seconds `t` of the talk, within 0.06."""
    a, b = _stream(seed, 6).uniform(0, 2 * np.pi, 2)
    drift: Array = 0.04 * np.sin(2 * np.pi * 0.13 * t + a) + 0.02 * np.sin(2 * np.pi * 0.31 * t + b)
    return drift


def bump(t: Array, peak: float, rise: float, fall: float) -> Array:
    """(n,) a smooth hill of height 1 at `peak`, `rise` seconds up and `fall` seconds down."""
    x = np.where(t < peak, (t - peak) / rise, (t - peak) / fall)
    hill: Array = np.where(np.abs(x) < 1, 0.5 + 0.5 * np.cos(np.pi * np.clip(x, -1, 1)), 0.0)
    return hill


def edges(at: Array, seconds: float, ease: float = 0.35) -> Array:
    """(n,) 0 at both ends of the utterance, 1 inside: the window of all that belongs to one sentence only."""
    x = np.clip(np.minimum(at, seconds - at) / min(ease, max(seconds / 2, 1e-6)), 0, 1)
    # The outermost frames lie half a frame inside; there too it must be nothing.
    x = np.where((at <= at[0]) | (at >= at[-1]), 0.0, x)
    result: Array = x * x * (3 - 2 * x)
    return result


def _accents(at: Array, utterance: Utterance, beats: Sequence[tuple[float, float]], seed: int) -> tuple[Array, Array]:
    """Head (n, 3) in degrees and brows (n,) that follow what is said: nods and brows on beats, and the phrase end."""
    head, brow = np.zeros((len(at), 3)), np.zeros(len(at))
    rng = _stream(seed, int(utterance.start * 1000) + 7)
    last_nod = last_raise = -9.0
    for moment, strength in beats:
        if moment - last_nod >= 0.45 and strength > 0.25:
            side = rng.normal(0, 0.3, 2)
            dip = bump(at, moment + 0.04, 0.22, 0.34)
            head += strength * NOD * np.outer(dip, (side[0], -1.0, side[1]))
            last_nod = moment
        if moment - last_raise >= 1.4 and strength > 0.6:
            brow += 0.32 * strength * bump(at, moment - 0.02, 0.18, 0.42)
            last_raise = moment
    text, seconds = utterance.text.rstrip(" \"'”’」』)）"), utterance.audio.seconds
    if text.endswith(_QUESTION):
        brow += 0.40 * bump(at, seconds - 0.45, 0.7, 0.45)
        head += np.outer(bump(at, seconds - 0.40, 0.6, 0.40), (0.0, 0.9, 0.8))
    elif text.endswith(_CALL):
        brow += 0.22 * bump(at, min(0.5, seconds / 2), 0.4, max(0.4, seconds - 0.9))
    elif text.endswith((".", "。")):
        head[:, 1] -= 0.8 * bump(at, seconds - 0.40, 0.5, 0.40)
    return head, brow


def life(
    at: Array, utterance: Utterance, style: Style, beats: Sequence[tuple[float, float]]
) -> tuple[Array, dict[str, Array]]:
    """Head (n, 3) in degrees and the curves that are not the mouth's, at the seconds `at` of the utterance.

    `beats` are (second, strength 0..1) of stressed sounds, in order.
    """
    t = at + utterance.start
    window = edges(at, utterance.audio.seconds)
    live = min(1.4, style.expression)
    nods, raised = _accents(at, utterance, beats, style.seed)
    head = FARTHEST * np.tanh(style.head * (sway(t, style.seed) + window[:, None] * min(1.0, live) * nods) / FARTHEST)
    smile, brow = MOOD.get(style.emotion, (0.0, 0.0))
    said = 0.16 if utterance.text.rstrip().endswith(_CALL) else 0.07
    looks = gaze(t, style.seed)
    inhale = bump(at, 0.22, 0.22, 0.7) if utterance.audio.seconds > 1.5 else np.zeros(len(at))
    return head, {
        "blink": blink(t, style.seed),
        "gaze_x": live * looks[:, 0],
        "gaze_y": live * looks[:, 1],
        "breath": min(1.0, style.head) * (breath(t, style.seed) + 0.35 * window * inhale),
        "smile": live * (smile + window * (said if style.emotion == "auto" else 0.0)),
        "brow": live * (brow + brow_drift(t, style.seed) + window * raised),
    }
