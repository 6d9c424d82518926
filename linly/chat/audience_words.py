"""What a comment holds: its clean text, whether there is anything to answer, what it has in common with another."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher

from linly.text.language import HAN

_LINK = re.compile(r"(?:https?://|www\.)\S+", re.I)
_WORD = re.compile(rf"[{HAN}]|[^\W_{HAN}]+(?:['’][^\W_{HAN}]+)*")
_ASKS = re.compile(
    r"[?？]\s*$|[吗呢么]\s*[。！!~～]*$|谁|什么|怎么|怎样|为什么|哪|多少|几[个点岁年天次]|是不是|能不能|会不会|有没有|可不可以"
    r"|^(?:what|who|whose|whom|when|where|which|why|how|is|are|am|was|were|do|does|did|can|could|will|would|should|may"
    r"|have|has|tell me|explain)\b",
    re.I,
)
_SAME = {"什么地方": "哪里", "哪儿": "哪里", "为啥": "为什么", "啥": "什么"}
_EMPTY = frozenset(
    re.findall(
        r"\S+",
        "a an the of to in on at is are am was were be do does did please 请 的 了 吗 呢 啊 吧 是 在 一 下 我 想 问",
    )
)
"""Words that a question is the same without."""
_TURNS = frozenset(re.findall(r"\S+", "not no never without don't doesn't isn't aren't can't won't 不 没 别 无 未"))
"""Words that make another question of it."""
ALIKE = 0.85
"""Share of common words from which two questions are one."""


def clean(text: str) -> str:
    """In one line, without links and without characters that are not seen."""
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in _LINK.sub(" ", text))
    return " ".join("".join(c for c in kept if unicodedata.category(c)[0] != "C").split())


def empty(text: str) -> bool:
    """Whether nothing in it can be answered: emoji, marks, figures alone, one character over and over."""
    letters = [c.casefold() for c in text if unicodedata.category(c)[0] in "LN"]
    if not letters or (len(letters) > 2 and len(set(letters)) == 1):
        return True
    return all(c.isnumeric() and not re.match(f"[{HAN}]", c) for c in letters) and not re.search(r"[?？=]", text)


def asks(text: str) -> bool:
    """Whether it is a question."""
    return bool(_ASKS.search(text))


def words(text: str) -> frozenset[str]:
    """The words that make the question what it is; Chinese by characters."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    for form, usual in _SAME.items():
        plain = plain.replace(form, usual)
    found = frozenset(_WORD.findall(plain))
    return found - _EMPTY or found


def alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two questions, as their `words`, are the same one but for spelling and order."""
    if not one or not other or not 0.6 < len(one) / len(other) < 1.7:
        return False
    mine, theirs = set(one - other), set(other - one)
    common = len(one & other)
    for word in sorted(mine):  # a slip of the finger, or another way to spell it
        near = next((w for w in sorted(theirs) if _near(word, w)), "")
        if near:
            common += 1
            mine.discard(word)
            theirs.discard(near)
    left = mine | theirs
    if any(word in _TURNS or any(c.isdigit() for c in word) for word in left):
        return False
    return common / (common + len(left)) >= ALIKE


def _near(one: str, other: str) -> bool:
    if min(len(one), len(other)) < 5 or any(c.isdigit() for c in one + other):
        return False
    return SequenceMatcher(None, one, other).ratio() >= 0.88


def blocker(terms: Iterable[str]) -> re.Pattern[str] | None:
    """Finds any of the words in a text, spaced out or drawn out too ("b.a.d", "baaad"); None of no words."""
    found = []
    for term in terms:
        letters = [c for c in unicodedata.normalize("NFKC", term).casefold() if c.isalnum()]
        if letters:
            body = r"[\W_]*".join(re.escape(c) + "+" for c in letters)
            han = re.search(f"[{HAN}]", "".join(letters))
            found.append(body if han else rf"(?<![^\W_]){body}(?![^\W_])")
    return re.compile("|".join(found)) if found else None


def blocked(text: str, pattern: re.Pattern[str] | None) -> bool:
    """Whether the text holds a word of `blocker`."""
    return bool(pattern and pattern.search(unicodedata.normalize("NFKC", text).casefold()))
