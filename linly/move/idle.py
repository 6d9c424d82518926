"""Life beside speech: blinks, head, brows, eyes and breath. Pure functions, no engine.

What goes on all the time is a function of the time since the start of the talk and of the seed, never of a sentence's
length, so sentences join without a seam. What follows speech (nods, raised brows) is zero at both ends of a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from linly.move import emotion
from linly.values import CURVES, FaceMotion, Style, Utterance, frame_count

Array = NDArray[np.float64]

BLINK = (0.0, 0.35, 0.85, 1.0, 0.8, 0.5, 0.22, 0.08, 0.0)
"""lids over time, a value every 1/25 s: shut in three frames, open again in five"""
SWAY = ((3.5, (0.043, 0.11, 0.27)), (2.0, (0.057, 0.14, 0.33)), (1.5, (0.037, 0.09, 0.21)))
"""yaw, pitch, roll: size in degrees and the frequencies in hertz of the sines that make it up"""
SHARES = (0.62, 0.38, 0.16)
"""how much each of those sines contributes"""
TREMOR = 0.3
"""degrees of quick small head movement (0.6 to 1.3 Hz), without which a head looks like a puppet's"""
BOB = 1.6
"""degrees that the head follows the loudness of the syllables, as talkers' heads do (Munhall and others, "Visual
prosody and speech intelligibility", Psychological Science 15, 2004)"""
FARTHEST = 6.0
"""degrees; the picture holds up to here"""
NOD = 2.4
"""degrees that the head dips on the strongest beat"""


class Face(NamedTuple):
    """What an emotion at its full strength does to the face at rest and to its liveliness."""

    smile: float = 0.0
    brow: float = 0.0
    lids: float = 0.0
    """upper lids lowered, 0..1: the narrow eyes of a smile, the heavy ones of grief"""
    blinks: float = 1.0
    """share of the blinks that are made"""
    slow: float = 1.0
    """how much longer a blink takes"""
    sway: float = 1.0
    """how far the head moves"""
    head: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """yaw, pitch, roll in degrees"""


FACES = {
    "neutral": Face(),
    "happy": Face(0.60, 0.20, 0.06, 1.0, 1.0, 1.15, (0.0, 0.5, 1.0)),
    "sad": Face(-0.60, 0.12, 0.14, 0.9, 1.4, 0.6, (0.0, -2.2, 1.2)),
    "serious": Face(-0.12, -0.55, 0.10, 0.7, 1.0, 0.65, (0.0, -0.8, 0.0)),
    "surprised": Face(0.05, 0.90, 0.0, 0.6, 1.0, 1.0, (0.0, 1.2, 0.0)),
}
"""after the action units of Ekman and Friesen, "Facial Action Coding System" (1978): 12 and 6, 15 and 1, 4, 1 and 2"""
FRIENDLY = 0.07
"""smile of a sentence that says nothing of its mood (emotion "auto")"""
EASE = 0.6
"""seconds in which a talk's first frames leave the photo's pose and its last come back to it"""
_QUESTION = ("?", "？")
_CALL = ("!", "！")


def _stream(seed: int, what: int) -> np.random.Generator:
    return np.random.default_rng((int(seed) & 0xFFFFFFFF, what))


def blink_times(until: float, seed: int) -> Array:
    """Seconds (of the talk) at which the lids are shut, up to `until`: every 2 to 6 s, 18 a minute on average."""
    count = int(until / 2) + 2
    return np.cumsum(2.0 + 4.0 * _stream(seed, 1).beta(1.2, 2.6, count)) - 1.0


def blink(t: Array, seed: int, face: Face = FACES["neutral"], within: tuple[float, float] = (0.0, 0.0)) -> Array:
    """(n,) lids at the seconds `t` of the talk, 0 open to 1 shut.

    Blinks well inside `within`, the seconds of one sentence, are as many and as slow as its emotion has them; those
    near its ends are as ever, since the next sentence shows the rest of them.
    """
    moments = blink_times(float(t[-1]) + 1, seed)
    made = _stream(seed, 8).random(len(moments)) < face.blinks
    out = np.zeros(len(t))
    for moment, kept in zip(moments, made, strict=True):
        inside = within[0] + 0.6 < moment < within[1] - 0.6
        if kept or not inside:
            out = np.maximum(out, one_blink(t, moment, face.slow if inside else 1.0))
    return out


def one_blink(t: Array, moment: float, slow: float = 1.0) -> Array:
    """(n,) lids that are shut at `moment`, 0 open to 1 shut."""
    shape = slow * np.arange(len(BLINK)) / 25
    lids: Array = np.interp(t - moment + shape[3], shape, BLINK, left=0, right=0)
    return lids


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
            out[:, axis] += TREMOR * size / 3.5 * np.sin(2 * np.pi * rate * t + phase)
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


def liveliness(expression: float) -> float:
    """How far brows, corners of the mouth and eyes move at Style.expression 0..2: hardly, as usual (1), broadly."""
    return 0.1 + 0.9 * expression if expression <= 1 else 1 + 0.45 * (expression - 1)


def arriving(at: Array, utterance: Utterance) -> Array:
    """(n,) 0 on the first frame of a talk and on its last, where the photo's own pose is, and 1 away from them."""
    x = np.full(len(at), EASE)
    if utterance.start < 1e-6:
        x = np.minimum(x, at - at[0])
    if utterance.last:
        x = np.minimum(x, at[-1] - at)
    x /= EASE
    result: Array = x * x * (3 - 2 * x)
    return result


