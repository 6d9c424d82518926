"""What is said, as subtitles: lines that are cut where people pause, timed by the words, written or burnt in."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from linly.files import replacing
from linly.overlay import Overlay, chinese_font
from linly.values import Image, Span, Utterance, VideoFile

CELLS = 42
"""Longest line in Latin letters; a Chinese character takes as much room as CELLS / 18 of them."""
WIDE = CELLS / 18
SENTENCE, CLAUSE = "。！？!?…", "，、；：,;:—"
_CLOSERS = SENTENCE + CLAUSE + ".)]}）】》」』”’%％℃°"
_OPENERS = "([{（【《「『“‘￥$"
_LINGER = 0.4
"""Seconds that a line may stay after its last word, so that short ones can be read."""


@dataclass(frozen=True)
class Line:
    """One subtitle: one or two rows of text and when they are shown."""

    text: str
    """rows separated by a line feed"""
    start: float
    """seconds"""
    end: float
    """seconds"""


@dataclass(frozen=True)
class _Unit:
    """A piece that is never split between rows: a word or a wide character, with its punctuation."""

    text: str
    start: int
    """place in the utterance's text"""
    gap: bool
    """whether white space stands before it"""
    inside: bool = False
    """whether it belongs to the same (Chinese) word as the unit before"""


def lines(utterances: Iterable[Utterance]) -> list[Line]:
    """Subtitles of a talk: at most two rows of CELLS letters (18 Chinese characters), in order, never overlapping.

    Times come from the words where an utterance has them, else from its length.
    """
    found: list[Line] = []
    for utterance in utterances:
        clean = " ".join(utterance.text.split())
        units = _units(clean, utterance.words)
        when = _clock(clean, utterance)
        rows = wrap(units, CELLS, _cells)
        for at in range(0, len(rows), 2):
            pair = rows[at : at + 2]
            last = pair[-1][-1]
            start, end = when(pair[0][0].start), when(last.start + len(last.text))
            text = "\n".join(map(_join, pair))
            found.append(Line(text, utterance.start + start, utterance.start + max(end, start + 0.1)))
    for at, line in enumerate(found):
        latest = found[at + 1].start if at + 1 < len(found) else line.end + _LINGER
        found[at] = Line(line.text, line.start, min(max(line.end, line.start + 0.8, line.end + _LINGER), latest))
    return [line for line in found if line.end > line.start]


def _wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"


def _breaks_anywhere(char: str) -> bool:
    """Scripts that put no space between words: Chinese, Japanese, Thai, Lao, Burmese, Khmer."""
    code = ord(char)
    hangul = 0xAC00 <= code <= 0xD7A3
    return (
        (_wide(char) and not hangul) or 0x0E00 <= code <= 0x0EFF or 0x1000 <= code <= 0x109F or 0x1780 <= code <= 0x17FF
    )


def _cells(text: str) -> float:
    return sum(WIDE if _wide(c) else 0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 1 for c in text)


def _units(text: str, words: Sequence[Span]) -> list[_Unit]:
    """Cut a text into what must stay together; marks stay with their letter, punctuation with its word."""
    inner = _inner_places(text, words)
    units: list[_Unit] = []
    glue = False  # the unit so far ends in an opening bracket
    for at, char in enumerate(text):
        if char == " ":
            glue = False
            continue
        previous = text[at - 1] if at else " "
        joins = (
            bool(units)
            and previous != " "
            and (
                glue
                or char in _CLOSERS
                or unicodedata.category(char).startswith("M")
                or not (_breaks_anywhere(char) or _breaks_anywhere(previous) or len(units[-1].text) >= CELLS)
            )
        )
        if joins:
            last = units[-1]
            units[-1] = _Unit(last.text + char, last.start, last.gap, last.inside)
        else:
            number = char.isdigit() != previous.isdigit() and previous != " "  # "2024年", "第3章"
            units.append(_Unit(char, at, bool(units) and previous == " ", at in inner or (bool(units) and number)))
        glue = char in _OPENERS
    return units


