"""The live picture through one websocket: the stream as a browser gets it, a microphone, strangers, a slow line."""

from __future__ import annotations

import asyncio
import io
import json
import time

import av
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from test_webrtc import pitch

from linly.chat.feed import Fragments, mime
from linly.chat.signalling import add_routes
from linly.chat.webrtc import Sessions
from linly.chat.websocket import LATE, Line

RATE = 48000


def client(guests, limit: int = 4, guard=None) -> TestClient:
    app = FastAPI()
    app.state.sessions = Sessions(guests, limit)
    add_routes(app, app.state.sessions, guard=guard)
    return TestClient(app)


def take(socket, until, stream: bytearray, seconds: float = 20.0) -> list[dict]:
    """Events that come before `until(events)` holds; the stream's bytes go into `stream`."""
    events: list[dict] = []
    begun = time.monotonic()
    while not until(events):
        assert time.monotonic() - begun < seconds, f"it did not come about: {events}"
        message = socket.receive()
        if message.get("text"):
            events.append(json.loads(message["text"]))
        elif message.get("bytes"):
            stream += message["bytes"]
    return events


def decoded(stream: bytes) -> tuple[list[float], np.ndarray]:
    """Brightness of each picture, and the sound, at RATE."""
    pictures, sound = [], []
    with av.open(io.BytesIO(stream)) as container:
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                pictures.append(float(frame.to_ndarray(format="rgb24")[32:].mean()))
            else:
                sound.append(frame.to_ndarray()[0])
    return pictures, np.concatenate(sound)


def test_picture_sound_microphone_and_events_pass(guests):
    stream = bytearray()
    with client(guests) as visitor:
        with visitor.websocket_connect("/live/socket") as socket:
            socket.send_json({"type": "offer", "rate": RATE, "options": {"portrait": "teacher"}})
            begun = take(socket, lambda events: any(e["type"] == "stream" for e in events), stream)
            told = next(event for event in begun if event["type"] == "stream")
            assert told["start"] == 0 and told["mime"].startswith('video/mp4; codecs="avc1.42c0')
            t = np.arange(RATE) / RATE
            loud = np.round(9000 * np.sin(2 * np.pi * 440 * t)).astype("<i2").tobytes()
            for at in range(0, len(loud), 1280):
                socket.send_bytes(loud[at : at + 1280])
            socket.send_json({"type": "text", "text": "Something is said."})
            take(socket, lambda events: any(e == {"type": "state", "state": "idle"} for e in events), stream)
            guest = guests.known[0]
            assert guest.options == {"portrait": "teacher"}
            arrived = np.concatenate(guest.sound)
            assert len(arrived) == pytest.approx(16000, abs=400)
            assert pitch(arrived[4000:12000], 16000) == pytest.approx(440, abs=3)
        assert guest.left.wait(5) and not len(visitor.app.state.sessions)
    brightness, sound = decoded(bytes(stream))
    assert brightness[2] < 20 and max(brightness) > 60  # idles, then speaks
    said = np.flatnonzero(np.abs(sound) > 0.05)
    assert pitch(sound[said[0] : said[0] + 9600], RATE) == pytest.approx(220, abs=5)
    opens, heard = np.argmax(np.array(brightness) > 60) / 25, said[0] / RATE
    assert abs(opens - heard) <= 2 / 25  # the mouth opens with the sound; an AAC packet is half a picture


@pytest.mark.parametrize("offer", [
    "nonsense", "[]", '{"type": "text"}', '{"type": "offer", "rate": 1}', '{"type": "offer", "rate": "x"}',
    '{"type": "offer", "options": [1]}',
])  # fmt: skip
def test_an_offer_that_cannot_be_taken_is_refused_in_one_sentence(offer, guests):
    with client(guests) as visitor, visitor.websocket_connect("/live/socket") as socket:
        socket.send_text(offer)
        told = json.loads(socket.receive_text())
        assert told["type"] == "refused" and told["text"].endswith(".")
    assert not guests.known and not len(visitor.app.state.sessions)


