"""A server that speaks OpenAI's protocol on loopback and misbehaves as it is told: real sockets, no model."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORDS = ("Good", " morning", ", I", " am", " here", ".")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args):
        """Silent."""

    def do_GET(self):
        self._plain(200, {"object": "list", "data": [{"id": "first-model", "object": "model", "created": 0}]})

    def do_POST(self):
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.asked.append((self.path, body, self.headers.get("Authorization")))
        how = server.how.pop(0) if len(server.how) > 1 else server.how[0]
        if isinstance(how, tuple):
            return self._plain(how[0], {"error": {"message": "secret words of the server"}}, *how[1:])
        if how == "garbage":
            return self._plain(200, None)
        if how == "silent":
            server.released.wait(20)
            self.close_connection = True
            return None
        self._stream(how)
        return None

    def _stream(self, how):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        head = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
        try:
            for i, word in enumerate(WORDS * (1000 if how == "endless" else 1)):
                if i == 2 and how == "cut":
                    self.close_connection = True
                    self.connection.shutdown(2)
                    return
                if i == 2 and how == "quiet end":
                    break
                if i == 2 and how == "stall":
                    self.server.released.wait(20)
                if i == 2 and how == "broken":
                    self._event("{not json")
                chunk = {"index": 0, "delta": {"content": word}, "finish_reason": None}
                self._event(json.dumps({**head, "choices": [chunk]}))
                if how == "endless":
                    self.server.released.wait(0.01)
            if how != "quiet end":
                last = {"index": 0, "delta": {}, "finish_reason": "stop"}
                self._event(json.dumps({**head, "choices": [last]}))
                self._event("[DONE]")
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.server.hung_up.set()
            self.close_connection = True

    def _event(self, text):
        data = f"data: {text}\n\n".encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _plain(self, status, value, headers=()):
        data = b"<html>hello</html>" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if value is None else "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, text in headers:
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def standin(*how):
    """A server that answers request after request as `how` says, the last for good: "good", "stall", "silent", "cut",
    "garbage", "broken", "endless", or (status, [(header, value)])."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.how, server.asked = list(how), []
    server.released, server.hung_up = threading.Event(), threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}/v1"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
