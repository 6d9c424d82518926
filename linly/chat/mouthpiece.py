"""Speak for me: what the visitor types is said at once in their own voice and face. No ears, no language model.

One thread turns what waits into speech; `told` (the page) and `seen` (the picture) come from threads of their own.
Words that come while one is still being said are joined, so that they flow.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from linly.chat.person import Person, Tick
from linly.errors import InputError, LinlyError
from linly.text.language import HAN, detect
from linly.text.sentences import split
from linly.values import EMOTIONS, Audio, Style, Utterance, Voice

log = logging.getLogger(__name__)
UNSAID = 2
"""utterances that may be with the person before they begin: a stop throws little away"""
LEAD = 0.4
"""seconds before the end of a word at which the words that have come since are put into speech"""
LONGEST = 20_000
"""characters of one text"""
MOST_WAITING = 50
"""texts that may wait"""
_NO_GAP = re.compile(f"[{HAN}，。！？、；：]$|\\s$")

Send = Callable[[Mapping[str, Any]], None]


@dataclass(eq=False)
class Item:
    """Something to be said."""

    text: str
    word: bool = False
    """may be joined with the words after it"""
    keep: str = ""
    """what goes to the history once it has been said"""
    sound: Audio | None = None
    """instead of a text"""
    state: str = "waiting"
    """waiting, made (into speech), whole (all of it is with the person), or stopped"""
    begun: bool = False
    texts: list[str] = field(default_factory=list)
    """the sentences that are with the person and have not begun"""


class Mouthpiece:
    """What stands behind one visitor's connection (see session.Visitor) in this mode.

    say_as: the engine, voice and style to speak with. send: gives the page an event: saying (text), said (text),
    waiting (count), stopped (text: what was heard), error (text, lost: what was not said). keep: told each text that
    was said and is not private. In: say (text, private?), word (text, last?, private?), stop, again, attention,
    style (rate?, emotion?, language?).
    """

    def __init__(
        self, person: Person, say_as: tuple[Any, Voice, Style], send: Send, keep: Callable[[str], None] | None = None
    ) -> None:
        self.person = person
        self._speak, self._voice, self._style = say_as
        self._send, self._keep = send, keep
        self._queue: deque[Item] = deque()
        self._with_person: deque[Item] = deque()
        self._finished: deque[str] = deque()
        self._last = Item("")
        self._phrase, self._secret = "", False
        self._ends = self._now = 0.0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="linly-mouthpiece", daemon=True)
        self._thread.start()

    def hear(self, audio: Audio) -> None:
        """Nobody listens in this mode."""

    def told(self, event: Mapping[str, Any]) -> None:
        """An event of the page. Raises InputError for one that cannot be done."""
        kind, text = event.get("type"), event.get("text", "")
        private = event.get("private") is True
        if kind in ("say", "word") and (not isinstance(text, str) or len(text) > LONGEST):
            raise InputError(f"One text may have {LONGEST} characters at most: say it in parts.")
        if kind == "say":
            self.say(text, private)
        elif kind == "word":
            self.word(text, event.get("last") is True, private)
        elif kind == "stop":
            self.stop()
        elif kind == "again":
            if self._last.text:
                self._put(Item(self._last.text, keep=self._last.keep))
        elif kind == "attention":
            self._put(Item("", sound=chime(self.person.rate)), first=True)
        elif kind == "style":
            self._styled(event)

    def say(self, text: str, private: bool = False) -> None:
        """Say this after what is still waiting. Raises InputError if there is nothing in it to say."""
        text = text.strip()
        if not _sayable(text):
            raise InputError("There is nothing to say: type some words first.")
        self._last = Item(text, keep="" if private else text)
        self._put(replace(self._last, texts=[]))

    def word(self, text: str, last: bool = False, private: bool = False) -> None:
        """A finished word; last: it ends what the user wanted to say, which is then kept as one phrase."""
        text = text.strip()
        self._phrase, self._secret = glued(self._phrase, text), self._secret or private
        whole = self._phrase if _sayable(self._phrase) else ""
        keep = whole if last and not self._secret else ""
        if whole:
            self._last = Item(whole, keep="" if self._secret else whole)
        if last:
            self._phrase, self._secret = "", False
        if text or keep:
            self._put(Item(text, word=True, keep=keep))

    def stop(self) -> None:
        """Silence at once; nothing of what waits is said."""
        with self._changed:
            for item in (*self._queue, *self._with_person):
                item.state = "stopped"
            self._queue.clear()
            self._with_person.clear()
            self._phrase, self._secret, self._ends = "", False, 0.0
            heard = self.person.stop()
            self._send({"type": "stopped", "text": heard.text})
            self._send({"type": "waiting", "count": 0})
            self._changed.notify_all()

    def seen(self, tick: Tick) -> None:
        """A picture and its sound leave for the others."""
        with self._changed:
            self._now = tick.number / self.person.style.fps
            if tick.begins is not None:
                self._begins(tick.begins)
            elif self._now >= self._ends or tick.state != "speaking":
                self._over()
            self._changed.notify_all()

    def gone(self) -> None:
        """The connection has ended."""
        with self._changed:
            self._closed = True
            for item in (*self._queue, *self._with_person):
                item.state = "stopped"
            self._changed.notify_all()
        self._thread.join(timeout=5)
        self._keep_finished()
        self.person.close()

    def _styled(self, event: Mapping[str, Any]) -> None:
        rate, emotion, language = (event.get(name) for name in ("rate", "emotion", "language"))
        style = self._style
        if isinstance(rate, int | float) and not isinstance(rate, bool):
            style = replace(style, rate=float(np.clip(rate, 0.5, 2.0)))
        if emotion in EMOTIONS:
            style = replace(style, emotion=str(emotion))
            self.person.emotion = style.emotion
        if isinstance(language, str) and re.fullmatch("auto|[a-z]{2,3}", language):
            style = replace(style, language=language)
        self._style = style

    def _put(self, item: Item, first: bool = False) -> None:
        with self._changed:
            if len(self._queue) >= MOST_WAITING:
                full = "Too much is waiting to be said: wait a moment, or press Stop."
                self._send({"type": "error", "text": full, "lost": item.text})
                return
            if first:
                self._queue.appendleft(item)
            else:
                self._queue.append(item)
            self._tell_waiting()
            self._changed.notify_all()

    def _tell_waiting(self) -> None:
        waiting = [*self._queue, *(item for item in self._with_person if not item.begun)]
        self._send({"type": "waiting", "count": sum(bool(item.text) for item in waiting)})

    def _begins(self, utterance: Utterance) -> None:
        """What begins with this picture is the next that was handed to the person."""
        while self._with_person and utterance.text not in self._with_person[0].texts[:1]:
            if self._with_person[0].texts or self._with_person[0].state != "whole":
                return  # begun before a stop, shown after it
            self._done(self._with_person.popleft())
        if not self._with_person:
            return
        item = self._with_person[0]
        item.texts.pop(0)
        self._ends = self._now + utterance.audio.seconds
        if not item.begun:
            item.begun = True
            if item.text:
                self._send({"type": "saying", "text": item.text})
            self._tell_waiting()

    def _over(self) -> None:
        """Whatever has been said to its end is done."""
        while self._with_person:
            item = self._with_person[0]
            if item.texts or item.state != "whole":
                return
            self._done(self._with_person.popleft())

    def _done(self, item: Item) -> None:
        if item.text and item.begun:
            self._send({"type": "said", "text": item.text})
        if item.keep:
            self._finished.append(item.keep)

    def _work(self) -> None:
        """The thread that turns text into speech."""
        while True:
            self._keep_finished()
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._finished or self._ready())
                if self._closed:
                    return
                if not self._ready():
                    continue
                item = self._next()
            try:
                self._say(item)
            except LinlyError as error:
                self._failed(item, str(error))
            except Exception:
                log.exception("a text could not be said")
                self._failed(item, "Something went wrong here; the log says what.")

    def _ready(self) -> bool:
        """Whether the next is to be put into speech: a word only when the one before has nearly been said."""
        if not self._queue:
            return False
        unbegun = any(item.texts or item.state != "whole" for item in self._with_person)
        return not self._queue[0].word or (not unbegun and self._ends - self._now <= LEAD)

    def _next(self) -> Item:
        """The next of the queue, with the words that follow it if it is one."""
        item = self._queue.popleft()
        while item.word and not item.keep and self._queue and self._queue[0].word:
            after = self._queue.popleft()
            item = Item(glued(item.text, after.text), True, after.keep)
        item.state = "made"
        self._with_person.append(item)
        return item

    def _say(self, item: Item) -> None:
        for utterance in self._spoken(item):
            with self._changed:
                self._changed.wait_for(
                    lambda: sum(len(i.texts) for i in self._with_person) < UNSAID or item.state == "stopped"
                )
                if item.state == "stopped":
                    return
                item.texts.append(utterance.text)
                self.person.say(replace(utterance, last=False), more=True)
        with self._changed:
            if item.state == "stopped":
                return
            item.state = "whole"
            if not self._queue or self._queue[0].word:
                self.person.over()
            if not item.texts and not item.begun:
                self._over()  # nothing in it could be said: a mark between words

    def _spoken(self, item: Item) -> Iterator[Utterance]:
        if item.sound:
            yield Utterance("", item.sound, timing="exact")
            return
        style = self._style
        for line in item.text.splitlines():
            for sentence in split(line):
                if item.state == "stopped":
                    return
                if _sayable(sentence):
                    language = detect(sentence) if style.language == "auto" else style.language
                    yield from self._speak.speak(sentence, self._voice, replace(style, language=language))

    def _failed(self, item: Item, why: str) -> None:
        """It is not said, and everything else goes on."""
        with self._changed:
            if item.state == "stopped":
                return
            item.state, item.keep = "whole", ""
            self.person.over()
            if not item.begun and not item.texts and item in self._with_person:
                self._with_person.remove(item)
            self._send({"type": "error", "text": why, "lost": item.text})
            self._tell_waiting()

    def _keep_finished(self) -> None:
        while self._finished:
            text = self._finished.popleft()
            try:
                if self._keep:
                    self._keep(text)
            except LinlyError as error:
                self._send({"type": "error", "text": str(error)})


def glued(before: str, after: str) -> str:
    """Two words in a row, with the space that their script wants."""
    gap = (
        ""
        if not before or not after or _NO_GAP.search(before) or re.match(f"[{HAN}，。！？、；：,.!?;:]", after)
        else " "
    )
    return before + gap + after


def chime(rate: int) -> Audio:
    """A short soft sound of two notes, so that others look up. rate: hertz."""
    t = np.arange(round(0.9 * rate)) / rate
    notes = sum(
        0.11 * np.exp(-4.5 * np.clip(t - at, 0, None)) * np.clip((t - at) / 0.02, 0, 1) * np.sin(2 * np.pi * hz * t)
        for hz, at in ((659.3, 0.0), (880.0, 0.22))
    )
    return Audio((notes * np.clip((0.9 - t) / 0.1, 0, 1)).astype(np.float32), rate)


def _sayable(text: str) -> bool:
    return any(character.isalnum() for character in text)
