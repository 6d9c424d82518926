"""Enrolled portraits: photos kept under a name with all that is known of them, so that a second render starts at once.

One folder each below the library: `about.json` (what was asked for), the original file as it came, and one folder of
what an engine made of it, whose name carries engine and format: a new format is a new folder, made anew from the
original when it is first asked for. Every folder is built under a hidden name and renamed when it is whole.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from linly import registry, settings, shelf
from linly.errors import InputError
from linly.pictures import load_image
from linly.values import CROPS, Portrait

FORMAT = 2
"""of a prepared folder; one more whenever what is in it, or what the check says, has changed"""
KEPT = 8
"""portraits kept in memory, so that an engine meets the same object again"""
_loaded: dict[tuple[str, int], Portrait] = {}


def add(
    name: str,
    path: str | os.PathLike[str],
    *,
    crop: str = "whole",
    light: bool = False,
    denoise: bool = False,
    consent: str = "",
    draw: Any = None,
) -> Portrait:
    """Check a photo, prepare it and keep it under `name`; the portrait with its report.

    crop: one of CROPS, the wish a render starts from; light, denoise: level its light, clean its grain; consent: who
    agreed and to what; draw: an opened draw engine, else the first that is ready.
    Raises InputError (one sentence) for a name or photo that will not do.
    """
    name = shelf.checked_name(name, "portrait")
    if crop not in CROPS:
        raise InputError(f"There is no crop {crop!r}; choose one of {', '.join(CROPS)}.")
    taken = InputError(f"There is already a portrait called {name!r}: remove it first or choose another name.")
    if _folder(name).exists():
        raise taken
    source = Path(path)
    engine = _engine(draw)
    portrait = mended(engine.prepare(load_image(source), name), light, denoise, engine)
    original = "original" + (source.suffix.lower() if re.fullmatch(r"[.]\w{1,5}", source.suffix, re.A) else "")
    about = {
        "name": name,
        "file": source.name,
        "original": original,
        "added": datetime.now(UTC).isoformat(timespec="seconds"),
        "crop": crop,
        "light": light,
        "denoise": denoise,
        "consent": consent.strip(),
    }

    def fill(folder: Path) -> None:
        shelf.write(folder / original, source.read_bytes())
        shelf.write(folder / "about.json", shelf.as_json(about))
        made = folder / _made_by(registry.name_of(engine))
        made.mkdir()
        _save(portrait, made)

    if not shelf.publish(_folder(name), fill):
        raise taken
    loaded = load(name, engine)
    assert loaded is not None
    return loaded


def names() -> list[str]:
    """The names of all enrolled portraits, in alphabetical order."""
    found = []
    for folder in (p.parent for p in _shelf().glob("*/about.json")):
        if not folder.name.startswith("."):  # one that is being made or removed
            with suppress(InputError):  # a damaged one cannot be used, yet removed by its name
                found.append(str(_about(folder)["name"]))
    return sorted(found, key=str.casefold)


def called(wish: str) -> str:
    """The name of the enrolled portrait that `wish` means, as it was given; empty if there is none."""
    folder = _find(wish)
    return str(_about(folder)["name"]) if folder else ""


def load(name: str, draw: Any = None) -> Portrait | None:
    """The portrait kept under `name`, or None if there is none. Runs no model, except once after an update.

    draw: the opened draw engine that will show it; None takes what is kept, whichever engine prepared it.
    Raises InputError if what was kept has been damaged.
    """
    folder = _find(name)
    if folder is None:
        return None
    about = _about(folder)
    made = folder / _made_by(registry.name_of(draw)) if draw is not None else _kept(folder)
    if made is None or not made.is_dir():
        made = _remake(folder, about, _engine(draw))
    key = (str(made), made.stat().st_mtime_ns)
    if key not in _loaded:
        portrait = _open(made, str(about["name"]))
        while len(_loaded) >= KEPT:
            _loaded.pop(next(iter(_loaded)))
        _loaded[key] = portrait
    return _loaded[key]


def info(name: str) -> dict[str, Any]:
    """What is known of an enrolled portrait: name, file, added (UTC), crop, light, denoise, consent, and its report.

    Raises InputError with the nearest names if there is none.
    """
    folder = _required(name)
    about = _about(folder)
    made = _kept(folder) or _remake(folder, about, _engine(None))
    kept = json.loads((made / "report.json").read_text(encoding="utf-8"))
    return {**about, "size": kept["size"], "engine": made.name.rpartition("-")[0], "report": kept["report"]}


def picture(name: str) -> Path:
    """The prepared photo as a PNG file: for a thumbnail. Raises InputError with the nearest names if there is none."""
    folder = _required(name)
    return (_kept(folder) or _remake(folder, _about(folder), _engine(None))) / "image.png"


def remove(name: str) -> None:
    """Forget an enrolled portrait, its original too. Raises InputError with the nearest names if there is none."""
    shelf.discard(_required(name))


def mended(portrait: Portrait, light: bool, denoise: bool, draw: Any) -> Portrait:
    """The portrait with its light levelled and its grain cleaned, as asked; itself where nothing needs mending."""
    from linly.face.light import denoised, normalised

    image = denoised(portrait.image) if denoise else portrait.image
    image = normalised(image, portrait.landmarks) if light else image
    better: Portrait = portrait if image is portrait.image else draw.prepare(image, portrait.id)
    return better


def _shelf() -> Path:
    return settings.load().library / "portraits"


def _folder(name: str) -> Path:
    return _shelf() / shelf.key(name)


def _find(name: str) -> Path | None:
    """The folder of an enrolled portrait; any text may be asked for, a path too."""
    try:
        folder = _folder(shelf.checked_name(name, "portrait"))
    except InputError:
        return None
    return folder if (folder / "about.json").is_file() else None


def _required(name: str) -> Path:
    folder = _find(name)
    if folder is None:
        raise InputError(f"There is no enrolled portrait called {name!r}: {shelf.nearest(name, names())}")
    return folder


def _about(folder: Path) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        return {**about, "name": str(about["name"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"The portrait {folder.name!r} is damaged on disk: remove it and add it again.") from error


def _made_by(engine: str) -> str:
    return f"{engine}-{FORMAT}"


def _kept(folder: Path) -> Path | None:
    """What an engine made of it in today's format, whichever engine."""
    return next(iter(sorted(folder.glob(f"*-{FORMAT}"))), None)


