"""Where conversations take place: what all of one app share, and who stands behind a new visitor's connection."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Protocol

from linly import library, registry
from linly.chat.ears import Ears
from linly.chat.echo import Echo
from linly.chat.knowledge import Knowledge
from linly.chat.live import Live, SayAs
from linly.chat.memory import Memory
from linly.chat.pace import Pace, affordable, encoding
from linly.chat.person import Person, Tick
from linly.chat.persona import Persona, instructions
from linly.chat.record import Answers, Recording
from linly.chat.talk import Conversation
from linly.errors import InputError, LinlyError
from linly.stage import staged
from linly.values import SIZES, Audio, Portrait, Style, Voice

NOBODY = "nobody"
"""whose conversation is not kept"""
SIZE = "512"
ENDING = 8.0
"""seconds that a download waits for a video to be whole"""
FILES = re.compile(r"answer-\d{1,4}\.mp4|conversation\.mp4")


class Wire(Protocol):
    """A visitor's connection, as session.Session is one."""

    id: str

    def send(self, event: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True)
class Wish:
    """What a visitor's page asks for; every field may be left out."""

    user: str = ""
    """a secret that the browser keeps; empty: nothing is remembered"""
    persona: str = "lin"
    portrait: str = ""
    voice: str = ""
    language: str = "auto"
    size: str = SIZE
    think: str = ""
    conversation: str = ""
    """which one goes on; empty: a new one"""
    hands_free: bool = True
    record: bool = False
    """the whole conversation too, not only the answers"""
    mode: str = "talk"
    lang: str = "en"
    """of the page, in which the visitor is told what goes wrong"""

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Wish:
        """From an offer's options. Raises InputError for what cannot be."""
        known = {}
        for name, usual in vars(cls()).items():
            value = options.get(name, usual)
            if not isinstance(value, type(usual)) or (isinstance(value, str) and len(value) > 200):
                raise InputError(f"The option {name} cannot be {str(value)[:40]!r}; load the page again.")
            known[name] = value or usual
        wish = cls(**known | {name: options[name] for name in ("hands_free", "record") if name in options})
        if wish.size not in SIZES:
            raise InputError(f"The size must be one of {', '.join(SIZES)}.")
        return wish


class Room:
    """The conversations of one app.

    find: gives a user's persona by name, and its documents. memory: what personas remember of users.
    folder: makes a new private folder for the videos of one connection. translated: puts an English sentence into the
    language of the page.
    """

    def __init__(
        self, find: Callable[[str, str], tuple[Persona, Knowledge | None]], memory: Memory,
        folder: Callable[[], Path], translated: Callable[[str, str], str] = lambda sentence, lang: sentence,
    ) -> None:  # fmt: skip
        self._find, self._memory, self._folder, self._translated = find, memory, folder, translated
        self._folders: dict[str, Path] = {}
        self._lock = threading.Lock()
        self._other: dict[str, Callable[[Room, Told, Wish], Any]] = {}

    def welcome(self, session: Wire, options: Mapping[str, Any]) -> Any:
        """What stands behind a new connection (see session.Welcome). Raises InputError and EngineUnavailable."""
        lang = "zh" if options.get("lang") == "zh" else "en"
        try:
            wish = Wish.of(options)
            return self._other.get(wish.mode, Room._talk)(self, Told(session, lang, self._translated), wish)
        except LinlyError as error:
            raise type(error)(self._translated(str(error), lang)) from error

    def offer(self, mode: str, make: Callable[[Room, Told, Wish], Any]) -> None:
        """Let visitors ask for another `mode` than to talk with a persona."""
        self._other[mode] = make

    def file(self, id: str, name: str) -> Path | None:
        """A video of one connection, once it is whole; None if there is none of this name."""
        folder = self._folders.get(id)
        if folder is None or not FILES.fullmatch(name):
            return None
        until = monotonic() + ENDING
        while not (folder / name).is_file() and monotonic() < until:
            sleep(0.1)
        return folder / name if (folder / name).is_file() else None

    def stage(self, wish: Wish, persona: Persona, language: str) -> tuple[Person, Callable[[str], SayAs], Pace]:
        """The person of a new connection, how each language is spoken, and what size and rate were settled."""
        engines = opened("speak", "draw", "move", "move-any")
        speak, named, face = engines["speak"], wish.voice or persona.voice, wish.portrait or persona.portrait
        library.known(speak, named, face)
        voice = library.find_voice(speak, named, language) if named else fitting(speak, face, language)
        wished = Style(language=language, size=wish.size)
        portrait = staged(engines["draw"], face, voice, wished)
        pace = self._pace(engines, portrait, wished)
        person = Person(
            engines["move"], engines["draw"], portrait, pace.style, move_any=engines["move-any"], language=language
        )

        def say_as(spoken: str) -> SayAs:
            one = voice if named or spoken in voice.languages else fitting(speak, portrait.id, spoken)
            return speak, one, replace(pace.style, language=spoken)

        return person, say_as, pace

    def keep(self, session: Told, person: Person, visitor: Any, whole: bool) -> Kept:
        """The visitor, with videos of what is said."""
        folder = self._folder()
        with self._lock:
            self._folders[session.id] = folder
        kept = Kept(visitor, person, folder, whole)
        session.answers = kept.answers
        return kept

    def _talk(self, session: Told, wish: Wish) -> Kept:
        persona, knowledge = self._find(wish.user, wish.persona)
        spoken = wish.language if persona.language == "auto" else persona.language
        language = spoken if spoken != "auto" else "en"
        minds = opened("hear", "think", think=wish.think)
        user = wish.user or f"{NOBODY} {session.id}"
        diary = self._memory.diary(user, persona.name)
        if wish.conversation:
            diary.turns(wish.conversation)  # it is theirs
        conversation = Conversation(minds["think"], persona, diary, knowledge, wish.conversation, language)
        person, say_as, pace = self.stage(wish, persona, language)
        try:
            echo = Echo()
            ears = Ears(minds["hear"], spoken, echo=echo, hands_free=wish.hands_free)
            live = Live(person, ears, conversation, say_as, session.send, echo)
        except BaseException:
            person.close()
            raise
        visitor = self.keep(session, person, live, wish.record)
        if not wish.user:
            visitor.forget = lambda: self._memory.erase(user)
        session.send({
            "type": "ready", "name": persona.name, "conversation": conversation.id, "size": person.size,
            "fps": pace.style.fps, "says": pace.says, "remembers": bool(wish.user), "whole": whole(session.id, wish),
        })  # fmt: skip
        if persona.greeting and not wish.conversation:
            live.greet(persona.greeting)
        return visitor

    def _pace(self, engines: Mapping[str, Any], portrait: Portrait, style: Style) -> Pace:
        with self._lock:  # two visitors who measure at once would both find the machine slow
            return affordable(engines["move"], engines["draw"], portrait, style, encoding())


