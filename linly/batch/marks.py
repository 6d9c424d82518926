"""Marks in a script: what stands in square brackets and begins with a known word is an order, not text.

    [pause 1.5]              silence, in seconds                        [停顿 1.5]
    [slide] [slide 3]        the next slide, or the third               [翻页] [翻页 3]
    [emotion happy]          until the next one; [emotion auto]         [情绪 happy]
    [language en]            until the next one; [language auto]        [语言 en]
    [say 重庆 = chong2 qing4]  how a word is read from here on            [读作 ...]
    [speaker Anna]           who speaks from here on; at the first time [说话人 ...]
                             with [speaker Anna voice=af_heart portrait=admiral]
    *word*                   emphasis (English), as in Markdown

docs/lectures.md has a page on them. A bracket of another kind is read as text, with a warning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from linly.batch.values import Line
from linly.errors import InputError
from linly.lexicon import parse
from linly.text.sentences import split
from linly.values import EMOTIONS

LONGEST_PAUSE = 60.0
_MARK = re.compile(r"\[([^\[\]\n]{1,200})\](?!\()")
_NAMES = {
    "pause": "pause", "停顿": "pause", "slide": "slide", "翻页": "slide", "emotion": "emotion", "情绪": "emotion",
    "language": "language", "语言": "language", "say": "say", "读作": "say", "speaker": "speaker", "说话人": "speaker",
}  # fmt: skip


@dataclass
class Script:
    """A script in the reading: what the marks so far have settled."""

    slides: int = 0
    """how many there are; 0: none, and slide marks are warned of"""
    now: Line = field(default_factory=Line)
    lines: list[Line] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _speakers: dict[str, tuple[str, str]] = field(default_factory=dict)

    def read(self, text: str, slide: int | None = None, at: float | None = None) -> Script:
        """Add a text. slide: shown from here on, from 1. at: second at which it is to begin."""
        if slide is not None:
            self.now = replace(self.now, slide=slide)
        for row in re.split(r"[\r\n\u2028\u2029]+", text):
            rest = 0
            for mark in _MARK.finditer(row):
                name, _, value = mark[1].strip().partition(" ")
                if name.lower() not in _NAMES:
                    if re.fullmatch(r"[a-z]{3,12}", name.lower()):
                        self._warn(f"[{mark[1]}] is no mark, and is read as text")
                    continue
                self._say(row[rest : mark.start()], at)
                rest = mark.end()
                self._obey(_NAMES[name.lower()], value.strip(), mark[0])
            self._say(row[rest:], at)
        return self

    def _say(self, text: str, at: float | None) -> None:
        for sentence in split(text):
            if any(c.isalnum() for c in sentence):
                first = at is not None and not any(line.at == at for line in self.lines)
                self.lines.append(replace(self.now, text=sentence.strip(), at=at if first else None))

    def _warn(self, what: str) -> None:
        if f"{what}." not in self.warnings:
            self.warnings.append(f"{what}.")

    def _obey(self, name: str, value: str, mark: str) -> None:
        orders = {
            "pause": self._pause, "slide": self._slide, "emotion": self._emotion, "language": self._language,
            "say": self._reading, "speaker": self._speaker,
        }  # fmt: skip
        try:
            orders[name](value)
        except (ValueError, InputError):
            self._warn(f"{mark} cannot be done, and is left out")

    def _pause(self, value: str) -> None:
        seconds = float(value.rstrip("s秒 ") or 1.0)
        if not 0 < seconds <= LONGEST_PAUSE:
            raise ValueError
        self.lines.append(replace(self.now, pause=seconds, at=None))

    def _slide(self, value: str) -> None:
        number = int(value) if value else self.now.slide + 1
        if not 1 <= number <= self.slides:
            raise ValueError
        self.now = replace(self.now, slide=number)

    def _emotion(self, value: str) -> None:
        if value not in EMOTIONS:
            raise ValueError
        self.now = replace(self.now, emotion="" if value == "auto" else value)

    def _language(self, value: str) -> None:
        if not re.fullmatch("auto|[a-z]{2,3}", value):
            raise ValueError
        self.now = replace(self.now, language="" if value == "auto" else value)

    def _reading(self, value: str) -> None:
        self.now = replace(self.now, lexicon=(*self.now.lexicon, *parse(value)))

    def _speaker(self, value: str) -> None:
        named = re.split(r"\s+(?=\w+=)", value)
        wishes = dict(part.split("=", 1) for part in named[1:])
        name = named[0].strip()
        if not name or set(wishes) - {"voice", "portrait"}:
            raise ValueError
        if wishes:
            self._speakers[name] = wishes.get("voice", ""), wishes.get("portrait", "")
        voice, portrait = self._speakers.get(name, (name, name))
        self.now = replace(self.now, voice=voice, portrait=portrait)


def read(text: str, slides: int = 0) -> Script:
    """The lines of a whole script, and the warnings; with slides it begins with the first."""
    return Script(slides, Line(slide=min(1, slides))).read(text)
