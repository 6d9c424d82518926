"""The model files: which there are, whether they are whole, and how to get them. The manifest is weights.toml."""

from __future__ import annotations

import json
import logging
import shutil
import threading
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from linly import routes, settings
from linly.errors import EngineUnavailable, InputError
from linly.files import replacing, why
from linly.values import Progress

log = logging.getLogger(__name__)
RECORD = ".verified.json"
"""In each model's folder: size, time and sha256 of every file when it was last hashed."""
LOCK = "lock.toml"
"""In the weights folder: sha256 of files for which the manifest pins none, as first fetched."""


@dataclass(frozen=True)
class Model:
    """One entry of the manifest."""

    name: str
    title: str
    purpose: str
    licence: str
    commercial: bool
    """whether the licence allows commercial use"""
    default: bool
    origin: str
    files: Mapping[str, tuple[int, str]]
    """path -> bytes, sha256 (empty: taken from the source at first fetch, then locked)"""
    sources: tuple[Mapping[str, Any], ...]
    """routes in order of preference; see routes.py"""

    @property
    def bytes(self) -> int:
        return sum(size for size, _ in self.files.values())


@cache
def manifest() -> dict[str, Model]:
    """Every model of weights.toml by name."""
    entries = tomllib.loads((Path(__file__).parent / "weights.toml").read_text(encoding="utf-8"))["model"]
    return {name: _model(name, entry) for name, entry in entries.items()}


def _model(name: str, entry: Mapping[str, Any]) -> Model:
    files = {}
    for path, pinned in entry["files"].items():
        size, _, sha256 = pinned.partition(" ")
        files[path] = (int(size), sha256)
    return Model(
        name=name,
        title=entry["title"],
        purpose=entry["purpose"],
        licence=entry["licence"],
        commercial=entry["commercial"],
        default=entry.get("default", False),
        origin=entry["origin"],
        files=files,
        sources=tuple(entry["source"]),
    )


def _get(name: str) -> Model:
    if name not in manifest():
        raise InputError(f"There is no model called {name!r}; the manifest has {', '.join(manifest())}.")
    return manifest()[name]


def default_names() -> list[str]:
    """The models that the default road needs."""
    return [name for name, model in manifest().items() if model.default]


def folder(name: str) -> Path:
    """Where a model's files lie."""
    return settings.load().weights / name


def describe(name: str) -> str:
    """Title, size and licence in a few words."""
    model = _get(name)
    use = "" if model.commercial else ", not for commercial use"
    return f"{model.title}, {model.bytes / 1e6:.{0 if model.bytes > 1e7 else 1}f} MB, {model.licence}{use}"


def ready(name: str) -> bool:
    """Whether every file is here and is what the manifest says."""
    return not problem(name)


_hashing = threading.Lock()


def problem(name: str) -> str:
    """Empty if the model is whole; else which file is missing or damaged. Files are hashed only when they changed."""
    return next(iter(_troubles(_get(name)).values()), "")


def _troubles(model: Model, anew: bool = False) -> dict[str, str]:
    """path -> what is wrong, of every file that is not whole; `anew` hashes all of them."""
    place, troubles, hashed = folder(model.name), {}, False
    with _hashing:
        record = {} if anew else _read_record(place)
        for path in model.files:
            file = place / path
            if not file.is_file():
                troubles[path] = f"{path} is missing"
                continue
            stat = file.stat()
            known = record.get(path, {})
            if [known.get("bytes"), known.get("mtime_ns")] != [stat.st_size, stat.st_mtime_ns]:
                hashed = True
                record[path] = {"bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": routes.sha256_of(file)}
            if not _fits(model, path, record[path]):
                troubles[path] = f"{path} is damaged or not the file that the manifest pins"
        if hashed:
            _write_json(place / RECORD, record)
    return troubles


def _fits(model: Model, path: str, found: Mapping[str, Any]) -> bool:
    size, pinned = model.files[path]
    wanted = pinned or _locked(model.name, path)
    return bool((not size or found["bytes"] == size) and (not wanted or found["sha256"] == wanted))


