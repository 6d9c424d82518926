"""A conversation as it happens: what the microphone hears becomes turns, answers become speech and motion, and whoever
speaks over the answer stops it.

Three threads meet here: the microphone's (`hear`), the picture's (`seen`) and one that answers. The answer is pulled
sentence by sentence, at most UNSAID ahead of what is being said, so that stopping throws little away.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any

from linly.chat import mood
from linly.chat.ears import Began, Ears, Ended, Event, Nothing, Partial
from linly.chat.echo import Echo
from linly.chat.person import Person, Tick
from linly.chat.talk import Conversation, Question, Turn
from linly.errors import LinlyError
from linly.text.language import detect
from linly.values import Audio, Style, Transcript, Voice

log = logging.getLogger(__name__)
UNSAID = 2
"""utterances that may wait to be said"""
LONGEST_TEXT = 2000
"""characters of a typed question"""

BROKE = "Something went wrong here; the log says what."

Send = Callable[[Mapping[str, Any]], None]
SayAs = tuple[Any, Voice, Style]


class Live:
    """What stands behind one visitor's connection (see session.Visitor). `hear`, `told`, `seen` and `gone` may each be
    called from a thread of its own.

    say_as: gives the engine, voice and style with which a language is spoken. send: gives the page an event (a dict
    with a "type"): partial (text), mood (mood, strength, why), heard (text, language), reply (text, error), turn (the
    report of a finished turn).
    """

    def __init__(
        self, person: Person, ears: Ears, conversation: Conversation, say_as: Callable[[str], SayAs], send: Send,
        echo: Echo | None = None,
    ) -> None:  # fmt: skip
        self.person = person
        self._ears, self._echo, self._conversation, self._say_as, self._send = ears, echo, conversation, say_as, send
        self._usual = mood.Baseline()
        self._clock = perf_counter()
        self._changed = threading.Condition()
        self._next: Callable[[], Turn] | None = None
        self._stops = 0
        self._turn: Turn | None = None
        self._unsaid = 0
        self._silent_since: float | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="linly-answer", daemon=True)
        self._thread.start()

    def hear(self, audio: Audio) -> None:
        """The next piece of the microphone's sound. Raises what the hear engine raises."""
        self._act(self._ears.push(audio, self._now()))

    def told(self, event: Mapping[str, Any]) -> None:
        """An event of the page: text (text), stop, hold, release, hands_free (on), anything else is ignored."""
        kind = event.get("type")
        if kind == "text" and isinstance(event.get("text"), str) and event["text"].strip():
            text = str(event["text"]).strip()[:LONGEST_TEXT]
            self._asked(Transcript(text, detect(text)), None, perf_counter())
        elif kind == "stop":
            self.stop()
        elif kind == "hold":
            self._act(self._ears.hold())
        elif kind == "release":
            self._act(self._ears.release())
        elif kind == "hands_free":
            self._ears.hands_free = bool(event.get("on"))

    def seen(self, tick: Tick) -> None:
        """A picture and its sound leave for the user."""
        speaking = tick.state == "speaking"
        if self._echo and speaking:
            self._echo.played(Audio(tick.samples, self.person.rate), self._now())
        self._ears.speaking = speaking
        with self._changed:
            turn = self._turn
            if tick.begins is not None:
                self._unsaid = max(0, self._unsaid - 1)
                if turn:
                    turn.mark("frame_s")
                    self._mind_the_gap(turn)
            elif tick.state == "pausing" and self._silent_since is None:
                self._silent_since = perf_counter()
            self._changed.notify_all()

    def gone(self) -> None:
        """The connection has ended."""
        with self._changed:
            self._closed, self._next = True, None
            if self._turn:
                self._turn.stop()
            self._changed.notify_all()
        self._ears.close()
        self._thread.join(timeout=5)
        self.person.close()

    def ask(self, question: Question) -> None:
        """Answer this, instead of whatever is being answered."""
        self.stop()
        self._send({"type": "heard", "text": question.text, "language": question.language})
        self.person.thinking(True)
        self._begin(lambda: self._begun(question))

    def greet(self, text: str) -> None:
        """Say this first; it becomes a part of the conversation."""
        self._begin(lambda: self._conversation.greet(text, detect(text)))

    def _begin(self, turn: Callable[[], Turn]) -> None:
        with self._changed:
            self._next = turn
            self._changed.notify_all()

    def _begun(self, question: Question) -> Turn:
        turn = self._conversation.ask(question)
        self.person.emotion = mood.answering(question.mood, turn.report.language)[0]
        return turn

    def stop(self) -> None:
        """End the answer at once: nothing more is written or said; what was heard of it stays in the history."""
        with self._changed:
            turn, self._turn, self._next = self._turn, None, None
            if turn:
                turn.stop()
            heard = self.person.stop()
            if turn:
                self._send({"type": "hush"})  # the page need not wait for the picture with which it falls silent
            self.person.thinking(False)
            self._stops += 1
            self._unsaid = 0
            self._changed.notify_all()
        if turn:
            turn.finish(heard.text)
            self._told_of(turn)

    def _now(self) -> float:
        return perf_counter() - self._clock

    def _act(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Began):
                self.person.listening(True)  # first, so that the face knows how to be silent
                self.stop()
            elif isinstance(event, Partial):
                self._send({"type": "partial", "text": event.text})
            elif isinstance(event, Nothing):
                self.person.listening(False)
                self._send({"type": "partial", "text": ""})
            elif isinstance(event, Ended):
                self.person.listening(False)
                self._asked(event.transcript, event.audio, perf_counter() - event.seconds)

    def _asked(self, said: Transcript, audio: Audio | None, ended: float) -> None:
        """The user has said this, or typed it; `ended` by perf_counter."""
        felt = mood.read(said, audio, self._usual)
        if felt.name != "neutral":
            self._send({"type": "mood", "mood": felt.name, "strength": felt.strength, "why": felt.why})
        self.ask(Question(said.text.strip(), said.language or "en", felt, ended))

    def _work(self) -> None:
        """The thread that answers."""
        self._prepare()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._next is not None)
                if self._closed:
                    return
                begin, self._next, stops = self._next, None, self._stops
            assert begin
            turn = None
            try:
                turn = begin()
                if self._is_on(turn, stops):
                    self._answer(turn)
            except LinlyError as error:
                self._failed(turn, str(error))
            except Exception:
                log.exception("an answer broke")
                self._failed(turn, BROKE)
            if turn:
                self._end(turn)

    def _prepare(self) -> None:
        with self._changed:
            if self._closed or self._next is not None:
                return
        try:
            self._conversation.prepare()
        except LinlyError as error:  # whoever asks next is told
            log.info("reading ahead failed: %s", error)

    def _is_on(self, turn: Turn, stops: int) -> bool:
        """Take the turn up, unless somebody stopped it before it had begun."""
        with self._changed:
            if stops != self._stops or self._closed:
                return False
            self._turn, self._silent_since = turn, None
            return True

    def _failed(self, turn: Turn | None, why: str) -> None:
        if turn:
            turn.report.error = why
            return
        self.person.thinking(False)
        self._send({"type": "error", "text": why})

    def _answer(self, turn: Turn) -> None:
        speak, voice, style = self._say_as(turn.report.language)
        for utterance in turn.utterances(speak, voice, style):
            with self._changed:
                self._changed.wait_for(lambda: self._unsaid < UNSAID or turn.report.stopped or self._closed)
                if turn.report.stopped or self._closed:
                    return
                self._unsaid += 1
                self.person.say(replace(utterance, last=False), more=True)

    def _end(self, turn: Turn) -> None:
        """The whole answer is with the person: wait until it has been said, unless it is stopped."""
        with self._changed:
            if turn is self._turn:
                self.person.over()
        turn.written()
        self._prepare()  # while it is being said
        with self._changed:
            self._changed.wait_for(lambda: turn is not self._turn or self._closed or not self.person.answering)
            if turn is not self._turn:
                return  # stopped, and finished there
            self._turn = None
            self.person.thinking(False)
        turn.finish()
        self._told_of(turn)

    def _mind_the_gap(self, turn: Turn) -> None:
        if self._silent_since is not None:
            turn.report.gaps_s = round(turn.report.gaps_s + perf_counter() - self._silent_since, 3)
        self._silent_since = None

    def _told_of(self, turn: Turn) -> None:
        said = turn.report
        self._send({"type": "reply", "text": said.reply, "error": said.error})
        self._send({"type": "turn", **said.json()})