class Told:
    """A connection whose sentences are in the page's language, and which tells of each turn where its video is."""

    def __init__(self, session: Wire, lang: str, translated: Callable[[str, str], str]) -> None:
        self.id, self._session, self._lang, self._translated = session.id, session, lang, translated
        self.answers: Answers | None = None
        self._known = 0

    def send(self, event: Mapping[str, Any]) -> None:
        """Tell the page; from any thread."""
        said = {name: self._translated(event[name], self._lang) for name in ("says", "error") if event.get(name)}
        if event["type"] == "error":
            said["text"] = self._translated(str(event["text"]), self._lang)
        if event["type"] == "turn" and self.answers and self.answers.count > self._known:
            self._known = self.answers.count
            said["video"] = f"{self.id}/answer-{self._known}.mp4"
        self._session.send({**event, **said})


class Kept:
    """A visitor whose answers are kept as videos, and the whole conversation if wished. Else the visitor itself."""

    def __init__(self, visitor: Any, person: Person, folder: Path, whole: bool) -> None:
        self.person, self._visitor = person, visitor
        shape = person.size, person.style.fps, person.rate
        self.answers = Answers(folder, *shape)
        self._whole = Recording(folder / "conversation.mp4", *shape) if whole else None
        self.forget: Callable[[], None] = lambda: None
        """called at the end: what is kept of somebody who is nobody"""

    def hear(self, audio: Audio) -> None:
        if self._whole:
            self._whole.hear(audio)
        self._visitor.hear(audio)

    def told(self, event: Mapping[str, Any]) -> None:
        self._visitor.told(event)

    def seen(self, tick: Tick) -> None:
        self._visitor.seen(tick)
        self.answers.add(tick)
        if self._whole:
            self._whole.add(tick)

    def gone(self) -> None:
        try:
            self._visitor.gone()
        finally:
            self.answers.close()
            if self._whole:
                self._whole.finish()
            self.forget()


def whole(id: str, wish: Wish) -> str:
    """Where the video of the whole conversation will be when it has ended; empty where none was wished."""
    return f"{id}/conversation.mp4" if wish.record else ""


def fitting(speak: Any, portrait: str, language: str) -> Voice:
    """The first voice that speaks the language and fits a sample portrait; any of the language for another one."""
    gender = next((sample.gender for sample in library.samples() if sample.name == portrait), "")
    able = [voice for voice in speak.voices() if language in voice.languages]
    alike = [voice for voice in able if not gender or voice.gender == gender]
    return next(iter(alike or able), None) or library.find_voice(speak, "", language)


def opened(*kinds: str, think: str = "") -> dict[str, Any]:
    """The engines of a conversation by kind. Raises EngineUnavailable with the reason for one that is not ready."""
    wishes = {"move": "timings", "move-any": "any-audio", "think": "answers"}
    names = {"think": think}
    made = {}
    for kind in kinds:
        room = kind.partition("-")[0]
        made[kind] = registry.open_engine(room, names.get(kind) or registry.default(room, wishes.get(kind)))
    return made


def warm(language: str, persona: Persona) -> Iterator[str]:
    """Open what a conversation needs, and use each thing once, so that the first turn is as quick as the next,
    in English and Chinese too: a visitor may change the language, and a dictionary takes a second to load.

    Yields what is being got ready, one of hear, think, speak, draw. Raises EngineUnavailable.
    """
    from linly import audio as sound

    for kind in ("think", "hear", "speak", "draw"):
        yield kind
        engine = opened(kind)[kind]
        with suppress(LinlyError):
            if kind == "hear" and hasattr(engine, "quick"):
                engine.quick(sound.silence(1.0, 16000), language)
            elif kind == "think":
                told = [
                    {"role": "system", "content": instructions(persona, language)},
                    {"role": "user", "content": "?"},
                ]
                next(iter(engine.think(told)), "")
            elif kind == "speak":
                for spoken, words in {language: "Hello.", "en": "Hello.", "zh": "你好。"}.items():
                    voice = library.find_voice(engine, persona.voice, spoken)
                    list(engine.speak(words, voice, Style(language=spoken)))
            elif kind == "draw":
                staged(engine, persona.portrait, None, replace(Style(), size=SIZE))
