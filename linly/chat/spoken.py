"""What of a model's stream is meant to be heard: no thoughts, no markup, no stage directions; as early as can be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from linly.text.markup import plain_line

_THOUGHT = r"think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad"
_OPENS = re.compile(rf"<\s*(?:{_THOUGHT})\s*>|◁(?:{_THOUGHT})▷", re.I)
_CLOSES = re.compile(rf"<\s*/\s*(?:{_THOUGHT})\s*>|◁/(?:{_THOUGHT})▷", re.I)
_TAG = 16
"""characters that such a tag has at most"""
_FENCE = re.compile(r"\s*(?:```|~~~)")
_DIRECTION = re.compile(
    r"(?:(?<=^)|(?<=[.!?。！？…]))\s*(?:\*(?!\*)\s*(?:[a-z][^*\n]*|[^*\nA-Za-z]+)\*(?!\*)|_[a-z][^_\n]*_(?=\s|$))"
    r"|[(（]\s*(?:\w+ly )?(?:laugh|smil|sigh|nod|paus|chuckl|giggl|grin|wink|whisper|cough)\w*[^)）\n]*[)）]"
    r"|[(（](?:大|微|轻|苦|偷)?(?:笑|叹气|叹了口气|点头|点点头|摇头|停顿|眨眼|沉默|咳嗽)[^)）\n]{0,6}[)）]"
)
"""*smiles*, (laughs), （微笑）: what an actor does, at the beginning of a sentence or in brackets"""
_LEADING = re.compile(r"\s{0,8}(?:[#>*+•|`~=_-]|\d{1,3}[.)]?$)")
"""how a line begins of which nobody can say yet what it is"""
_OPEN = re.compile(r"[*_`~\[<(（&]\S*$|\*[^*\n]*$|`[^`\n]*$|\[[^\]\n]*$|\][^)\n]*$|<[^>\n]*$|[(（][^)）\n]*$|_[^_\n]*$")
"""an end that what follows may turn into markup"""
_WHOLE = re.compile(
    r"\*\*\*.+?\*\*\*|\*\*.+?\*\*|\*[^*]+\*|`[^`]+`|~~.+?~~|!?\[[^\]]*\]\([^)]*\)|<[^<>]+>"
    r"|[(（][^)）]*[)）]|_[^_]+_|\s[*<_&]\s"
)
_BREAKS = re.compile(r"[\r\n\u2028\u2029]+")


def spoken(pieces: Iterable[str]) -> Iterator[str]:
    """The stream without the thoughts of reasoning models, Markdown, HTML, code, tables' frames, emoji and stage
    directions, in pieces of any length. Lines stay lines. What is certain is passed on at once, at ends of words.
    """
    plain = _Plain()
    for text in _said(pieces):
        yield from plain.add(text)
    yield from plain.end()


def _said(pieces: Iterable[str]) -> Iterator[str]:
    """The stream without thoughts; tags may be split over pieces. Thoughts that never end are all that is left."""
    held, thinking = "", False
    for piece in pieces:
        held += piece
        while found := (_CLOSES if thinking else _OPENS).search(held):
            if not thinking and found.start():
                yield held[: found.start()]
            held, thinking = held[found.end() :], not thinking
        if not thinking and (lone := _CLOSES.search(held)):
            held = held[lone.end() :]  # they were begun before the stream did
        if thinking:
            held = held[-_TAG:]
            continue
        at = max(held.rfind("<", -_TAG), held.rfind("◁", -_TAG))
        safe = at if at >= 0 else len(held)
        if safe:
            yield held[:safe]
        held = held[safe:]
    if held and not thinking:
        yield held


class _Plain:
    """Lines as they would be read out, given bit by bit as soon as the rest cannot change them."""

    def __init__(self) -> None:
        self._line, self._given, self._code = "", "", False

    def add(self, text: str) -> Iterator[str]:
        self._line += text
        while found := _BREAKS.search(self._line):
            if found.end() == len(self._line):  # more of the same break may follow
                break
            line, self._line = self._line[: found.start()], self._line[found.end() :]
            yield from self._whole(line, "\n")
        if not self._code and not _BREAKS.search(self._line):
            yield from self._rest(self._certain())

    def end(self) -> Iterator[str]:
        yield from self._whole(_BREAKS.sub("", self._line), "")
        self._line = ""

    def _whole(self, line: str, after: str) -> Iterator[str]:
        if _FENCE.match(line):
            self._code, self._given = not self._code, ""
            return
        if self._code:
            return
        yield from self._rest(line)
        if self._given.strip() and after:
            yield after
        self._given = ""

    def _rest(self, line: str) -> Iterator[str]:
        """What of a line's plain text was not given yet."""
        plain = plain_line(_DIRECTION.sub("", line))
        if plain.startswith(self._given):
            if new := plain[len(self._given) :]:
                yield new
            self._given = plain

    def _certain(self) -> str:
        """The beginning of the line that nothing can change any more, up to the end of a word."""
        line = self._line
        if _LEADING.match(line) and (line.lstrip()[:1] == "|" or not re.search(r"[^\W_]", line) or len(line) < 8):
            return ""
        while found := _OPEN.search(_closed(line)):
            line = line[: found.start()]
        ends = [m.end() for m in re.finditer(r"(?<=\S)\s|[\u2e80-\u9fff\uff00-\uffef]", _closed(line))]
        sure = line[: ends[-1]].rstrip() if ends else ""
        return sure if re.search(r"[^\W_]", sure) else ""


def _closed(line: str) -> str:
    """The line with what is whole of its markup made harmless, at the same length."""
    return _WHOLE.sub(lambda m: "x" * len(m[0]), line)
