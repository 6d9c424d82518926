"""Text of any length to pieces that are each said in one breath, lazily."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from linly.text.language import HAN
from linly.text.markup import STRESSED, paragraphs

LONGEST = 12.0
"""Seconds of sound that one piece may make: the voice model's memory grows with length, and it takes 510 symbols."""

_END = re.compile(r"(?:[。！？!?]|\.(?![\w.])|…|\.{3,})+[\"'”’」』）)\]】》]*")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mrs?|Ms|Drs?|Prof|St|Sr|Jr|Gen|Col|Lt|Sgt|Capt|Rev|Hon|Mt|Ft|vs|etc|e\.g|i\.e|a\.k\.a|cf|al|approx|est|"
    r"Fig|Figs|Eq|Sec|Ch|Vol|No|Nos|pp?|Inc|Ltd|Co|Corp|Dept|Univ|Ave|Blvd|Rd|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|"
    r"Nov|Dec|min|max|ca)|\b[A-Za-z](?:\.[A-Za-z])*)\.$"
)
_ENDS_TOO = re.compile(r"\b(?:etc|Inc|Ltd|Co|Corp|a\.m|p\.m|U\.S|U\.K|Jr|Sr|St|Ave|Blvd|Rd)\.$", re.I)
_OPEN, _CLOSE = "“「『（(【《[", "”」』）)】》]"
_STOPS = (  # where to cut, best first
    re.compile(r"(?<=[。！？!?；;…])\s*|(?<=\.)\s+"),
    re.compile(r"(?<=[，、：—])\s*|(?<=[,:])\s+"),
    re.compile(r"\s+"),
)
_COSTS = (
    (re.compile(f"[{HAN}\u3040-\u30ff\uac00-\ud7af]"), 0.2),
    (re.compile(r"\d"), 0.28),
    (re.compile(r"\b[A-Z]{2,6}\b"), 0.35),
    (re.compile(r"[^\W\d_]"), 0.063),
    (re.compile(r"[%$€£¥@&+=°℃℉/]"), 0.4),
    (re.compile(r"[，。！？、；：,.!?;:…—]"), 0.15),
)


@dataclass(frozen=True)
class Sentence:
    """A piece of text to be said in one go."""

    text: str
    last: bool
    """whether a paragraph ends with it"""
    stressed: tuple[tuple[int, int], ...] = ()
    """places in the text of English words that were written with emphasis"""


def seconds(text: str) -> float:
    """About how long `text` takes to say at normal speed, in seconds."""
    total = 0.0
    for kind, cost in _COSTS:
        found = kind.findall(text)
        if len(found) and cost == 0.063:  # Chinese characters are letters too, and were counted
            found = [c for c in found if ord(c) < 0x2E80]
        total += cost * len(found)
    return total


def sentences(text: str, longest: float = LONGEST) -> Iterator[Sentence]:
    """Speakable pieces of `text`, each about `longest` seconds at most; markup and emoji alone give nothing."""
    for paragraph in paragraphs(text):
        pieces = [piece for whole in split(paragraph) for piece in shorten(whole, longest)]
        pieces = [piece for piece in pieces if any(c.isalnum() for c in piece)]
        for i, piece in enumerate(pieces):
            yield _sentence(piece, last=i == len(pieces) - 1)


def _sentence(piece: str, last: bool) -> Sentence:
    text, stressed = "", []
    for part in re.split(f"({STRESSED})", piece):
        if part != STRESSED:
            text += part
        elif word := re.search(r"[A-Za-z'’]+$", text):
            stressed.append(word.span())
    return Sentence(text, last, tuple(stressed))


def split(paragraph: str) -> Iterator[str]:
    """One paragraph at its sentence ends; abbreviations, decimals, addresses and quotations stay whole."""
    begin = 0
    for found in _END.finditer(paragraph):
        end = found.end()
        if end <= begin or not _is_end(paragraph, begin, found):
            continue
        yield paragraph[begin:end].strip()
        begin = end
    if paragraph[begin:].strip():
        yield paragraph[begin:].strip()


def _is_end(text: str, begin: int, found: re.Match[str]) -> bool:
    mark, after = found[0], text[found.end() :].lstrip()
    if not after:
        return True
    if "." in mark or "…" in mark or (mark[-1] in "\"'”’" and mark[0] in "!?"):
        if after[0].islower() or (mark[0] == "." and not text[found.end()].isspace() and after[0] not in _OPEN):
            return False
        words = text[begin : found.start() + 1]
        if mark == "." and _ABBREVIATION.search(words) and not (_ENDS_TOO.search(words) and _starts(after)):
            return False
        if mark == "." and re.fullmatch(r"\s*\(?\d{1,3}\.", words):  # the number of a list item
            return False
    inside = sum(text.count(c, begin, found.end()) for c in _OPEN) - sum(
        text.count(c, begin, found.end()) for c in _CLOSE
    )
    inside += text.count('"', begin, found.end()) % 2
    closing = min(
        (k for k in (text.find(c, found.end(), found.end() + 80) for c in _CLOSE + '"') if k >= 0), default=-1
    )
    return inside <= 0 or closing < 0


def _starts(after: str) -> bool:
    return bool(re.match(r"[\"“(]?(?:The|A|An|It|He|She|We|They|I|You|This|That|In|But|And|So|If|When|There)\b", after))


def shorten(sentence: str, longest: float = LONGEST) -> Iterator[str]:
    """`sentence` in pieces of about `longest` seconds at most: cut at stops, else commas, spaces, anywhere."""
    if seconds(sentence) <= longest:
        yield sentence
        return
    for stop in _STOPS:
        parts = [part for part in stop.split(sentence) if part]
        if len(parts) > 1:
            break
    else:
        half = len(sentence) // 2
        parts = [sentence[:half], sentence[half:]]
    gap = " " if re.search(r"[A-Za-z] ", sentence) else ""
    pieces = list(_gather(parts, gap, longest))
    if len(pieces) == 1:
        pieces = [sentence[: len(sentence) // 2], sentence[len(sentence) // 2 :]]
    for piece in pieces:
        yield from shorten(piece, longest)


def _gather(parts: list[str], gap: str, longest: float) -> Iterator[str]:
    """Neighbours put together again into pieces of about equal length, none above `longest` seconds if it can be."""
    lengths = [seconds(part) for part in parts]
    aim = min(longest, 1.15 * sum(lengths) / -(-sum(lengths) // longest))
    piece, length = "", 0.0
    for part, more in zip(parts, lengths, strict=True):
        if piece and length + more > aim:
            yield piece
            piece, length = "", 0.0
        spaced = gap if piece and (piece[-1].isascii() or part[0].isascii()) else ""
        piece, length = piece + spaced + part, length + more
    if piece:
        yield piece