def _read_record(place: Path) -> dict[str, Any]:
    try:
        record = json.loads((place / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none yet, or torn: everything is hashed again
        return {}
    return record if isinstance(record, dict) else {}


def _write_json(path: Path, value: Any) -> None:
    try:
        with replacing(path) as part:
            part.write_text(json.dumps(value, indent=1), encoding="utf-8")
    except InputError as reason:  # a read-only weights folder works, it is only hashed anew each time
        log.info("%s", reason)


def verify_once(name: str) -> None:
    """Raise EngineUnavailable that names the file if the model is not whole."""
    found = problem(name)
    if found:
        raise EngineUnavailable(
            f"{_get(name).title}: {found}; run `python -m linly weights pull {name}` to fetch it again."
        )


def verify(names: Iterable[str]) -> list[str]:
    """Hash every file anew; one line for each model that is not whole."""
    found = []
    for name in names:
        if troubles := _troubles(_get(name), anew=True):
            named = ", ".join(troubles.values())
            found.append(f"{name}: {named}; `python -m linly weights pull {name}` fetches it again")
    return found


def listing() -> list[dict[str, Any]]:
    """One row a model, for the command line and the page."""
    rows = []
    for name, model in manifest().items():
        trouble = problem(name)
        started = any((folder(name) / path).is_file() for path in model.files)
        rows.append(
            {
                "name": name,
                "title": model.title,
                "purpose": model.purpose,
                "bytes": model.bytes,
                "licence": model.licence,
                "commercial": model.commercial,
                "default": model.default,
                "origin": model.origin,
                "sources": [source["route"] for source in model.sources],
                "ready": not trouble,
                "problem": trouble if started else "",
            }
        )
    return rows


def remove(name: str) -> None:
    """Delete a model's files."""
    _get(name)
    shutil.rmtree(folder(name), ignore_errors=True)


def pull(names: Iterable[str], progress: Progress | None = None) -> None:
    """Fetch what is missing or damaged, source by source, and check every byte before it counts.

    `progress` is told a text and the fraction done of all; it may raise Cancelled; the next pull goes on from there.
    Raises EngineUnavailable that says which sources were tried and why each failed, InputError if the disk is full.
    """
    wanted = [_get(name) for name in dict.fromkeys(names)]
    missing = [model for model in wanted if problem(model.name)]
    total, done = max(1, sum(model.bytes for model in missing)), 0
    try:
        for model in missing:

            def tell(received: int, model: Model = model, before: int = done) -> None:
                if progress:
                    progress(f"{model.title}", min(1.0, (before + min(received, model.bytes)) / total))

            _pull_locked(model, tell)
            done += model.bytes
    finally:
        routes.drop_clients(settings.load().weights)
    if progress:
        progress("ready", 1.0)


def _pull_locked(model: Model, tell: routes.Tell) -> None:
    """Fetch one model while every other process that wants it waits."""
    from filelock import FileLock, Timeout

    place = folder(model.name)
    parts = place / ".parts"
    try:
        parts.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place.with_name(f".{model.name}.lock"))
        while not lock.is_locked:
            try:
                lock.acquire(timeout=0.5)
            except Timeout:
                tell(0)  # somebody else fetches it: wait, unless told to stop
    except OSError as error:
        raise why(parts, error) from error
    try:
        if problem(model.name):
            parts.mkdir(exist_ok=True)  # whoever had the lock may have removed it
            _check_space(model, place)
            _pull_one(model, place, parts, tell)
        shutil.rmtree(parts, ignore_errors=True)
    finally:
        lock.release()


def _check_space(model: Model, place: Path) -> None:
    free, needed = shutil.disk_usage(place).free, 2 * model.bytes + 50_000_000
    if free < needed:
        raise InputError(
            f"{model.title} needs {needed / 1e6:.0f} MB of free disk while it is fetched and {free / 1e6:.0f} MB are"
            " left: free some space, or set LINLY_WEIGHTS to a folder on another disk."
        )


def _pull_one(model: Model, place: Path, parts: Path, tell: routes.Tell) -> None:
    reasons = []
    for source in model.sources:
        try:
            for path, part in routes.files(source, tuple(_troubles(model)), parts, tell):
                _accept(model, path, part, place / path)
        except routes.SourceFailed as failure:
            log.info("%s by %s: %s", model.name, source["route"], failure)
            reasons.append(f"{source['route']}: {failure}")
            continue
        trouble = problem(model.name)
        if not trouble:
            return
        reasons.append(f"{source['route']}: {trouble}")
    raise EngineUnavailable(
        f"{model.title} could not be fetched ({'; '.join(reasons)}): check the network and run"
        f" `python -m linly weights pull {model.name}`, or put the files into {place} yourself."
    )


def _accept(model: Model, path: str, part: Path, target: Path) -> None:
    """Check a fetched file and give it its name; a wrong one is thrown away."""
    found: dict[str, Any] = {"bytes": part.stat().st_size, "sha256": routes.sha256_of(part)}
    if not _fits(model, path, found):
        part.unlink()
        size = model.files[path][0]
        raise routes.SourceFailed(
            f"{path} arrived damaged or changed ({found['bytes']:,} bytes, sha256 {found['sha256'][:12]}…;"
            f" {size:,} expected)"
        )
    if not model.files[path][1]:
        _remember(model.name, path, found["sha256"])
    target.parent.mkdir(parents=True, exist_ok=True)
    part.replace(target)


def _locked(name: str, path: str) -> str:
    return str(_read_lock().get(name, {}).get(path, ""))


def _read_lock() -> dict[str, dict[str, str]]:
    file = settings.load().weights / LOCK
    try:
        return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except ValueError as error:
        raise InputError(f"{file} cannot be read ({error}): mend it, or delete it and pull again.") from error


def _remember(name: str, path: str, sha256: str) -> None:
    from filelock import FileLock

    file = settings.load().weights / LOCK
    with FileLock(file.with_name(f".{LOCK}.lock")):
        entries = _read_lock()
        entries.setdefault(name, {})[path] = sha256
        lines = ["# sha256 of files whose source pins none, as first fetched; a later change is refused"]
        for model, files in sorted(entries.items()):
            pairs = (f"{json.dumps(key)} = {json.dumps(value)}" for key, value in sorted(files.items()))
            lines += [f"\n[{json.dumps(model)}]", *pairs]
        with replacing(file) as part:
            part.write_text("\n".join(lines) + "\n", encoding="utf-8")
