"""A window to watch a stream in: a page of nothing but the picture, for a second screen or a browser source of OBS."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from linly.chat.feed import Fragments, mime
from linly.chat.person import Tick
from linly.chat.signalling import SCRIPTS, script
from linly.chat.websocket import gone, let_in

BEHIND = 1.0
"""seconds of the stream that may wait for the encoder; beyond that all of it is left out"""
UNSENT = 3.0
"""seconds of pictures that may wait for a slow viewer, who is let go then and comes again"""
MOST = 8
"""viewers at a time"""
PAGE = """<!doctype html><meta charset="utf-8"><title>Linly</title>
<style>html, body { margin: 0; height: 100%; background: #000; overflow: hidden }
video { width: 100%; height: 100%; object-fit: contain; display: block }
button { position: fixed; inset: 0; border: 0; background: none; color: #fff; font: 600 1.1rem system-ui, sans-serif }
</style>
<video autoplay playsinline></video><button hidden>Sound on &middot; 打开声音</button>
<script src="live.js"></script><script src="socket.js"></script>
<script>
const video = document.querySelector("video"), button = document.querySelector("button");
button.onclick = () => { video.muted = false; button.hidden = true; };
function watch() {
  const player = linlyPlayer(video);
  const socket = new WebSocket(location.href.replace(/^http/, "ws").replace(/\\/(\\?|$)/, "/stream$1"));
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({data}) => typeof data === "string" ? player.stream(JSON.parse(data)) : player.data(data);
  socket.onclose = () => { player.close(); setTimeout(watch, 2000); };
}
watch();
setTimeout(() => video.play().catch(() => { // the browser wants a click before it lets anything be heard
  video.muted = true; button.hidden = false; video.play();
}), 1500);
</script>"""


Waiting = asyncio.Queue[str | bytes | None]


class Window:
    """A sink for the stream (see host.Sink), and its viewers.

    size: width, height, even. fps, rate: hertz.
    """

    def __init__(self, size: tuple[int, int], fps: int, rate: int) -> None:
        self._as, self._fps = (size, fps, rate), fps
        self._ticks: queue.Queue[tuple[int, Tick] | None] = queue.Queue(round(BEHIND * fps))
        self._viewers: dict[Waiting, bool] = {}  # and whether the beginning of a stream is with them
        self._anew = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._number = -1
        self._thread = threading.Thread(target=self._work, name="linly-window", daemon=True)
        self._thread.start()

    def add(self, tick: Tick) -> None:
        """The next picture and its sound; returns at once. Nothing is encoded while nobody watches."""
        self._number += 1
        if not self._viewers:
            return
        with suppress(queue.Full):
            self._ticks.put_nowait((self._number, tick))

    def close(self) -> None:
        """Let the viewers go."""
        while True:
            with suppress(queue.Full):
                self._ticks.put_nowait(None)
                break
            with suppress(queue.Empty):
                self._ticks.get_nowait()
        self._thread.join(timeout=5)

    def add_routes(self, app: Any, why_not: Callable[[Any], tuple[int, str] | None]) -> None:
        """Put the page on a FastAPI app. why_not: status and sentence for who may not watch, by request or socket."""
        from fastapi import Request, WebSocket
        from fastapi.responses import HTMLResponse, PlainTextResponse

        def page(request: Request) -> Any:
            why = why_not(request)
            return PlainTextResponse(why[1], why[0]) if why else HTMLResponse(PAGE)

        async def stream(socket: WebSocket) -> None:
            full = (503, "Too many are watching already.") if len(self._viewers) >= MOST else None
            if await let_in(socket, why_not(socket) or full):
                await self._watched(socket)

        page.__annotations__.update(request=Request)
        stream.__annotations__.update(socket=WebSocket)
        app.add_api_route("/", page, methods=["GET"], response_model=None)
        app.add_api_websocket_route("/stream", stream)
        for name in SCRIPTS:
            app.add_api_route(f"/{name}", script(name), methods=["GET"], response_model=None)

    async def _watched(self, socket: Any) -> None:
        """One viewer, until they leave or cannot keep up."""
        self._loop = asyncio.get_running_loop()
        waiting: Waiting = asyncio.Queue()
        self._viewers[waiting] = False
        self._anew.set()  # a viewer needs the beginning of a stream
        leaving = asyncio.create_task(self._gone(socket, waiting))
        try:
            while (item := await waiting.get()) is not None:
                await (socket.send_text(item) if isinstance(item, str) else socket.send_bytes(item))
            await socket.close(1001)
        except gone():
            return
        finally:
            self._viewers.pop(waiting, None)
            leaving.cancel()

    async def _gone(self, socket: Any, waiting: Waiting) -> None:
        while (await socket.receive())["type"] != "websocket.disconnect":
            continue
        waiting.put_nowait(None)

    def _work(self) -> None:
        """The thread that encodes."""
        feed, first = None, 0
        while (item := self._ticks.get()) is not None:
            number, tick = item
            if feed is None or self._anew.is_set():
                self._anew.clear()
                if feed:
                    feed.close()
                feed, first = Fragments(*self._as), number
            made = feed.add(tick.image, tick.samples, number - first)
            if number == first:
                self._tell(json.dumps({"type": "stream", "mime": mime(made), "start": number / self._fps}))
            if made:
                self._tell(made)
        self._tell(None)
        if feed:
            feed.close()

    def _tell(self, item: str | bytes | None) -> None:
        def put() -> None:
            for waiting, begun in list(self._viewers.items()):
                if waiting.qsize() > UNSENT * self._fps:
                    del self._viewers[waiting]
                    waiting.put_nowait(None)
                elif begun or not isinstance(item, bytes):
                    self._viewers[waiting] = True
                    waiting.put_nowait(item)

        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is gone
                self._loop.call_soon_threadsafe(put)
