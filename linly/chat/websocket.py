"""The live picture where WebRTC cannot connect: one websocket a visitor, which any proxy lets through.

The page begins with {"type": "offer", "rate", "options"?}. Out go events as text and the stream as fragmented MP4;
before each beginning of one, an event stream (mime, start: seconds at which the page shows its first picture). In come
events as text, and the microphone's sound as 16-bit samples at `rate` hertz.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from linly.chat.feed import Fragments, mime
from linly.chat.person import Tick
from linly.chat.session import Session, Welcome
from linly.chat.tracks import EARS_RATE
from linly.chat.webrtc import Sessions
from linly.errors import InputError, LinlyError
from linly.hear.vad import To16k
from linly.values import Audio

log = logging.getLogger(__name__)
RATES = range(8000, 192_001)
"""hertz that a microphone may have"""
MOST_SOUND = 65_536
"""bytes of the microphone's sound in one message"""
FIRST_SECONDS = 10.0
"""until the page must have said what it wants"""
LATE = 2.0
"""seconds of pictures that may wait for a slow line; they are thrown away then, and the stream begins anew"""


class Line(Session):
    """One visitor's websocket."""

    def __init__(self, socket: Any, ended: Callable[[Session], Coroutine[Any, Any, None]]) -> None:
        super().__init__(ended)
        self._socket = socket
        self._waiting: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._pictures = 0
        self._feed: Fragments | None = None
        self._first = 0
        self._anew = threading.Event()
        self._dropping = False
        self._rate, self._to16k = EARS_RATE, To16k()

    async def open(self, welcome: Welcome, offer: Mapping[str, Any]) -> None:
        """Take the page's offer. Raises InputError for one that cannot be taken, and what `welcome` raises."""
        rate, options = offer.get("rate", self._rate), offer.get("options") or {}
        if not isinstance(options, Mapping) or not isinstance(rate, int) or rate not in RATES:
            raise InputError("The page's offer of a connection cannot be read; load the page again.")
        await self._welcomed(welcome, options)
        self._rate = rate
        self._begin()
        self._task(self._deliver())

    async def talk(self) -> None:
        """What the page sends, to the end of the connection."""
        with suppress(*gone()):
            while not self.closed and (message := await self._socket.receive())["type"] != "websocket.disconnect":
                if message.get("text") is not None:
                    self._message(message["text"])
                elif len(message["bytes"]) <= MOST_SOUND:
                    self._listened(message["bytes"])

    def _listened(self, data: bytes) -> None:
        """Sound of the microphone; a last half sample is thrown away."""
        samples = (np.frombuffer(data[: len(data) // 2 * 2], "<i2") / 32768).astype(np.float32)
        if len(heard := self._to16k(Audio(samples, self._rate))):
            self._heard(Audio(heard, EARS_RATE))

    def _send(self, text: str) -> None:
        self._waiting.put_nowait(text)

    def _show(self, tick: Tick, seconds: float) -> None:
        assert self._visitor
        person = self._visitor.person
        number = round(seconds * person.style.fps)
        if self._feed is None or self._anew.is_set():
            self._anew.clear()
            self._shown_all()
            self._feed, self._first = Fragments(person.size, person.style.fps, person.rate), number
        made = self._feed.add(tick.image, tick.samples, number - self._first)
        start = seconds if number == self._first else None
        with suppress(RuntimeError):  # the loop is gone
            self.loop.call_soon_threadsafe(self._put, made, start)

    def _shown_all(self) -> None:
        if self._feed is not None:
            self._feed.close()

    def _put(self, made: bytes, start: float | None) -> None:
        assert self._visitor
        if start is not None:
            self._dropping = False
            self._send(json.dumps({"type": "stream", "mime": mime(made), "start": start}))
        if self._dropping:
            return
        self._waiting.put_nowait(made)
        self._pictures += 1
        if self._pictures > LATE * self._visitor.person.style.fps:
            self._drop()

    def _drop(self) -> None:
        """The line is too slow: pictures that wait are thrown away, events are kept."""
        self._dropping, self._pictures = True, 0
        for _ in range(self._waiting.qsize()):
            item = self._waiting.get_nowait()
            if isinstance(item, str):
                self._waiting.put_nowait(item)
        self._anew.set()

    async def _deliver(self) -> None:
        with suppress(*gone()):
            while True:
                item = await self._waiting.get()
                if isinstance(item, str):
                    await self._socket.send_text(item)
                elif item:
                    await self._socket.send_bytes(item)
                self._pictures = max(0, self._pictures - isinstance(item, bytes))

    async def _hang_up(self) -> None:
        with suppress(*gone()):
            await self._socket.close()


def add_route(app: Any, sessions: Sessions, path: str, guard: Callable[[Any], bool] | None = None) -> None:
    """Put the websocket on a FastAPI app. guard: told each connection, says whether it may.

    Pages of other sites are not let in: a browser would send them with the visitor's cookies.
    """
    from fastapi import WebSocket

    silent: tuple[type[Exception], ...] = (*gone(), TimeoutError, KeyError)
    """what comes instead of an offer: nothing, or bytes where text belongs"""

    async def visited(socket: WebSocket) -> None:
        if not _own(socket.headers) or (guard is not None and not guard(socket)):
            await socket.close(4401)
            return
        await socket.accept()
        session: Line | None = None
        try:
            offer = _offer(await asyncio.wait_for(socket.receive_text(), FIRST_SECONDS))
            async with sessions.place(lambda: Line(socket, sessions.leave)) as session:
                try:
                    await session.open(sessions.welcome, offer)
                except LinlyError as error:  # said before `place` closes the socket
                    await _refuse(socket, error)
                    raise
            await session.talk()
        except LinlyError as error:
            await _refuse(socket, error)
        except silent:
            log.debug("a websocket ended before it began")
        finally:
            if session is not None:  # even where this task is being cancelled
                await asyncio.shield(sessions.leave(session))
            with suppress(*gone()):
                await socket.close()

    visited.__annotations__.update(socket=WebSocket)
    app.add_api_websocket_route(path, visited)


async def let_in(socket: Any, why_not: tuple[int, str] | None) -> bool:
    """Accept a websocket, so that it can be told; where it may not stay, close it with this status and sentence."""
    await socket.accept()
    if why_not:
        await socket.close(4000 + why_not[0], why_not[1])
    return not why_not


def gone() -> tuple[type[Exception], ...]:
    """What a websocket raises when the page has gone, whatever is tried with it."""
    from fastapi import WebSocketDisconnect

    return WebSocketDisconnect, RuntimeError, OSError


def _offer(text: str) -> Mapping[str, Any]:
    """What the page begins with. Raises InputError."""
    with suppress(ValueError, RecursionError):
        offer = json.loads(text)
        if isinstance(offer, dict) and offer.get("type") == "offer":
            return offer
    raise InputError("A connection begins with an offer; load the page again.")


async def _refuse(socket: Any, error: LinlyError) -> None:
    with suppress(*gone()):
        await socket.send_text(json.dumps({"type": "refused", "text": str(error)}, ensure_ascii=False))


def _own(headers: Mapping[str, str]) -> bool:
    """Whether who connects is a page of this server's own, or no browser."""
    origin = headers.get("origin")
    hosts = (headers.get("host"), headers.get("x-forwarded-host"))
    return origin is None or urlsplit(origin).netloc in hosts
