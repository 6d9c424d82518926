"""Who makes segments: this process, or several. Whoever asks gets a Future of Made."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Protocol

from linly import heap, settings
from linly.batch.segment import Studio
from linly.batch.values import Made, Unit
from linly.errors import EngineFailed

TRIES = 3
"""times that a unit is begun whose worker dies"""


class Workers(Protocol):
    """Makers of segments."""

    count: int

    def submit(self, unit: Unit) -> Future[Made]:
        """Begin a unit as soon as somebody is free."""

    def close(self) -> None:
        """What has begun is ended, what has not is not."""


def opened(count: int, folder: Path) -> Workers:
    """count: processes; 0: as many as help on this machine. folder: of the segments."""
    count = count or helpful()
    return Here(folder) if count == 1 else Processes(count, folder)


def helpful() -> int:
    """A worker keeps about one and a half cores busy: drawing and speech in turn, and the encoder beside them."""
    return max(1, settings.threads())


class Here:
    """One thread of this process."""

    count = 1

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._studio: Studio | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="linly-segment")

    def submit(self, unit: Unit) -> Future[Made]:
        return self._pool.submit(self._make, unit)

    def _make(self, unit: Unit) -> Made:
        self._studio = self._studio or Studio()
        return self._studio.make(unit, self._folder)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


class Processes:
    """Processes of this machine, which end with this one however it ends."""

    def __init__(self, count: int, folder: Path) -> None:
        self.count, self._folder = count, folder
        self._lock = threading.Lock()
        self._pool: Executor = self._begun()

    def _begun(self) -> Executor:
        threads = max(1, settings.threads() // self.count)
        how = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.count, how, initializer=_begin, initargs=(os.getpid(), threads))

    def submit(self, unit: Unit) -> Future[Made]:
        wanted: Future[Made] = Future()
        wanted.set_running_or_notify_cancel()
        self._try(unit, wanted, TRIES)
        return wanted

    def _try(self, unit: Unit, wanted: Future[Made], left: int) -> None:
        pool = self._pool
        try:
            pool.submit(_make, unit, self._folder).add_done_callback(
                lambda done: self._done(done, pool, unit, wanted, left)
            )
        except (BrokenProcessPool, RuntimeError) as error:
            self._anew(pool, unit, wanted, left, error)

    def _done(self, done: Future[Made], pool: Executor, unit: Unit, wanted: Future[Made], left: int) -> None:
        if done.cancelled():
            wanted.set_exception(EngineFailed("The run was stopped."))
        elif isinstance(done.exception(), BrokenProcessPool):
            self._anew(pool, unit, wanted, left, done.exception())
        elif done.exception() is not None:
            wanted.set_exception(done.exception())
        else:
            wanted.set_result(done.result())

    def _anew(self, broken: Executor, unit: Unit, wanted: Future[Made], left: int, why: BaseException | None) -> None:
        """A worker died, and with it the pool: the others' work is begun again too."""
        if left <= 1:
            failed = EngineFailed(f"A worker died {TRIES} times at {unit.text[:30]!r}: is there memory enough?")
            failed.__cause__ = why
            wanted.set_exception(failed)
            return

        def again() -> None:
            with self._lock:
                if self._pool is broken:
                    self._pool = self._begun()
            self._try(unit, wanted, left - 1)

        threading.Thread(target=again, daemon=True).start()  # not in the callback of the pool that broke

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


_studio: Studio | None = None


def _begin(parent: int, threads: int) -> None:
    """In a new worker."""
    os.environ["LINLY_THREADS"] = str(threads)
    heap.few_arenas()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when it is over
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    _watch(parent)


def _watch(parent: int, gone: Callable[[], Any] = lambda: os._exit(1)) -> None:
    """End with the parent where the system does not see to it, or where it was gone before."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        gone()

    threading.Thread(target=look, name="linly-parent", daemon=True).start()


def _make(unit: Unit, folder: Path) -> Made:
    global _studio
    _studio = _studio or Studio()
    return _studio.make(unit, folder)
