"""What a memory gives back, and how text is made fit to be kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from linly.errors import InputError
from linly.text.sentences import split

SUMMARY = 600
"""characters of the running summary"""


@dataclass(frozen=True)
class Said:
    """One turn."""

    role: str
    """"user" or "assistant" """
    text: str
    language: str = ""
    time: float = 0.0
    """seconds since 1970"""
    sources: tuple[str, ...] = ()
    heard: bool = True
    """to its end; False where the user interrupted, and `text` is what was heard until then"""


@dataclass(frozen=True)
class Kept:
    """A conversation in the list."""

    id: str
    title: str
    begun: float
    """seconds since 1970"""
    changed: float
    turns: int


@dataclass(frozen=True)
class History:
    """What the language model is reminded of."""

    summary: str = ""
    """of the turns that are left out"""
    turns: tuple[Said, ...] = ()
    """the newest, oldest first; begins with the user's"""


@dataclass(frozen=True)
class Fact:
    """Something that the user told, to be remembered beyond the conversation."""

    id: int
    kind: str
    """one of memory_facts.KINDS"""
    text: str
    time: float = 0.0


def extract(summary: str, out: Sequence[Said]) -> str:
    """A plain stand-in for a summary: the old one and the first sentence of each turn, the newest of it all."""
    lines = [summary] if summary else []
    for said in out:
        first = next(iter(split(said.text)), "")
        lines.append(line(("- " if said.role == "user" else "= ") + first, 120))
    while len(lines) > 1 and sum(map(len, lines)) + len(lines) - 1 > SUMMARY:
        lines.pop(0)
    return "\n".join(lines)[-SUMMARY:]


def whole(text: str) -> str:
    """Text as SQLite can hold it, trimmed."""
    return text.encode("utf-8", "replace").decode().replace("\0", "").strip()


def cut(text: str, longest: int) -> str:
    """Text of at most `longest` characters."""
    text = whole(text)
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def line(text: str, longest: int) -> str:
    """Text on one line of at most `longest` characters."""
    return cut(" ".join(whole(text).split()), longest)


def name(wanted: str) -> str:
    """The name of a user or persona. Raises InputError for one that cannot be kept as it is."""
    if not wanted.strip() or len(wanted) > 200 or wanted != whole(wanted):
        raise InputError("The name of a user or persona is 1 to 200 characters, without spaces at its ends.")
    return wanted


def utc(seconds: float) -> str:
    """A moment as one reads it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
