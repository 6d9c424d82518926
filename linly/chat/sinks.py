"""Where a stream goes while it is made: to an RTMP server, in real time, with nothing but PyAV's own libraries.

A server that is slow or gone never holds the stream up: what it cannot take is left out, and it is called again.
The address holds the stream's key: it is neither logged nor told, and no argument of a process.
"""

from __future__ import annotations

import logging
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from linly.chat.feed import Feed
from linly.chat.person import Tick
from linly.errors import InputError

log = logging.getLogger(__name__)
WAITING = 3.0
"""seconds of the stream that may wait for the server; beyond that all of it is left out"""
BACK_OFF, LONGEST = 1.0, 30.0
"""seconds after which the server is called again, twice as many each time, and at most"""
PATIENCE = 10.0
"""seconds that the server may take nothing before it counts as gone"""
ROOT = Path(__file__).resolve().parents[2]


def checked(address: str) -> str:
    """An RTMP address that can be published to. Raises InputError, which does not repeat it."""
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("rtmp", "rtmps") and bool(parts.hostname) and parts.path not in ("", "/")
        good = good and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or len(address) > 2000 or any(c.isspace() or not c.isprintable() for c in address):
        raise InputError("The RTMP address must look like rtmp://server/app/key (or rtmps://), without spaces.")
    return address


class Broadcast:
    """Publishes a stream to an RTMP server: H.264 and AAC. Use `add` for each tick, then `close`.

    size: width, height, even. fps, rate: hertz.
    """

    def __init__(self, address: str, size: tuple[int, int], fps: int, rate: int) -> None:
        self._address, self._as = checked(address), (size, fps, rate)
        self._waiting: queue.Queue[Tick | None] = queue.Queue(round(WAITING * fps))
        self._over = threading.Event()
        self._line: _Line | None = None
        self.dropped = 0
        """pictures left out"""
        self.calls = 0
        """how often the server was called"""
        self.says = ""
        """one sentence about the last trouble with the server, or empty"""
        self._thread = threading.Thread(target=self._work, name="linly-rtmp", daemon=True)
        self._thread.start()

    def add(self, tick: Tick) -> None:
        """The next picture and its sound; returns at once."""
        line = self._line
        if line and line.stuck:
            line.hang_up()
        try:
            self._waiting.put_nowait(tick)
        except queue.Full:
            self.dropped += 1 + self._empty()

    def close(self) -> None:
        """Send what waits, as far as the server takes it, and hang up."""
        self._over.set()
        self._thread.join(timeout=PATIENCE)
        if self._line:
            self._line.hang_up()
        self._thread.join(timeout=PATIENCE)

    def _empty(self) -> int:
        count = 0
        with suppress(queue.Empty):
            while True:
                self._waiting.get_nowait()
                count += 1
        return count

    def _work(self) -> None:
        pause = BACK_OFF
        while True:
            began, self.calls = monotonic(), self.calls + 1
            why = self._publish()
            if not why and self._over.is_set():
                return
            self.says = f"The RTMP server took the stream no longer ({why or 'it hung up'}), and was called again."
            log.warning("%s", self.says)
            pause = BACK_OFF if monotonic() - began > PATIENCE else min(2 * pause, LONGEST)
            if self._over.wait(pause):
                return
            self.dropped += self._empty()

    def _publish(self) -> str:
        """One connection, until `close` or until it breaks; why it broke, in some words."""
        self._line = line = _Line(self._address, *self._as)
        try:
            while (tick := self._next()) is not None:
                line.send(tick)
            line.finish()
        except (OSError, ValueError) as error:  # the process at the other end of the pipe has gone
            log.debug("the pipe broke: %s", type(error).__name__)
        return line.end()

    def _next(self) -> Tick | None:
        while True:
            try:
                return self._waiting.get(timeout=0.2)
            except queue.Empty:
                if self._over.is_set():
                    return None


class _Line:
    """One connection: the encoders here, and the process that sends (rtmp.py)."""

    def __init__(self, address: str, size: tuple[int, int], fps: int, rate: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "linly.chat.rtmp"], cwd=ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert self._process.stdin
        self._since: float | None = None
        self._shown = 0
        self.write(address.encode() + b"\n")
        self._feed = Feed(self, size, fps, rate, "flv")

    @property
    def stuck(self) -> bool:
        """Whether the server has taken nothing for too long."""
        since = self._since
        return since is not None and monotonic() - since > PATIENCE

    def write(self, data: bytes) -> int:
        """What PyAV writes goes to the process at once."""
        assert self._process.stdin
        self._since = monotonic()
        self._process.stdin.write(data)
        self._process.stdin.flush()
        self._since = None
        return len(data)

    def send(self, tick: Tick) -> None:
        """One picture and its sound."""
        self._feed.send(tick.image, tick.samples, self._shown)
        self._shown += 1

    def finish(self) -> None:
        """The encoders' last packets."""
        self._feed.finish()

    def hang_up(self) -> None:
        """End the connection now; whoever is sending gets an error."""
        self._process.kill()

    def end(self) -> str:
        """Wait for the process's end; what it says went wrong."""
        silent = self.stuck
        with suppress(OSError):
            assert self._process.stdin
            self._process.stdin.close()
        self._process.stdin = None  # or `communicate` would write there
        try:
            told = self._process.communicate(timeout=PATIENCE)[0]
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return "it does not answer"
        if self._process.returncode < 0 or silent:
            return "it does not answer"
        return told.decode(errors="replace").strip()[:100]
