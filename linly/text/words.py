"""What the text side hands to the voice: symbols, and where each written word lies among them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """A word and its place among the symbols."""

    text: str
    """as written"""
    begin: int
    end: int


@dataclass(frozen=True)
class Pronunciation:
    """A sentence as the voice model takes it."""

    symbols: str
    words: tuple[Word, ...]
