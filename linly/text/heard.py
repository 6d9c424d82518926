"""How much of what was said a listener understood."""

from __future__ import annotations

from collections.abc import Sequence


def wrong_share(said: Sequence[str], heard: Sequence[str]) -> float:
    """Share of all texts' characters (letters and figures, either case) that were heard wrongly, added or lost."""
    pairs = [(_bare(one), _bare(other)) for one, other in zip(said, heard, strict=True)]
    return sum(_distance(*pair) for pair in pairs) / max(1, sum(len(one) for one, _ in pairs))


def _bare(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _distance(one: str, other: str) -> int:
    """How many characters must be changed, put in or left out (Levenshtein, 1966)."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]
