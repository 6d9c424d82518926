"""A stream over RTMP on loopback: what arrives is right, and a server that goes away never holds anything up."""

import logging
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from linly.chat import sinks
from linly.chat.person import RATE, Tick
from linly.chat.sinks import Broadcast, checked
from linly.errors import InputError

FPS = 25
EACH = RATE // FPS
RECEIVER = """
import sys, av, numpy as np
c = av.open(sys.argv[1], options={"listen": "1"})
shown, heard, keys, most = [], [], [], float(sys.argv[2])
try:
    for packet in c.demux():
        for frame in packet.decode():
            if packet.stream.type == "video":
                shown.append(frame.to_ndarray(format="gray").mean())
                keys += [frame.time] * frame.key_frame
            else:
                heard.append(frame.to_ndarray()[0])
        if len(shown) >= most:
            break
except av.FFmpegError:
    pass
s = np.concatenate(heard)[4800:]
pitch = np.argmax(np.abs(np.fft.rfft(s))) * 48000 / len(s)
v = c.streams.video[0]
print(v.codec_context.name, c.streams.audio[0].codec_context.name, v.width, v.height, v.pix_fmt, len(shown),
      len(s) / 48000, pitch, max(np.diff(keys), default=0), min(shown), max(shown))
"""


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def receiver(port: int, most: float = 1e9) -> subprocess.Popen:
    command = [sys.executable, "-c", RECEIVER, f"rtmp://127.0.0.1:{port}/live/secret-key", str(most)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    time.sleep(2)  # there is no other sign that it listens
    return process


def told(process: subprocess.Popen) -> dict:
    names = ("video", "sound", "width", "height", "pixels", "shown", "seconds", "pitch", "keys", "darkest", "lightest")
    found = dict(zip(names, process.communicate(timeout=40)[0].split(), strict=True))
    return {k: float(v) if v.replace(".", "").isdigit() else v for k, v in found.items()}


def tick(number: int) -> Tick:
    at = np.arange(number * EACH, (number + 1) * EACH) / RATE
    sound = (0.3 * np.sin(2 * np.pi * 440 * at)).astype(np.float32)
    return Tick(number, np.full((64, 96, 3), 40 + number % 100, np.uint8), sound, "idle")


def feed(cast: Broadcast, first: int, count: int) -> None:
    """In real time; nothing may take longer than a picture lasts, many times over."""
    began = time.perf_counter()
    for number in range(count):
        cast.add(tick(first + number))
        time.sleep(max(0.0, began + (number + 1) / FPS - time.perf_counter()))


@pytest.mark.slow
def test_what_arrives_is_the_stream(port):
    server = receiver(port)
    cast = Broadcast(f"rtmp://127.0.0.1:{port}/live/secret-key", (96, 64), FPS, RATE)
    feed(cast, 0, 130)
    cast.close()
    got = told(server)
    assert (got["video"], got["sound"], got["pixels"]) == ("h264", "aac", "yuv420p")
    assert (got["width"], got["height"]) == (96, 64)
    assert got["shown"] >= 120 and got["seconds"] == pytest.approx(got["shown"] / FPS, abs=0.3)
    assert got["pitch"] == pytest.approx(440, abs=2) and got["lightest"] - got["darkest"] > 70
    assert got["keys"] == pytest.approx(2.0, abs=0.01) and not cast.dropped and not cast.says


@pytest.mark.slow
def test_a_server_that_goes_and_comes_back_gets_the_stream_again(port, caplog, monkeypatch):
    monkeypatch.setattr(sinks, "BACK_OFF", 0.3)
    caplog.set_level(logging.DEBUG)
    first = receiver(port)
    cast = Broadcast(f"rtmp://127.0.0.1:{port}/live/secret-key", (96, 64), FPS, RATE)
    feed(cast, 0, 60)
    first.kill()
    first.wait()
    feed(cast, 60, 60)
    second = receiver(port, most=30)
    until = time.monotonic() + 40
    number = 120
    while second.poll() is None and time.monotonic() < until:
        feed(cast, number, 10)
        number += 10
    got = told(second)
    cast.close()
    assert got["shown"] == 30 and got["pitch"] == pytest.approx(440, abs=3)
    assert cast.calls > 1 and "secret" not in cast.says + caplog.text and cast.says


@pytest.mark.slow
def test_a_silent_server_holds_nothing_up(monkeypatch, caplog):
    monkeypatch.setattr(sinks, "PATIENCE", 1.5)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        cast = Broadcast(f"rtmp://127.0.0.1:{silent.getsockname()[1]}/live/secret-key", (96, 64), FPS, RATE)
        longest, began = 0.0, time.perf_counter()
        picture = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)  # fills the pipe soon
        for number in range(150):
            before = time.perf_counter()
            cast.add(Tick(number, np.roll(picture, number), tick(0).samples, "idle"))
            longest = max(longest, time.perf_counter() - before)
            time.sleep(max(0.0, began + number / FPS - time.perf_counter()))
        cast.close()
    assert longest < 1.0 and cast.says and "secret" not in cast.says + caplog.text
    assert not cast._thread.is_alive()


@pytest.mark.parametrize(
    "address",
    ["", "http://a/b/c", "file:///etc/passwd", "rtmp://", "rtmp://host", "rtmp:///app/key",
     "rtmp://host/app/k listen=1",
     "rtmp://host:99999999/app/key", "rtmp://host/app/key\nx", "-i", "rtmp://host/app/" + "k" * 3000, "; rm -rf /"],
)  # fmt: skip
def test_other_addresses_are_refused_without_being_repeated(address):
    with pytest.raises(InputError) as error:
        checked(address)
    assert "/app/k" not in str(error.value).replace("/app/key (or", "")


def test_good_addresses_are_taken():
    for address in ("rtmp://live.example.com/app/key-1?x=2", "rtmps://live.example.com:443/app/key"):
        assert checked(address) == address
