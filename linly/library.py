"""Portraits and voices by name: those enrolled, and the samples that come with the project."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from linly import enrolment, portraits, registry, shelf, voices
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
    raise InputError(f"There is no portrait file or sample called {wish!r}: {shelf.nearest(wish, known)}")


def find_voice(engine: Any, wish: str, language: str) -> Voice:
    """A voice for the opened speak engine: one of its own by id or name, an enrolled one by name, or the closest to the
    person in a sound file; empty picks its first voice of the language.

    Raises InputError with the nearest names for an unknown voice.
    """
    own: list[Voice] = list(engine.voices())
    if not wish and own:
        return next((v for v in own if language in v.languages), own[0])
    if not wish:
        raise InputError(
            f"{_card(engine).title} speaks in the voice of a sample: choose an enrolled voice or a sound file."
        )
    if enrolled := voices.load(wish):
        return _fitting(engine, enrolled, lambda: voices.sample_of(wish))
    for voice in own:
        if wish.casefold() in (voice.id.casefold(), voice.name.casefold()):
            return voice
    if Path(wish).suffix and os.path.isfile(wish):
        if "clones" in _card(engine).can:
            return enrolment.cloned(voices.check([wish]), Path(wish).stem, registry.name_of(engine))
        return _fitting(engine, voices.from_file(wish))
    known = [*voices.names(), *(n for v in own for n in (v.id, v.name))]
    hint = shelf.nearest(wish, known, "`python -m linly voices` lists them all.")
    raise InputError(f"There is no voice called {wish!r}: {hint}")


def known(speak: Any, voice: str = "", portrait: str = "") -> None:
    """Raises InputError for a voice or portrait that is neither a sample nor enrolled: a visitor names no files."""
    faces = {"", *portraits.names(), *(sample.name for sample in samples())}
    spoken = {"", *(name.casefold() for name in voices.names())}
    spoken |= {name.casefold() for own in speak.voices() for name in (own.id, own.name)}
    for kind, wish, there in (("portrait", portrait, faces), ("voice", voice.casefold(), spoken)):
        if wish not in there:
            raise InputError(f"There is no {kind} called {wish!r} here: choose another one.")


def _card(engine: Any) -> registry.Card:
    return registry.card("speak", registry.name_of(engine))


def _fitting(engine: Any, voice: Voice, sample: Callable[[], enrolment.Sample] | None = None) -> Voice:
    """The voice, if this engine speaks it: its own, or anybody's of whom it has a sample to go by."""
    name = registry.name_of(engine)
    if voice.engine == name:
        return voice
    if sample and "clones" in _card(engine).can:
        return enrolment.cloned(sample(), voice.name, name)
    raise InputError(f"The voice {voice.name!r} belongs to {voice.engine}, not to {name}: leave the engine out.")