def bob(at: Array, utterance: Utterance, style: Style) -> Array:
    """(n, 3) degrees of quick small movement in the rhythm of the syllables, its direction drifting; 0 in silence."""
    from linly.move import curves

    fps = style.fps
    loud = curves.smooth(np.clip(1 + curves.loudness(utterance, at, 0.1) / 25, 0, 1), fps, 0.03)
    beat = loud - curves.smooth(loud, fps, 0.2)
    t = at + utterance.start
    a, b = _stream(style.seed, 10).uniform(0, 2 * np.pi, 2)
    aside = np.column_stack([np.sin(2 * np.pi * 0.19 * t + a), np.full(len(t), -1.0), np.sin(2 * np.pi * 0.16 * t + b)])
    result: Array = BOB * beat[:, None] * aside * (0.9, 1.0, 0.7)
    return result


def life(
    at: Array, utterance: Utterance, style: Style, beats: Sequence[tuple[float, float]], mood: emotion.Mood
) -> tuple[Array, dict[str, Array]]:
    """Head (n, 3) in degrees and the curves that are not the mouth's, at the seconds `at` of the utterance.

    `beats` are (second, strength 0..1) of stressed sounds, in order.
    """
    t, seconds = at + utterance.start, utterance.audio.seconds
    window, here = edges(at, seconds), arriving(at, utterance)
    live, face = liveliness(style.expression), FACES[mood.emotion]
    felt = emotion.course(at, seconds, mood)
    nods, raised = _accents(at, utterance, beats, style.seed)
    moved = sway(t, style.seed) * (1 + (face.sway - 1) * felt)[:, None] + np.outer(min(1.3, live) * felt, face.head)
    moved += window[:, None] * min(1.0, live) * (nods + bob(at, utterance, style))
    looks = gaze(t, style.seed)
    inhale = bump(at, 0.22, 0.22, 0.7) if seconds > 1.5 else np.zeros(len(at))
    until = utterance.start + seconds
    lids = live * face.lids * felt * here
    shut = blink(t, style.seed, face, (utterance.start, until))
    if utterance.last:  # no blink that the end would cut
        shut *= 1 - blink_tail(t, style.seed, until)
    friendly = FRIENDLY if style.emotion == "auto" else 0.0
    return FARTHEST * np.tanh(style.head * moved / FARTHEST) * here[:, None], {
        "blink": lids + (1 - lids) * shut,
        "gaze_x": live * looks[:, 0] * here,
        "gaze_y": live * looks[:, 1] * here,
        "breath": min(1.0, style.head) * (breath(t, style.seed) + 0.35 * window * inhale) * here,
        "smile": live * here * (friendly + (face.smile - friendly) * felt),
        "brow": live * here * (face.brow * felt + brow_drift(t, style.seed) + window * raised),
    }


def blink_tail(t: Array, seed: int, end: float) -> Array:
    """(n,) 1 from the beginning on of a blink that would not be over by the second `end`, else 0."""
    for moment in blink_times(end + 1, seed):
        if moment - 3 / 25 < end < moment + 6 / 25:
            return np.where(t >= moment - 3 / 25, 1.0, 0.0)
    return np.zeros(len(t))


def loop(seconds: float, style: Style) -> FaceMotion:
    """A silent face that lives, `seconds` long, whose last frame goes on into its first; frame 0 is the photo's pose.

    The mouth is left as in the photo (talk 0), the eyes are open and at the viewer at the joint.
    """
    count = frame_count(seconds, style.fps)
    t, period = np.arange(count) / style.fps, count / style.fps
    live, rng = liveliness(style.expression), _stream(style.seed, 9)

    def wave(rate: float) -> Array:
        turns = max(1, round(rate * period))
        result: Array = rng.choice((-1.0, 1.0)) * np.sin(2 * np.pi * turns * t / period)
        return result

    head = np.zeros((count, 3))
    for axis, (size, rates) in enumerate(SWAY):
        head[:, axis] = 0.7 * size * sum(s * wave(r) for s, r in zip(SHARES, rates, strict=True))
    moments = blink_times(period, style.seed)
    moments = moments[(moments > 0.4) & (moments < period - 0.5)]
    glances = moments[moments < period - 2.0]
    curves = {
        "blink": sum((one_blink(t, m) for m in moments), np.zeros(count)),
        "gaze_x": live * sum((_glance(t, m, 0.12 * rng.normal()) for m in glances), np.zeros(count)),
        "breath": min(1.0, style.head) * 0.6 * wave(0.25),
        "brow": live * 0.04 * wave(0.13),
    }
    columns = np.zeros((count, len(CURVES)), np.float32)
    for name, values in curves.items():
        columns[:, CURVES.index(name)] = np.clip(values, 0.0 if name == "blink" else -1.0, 1.0)
    turned = FARTHEST * np.tanh(style.head * head / FARTHEST)
    return FaceMotion(float(style.fps), columns, turned.astype(np.float32), emotion="neutral")


def _glance(t: Array, moment: float, where: float) -> Array:
    """(n,) eyes that go aside with a blink and come back 1.2 s later."""
    result: Array = where * np.interp(t - moment, (0.0, 0.05, 1.2, 1.25), (0.0, 1.0, 1.0, 0.0))
    return result
