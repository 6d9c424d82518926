"""The live picture in the browser: one WebRTC connection a visitor, with this machine alone.

The browser offers, `Sessions` answers; from then on the person's pictures and sound go out, the microphone's sound
comes in, and events go both ways over a data channel as JSON objects with a "type". What stands behind a connection is
a `Visitor`, which the conversation provides; a connection knows its own visitor only.

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
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from time import perf_counter, sleep
from typing import Any, Protocol

from linly.chat.person import Person, Tick
from linly.errors import InputError, LinlyError
from linly.values import Audio, Image

log = logging.getLogger(__name__)
CONNECT_SECONDS = 15.0
"""a connection that does not come about by then is given up"""
MOST_SDP = 100_000
"""characters of a browser's offer"""
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


class Session:
    """One visitor's connection."""

    def __init__(self, peer: Any, ended: Callable[[Session], Coroutine[Any, Any, None]]) -> None:
        self.id = secrets.token_urlsafe(24)
        self.loop = asyncio.get_running_loop()
        self.closed = False
        self._peer, self._ended = peer, ended
        self._visitor: Visitor | None = None
        self._channel: Any = None
        self._unsent: deque[str] = deque(maxlen=200)
        self._sound: queue.Queue[Audio | None] = queue.Queue(UNHEARD)
        self._events = ThreadPoolExecutor(1, thread_name_prefix="linly-live-events")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._running = False
        self._sent: Image | None = None

    def send(self, event: Mapping[str, Any]) -> None:
        """Tell the page; from any thread. Waits for the data channel, if that is not open yet."""
        text = json.dumps(event, ensure_ascii=False)
        with suppress(RuntimeError):  # the loop is gone, and the page with it
            self.loop.call_soon_threadsafe(self._send, text)

    async def open(self, welcome: Welcome, offer: Mapping[str, str], options: Mapping[str, Any]) -> dict[str, str]:
        """Take the browser's offer; gives the answer. Raises InputError for an offer that cannot be taken."""
        from aiortc import RTCSessionDescription

        from linly.chat import tracks

        peer = self._peer
        peer.on("connectionstatechange", self._state)
        peer.on("datachannel", self._opened)
        peer.on("track", self._track)
        try:
            await peer.setRemoteDescription(RTCSessionDescription(offer["sdp"], offer["type"]))
        except Exception as error:  # whatever a parser says of what a stranger sent
            raise InputError("The browser's offer of a connection cannot be read; load the page again.") from error
        self._visitor = await asyncio.to_thread(welcome, self, options)
        self._pictures, self._voice = tracks.Pictures(), tracks.Sound(self._visitor.person.rate)
        kinds = {transceiver.kind for transceiver in peer.getTransceivers()}
        if kinds != {"audio", "video"}:
            raise InputError("The browser's offer must hold one sound and one picture; load the page again.")
        peer.addTrack(tracks.track(self._pictures))
        peer.addTrack(tracks.track(self._voice))
        await peer.setLocalDescription(await peer.createAnswer())
        threading.Thread(target=self._listen, name="linly-live-ears", daemon=True).start()
        self._task(self._give_up())
        return {"id": self.id, "sdp": peer.localDescription.sdp, "type": peer.localDescription.type}

    async def close(self) -> None:
        """End it; the visitor is told once."""
        if self.closed:
            return
        self.closed = True
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()
        with suppress(queue.Full):
            self._sound.put_nowait(None)
        await self._peer.close()
        self._events.shutdown(wait=False, cancel_futures=True)
        if self._visitor:
            await asyncio.to_thread(self._visitor.gone)

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _give_up(self) -> None:
        await asyncio.sleep(CONNECT_SECONDS)
        if not self._running:
            self._task(self._ended(self))

    def _state(self) -> None:
        state = self._peer.connectionState
        if state == "connected" and not self._running:
            self._running = True
            threading.Thread(target=self._play, name="linly-live", daemon=True).start()
        elif state in ("failed", "closed") and not self.closed:
            self._task(self._ended(self))

    def _opened(self, channel: Any) -> None:
        self._channel = channel
        channel.on("message", self._message)
        while self._unsent:
            channel.send(self._unsent.popleft())

    def _send(self, text: str) -> None:
        if self._channel is not None and self._channel.readyState == "open":
            self._channel.send(text)
        elif not self.closed:
            self._unsent.append(text)

    def _message(self, text: Any) -> None:
        if not isinstance(text, str) or len(text) > MOST_EVENT or self.closed:
            return
        with suppress(ValueError):
            event = json.loads(text)
            if isinstance(event, dict) and isinstance(event.get("type"), str):
                self._events.submit(self._safely, partial(_told, event))

    def _track(self, track: Any) -> None:
        if track.kind == "audio":
            for receiver in self._peer.getReceivers():
                hurry(receiver)
            self._task(self._hear(track))

    async def _hear(self, track: Any) -> None:
        from linly.chat.tracks import listened

        async for piece in listened(track):
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
                self.loop.call_soon_threadsafe(self._put, tick, count * step)
                before = tick.state
                count += 1
        except (LinlyError, ValueError, RuntimeError) as error:
            if not self.closed:
                log.warning("session %s ends: %s", self.id[:6], error)
                self.send({"type": "ended", "text": str(error)})
                with suppress(RuntimeError):
                    self.loop.call_soon_threadsafe(lambda: self._task(self._ended(self)))

    def _put(self, tick: Tick, seconds: float) -> None:
        if tick.stopped:
            self._voice.hush()
        if tick.image is not self._sent:
            self._sent = tick.image
            self._pictures.put(tick.image, seconds)
        self._voice.put(tick.samples, seconds)

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


