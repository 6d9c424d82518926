"""A person before an audience: idles, takes the next question, says who asks it, answers it, and goes on.

One thread pulls the stream in real time and hands each picture with its sound to the sinks (anything with `add(tick)`
that returns at once); another thread answers.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from time import perf_counter, sleep
from typing import Any, Protocol

from linly import recording
from linly.chat.audience import Asked, Questions
from linly.chat.audience_words import asks
from linly.chat.person import Person, Tick
from linly.chat.talk import SORRY, Conversation, Question
from linly.errors import LinlyError
from linly.text.language import HAN, detect
from linly.values import Style, Utterance, Voice

log = logging.getLogger(__name__)
UNSAID = 2
"""utterances that may wait to be said"""
REST = 1.0
"""seconds of silence between an answer and the next question"""
PATIENCE = 0.3
"""part of a picture's time that the stream waits for it"""
STALL = 0.5
"""seconds behind from which on time is left out instead of made up for"""
ENDING = 0.4
"""seconds in which the mouth shuts and the stream comes to rest before it ends"""

Say = Callable[[str], tuple[Any, Voice, Style]]
"""The engine, voice and style that a language (ISO 639-1) is spoken with."""


class Sink(Protocol):
    """Where the stream goes."""

    def add(self, tick: Tick) -> None:
        """The next picture and its sound; must return at once."""


@dataclass
class Report:
    """What came of it."""

    answered: int = 0
    failed: int = 0
    """of these, how many got only an apology because the language model failed"""
    seconds: float = 0.0
    """of the stream"""
    late: int = 0
    """pictures that were not drawn in time"""
    taken: int = 0
    refused: Mapping[str, int] | None = None

    def json(self) -> dict[str, Any]:
        return asdict(self)