def test_strangers_and_one_too_many_stay_outside(guests):
    with client(guests, limit=0) as visitor, visitor.websocket_connect("/live/socket") as socket:
        socket.send_json({"type": "offer"})
        assert "places" in json.loads(socket.receive_text())["text"]
    with client(guests, guard=lambda socket: False) as visitor, pytest.raises(WebSocketDisconnect):
        visitor.websocket_connect("/live/socket").__enter__()
    foreign = {"origin": "http://elsewhere.example"}
    with client(guests) as visitor, pytest.raises(WebSocketDisconnect):
        visitor.websocket_connect("/live/socket", headers=foreign).__enter__()
    with client(guests) as visitor, visitor.websocket_connect("/live/socket", headers={"origin": "http://testserver"}):
        pass
    assert not guests.known


def test_who_leaves_without_a_word_makes_room_and_bytes_that_are_no_sound_do_no_harm(guests):
    with client(guests) as visitor:
        with visitor.websocket_connect("/live/socket") as socket:
            socket.send_json({"type": "offer"})
            socket.send_bytes(b"")
            socket.send_bytes(b"x")
            socket.send_bytes(b"x" * 70_000)
            socket.send_text("{")
            socket.send_json({"type": "trouble"})
            told = take(socket, lambda events: any(e["type"] == "error" for e in events), bytearray())
            assert told[-1]["text"] == "That will not do."
        assert guests.known[0].left.wait(5)
        assert not len(visitor.app.state.sessions)


def test_a_slow_line_loses_pictures_but_no_events_and_begins_anew_with_a_whole_picture(guests):
    class Slow:
        """A socket that takes nothing until it is let go."""

        def __init__(self) -> None:
            self.took: list[str | bytes] = []
            self.free = asyncio.Event()

        async def send_text(self, text: str) -> None:
            await self.free.wait()
            self.took.append(text)

        send_bytes = send_text

        async def close(self) -> None: ...

    async def visit():
        slow = Slow()
        sessions = Sessions(guests)
        async with sessions.place(lambda: Line(slow, sessions.leave)) as line:
            await line.open(guests, {"options": {}})
        line.send({"type": "state", "state": "kept"})
        await asyncio.sleep(LATE + 1.5)
        slow.free.set()
        while sum('"stream"' in item for item in slow.took if isinstance(item, str)) < 2:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
        await sessions.leave(line)
        return slow.took

    took = asyncio.run(asyncio.wait_for(visit(), 30))
    events = [json.loads(item) for item in took if isinstance(item, str)]
    assert {"type": "state", "state": "kept"} in events
    first, again = (at for at, item in enumerate(took) if isinstance(item, str) and '"stream"' in item)
    assert json.loads(took[first])["start"] == 0 and json.loads(took[again])["start"] >= LATE
    assert sum(isinstance(item, bytes) for item in took[:again]) <= 2  # what waited was thrown away
    brightness, _ = decoded(b"".join(item for item in took[again:] if isinstance(item, bytes)))
    assert len(brightness) >= 3


def test_left_out_pictures_leave_silence_not_a_shift():
    feed = Fragments((64, 64), 25, RATE)
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(RATE // 25) / RATE)).astype(np.float32)
    image = np.full((64, 64, 3), 90, np.uint8)
    made = [feed.add(image, tone, number) for number in (*range(10), *range(35, 60))]
    assert mime(made[0]).startswith("video/mp4")
    _, sound = decoded(b"".join(made))
    blocks = sound[: len(sound) // 480 * 480].reshape(-1, 480)
    loud = np.flatnonzero(np.abs(blocks).max(axis=1) > 0.05)
    assert np.diff(loud).max() == pytest.approx(100, abs=4)  # one second, where it was left out


def test_a_page_that_vanishes_leaves_no_error_behind(guests, caplog):
    import threading

    import uvicorn
    from websockets.sync.client import connect

    app = FastAPI()
    add_routes(app, Sessions(guests))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        for hasty in (False, True):
            page = connect(f"ws://127.0.0.1:{port}/live/socket", legacy=True)
            page.send(json.dumps({"type": "offer"}))
            if not hasty:
                page.recv(timeout=10)
            page.socket.close()  # no good-bye
        until = time.monotonic() + 15
        while not all(guest.left.is_set() for guest in guests.known) or len(guests.known) < 2:
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        server.should_exit = True
        thread.join(10)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
