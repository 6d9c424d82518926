"""Plain text cut into passages: lines, headings, and paragraphs whose lines were broken at a fixed width."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from linly.errors import InputError
from linly.text.language import HAN

BLOCK = 1500
"""Characters of text without headings that share one `where`."""
MAX_CHARACTERS = 5_000_000


@dataclass(frozen=True)
class Passage:
    """A page, a slide, or what stands under one heading."""

    text: str
    """paragraphs and table rows, a line each; cells are parted by " | " """
    where: str
    """"page 3", "slide 5", "lines 10-42", "paragraphs 1-9", or the headings above it: "Plants > Roots" """
    notes: str = ""
    """speaker notes of a slide; not part of `text`"""


def check_length(characters: int, name: str) -> None:
    """Raises InputError for a document that holds more text than can be handled."""
    if characters > MAX_CHARACTERS:
        raise InputError(f"{name} holds more than {MAX_CHARACTERS} characters: split it.")


def numbered(lines: list[str], unit: str) -> Iterator[Passage]:
    """Blocks of about BLOCK characters, cut at empty lines where it can be, each with the numbers of its lines."""
    first, length = 0, 0
    for i, line in enumerate(lines):
        length += len(line)
        last = i == len(lines) - 1
        if last or (length > BLOCK and (unit != "lines" or not line.strip() or length > 2 * BLOCK)):
            where = f"{unit} {first + 1}-{i + 1}" if i > first else f"{unit[:-1]} {i + 1}"
            yield Passage(unwrap("\n".join(lines[first : i + 1])), where)
            first, length = i + 1, 0


def markdown(lines: list[str]) -> tuple[str, list[Passage]]:
    sections = Sections()
    fenced = False
    for line in lines:
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        heading = None if fenced else re.match(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*$", line)
        if heading:
            sections.heading(len(heading[1]), heading[2])
        else:
            sections.add(line)
    return sections.title, sections.finish("lines")


class Sections:
    """Lines gathered under their headings."""

    def __init__(self) -> None:
        self.title = ""
        self._path: list[tuple[int, str]] = []
        self._lines: list[str] = []
        self._done: list[Passage] = []

    def heading(self, level: int, text: str) -> None:
        """Open a section. Its heading is part of the text too, since it often holds the very word that is asked for."""
        self._close()
        self.title = self.title or text
        self._path = [*(step for step in self._path if step[0] < level), (level, text)]
        self._lines = [text]

    def add(self, line: str) -> None:
        self._lines.append(line)

    def _close(self) -> None:
        where = " > ".join(text for _, text in self._path)
        if any(line.strip() for line in self._lines[bool(self._path) :]):
            self._done.append(Passage(unwrap("\n".join(self._lines)), where))
        self._lines = []

    def finish(self, unit: str) -> list[Passage]:
        """All sections; what stood before the first heading has its lines' numbers instead."""
        if not self._path:
            return list(numbered(self._lines, unit))
        self._close()
        return [p if p.where else Passage(p.text, f"{unit} 1-{p.text.count(chr(10)) + 1}") for p in self._done]


def unwrap(text: str) -> str:
    """Paragraphs in one line each again, where a file breaks its lines at a fixed width; short lines stay lines."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    widths = sorted(_width(line) for line in lines if line)
    full = 0.75 * widths[int(0.9 * (len(widths) - 1))] if widths else 0
    out: list[str] = []
    open_ = False
    for line in lines:
        if line and open_ and not re.match(r"[-*+•·|>]\s|\d{1,3}[.)、]|[（(]?[一二三四五六七八九十]+[)）、]", line):
            wide = re.search(f"[{HAN}，。、；：！？”」』）]$", out[-1]) or re.match(f"[{HAN}“「『（]", line)
            out[-1] += line if wide else f" {line}"
        elif line:
            out.append(line)
        open_ = _width(line) >= max(full, 40) and not line.endswith((":", "：", "|"))
    return "\n".join(out)


def _width(line: str) -> int:
    return len(line) + len(re.findall("[\u2e80-\uffff]", line))