class Host:
    """Use `run`, from any one thread; `stop` from any.

    converse: gives each asker's conversation by their name. forever: it goes on when no question waits any more.
    told: hears of events (dicts with a "type"): question (id, text, name, votes), answered (id, reply, error) and
    state (state: as Tick.state); must return at once.
    """

    def __init__(
        self, person: Person, questions: Questions, converse: Callable[[str], Conversation], say: Say,
        sinks: Sequence[Sink], *, forever: bool = True, told: Callable[[Mapping[str, Any]], None] | None = None,
        rest: float = REST,
    ) -> None:  # fmt: skip
        self.person, self.questions = person, questions
        self.report = Report()
        self._converse, self._say, self._sinks, self._rest = converse, say, sinks, rest
        self._forever, self._told = forever, told or (lambda event: None)
        self._changed = threading.Condition()
        self._unsaid, self._over = 0, False
        self._failure: BaseException | None = None

    def run(self, seconds: float | None = None) -> Report:
        """Until every question is answered, `seconds` have gone by, or `stop`. Raises what drawing raised."""
        answers = threading.Thread(target=self._work, name="linly-host", daemon=True)
        stream = threading.Thread(target=self._play, args=(seconds,), name="linly-stream", daemon=True)
        stream.start()
        answers.start()
        try:
            while stream.is_alive():
                stream.join(0.2)  # not longer, so that Ctrl-C is heard
        finally:
            self.stop()
            stream.join(timeout=10)
            answers.join(timeout=10)
            self.report.late, self.report.taken = self.person.late, self.questions.taken
            self.report.refused = dict(self.questions.refused)
        if self._failure is not None:
            raise self._failure
        return self.report

    def stop(self) -> None:
        """End the stream soon: what is being said fades out, and the face comes to rest."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _play(self, seconds: float | None) -> None:
        """The thread that pulls the stream."""
        step = 1 / self.person.style.fps
        began, count, before, last = perf_counter(), 0, "", -1
        try:
            while last:
                behind = perf_counter() - began - count * step
                if behind > STALL:
                    began += behind
                elif behind < 0:
                    sleep(-behind)
                tick = self.person.next_tick(timeout=PATIENCE * step)
                self._seen(tick)
                for sink in self._sinks:
                    sink.add(tick)
                if tick.state != before:
                    self._told({"type": "state", "state": tick.state})
                before, count = tick.state, count + 1
                self.report.seconds = round(count * step, 3)
                if seconds is not None and count * step >= seconds:
                    self.stop()
                last -= last > 0
                if self._over and last < 0:
                    self.person.stop()
                    self.person.thinking(False)
                    last = round(ENDING / step)
        except BaseException as error:  # raised again in `run`
            self._failure = error
        finally:
            self.stop()

    def _seen(self, tick: Tick) -> None:
        with self._changed:
            if tick.begins is not None:
                self._unsaid = max(0, self._unsaid - 1)
            self._changed.notify_all()

    def _work(self) -> None:
        """The thread that answers."""
        while not self._over:
            asked = self.questions.take(timeout=0.2)
            if asked is not None:
                self._answer(asked)
            elif not self._forever:
                self.stop()

    def _answer(self, asked: Asked) -> None:
        language, error, reply = detect(asked.text), "", ""
        self._told({"type": "question", **asked.json()})
        self.person.thinking(True)
        try:
            with self._changed:
                self._unsaid = 0
            self._utter(self._spoken(introduction(asked, language), language))
            turn = self._converse(asked.name).ask(Question(asked.text, language))
            self._utter(turn.utterances(*self._say(turn.report.language)))
            turn.finish()
            reply, error = turn.report.reply, turn.report.error
        except Exception as broken:
            if not isinstance(broken, LinlyError):
                log.exception("an answer broke")
            error = str(broken) if isinstance(broken, LinlyError) else "Something went wrong here; the log says what."
            self._apologise(language)
        self._done()
        self.report.answered += 1
        self.report.failed += bool(error)
        self._told({"type": "answered", "id": asked.number, "reply": reply, "error": error})

    def _spoken(self, text: str, language: str) -> Iterator[Utterance]:
        speak, voice, style = self._say(language)
        return recording.spoken([text], speak, voice, replace(style, language=language))

    def _apologise(self, language: str) -> None:
        try:
            self._utter(self._spoken(SORRY.get(language, SORRY["en"]), language))
        except Exception:
            log.exception("not even an apology can be spoken")

    def _utter(self, utterances: Iterator[Utterance]) -> None:
        for utterance in utterances:
            with self._changed:
                self._changed.wait_for(lambda: self._unsaid < UNSAID or self._over)
                if self._over:
                    return
                self._unsaid += 1
                self.person.say(utterance, more=True)

    def _done(self) -> None:
        """Wait until everything has been said, and a moment more."""
        self.person.over()
        with self._changed:
            self._changed.wait_for(lambda: self._over or not self.person.answering)
            self.person.thinking(False)
            self._changed.wait_for(lambda: self._over, self._rest)


def introduction(asked: Asked, language: str) -> str:
    """Who asks, and what, as it is said before the answer. language: the question's, ISO 639-1."""
    name, others, question = _sayable(asked.name, language), asked.others, asks(asked.text)
    if language == "zh":
        who = (f"{name}等{others + 1}位观众" if others else name) or (f"{others + 1}位观众" if others else "有观众")
        return f"{who}{'问' if question else '说'}：{asked.text}"
    many = f"{others} other{'s' if others > 1 else ''}"
    who = (f"{name} and {many}" if others else name) or (f"{others + 1} viewers" if others else "A viewer")
    verb = ("ask" if question else "say") + ("" if others else "s")
    return f"{who} {verb}: {asked.text}"


def _sayable(name: str, language: str) -> str:
    """A name as it can be read out; empty if it cannot."""
    kept = " ".join(re.sub(r"[\W\d_]+", " ", name).split())
    if language != "zh" and re.search(rf"[{HAN}]", kept):
        return ""
    return kept
