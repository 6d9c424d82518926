"""The living person: one unbroken stream of pictures and sound that idles, speaks, pauses, and falls silent at once.

The stream is pulled, a picture with its sound at a time, so that it can feed a browser, a file or a broadcast. A thread
draws a few pictures ahead. What comes next is planned as pieces (plan.py); a new piece may cut the one that runs, and
the joint never shows.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np

from linly import audio as sound
from linly import settings
from linly.chat.plan import Picture, Piece, Source, every, faded, joined, mannered
from linly.chat.played import Heard, heard
from linly.safety.label import Label
from linly.values import FaceMotion, Floats, Image, Portrait, Style, Utterance

RATE = 48000
"""hertz of the stream's sound: what WebRTC sends; a whole number of samples fills a picture at every usual rate"""
AHEAD = 4
"""pictures drawn ahead"""
KEPT = 2
"""pictures already drawn that are still shown when something is to be said: time to draw the first of what follows"""
PLANNED = 3
"""pieces planned ahead"""
IDLE_SECONDS = 2.0
"""length of one piece of silent life; it is cut wherever speech begins, and short so that it is soon there"""
LAP, LAP_START = 480.0, 10.0
"""the time that idle motion goes by starts anew after so many seconds, at so many: it costs more the later it is"""
SLOWEST, CALM = 4, 2.0
"""every fourth picture at least is drawn, however slow; seconds well ahead after which all are drawn again"""
FADE = 0.01
"""seconds in which the sound goes out when stopped"""


@dataclass(frozen=True, eq=False)
class Tick:
    """One picture of the stream and the sound that lasts as long."""

    number: int
    image: Image
    """(h, w, 3) RGB uint8, with the visible label; yours to keep"""
    samples: Floats
    """(rate / fps,) float32"""
    state: str
    """"speaking", "pausing" (more is to come), "listening", "thinking" or "idle" """
    begins: Utterance | None = None
    """what begins to be said with this picture"""
    late: bool = False
    """the picture is not the one meant for now, but at most one before it or the last once more; the sound is right"""
    stopped: bool = False
    """speech was stopped here: its sound goes out within this picture"""


