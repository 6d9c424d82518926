"""How the user seems to feel, from the words and from the voice against what is usual for this person.

Words tell which mood; the voice tells how much: level, rate, pitch and its spread rise together with arousal and fall
together in sadness (Scherer, "Vocal communication of emotion", Speech Communication 40, 2003). Conservative: neutral
unless it is clear, for a person whose mood is misread feels worse than one whose mood is not.
"""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from linly.audio import resample
from linly.text import sentiment
from linly.text.language import HAN
from linly.values import Audio, Floats, Transcript

TURNS = 3
"""turns after which it is known how somebody usually speaks"""
FORGET = 0.85
"""weight of what was known when a further turn is added"""
USUAL = {"level": 2.5, "rate": 0.9, "pitch": 1.3, "spread": 0.9}
"""how much these vary at least with a calm person: decibels, syllables a second, semitones, semitones"""
CLEAR = 0.45
"""strength of the words below which nothing is said of a mood"""
TELLING = 0.6
"""strength of a phrase of mood.toml"""
ALONE = 1.2
"""deviations of the usual by which a voice must stand out to tell a mood without words"""
SHORTEST = 0.8
"""seconds of speech below which the voice tells nothing"""
_OWN = re.compile(r"\b(?:i|i'm|i've|i'd|my|me|we|our|us)\b|我|咱")
_WISH = re.compile(
    r"\b(?:tell|give|show|read|sing|play|write|explain|find|recommend|can you|could you|please)\b"
    r"|[给帮]我|请|讲|推荐|介绍"
)
"""a request: its words are about what is wanted"""
_DENIED = re.compile(
    r"(?:\b(?:not|no|never|isn't|aren't|wasn't|don't|didn't)\s+(?:\w+\s+)?|[不没别](?:太|是|有|再|用|会)?)$"
)
_HINTS = {
    "happy": ("The user sounds happy: share the joy.", "用户听起来很高兴：和他一起高兴。"),
    "sad": ("The user sounds low: be gentle and warm first.", "用户听起来情绪低落：先温和地安慰。"),
    "serious": (
        "The user sounds annoyed or pressed: be calm, brief and to the point.",
        "用户听起来着急或不满：冷静、简短、直接回答。",
    ),
    "surprised": ("The user sounds surprised: explain calmly.", "用户听起来很惊讶：平静地解释。"),
}
_FACES = {"happy": "happy", "sad": "sad", "serious": "serious", "surprised": "auto"}


@dataclass(frozen=True)
class Mood:
    """How the user seems to feel."""

    name: str = "neutral"
    """one of values.EMOTIONS but "auto"; "serious" is annoyed or pressed"""
    strength: float = 0.0
    """0..1"""
    why: str = ""
    """what tells so: the words, or how the voice differs from usual"""


@dataclass(frozen=True)
class Manner:
    """How a turn was spoken."""

    level: float
    """decibels of the voiced parts"""
    rate: float
    """syllables a second of speech"""
    pitch: float
    """semitones above 55 Hz, the median"""
    spread: float
    """semitones: standard deviation of the pitch"""


@dataclass
class Baseline:
    """How this person usually speaks; `read` keeps it up to date."""

    turns: int = 0
    mean: dict[str, float] = field(default_factory=dict)
    variance: dict[str, float] = field(default_factory=dict)

    def add(self, manner: Manner) -> None:
        """Know this turn too, the newest with most weight."""
        keep = min(FORGET, self.turns / (self.turns + 1))
        for name, new in vars(manner).items():
            old = self.mean.get(name, new)
            self.mean[name] = keep * old + (1 - keep) * new
            self.variance[name] = keep * (self.variance.get(name, 0.0) + (1 - keep) * (new - old) ** 2)
        self.turns += 1

    def unlike(self, manner: Manner) -> dict[str, float]:
        """By how many deviations each feature differs from usual, -3..3; empty while the person is hardly known."""
        if self.turns < TURNS:
            return {}
        size = {name: max(least, self.variance[name] ** 0.5) for name, least in USUAL.items()}
        return {n: float(np.clip((getattr(manner, n) - self.mean[n]) / size[n], -3, 3)) for n in USUAL}


