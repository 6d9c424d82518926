"""An audience's questions: which are taken, and which is answered next. Safe to use from many threads.

What a comment says is only ever text to answer: nothing in it is an instruction here.
"""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from linly.chat.audience_words import alike, asks, blocked, blocker, clean, empty, words
from linly.errors import InputError
from linly.text.files import decode

NAME = 40
"""characters of a name; the rest is cut off"""
LARGEST_FILE = 4_000_000
"""bytes of a file of questions"""
WHY = {
    "vote": "Somebody asked that already: it counts as a vote for it.",
    "empty": "There is nothing in it to answer.",
    "long": "It is too long: ask shorter.",
    "repeated": "You have asked that already.",
    "answered": "That was answered a short while ago.",
    "hasty": "That is too many at once: wait a minute.",
    "blocked": "It holds a word that is not wanted here.",
    "full": "Too many questions are waiting: ask again later.",
}
"""Why a question is not taken as one of its own."""


@dataclass(frozen=True)
class Rules:
    """What is taken, and how it is ranked."""

    longest: int = 300
    """characters of a question"""
    per_minute: int = 4
    """questions that one person may ask in a minute; 0: any number"""
    expires: float = 600.0
    """seconds after which a question is no longer answered, and one answered may be asked again; 0: never"""
    most: int = 300
    """questions that may wait; the lowest in rank gives way"""
    block: tuple[str, ...] = ()
    """words that are not wanted"""
    vote: float = 2.0
    """rank of one vote"""
    asking: float = 3.0
    """rank of being a question"""
    minute: float = 1.0
    """rank of each minute of waiting"""
    turn: float = 4.0
    """rank that a person loses for each answer that they had lately"""


@dataclass(frozen=True)
class Verdict:
    """What became of a question."""

    taken: bool
    why: str = ""
    """a key of WHY, or empty"""

    def json(self) -> dict[str, Any]:
        return {"taken": self.taken, "reason": self.why, "why": WHY.get(self.why, "")}


@dataclass
class Asked:
    """A question that waits, or is answered."""

    number: int
    text: str
    name: str
    at: float
    """by the clock of Questions"""
    weight: float
    words: frozenset[str]
    voters: frozenset[str]
    listed: bool = False
    """of the host's own list: it does not expire"""

    @property
    def others(self) -> int:
        """How many more people ask it."""
        return len(self.voters - {_who(self.name)})

    def json(self) -> dict[str, Any]:
        return {"id": self.number, "text": self.text, "name": self.name, "votes": 1 + self.others}


