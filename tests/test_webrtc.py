"""The live picture: two peers in one process, and the page's script in headless Chromium."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import fakes
import numpy as np
import pytest

from linly.chat.person import Person
from linly.chat.webrtc import Full, Sessions, offered_on
from linly.errors import InputError
from linly.values import Audio, Style

LOOPBACK = "127.0.0.1"


class Move(fakes.FakeMove):
    """The mouth is open where something is said, and only there."""

    def move(self, utterance, style):
        motion = super().move(utterance, style)
        motion.curve("open")[:] *= bool(utterance.text)
        return motion


class Guest:
    """What stands behind a connection in these tests: a person of fakes, and a record of what came in."""

    def __init__(self, session, options) -> None:
        portrait = fakes.FakeDraw().prepare(np.full((64, 64, 3), 9, np.uint8), "face")
        self.session, self.options = session, options
        self.person = Person(Move(), fakes.FakeDraw(), portrait, Style(size="256"))
        self.sound: list[np.ndarray] = []
        self.events: list[dict] = []
        self.left = threading.Event()

    def hear(self, audio: Audio) -> None:
        assert audio.rate == 16000
        self.sound.append(audio.samples)

    def told(self, event) -> None:
        self.events.append(event)
        if event["type"] == "text":
            self.person.say(next(fakes.FakeSpeak().speak(event["text"], None, Style())))
        elif event["type"] == "stop":
            self.session.send({"type": "stopped", "heard": self.person.stop().text})
        elif event["type"] == "trouble":
            raise InputError("That will not do.")

    def gone(self) -> None:
        self.person.close()
        self.left.set()


class Browser:
    """The other side, by aiortc too: sends a microphone, keeps what it sees, hears and is told."""

    def __init__(self) -> None:
        from aiortc import RTCConfiguration, RTCPeerConnection

        from linly.chat.tracks import Sound

        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.channel = self.peer.createDataChannel("linly")
        self.channel.on("message", lambda text: self.told.append(json.loads(text)))
        self.microphone = Sound(48000)
        self.told: list[dict] = []
        self.brightness: list[float] = []
        self.heard = np.zeros(0, np.float32)
        self.peer.addTransceiver("video", direction="recvonly")
        self.peer.addTrack(self.microphone)
        self.peer.on("track", lambda track: asyncio.ensure_future(self._receive(track)))

    async def _receive(self, track) -> None:
        from aiortc.mediastreams import MediaStreamError

        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if track.kind == "video":
                self.brightness.append(float(frame.to_ndarray(format="rgb24")[32:].mean()))
            else:
                self.heard = np.concatenate([self.heard, frame.to_ndarray()[0, ::2].astype(np.float32) / 32768])

    async def connect(self, sessions: Sessions, **options) -> None:
        from aiortc import RTCSessionDescription

        with offered_on(LOOPBACK):
            await self.peer.setLocalDescription(await self.peer.createOffer())
        local = self.peer.localDescription
        answer = await sessions.answer({"type": local.type, "sdp": local.sdp, "options": options}, LOOPBACK)
        assert answer["sdp"].count("a=candidate") == answer["sdp"].count(f" {LOOPBACK} ") > 0
        self.id = answer["id"]
        await self.peer.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))
        await until(lambda: self.brightness and len(self.heard) and self.channel.readyState == "open")

    def send(self, **event) -> None:
        self.channel.send(json.dumps(event))

    def last(self, seconds: float) -> np.ndarray:
        return self.heard[-round(seconds * 48000) :]

    def told_of(self, kind: str) -> list[dict]:
        return [event for event in self.told if event["type"] == kind]


async def until(true, seconds: float = 20.0) -> None:
    """Wait for something to become true; far longer than it takes."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < seconds, "it did not come about"
        await asyncio.sleep(0.02)


def pitch(samples: np.ndarray, rate: int) -> float:
    """Hertz of the strongest tone."""
    size = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(size)) * rate / len(samples)


