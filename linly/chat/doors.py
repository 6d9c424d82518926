"""The doors that an audience comes in by: questions over HTTP and a websocket, and a window to watch the stream.

POST /questions {"text", "name"?, "weight"?} or a list of these; GET /questions gives what waits; the websocket
/questions takes the same objects and tells what happens. On loopback without a token only this machine is let in, and
no page of another site. With a window, GET / is a page of the stream alone.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

from linly.chat.audience import Questions
from linly.chat.websocket import let_in
from linly.chat.window import Window
from linly.errors import InputError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
MOST_BYTES = 65_536
"""of one request or message"""
MOST_AT_ONCE = 100
"""questions in one request or message"""
MOST_SOCKETS = 64
"""websockets open at once"""
UNSENT = 100
"""events that may wait for a slow reader; it is let go then"""


class Doors:
    """A small server. Use as a context manager, or call `close`.

    Raises InputError for an address open to the network without a token, and for a port that is taken.
    """

    def __init__(
        self, questions: Questions, port: int = 0, host: str = "127.0.0.1", token: str = "",
        window: Window | None = None,
    ) -> None:  # fmt: skip
        if host not in LOOPBACK and not token:
            raise InputError("--listen opens the questions to everyone on the network: give a password with --token.")
        import uvicorn

        self._questions, self._token, self._window = questions, token, window
        self._listeners: set[asyncio.Queue[str | None]] = set()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socket = _bound(host, port)
        self.port: int = self._socket.getsockname()[1]
        """where it listens"""
        config = uvicorn.Config(
            self.app(), log_level="warning", access_log=False, ws_max_size=MOST_BYTES, timeout_graceful_shutdown=2
        )  # no access log: addresses hold the token
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="linly-doors", daemon=True
        )
        self._thread.start()
        until = monotonic() + 20
        while not self._server.started and self._thread.is_alive() and monotonic() < until:
            sleep(0.02)

    def __enter__(self) -> Doors:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let everybody out."""
        self._server.should_exit = True
        self._tell(None)
        self._thread.join(timeout=5)
        self._socket.close()

    def told(self, event: Mapping[str, Any]) -> None:
        """Tell everybody who listens; returns at once. Host's `told`."""
        self._tell(json.dumps(event, ensure_ascii=False))

    def _tell(self, text: str | None) -> None:
        def put() -> None:
            for waiting in list(self._listeners):
                if waiting.qsize() < UNSENT:
                    waiting.put_nowait(text)
                else:
                    self._listeners.discard(waiting)

        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop is gone
                loop.call_soon_threadsafe(put)

    def app(self) -> Any:
        """The routes."""
        from fastapi import FastAPI, Request, WebSocket
        from fastapi.responses import JSONResponse

        app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

        async def post(request: Request) -> Any:
            if why := self._why_not(request):
                return JSONResponse({"error": why[1]}, why[0])
            if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
                return JSONResponse({"error": "Send the question as application/json."}, 415)
            body = b""
            async for piece in request.stream():
                body += piece
                if len(body) > MOST_BYTES:
                    return JSONResponse({"error": f"Send at most {MOST_BYTES // 1024} kB at once."}, 413)
            try:
                return self._asked(body)
            except InputError as error:
                return JSONResponse({"error": str(error)}, 400)

        async def get(request: Request) -> Any:
            if why := self._why_not(request):
                return JSONResponse({"error": why[1]}, why[0])
            return {"waiting": [asked.json() for asked in self._questions.waiting()]}

        async def live(socket: WebSocket) -> None:
            full = (503, "Too many are here already.") if len(self._listeners) >= MOST_SOCKETS else None
            if await let_in(socket, self._why_not(socket) or full):
                await self._live(socket)

        post.__annotations__.update(request=Request)
        get.__annotations__.update(request=Request)
        live.__annotations__.update(socket=WebSocket)
        app.add_api_route("/questions", post, methods=["POST"], response_model=None)
        app.add_api_route("/questions", get, methods=["GET"], response_model=None)
        app.add_api_websocket_route("/questions", live)
        if self._window:
            self._window.add_routes(app, self._why_not)
        return app

    def _why_not(self, visitor: Any) -> tuple[int, str] | None:
        """Status and sentence for who is not let in; of a request or a websocket."""
        headers, query = visitor.headers, visitor.query_params
        if self._token:
            given = headers.get("authorization", "").removeprefix("Bearer ").strip() or query.get("token", "")
            if not secrets.compare_digest(given.encode(), self._token.encode()):
                return 401, "The token is missing or wrong."
            return None
        with suppress(ValueError):
            named = urlsplit(f"//{headers.get('host', '')}").hostname
            origin = urlsplit(headers.get("origin", "")).hostname if headers.get("origin") else named
            if named in LOOPBACK and origin in LOOPBACK:
                return None
        return 403, "Without a token only this machine may come in."

    def _asked(self, body: bytes | str) -> Any:
        """Take what was sent; the verdicts in the same shape. Raises InputError."""
        try:
            given = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise InputError('That is no valid JSON: send {"text": "...", "name": "..."}.') from error
        listed = given if isinstance(given, list) else [given]
        if len(listed) > MOST_AT_ONCE:
            raise InputError(f"Send at most {MOST_AT_ONCE} questions at once.")
        read = [_read(item) for item in listed]
        verdicts = [self._questions.add(text, name, weight=weight).json() for text, name, weight in read]
        return verdicts if isinstance(given, list) else verdicts[0]

    async def _live(self, socket: Any) -> None:
        """One websocket, from its opening to its end."""
        from fastapi import WebSocketDisconnect

        self._loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[str | None] = asyncio.Queue()
        self._listeners.add(waiting)
        sending = asyncio.create_task(self._send(socket, waiting))
        try:
            while True:
                text = await socket.receive_text()
                try:
                    found = self._asked(text)
                    answers: Sequence[Any] = found if isinstance(found, list) else [found]
                    events = [{"type": "verdict", **verdict} for verdict in answers]
                except InputError as error:
                    events = [{"type": "error", "text": str(error)}]
                for event in events:
                    waiting.put_nowait(json.dumps(event, ensure_ascii=False))
        except (WebSocketDisconnect, KeyError, RuntimeError):  # gone, or bytes where text belongs
            pass
        finally:
            self._listeners.discard(waiting)
            sending.cancel()
            with suppress(RuntimeError):
                await socket.close()

    async def _send(self, socket: Any, waiting: asyncio.Queue[str | None]) -> None:
        while (text := await waiting.get()) is not None and waiting in self._listeners:
            await socket.send_text(text)
        await socket.close(1001)


def _read(item: Any) -> tuple[str, str, float]:
    """Text, name and weight of one question. Raises InputError."""
    if isinstance(item, dict):
        text, name, weight = item.get("text"), item.get("name") or "", item.get("weight", 1)
        number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if isinstance(text, str) and isinstance(name, str) and number and 0 < weight <= 100:
            return text, name, float(weight)
    raise InputError('A question is {"text": "...", "name": "..."}, with a "weight" of up to 100 if it counts more.')


def _bound(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise InputError("--port must be between 0 and 65535.")
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise InputError(f"Port {port} of {host} cannot be used ({error.strerror}): choose another --port.") from error
