"""A text that is still being written, cut for the voice: the first clause early, then sentence by sentence."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator

from linly.text.sentences import seconds, split

_HAN = r"\u3400-\u9fff"
_MARK = re.compile(r"[，、；：。！？…—](?=.)|[,;:!?](?=\s+\S)|\.(?=\s+\S)", re.S)
"""clause marks that something follows"""
_SMALL = re.compile(
    r"(?:and|but|because|which|that|who|when|where|while|if|so|or|to|of|in|on|at|for|from|with|by|as|is|are|was|were)$"
)
"""words before which an English phrase may end, and after which it does not"""
_BOUND = re.compile(r"(?:a|an|the|my|your|his|her|its|our|their|this|very|not|no)$")
"""nor after these"""
LEAST = 0.7
"""seconds of speech that a first clause has, about"""
MOST = {"zh": 12, "en": 8}
"""characters, or words, after which the first clause does not wait for a mark any longer"""
FEWEST = {"zh": 6, "en": 4}
"""what it has at least where there is none"""
LONG = 8.0
"""seconds of a sentence after which it is cut at its last mark"""


def clauses(pieces: Iterable[str], language: str) -> Iterator[str]:
    """Pieces that are each spoken in one go; joined, they are the text.

    The first is short (about ten Chinese characters or five words), for then the voice can begin; it ends at a mark, or
    else between two words. Then come whole sentences; long ones are cut at a comma.
    """
    held, first = "", True
    for piece in pieces:
        held += piece
        while True:
            end = (_first(held, language) if first else 0) or _sentence(held)
            if not end:
                break
            yield held[:end]
            held, first = held[end:], False
    while held.strip():
        end = _first(held, language) if first else 0
        end = end or _sentence(held) or len(held)
        yield held[:end]
        held, first = held[end:], False


def _first(text: str, language: str) -> int:
    """Where the first clause ends, 0 if that cannot be said yet."""
    for found in _MARK.finditer(text):
        end = _after(text, found.end())
        if seconds(text[:end]) >= LEAST and _whole(text, end):
            return end
    begun = text.lstrip()
    if language == "zh":
        return _chinese(text) if len(re.findall(f"[{_HAN}]", begun)) > MOST["zh"] + 2 else 0
    return _english(text) if len(begun.split()) > MOST["en"] + 1 else 0


def _english(text: str) -> int:
    """Where a phrase of FEWEST to MOST words ends, best before a small word."""
    words = list(re.finditer(r"\S+\s+", text))[: MOST["en"] + 1]
    places = []
    for word, after in itertools.pairwise(words[FEWEST["en"] - 1 :]):
        said = word[0].strip().lower()
        if not _SMALL.match(said) and not _BOUND.match(said):
            places.append((bool(_SMALL.match(after[0].strip().lower())), word.end()))
    return next((end for before_small, end in places if before_small), places[-1][1] if places else 0)


def _chinese(text: str) -> int:
    """The last end of a word within MOST characters, best after a particle."""
    import jieba

    ends, at = [], 0
    for word in jieba.cut(text):
        at += len(word)
        if FEWEST["zh"] <= at <= MOST["zh"] and not re.match(r"[\w%.]", text[at : at + 1], re.A):
            ends.append(at)
    particles = [end for end in ends if text[end - 1] in "的了着过吧呢吗啊是在"]
    return (particles or ends or [0])[-1]


def _sentence(text: str) -> int:
    """Where the first sentence ends that something follows, or a line; 0 if none has ended."""
    line = text.find("\n")
    whole = text if line < 0 else text[:line]
    begun = whole.lstrip()
    parts = list(split(begun))
    if len(parts) > 1:
        end = len(whole) - len(begun) + begun.index(parts[0]) + len(parts[0])
        return _after(text, end)
    if line >= 0 and begun:
        return _after(text, line)
    if seconds(begun) > LONG:
        marks = [_after(text, m.end()) for m in _MARK.finditer(text)]
        return max((m for m in marks if _whole(text, m)), default=0)
    return 0


def _after(text: str, end: int) -> int:
    """The end moved behind closing quotes and spaces."""
    found = re.compile(r"[\"'”’」』）)】》]*\s*").match(text, end)
    return found.end() if found else end


def _whole(text: str, end: int) -> bool:
    """Whether what ends there is no abbreviation, no item's number and no part of a figure."""
    before, after = text[:end].rstrip(), text[end:]
    if before.endswith(".") and len(list(split(f"{text[:end].rstrip()} {after.lstrip() or 'X'}"))) < 2:
        return False
    return not (re.search(r"\d[,:.，：]$", before) and re.match(r"\d", after))
