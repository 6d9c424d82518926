"""Portraits and voices by name: the samples that come with the project. Enrolled ones join them here."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from linly.errors import InputError
from linly.settings import ASSETS
from linly.values import Voice


@dataclass(frozen=True)
class Sample:
    """A sample portrait."""

    name: str
    path: Path
    title_en: str
    title_zh: str
    gender: str
    """"female" or "male": picks the face that fits a voice"""


@cache
def samples() -> tuple[Sample, ...]:
    """The sample portraits of assets/samples.toml, the default one first."""
    rows = tomllib.loads((ASSETS / "samples.toml").read_text(encoding="utf-8"))["portrait"]
    return tuple(
        Sample(r["name"], ASSETS / "portraits" / r["file"], r["title_en"], r["title_zh"], r["gender"]) for r in rows
    )


def find_portrait(wish: str, voice: Voice | None = None) -> tuple[Path, str]:
    """Path and name of a portrait: a sample's name or an image file; empty picks a sample that fits the voice."""
    if not wish:
        fitting = [s for s in samples() if voice is not None and s.gender == voice.gender]
        chosen = (fitting or list(samples()))[0]
        return chosen.path, chosen.name
    for sample in samples():
        if wish == sample.name:
            return sample.path, sample.name
    path = Path(wish)
    if path.is_file():
        return path, path.stem
    raise InputError(
        f"There is no portrait file or sample called {wish!r}; the samples are {', '.join(s.name for s in samples())}."
    )


def find_voice(engine: Any, wish: str, language: str) -> Voice:
    """A voice of the opened speak engine by id or name; empty picks its first voice of the language.

    Raises InputError with the nearest names for an unknown voice.
    """
    voices: list[Voice] = list(engine.voices())
    if not wish:
        return next((v for v in voices if language in v.languages), voices[0])
    for voice in voices:
        if wish.casefold() in (voice.id.casefold(), voice.name.casefold()):
            return voice
    if Path(wish).suffix and Path(wish).is_file():
        raise InputError(
            "A voice cannot be taken from a sound file: choose one by its name; `python -m linly voices` lists them."
        )
    near = difflib.get_close_matches(wish, [n for v in voices for n in (v.id, v.name)], n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else "`python -m linly voices` lists them all."
    raise InputError(f"There is no voice called {wish!r}: {hint}")
