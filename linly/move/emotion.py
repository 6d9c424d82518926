"""Which emotion a sentence is said with, how strongly, and when: from its words, its kind and its sound.

Words say which (text/sentiment.py); the sound says how much: syllables a second and the swing of the level (both rise
with arousal: Scherer, "Vocal communication of emotion", Speech Communication 40, 2003). Pitch is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linly.move.visemes import visemes
from linly.text import sentiment
from linly.values import Style, Utterance

Array = NDArray[np.float64]

FIXED = 0.8
"""strength of an emotion that was asked for"""
USUAL_RATE, RATE_RANGE = 4.6, 2.0
"""syllables a second of a calm speaker, and how many more are agitated"""
USUAL_SWING, SWING_RANGE = 6.5, 3.0
"""decibels by which the level of a calm speaker's syllables varies (standard deviation), and how many more agitate"""
AROUSED = {"happy": 0.25, "surprised": 0.25, "serious": 0.1, "sad": -0.3}
"""share by which arousal 1 makes an emotion stronger"""
BEFORE, HELD = 0.45, 0.6
"""seconds by which the face is ahead of the word that tells, and how much of the mood the rest of the sentence has"""


@dataclass(frozen=True)
class Mood:
    """One sentence's emotion."""

    emotion: str = "neutral"
    strength: float = 0.0
    """0..1"""
    moments: tuple[float, ...] = ()
    """seconds of the words that say so"""
    steady: bool = False
    """asked for: it goes on across sentences; else it is nothing at both ends of the sentence"""


def mood(utterance: Utterance, style: Style) -> Mood:
    """The emotion of a sentence: the one asked for, or with "auto" what words and sound say."""
    if style.emotion != "auto":
        return Mood(style.emotion, 0.0 if style.emotion == "neutral" else FIXED, (), True)
    said = sentiment.read(utterance.text)
    excited = arousal(utterance)
    if said.emotion == "neutral":
        called = utterance.text.rstrip(" \"'”’」』)）").endswith(("!", "！"))
        strength = 0.2 + 0.3 * excited if called else 0.0
        return Mood("happy", round(strength, 3)) if strength > 0.1 else Mood()
    strength = float(np.clip(said.strength * (1 + AROUSED[said.emotion] * excited), 0.15, 1.0))
    return Mood(said.emotion, round(strength, 3), tuple(moment(utterance, place) for place, _ in said.cues))


def arousal(utterance: Utterance) -> float:
    """-1 calm to 1 agitated, 0 where sound and phonemes tell nothing."""
    from linly.move import curves

    cues = []
    syllables = [p for p in utterance.phonemes if any(v.vowel for v in visemes(p.text))]
    spoken = sum(p.end - p.start for p in utterance.phonemes if visemes(p.text))
    if len(syllables) >= 4 and spoken > 0.5:
        cues.append((len(syllables) / spoken - USUAL_RATE) / RATE_RANGE)
    level = curves.loudness(utterance, np.arange(0.05, max(0.06, utterance.audio.seconds), 0.05), 0.12)
    heard = level[level > -30]
    if len(heard) >= 15 and np.ptp(heard) > 0.1:
        cues.append((float(heard.std()) - USUAL_SWING) / SWING_RANGE)
    return float(np.clip(np.mean(cues), -1, 1)) if cues else 0.0


def moment(utterance: Utterance, place: float) -> float:
    """The second at which the place 0..1 of the text is said: by the words' times if known, else in proportion."""
    words = utterance.words
    if words:
        ends = np.cumsum([len(w.text) for w in words], dtype=float)
        return words[min(int(np.searchsorted(ends, place * ends[-1], side="right")), len(words) - 1)].start
    return place * utterance.audio.seconds


def course(at: Array, seconds: float, mood: Mood) -> Array:
    """(n,) how much of the mood shows, 0..its strength: most from each telling word on, easing off after it.

    A mood of the sentence's own is 0 at both of its ends, so that sentences join; a steady one never leaves.
    """
    from linly.move import idle

    if mood.strength == 0:
        return np.zeros(len(at))
    if mood.steady:
        return mood.strength * (0.85 + 0.15 * idle.edges(at, seconds, 0.8))
    level = np.full(len(at), HELD if mood.moments else 1.0)
    for told in mood.moments:
        level = np.maximum(level, HELD + (1 - HELD) * idle.bump(at, max(told + 0.1, 0.3), BEFORE + 0.2, 1.6))
    result: Array = mood.strength * level * idle.edges(at, seconds, 0.6)
    return result
