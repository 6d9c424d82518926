"""Which part of a text as written each part of it as spoken stands for."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from linly.text.language import HAN

_TOKEN = re.compile(rf"[{HAN}]|[^\W\d_{HAN}]+(?:['’][^\W\d_{HAN}]+)*|\d+|[^\w\s]")


def align(written: str, spoken: str) -> list[tuple[int, int, int, int]]:
    """(spoken begin, spoken end, written begin, written end) of each spoken token, in order, as character offsets.

    Tokens are single Chinese characters, words, digit runs and marks. Where wording differs ("$5" and "five dollars")
    each spoken token stands for the whole written piece; one that stands for nothing has an empty written range.
    """
    left, right = list(_TOKEN.finditer(written)), list(_TOKEN.finditer(spoken))
    match = SequenceMatcher(None, [t[0].lower() for t in left], [t[0].lower() for t in right], autojunk=False)
    result = []
    for kind, a1, a2, b1, b2 in match.get_opcodes():
        pairwise = a2 - a1 == b2 - b1 and all(
            re.match(f"[{HAN}]", t[0]) for t in (*left[a1:a2], *right[b1:b2])
        )  # as in traditional and simplified
        same = kind == "equal" or pairwise
        for k in range(b1, b2):
            if same:
                begin, end = left[a1 + k - b1].span()
            elif a1 == a2:
                begin = end = left[a1 - 1].end() if a1 else 0
            else:
                begin, end = left[a1].start(), left[a2 - 1].end()
            result.append((*right[k].span(), begin, end))
    return result
