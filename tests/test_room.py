"""A room of conversations with fake engines: who stands behind a connection, what may be asked for, what is left."""

from __future__ import annotations

import threading
import time
from typing import ClassVar

import fakes
import numpy as np
import pytest

from linly import library, portraits, registry, video
from linly.chat import room as rooms
from linly.chat.knowledge import Knowledge
from linly.chat.memory import Memory
from linly.chat.persona import Persona
from linly.chat.room import Room, Told, Wish
from linly.errors import EngineFailed, InputError
from linly.values import Audio

CAST = {"lin": Persona("Lin", greeting="Hello there."), "mute": Persona("Mute"), "zh": Persona("小林", language="zh")}


class Brain:
    asked: ClassVar[list] = []

    def __init__(self, files=None, device="cpu") -> None: ...

    def think(self, turns):
        self.asked.append(turns)
        if "fail" in turns[-1]["content"]:
            raise EngineFailed("The server is gone.")
        yield "Yes, I hear you well."


class Ears:
    """In place of the real ones, which need their model."""

    def __init__(self, hear, language, *, echo, hands_free) -> None:
        self.language, self.hands_free, self.speaking = language, hands_free, False

    def push(self, audio, at=None):
        return []

    def close(self) -> None: ...


class Wire:
    def __init__(self, id="x" * 32) -> None:
        self.id, self.events = id, []

    def send(self, event) -> None:
        self.events.append(event)

    def told(self, kind):
        return [event for event in self.events if event["type"] == kind]


@pytest.fixture
def room(fake_engines, tmp_path, monkeypatch):
    registry.engine("think", "fake", title="Fake brain", can={"answers"})(Brain)
    monkeypatch.setattr(rooms, "Ears", Ears)
    monkeypatch.setattr(rooms, "encoding", lambda: None)
    Brain.asked.clear()
    memory = Memory(tmp_path / "memory.sqlite")
    made = []

    def folder():
        made.append(tmp_path / f"job-{len(made)}")
        made[-1].mkdir()
        return made[-1]

    def find(user, name) -> tuple[Persona, Knowledge | None]:
        return CAST[name], None

    yield Room(find, memory, folder, lambda sentence, lang: f"{lang}: {sentence}")
    memory.close()


def pulled(visitor, until, most=2000):
    """The visitor's stream, pulled by hand."""
    ticks = []
    for _ in range(most):
        ticks.append(visitor.person.next_tick(timeout=5))
        visitor.seen(ticks[-1])
        if until():
            return ticks
        time.sleep(0.001)
    raise AssertionError("it never came")


def test_a_visitor_is_greeted_answered_and_can_have_each_answer_as_a_video(room):
    wire = Wire()
    visitor = room.welcome(wire, {"user": "ann", "record": True})
    pulled(visitor, lambda: wire.told("turn"))
    ready = wire.told("ready")[0]
    assert ready["name"] == "Lin" and ready["remembers"] and tuple(ready["size"]) == visitor.person.size
    assert wire.told("reply")[0]["text"] == "Hello there." and not Brain.asked
    visitor.told({"type": "text", "text": "Do you hear me?"})
    pulled(visitor, lambda: len(wire.told("turn")) == 2)
    for _ in range(30):  # the stream goes on, so that the answer is seen to have ended
        visitor.seen(visitor.person.next_tick(timeout=5))
    address = wire.told("turn")[1]["video"]
    id, name = address.split("/")
    made = room.file(id, name)
    assert id == wire.id and made and abs(video.probe(made).seconds - 0.05 * len("Yes, I hear you well")) < 1.5
    visitor.hear(Audio(np.zeros(320, np.float32), 16000))
    visitor.gone()
    whole = video.probe(room.file(id, "conversation.mp4"))
    assert whole.seconds > video.probe(made).seconds and abs(whole.seconds - whole.audio_seconds) < 1 / 25
    assert "Hello there." in str(Brain.asked[0])  # what it said first is a part of the conversation


def test_only_what_a_connection_left_is_handed_out(room, tmp_path):
    wire = Wire()
    visitor = room.welcome(wire, {"persona": "mute"})
    (tmp_path / "secret.mp4").write_bytes(b"x")
    (tmp_path / "job-0" / "secret.mp4").write_bytes(b"x")
    for name in ("../secret.mp4", "secret.mp4", "answer-1.mp4/..", "", "answer-x.mp4", "answer-1.mp4\0"):
        assert room.file(wire.id, name) is None
    assert room.file("y" * 32, "conversation.mp4") is None
    visitor.gone()


@pytest.mark.parametrize("options", [
    {"size": "4096"}, {"size": 5}, {"user": "x" * 300}, {"persona": ["lin"]}, {"portrait": "/etc/passwd"},
    {"voice": "/etc/hosts.wav"}, {"portrait": "../../x.png"}, {"record": "yes"}, {"conversation": "f" * 16},
])  # fmt: skip
def test_what_cannot_be_asked_for_is_refused_in_the_page_s_language(room, options):
    before = threading.active_count()
    with pytest.raises(InputError, match=r"^zh: "):
        room.welcome(Wire(), {"lang": "zh", "persona": "mute", **options})
    for _ in range(100):
        if threading.active_count() <= before:
            break
        time.sleep(0.05)
    assert threading.active_count() <= before  # nobody is left behind


def test_an_error_of_the_model_comes_in_the_page_s_language(room):
    wire = Wire()
    visitor = room.welcome(wire, {"persona": "mute", "lang": "zh"})
    visitor.told({"type": "text", "text": "fail please"})
    pulled(visitor, lambda: wire.told("turn"))
    assert wire.told("turn")[0]["error"] == "zh: The server is gone."
    visitor.gone()


def test_a_voice_speaks_its_language_and_fits_the_face(room):
    person, say_as, _ = room.stage(Wish(size="256"), Persona(), "en")
    with person:
        assert say_as("en")[1].id == "en_a" and say_as("zh")[1].id == "zh_b"
        assert say_as("zh")[2].language == "zh"
    person, say_as, _ = room.stage(Wish(size="256", voice="zh_b"), Persona(), "en")
    with person:
        assert say_as("en")[1].id == say_as("zh")[1].id == "zh_b"  # the one that was asked for, whatever is said


def test_other_modes_have_their_own_visitors(room):
    room.offer("echo", lambda at, session, wish: (at, type(session), wish.mode))
    assert room.welcome(Wire(), {"mode": "echo"}) == (room, Told, "echo")


def test_warming_opens_and_uses_each_engine(room, fake_engines):
    assert list(rooms.warm("en", Persona())) == ["think", "hear", "speak", "draw"]
    assert Brain.asked and registry.open_engine("speak", "fake").said == ["Hello", "你好"]


def test_the_library_knows_who_may_be_named(fake_engines):
    speak = fakes.FakeSpeak()
    library.known(speak, "en_a", library.samples()[0].name)
    library.known(speak, "anna")
    for voice, face in (("x.wav", ""), ("", "x.png"), ("", portraits.__file__)):
        with pytest.raises(InputError, match="choose another"):
            library.known(speak, voice, face)
