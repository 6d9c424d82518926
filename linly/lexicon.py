"""The user's pronunciation list: a text file with one word and its reading a line.

    # names and products
    Linly = /ˈlɪnli/
    重庆 = chong2 qing4

Whatever follows a # at the start of a line is a remark; the word and its reading stand on either side of the last =.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from linly.errors import InputError
from linly.files import replacing
from linly.text.files import decode
from linly.text.readings import symbols

Lexicon = tuple[tuple[str, str], ...]
"""Pairs of a word and its pinyin or IPA: what Style.lexicon takes."""

MOST = 2000
"""entries"""
MAX_BYTES = 500_000
_HEAD = "# word = pinyin with tones (chong2 qing4) or IPA between slashes (/ˈlɪnli/)\n"


def load(path: str | os.PathLike[str]) -> Lexicon:
    """The checked list of a file; an empty file is an empty list.

    Raises InputError (one sentence with the line's number) if the file is missing, no text, or a line cannot be read.
    """
    file = Path(path)
    try:
        if file.stat().st_size > MAX_BYTES:
            raise InputError(
                f"{file.name} is larger than {MAX_BYTES // 1000} kB: a pronunciation list is a short text."
            )
        data = file.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"There is no pronunciation list {str(path)!r} that can be read; check the name.") from error
    return parse(decode(data, file.name), file.name)


def parse(text: str, name: str = "The pronunciation list") -> Lexicon:
    """The checked list written in `text`, as typed into a field or read from the file `name`.

    Raises InputError (one sentence with the line's number).
    """
    entries: dict[str, tuple[str, str]] = {}
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if not line or line.startswith("#"):
            continue
        word, equals, said = (part.strip() for part in line.rpartition("="))
        if not equals or not word or not said:
            raise InputError(
                f"{name}, line {number}: {line[:60]!r} is not a word and its reading: write it like"
                ' "重庆 = chong2 qing4" or "Linly = /ˈlɪnli/".'
            )
        try:
            symbols(word, said)
        except InputError as error:
            raise InputError(f"{name}, line {number}: {error}") from error
        if word.casefold() in entries:
            raise InputError(f"{name}, line {number}: {word!r} is there twice; keep one reading of it.")
        entries[word.casefold()] = (word, said)
    if len(entries) > MOST:
        raise InputError(f"{name} has {len(entries)} words; {MOST} at most are taken.")
    return tuple(entries.values())


def dump(lexicon: Iterable[tuple[str, str]]) -> str:
    """The text of a list, which `parse` reads back."""
    return _HEAD + "".join(f"{word} = {said}\n" for word, said in lexicon)


def check(lexicon: Iterable[tuple[str, str]]) -> Lexicon:
    """The list as a value, once every entry can be read. Raises InputError that names the entry."""
    return parse(dump(lexicon))


def save(lexicon: Iterable[tuple[str, str]], path: str | os.PathLike[str]) -> None:
    """Write a checked list, whole or not at all. Raises InputError for a bad entry or a folder that takes no file."""
    text = dump(check(lexicon))
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")
