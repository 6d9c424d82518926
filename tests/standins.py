"""Local stand-ins for what the model files come from: a file server, a hub, wheels and npm packages."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BLOCK = 1 << 14


class FileServer:
    """Serves `files` (path -> bytes). `modes` (path -> words) makes a path misbehave; `asked` is what was requested.

    Words: slow, cut (every answer ends after a third of what is left), cut-once, stall (silence after a third),
    wrong (other bytes of the same length), no-range, 404, 503-once, redirect.
    """

    hub = False

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.modes: dict[str, str] = {}
        self.asked: list[tuple[str, str, str]] = []
        """(method, path, Range header)"""
        self.sent = 0
        self.before: Callable[[str], None] = lambda path: None
        self.stopping = threading.Event()
        handler = type("Handler", (_Handler,), {"house": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    def gets(self, path: str = "") -> list[str]:
        """The Range headers of the GET requests for paths that end so."""
        return [asked for method, name, asked in self.asked if method == "GET" and name.endswith(path)]

    def headers(self, path: str, data: bytes) -> dict[str, str]:
        return {}


class Hub(FileServer):
    """Answers /{repo}/resolve/{revision}/{path} as the hub does; mode `wrong` announces one file and sends another."""

    hub = True

    def headers(self, path: str, data: bytes) -> dict[str, str]:
        sha256 = hashlib.sha256(data).hexdigest()
        return {"ETag": f'"{sha256}"', "X-Repo-Commit": "a" * 40, "X-Linked-Size": str(len(data))}


class _Handler(BaseHTTPRequestHandler):
    house: FileServer

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        asked = self.headers.get("Range", "")
        self.house.asked.append((self.command, self.path, asked))
        self.house.before(self.path)
        mode = self.house.modes.get(self.path, "")
        data = self.house.files.get(self.path)
        if mode == "redirect":
            self._plain(302, {"Location": f"{self.path}?again"})
            return
        if data is None and self.path.endswith("?again"):
            data = self.house.files.get(self.path.removesuffix("?again"))
        if mode == "404" or data is None:
            self._plain(404, {"X-Error-Code": "EntryNotFound"} if self.house.hub else {})
            return
        if mode.endswith("-once"):
            del self.house.modes[self.path]
        if mode == "503-once":
            self._plain(503, {})
            return
        start = int(found[1]) if mode != "no-range" and (found := re.fullmatch(r"bytes=(\d+)-", asked)) else 0
        if start >= len(data):
            self._plain(416, {})
            return
        self.send_response(206 if start else 200)
        for name, value in self.house.headers(self.path, data).items():
            self.send_header(name, value)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if body:
            self._send(data[start:], mode)

    def _plain(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, data: bytes, mode: str) -> None:
        if mode == "wrong":
            data = bytes(byte ^ 1 for byte in data)
        end = max(1, len(data) // 3) if mode.startswith(("cut", "stall")) else len(data)
        for start in range(0, end, BLOCK):
            block = data[start : min(start + BLOCK, end)]
            try:
                self.wfile.write(block)
            except OSError:  # the client has gone
                return
            self.house.sent += len(block)
            if mode == "slow":
                time.sleep(0.02)
        self.wfile.flush()
        if mode == "stall":
            self.house.stopping.wait(5)
        self.close_connection = True

    def log_message(self, *args: object) -> None: ...


@contextmanager
def serving(house: FileServer) -> Iterator[FileServer]:
    try:
        yield house
    finally:
        house.close()


def zip_of(members: Mapping[str, bytes]) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def tar_of(members: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    """A .tar.gz archive; `links` are symbolic links (name -> where to)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, to in (links or {}).items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, to
            archive.addfile(link)
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def wheel(folder: Path, name: str, members: Mapping[str, bytes]) -> Path:
    """A wheel that pip accepts, made by hand, version 1.0."""
    about = f"{name}-1.0.dist-info"
    meta = {
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*members, *meta, f"{about}/RECORD"]).encode()
    target = folder / f"{name}-1.0-py3-none-any.whl"
    target.write_bytes(zip_of({**members, **meta, f"{about}/RECORD": record}))
    return target


def npm_folder(folder: Path, name: str, members: Mapping[str, bytes]) -> Path:
    """A folder that `npm pack` makes a package of."""
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"name": name, "version": "1.0.0"}))
    for path, data in members.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder
