"""What was seen and heard, kept as videos: each answer by itself, and the whole conversation with both voices.

The stream is never held up: where the encoder falls behind, pictures are repeated, and sound and time stay right.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from linly import video
from linly.chat.person import Tick
from linly.safety.label import NOTICE
from linly.values import Audio, Floats, Image, VideoFile

BEHIND = 50
"""pictures that may wait for the encoder; further ones are shown as the last that waits"""
OTHER_VOICE = 2.0
"""seconds of the user's sound that may wait to be mixed in"""
SPEAKING = ("speaking", "pausing")


class Recording:
    """One video of a person's stream. Use `add` for each tick, then `finish` or `abort`, from any one thread each.

    path: where the MP4 appears once it is whole. size: as Person.size. fps, rate: hertz, the stream's.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: int, rate: int) -> None:
        self._writer = video.Writer(path, size, fps, rate, preset="ultrafast", metadata={"comment": NOTICE})
        self._rate = rate
        self._waiting: queue.Queue[tuple[Image, Floats] | None] = queue.Queue()
        self._last: Image | None = None
        self._other: deque[Floats] = deque()
        self._lock = threading.Lock()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="linly-record", daemon=True)
        self._thread.start()

    def add(self, tick: Tick) -> None:
        """The next picture and its sound; returns at once."""
        if self._last is None or self._waiting.qsize() < BEHIND:
            self._last = tick.image
        self._waiting.put((self._last, self._mixed(tick.samples)))

    def hear(self, audio: Audio) -> None:
        """The user's own sound as it comes; it goes into the following pictures' sound."""
        count = round(len(audio.samples) * self._rate / audio.rate)
        at = np.arange(count) * (len(audio.samples) / max(1, count))
        samples = np.interp(at, np.arange(len(audio.samples)), audio.samples).astype(np.float32)
        with self._lock:
            self._other.append(samples)
            while len(self._other) > 1 and sum(map(len, self._other)) > OTHER_VOICE * self._rate:
                self._other.popleft()

    def finish(self) -> VideoFile:
        """Write what waits and give the file its name. Raises InputError where it cannot be written."""
        self._waiting.put(None)
        self._thread.join()
        if self._failure is not None:
            self._writer.abort()
            raise self._failure
        return self._writer.finish()

    def abort(self) -> None:
        """Leave nothing behind."""
        with self._waiting.mutex:
            self._waiting.queue.clear()
        self._waiting.put(None)
        self._thread.join()
        self._writer.abort()

    def _mixed(self, samples: Floats) -> Floats:
        out, filled = samples.copy(), 0
        with self._lock:
            while self._other and filled < len(out):
                piece = self._other.popleft()
                taken = piece[: len(out) - filled]
                out[filled : filled + len(taken)] += taken
                filled += len(taken)
                if len(taken) < len(piece):
                    self._other.appendleft(piece[len(taken) :])
        return np.clip(out, -1.0, 1.0)

    def _work(self) -> None:
        try:
            while (item := self._waiting.get()) is not None:
                self._writer.add([item[0]], Audio(item[1], self._rate))
        except BaseException as error:  # handed to `finish`
            self._failure = error
            while self._waiting.get() is not None:  # nothing more is kept
                continue


class Answers:
    """Each answer of a conversation as a video of its own, answer-1.mp4 and so on, in `folder`.

    Use as a context manager, or call `close`. kept: the newest so many stay; older ones are removed.
    """

    def __init__(self, folder: Path, size: tuple[int, int], fps: int, rate: int, kept: int = 50) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._as, self._kept = folder, (size, fps, rate), kept
        self._running: Recording | None = None
        self._finishing: list[threading.Thread] = []
        self.count = 0
        """answers begun so far; the last one's number"""

    def __enter__(self) -> Answers:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def path(self, number: int) -> Path:
        """Where answer `number` (from 1 on) is, or will be once it has ended."""
        return self._folder / f"answer-{number}.mp4"

    def __iter__(self) -> Iterator[Path]:
        """Those that can be had, oldest first."""
        return (self.path(n) for n in range(1, self.count + 1) if self.path(n).is_file())

    def add(self, tick: Tick) -> None:
        """The next tick of the stream; returns at once."""
        if self._running is None and tick.begins is not None:
            self.count += 1
            self._running = Recording(self.path(self.count), *self._as)
        if self._running is None:
            return
        if tick.state in SPEAKING:
            self._running.add(tick)
            return
        done, self._running = self._running, None
        thread = threading.Thread(target=done.finish, name="linly-record-end", daemon=True)
        thread.start()
        self._finishing = [t for t in self._finishing if t.is_alive()] + [thread]
        if self.count > self._kept:
            self.path(self.count - self._kept).unlink(missing_ok=True)

    def close(self) -> None:
        """Finish what runs."""
        if self._running is not None:
            self._running.finish()
            self._running = None
        for thread in self._finishing:
            thread.join()
