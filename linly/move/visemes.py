"""What the mouth does for each sound: a table of lip and jaw targets, with a fall-back by feature for any IPA symbol.

The numbers are authored, in the units of values.CURVES, from articulatory phonetics: vowel height gives the opening,
vowel backness and rounding the lips (IPA chart), place of articulation the closures and the tongue, and the classic
viseme groups say which consonants look alike (Jeffers and Barley, Speechreading, 1971). `weight` is the dominance of
Cohen and Massaro, "Modeling coarticulation in synthetic visual speech" (1993): how firmly a sound holds its shape
against its neighbours. `most` is a hard upper bound of the opening in the middle of the sound.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import Literal

Contact = Literal["", "lips", "teeth"]


@dataclass(frozen=True)
class Viseme:
    """Targets of one sound, all 0..1 (see values.CURVES)."""

    open: float
    jaw: float
    round: float = 0.0
    spread: float = 0.0
    tongue: float = 0.0
    weight: float = 1.0
    """dominance for opening and jaw"""
    shape: float = 1.0
    """dominance for rounding and spreading"""
    most: float = 2.0
    """the opening may not be larger in the middle of the sound"""
    contact: Contact = ""
    """"lips": shut (p b m); "teeth": lower lip under the upper teeth (f v)"""
    vowel: bool = False


def _vowel(open: float, jaw: float, round: float = 0.0, spread: float = 0.0, weight: float = 1.0) -> Viseme:
    return Viseme(open, jaw, round, spread, 0.0, weight, 1.0 if round or spread else 0.35, vowel=True)


LIPS = Viseme(0.0, 0.16, weight=1.0, shape=0.12, most=0.0, contact="lips")
TEETH = Viseme(0.07, 0.16, weight=0.9, shape=0.2, most=0.10, contact="teeth")
DENTAL = Viseme(0.22, 0.22, tongue=1.0, weight=0.8, shape=0.15, most=0.30)
ALVEOLAR = Viseme(0.20, 0.20, tongue=0.9, weight=0.7, shape=0.1, most=0.34)
LATERAL = Viseme(0.30, 0.30, tongue=1.0, weight=0.7, shape=0.1, most=0.46)
HISS = Viseme(0.14, 0.08, spread=0.45, tongue=0.45, weight=1.0, shape=0.4, most=0.20)
HUSH = Viseme(0.18, 0.10, round=0.55, tongue=0.3, weight=1.0, shape=0.7, most=0.24)
RETROFLEX = Viseme(0.19, 0.12, round=0.3, tongue=0.35, weight=0.95, shape=0.45, most=0.26)
PALATAL = Viseme(0.17, 0.12, spread=0.55, tongue=0.5, weight=0.9, shape=0.5, most=0.24)
GLIDE = Viseme(0.18, 0.16, spread=0.55, tongue=0.3, weight=0.7, shape=0.6, most=0.36)
RHOTIC = Viseme(0.24, 0.22, round=0.45, tongue=0.3, weight=0.6, shape=0.5, most=0.42)
TAP = Viseme(0.28, 0.28, tongue=0.9, weight=0.5, shape=0.08, most=0.44)
VELAR = Viseme(0.32, 0.28, weight=0.45, shape=0.08, most=0.62)
BREATH = Viseme(0.40, 0.34, weight=0.15, shape=0.05)
ROUND_GLIDE = Viseme(0.09, 0.12, round=1.0, weight=1.0, shape=1.2, most=0.16)
LIP_FRICTION = Viseme(0.07, 0.14, weight=1.0, shape=0.3, most=0.10)

_GROUPS: tuple[tuple[str, Viseme], ...] = (
    ("p b m ɓ ʙ ʘ", LIPS),
    ("f v ɱ ʋ ⱱ", TEETH),
    ("ɸ β", LIP_FRICTION),
    ("θ ð", DENTAL),
    ("t d n ɗ ǀ ǃ", ALVEOLAR),
    ("l ɫ ɬ ɮ ɺ ǁ", LATERAL),
    ("s z ts dz ʦ ʣ", HISS),
    ("ʃ ʒ tʃ dʒ ʧ ʤ ɧ", HUSH),
    ("ʂ ʐ ʈʂ ɖʐ tʂ ꭧ ɻ ɽ ʈ ɖ ɳ ɭ", RETROFLEX),
    ("ɕ ʑ tɕ dʑ ʨ ʥ c ɟ ɲ ç ʝ ʎ ʄ", PALATAL),
    ("j", GLIDE),
    ("ɹ", RHOTIC),
    ("ɾ r", TAP),
    ("k ɡ g ŋ x ɣ q ɢ ɴ χ ʁ ʀ ɠ ʛ ɰ", VELAR),
    ("h ɦ ʔ ħ ʕ ʜ ʢ ʡ", BREATH),
    ("w ʍ ɥ", ROUND_GLIDE),
    ("a ä ɶ", _vowel(1.00, 0.95)),
    ("ɑ ɒ", _vowel(1.00, 1.00)),
    ("æ", _vowel(0.96, 0.90, spread=0.35)),
    ("ɐ", _vowel(0.84, 0.80)),
    ("ʌ", _vowel(0.80, 0.78)),
    ("ɔ", _vowel(0.80, 0.82, round=0.60)),
    ("ɛ œ", _vowel(0.74, 0.66, spread=0.40)),
    ("e ø", _vowel(0.58, 0.50, spread=0.55)),
    ("ə ɘ ɵ ᵊ", _vowel(0.50, 0.44, weight=0.6)),
    ("ɜ ɝ ɚ ɞ", _vowel(0.50, 0.44, round=0.30, weight=0.9)),
    ("ɤ", _vowel(0.54, 0.50)),
    ("o", _vowel(0.52, 0.56, round=0.85)),
    ("ɪ ᵻ", _vowel(0.46, 0.36, spread=0.50, weight=0.9)),
    ("i ɨ", _vowel(0.36, 0.26, spread=0.85)),
    ("ʏ", _vowel(0.32, 0.28, round=0.75)),
    ("ʊ", _vowel(0.36, 0.34, round=0.70)),
    ("ɯ", _vowel(0.32, 0.28, spread=0.20)),
    ("u ʉ", _vowel(0.22, 0.26, round=1.00)),
    ("y", _vowel(0.20, 0.22, round=0.95)),
)
VISEMES: dict[str, Viseme] = {symbol: v for symbols, v in _GROUPS for symbol in symbols.split()}
# Front rounded vowels and the open rounded ones share the opening of their unrounded neighbours, not their lips.
VISEMES |= {
    "ø": replace(VISEMES["e"], spread=0.0, round=0.85),
    "œ": replace(VISEMES["ɛ"], spread=0.0, round=0.70),
    "ɒ": replace(VISEMES["ɑ"], open=0.85, round=0.45),
    "ɶ": replace(VISEMES["a"], round=0.35),
    "ɵ": replace(VISEMES["ə"], round=0.60),
    # Mandarin's apical vowels: the tongue stays at the consonant, the teeth nearly together.
    "ɹ̩": _vowel(0.24, 0.16, spread=0.45),
    "ɻ̩": _vowel(0.24, 0.18, round=0.15),
    "z̩": _vowel(0.22, 0.16, spread=0.45),
    "ʐ̩": _vowel(0.24, 0.18, round=0.15),
}
NEUTRAL = _vowel(0.40, 0.36, weight=0.4)
"""for a symbol that says nothing about the lips"""

_MARKS = frozenset("ˈˌːˑ.‿|→↗↓↘↑˥˦˧˨˩0123456789ʰʱ˞ʲˠˤʼ'-ⁿˡ\u0303\u0308\u031a\u0361\u035c")
_LONGEST = max(map(len, VISEMES))
_NOT_SOUND = frozenset(' ,.;:!?…—"“”«»()[]，。！？；：、「」『』')


def visemes(symbol: str) -> tuple[Viseme, ...]:
    """The targets of one phoneme in IPA, in order: one for most, several for diphthongs and joined symbols.

    Stress, length, tone and aspiration marks are ignored; a superscript w rounds the sound before it. Symbols that
    are not in the table go by their base letter, else they are neutral. Punctuation and blanks give ().
    """
    text = "".join(c for c in unicodedata.normalize("NFC", symbol) if c not in _MARKS and c not in _NOT_SOUND)
    found: list[Viseme] = []
    at = 0
    while at < len(text):
        if text[at] == "ʷ" and found:
            found[-1] = replace(found[-1], round=max(found[-1].round, 0.7), shape=1.0)
            at += 1
            continue
        size = next((n for n in range(_LONGEST, 0, -1) if text[at : at + n] in VISEMES), 0)
        if size:
            found.append(VISEMES[text[at : at + size]])
        elif not unicodedata.combining(text[at]) or not found:
            base = unicodedata.normalize("NFD", text[at])[0]
            if unicodedata.category(base)[0] == "L":
                found.append(VISEMES.get(base.lower(), NEUTRAL))
        at += size or 1
    return tuple(found)