class Questions:
    """The queue. clock: seconds."""

    def __init__(self, rules: Rules | None = None, clock: Callable[[], float] = monotonic) -> None:
        self.rules, self._clock = rules or Rules(), clock
        self._block = blocker(self.rules.block)
        self._waiting: list[Asked] = []
        self._answered: deque[tuple[float, Asked]] = deque(maxlen=500)
        self._lately: dict[str, deque[float]] = {}
        self._number = 0
        self._changed = threading.Condition()
        self.taken = 0
        """questions and votes taken"""
        self.refused: Counter[str] = Counter()
        """how many were not, by reason; "expired" and "full" also count questions that had been taken"""

    def add(
        self, text: str, name: str = "", at: float | None = None, weight: float = 1.0, listed: bool = False
    ) -> Verdict:
        """A question comes in. at: when it was asked (now). weight: how much it counts, more for a supporter.
        listed: of the host's own list: neither too many a minute nor ever too old."""
        text, name = clean(text), clean(name)[:NAME].strip()
        now = self._clock() if at is None else at
        with self._changed:
            self._expire()
            why = self._why_not(text, name, now, listed)
            if not why:
                found = next((q for q in self._waiting if alike(q.words, words(text))), None)
                why = self._voted(found, name, weight) if found else self._joined(text, name, now, weight, listed)
            if why in ("", "vote"):
                self.taken += 1
            else:
                self.refused[why] += 1
            self._changed.notify_all()
            return Verdict(why in ("", "vote"), why)

    def take(self, timeout: float = 0.0) -> Asked | None:
        """The next to be answered, which is then no longer waiting; None if none comes in `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting), timeout)
            ranked = self._ranked()
            if not ranked:
                return None
            best = ranked[0]
            self._waiting.remove(best)
            self._answered.append((self._clock(), best))
            return best

    def waiting(self) -> list[Asked]:
        """What waits, the next one first."""
        with self._changed:
            return self._ranked()

    def __len__(self) -> int:
        return len(self._waiting)

    def _why_not(self, text: str, name: str, now: float, listed: bool) -> str:
        """A key of WHY, or empty."""
        rules = self.rules
        if empty(text):
            return "empty"
        if len(text) > rules.longest:
            return "long"
        if blocked(text, self._block) or blocked(name, self._block):
            return "blocked"
        if name and not listed and rules.per_minute:
            lately = self._lately.setdefault(_who(name), deque())
            while lately and lately[0] <= now - 60:
                lately.popleft()
            if len(lately) >= rules.per_minute:
                return "hasty"
            lately.append(now)
            if len(self._lately) > 10_000:
                self._lately = {w: d for w, d in self._lately.items() if d and d[-1] > now - 60}
        held = words(text)
        for _, answered in self._recent(now):
            if alike(answered.words, held):
                return "repeated" if name and _who(name) in answered.voters else "answered"
        return ""

    def _voted(self, found: Asked, name: str, weight: float) -> str:
        if _who(name) in found.voters:  # of those without a name nobody knows whether they are one
            return "repeated"
        found.voters |= {_who(name)}
        found.weight += weight
        return "vote"

    def _joined(self, text: str, name: str, now: float, weight: float, listed: bool) -> str:
        self._number += 1
        new = Asked(self._number, text, name, now, weight, words(text), frozenset({_who(name)}), listed)
        self._waiting.append(new)
        if len(self._waiting) <= self.rules.most:
            return ""
        last = self._ranked()[-1]
        self._waiting.remove(last)
        if last is new:
            return "full"
        self.refused["full"] += 1
        return ""

    def _ranked(self) -> list[Asked]:
        self._expire()
        now = self._clock()  # one for all: else whoever is looked at later would have waited longer
        turns = Counter(_who(asked.name) for _, asked in self._recent(now) if asked.name)
        return sorted(self._waiting, key=lambda asked: (-self._rank(asked, turns, now), asked.number))

    def _rank(self, asked: Asked, turns: Counter[str], now: float) -> float:
        rules, minutes = self.rules, max(0.0, now - asked.at) / 60
        rank = rules.vote * asked.weight + rules.minute * minutes + rules.asking * asks(asked.text)
        return rank - rules.turn * turns[_who(asked.name)]

    def _recent(self, now: float) -> list[tuple[float, Asked]]:
        """What was answered lately."""
        lasts = self.rules.expires
        return [(at, asked) for at, asked in self._answered if not lasts or at > now - lasts]

    def _expire(self) -> None:
        lasts, now = self.rules.expires, self._clock()
        old = [q for q in self._waiting if lasts and not q.listed and q.at < now - lasts]
        for asked in old:
            self._waiting.remove(asked)
        if old:
            self.refused["expired"] += len(old)


def _who(name: str) -> str:
    return name.casefold()


def read(path: Path) -> list[tuple[str, str]]:
    """Text and name (may be empty) of each question in a file: .txt a line each, .csv with the columns name and text,
    .jsonl an object with text and name a line. Raises InputError for a file that cannot be used."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError(f"{path.name} is too large for a list of questions: at most {LARGEST_FILE // 10**6} MB.")
        text = decode(path.read_bytes(), path.name)
    except (OSError, ValueError) as error:
        raise InputError(f"The questions {str(path)!r} cannot be read: name a .txt, .csv or .jsonl file.") from error
    kind = path.suffix.lower()
    if kind == ".txt":
        found = [(line, "") for line in text.splitlines()]
    elif kind == ".csv":
        found = _of_csv(text, path.name)
    elif kind == ".jsonl":
        found = [_of_json(line, n, path.name) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    else:
        raise InputError(f"{path.name}: questions are a .txt, .csv or .jsonl file.")
    found = [(text.strip(), name.strip()) for text, name in found if text.strip()]
    if not found:
        raise InputError(f"{path.name} holds no question: write at least one.")
    return found


def words_of(path: Path) -> tuple[str, ...]:
    """The words of a block list: one a line; lines that begin with # are left out. Raises InputError."""
    try:
        lines = decode(path.read_bytes(), path.name).splitlines()
    except (OSError, ValueError) as error:
        raise InputError(f"The block list {str(path)!r} cannot be read: name a text file, a word a line.") from error
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def _of_csv(text: str, name: str) -> list[tuple[str, str]]:
    try:
        rows = [row for row in csv.reader(io.StringIO(text)) if any(row)]
    except csv.Error as error:
        raise InputError(f"{name} is no valid CSV ({error}).") from error
    heads = [re.sub(r"\W", "", cell).casefold() for cell in rows[0]] if rows else []
    if "text" not in heads:
        raise InputError(f"{name}: the first row must name the columns: name,text.")
    at, who = heads.index("text"), heads.index("name") if "name" in heads else -1
    return [(row[at] if at < len(row) else "", row[who] if -1 < who < len(row) else "") for row in rows[1:]]


def _of_json(line: str, number: int, name: str) -> tuple[str, str]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise InputError(f"{name}, line {number}, is no valid JSON.") from error
    asked = found if isinstance(found, dict) else {"text": found}
    text, who = asked.get("text"), asked.get("name") or ""
    if not isinstance(text, str) or not isinstance(who, str):
        raise InputError(f'{name}, line {number}: write {{"text": "...", "name": "..."}}.')
    return text, who
