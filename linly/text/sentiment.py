"""The mood of a sentence from its words: a small list of our own in Chinese and English, negation, degree, emoji."""

from __future__ import annotations

import functools
import math
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

EMOTIONS = ("happy", "sad", "serious", "surprised")
DENIED = {"happy": ("sad", 0.75), "sad": ("happy", 0.6)}
"""what the denial of an emotion says, and how much of it; the denial of the others says nothing"""
REACH = 4
"""words (or Chinese characters) that say nothing by themselves which a "not" carries across"""
MORE, LESS = 1.35, 0.7
"""factors of "very" and "a little\""""
BEFORE_BUT = 0.5
"""what is left of a clause's mood after a "but\""""
LEAST = 0.5
"""score below which a sentence is neutral"""
_TOKEN = re.compile(r"[a-z]+(?:[-'][a-z]+)*|\S")
_CLAUSE = frozenset(",.;!?，。；！？…—\n")
_TWICE = re.compile(r"[?？][!！]|[!！][?？]|⁉")


class Entry(NamedTuple):
    """What a phrase does: an emotion with its weight, or "not", "more", "less", "but", "blocked"."""

    kind: str
    weight: float
    tight: bool
    """its signs must stand side by side, as in :)"""


@dataclass(frozen=True)
class Sentiment:
    """The mood that the words of one sentence say."""

    emotion: str = "neutral"
    strength: float = 0.0
    """0..1"""
    cues: tuple[tuple[float, float], ...] = ()
    """(place in the text 0..1, weight) of each word that said so, in order"""


@functools.cache
def _phrases() -> tuple[dict[tuple[str, ...], Entry], dict[str, Entry], int]:
    """Phrases as tuples of tokens (a Chinese character is one), beginnings of words, and the longest phrase."""
    lists = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    rows = [(e, 1.2, text.split(), True) for e, text in lists["signs"].items()]
    for language in ("en", "zh"):
        for kind in (*EMOTIONS, "blocked"):
            rows += [(kind, float(w), text.split(), False) for w, text in lists[language].get(kind, {}).items()]
        rows += [(kind, 0.0, text.split(), False) for kind, text in lists[language]["words"].items()]
    whole: dict[tuple[str, ...], Entry] = {}
    begun: dict[str, Entry] = {}
    for kind, weight, phrases, tight in rows:
        for phrase in phrases:
            entry = Entry(kind, weight, tight)
            if phrase.endswith("*") and not tight:
                begun[phrase[:-1]] = entry
            else:
                key = _TOKEN.findall(phrase.lower() if tight else phrase.replace("_", " "))
                whole[tuple(key)] = entry
    return whole, begun, max(map(len, whole))


def _match(tokens: list[re.Match[str]], at: int) -> tuple[Entry | None, int]:
    """What begins at token `at`, the longest phrase first, and how many tokens it takes."""
    whole, begun, longest = _phrases()
    for size in range(min(longest, len(tokens) - at), 0, -1):
        part = tokens[at : at + size]
        entry = whole.get(tuple(m[0] for m in part))
        if entry and not (entry.tight and part[-1].end() - part[0].start() != sum(len(m[0]) for m in part)):
            return entry, size
    word = tokens[at][0]
    if word.endswith("n't"):
        return Entry("not", 0.0, False), 1
    for size in range(len(word), 3, -1):
        if word[:size] in begun:
            return begun[word[:size]], 1
    return None, 1


def read(text: str) -> Sentiment:
    """The mood of one sentence, whatever mixture of Chinese and English; neutral where the words say nothing."""
    plain = text.lower().replace("’", "'").replace("\ufe0f", "")
    found: list[tuple[float, str, float]] = []
    tokens = list(_TOKEN.finditer(plain))
    at, denied, degree, carried = 0, False, 1.0, 0
    while at < len(tokens):
        entry, size = _match(tokens, at)
        kind = entry.kind if entry else ""
        if kind in EMOTIONS and entry:
            weight = entry.weight * degree
            said, kept = DENIED.get(kind, ("", 0.0)) if denied and not entry.tight else (kind, 1.0)
            if said:
                found.append((tokens[at].start() / len(plain), said, weight * kept))
            denied, degree = False, 1.0
        elif kind == "not":
            denied, carried = not denied, 0
        elif kind in ("more", "less"):
            degree = MORE if kind == "more" else LESS
        elif kind == "but":
            found = [(place, said, weight * BEFORE_BUT) for place, said, weight in found]
            denied, degree = False, 1.0
        elif tokens[at][0] in _CLAUSE:
            denied, degree = False, 1.0
        else:
            carried += size
            denied = denied and carried <= REACH
            degree = degree if carried <= 1 else 1.0
        at += size
    return _judge(plain, found)


def _judge(plain: str, found: list[tuple[float, str, float]]) -> Sentiment:
    """The emotion that outweighs the others; of equal ones the later."""
    if _TWICE.search(plain):
        found = [*found, (0.9, "surprised", 0.8)]
    if not found:
        return Sentiment()
    score = {e: sum(w for _, said, w in found if said == e) for e in EMOTIONS}
    latest = {said: place for place, said, _ in found}
    best = max(latest, key=lambda e: (round(score[e], 3), latest[e]))
    rest = sum(score.values()) - score[best]
    value = (score[best] - 0.3 * rest) * (1.25 if plain.rstrip(" \"'”’」』)）").endswith(("!", "！")) else 1.0)
    if value < LEAST:
        return Sentiment()
    cues = tuple((place, weight) for place, said, weight in found if said == best)
    return Sentiment(best, round(1 - math.exp(-0.75 * value), 3), cues)
