"""Portraits of many kinds (see faces.toml), fetched once into a cache by Linly's own package route; nothing is run.

`PYTHONPATH=. python tests/faces.py` fetches them all and says where they are.
"""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from linly import routes
from linly.files import replacing

HERE = Path(__file__).resolve().parent
LISTED: dict[str, Any] = tomllib.loads((HERE / "faces.toml").read_text(encoding="utf-8"))
NAMES = tuple(LISTED["faces"])
SMALL = "_small"
ENLARGED = 512


def folder() -> Path:
    """Where the fetched files are kept: LINLY_TEST_FACES, else tests/.faces."""
    return Path(os.environ.get("LINLY_TEST_FACES") or HERE / ".faces")


def fetched(*names: str) -> dict[str, Path]:
    """{name: picture} of these faces of faces.toml, or of all; skips the test if a package cannot be fetched.

    What else lies in the same packages comes with them.
    """
    listed, names = LISTED["faces"], names or NAMES
    missing = {listed[name]["package"] for name in names if not (folder() / f"{name}.png").is_file()}
    for name, file in _files({name: face for name, face in listed.items() if face["package"] in missing}):
        _write(name, file)
    return {name: folder() / f"{name}.png" for name in names}


def models() -> dict[str, Path]:
    """{name: file} of the identity models; skips the test if they cannot be fetched."""
    missing = {name: model for name, model in LISTED["models"].items() if not (folder() / f"{name}.dat").is_file()}
    for name, file in _files(missing):
        with replacing(folder() / f"{name}.dat") as part:
            shutil.copyfile(file, part)
    return {name: folder() / f"{name}.dat" for name in LISTED["models"]}


def _files(wanted: dict[str, Any]) -> Iterator[tuple[str, Path]]:
    """(name, file as it lies in its package), checked."""
    for package in dict.fromkeys(entry["package"] for entry in wanted.values()):
        of_it = {name: entry for name, entry in wanted.items() if entry["package"] == package}
        told = LISTED["packages"][package]
        members = {name: entry["file"] for name, entry in of_it.items()}
        source = {"route": "package", "index": told["index"], "get": [told["get"]], "files": members}
        parts = folder() / ".parts" / package
        parts.mkdir(parents=True, exist_ok=True)
        try:
            for name, file in routes.files(source, list(of_it), parts, lambda received: None):
                assert routes.sha256_of(file) == of_it[name]["sha256"], f"{name} of {told['get']} has changed"
                yield name, file
        except routes.SourceFailed as error:
            pytest.skip(f"the test faces of {told['get']} cannot be fetched: {error}")
        shutil.rmtree(parts)


def _write(name: str, file: Path) -> None:
    """The picture as the tests see it: cropped or enlarged where faces.toml says so, without loss."""
    from PIL import Image

    with Image.open(file) as opened:
        image = opened.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    image = Image.alpha_composite(white, image).convert("RGB")
    if box := LISTED["faces"][name].get("crop"):
        x, y, width, height = box
        image = image.crop((x, y, x + width, y + height))
    if name.endswith(SMALL):
        scale = ENLARGED / max(image.size)
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    with replacing(folder() / f"{name}.png") as part:
        image.save(part, format="PNG")


if __name__ == "__main__":
    for name, path in {**fetched(), **models()}.items():
        print(name, path)
