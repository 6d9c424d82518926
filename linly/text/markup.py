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
_KEEP = frozenset("°℃℉№™®©" + "←→")
_SPACES = re.compile(r"[^\S\n]+")


def paragraphs(text: str) -> Iterator[str]:
    """The lines of `text` that have something to say, one at a time, without tags, Markdown, emoji and controls."""
    if "<" in text:
        text = _BREAK.sub("\n", _SILENT.sub(" ", text))
    for line in re.split(r"[\r\n\u2028\u2029\x0b\x0c]+", text):
        plain = plain_line(line)
        if any(c.isalnum() for c in plain):
            yield plain


def plain_line(line: str) -> str:
    """One line as it would be read out."""
    if _FENCE.match(line) or _RULE.match(line):
        return ""
    line = html.unescape(line) if "&" in line else line
    line = _TAG.sub(" ", line) if "<" in line else line
    line = _LEADER.sub("", _LINK.sub(r"\1", _IMAGE.sub("", line)))
    for _ in range(2):  # bold within italics
        line = _EMPHASIS.sub(lambda m: m[2] or m[4], line)
    if line.strip().startswith("|"):
        line = ", ".join(cell.strip() for cell in line.strip().strip("|").split("|"))
    line = "".join(" " if _is_picture(c) else c for c in line)
    return _SPACES.sub(" ", line).strip()


def _is_picture(c: str) -> bool:
    """Emoji, dingbats, controls, private and invisible characters."""
    if c.isascii():
        return ord(c) < 32 or ord(c) == 127
    if c in _KEEP:
        return False
    return unicodedata.category(c) in ("So", "Sk", "Cs", "Co", "Cn", "Cc", "Cf") or c in "\ufe0e\ufe0f\u20e3"
