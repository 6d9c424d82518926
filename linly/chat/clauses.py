"""Where the stream of an answer is cut for the voice: the first clause early, then sentence by sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from linly.text.language import HAN
from linly.text.sentences import seconds, split

LONG = (3.0, 3.0, 4.5, 6.0)
"""Seconds of speech beyond which the first, second, third .. clause is cut at a comma: the early ones are short, since
what follows must be ready before they have been said."""
_MARK = re.compile(r"[，、；：]|[,;:—](?=\s)")
_NOW = re.compile(r"[。！？]$")
_HAN = re.compile(f"[{HAN}]")
_BEFORE = frozenset(
    re.findall(
        r"\w+", "and but or so because that which who when while if as with for from in on at by to of about into than"
    )
)
"""Words that a phrase begins with."""
_NOT_LAST = _BEFORE | frozenset(
    re.findall(
        r"\w+",
        "a an the my your his her its our their this these those is are was were not very mr mrs ms dr prof st i",
    )
)
"""Words that no piece may end with."""
FEWEST, MOST = 5, 6
"""words of a first clause that has no mark: what takes a voice on two cores less than a second to say"""
FEWEST_HAN, MOST_HAN = 5, 9
"""Chinese characters of one"""


def clauses(pieces: Iterable[str], language: str) -> Iterator[str]:
    """`pieces` in clauses as they come; joined they give the text back. language: ISO 639-1."""
    waiting, given = "", 0
    for piece in pieces:
        waiting += piece
        while cut := _cut(waiting, given, language):
            yield waiting[:cut]
            waiting, given = waiting[cut:], given + 1
    while waiting.strip():
        cut = _whole(waiting) or len(waiting)
        yield waiting[:cut]
        waiting = waiting[cut:]


def _cut(text: str, given: int, language: str) -> int:
    """Where the next clause ends, after so many; 0 if that is not known yet."""
    longest = LONG[min(given, len(LONG) - 1)]
    sentence = _whole(text)
    head = text[:sentence] if sentence else text
    if not given and (mark := _first(head, language)):
        return mark
    if seconds(head) > longest:
        marks = [found.end() for found in _MARK.finditer(head) if _open_number(head, found.end())]
        fitting = [end for end in marks if 1.5 < seconds(head[:end]) <= longest and len(head) - end > 2]
        if fitting:
            return fitting[-1]
    return sentence


def _open_number(text: str, end: int) -> bool:
    """Whether what follows a mark is there already and the mark stands not within a number."""
    return end < len(text) and not (text[end - 1].isascii() and text[end : end + 1].isdigit())


def _whole(text: str) -> int:
    """End of the first sentence that is surely whole, 0 if there is none."""
    line = re.match(r"\s*[^\n]*\S[^\n]*\n", text)
    body = text[: line.end()] if line else text
    found = list(split(body))
    if not found:
        return 0
    end = body.index(found[0]) + len(found[0])
    if len(found) > 1 or _NOW.search(body):
        return end if len(found) > 1 else len(body)
    return line.end() if line else 0


def _first(text: str, language: str) -> int:
    """Where a first clause may end in the beginning of a sentence, 0 if nowhere yet."""
    chinese = len(_HAN.findall(text)) * 2 > len(text.strip())
    for found in _MARK.finditer(text):
        size = len(_HAN.findall(text[: found.end()])) if chinese else 2 * len(text[: found.end()].split())
        if size >= 4 and _open_number(text, found.end()):
            if size > (MOST_HAN if chinese else 2 * MOST):
                break
            return found.end()
    return _first_zh(text) if chinese else _first_en(text)


def _first_en(text: str) -> int:
    words = list(re.finditer(r"\S+", text))
    if len(words) <= MOST:  # the last may go on
        return 0
    for at in range(FEWEST, MOST + 1):
        if words[at][0].lower() in _BEFORE and _may_end(words[at - 1][0]):
            return words[at - 1].end()
    return next((words[at - 1].end() for at in range(FEWEST, MOST + 1) if _may_end(words[at - 1][0])), 0)


def _may_end(word: str) -> bool:
    plain = word.lower().strip("\"'(.,")
    return plain not in _NOT_LAST and word[-1:].isalpha() and not any(c.isdigit() for c in word)


def _first_zh(text: str) -> int:
    if len(text.strip()) < MOST_HAN + 2:
        return 0
    import jieba

    at, ends = 0, []
    for word in jieba.cut(text, HMM=False):
        at += len(word)
        if FEWEST_HAN <= len(text[:at].strip()) <= MOST_HAN and _HAN.search(word) and _HAN.match(text[at : at + 1]):
            ends.append(at)
    after = [end for end in ends if text[end - 1] in "的了着是有在和与及或"]
    good = [end for end in ends if text[end] not in "的了着们吗呢吧" and end not in after]
    return (good or ends or [0])[0]
