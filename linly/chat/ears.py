"""The ears of a conversation: sound goes in piece by piece, turns come out, each with its text.

Silero hears when somebody begins and ends. Recognition starts at the first pause, before it is known whether the pause
is the end: if the speaker goes on, its result is thrown away; if not, it is there when the turn is over. A turn does
not end before its text is known, so a slow machine lets people pause longer and loses nothing by it.

The core has no thread and no clock of its own: everything happens in `push`, and time is what the sound says. Only
recognition runs in an executor; with `Inline` in its place recorded sound can be heard faster than it was spoken.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from time import perf_counter
from typing import Any

import numpy as np

from linly.chat.echo import Echo
from linly.chat.heard import Began, Ended, Event, Found, Inline, Nothing, Open, Partial
from linly.chat.unfinished import unfinished
from linly.hear.vad import FRAME, RATE, SECONDS, To16k, Vad
from linly.values import Audio, Floats, Transcript

__all__ = ["Began", "Ears", "Ended", "Event", "Inline", "Nothing", "Partial", "patience"]

SPEECH, HUSH = 0.5, 0.35
"""probability from which on a frame is speech, and below which it begins a pause"""
START = 4
"""frames of speech among the last START + 2 (130 of 190 ms) that begin a turn; where the avatar speaks, not its echo"""
BEFORE, CLOSE = 20, 6
"""frames kept from before the beginning (640 ms), for a short first word is hardly noticed before the second; and where
the button tells the beginning or the avatar spoke until then"""
PAUSE = 4
"""frames of a pause (130 ms) after which the text is looked for"""
ASKED, USUAL, UNFINISHED = 11, 15, 32
"""frames of silence that end a turn: after a question (350 ms), usually (480 ms), and where words are to come (1 s)"""
LEAST = 6
"""frames of speech (190 ms) that a turn has at least; less is a cough or a click"""
LONGEST = 30.0
"""seconds of a turn"""
EVERY, SHARE = 32, 0.2
"""frames between two looks at the text while somebody speaks, and their least share of the turn: a longer turn
takes longer to look at, and that must not be under way when the turn ends"""
SURE = 2.0
"""seconds of speech from which a language may be told for the whole conversation"""
OWN = (0.75, 0.88, 0.92)
"""A share of the sound explained by what the avatar says below which it is somebody else: where one look says so, two
in a row, three in a row. Measured in 120 rooms: no echo alone fell below, and a person as loud as the echo did within
0.2 s. A look at each frame; of 3074 looks at echoes the lowest share was 0.90."""
LISTEN = 64
"""frames that are compared with what was played (2 s)"""


class Ears:
    """One user's ears; their methods may be called from several threads."""

    def __init__(
        self,
        hear: Any,
        language: str = "auto",
        *,
        echo: Echo | None = None,
        executor: Executor | None = None,
        hands_free: bool = True,
    ) -> None:
        """`hear`: a hear engine; one that has `quick` (see hear/whisper.py) is asked for that.

        `language`: ISO 639-1, or "auto" to find it in the first turn that is long enough, and keep it.
        Raises EngineUnavailable if the voice detector is not there.
        """
        self.language = language
        self.hands_free = hands_free
        self.speaking = False
        """set by the conversation while the avatar is heard: then only clear speech that is not its echo begins"""
        self._hear = getattr(hear, "quick", None) or (lambda audio, language, rough=False: hear.hear(audio, language))
        self._echo = echo
        self._own = None if executor else ThreadPoolExecutor(1, thread_name_prefix="linly-ears")
        self._work: Executor = executor or self._own or Inline()
        self._vad, self._to16k = Vad(), To16k()
        self._rest: Floats = np.zeros(0, np.float32)
        self._time = 0.0
        self._before: deque[Floats] = deque(maxlen=LISTEN)
        self._lately: deque[bool] = deque(maxlen=START + 2)
        self._turn: Open | None = None
        self._closing: deque[Open] = deque()
        self._held = False
        self._lock = threading.RLock()
        self._looks: deque[float] = deque(maxlen=len(OWN))
        self._since = 0

    @property
    def listening(self) -> bool:
        """A turn is under way."""
        return self._turn is not None

    def push(self, audio: Audio, at: float | None = None) -> list[Event]:
        """The next piece of sound, of any size and rate; what happened with it, in order.

        `at`: second at which the piece began, on the clock that Echo was told; without it time goes on by the sound.
        Raises what the hear engine raises; the turn is then lost, the ears live on.
        """
        with self._lock:
            return self._push(audio, at)

    def _push(self, audio: Audio, at: float | None) -> list[Event]:
        samples = self._to16k(audio)
        if at is not None and abs(at - self._time - len(self._rest) / RATE) > 0.1:
            self._time = at - len(self._rest) / RATE
        sound = np.concatenate([self._rest, samples])
        count = len(sound) // FRAME
        self._rest = sound[count * FRAME :]
        events: list[Event] = []
        found = self._vad.push(sound[: count * FRAME])
        for frame, voice in zip(sound[: count * FRAME].reshape(-1, FRAME), found, strict=True):
            self._time += SECONDS
            self._step(frame, float(voice), events)
        self._collect(events)
        return events

    def hold(self) -> list[Event]:
        """The button is down: everything from now on is one turn."""
        with self._lock:
            self._held = True
            return [] if self._turn else [self._begin(CLOSE)]

    def release(self) -> list[Event]:
        """The button is up: the turn is over, its text follows as soon as it is known."""
        events: list[Event] = []
        with self._lock:
            self._held = False
            if self._turn:
                self._close(events)
            self._collect(events)
        return events

    def finish(self) -> list[Event]:
        """The sound has ended: ends the turn that is open and waits for its text."""
        events: list[Event] = []
        with self._lock:
            if self._turn:
                self._close(events)
            wait([turn.guess for turn in self._closing if turn.guess])
            self._collect(events)
        return events

    def reset(self) -> None:
        """Forget the turn that is open."""
        with self._lock:
            if self._turn:
                _drop(self._turn)
            self._turn, self._held = None, False
            self._closing.clear()
            self._lately.clear()
            self._vad.reset()

    def close(self) -> None:
        """End the thread of recognition, if it is the ears' own."""
        self.reset()
        if self._own:
            self._own.shutdown(wait=False, cancel_futures=True)

    def _step(self, frame: Floats, voice: float, events: list[Event]) -> None:
        self._before.append(frame)
        self._since += 1
        self._lately.append(voice >= SPEECH)
        turn = self._turn
        if turn is None:
            if self.hands_free and self._starts():
                events.append(self._begin(CLOSE if self.speaking else BEFORE))
            return
        turn.frames.append(frame)
        if voice >= SPEECH and not (turn.guess and not turn.again):
            turn.voiced += 1
            turn.quiet = 0
            self._show(turn.guess, turn, events)
            _drop_guess(turn)
        elif turn.quiet or voice < HUSH:
            turn.quiet += 1
        turn.again = voice >= SPEECH
        self._look(turn)
        if len(turn.frames) * SECONDS >= LONGEST or (not self._held and self._over(turn)):
            self._close(events)

    def _starts(self) -> bool:
        if sum(self._lately) < START:
            self._looks.clear()
            return False
        return self._echo is None or self._somebody(self._echo)

    def _somebody(self, echo: Echo) -> bool:
        """Not the avatar's own voice."""
        sound = np.concatenate(self._before)
        self._looks.append(echo.own(Audio(sound, RATE), self._time - len(sound) / RATE))
        latest = list(self._looks)[::-1]
        return any(max(latest[: n + 1]) < own for n, own in enumerate(OWN) if n < len(latest))

    def _begin(self, before: int) -> Began:
        voiced = sum(self._lately)
        begun = len(self._lately) if voiced else 0
        kept = min(before + begun, self._since, len(self._before))
        frames = list(self._before)[len(self._before) - kept :]
        self._turn = Open(self._time - begun * SECONDS, frames, voiced)
        return Began(self._turn.began)

    def _look(self, turn: Open) -> None:
        """Ask for the text: of all at the first pause, of what there is now and then while speech goes on."""
        if turn.quiet == PAUSE and turn.voiced >= LEAST and not turn.guess:
            self._ask(turn)
        elif (
            not turn.quiet
            and len(turn.frames) - turn.looked >= max(EVERY, SHARE * len(turn.frames))
            and not _busy(turn.partial)
        ):
            turn.looked = len(turn.frames)
            turn.partial = self._work.submit(self._text, np.concatenate(turn.frames), True, perf_counter())

    def _ask(self, turn: Open) -> None:
        if turn.partial and turn.partial.cancel():
            turn.partial = None
        turn.guessed = turn.quiet
        turn.guess = self._work.submit(self._text, np.concatenate(turn.frames), False, perf_counter())

    def _text(self, samples: Floats, rough: bool, asked: float) -> tuple[Transcript, float]:
        heard = self._hear(Audio(samples, RATE), self.language, rough)
        return heard, perf_counter() - asked

    def _over(self, turn: Open) -> bool:
        if turn.quiet < ASKED:
            return False
        if turn.voiced < LEAST:
            return turn.quiet >= USUAL
        if turn.guess is None or not turn.guess.done():
            return False
        if turn.guess.exception():
            return True
        heard = turn.guess.result()[0]
        return turn.quiet >= patience(heard.text, heard.language)

    def _close(self, events: list[Event]) -> None:
        """The open turn takes nothing more."""
        turn = self._turn
        assert turn
        turn.ended = self._time - turn.quiet * SECONDS
        self._turn, self._since = None, 0
        self._lately.clear()
        if turn.voiced < LEAST:
            _drop(turn)
            events.append(Nothing(self._time))
            return
        if turn.guess is None:
            self._ask(turn)
        self._closing.append(turn)

    def _collect(self, events: list[Event]) -> None:
        """What recognition has brought since."""
        if self._turn:
            self._show(self._turn.partial, self._turn, events)
        while self._closing and self._closing[0].guess and self._closing[0].guess.done():
            turn = self._closing.popleft()
            assert turn.guess
            heard, took = turn.guess.result()
            if not re.search(r"\w", heard.text):
                events.append(Nothing(self._time))
                continue
            if self.language == "auto" and turn.voiced * SECONDS >= SURE:
                self.language = heard.language
            waited = max(turn.quiet * SECONDS, turn.guessed * SECONDS + took)
            events.append(Ended(Audio(np.concatenate(turn.frames), RATE), heard, turn.ended, round(waited, 3)))

    @staticmethod
    def _show(found: Found | None, turn: Open, events: list[Event]) -> None:
        """Give what a look at the text has brought, once."""
        if not found or not found.done() or found.cancelled() or found.exception():
            return
        text = found.result()[0].text
        if text and text != turn.shown:
            turn.shown = text
            events.append(Partial(text))


def patience(text: str, language: str) -> int:
    """Frames of silence after which somebody who said this has finished."""
    if text.rstrip().endswith(("?", "？")):
        return ASKED
    return UNFINISHED if unfinished(text, language) else USUAL


def _busy(job: Future[Any] | None) -> bool:
    return job is not None and not job.done()


def _drop_guess(turn: Open) -> None:
    if turn.guess:
        turn.guess.cancel()
        turn.guess = None


def _drop(turn: Open) -> None:
    _drop_guess(turn)
    if turn.partial:
        turn.partial.cancel()
