"""How enrolled voices lie on disk: found by name, written whole, read back with every number checked."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from linly import audio as sound
from linly import files, settings, shelf
from linly.enrolment import Sample
from linly.errors import InputError
from linly.sound_picture import draw
from linly.values import Audio, Floats, Span, Transcript

ABOUT = {"name": str, "files": list, "originals": list, "added": str, "denoise": bool, "text": str, "consent": str,
         "tier": str}  # fmt: skip
"""what `about.json` holds"""
KEPT_RATE = 24000
"""hertz of what is kept of a person's speech"""


def place() -> Path:
    """The folder of all voices."""
    return settings.load().library / "voices"


def folder_of(name: str) -> Path:
    """Where the voice of a checked name lies, or would."""
    return place() / shelf.key(name)


def find(name: str) -> Path | None:
    """The folder of an enrolled voice; any text may be asked for, a path too."""
    try:
        folder = folder_of(shelf.checked_name(name, "voice"))
    except InputError:
        return None
    return folder if (folder / "about.json").is_file() else None


def names() -> list[str]:
    """The names of all enrolled voices, in alphabetical order."""
    found = []
    for folder in (p.parent for p in place().glob("*/about.json")):
        if not folder.name.startswith("."):  # one that is being made or removed
            with suppress(InputError):  # a damaged one cannot be used, yet removed by its name
                found.append(str(about_of(folder)["name"]))
    return sorted(found, key=str.casefold)


def required(name: str) -> Path:
    """The folder of an enrolled voice. Raises InputError with the nearest names if there is none."""
    folder = find(name)
    if folder is None:
        raise InputError(f"There is no enrolled voice called {name!r}: {shelf.nearest(name, names())}")
    return folder


def damaged(folder: Path) -> InputError:
    """The error for what cannot be read back."""
    return InputError(f"The voice {folder.name!r} is damaged on disk: remove it and add it again.")


def about_of(folder: Path) -> dict[str, Any]:
    """What was asked for when the voice was added. Raises InputError if it is damaged."""
    about = read_json(folder / "about.json", folder)
    if not all(isinstance(about.get(key), kind) for key, kind in ABOUT.items()):
        raise damaged(folder)
    if shelf.key(about["name"]) != folder.name:  # a crash between the two steps of renaming
        about["name"] = folder.name.replace("_", " ")
    return about


def change(folder: Path, **values: Any) -> None:
    """Other values for some of what `about.json` holds."""
    about = {**about_of(folder), **values}
    with files.replacing(folder / "about.json") as part:
        part.write_bytes(shelf.as_json(about))


def read_json(path: Path, folder: Path) -> dict[str, Any]:
    """An object of a voice's folder. Raises InputError if it is damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise damaged(folder) from error
    if not isinstance(value, dict):
        raise damaged(folder)
    return value


def suffix(source: Path) -> str:
    """Of the copy of a recording: the file's own where it is one."""
    return source.suffix.lower() if re.fullmatch(r"[.]\w{1,5}", source.suffix, re.ASCII) else ""


def renew(target: Path, fill: Callable[[Path], None]) -> None:
    """Put a folder in the place of an older one, and forget older formats of the same kind."""
    if target.is_dir():
        shelf.discard(target)
    shelf.publish(target, fill)
    kind = target.name.split("-")[0]
    for old in target.parent.glob(f"{kind}-*"):
        if old != target and old.is_dir():
            shutil.rmtree(old, ignore_errors=True)


def save_sample(sample: Sample, folder: Path) -> None:
    """Speech, transcript, embedding, report and picture, into a new folder."""
    from PIL import Image as Pillow

    sound.write_wav(sample.speech, folder / "reference.wav")
    if sample.before is not None:
        sound.write_wav(sample.before, folder / "before.wav")
    picture = io.BytesIO()
    Pillow.fromarray(draw(sample.before or sample.speech)).save(picture, "PNG")
    shelf.write(folder / "sound.png", picture.getvalue())
    said = sample.transcript
    words = [(word.text, round(word.start, 3), round(word.end, 3)) for word in said.words]
    kept = {"text": said.text, "language": said.language, "words": words, "report": sample.report}
    kept["embedding"] = np.round(sample.embedding.astype(float), 6).tolist()
    shelf.write(folder / "sample.json", shelf.as_json(kept))


def open_sample(heard: Path) -> Sample:
    """What `save_sample` wrote. Raises InputError if it is damaged."""
    kept = read_json(heard / "sample.json", heard.parent)
    try:
        words = tuple(Span(str(text), float(start), float(end)) for text, start, end in kept["words"])
        transcript = Transcript(str(kept["text"]), str(kept["language"]), words)
        embedding = np.array(kept["embedding"], np.float32).reshape(256)
        report = dict(kept["report"])
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(heard.parent) from error
    cleaned = heard / "before.wav"
    return Sample(speech(heard), _sound(cleaned) if cleaned.is_file() else None, transcript, embedding, report)


def speech(heard: Path) -> Audio:
    """The person's own speech. Raises InputError if it is damaged."""
    return _sound(heard / "reference.wav")


def _sound(path: Path) -> Audio:
    try:
        return sound.load(path, max_seconds=3600, rate=KEPT_RATE)
    except InputError as error:
        raise damaged(path.parent.parent) from error


def save_made(features: Floats, about: Mapping[str, Any], folder: Path, changes: Mapping[str, Floats] = {}) -> None:
    """A voice as an engine speaks it, into a new folder: style, scores and, where it was fitted, what was changed."""
    shelf.write(folder / "style.npy", _npy(features.astype(np.float32)))
    shelf.write(folder / "voice.json", shelf.as_json(dict(about)))
    if changes:
        arrays: dict[str, Any] = {f"a{i}": np.asarray(values) for i, values in enumerate(changes.values())}
        data = io.BytesIO()
        np.savez(data, names=np.array(list(changes)), **arrays)
        shelf.write(folder / "changes.npz", data.getvalue())


def open_made(folder: Path) -> tuple[Floats, dict[str, Any], dict[str, Floats] | None]:
    """What `save_made` wrote: features (510, 1, 256), what is known, changes. Raises InputError if it is damaged."""
    about = read_json(folder / "voice.json", folder.parent)
    try:
        features = np.load(folder / "style.npy", allow_pickle=False)
        if features.dtype != np.float32 or features.shape != (510, 1, 256) or not np.isfinite(features).all():
            raise ValueError("no style table")
        [float(about["similarity"]), str(about["gender"]), *about["languages"], *about["stock"]]
        return features, about, _changes(folder / "changes.npz")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(folder.parent) from error


def _changes(path: Path) -> dict[str, Floats] | None:
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as kept:
        changes = {str(name): kept[f"a{i}"] for i, name in enumerate(kept["names"])}
    for values in changes.values():
        if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
            raise ValueError("changes must be finite numbers")
    return changes


def _npy(values: Floats) -> bytes:
    data = io.BytesIO()
    np.save(data, values, allow_pickle=False)
    return data.getvalue()


def copy(source: Path, target: Path) -> None:
    """A copy of a recording whose bytes are on the disk when this returns."""
    with source.open("rb") as read, target.open("xb") as written:
        shutil.copyfileobj(read, written)
        written.flush()
        os.fsync(written.fileno())
