"""One turn of a conversation: a question in, spoken sentences out, each as soon as it is ready.

Everything is pulled: who wants the next sentence asks the voice, the voice asks for the next clause, and that asks the
language model. So on few cores the model rests while the voice speaks its first clause, and an answer that nobody wants
any more is not written to its end.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from time import perf_counter
from typing import Any

from linly import recording
from linly.chat import context
from linly.chat.clauses import clauses
from linly.chat.knowledge import Found, Knowledge
from linly.chat.memory import Diary
from linly.chat.mood import Mood, answering
from linly.chat.persona import Persona, in_character, instructions
from linly.chat.spoken import spoken
from linly.errors import LinlyError
from linly.values import Style, Utterance, Voice

SORRY = {
    "en": "Sorry, I cannot answer just now.",
    "zh": "抱歉，我现在没法回答。",
}
"""Said where the language model gives nothing; what went wrong is shown beside it."""
HISTORY = 1200
"""characters of the conversation that the language model is reminded of; reading them takes a small model seconds"""


@dataclass(frozen=True)
class Question:
    """What the user said or typed."""

    text: str
    language: str = "en"
    """ISO 639-1"""
    mood: Mood = field(default_factory=Mood)
    """how the user seems to feel"""
    asked: float = field(default_factory=perf_counter)
    """when the user had finished, by perf_counter"""


@dataclass
class TurnReport:
    """What one turn took; filled while it goes. Seconds count from the moment the user had finished."""

    id: str
    heard: str
    language: str
    reply: str = ""
    sources: tuple[str, ...] = ()
    error: str = ""
    """one sentence, where the language model failed; the conversation goes on"""
    stopped: bool = False
    text_s: float | None = None
    """what the user said is known as text"""
    token_s: float | None = None
    """first piece of the answer"""
    clause_s: float | None = None
    """first clause handed to the voice"""
    sound_s: float | None = None
    """first sound ready to be heard"""
    frame_s: float | None = None
    """first moving picture"""
    gaps_s: float = 0.0
    """silence between sentences that came too late, in all"""

    def json(self) -> dict[str, Any]:
        return asdict(self)


class Turn:
    """An answer in the making. Take its utterances, or only its clauses, once; then `finish`."""

    def __init__(
        self, question: Question, turns: Sequence[dict[str, str]], brain: Any, persona: Persona,
        keep: Callable[[TurnReport, str, str | None], None],
    ) -> None:  # fmt: skip
        self.report = TurnReport(secrets.token_hex(6), question.text, question.language)
        self._turns, self._brain, self._persona, self._keep = turns, brain, persona, keep
        self._asked, self._written, self._keeping = question.asked, False, threading.Lock()
        self.mark("text_s")

    def begin(self, before: float = 0.0) -> None:
        """Let the clock start now, `before` seconds after the user had finished: for who had to load models first."""
        self._asked = perf_counter() - before
        self.report.text_s = round(before, 3)

    def mark(self, what: str) -> None:
        """Note when a field of the report was first reached."""
        if getattr(self.report, what) is None:
            setattr(self.report, what, round(perf_counter() - self._asked, 3))

    def stop(self) -> None:
        """End the answer: nothing more is written, and what is being written is thrown away."""
        self.report.stopped = True

    def written(self) -> None:
        """All of the answer is written, though not yet said: it becomes a part of the conversation."""
        with self._keeping:
            if not self._written and not self.report.stopped and self.report.reply not in SORRY.values():
                self._written = bool(self.report.reply)
                self._keep(self.report, self.report.reply, None)

    def finish(self, heard: str | None = None) -> None:
        """The answer was given; of one that was stopped, `heard` is what the user heard of it. Call it once."""
        with self._keeping:
            written = "" if self._written or self.report.reply in SORRY.values() else self.report.reply
            if heard is not None:
                self.report.reply = heard
            cut = self.report.stopped and (written or self._written)
            self._keep(self.report, written, self.report.reply if cut else None)

    def clauses(self) -> Iterator[str]:
        """The answer in pieces for the voice. A model that fails says so in one sentence and ends the turn, no more."""
        language = self.report.language
        try:
            answer = in_character(spoken(self._pieces()), self._persona, language)
            for clause in clauses(answer, language):
                self.mark("clause_s")
                if self.report.stopped:
                    return
                self.report.reply += clause
                yield clause
        except LinlyError as error:
            self.report.error = str(error)
        if not self.report.reply and not self.report.stopped:
            self.report.reply = SORRY.get(language, SORRY["en"])
            yield self.report.reply

    def _pieces(self) -> Iterator[str]:
        pieces = self._brain.think(self._turns)
        try:
            for piece in pieces:
                self.mark("token_s")
                if self.report.stopped:
                    return
                yield piece
        finally:
            close = getattr(pieces, "close", None)
            if close:
                close()

    def utterances(self, speak: Any, voice: Voice, style: Style) -> Iterator[Utterance]:
        """The answer as it is spoken."""
        for utterance in recording.spoken(self.clauses(), speak, voice, replace(style, language=self.report.language)):
            self.mark("sound_s")
            if self.report.stopped:
                return
            yield utterance


class Prepared:
    """In place of a language model: words that are known beforehand."""

    def __init__(self, text: str) -> None:
        self._text = text

    def think(self, turns: Sequence[dict[str, str]]) -> Iterator[str]:
        """The words, whatever was said before."""
        yield self._text


class Conversation:
    """One user's conversation with one persona.

    diary: what the persona remembers of the user. conversation: which of their conversations goes on; empty: a new one.
    language: in which it will probably be held.
    """

    def __init__(
        self, brain: Any, persona: Persona, diary: Diary, knowledge: Knowledge | None = None, conversation: str = "",
        language: str = "en",
    ) -> None:  # fmt: skip
        self.id = conversation or diary.start()
        self._brain, self._persona, self._diary, self._knowledge = brain, persona, diary, knowledge
        self._language = self._answered_in(language)

    def ask(self, question: Question) -> Turn:
        """Begin to answer. Nothing is thought before somebody takes the first clause."""
        self._language = language = self._answered_in(question.language)
        found = self._knowledge.search(question.text) if self._knowledge else []
        turns = self._turns(question.text, found, answering(question.mood, language)[1])
        self._diary.add(self.id, "user", question.text, question.language)
        turn = Turn(replace(question, language=language), turns, self._brain, self._persona, self._keep)
        turn.report.sources = tuple(context.sources(found, language))
        return turn

    def prepare(self) -> None:
        """Let the language model read what it knows already of the next question: all but the question itself. For idle
        moments; whoever asks next need not wait for it. Raises what the model raises.
        """
        read = getattr(self._brain, "read", None)
        if read:
            read(self._turns("…"))

    def _answered_in(self, language: str) -> str:
        return language if self._persona.language == "auto" else self._persona.language

    def _turns(self, question: str, found: Sequence[Found] = (), hint: str = "") -> list[dict[str, str]]:
        history, facts = self._diary.history(self.id, HISTORY), self._diary.facts()
        return context.turns(instructions(self._persona, self._language), history, facts, found, question, hint=hint)

    def greet(self, text: str, language: str) -> Turn:
        """A turn that nobody asked for: these words, and no language model."""
        return Turn(Question("", language), (), Prepared(text), self._persona, self._keep)

    def _keep(self, report: TurnReport, written: str, heard: str | None) -> None:
        """What was written becomes a part of the conversation; of an answer that was stopped, what was heard of it."""
        if written:
            self._diary.add(self.id, "assistant", written, report.language, report.sources)
        if heard is not None:
            self._diary.heard(self.id, heard)
