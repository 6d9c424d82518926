"""From talks to units: what is to be made, each piece named by everything that its pictures and sound depend on."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import linly
from linly import library, registry, settings, weights
from linly.batch import layout
from linly.batch.values import LEAD, Line, Made, Options, Talk, Unit
from linly.errors import InputError
from linly.text.language import detect
from linly.values import Voice

JOB = ("subtitles", "intro", "outro", "music", "loudness")
"""options of a finished talk that no segment depends on"""
VERSION = 1
"""of what segments are like; raised when they would look or sound otherwise"""
TITLE = 3.0
"""seconds that a picture before or after the talk is shown"""


@dataclass(frozen=True)
class Planned:
    """One talk with its units, in order. A unit may occur twice and is then made once."""

    talk: Talk
    units: tuple[Unit, ...]
    lines: tuple[Line, ...]
    """what each unit came from"""

    @property
    def print(self) -> str:
        """Names the finished talk by its content: where it is the same, the file is the same."""
        ends = {name: _file(getattr(self.talk.options, name)) for name in ("intro", "outro", "music")}
        options = {name: getattr(self.talk.options, name) for name in JOB} | ends
        return _digest(
            [VERSION, [unit.key for unit in self.units], [line.at for line in self.lines], self.talk.title, options]
        )


def planned(talk: Talk, strangers: bool = False) -> Planned:
    """Units and keys. strangers: the talk may name no file of this machine.

    Raises InputError for a voice, a portrait or a file that is not there, EngineUnavailable.
    """
    _voice.cache_clear()  # somebody may have enrolled another voice of that name, or fetched a model
    _engines.cache_clear()
    options = talk.options
    if strangers:
        _check_names(talk)
    for name in ("intro", "outro", "music"):
        wish = getattr(options, name)
        if wish and not Path(wish).is_file():
            raise InputError(f"{talk.source}: there is no file {Path(wish).name!r} for {name}.")
    text = " ".join(line.text for line in talk.lines)
    usual = options.language if options.language != "auto" else detect(text)
    shown = replace(talk, slides=(*talk.slides, *(Path(p) for p in (options.intro, options.outro) if p)))
    lines = list(talk.lines)
    if options.intro:
        lines.insert(0, Line(pause=TITLE, slide=len(talk.slides) + 1, alone=True))
    if options.outro:
        lines.append(Line(pause=TITLE, slide=len(shown.slides), alone=True))
    return Planned(talk, tuple(keyed(_unit(line, shown, usual)) for line in lines), tuple(lines))


def _check_names(talk: Talk) -> None:
    """Only what is enrolled or a sample."""
    if talk.options.intro or talk.options.outro or talk.options.music:
        raise InputError(f"{talk.source}: intro, outro and music are files, which cannot be named on the page.")
    speak = registry.open_engine("speak", registry.default("speak"))
    wishes = {(line.voice, line.portrait) for line in talk.lines} | {(talk.options.voice, talk.options.portrait)}
    for voice, portrait in sorted(wishes):
        library.known(speak, voice, portrait)


def _unit(line: Line, talk: Talk, language: str) -> Unit:
    shown = talk.slides[line.slide - 1] if 0 < line.slide <= len(talk.slides) else None
    options = replace(talk.options, **{name: getattr(Options(), name) for name in JOB})
    return Unit(
        line.text, 0 if line.text else max(1, round(line.pause * options.fps)), line.portrait or options.portrait,
        line.voice or options.voice, line.language or language, line.emotion or options.emotion, line.lexicon,
        str(shown or ""), line.alone, options,
    )  # fmt: skip


def silent(like: Unit, frames: int) -> Unit:
    """A silence in the same picture."""
    return keyed(replace(like, text="", frames=frames, key=""))


def filled(plan: Planned, made: Sequence[Made]) -> tuple[list[Unit | None], list[str]]:
    """For each unit the silence that goes before it so that it begins at its time, and sentences on those too late."""
    fps, at, gaps, late = plan.talk.options.fps, 0, [], []
    for unit, start, segment in zip(plan.units, [line.at for line in plan.lines], made, strict=True):
        missing = 0 if start is None else round((start - LEAD) * fps) - at
        gaps.append(silent(unit, missing) if missing > 0 else None)
        if missing < -fps:
            late.append(f"{unit.text[:30]!r} begins {-missing / fps:.1f} s late: more is said than there is time for.")
        at += max(0, missing) + segment.frames
    return gaps, late


def keyed(unit: Unit) -> Unit:
    """With its key."""
    speak = registry.default("speak")
    voice = _voice(speak, unit.voice, unit.language)
    path, _ = library.find_portrait(unit.portrait, voice)
    what = asdict(unit) | {
        "portrait": _file(str(path)), "voice": _heard(voice), "slide": _file(unit.slide), "engines": _engines(),
        "made by": [linly.__version__, VERSION], "label": settings.load().label,
    }  # fmt: skip
    if not unit.text:  # nothing is said: how does not matter
        what |= {"voice": "", "lexicon": ()}
    return replace(unit, key=_digest(what))


@functools.lru_cache(64)
def _voice(speak: str, wish: str, language: str) -> Voice:
    return library.find_voice(registry.open_engine("speak", speak), wish, language)


@functools.lru_cache(64)
def _heard_of(id: str, engine: str, parts: tuple[str, ...]) -> str:
    return _digest([id, engine, parts])


def _heard(voice: Voice) -> str:
    parts = [_bytes(voice.features), _bytes(voice.reference.samples if voice.reference else None)]
    parts += [f"{name} {_bytes(change)}" for name, change in sorted((voice.changes or {}).items())]
    return _heard_of(voice.id, voice.engine, tuple(parts))


def _bytes(array: Any) -> str:
    return "" if array is None else hashlib.sha256(array.tobytes()).hexdigest()


@functools.lru_cache(1)
def _engines() -> list[Any]:
    """The engines that are used, and their models' digests."""
    used = []
    for kind, can in (("speak", None), ("move", "timings"), ("draw", None)):
        name = registry.default(kind, can)
        models = [
            json.dumps(weights.manifest()[w].files, sort_keys=True, default=str)
            for w in registry.card(kind, name).weights
        ]
        used.append([kind, name, models])
    return used


def _file(path: str) -> str:
    """A digest of a file's content; empty for none."""
    if not path:
        return ""
    found = Path(path).stat()
    return _content(path, found.st_mtime_ns, found.st_size)


@functools.lru_cache(4096)
def _content(path: str, changed: int, size: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str, ensure_ascii=False).encode()).hexdigest()[:32]


def layout_of(unit: Unit) -> str:
    """The layout that a unit is shown in."""
    return "picture" if unit.alone else layout.kind(unit.options, bool(unit.slide))
