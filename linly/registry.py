"""Find, describe and open engines. A user adds one by dropping a file into a room or into LINLY_ENGINES."""

from __future__ import annotations

import ctypes.util
import importlib
import importlib.util
import logging
import os
import pkgutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from linly import settings, weights
from linly.contracts import CONTRACTS, VERBS
from linly.errors import EngineUnavailable, InputError

log = logging.getLogger(__name__)
KINDS = tuple(CONTRACTS)
_OF_SPEECH = {"timings", "voices", "clones", "pitch", "streams", "translates"}
CAPABILITIES = frozenset({*_OF_SPEECH, "any-audio", "any-language", "gpu", "alpha", "clip", "answers"})
KEEP_OPEN = 10
"""Engines kept loaded at once; the least recently used is closed first."""

E = TypeVar("E", bound=type)


@dataclass(frozen=True)
class Card:
    """What an engine says of itself before it is loaded."""

    kind: str
    name: str
    title: str
    languages: tuple[str, ...]
    """ISO 639-1 codes; "*" is any"""
    can: frozenset[str]
    weights: tuple[str, ...]
    """names in weights.toml"""
    packages: tuple[str, ...]
    """modules that must be importable"""
    licence: str
    needs_mb: int
    """memory while it works, megabytes"""
    factory: Callable[..., Any]


_cards: dict[tuple[str, str], Card] = {}
_broken: dict[str, str] = {}
_open: OrderedDict[tuple[str, str, str], Any] = OrderedDict()
_lock = threading.RLock()
_found = False


def engine(
    kind: str,
    name: str,
    *,
    title: str,
    languages: Iterable[str] = ("*",),
    can: Iterable[str] = (),
    weights: Iterable[str] = (),
    packages: Iterable[str] = (),
    licence: str = "Apache-2.0",
    needs_mb: int = 100,
) -> Callable[[E], E]:
    """Class decorator: store the engine's card and leave the class as it is. Raises ValueError on a wrong card."""

    def register(cls: E) -> E:
        if kind not in KINDS:
            raise ValueError(f"engine {name}: unknown kind {kind!r}; there are {', '.join(KINDS)}")
        missing = [verb for verb in VERBS[kind] if not callable(getattr(cls, verb, None))]
        if missing:
            raise ValueError(f"engine {kind}/{name} lacks the verb {missing[0]!r}")
        unknown = set(can) - CAPABILITIES
        if unknown:
            raise ValueError(f"engine {kind}/{name} claims unknown capabilities: {', '.join(sorted(unknown))}")
        if (kind, name) in _cards and _cards[kind, name].factory is not cls:
            raise ValueError(f"there are two engines called {kind}/{name}")
        _cards[kind, name] = Card(
            kind, name, title, tuple(languages), frozenset(can), tuple(weights), tuple(packages), licence, needs_mb, cls
        )
        return cls

    return register


def _discover() -> None:
    """Import every file of the rooms, then of LINLY_ENGINES (off by default: those files are code)."""
    global _found
    with _lock:
        if _found:
            return
        _found = True
        for kind in KINDS:
            room = importlib.import_module(f"linly.{kind}")
            for module in pkgutil.iter_modules(room.__path__):
                importlib.import_module(f"linly.{kind}.{module.name}")
        folder = os.environ.get("LINLY_ENGINES")
        for path in sorted(Path(folder).glob("*.py")) if folder else ():
            try:
                spec = importlib.util.spec_from_file_location(f"linly_engine_{path.stem}", path)
                assert spec and spec.loader
                spec.loader.exec_module(importlib.util.module_from_spec(spec))
            except Exception as error:  # a user's broken file is shown, and never stops the app
                _broken[path.name] = f"{type(error).__name__}: {error}"
                log.warning("engine file %s cannot be used: %s", path.name, error)


def names(kind: str) -> tuple[str, ...]:
    """Engines of one kind, ready or not, in alphabetical order."""
    _discover()
    return tuple(sorted(name for k, name in _cards if k == kind))


def broken() -> dict[str, str]:
    """Files of LINLY_ENGINES that could not be imported, with the reason."""
    _discover()
    return dict(_broken)


def card(kind: str, name: str) -> Card:
    """The card of one engine. Raises InputError that lists the choices."""
    _discover()
    if (kind, name) not in _cards:
        raise InputError(
            f"There is no {kind} engine called {name!r}; choose one of: {', '.join(names(kind)) or 'none'}."
        )
    return _cards[kind, name]


