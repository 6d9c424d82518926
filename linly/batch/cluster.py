"""Segments made on many machines by Ray: an actor for each worker keeps its models warm, and takes one unit at a time.

Slides and files of portraits and voices travel with the units, finished segments come back as bytes: nothing need be
shared. Enrolled names must be in the library of every machine. An actor that dies, with its machine or alone, is begun
again elsewhere, and so is its unit. Needs requirements-cluster.txt.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import logging
import queue
import tempfile
import threading
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from linly import files, registry
from linly.batch.segment import Studio
from linly.batch.values import Made, Unit
from linly.errors import EngineFailed, EngineUnavailable, LinlyError

TRIES = 4
CORES = 1.0
"""of each worker"""
GPU_MB = 24_000
"""memory of a usual card, of which an engine that works on one takes its share"""


class Cluster:
    """The workers of a Ray cluster. address: "auto" for the cluster of this machine, or ray://host:port.

    A thread for each worker waits until Ray has found a place for it, then hands it one unit after the other.
    """

    def __init__(self, address: str, folder: Path) -> None:
        self._ray: Any = connected(address)
        self._folder = folder
        share = gpu_share()
        there = self._ray.cluster_resources()
        self.count = max(1, int(there.get("GPU", 0) / share) if share else int(there.get("CPU", 1) / CORES))
        self._maker = self._ray.remote(num_cpus=CORES, num_gpus=share, scheduling_strategy="SPREAD")(Actor)
        self._units: queue.Queue[tuple[Unit, Future[Made], int]] = queue.Queue()
        self._sent: dict[str, Any] = {}
        self._actors: set[Any] = set()
        self._closed = False
        self._lock = threading.Lock()
        for number in range(self.count):
            threading.Thread(target=self._serve, name=f"linly-ray-{number}", daemon=True).start()

    def submit(self, unit: Unit) -> Future[Made]:
        """See workers.Workers."""
        wanted: Future[Made] = Future()
        self._units.put((unit, wanted, TRIES))
        return wanted

    def _serve(self) -> None:
        """One worker after the other, as they die."""
        while not self._closed:
            actor = self._maker.remote()
            with self._lock:
                self._actors.add(actor)
            with contextlib.suppress(self._ray.exceptions.RayError):
                self._ray.get(actor.ready.remote())  # a unit that waited for a place would wait for nothing
                self._work(actor)
            with self._lock:
                self._actors.discard(actor)

    def _work(self, actor: Any) -> None:
        """Raises RayError where the worker or its machine has died; its unit is begun anew elsewhere."""
        while not self._closed:
            try:
                unit, wanted, left = self._units.get(timeout=0.5)
            except queue.Empty:
                continue
            if not wanted.running() and not wanted.set_running_or_notify_cancel():
                continue
            try:
                wanted.set_result(self._made(actor, unit))
            except self._ray.exceptions.RayTaskError as error:
                broke = EngineFailed(f"A worker broke at {unit.text[:30]!r}: {error.cause}")
                wanted.set_exception(error.cause if isinstance(error.cause, LinlyError) else broke)
            except self._ray.exceptions.RayError:
                if left <= 1:
                    wanted.set_exception(EngineFailed(f"Workers died {TRIES} times at {unit.text[:30]!r}."))
                else:
                    self._units.put((unit, wanted, left - 1))
                raise
            except Exception as error:
                wanted.set_exception(error)

    def _made(self, actor: Any, unit: Unit) -> Made:
        files_of = [path for path in (unit.slide, unit.portrait, unit.voice) if path and Path(path).is_file()]
        made, data = self._ray.get(actor.make.remote(unit, files_of, *map(self._put, files_of)))
        with files.replacing(self._folder / f"{unit.key}.mov") as part:
            part.write_bytes(data)
        result: Made = made
        return result

    def _put(self, path: str) -> Any:
        with self._lock:
            if path not in self._sent:
                self._sent[path] = self._ray.put(Path(path).read_bytes())
            return self._sent[path]

    def close(self) -> None:
        """Give the workers' places back."""
        self._closed = True
        with self._lock:
            for actor in self._actors:
                self._ray.kill(actor)


class Actor:
    """A worker on any machine."""

    def __init__(self) -> None:
        self._studio: Studio | None = None
        self._work = Path(tempfile.mkdtemp(prefix="linly-ray-"))

    def ready(self) -> bool:
        """A place was found."""
        return True

    def make(self, unit: Unit, paths: list[str], *contents: bytes) -> tuple[Made, bytes]:
        """The segment, as a value and as its file."""
        here = {path: self._kept(path, data) for path, data in zip(paths, contents, strict=True)}
        own = replace(
            unit, slide=here.get(unit.slide, unit.slide), portrait=here.get(unit.portrait, unit.portrait),
            voice=here.get(unit.voice, unit.voice),
        )  # fmt: skip
        self._studio = self._studio or Studio()
        made = self._studio.make(own, self._work)
        path = self._work / f"{unit.key}.mov"
        data = path.read_bytes()
        path.unlink()
        return made, data

    def _kept(self, path: str, data: bytes) -> str:
        target = self._work / f"{hashlib.sha256(data).hexdigest()[:24]}{Path(path).suffix}"
        if not target.is_file():
            with files.replacing(target) as part:
                part.write_bytes(data)
        return str(target)


def opened(address: str, folder: Path) -> Cluster:
    """Raises EngineUnavailable, one sentence, where Ray or the cluster is not there."""
    return Cluster(address, folder)


def connected(address: str) -> Any:
    """The ray module, connected."""
    if importlib.util.find_spec("ray") is None:
        raise EngineUnavailable("A cluster needs Ray: pip install -r requirements-cluster.txt")
    import ray

    if not ray.is_initialized():
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:  # its exceptions share no base class
            raise EngineUnavailable(
                f"There is no Ray cluster at {address!r}: start one with `ray start --head`."
            ) from error
    return ray


def gpu_share() -> float:
    """How much of a GPU one worker takes: the largest need of its engines; 0 where none works on a GPU."""
    used = [(kind, registry.default(kind)) for kind in ("speak", "draw")]
    needs = [registry.card(kind, name).needs_mb for kind, name in used if registry.device(kind, name) != "cpu"]
    return round(min(1.0, sum(needs) / GPU_MB), 3) if needs else 0.0