def _places(text: str, words: Sequence[Span]) -> list[tuple[int, int, Span]]:
    """Where each word stands in the text; words that are spoken otherwise than written (numbers) are left out."""
    folded, at, found = text.casefold(), 0, []
    if len(folded) != len(text):
        folded = text
    for word in words:
        wanted = word.text.strip().casefold()
        start = folded.find(wanted, at) if wanted else -1
        if start >= 0 and start - at <= 60:
            at = start + len(wanted)
            found.append((start, at, word))
    return found


def _inner_places(text: str, words: Sequence[Span]) -> set[int]:
    return {place for start, end, _ in _places(text, words) for place in range(start + 1, end)}


def _clock(text: str, utterance: Utterance) -> Callable[[int], float]:
    """Time (seconds from the utterance's start) of a place in its text, between words in proportion."""
    spans = utterance.words or utterance.phonemes
    first, last = (spans[0].start, spans[-1].end) if spans else (0.0, utterance.audio.seconds)
    marks = [(0, first)]
    for start, end, word in _places(text, utterance.words):
        marks += [(start, word.start), (end, word.end)]
    marks.append((len(text), last))
    places, times = zip(*marks, strict=True)
    return lambda place: float(np.interp(place, places, np.maximum.accumulate(times)))


def wrap(units: Sequence[_Unit], limit: float, measure: Callable[[str], float]) -> list[list[_Unit]]:
    """Rows no wider than `limit`, as few as possible, even, and cut at punctuation rather than inside a phrase.

    The whole text is weighed at once (the way of Knuth and Plass), not row by row.
    """
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(units) + 1):
        choices = []
        for start in range(end - 1, -1, -1):
            width = measure(_join(units[start:end]))
            if width > limit and start < end - 1:
                break
            slack = max(0.0, 1 - width / limit)
            choices.append((best[start][0] + 1.0 + 0.6 * slack**2 + _cut_cost(units, end), start))
        best.append(min(choices))
    rows: list[list[_Unit]] = []
    end = len(units)
    while end:
        start = best[end][1]
        rows.insert(0, list(units[start:end]))
        end = start
    return rows


def _cut_cost(units: Sequence[_Unit], end: int) -> float:
    if end == len(units):
        return 0.0
    mark = units[end - 1].text[-1]
    if mark in SENTENCE or (mark == "." and units[end].gap):
        return 0.0
    if mark in CLAUSE:
        return 0.05
    return 1.5 if units[end].inside else 0.3


def _join(units: Sequence[_Unit]) -> str:
    return "".join((" " if u.gap and at else "") + u.text for at, u in enumerate(units))


def _stamp(seconds: float, comma: str) -> str:
    whole = round(seconds * 1000)
    return f"{whole // 3600000:02}:{whole // 60000 % 60:02}:{whole // 1000 % 60:02}{comma}{whole % 1000:03}"


def to_srt(found: Iterable[Line]) -> str:
    """The lines as SubRip text."""
    return "\n".join(
        f"{n}\n{_stamp(line.start, ',')} --> {_stamp(line.end, ',')}\n{line.text}\n" for n, line in enumerate(found, 1)
    )


