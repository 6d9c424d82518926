"""What a language model writes, as it may be said: no thoughts, no markup, no stage directions. Lazily, as it comes."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from linly.chat.clauses import clauses
from linly.text.markup import plain_line

__all__ = ["clauses", "spoken"]

_THOUGHT = r"(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection|analysis)"
_OPENED = re.compile(rf"<{_THOUGHT}\b[^<>]*>|◁think▷|<\|channel\|>analysis<\|message\|>", re.I)
_CLOSED = re.compile(rf"</{_THOUGHT}\s*>|◁/think▷|<\|channel\|>final<\|message\|>", re.I)
_ALOUD = re.compile(
    r"\s*(?:(?:okay|ok|alright|hmm|well|so|first|let me see)\b[,. ]+(?:so )?)?(?:the user\b|let me think\b|i need to\b)"
    r"|\s*(?:好的?|嗯|首先|那么|现在)?[，,]?(?:我现在)?(?:用户|我需要|让我想)",
    re.I,
)
"""How a thought begins whose opening tag the server has swallowed."""
_HEADS = ("okay", "ok", "alright", "hmm", "well", "so", "first", "let me", "the user", "i need to", *"好嗯首那现用我让")
_UNSURE, _UNSURE_HAN = 24, 7
"""Characters after which a beginning is known to be a thought or not."""
_TAIL = re.compile(r"(?:<[^<>]{0,60}|◁[^▷]{0,8}|<\|[^>]{0,12}\|>[a-z]{0,8}(?:<\|?[a-z]*)?)$", re.I)

_START = re.compile(r"\A\s*(?:#{1,6}\s+|>+\s*|[-*+•]\s+|\d{1,2}[.)、]\s+)+")
_UNDECIDED = re.compile(r"\s*(?:#{0,6}|>*|[-*+•=_]{0,3}|\d{1,2}[.)、]?|\|.*|[`~]{1,3}.*)\s*")
_OPENER = re.compile(r"\*+|_+|`+|~~?|!?\[|!$|<|&|h(?:ttps?:|$|t+p?s?$)")
_WHOLE = re.compile(
    r"(?P<bold>(?P<m>\*\*\*?|~~|___?)(?=\S)(?P<inner>.+?)(?<=\S)(?P=m))"
    r"|(?P<star>(?<!\*)\*(?=[^\s*\d])[^*\n]*?[^\s*]\*(?!\*))|(?P<code>(?P<t>`+)(?P<said>[^`\n]+)(?P=t))"
    r"|(?P<line>_(?=\S)[^_\n]+?_(?!\w))|!\[[^\]\n]*\]\([^)\n]*\)|\[(?P<link>[^\]\n]*)\]\([^)\n]*\)"
    r"|(?P<tag></?[A-Za-z][^<>\n]{0,300}>|<!--.*?-->)|(?P<entity>&#?\w{1,10};)|(?P<url>https?://[^\s，。！？）)]+)"
)
_LONGEST = 300
"""Characters of a mark that is waited for; what is open for longer was none."""


def spoken(pieces: Iterable[str]) -> Iterator[str]:
    """`pieces` without what is not said; numbers and formulas stay. Nothing is held longer than it takes to be sure."""
    line, within = "", _Line()
    for piece in _aloud(pieces):
        line += piece
        while "\n" in line:
            full, line = line.split("\n", 1)
            begun = within.started
            said = within.end(full)
            if said or begun:
                yield said + "\n"
        said, line = within.some(line)
        if said:
            yield said
    if said := within.end(line):
        yield said


def _aloud(pieces: Iterable[str]) -> Iterator[str]:
    """Without thoughts."""
    waiting, inside, begun = "", False, False
    for piece in pieces:
        waiting += piece
        while True:
            if inside:
                end = _CLOSED.search(waiting)
                if not end:
                    waiting = waiting[-80:]
                    break
                waiting, inside = waiting[end.end() :], False
            end, start = _CLOSED.search(waiting), _OPENED.search(waiting)
            if end and (not start or end.start() < start.start()):
                waiting = waiting[end.end() :].lstrip() if not begun else waiting[end.end() :]
                continue
            if not start:
                break
            if waiting[: start.start()].strip():
                begun = True
                yield waiting[: start.start()]
            waiting, inside = waiting[start.end() :], True
        if inside or (not begun and (_may_think(waiting) or _ALOUD.match(waiting))):
            continue
        half = _TAIL.search(waiting)
        cut = half.start() if half else len(waiting)
        if waiting[:cut].strip() or begun:
            begun = True
            yield waiting[:cut]
            waiting = waiting[cut:]
    if not inside and not (not begun and _ALOUD.match(waiting) and re.search(r"\buser\b|用户", waiting)):
        yield waiting


def _may_think(text: str) -> bool:
    """Whether a beginning of few characters could become that of a thought."""
    start = text.strip().casefold()
    if len(text) >= (_UNSURE if text.isascii() else _UNSURE_HAN):
        return False
    return any(start.startswith(head) or head.startswith(start) for head in _HEADS)


class _Line:
    """The line that is being written."""

    def __init__(self) -> None:
        self._fenced = self.started = False
        self._before = ""

    def end(self, rest: str) -> str:
        """What is left to say of a line that is whole."""
        started, self.started = self.started, False
        if not started:
            if re.match(r"\s*(?:```|~~~)", rest):
                self._fenced = not self._fenced
                return ""
            if self._fenced:
                return ""
            if re.match(r"\s*\||\s*(?:[-*_=]\s*){3,}$", rest):
                return plain_line(rest)
            rest, self._before = _START.sub("", rest, count=1), ""
        said = self._inline(rest, True)[0]
        return said if started else said.strip()

    def some(self, line: str) -> tuple[str, str]:
        """What can be said of a line that goes on, and what has to wait."""
        if self._fenced or not line:
            return "", line
        if not self.started:
            if _UNDECIDED.fullmatch(line) or re.fullmatch(r"\s*[*_]{1,3}\S*", line):
                return "", line
            self.started, self._before = True, ""
            line = _START.sub("", line, count=1)
        return self._inline(line, False)

    def _inline(self, text: str, final: bool) -> tuple[str, str]:
        said, at, start = "", 0, self._before
        while opener := _OPENER.search(text, at):
            i = opener.start()
            said, self._before = said + text[at:i], (start + text[:i])[-2:]
            whole = _WHOLE.match(text, i)
            if whole and (final or whole.end() < len(text)):
                said, at = said + self._of(whole, text), whole.end()
            elif not final and len(text) - i < _LONGEST and not _literal(text, opener, self._before):
                return _plain(said), text[i:]
            else:  # never closed, or arithmetic
                mark = opener[0] if _literal(text, opener, self._before) or opener[0][0] not in "*`~" else ""
                said, at = said + mark, opener.end()
            self._before = (start + text[:at])[-2:]
        said, self._before = said + text[at:], (start + text)[-2:]
        return _plain(said), ""

    def _of(self, whole: re.Match[str], text: str) -> str:
        if whole["bold"]:
            return str(whole["inner"])
        if whole["star"]:
            alone = not self._before.strip() or self._before.rstrip()[-1:] in ".!?。！？…"
            after = text[whole.end() : whole.end() + 1]
            return "" if alone and (not after or not after.isalnum() or after > "\u2e80") else whole[0].strip("*")
        if whole["line"]:
            return whole[0] if self._before[-1:].isalnum() else whole[0].strip("_")
        if whole["entity"]:
            return html.unescape(whole[0])
        return str(whole["said"] or whole["link"] or "")


def _literal(text: str, opener: re.Match[str], before: str) -> bool:
    """Whether it is no mark but a sign of arithmetic, a name with an underscore or a bracket."""
    after, sign = text[opener.end() : opener.end() + 1], opener[0][0]
    if not after:
        return False
    if sign in "*_~":
        return after.isspace() or (before[-1:].isdigit() and after.isdigit()) or (sign == "_" and before[-1:].isalnum())
    if sign == "<":
        return not (after.isalpha() or after in "/!")
    if sign == "&":
        return not re.match(r"#?\w{0,10};?$", text[opener.end() :])
    if sign in "![":
        closed = text.find("]", opener.end())
        return opener[0] == "!" or (0 <= closed < len(text) - 1 and text[closed + 1] != "(")
    return sign == "h" and not opener[0].startswith("http")


def _plain(said: str) -> str:
    """Without emoji; spaces at the ends stay."""
    if not said.strip():
        return said
    kept = plain_line(f"x{said.strip()}x") if any(ord(c) > 0x2000 or c == "\r" for c in said) else f"x{said.strip()}x"
    return said[: len(said) - len(said.lstrip())] + kept[1:-1] + said[len(said.rstrip()) :]
