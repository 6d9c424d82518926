"""Folders kept under people's names: which names can be, where they lie, and how they appear whole or not at all."""

from __future__ import annotations

import difflib
import errno
import json
import os
import shutil
import unicodedata
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from linly import files
from linly.errors import InputError

LONGEST_NAME = 60
"""characters; four bytes each at most still make a folder name"""
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
"""names that Windows keeps for itself"""


def checked_name(name: str, what: str) -> str:
    """The name as it is kept; `what` is what has it, in words. Raises InputError for one that cannot be."""
    tidy = " ".join(unicodedata.normalize("NFC", name).split())
    if not tidy:
        raise InputError(f"The {what} needs a name: give it one, in any language.")
    if len(tidy) > LONGEST_NAME:
        raise InputError(f"The name {tidy[:20]}... is too long: at most {LONGEST_NAME} characters.")
    odd = next((c for c in tidy if c in '\\/:*?"<>|' or unicodedata.category(c)[0] == "C"), "")
    if odd:
        raise InputError(f"The name {tidy!r} holds {odd!r}, which a name cannot hold: use letters, digits and spaces.")
    if tidy[0] in ".-" or tidy[-1] == "." or not any(c.isalnum() for c in tidy):
        raise InputError(f"The name {tidy!r} cannot be used: begin with a letter or a digit, and end with no dot.")
    if tidy.casefold().split(".")[0].strip() in RESERVED:
        raise InputError(f"The name {tidy!r} is one that Windows keeps for itself: choose another.")
    return tidy


def key(name: str) -> str:
    """Of a folder: Anna and anna are one, on every file system."""
    return unicodedata.normalize("NFC", name.casefold()).replace(" ", "_")


def as_json(value: Any) -> bytes:
    """For people to read, too."""
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def write(path: Path, data: bytes) -> None:
    """A new file whose bytes are on the disk when this returns."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def publish(target: Path, fill: Callable[[Path], None]) -> bool:
    """A folder that appears under its name only when everything is in it; False if another was there first."""
    part = target.parent / f".linly-{uuid.uuid4().hex[:12]}.part"
    try:
        part.mkdir(parents=True)
        fill(part)
        part.rename(target)
        return True
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise files.why(target, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def discard(folder: Path) -> None:
    """Remove a folder: it is gone from its name at once, whatever is still being deleted. Raises InputError."""
    try:
        gone = folder.rename(files.temporary(folder))
    except OSError as error:
        raise files.why(folder, error) from error
    shutil.rmtree(gone, ignore_errors=True)


def nearest(wish: str, known: Sequence[str], otherwise: str = "") -> str:
    """The end of the sentence that there is no such name: which come near, else `otherwise` or which there are."""
    near = difflib.get_close_matches(wish, known, n=3, cutoff=0.4)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return otherwise or (f"there are {', '.join(known)}." if known else "none is kept here yet.")