def _engine(draw: Any) -> Any:
    return draw if draw is not None else registry.open_engine("draw", registry.default("draw"))


def _remake(folder: Path, about: dict[str, Any], draw: Any) -> Path:
    """Prepare the kept original again, and forget what older formats of the same engine held."""
    engine = registry.name_of(draw)
    photo = draw.prepare(load_image(folder / about["original"]), about["name"])
    portrait = mended(photo, about["light"], about["denoise"], draw)
    made = folder / _made_by(engine)
    shelf.publish(made, lambda part: _save(portrait, part))
    for old in folder.glob("*-*"):
        if old != made and old.is_dir() and old.name.rpartition("-")[0] == engine:
            shutil.rmtree(old, ignore_errors=True)
    return made


def _save(portrait: Portrait, folder: Path) -> None:
    shelf.write(folder / "image.png", _png(portrait.image))
    if portrait.plate is not None:
        shelf.write(folder / "plate.png", _png(portrait.plate))
    # Finer than a picture holds it: the outline must come out as it did from the photo itself.
    matte = np.rint(65535 * np.clip(portrait.matte, 0, 1)).astype(np.uint16)
    for name, values in (("matte.npy", matte), ("landmarks.npy", portrait.landmarks)):
        data = io.BytesIO()
        np.save(data, values, allow_pickle=False)
        shelf.write(folder / name, data.getvalue())
    h, w = portrait.image.shape[:2]
    about = {"box": portrait.box, "size": (w, h), "report": dict(portrait.report)}
    shelf.write(folder / "report.json", shelf.as_json(about))


def _open(made: Path, name: str) -> Portrait:
    try:
        kept = json.loads((made / "report.json").read_text(encoding="utf-8"))
        x, y, w, h = (int(side) for side in kept["box"])
        matte = np.load(made / "matte.npy", allow_pickle=False).astype(np.float32) / 65535
        plate = _pixels(made / "plate.png") if (made / "plate.png").exists() else None
        points = np.load(made / "landmarks.npy", allow_pickle=False)
        return Portrait(name, _pixels(made / "image.png"), (x, y, w, h), points, matte, kept["report"], plate)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"The portrait {name!r} is damaged on disk: remove it and add it again.") from error


def _png(image: Any) -> bytes:
    from PIL import Image as Pillow

    out = io.BytesIO()
    Pillow.fromarray(image).save(out, "PNG", compress_level=1)
    return out.getvalue()


def _pixels(path: Path) -> Any:
    import cv2  # reads PNG twice as fast as Pillow, which is felt on large photos

    read = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if read is None:
        raise ValueError(f"{path.name} is no picture")
    return cv2.cvtColor(read, cv2.COLOR_BGR2RGB) if read.ndim == 3 else read
