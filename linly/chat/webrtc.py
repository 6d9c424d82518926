"""The live picture in the browser by WebRTC: a connection a visitor, with this machine alone.

The browser offers, `Sessions` answers; the person's pictures and sound are tracks, events go over a data channel.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from linly.chat.person import Tick
from linly.chat.session import Full, Session, Welcome
from linly.errors import InputError
from linly.values import Image

CONNECT_SECONDS = 15.0
"""a connection that does not come about by then is given up"""
MOST_SDP = 100_000
"""characters of a browser's offer"""

S = TypeVar("S", bound=Session)


class Peer(Session):
    """One visitor's WebRTC connection."""

    def __init__(self, peer: Any, ended: Callable[[Session], Coroutine[Any, Any, None]]) -> None:
        super().__init__(ended)
        self._peer = peer
        self._channel: Any = None
        self._unsent: deque[str] = deque(maxlen=200)
        self._sent: Image | None = None

    async def open(self, welcome: Welcome, offer: Mapping[str, str], options: Mapping[str, Any]) -> dict[str, str]:
        """Take the browser's offer; gives the answer. Raises InputError for an offer that cannot be taken."""
        from aiortc import RTCSessionDescription, clock

        from linly.chat import tracks

        peer = self._peer
        peer.on("connectionstatechange", self._state)
        peer.on("datachannel", self._opened)
        peer.on("track", self._track)
        try:
            await peer.setRemoteDescription(RTCSessionDescription(offer["sdp"], offer["type"]))
        except Exception as error:  # whatever a parser says of what a stranger sent
            raise InputError("The browser's offer of a connection cannot be read; load the page again.") from error
        visitor = await self._welcomed(welcome, options)
        self._pictures, self._voice = tracks.Pictures(), tracks.Sound(visitor.person.rate)
        kinds = {transceiver.kind for transceiver in peer.getTransceivers()}
        if kinds != {"audio", "video"}:
            raise InputError("The browser's offer must hold one sound and one picture; load the page again.")
        zero = clock.current_ntp_time()
        for source in (self._pictures, self._voice):
            tracks.timed(peer.addTrack(tracks.track(source)), source, zero)
        await peer.setLocalDescription(await peer.createAnswer())
        self._task(self._give_up())
        return {"id": self.id, "sdp": peer.localDescription.sdp, "type": peer.localDescription.type}

    async def _hang_up(self) -> None:
        await self._peer.close()

    async def _give_up(self) -> None:
        await asyncio.sleep(CONNECT_SECONDS)
        if not self._running:
            self._task(self._ended(self))

    def _state(self) -> None:
        state = self._peer.connectionState
        if state == "connected":
            self._begin()
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

    def _track(self, track: Any) -> None:
        if track.kind == "audio":
            for receiver in self._peer.getReceivers():
                hurry(receiver)
            self._task(self._hear(track))

    async def _hear(self, track: Any) -> None:
        from linly.chat.tracks import listened

        async for piece in listened(track):
            self._heard(piece)

    def _show(self, tick: Tick, seconds: float) -> None:
        self.loop.call_soon_threadsafe(self._put, tick, seconds)

    def _shown_all(self) -> None:
        """The tracks end with the peer."""

    def _put(self, tick: Tick, seconds: float) -> None:
        if tick.stopped:
            self._voice.hush()
        if tick.image is not self._sent:
            self._sent = tick.image
            self._pictures.put(tick.image, seconds)
        self._voice.put(tick.samples, seconds)


class Sessions:
    """All connections of one app, by WebRTC or otherwise.

    welcome: makes what stands behind a new connection. limit: connections at a time.
    servers: ICE servers (dicts with urls, username, credential), for a TURN server; none, and none asked, by default.
    """

    def __init__(self, welcome: Welcome, limit: int = 4, servers: Sequence[Mapping[str, str]] = ()) -> None:
        self.welcome = welcome
        self._limit, self._servers = limit, tuple(servers)
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
        servers = [RTCIceServer(**server) for server in self._servers]

        def made() -> Peer:
            return Peer(RTCPeerConnection(RTCConfiguration(iceServers=servers)), self.leave)

        async with self.place(made) as session:
            with offered_on(address):
                return await session.open(self.welcome, {"type": "offer", "sdp": sdp}, options)

    @asynccontextmanager
    async def place(self, made: Callable[[], S]) -> AsyncIterator[S]:
        """A new session while it comes about; it is open afterwards, or closed if that fails.

        Raises Full where the limit is reached.
        """
        if len(self) >= self._limit:
            raise Full(f"All {self._limit} places are taken; try again when somebody has left.")
        session = made()
        self._coming += 1
        try:
            yield session
        except BaseException:
            await session.close()
            raise
        finally:
            self._coming -= 1
        if not session.closed:
            self._open[session.id] = session

    async def close(self, id: str) -> bool:
        """End one connection; False if there is none of this id."""
        session = self._open.get(id)
        if session is None:
            return False
        await self.leave(session)
        return True

    async def close_all(self) -> None:
        """End all connections."""
        for session in list(self._open.values()):
            await self.leave(session)

    async def leave(self, session: Session) -> None:
        """This connection has ended, or shall."""
        self._open.pop(session.id, None)
        await session.close()


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