class Sessions:
    """All connections of one app.

    welcome: makes what stands behind a new connection. limit: connections at a time.
    servers: ICE servers (dicts with urls, username, credential), for a TURN server; none, and none asked, by default.
    """

    def __init__(self, welcome: Welcome, limit: int = 4, servers: Sequence[Mapping[str, str]] = ()) -> None:
        self._welcome, self._limit, self._servers = welcome, limit, tuple(servers)
        self._open: dict[str, Session] = {}
        self._coming = 0

    def __len__(self) -> int:
        return len(self._open) + self._coming

    async def answer(self, offer: Mapping[str, Any], address: str | None = None) -> dict[str, str]:
        """Answer a browser's offer {"type": "offer", "sdp", "options"?} with {"id", "type", "sdp"}.

        address: the one of this machine that the browser reached, on which alone the connection is then offered.
        Raises InputError for a bad offer, Full where the limit is reached, and what `welcome` raises.
        """
        from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection

        sdp, options = offer.get("sdp"), offer.get("options") or {}
        if offer.get("type") != "offer" or not isinstance(sdp, str) or len(sdp) > MOST_SDP:
            raise InputError("An offer needs a type and an sdp, as RTCPeerConnection.createOffer makes it.")
        if not isinstance(options, Mapping):
            raise InputError("The options of an offer must be an object.")
        if len(self) >= self._limit:
            raise Full(f"All {self._limit} places are taken; try again when somebody has left.")
        servers = [RTCIceServer(**server) for server in self._servers]
        session = Session(RTCPeerConnection(RTCConfiguration(iceServers=servers)), self._leave)
        self._coming += 1
        try:
            with offered_on(address):
                answer = await session.open(self._welcome, {"type": "offer", "sdp": sdp}, options)
        except BaseException:
            await session.close()
            raise
        finally:
            self._coming -= 1
        if not session.closed:
            self._open[session.id] = session
        return answer

    async def close(self, id: str) -> bool:
        """End one connection; False if there is none of this id."""
        session = self._open.get(id)
        if session is None:
            return False
        await self._leave(session)
        return True

    async def close_all(self) -> None:
        """End all connections."""
        for session in list(self._open.values()):
            await self._leave(session)

    async def _leave(self, session: Session) -> None:
        self._open.pop(session.id, None)
        await session.close()


class Full(LinlyError):
    """There are as many connections as there may be."""


def hurry(receiver: Any) -> None:
    """Hand on what arrives at once: aiortc would hold 80 ms of sound back, by which every interruption comes later."""
    buffer: Any = getattr(receiver, "_RTCRtpReceiver__jitter_buffer", None)  # it has no setting for it
    if buffer is not None and hasattr(buffer, "_prefetch"):
        buffer._prefetch = 1


_chosen: ContextVar[str | None] = ContextVar("_chosen", default=None)


@contextmanager
def offered_on(address: str | None) -> Iterator[None]:
    """Within it, connections are offered on one address of this machine; None: on all but loopback, as aioice does."""
    from aioice import ice

    if not hasattr(ice.get_host_addresses, "everywhere"):  # aioice has no setting for it
        everywhere = ice.get_host_addresses

        def addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
            chosen = _chosen.get()
            return [chosen] if chosen else everywhere(use_ipv4, use_ipv6)

        addresses.everywhere = everywhere  # type: ignore[attr-defined]
        ice.get_host_addresses = addresses
    token = _chosen.set(address)
    try:
        yield
    finally:
        _chosen.reset(token)
