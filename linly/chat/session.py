"""One visitor's connection, whatever carries it: the person's pictures and sound go out at their pace, the microphone's
sound comes in, and events go both ways as JSON objects with a "type". What stands behind a connection is a `Visitor`,
which the conversation provides; a connection knows its own visitor only.

Events out: state (state: as Tick.state), caption (text, seconds, words: [text, start, end]), hush (speech was stopped:
what of it is still on the way must not be heard), ended (text), error (text), and whatever else `Session.send` is
given. Events in: whatever the page sends, as it comes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import queue
import secrets
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from time import perf_counter, sleep
from typing import Any, Protocol

from linly.chat.person import Person, Tick
from linly.errors import LinlyError
from linly.values import Audio

log = logging.getLogger(__name__)
MOST_EVENT = 65_536
"""characters of one event"""
PATIENCE = 0.3
"""part of a picture's time that the stream waits for it before it shows the last one again"""
STALL = 0.5
"""seconds behind from which on time is left out instead of made up for"""
UNHEARD = 500
"""pieces of the microphone's sound (20 ms each) that may wait; older ones are dropped"""


class Visitor(Protocol):
    """What stands behind one connection. Its methods run in threads of the connection, one call of each at a time."""

    person: Person

    def hear(self, audio: Audio) -> None:
        """The next piece of the microphone's sound: about 20 ms at 16 kHz."""

    def told(self, event: Mapping[str, Any]) -> None:
        """An event of the page."""

    def seen(self, tick: Tick) -> None:
        """Each picture as it leaves, with its sound; must return at once."""

    def gone(self) -> None:
        """The connection has ended; the person is no longer pulled. Close what is open."""


Welcome = Callable[["Session", Mapping[str, Any]], Visitor]
"""Called in a thread for each new connection, with what the page asked for (`options` of its offer)."""


class Full(LinlyError):
    """There are as many connections as there may be."""


class Session(ABC):
    """One visitor's connection; made on the event loop, on which every method but `send` is called."""

    def __init__(self, ended: Callable[[Session], Coroutine[Any, Any, None]]) -> None:
        self.id = secrets.token_urlsafe(24)
        self.loop = asyncio.get_running_loop()
        self.closed = False
        self._ended = ended
        self._visitor: Visitor | None = None
        self._sound: queue.Queue[Audio | None] = queue.Queue(UNHEARD)
        self._events = ThreadPoolExecutor(1, thread_name_prefix="linly-live-events")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._running = False

    def send(self, event: Mapping[str, Any]) -> None:
        """Tell the page; from any thread. Waits until the page can be told, if it can't yet."""
        text = json.dumps(event, ensure_ascii=False)
        with suppress(RuntimeError):  # the loop is gone, and the page with it
            self.loop.call_soon_threadsafe(self._send, text)

    @abstractmethod
    def _send(self, text: str) -> None:
        """An event leaves for the page."""

    @abstractmethod
    def _show(self, tick: Tick, seconds: float) -> None:
        """A picture and its sound leave for the page, those of this second of the stream; in the thread that pulls."""

    @abstractmethod
    def _shown_all(self) -> None:
        """Nothing more will be shown; in the same thread."""

    @abstractmethod
    async def _hang_up(self) -> None:
        """End what carries the connection."""

    async def _welcomed(self, welcome: Welcome, options: Mapping[str, Any]) -> Visitor:
        """Find who stands behind the connection, and begin to listen."""
        self._visitor = await asyncio.to_thread(welcome, self, options)
        threading.Thread(target=self._listen, name="linly-live-ears", daemon=True).start()
        return self._visitor

    def _begin(self) -> None:
        """The page can see and hear from now on."""
        if not self._running:
            self._running = True
            threading.Thread(target=self._play, name="linly-live", daemon=True).start()

    async def close(self) -> None:
        """End it; the visitor is told once."""
        if self.closed:
            return
        self.closed = True
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()
        with suppress(queue.Full):
            self._sound.put_nowait(None)
        try:
            await self._hang_up()
        finally:  # whatever ends this task, the visitor is told
            self._events.shutdown(wait=False, cancel_futures=True)
            if self._visitor:
                told = threading.Thread(target=self._visitor.gone, name="linly-live-end")
                told.start()
                await asyncio.to_thread(told.join)

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _message(self, text: Any) -> None:
        """What the page sends."""
        if not isinstance(text, str) or len(text) > MOST_EVENT or self.closed:
            return
        with suppress(ValueError):
            event = json.loads(text)
            if isinstance(event, dict) and isinstance(event.get("type"), str):
                self._events.submit(self._safely, partial(_told, event))

    def _heard(self, piece: Audio) -> None:
        """The microphone's next piece."""
        if self._sound.full():
            self._sound.get_nowait()
        self._sound.put_nowait(piece)

    def _listen(self) -> None:
        """The thread that hands on the microphone's sound."""
        while (piece := self._sound.get()) is not None and not self.closed:
            self._safely(partial(_hear, piece))

    def _safely(self, call: Callable[[Visitor], None]) -> None:
        """What goes wrong in the conversation is said on the page; the connection lives on."""
        assert self._visitor
        try:
            call(self._visitor)
        except LinlyError as error:
            self.send({"type": "error", "text": str(error)})
        except Exception:
            log.exception("session %s", self.id[:6])
            self.send({"type": "error", "text": "Something went wrong here; the log says what."})

    def _play(self) -> None:
        """The thread that pulls the person's stream at its pace."""
        assert self._visitor
        person, before = self._visitor.person, ""
        step = 1 / person.style.fps
        began, count = perf_counter(), 0
        try:
            while not self.closed:
                behind = perf_counter() - began - count * step
                if behind > STALL:  # what could not be shown in time is left out
                    count += int(behind / step)
                elif behind < 0:
                    sleep(-behind)
                tick = person.next_tick(timeout=PATIENCE * step)
                self._tell(tick, before)
                self._safely(partial(_seen, tick))
                self._show(tick, count * step)
                before = tick.state
                count += 1
        except (LinlyError, ValueError, RuntimeError) as error:
            if not self.closed:
                log.warning("session %s ends: %s", self.id[:6], error)
                self.send({"type": "ended", "text": str(error)})
                with suppress(RuntimeError):
                    self.loop.call_soon_threadsafe(lambda: self._task(self._ended(self)))
        finally:
            self._shown_all()

    def _tell(self, tick: Tick, before: str) -> None:
        if tick.stopped:
            self.send({"type": "hush"})
        if tick.begins is not None:
            said = tick.begins
            words = [[w.text, round(w.start, 3), round(w.end, 3)] for w in said.words]
            self.send({"type": "caption", "text": said.text, "seconds": said.audio.seconds, "words": words})
        if tick.state != before:
            self.send({"type": "state", "state": tick.state})


def _hear(piece: Audio, visitor: Visitor) -> None:
    visitor.hear(piece)


def _seen(tick: Tick, visitor: Visitor) -> None:
    visitor.seen(tick)


def _told(event: Mapping[str, Any], visitor: Visitor) -> None:
    visitor.told(event)
