"""Read a script from a text file, whatever its encoding."""

from __future__ import annotations

from pathlib import Path

from linly.errors import InputError

SUFFIXES = (".txt", ".md")
MAX_BYTES = 2_000_000


def read_text(path: Path) -> str:
    """The text of a .txt or .md file: UTF-8, UTF-16, GB18030, Big5 and the like are told apart.

    Raises InputError if the file is missing, empty, too large, of another kind or not text at all.
    """
    if not path.is_file():
        raise InputError(f"There is no script file {str(path)!r}.")
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"A script must be a {' or '.join(SUFFIXES)} file, got {path.name!r}.")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path.name} is larger than {MAX_BYTES // 1_000_000} MB: split it into several scripts.")
    text = decode(path.read_bytes(), path.name)
    if not text.strip():
        raise InputError(f"{path.name} is empty: write what should be said into it.")
    return text


def decode(data: bytes, name: str) -> str:
    """The text of a file's bytes in whatever encoding. Raises InputError that names the file if they are no text."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(data).best()
        text = "" if best is None else str(best)
        if best is None:
            raise InputError(f"{name} is not a text file, or in an unknown encoding: save it as UTF-8.") from None
    if "\x00" in text:
        raise InputError(f"{name} is not a text file.")
    return text.lstrip("\ufeff")