def why_not(kind: str, name: str) -> str:
    """Empty if the engine can be opened, else one sentence: what is missing, its size and licence, how to get it."""
    this = card(kind, name)
    lacking = [package for package in this.packages if importlib.util.find_spec(package) is None]
    if lacking:
        return (
            f"{this.title} needs the Python package {', '.join(lacking)}: run `pip install -r requirements.txt`"
            " (the full set)."
        )
    missing = [w for w in this.weights if not weights.ready(w)]
    if missing:
        what = "; ".join(f"{weights.describe(w)}: {weights.problem(w)}" for w in missing)
        command = f"python -m linly weights pull {' '.join(missing)}"
        return f"{this.title} needs model files that are not here or not whole ({what}): run `{command}`."
    own = getattr(this.factory, "why_not", None)  # an engine may need what no card can say: a server's address, say
    return str(own()) if own else ""


def default(kind: str, capability: str | None = None) -> str:
    """Name of the first ready engine of a kind (with a capability, if one is asked for).

    Raises EngineUnavailable with the reason of the first that is not ready.
    """
    fitting = [n for n in names(kind) if capability is None or capability in card(kind, n).can]
    reasons = []
    for name in fitting:
        reason = why_not(kind, name)
        if not reason:
            return name
        reasons.append(reason)
    raise EngineUnavailable(reasons[0] if reasons else f"No {kind} engine is installed.")


class _Serialised:
    """An engine whose calls run one at a time; generators hold the lock only while they compute a piece."""

    def __init__(self, inner: Any, card: Card) -> None:
        self._inner = inner
        self._card = card
        self._busy = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not callable(value) or name.startswith("_"):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            with self._busy:
                result = value(*args, **kwargs)
            return self._steps(result) if hasattr(result, "__next__") else self._guard(result)

        return call

    def _guard(self, result: Any) -> Any:
        images = getattr(result, "images", None)
        return result if images is None else replace(result, images=self._steps(images))

    def _steps(self, pieces: Any) -> Any:
        end = object()
        try:
            while True:
                with self._busy:
                    piece = next(pieces, end)
                if piece is end:
                    return
                yield piece
        finally:
            close = getattr(pieces, "close", None)
            if close:
                close()


def device(kind: str, name: str) -> str:
    """Where an engine should run: "cuda" if it can use a GPU, there is one and LINLY_DEVICE allows it; else "cpu".

    Raises EngineUnavailable where LINLY_DEVICE asks for a GPU that is not there.
    """
    wish = settings.load().device
    if wish not in ("auto", "cpu", "cuda"):
        raise InputError(f"LINLY_DEVICE must be auto, cpu or cuda, got {wish!r}.")
    if wish == "cpu" or "gpu" not in card(kind, name).can:
        return "cpu"
    # The driver is looked for first: importing torch takes seconds and is of no use without one.
    if ctypes.util.find_library("cuda") and importlib.util.find_spec("torch"):
        import torch

        if torch.cuda.is_available():
            return "cuda"
    if wish == "cuda":
        raise EngineUnavailable("LINLY_DEVICE asks for a GPU, but torch finds none: set it to auto or cpu.")
    return "cpu"


def open_engine(kind: str, name: str, where: str = "") -> Any:
    """The engine, loaded (constructing is loading) and shared: one per (kind, name, device).

    where: "cpu" or "cuda[:n]"; empty for the one that `device` gives.
    Raises InputError for an unknown name and EngineUnavailable when something it needs is missing.
    Never opens another engine instead.
    """
    this = card(kind, name)
    where = where or device(kind, name)
    key = (kind, name, where)
    with _lock:
        if key in _open:
            _open.move_to_end(key)
            return _open[key]
        reason = why_not(kind, name)
        if reason:
            raise EngineUnavailable(reason)
        for w in this.weights:
            weights.verify_once(w)
        files = {w: weights.folder(w) for w in this.weights}
        while len(_open) >= KEEP_OPEN:
            _close(next(iter(_open)))
        _open[key] = _Serialised(this.factory(files, where), this)
        return _open[key]


def _close(key: tuple[str, str, str]) -> None:
    opened = _open.pop(key)
    close = getattr(opened._inner, "close", None)
    if close:
        close()


def name_of(opened: Any) -> str:
    """The name of an opened engine."""
    return str(opened._card.name) if isinstance(opened, _Serialised) else type(opened).__name__
