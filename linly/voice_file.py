"""An enrolled voice as one file, to take elsewhere: a zip of its folder. What comes in is read as data, never run.

Only names that a voice's folder can have are taken, each up to a size that it can have; numbers are checked by whoever
reads them, and what is missing or of another version is made anew from the recordings.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from linly import files, shelf
from linly import voice_store as store
from linly.errors import InputError

MOST_BYTES = 600_000_000
"""of everything in the file, unpacked"""
_MADE = r"(?:heard-\d{1,4}|(?:closest|fitted)-[a-z0-9]{1,20}-[0-9a-f]{8}-[\d.]{1,9})"
_INSIDE = r"(?:reference\.wav|before\.wav|sound\.png|sample\.json|style\.npy|voice\.json|changes\.npz)"
_KNOWN = re.compile(rf"about\.json|original-\d{{1,2}}(?:\.\w{{1,5}})?|{_MADE}/{_INSIDE}", re.ASCII)


def export(name: str, path: str | os.PathLike[str]) -> Path:
    """Write the voice `name` to one file (.zip), recordings and consent included.

    Raises InputError with the nearest names if there is none, or if the file cannot be written.
    """
    folder, target = store.required(name), Path(path)
    if target.suffix.lower() != ".zip":
        raise InputError(f"A voice is exported as a .zip file, got {target.name!r}.")
    files.check_writable(target)
    with files.replacing(target) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as out:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            inside = file.relative_to(folder).as_posix()
            if _KNOWN.fullmatch(inside):
                out.write(file, inside)
    return target


def import_(path: str | os.PathLike[str], name: str = "") -> str:
    """Take in a voice that `export` wrote, under its own or another name; the name.

    Raises InputError (one sentence) for a file that holds no voice, a name that is taken, or one that cannot be.
    """
    source = Path(path)
    if not source.is_file():
        raise InputError(f"There is no file {source}; check the name.")
    wrong = InputError(f"{source.name} is not a voice that Linly exported: export it again.")
    try:
        with zipfile.ZipFile(source) as box:
            about = _about(box, wrong)
            name = shelf.checked_name(name or about["name"], "voice")
            if not shelf.publish(store.folder_of(name), lambda folder: _unpack(box, folder, {**about, "name": name})):
                raise InputError(
                    f"There is already a voice called {name!r}: remove it first or import this one under another name."
                )
            return name
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, RuntimeError) as error:
        raise wrong from error


def _about(box: zipfile.ZipFile, wrong: InputError) -> dict[str, Any]:
    """What the voice says of itself, once every name and size has been found to be right."""
    entries = box.infolist()
    names = [entry.filename for entry in entries]
    if "about.json" not in names or len(set(names)) != len(names) or not all(_KNOWN.fullmatch(n) for n in names):
        raise wrong
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise InputError(f"The voice is too large: at most {MOST_BYTES // 1_000_000} MB can be taken in.")
    try:
        about = json.loads(_read(box, "about.json", 1_000_000))
    except ValueError as error:
        raise wrong from error
    if not isinstance(about, dict) or not all(isinstance(about.get(key), kind) for key, kind in store.ABOUT.items()):
        raise wrong
    if not about["consent"].strip() or not about["originals"] or not set(about["originals"]) <= set(names):
        raise wrong
    return {key: about[key] for key in store.ABOUT}


def _read(box: zipfile.ZipFile, name: str, most: int) -> bytes:
    with box.open(name) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise zipfile.BadZipFile(name)
    return data


def _unpack(box: zipfile.ZipFile, folder: Path, about: dict[str, Any]) -> None:
    shelf.write(folder / "about.json", shelf.as_json(about))
    for entry in box.infolist():
        inside = PurePosixPath(entry.filename)
        if entry.filename == "about.json":
            continue
        target = folder.joinpath(*inside.parts)
        target.parent.mkdir(exist_ok=True)
        shelf.write(target, _read(box, entry.filename, entry.file_size))
