"""Timed phonemes to face motion: dominance-weighted visemes, with the closures as hard constraints.

Cohen and Massaro, "Modeling coarticulation in synthetic visual speech" (1993): every sound pulls each channel towards
its target with a dominance that falls off with time, so neighbours blend and rounding begins before its vowel. Blending
alone swallows lip closures and quick consonants; so they are then imposed as upper bounds of the opening on at least
one frame each, and a speed limit carries those bounds to the neighbouring frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linly.contracts import Files
from linly.errors import InputError
from linly.move import curves
from linly.move.curves import Array, Times
from linly.move.visemes import Viseme, visemes
from linly.registry import engine
from linly.values import FaceMotion, Style, Utterance

REACH = {"open": (0.060, 0.060), "jaw": (0.075, 0.075), "round": (0.125, 0.090), "spread": (0.090, 0.080),
         "tongue": (0.050, 0.040)}  # fmt: skip
"""fall-off of a sound's dominance in seconds, before and after it: lips prepare early, the tongue is quick"""
REST = 0.06
"""dominance of the resting mouth, always there"""
GAIN = 1.36
"""makes up for what blending takes off the openings, so that lively speech has its 90th percentile at curves.P90"""
SIDES = {"round": "shape", "spread": "shape"}
JAW_SLACK = 0.26
"""how much further the jaw may be down than the lips are apart (the lower lip makes up for it in p b m)"""


@dataclass(frozen=True)
class Sound:
    """One target on the time line, in seconds."""

    viseme: Viseme
    start: float
    end: float

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2


@engine("move", "phonemes", title="Mouth from timed phonemes", can={"timings"}, licence="Apache-2.0", needs_mb=20)
class Phonemes:
    """Mouth curves from the phoneme times of an utterance, and the rest of the face around them."""

    def __init__(self, files: Files, device: str = "cpu") -> None:
        """Nothing to load."""

    def move(self, utterance: Utterance, style: Style) -> FaceMotion:
        """frame_count(seconds, fps) frames. Raises InputError if the utterance has a text but no phoneme times."""
        if not utterance.phonemes and utterance.text.strip():
            raise InputError("This speech has no phoneme times; use the move engine that goes by loudness instead.")
        spoken = sounds(utterance)
        still = curves.pauses(utterance, [(s.start, s.end) for s in utterance.phonemes if visemes(s.text)])
        return curves.finish(utterance, style, mouth(utterance, style, spoken, still), beats(utterance))


def sounds(utterance: Utterance) -> list[Sound]:
    """The phonemes as targets; a diphthong is two, the first a little longer."""
    out = []
    for span in utterance.phonemes:
        parts = visemes(span.text)
        shares = np.linspace(1.15, 0.85, len(parts)) if len(parts) > 1 else np.ones(len(parts))
        cuts = span.start + (span.end - span.start) * np.concatenate(([0], np.cumsum(shares / max(1, len(parts)))))
        out += [Sound(v, float(a), float(b)) for v, a, b in zip(parts, cuts, cuts[1:], strict=False)]
    return out


def mouth(utterance: Utterance, style: Style, spoken: list[Sound], still: Times) -> dict[str, Array]:
    """The mouth's curves, (t,) each: blend, loudness, bounds, speed limit, in this order."""
    at, fps, seconds = curves.times(utterance, style.fps), style.fps, utterance.audio.seconds
    size = curves.articulation(style.expression)
    blended = {name: blend(name, at + curves.LEAD, spoken, still) for name in REACH}
    loud = np.interp(curves.loudness(utterance, at + curves.LEAD, 0.14), (-24, 0), (0.75, 1.17))
    here = curves.presence(at, still, seconds)
    wanted = curves.smooth(GAIN * size * loud * blended["open"] * here, fps, 0.018)
    wanted = np.minimum(wanted, 1 + 0.5 * (size - 1) if size > 1 else 1.0)
    step = curves.SPEED * max(size, 0.15) / fps
    bound = np.minimum(bounds(at, fps, spoken, size), curves.rest_cap(at, still, seconds))
    opening = curves.speed_limit(np.minimum(wanted, bound), step)
    jaw = curves.smooth(size * loud * blended["jaw"] * here, fps, 0.025)
    press, tuck = (contact(at, fps, spoken, which) for which in ("lips", "teeth"))
    shape = curves.lips(size)
    return {
        "open": opening,
        "jaw": np.clip(jaw, 0.5 * opening, 0.9 * opening + JAW_SLACK * min(1.0, size) * here),
        "round": shape * blended["round"] * here,
        "spread": shape * blended["spread"] * here,
        "tongue": np.maximum(blended["tongue"], tips(at, fps, spoken)) * here,
        "press": press * np.clip(1 - opening / 0.15, 0, 1) * min(1.0, 0.55 + 0.45 * size),
        "tuck": tuck * np.clip(1.3 - opening / 0.35, 0, 1) * min(1.0, 0.55 + 0.45 * size),
        "talk": np.ones(len(at)),  # a talking mouth rests shut, even where the photo shows it open
    }