def to_vtt(found: Iterable[Line]) -> str:
    """The lines as WebVTT text."""

    def safe(text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    cues = (f"{_stamp(line.start, '.')} --> {_stamp(line.end, '.')}\n{safe(line.text)}\n" for line in found)
    return "\n".join(("WEBVTT\n", *cues))


def write(utterances: Iterable[Utterance], path: str | os.PathLike[str]) -> Path:
    """Write a .srt or .vtt file, by the name's ending. Raises InputError if it cannot be written."""
    target = Path(path)
    formats = {".srt": to_srt, ".vtt": to_vtt}
    if target.suffix.lower() not in formats:
        raise ValueError(f"subtitles are .srt or .vtt, got {target.name}")
    with replacing(target) as part:
        part.write_text(formats[target.suffix.lower()](lines(utterances)), encoding="utf-8")
    return target


def write_sidecar(utterances: Iterable[Utterance], made: VideoFile, path: str | os.PathLike[str]) -> Path:
    """Write the timing of sentences, words and phonemes as JSON, in seconds from the video's start."""

    def spans(utterance: Utterance, found: Sequence[Span]) -> list[dict[str, Any]]:
        at = utterance.start
        return [{"text": s.text, "start": round(at + s.start, 4), "end": round(at + s.end, 4)} for s in found]

    rows = [
        {
            "text": u.text,
            "start": round(u.start, 4),
            "end": round(u.start + u.audio.seconds, 4),
            "timing": u.timing,
            "words": spans(u, u.words),
            "phonemes": spans(u, u.phonemes),
        }
        for u in utterances
    ]
    content = {"fps": made.fps, "seconds": round(made.seconds, 4), "utterances": rows}
    with replacing(path) as part:
        part.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return Path(path)


class Burner:
    """Draws the current line at the bottom of the picture: white with a dark outline.

    size: width, height of the pictures in pixels. font: a font at some size; the subtitle font if not given, in which
    case EngineUnavailable is raised while it is missing.
    """

    KEEP = 4
    """Lines kept drawn."""

    def __init__(self, size: tuple[int, int], font: Any = None) -> None:
        width, height = size
        self.size = size
        self.pixels = max(13, round(min(0.046 * width, 0.06 * height)))
        self._font = font.font_variant(size=self.pixels) if font else chinese_font(self.pixels)
        self._drawn: OrderedDict[str, Overlay] = OrderedDict()

    def apply(self, image: Image, found: Sequence[Line], seconds: float) -> None:
        """Draw the line of that time, if there is one, into `image` ((h, w, 3) RGB uint8), in place."""
        at = bisect_right(found, seconds, key=lambda line: line.start) - 1
        if at >= 0 and seconds < found[at].end:
            self._overlay(found[at].text).apply(image)

    def _overlay(self, text: str) -> Overlay:
        if text not in self._drawn:
            while len(self._drawn) >= self.KEEP:
                self._drawn.popitem(last=False)
            self._drawn[text] = self._draw(text)
        return self._drawn[text]

    def _draw(self, text: str) -> Overlay:
        from PIL import Image as Pillow
        from PIL import ImageDraw

        width, height = self.size
        outline = max(1, round(self.pixels / 11))
        rows = [row for part in _printable(text).split("\n") for row in self._fitted(part, 0.94 * width - 2 * outline)]
        step = round(self.pixels * 1.28)
        drawing = Pillow.new("RGBA", (width, step * len(rows) + 2 * outline), (0, 0, 0, 0))
        pen = ImageDraw.Draw(drawing)
        for number, row in enumerate(rows):
            place = (width / 2, outline + step * (number + 0.5))
            pen.text(
                place, row, font=self._font, anchor="mm", fill="white", stroke_width=outline, stroke_fill=(0, 0, 0, 235)
            )
        box = drawing.getbbox() or (0, 0, 1, 1)
        top = height - round(0.045 * height) - drawing.height
        return Overlay(drawing.crop(box), box[0], top + box[1])

    def _fitted(self, text: str, room: float) -> list[str]:
        """On small and upright pictures a row of the file takes two."""
        if self._font.getlength(text) <= room:
            return [text]
        return [_join(row) for row in wrap(_units(text, ()), room, self._font.getlength)]


def _printable(text: str) -> str:
    """Without emoji and control characters, which the font cannot show."""
    kept = re.sub("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0e\ufe0f\u200d\u20e3]", "", text)
    return "".join(c for c in kept if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cn")).strip()
