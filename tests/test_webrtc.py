"""The live picture: two peers in one process, and the page's script in headless Chromium."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import browser
import numpy as np
import pytest
from conftest import ROOT

from linly.audio import write_wav
from linly.chat.session import Full
from linly.chat.webrtc import Sessions, offered_on
from linly.errors import InputError
from linly.values import Audio

LOOPBACK = "127.0.0.1"


class Browser:
    """The other side, by aiortc too: sends a microphone, keeps what it sees, hears and is told."""

    def __init__(self) -> None:
        from aiortc import RTCConfiguration, RTCPeerConnection

        from linly.chat.tracks import Sound, track

        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.channel = self.peer.createDataChannel("linly")
        self.channel.on("message", lambda text: self.told.append(json.loads(text)))
        self.microphone = Sound(48000)
        self.told: list[dict] = []
        self.brightness: list[float] = []
        self.heard = np.zeros(0, np.float32)
        self.peer.addTransceiver("video", direction="recvonly")
        self.peer.addTrack(track(self.microphone))
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


def test_picture_sound_microphone_and_events_pass_and_stop_silences(guests):
    async def visit():
        sessions, visitor = Sessions(guests), Browser()
        await visitor.connect(sessions, portrait="teacher")
        guest = guests.known[0]
        assert guest.options == {"portrait": "teacher"}
        assert np.abs(visitor.last(0.1)).max() < 0.01 and visitor.brightness[-1] < 20  # idles: still and shut

        t = np.arange(2 * 48000) / 48000
        visitor.microphone.put((0.3 * np.sin(2 * np.pi * 440 * t)).astype(np.float32))
        visitor.send(type="text", text="A long sentence that is never heard to its end, since somebody stops it.")
        await until(lambda: np.abs(visitor.last(0.3)).mean() > 0.05 and visitor.brightness[-1] > 60)
        assert pitch(visitor.last(0.25), 48000) == pytest.approx(220, abs=5)
        assert visitor.told_of("caption")[0]["text"].startswith("A long sentence")
        assert {"type": "state", "state": "speaking"} in visitor.told

        visitor.send(type="stop")
        await until(lambda: visitor.told_of("stopped"))
        await until(lambda: np.abs(visitor.last(0.2)).max() < 0.01 and visitor.brightness[-1] < 20)
        assert {"type": "state", "state": "idle"} in visitor.told[
            visitor.told.index(visitor.told_of("stopped")[0]) - 3 :
        ]
        await until(lambda: sum(map(len, guest.sound)) > 1.5 * 16000)
        arrived = np.concatenate(guest.sound)
        loud = np.abs(arrived) > 0.1
        assert pitch(arrived[np.flatnonzero(loud)[0] :][:8000], 16000) == pytest.approx(440, abs=5)

        visitor.send(type="trouble")
        await until(lambda: visitor.told_of("error"))
        assert visitor.told_of("error")[0]["text"] == "That will not do."
        assert await sessions.close(visitor.id) and not len(sessions)
        assert guest.left.wait(5)
        await visitor.peer.close()

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


def test_the_routes_answer_only_who_may_and_only_json(guests):
    import httpx
    from fastapi import FastAPI

    from linly.chat.signalling import add_routes

    async def visit():
        app, sessions = FastAPI(), Sessions(guests, limit=0)
        add_routes(app, sessions, guard=lambda request: request.headers.get("cookie") == "in=1")
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            offer = {"type": "offer", "sdp": "v=0\r\n"}
            assert (await client.post("/live", json=offer)).status_code == 401
            assert (await client.delete("/live/anything")).status_code == 401
            client.headers["cookie"] = "in=1"
            full = await client.post("/live", json=offer)
            assert full.status_code == 503 and "places" in full.json()["detail"]
            bad = await client.post("/live", json={"type": "offer"})
            assert bad.status_code == 400 and bad.json()["detail"].endswith(".")
            foreign = await client.post("/live", content=json.dumps(offer), headers={"content-type": "text/plain"})
            assert foreign.status_code == 422  # another site's page may send this unasked; it is not taken
            assert (await client.delete("/live/anything")).json() == {"closed": False}
            assert "linlyLive" in (await client.get("/live/live.js")).text

    asyncio.run(visit())
    assert not guests.known


@contextmanager
def live_page(microphone: Path, query: str = ""):
    """Chromium on the page of live_page.py, which runs in a process of its own; gives page and address."""
    from playwright.sync_api import sync_playwright

    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(ROOT / "tests" / "live_page.py"), str(port)]
    variables = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}
    flags = [
        *browser.FLAGS,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}",
    ]
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdin=subprocess.PIPE) as process:
        try:
            address = browser._answering(f"http://{LOOPBACK}:{port}/", process)
            with sync_playwright() as playwright:
                chromium = playwright.chromium.launch(executable_path=browser.chromium(), args=flags)
                page = chromium.new_page()
                page.goto(address + query)
                page.wait_for_function("window.live || window.failed", timeout=60_000)
                yield page, address
                chromium.close()
        finally:
            process.stdin.close()


def bursts() -> np.ndarray:
    """A tenth of a second each: where the recording for the microphone is loud."""
    lengths = (3, 4, 7, 2, 3, 9, 6, 3, 2, 6)
    return np.repeat(np.arange(len(lengths)) % 2, lengths).astype(float)


@pytest.fixture
def recording(tmp_path) -> Path:
    loud = np.repeat(bursts(), 4800)
    t = np.arange(len(loud)) / 48000
    tone = sum(np.sin(2 * np.pi * 200 * k * (t + 0.0008 * np.sin(2 * np.pi * 5 * t))) / k for k in (1, 2, 3, 4))
    return write_wav(Audio((0.25 * tone * loud).astype(np.float32), 48000), tmp_path / "microphone.wav")


SEEN = """() => new Promise((done) => {
  const canvas = document.createElement("canvas"), seen = [], pen = canvas.getContext("2d");
  canvas.width = canvas.height = 64;
  const look = () => {
    pen.drawImage(video, 0, 0, 64, 64);
    seen.push(Array.from(pen.getImageData(0, 0, 64, 64).data));
    if (seen.length < 12) setTimeout(look, 150); else done(seen);
  };
  look();
})"""


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("query", ["", "?socket=1"])
def test_in_a_browser_the_person_lives_hears_answers_and_stops(models, recording, query):
    pytest.importorskip("playwright", reason="playwright is not installed (requirements-dev.txt has it)")
    if not browser.chromium():
        pytest.skip("there is no Chromium on this machine")
    with live_page(recording, query) as (page, address):
        told = "told.filter((event) => event.type === '{}')"
        assert page.evaluate("window.failed") is None
        assert page.evaluate("live.microphone") == "on"
        page.wait_for_function("video.currentTime > 1 && video.videoWidth > 100", timeout=20_000)
        assert 0 < page.evaluate(told.format("connected"))[0]["first_frame_s"] < 30

        pictures = np.array(page.evaluate(SEEN), float).reshape(12, 64, 64, 4)[..., :3]
        assert 40 < pictures.mean() < 220 and pictures.std(axis=(1, 2)).min() > 10  # a photo, not a blank
        assert np.abs(np.diff(pictures, axis=0)).mean() > 0.1  # which lives

        page.evaluate("live.send({type: 'text', text: 'A long sentence that is stopped before it has ended, by one.'})")
        page.wait_for_function(f"{told.format('state')}.some((event) => event.state === 'speaking')", timeout=20_000)
        page.evaluate("live.stop()")
        assert page.evaluate("video.muted")
        page.wait_for_function(f"{told.format('stopped')}.length", timeout=20_000)
        page.wait_for_function(f"{told.format('state')}.at(-1).state === 'idle' && !video.muted", timeout=20_000)
        kinds = [event["type"] for event in page.evaluate("told")]
        assert kinds.index("caption") < kinds.index("stopped") and "hush" in kinds and "error" not in kinds

        page.wait_for_timeout(4500)
        page.evaluate("live.send({type: 'loudness'})")
        page.wait_for_function(f"{told.format('loudness')}.length", timeout=20_000)
        arrived = np.array(page.evaluate(told.format("loudness"))[0]["rms"])[-len(bursts()) :]
        assert len(arrived) == len(bursts())  # the file is played again and again: compared round the circle
        likeness = [np.corrcoef(np.roll(bursts(), lag), arrived)[0, 1] for lag in range(len(arrived))]
        assert max(likeness) > 0.75

        page.goto("about:blank")  # who leaves makes room
        left = time.monotonic()
        while json.loads(urllib.request.urlopen(address + "count").read())["open"]:
            assert time.monotonic() - left < 20
            time.sleep(0.1)


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(("query", "failed"), [
    ("?refuse=1", {"why": "refused", "text": "Nobody is at home."}),
    ("?spoil=1", {"why": "timeout", "text": "No connection came about."}),
])  # fmt: skip
def test_in_a_browser_what_cannot_be_is_told_and_nothing_stays_open(models, recording, query, failed):
    pytest.importorskip("playwright", reason="playwright is not installed (requirements-dev.txt has it)")
    if not browser.chromium():
        pytest.skip("there is no Chromium on this machine")
    with live_page(recording, query) as (page, address):
        assert page.evaluate("window.failed") == failed
        page.wait_for_timeout(500)
        assert json.loads(urllib.request.urlopen(address + "count").read())["open"] == 0
