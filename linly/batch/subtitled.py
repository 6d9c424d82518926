"""Subtitle files as scripts that are spoken at their times."""

from __future__ import annotations

import html
import re
from pathlib import Path

from linly.batch import marks
from linly.batch.values import Options, Talk
from linly.documents import shown
from linly.errors import InputError
from linly.text.files import MAX_BYTES, decode

_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_CUE = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}")


def read(file: Path, options: Options) -> Talk:
    """A .srt or .vtt file. Raises InputError if there is no cue in it."""
    from linly.batch.readers import talk

    if file.stat().st_size > MAX_BYTES:
        raise InputError(f"{shown(file)} is larger than {MAX_BYTES // 1_000_000} MB: split it.")
    script = marks.Script()
    for start, text in cues(decode(file.read_bytes(), shown(file))):
        script.read(text, at=start)
    return talk(file.stem, file.stem, shown(file), script, options)


def cues(text: str) -> list[tuple[float, str]]:
    """Start in seconds and text of each cue, in order of time."""
    found: list[tuple[float, str]] = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        rows = block.strip().split("\n")
        at = next((k for k, row in enumerate(rows) if _CUE.match(row)), None)
        if at is None:
            continue
        hours, minutes, seconds, part = _CUE.match(rows[at]).groups()[:4]  # type: ignore[union-attr]
        start = 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds) + int(part.ljust(3, "0")) / 1000
        said = " ".join(html.unescape(re.sub(r"<[^>]*>|\{\\[^}]*\}", "", row)).strip() for row in rows[at + 1 :])
        if said.strip():
            found.append((start, said.strip()))
    return sorted(found)
