"""Portraits and voices by name: those enrolled, and the samples that come with the project."""

from __future__ import annotations

import difflib
import os
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from linly import portraits
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
    """Path and name of a portrait: an enrolled name, a sample's name or an image file; empty picks a sample that fits
    the voice. What is enrolled need not be prepared again: ask `portraits.load(wish)` first.

    Raises InputError with the nearest names for one that is not there.
    """
    if not wish:
        fitting = [s for s in samples() if voice is not None and s.gender == voice.gender]
        chosen = (fitting or list(samples()))[0]
        return chosen.path, chosen.name
    if enrolled := portraits.called(wish):
        return portraits.picture(enrolled), enrolled
    for sample in samples():
        if wish == sample.name:
            return sample.path, sample.name
    if os.path.isfile(wish):  # unlike Path's own, it takes names that no file can have
        return Path(wish), Path(wish).stem
    known = [*portraits.names(), *(s.name for s in samples())]
    near = difflib.get_close_matches(wish, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}."
    raise InputError(f"There is no portrait file or sample called {wish!r}: {hint}")


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
