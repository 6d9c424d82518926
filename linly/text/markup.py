"""What is written but not said: tags, Markdown, emoji, invisible characters."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator

_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,300}>|<!--.*?-->")
_SILENT = re.compile(r"(?is)<(script|style)\b.*?</\1\s*>|<!--.*?-->")
_BREAK = re.compile(r"(?i)<(?:br|/p|/h[1-6]|/li|/div|/tr)\b[^>]*>")
_IMAGE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)")
_LINK = re.compile(r"\[([^\]\n]+)\]\([^)\n]*\)")
_FENCE = re.compile(r"^\s*(?:```|~~~)[\w-]*\s*$")
_LEADER = re.compile(r"^\s{0,8}(?:#{1,6}\s+|>+\s*|[-*+•]\s+(?:\[[ xX]\]\s+)?)+")
_RULE = re.compile(r"^\s*(?:[-*_=]\s*){3,}$|^\s*\|?[\s:|-]*-{3,}[\s:|-]*$")
_EMPHASIS = re.compile(r"(\*{1,3}|~~|`+)(?=\S)(.+?)(?<=\S)\1|(?<!\w)(_{1,3})(?=\S)(.+?)(?<=\S)\3(?!\w)")
_ENGLISH = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*")
STRESSED = "\ue000"
"""Stands after each English word that was written *so* or **so**; no text holds it otherwise."""
_KEEP = frozenset("°℃℉№™®©" + "←→")
_SPACES = re.compile(r"[^\S\n]+")


def paragraphs(text: str) -> Iterator[str]:
    """The lines of `text` that have something to say, one at a time, without tags, Markdown, emoji and controls.

    Emphasised English words are followed by STRESSED.
    """
    if "<" in text:
        text = _BREAK.sub("\n", _SILENT.sub(" ", text))
    for line in re.split(r"[\r\n\u2028\u2029\x0b\x0c]+", text):
        plain = plain_line(line, STRESSED)
        if any(c.isalnum() for c in plain):
            yield plain


def plain_line(line: str, stress: str = "") -> str:
    """One line as it would be read out; `stress` is put after each English word in * or _ marks."""
    if _FENCE.match(line) or _RULE.match(line):
        return ""
    line = html.unescape(line) if "&" in line else line
    line = _TAG.sub(" ", line) if "<" in line else line
    line = "".join(" " if _is_picture(c) else c for c in line)
    line = _LEADER.sub("", _LINK.sub(r"\1", _IMAGE.sub("", line)))
    for _ in range(2):  # bold within italics
        line = _EMPHASIS.sub(lambda m: _without(m, stress), line)
    if line.strip().startswith("|"):
        line = ", ".join(cell.strip() for cell in line.strip().strip("|").split("|"))
    return _SPACES.sub(" ", line).strip()


def _without(m: re.Match[str], stress: str) -> str:
    """What stands between marks of emphasis; code and what is struck out is not stressed."""
    inside = str(m[2] or m[4])
    if not stress or (m[1] or "*")[0] not in "*" or stress in inside:
        return inside
    return _ENGLISH.sub(lambda word: word[0] + stress, inside)


def _is_picture(c: str) -> bool:
    """Emoji, dingbats, controls, private and invisible characters."""
    if c.isascii():
        return ord(c) < 32 or ord(c) == 127
    if c in _KEEP:
        return False
    return unicodedata.category(c) in ("So", "Sk", "Cs", "Co", "Cn", "Cc", "Cf") or c in "\ufe0e\ufe0f\u20e3"
