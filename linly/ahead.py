"""Run a generator ahead of its consumer in a thread, with a bound on how far."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
_END = object()


@contextmanager
def ahead(items: Iterable[T], depth: int, waiting: Callable[[], None] = lambda: None) -> Iterator[Iterator[T]]:
    """Yield an iterator over `items`, made in a thread at most `depth` ahead.

    `waiting` is called a few times a second while the consumer waits; it may raise to stop.

    An error in the thread is raised to the consumer in its place. Leaving the block stops the thread at its next item.
    """
    ready: queue.Queue[Any] = queue.Queue(maxsize=depth)
    stop = threading.Event()

    def offer(item: Any) -> bool:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for item in items:
                if not offer((item, None)):
                    break
        except BaseException as error:  # handed over, so that the consumer raises it
            offer((None, error))
        finally:
            offer((_END, None))
            close = getattr(items, "close", None)
            if close:
                close()

    def drain() -> Iterator[T]:
        while True:
            try:
                item, error = ready.get(timeout=0.2)
            except queue.Empty:
                waiting()
                continue
            if error is not None:
                raise error
            if item is _END:
                return
            yield item

    thread = threading.Thread(target=work, name="linly-ahead", daemon=True)
    thread.start()
    try:
        yield drain()
    finally:
        stop.set()
        thread.join(timeout=0.5)  # it ends at its next item; who stops does not wait for a sentence to be spoken