class Person:
    """One person's stream. Use as a context manager, or call `close`; all methods may be called from any thread.

    move, draw: opened engines; move_any: the one for speech of which nobody knows when which sound is said.
    portrait, style: as the draw engine takes them. rate: hertz of the sound, a multiple of style.fps.
    """

    def __init__(
        self, move: Any, draw: Any, portrait: Portrait, style: Style, *, move_any: Any = None, language: str = "",
        rate: int = RATE, ahead: int = AHEAD,
    ) -> None:  # fmt: skip
        if rate % style.fps:
            raise ValueError(f"at {style.fps} pictures a second a rate of {rate} Hz gives no whole number of samples")
        self.style, self.rate, self.portrait = replace(style, background="keep"), rate, portrait
        self.size: tuple[int, int] = draw.size(portrait, style)
        """width and height of the pictures"""
        self.emotion = style.emotion
        """with which what is planned from now on is said, one of values.EMOTIONS"""
        self.late = 0
        """pictures that were not drawn in time"""
        self.draw_seconds = 0.0
        """how long the drawing thread has worked"""
        self._move, self._move_any, self._draw = move, move_any or move, draw
        self._label = Label(self.size, language) if settings.load().label else None
        self._depth, self._now, self._base = ahead, 0, 0.0
        self._pieces: deque[Piece] = deque()
        self._ended: Piece | None = None
        self._waiting: deque[Utterance] = deque()
        self._drawn: deque[Picture] = deque()
        self._shown: Image | None = None
        self._manner, self._more, self._answering = "idle", False, False
        self._played: list[tuple[Utterance, int]] = []
        self._stops, self._stopped = 0, -1
        self._fading: Floats | None = None
        self._failure: BaseException | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="linly-person", daemon=True)
        self._thread.start()

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the stream."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout=5)

    @property
    def seconds(self) -> float:
        """How much of the stream has been pulled."""
        return self._now / self.style.fps

    @property
    def answering(self) -> bool:
        """Whether something is being said, is still to be said, or has been announced."""
        with self._changed:
            return self._answering

    def say(self, utterance: Utterance, more: bool = False) -> None:
        """Speak, after what is still to be said; at once if nothing is.

        more: the answer goes on, so that a gap before its next clause is a speaker's pause; else it ends here.
        """
        whole = sound.pad_to_frames(sound.resample(utterance.audio, self.rate), self.style.fps)
        with self._changed:
            if not self._answering:
                self._played.clear()
            self._waiting.append(replace(utterance, audio=whole, last=False))
            self._answering, self._more, self._manner = True, more, "idle"
            self._changed.notify_all()

    def over(self) -> None:
        """No more of this answer will come, though the last `say` announced more."""
        with self._changed:
            self._more = False
            self._answering = bool(self._waiting) or self._speaks()
            self._changed.notify_all()

    def stop(self) -> Heard:
        """Fall silent now: what is queued is thrown away, the sound goes out in 10 ms, the mouth shuts.

        Gives what was played of the answer; nothing if none was being given.
        """
        with self._changed:
            fps = self.style.fps
            said = heard((utterance, count / fps) for utterance, count in self._played) if self._answering else Heard()
            self._waiting.clear()
            self._played.clear()
            self._more = self._answering = False
            self._stops += 1
            if self._speaks():
                self._silence()
            self._changed.notify_all()
            return said

    def _silence(self) -> None:
        """The next picture is of a silent face already; of the sound that belonged to it the beginning is left."""
        piece, number = self._pieces[0], self._now
        if piece.manner == "speaking" and piece.first <= number:
            self._fading = faded(piece.sound(number), round(FADE * self.rate))
            self._stopped = number
        self._cut(number)
        if self._pieces and self._pieces[0].end <= number:
            self._ended = self._pieces.popleft()

    def listening(self, on: bool) -> None:
        """Whether the user is speaking: the face attends and nods now and then."""
        self._behave("listening", on)

    def thinking(self, on: bool) -> None:
        """Whether an answer is being looked for: the eyes leave the user."""
        self._behave("thinking", on)

    def frames(self) -> Iterator[Tick]:
        """The stream as fast as it is pulled; no picture is ever late. Ends when the person is closed."""
        while not self._closed:
            yield self.next_tick()

    def next_tick(self, timeout: float | None = None) -> Tick:
        """The next picture and its sound. Waits at most `timeout` seconds (None: as long as it takes) for the picture,
        then shows the last one again; the very first is always waited for. Raises what drawing raised.
        """
        with self._changed:
            self._changed.wait_for(self._is_ready, None if self._shown is None else timeout)
            if self._failure is not None:
                raise self._failure
            if self._closed:
                raise ValueError("this person's stream was closed")
            late = True
            while self._drawn and self._drawn[0].number <= self._now:
                picture = self._drawn.popleft()
                self._shown, late = picture.image, picture.number < self._now or picture.again
            self.late += late
            assert self._shown is not None
            return self._tick(self._shown, late)

    def _is_ready(self) -> bool:
        there = any(picture.number == self._now for picture in self._drawn)
        return bool(self._closed or self._failure or (there and self._pieces))

    def _tick(self, image: Image, late: bool) -> Tick:
        number = self._now
        each = self.rate // self.style.fps
        if not self._pieces or self._pieces[0].first > number:  # nothing planned yet: the stream stands still
            rest, self._fading = self._fading, None
            silence = np.zeros(each, np.float32)
            return Tick(number, image, silence if rest is None else rest, self._manner, None, late, rest is not None)
        piece = self._pieces[0]
        begins = piece.utterance if piece.manner == "speaking" and number == piece.first else None
        if piece.manner == "speaking":
            shown = number + 1 - piece.first
            self._played[-1 if begins is None else len(self._played) :] = [(piece.utterance, shown)]
        rest, self._fading = self._fading, None
        samples = piece.sound(number) if rest is None else rest
        self._now += 1
        if piece.end <= self._now:
            self._ended = self._pieces.popleft()
            self._answering = self._more or bool(self._waiting) or self._speaks()
        self._changed.notify_all()
        return Tick(number, image, samples, piece.manner, begins, late, rest is not None)

    def _speaks(self) -> bool:
        return any(piece.manner == "speaking" for piece in self._pieces)

    def _behave(self, manner: str, on: bool) -> None:
        with self._changed:
            if on or self._manner == manner:
                self._manner = manner if on else "idle"
            self._changed.notify_all()

    def _wanted(self) -> str:
        """The manner in which the face should be silent."""
        return "pausing" if self._more and self._answering else self._manner

    def _cut(self, end: int) -> None:
        """Take back whatever was planned and drawn from picture `end` on."""
        while self._pieces and self._pieces[-1].first >= end:
            self._pieces.pop()
        if self._pieces:
            self._pieces[-1] = self._pieces[-1].cut(end)
        while self._drawn and self._drawn[-1].number >= end:
            self._drawn.pop()

    def _work(self) -> None:
        """The thread that plans and draws."""
        source = Source()
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._closed or self._to_plan() or self._to_draw() is not None)
                    if self._closed:
                        return
                    plan, number = self._to_plan(), self._to_draw()
                if plan:
                    self._plan()
                elif number is not None:
                    self._draw_next(source, number)
        except BaseException as error:  # handed to whoever pulls the stream
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _to_plan(self) -> bool:
        """Whether something is to be said, the stream runs out, or the face is silent in another manner than wanted."""
        if self._waiting and len(self._pieces) < PLANNED:
            return True
        if not self._pieces:
            return True
        last = self._pieces[-1]
        silent = last.manner != "speaking"
        return last.end - self._now <= self._depth or (silent and not self._waiting and last.manner != self._wanted())

    def _plan(self) -> None:
        """Append one piece; it follows what is being said, or cuts silence short."""
        with self._changed:
            stops, fps = self._stops, self.style.fps
            utterance = self._waiting[0] if self._waiting else None
            manner = "speaking" if utterance else self._wanted()
            start = self._joint(manner) / fps
        if utterance is None:
            if start - self._base > LAP:
                self._base = start - LAP_START
            utterance = Utterance("", sound.silence(round(IDLE_SECONDS * fps) / fps, self.rate), timing="exact")
        motion = self._moved(utterance, start - self._base)
        if manner != "speaking":
            motion = mannered(motion, manner, start, self.style.seed)
        with self._changed:
            if stops != self._stops:
                return
            if manner == "speaking":
                self._waiting.popleft()
            first = self._joint(manner)
            self._cut(first)
            before = self._pieces[-1] if self._pieces else self._ended
            motion = joined(motion, before.pose(first) if before else None, 0 <= first - self._stopped < KEPT)
            self._pieces.append(Piece(first, len(motion), replace(utterance, start=first / fps), motion, manner))
            self._changed.notify_all()

    def _joint(self, manner: str) -> int:
        """The number of the picture with which the next piece begins."""
        if not self._pieces:
            return self._now
        last = self._pieces[-1]
        if last.manner in ("speaking", manner):
            return last.end
        return max(last.first, min(last.end, self._now + KEPT))

    def _moved(self, utterance: Utterance, start: float) -> FaceMotion:
        engine = self._move_any if utterance.timing == "none" else self._move
        motion: FaceMotion = engine.move(replace(utterance, start=start), replace(self.style, emotion=self.emotion))
        return motion

    def _to_draw(self) -> int | None:
        """The picture to draw next, if there is room and it is planned."""
        number = max(self._now, self._drawn[-1].number + 1) if self._drawn else self._now
        return number if len(self._drawn) < self._depth and self._piece_of(number) else None

    def _piece_of(self, number: int) -> Piece | None:
        return next((p for p in self._pieces if p.first <= number < p.end), None)

    def _draw_next(self, source: Source, number: int) -> None:
        """Draw a picture. Where drawing cannot keep up, every second one is left out, or more, until it can again."""
        with self._changed:
            piece, spare = self._piece_of(number), len(self._drawn)
        if piece is None:
            return
        began = perf_counter()
        behind = number - source.number if source.motion is piece.motion else 0
        source.calm = source.calm + 1 if spare >= self._depth - 2 else 0
        if behind > 1:
            source.step = min(2 * source.step, SLOWEST)
        elif source.step > 1 and source.calm > CALM * self.style.fps:
            source.step, source.calm, source.motion = 1, 0, None
        if source.motion is not piece.motion or behind > 1 or behind < 0:
            number = min(number + (behind > 1), piece.end - 1)
            said, motion = piece.rest(number)
            source.motion, source.number = piece.motion, number
            source.images = self._draw.draw(self.portrait, said, every(source.step, motion), self.style).images
        image = np.array(next(source.images))
        if self._label:
            self._label.apply(image)
        self.draw_seconds += perf_counter() - began
        with self._changed:
            for drawn in range(source.number, source.number + source.step):
                planned, last = self._piece_of(drawn), self._drawn[-1].number if self._drawn else -1
                if planned and planned.motion is source.motion and last < drawn and drawn >= self._now - 1:
                    self._drawn.append(Picture(drawn, image, drawn > source.number))
            self._changed.notify_all()
        source.number += source.step