@pytest.fixture
def guests():
    """A maker of guests, which remembers them."""
    known: list[Guest] = []

    def welcome(session, options):
        known.append(Guest(session, options))
        return known[-1]

    welcome.known = known
    return welcome


def test_picture_sound_microphone_and_events_pass_and_stop_silences(guests):
    async def visit():
        sessions, browser = Sessions(guests), Browser()
        await browser.connect(sessions, portrait="teacher")
        guest = guests.known[0]
        assert guest.options == {"portrait": "teacher"}
        assert np.abs(browser.last(0.1)).max() < 0.01 and browser.brightness[-1] < 20  # idles: still and shut

        t = np.arange(2 * 48000) / 48000
        browser.microphone.put((0.3 * np.sin(2 * np.pi * 440 * t)).astype(np.float32))
        browser.send(type="text", text="A long sentence that is never heard to its end, since somebody stops it.")
        await until(lambda: np.abs(browser.last(0.3)).mean() > 0.05 and browser.brightness[-1] > 60)
        assert pitch(browser.last(0.25), 48000) == pytest.approx(220, abs=5)
        assert browser.told_of("caption")[0]["text"].startswith("A long sentence")
        assert {"type": "state", "state": "speaking"} in browser.told

        browser.send(type="stop")
        await until(lambda: browser.told_of("stopped"))
        await until(lambda: np.abs(browser.last(0.2)).max() < 0.01 and browser.brightness[-1] < 20)
        assert {"type": "state", "state": "idle"} in browser.told[
            browser.told.index(browser.told_of("stopped")[0]) - 3 :
        ]
        await until(lambda: sum(map(len, guest.sound)) > 1.5 * 16000)
        arrived = np.concatenate(guest.sound)
        loud = np.abs(arrived) > 0.1
        assert pitch(arrived[np.flatnonzero(loud)[0] :][:8000], 16000) == pytest.approx(440, abs=5)

        browser.send(type="trouble")
        await until(lambda: browser.told_of("error"))
        assert browser.told_of("error")[0]["text"] == "That will not do."
        assert await sessions.close(browser.id) and not len(sessions)
        assert guest.left.wait(5)
        await browser.peer.close()

    asyncio.run(visit())


def test_visitors_never_share_and_there_is_a_limit(guests):
    async def visit():
        sessions = Sessions(guests, limit=2)
        one, other = Browser(), Browser()
        await asyncio.gather(one.connect(sessions), other.connect(sessions))
        with pytest.raises(Full, match="2 places"):
            await Browser().connect(sessions)
        assert one.id != other.id and len(one.id) >= 32
        one.send(type="text", text="Only for one of us.")
        await until(lambda: one.told_of("caption"))
        await until(lambda: np.abs(one.last(0.3)).mean() > 0.05)
        assert not other.told_of("caption") and np.abs(other.heard).max() < 0.01
        told = [[event["type"] for event in guest.events] for guest in guests.known]
        assert sorted(told) == [[], ["text"]]

        await one.peer.close()  # gone without a word: its place is free again
        await until(lambda: len(sessions) == 1)
        await until(lambda: sum(guest.left.is_set() for guest in guests.known) == 1)
        assert not await sessions.close(one.id) and not await sessions.close("guessed")
        await sessions.close_all()
        await other.peer.close()

    asyncio.run(visit())


@pytest.mark.parametrize("offer", [
    {}, {"type": "offer"}, {"type": "answer", "sdp": "v=0"}, {"type": "offer", "sdp": "nonsense"},
    {"type": "offer", "sdp": "x" * 200_000}, {"type": "offer", "sdp": "v=0\r\n", "options": [1]},
])  # fmt: skip
def test_an_offer_that_cannot_be_taken_is_refused_in_one_sentence(offer, guests):
    sessions = Sessions(guests)
    with pytest.raises(InputError) as told:
        asyncio.run(sessions.answer(offer, LOOPBACK))
    assert str(told.value).endswith(".") and not len(sessions)
    assert all(guest.left.is_set() for guest in guests.known)
