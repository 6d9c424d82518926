"""The window of an audience: who watches gets a whole stream, whenever they come; in Chromium it plays."""

from __future__ import annotations

import contextlib
import json
import threading
import time

import browser
import httpx
import numpy as np
import pytest
from test_websocket import RATE, decoded
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from linly.chat.audience import Questions
from linly.chat.doors import Doors
from linly.chat.person import Tick
from linly.chat.window import Window

FPS, SIDE = 25, 128


@contextlib.contextmanager
def shown(token: str = ""):
    """A window on a stream that grows brighter and sounds at 220 Hz; gives its doors."""
    over = threading.Event()

    def play(window: Window) -> None:
        t = np.arange(RATE // FPS)
        began = time.perf_counter()
        for number in range(100_000):
            if over.wait(max(0.0, began + number / FPS - time.perf_counter())):
                return
            tone = 0.3 * np.sin(2 * np.pi * 220 * (t + number * len(t)) / RATE)
            image = np.full((SIDE, SIDE, 3), 40 + number % 200, np.uint8)
            window.add(Tick(number, image, tone.astype(np.float32), "speaking"))

    with contextlib.closing(Window((SIDE, SIDE), FPS, RATE)) as window:
        thread = threading.Thread(target=play, args=(window,), daemon=True)
        thread.start()
        with Doors(Questions(), token=token, window=window) as doors:
            yield doors
        over.set()
        thread.join()


def watched(doors, seconds: float, query: str = "") -> tuple[dict, bytes]:
    """The beginning that a viewer is told, and the bytes that follow."""
    with connect(f"ws://127.0.0.1:{doors.port}/stream{query}") as socket:
        told, stream = json.loads(socket.recv(timeout=10)), b""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            item = socket.recv(timeout=5)
            stream += item if isinstance(item, bytes) else b""
    return told, stream


def test_each_viewer_gets_a_stream_from_its_beginning_however_late():
    with shown() as doors:
        first, stream = watched(doors, 1.0)
        time.sleep(0.5)
        later, rest = watched(doors, 1.0)
    assert first["type"] == later["type"] == "stream" and later["start"] > first["start"] + 1
    for seen in (stream, rest):
        pictures, sound = decoded(seen)
        assert 15 <= len(pictures) <= 30 and np.abs(sound).max() > 0.2


def test_with_a_token_only_who_has_it_sees_the_page_or_the_stream():
    with shown(token="open sesame") as doors:
        address = f"http://127.0.0.1:{doors.port}/"
        assert httpx.get(address).status_code == 401
        assert "<video" in httpx.get(address, params={"token": "open sesame"}).text
        assert watched(doors, 0.3, "?token=open%20sesame")[0]["type"] == "stream"
        with pytest.raises(ConnectionClosed):
            watched(doors, 0.3)


@pytest.mark.browser
@pytest.mark.slow
def test_in_a_browser_the_window_plays():
    pytest.importorskip("playwright", reason="playwright is not installed (requirements-dev.txt has it)")
    if not browser.chromium():
        pytest.skip("there is no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with shown() as doors, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.chromium(), args=browser.FLAGS)
        page = chromium.new_page(viewport={"width": 640, "height": 360})
        page.goto(f"http://127.0.0.1:{doors.port}/")
        page.wait_for_function("document.querySelector('video').currentTime > 2", timeout=30_000)
        assert page.evaluate("document.querySelector('video').videoWidth") == SIDE
        behind = "(() => { const v = video; return v.buffered.end(v.buffered.length - 1) - v.currentTime; })()"
        assert page.evaluate(behind) < 1.5  # close to what happens now
        chromium.close()
