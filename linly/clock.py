"""Where the time goes: seconds of work by stage."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")


class Clock:
    """Adds up the seconds spent in named stages; safe to use from several threads."""

    def __init__(self) -> None:
        self._began = perf_counter()
        self._spent: dict[str, float] = {}
        self._first: dict[str, float] = {}
        self._running: dict[str, float] = {}
        self._lock = threading.Lock()

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time a block."""
        began = self._running[stage] = perf_counter()
        try:
            yield
        finally:
            self._running.pop(stage, None)
            self.add(stage, perf_counter() - began)

    def add(self, stage: str, seconds: float) -> None:
        """Count `seconds` of a stage that was timed elsewhere."""
        with self._lock:
            self._spent[stage] = self._spent.get(stage, 0.0) + seconds

    def each(self, stage: str, items: Iterable[T]) -> Iterator[T]:
        """Pass `items` on, timing only the making of each, not what is done with it."""
        iterator = iter(items)
        end = object()
        while True:
            began = perf_counter()
            item = next(iterator, end)
            self.add(stage, perf_counter() - began)
            if item is end:
                return
            self.reached(stage)
            yield item  # type: ignore[misc]

    def reached(self, stage: str) -> None:
        """The first of what a stage makes is there; later calls change nothing."""
        with self._lock:
            self._first.setdefault(stage, perf_counter() - self._began)

    def firsts(self) -> dict[str, float]:
        """Seconds from the clock's beginning to the first of what each stage made."""
        with self._lock:
            return dict(self._first)

    def so_far(self) -> dict[str, float]:
        """Seconds by stage, those still running included."""
        now = perf_counter()
        with self._lock:
            running = {stage: now - began for stage, began in self._running.items()}
            return {k: self._spent.get(k, 0.0) + running.get(k, 0.0) for k in {**self._spent, **running}}