def read(transcript: Transcript, audio: Audio | None, baseline: Baseline) -> Mood:
    """The mood of one turn. `audio`: the turn, or None for typed text; afterwards `baseline` knows the turn too."""
    name, strength, why = _words(transcript.text)
    spoken = manner(transcript, audio) if audio else None
    differs = baseline.unlike(spoken) if spoken else {}
    if spoken:
        baseline.add(spoken)
    excited = float(np.mean(list(differs.values()))) / ALONE if differs else 0.0
    if name == "neutral":
        return _voice(differs)
    if name == "happy" and excited < -0.8:
        return Mood()  # a glad word in a flat voice may be meant otherwise
    sign = -0.2 if name == "sad" else 0.2
    return Mood(name, round(float(np.clip(strength * (1 + sign * np.clip(excited, -1, 1)), 0, 1)), 2), why)


def answering(mood: Mood, language: str) -> tuple[str, str]:
    """(emotion for face and voice, a short hint for the language model in Chinese or English; empty for none)."""
    if mood.name not in _HINTS:
        return "auto", ""
    return _FACES[mood.name], _HINTS[mood.name][language == "zh"]


def manner(transcript: Transcript, audio: Audio) -> Manner | None:
    """How it was spoken; None where there is too little speech to tell."""
    from linly.speak import fit_pitch

    samples = resample(audio, fit_pitch.RATE).samples
    if len(samples) < SHORTEST * fit_pitch.RATE:
        return None
    hertz = fit_pitch.pitch(samples)
    power = _power(samples, fit_pitch.STEP, len(hertz))
    loud = power > np.percentile(power, 95) * 1e-3
    voiced = (hertz > 0) & loud
    seconds = float(loud.sum()) * fit_pitch.STEP / fit_pitch.RATE
    if seconds < SHORTEST or voiced.sum() < 30:
        return None
    semitones = 12 * np.log2(hertz[voiced] / 55)
    low, middle, high = np.percentile(semitones, [10, 50, 90])
    level = 10 * np.log10(float(power[voiced].mean()) + 1e-12)
    return Manner(level, syllables(transcript.text) / seconds, float(middle), float(high - low) / 2.56)


def syllables(text: str) -> int:
    """About how many syllables: Chinese characters, and groups of vowels in words of letters."""
    words = re.findall(r"[a-zà-ÿ']+", text.lower())
    groups = (len(re.findall(r"[aeiouyà-ÿ]+", re.sub(r"(?<=[^aeiou])e$", "", word))) for word in words)
    return len(re.findall(f"[{HAN}]", text)) + sum(max(1, n) for n in groups)


def _power(samples: Floats, step: int, count: int) -> Floats:
    """(count,) mean square of each step."""
    padded = np.pad(samples, (0, count * step - len(samples)))
    power: Floats = np.square(padded).reshape(count, step).mean(axis=1)
    return power


def _words(text: str) -> tuple[str, float, str]:
    """(mood, strength, the words that tell it) of a text; neutral where they are not about the user."""
    plain = text.lower().replace("’", "'")
    for name in ("serious", "sad", "happy"):
        for phrase in _phrases()[name]:
            found = re.search(phrase, plain)
            if found and not _DENIED.search(plain[: found.start()]):
                return name, TELLING, found[0]
    for phrase in _phrases()["courtesy"]:
        plain = re.sub(phrase, " ", plain)
    said = sentiment.read(plain.strip())
    asked = bool(re.search(r"[?？]\s*$|[吗呢][。.]?\s*$", plain))
    about_it = asked or bool(_WISH.search(plain))
    told = said.emotion == "surprised" or (not about_it and (_OWN.search(plain) or said.emotion == "happy"))
    if said.strength < CLEAR or not told:
        return "neutral", 0.0, ""
    return said.emotion, said.strength, text.strip()


def _voice(differs: dict[str, float]) -> Mood:
    """The mood that the voice tells alone: low where all is lower than usual, pressed where it is louder and faster."""
    if not differs:
        return Mood()
    if sum(value < -0.6 for value in differs.values()) == 4 and np.mean(list(differs.values())) < -ALONE:
        return Mood("sad", 0.35, "quieter, slower, lower and flatter than usual")
    if min(differs["level"], differs["rate"]) > ALONE and differs["pitch"] > 0.6:
        return Mood("serious", 0.35, "louder, faster and higher than usual")
    return Mood()


@functools.cache
def _phrases() -> dict[str, tuple[str, ...]]:
    """Patterns by mood, English ones as whole words."""
    lists = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {
        name: (*(rf"\b{re.escape(p)}\b" for p in entry["en"]), *(re.escape(p) for p in entry["zh"]))
        for name, entry in lists.items()
    }