def blend(name: str, at: Array, spoken: list[Sound], still: Times) -> Array:
    """(t,) one channel as the dominance-weighted mean of the targets, pauses and the resting mouth included."""
    before, after = REACH[name]
    total, weight = np.zeros(len(at)), np.full(len(at), REST)
    for sound in spoken:
        length = sound.end - sound.start
        ahead = np.maximum(0.0, sound.start + 0.35 * length - at) / before
        behind = np.maximum(0.0, at - sound.end + 0.35 * length) / after
        firm = getattr(sound.viseme, SIDES.get(name, "weight")) * np.exp(-((ahead + behind) ** 1.5))
        total += firm * getattr(sound.viseme, name)
        weight += firm
    for start, end in still:
        outside = np.maximum(0.0, np.maximum(start + 0.05 - at, at - end + 0.05))
        weight += 0.5 * np.exp(-((outside / before) ** 1.5))
    mixed: Array = total / weight
    return mixed


def bounds(at: Array, fps: float, spoken: list[Sound], size: float) -> Array:
    """(t,) upper bound of the opening: shut lips, and consonants that must be seen however quick they are."""
    bound = np.full(len(at), 2.0)
    for sound in spoken:
        if sound.viseme.most < 2:
            held = _held(at, fps, sound) if sound.viseme.contact else _frame(at, fps, sound.middle)
            bound[held] = np.minimum(bound[held], sound.viseme.most * size)
    return bound


def contact(at: Array, fps: float, spoken: list[Sound], which: str) -> Array:
    """(t,) 1 while the lips touch (`which` "lips") or the lower lip meets the teeth ("teeth"), with short ramps."""
    out = np.zeros(len(at))
    for sound in spoken:
        if sound.viseme.contact == which:
            held = at[_held(at, fps, sound)]
            away = np.maximum(0.0, np.maximum(held[0] - at, at - held[-1]))
            out = np.maximum(out, np.clip(1 - away / 0.075, 0, 1))
    return out


def tips(at: Array, fps: float, spoken: list[Sound]) -> Array:
    """(t,) tongue tip of each sound on its own frame, so that a quick t is seen."""
    out = np.zeros(len(at))
    for sound in spoken:
        frame = _frame(at, fps, sound.middle)
        out[frame] = np.maximum(out[frame], sound.viseme.tongue)
    return out


def _frame(at: Array, fps: float, moment: float) -> slice:
    index = min(max(0, int(moment * fps)), len(at) - 1)
    return slice(index, index + 1)


def _held(at: Array, fps: float, sound: Sound) -> slice:
    """Frames of a closure: a little before it is heard to shortly before its release, and always the middle one."""
    middle = _frame(at, fps, sound.middle)
    first = int(np.searchsorted(at, sound.start - curves.LEAD / 2))
    last = int(np.searchsorted(at, sound.start + 0.6 * (sound.end - sound.start) - curves.LEAD / 2, side="right"))
    return slice(max(0, min(first, middle.start)), min(len(at), max(last, middle.stop)))


def beats(utterance: Utterance) -> Times:
    """(second, strength 0..1) of the stressed vowels: those longer and louder than the others of the utterance."""
    vowels = [s for s in utterance.phonemes if any(v.vowel for v in visemes(s.text))]
    if len(vowels) < 2:
        return [((s.start + s.end) / 2, 0.7) for s in vowels]
    middles = np.array([(s.start + s.end) / 2 for s in vowels])
    length = np.array([s.end - s.start for s in vowels])
    level = curves.loudness(utterance, middles, 0.08)
    marked = np.array(["ˈ" in s.text for s in vowels], float)
    score = _rank(length) + _rank(level) + 0.6 * marked
    strength = np.clip((score - 0.9) / 1.1, 0, 1)
    return [(float(m), float(s)) for m, s in zip(middles, strength, strict=True) if s > 0]


def _rank(values: Array) -> Array:
    """Place of each value among all, 0..1."""
    result: Array = values.argsort().argsort() / max(1, len(values) - 1)
    return result
