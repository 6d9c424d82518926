"""Segments made on many machines by Ray: an actor for each worker keeps its models warm, and takes one unit at a time.

Slides and files of portraits and voices travel with the units, finished segments come back as bytes: nothing need be
shared. Enrolled names must be in the library of every machine. An actor that dies, with its machine or alone, is begun
again elsewhere, and so is its unit. Needs requirements-cluster.txt.
"""

from __future__ import annotations

import hashlib
import importlib.util
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
    """The workers of a Ray cluster. address: "auto" for the cluster of this machine, or ray://host:port."""

    def __init__(self, address: str, folder: Path) -> None:
        self._ray: Any = connected(address)
        self._folder = folder
        share = gpu_share()
        there = self._ray.cluster_resources()
        self.count = max(1, int(there.get("GPU", 0) / share) if share else int(there.get("CPU", 1) / CORES))
        maker = self._ray.remote(num_cpus=CORES, num_gpus=share, max_restarts=-1, scheduling_strategy="SPREAD")(Actor)
        self._actors = [maker.remote() for _ in range(self.count)]
        self._busy = [0] * self.count
        self._sent: dict[str, Any] = {}
        self._lock = threading.Lock()

    def submit(self, unit: Unit) -> Future[Made]:
        """See workers.Workers."""
        wanted: Future[Made] = Future()
        wanted.set_running_or_notify_cancel()
        self._try(unit, wanted, TRIES)
        return wanted

    def _try(self, unit: Unit, wanted: Future[Made], left: int) -> None:
        with self._lock:
            number = min(range(self.count), key=lambda n: self._busy[n])
            self._busy[number] += 1
        carried = {
            path: self._put(path) for path in (unit.slide, unit.portrait, unit.voice) if path and Path(path).is_file()
        }
        task = self._actors[number].make.remote(unit, list(carried), *carried.values())
        task.future().add_done_callback(lambda done: self._done(done, number, unit, wanted, left))

    def _done(self, done: Any, number: int, unit: Unit, wanted: Future[Made], left: int) -> None:
        with self._lock:
            self._busy[number] -= 1
        error = done.exception()
        if error is None:
            try:
                made, data = done.result()
                with files.replacing(self._folder / f"{unit.key}.mov") as part:
                    part.write_bytes(data)
                wanted.set_result(made)
            except Exception as failed:
                wanted.set_exception(failed)
        elif isinstance(error, self._ray.exceptions.RayTaskError):
            cause = (
                error.cause if isinstance(error.cause, LinlyError) else EngineFailed(f"A worker broke: {error.cause}")
            )
            wanted.set_exception(cause)
        elif left > 1:  # the actor or its machine died
            threading.Thread(target=self._try, args=(unit, wanted, left - 1), daemon=True).start()
        else:
            wanted.set_exception(EngineFailed(f"Workers died {TRIES} times at {unit.text[:30]!r}: see Ray's log."))

    def _put(self, path: str) -> Any:
        with self._lock:
            if path not in self._sent:
                self._sent[path] = self._ray.put(Path(path).read_bytes())
            return self._sent[path]

    def close(self) -> None:
        """Give the workers' places back."""
        for actor in self._actors:
            self._ray.kill(actor)


class Actor:
    """A worker on any machine."""

    def __init__(self) -> None:
        self._studio: Studio | None = None
        self._work = Path(tempfile.mkdtemp(prefix="linly-ray-"))

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
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
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
