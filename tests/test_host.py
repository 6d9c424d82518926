"""A person before an audience: each question is introduced and answered in turn, and nothing ends the show early."""

import threading
import time

import fakes
import numpy as np
import pytest

from linly.chat.audience import Questions
from linly.chat.host import Host, introduction
from linly.chat.memory import Memory
from linly.chat.person import Person
from linly.chat.persona import Persona
from linly.chat.talk import SORRY, Conversation
from linly.errors import EngineFailed
from linly.values import Style

STYLE = Style(size="256")


class Brain:
    """Repeats the question; fails where it is told to."""

    def think(self, turns):
        asked = turns[-1]["content"]
        if "broken" in asked:
            raise EngineFailed("The model is broken.")
        if "bug" in asked:
            raise ZeroDivisionError
        yield f"Reply to {asked.split()[-1]}"


class Kept:
    def __init__(self):
        self.ticks = []

    def add(self, tick):
        self.ticks.append(tick)


@pytest.fixture
def show(tmp_path):
    """Makes a Host; gives it, what it said, what it told and the ticks that left."""
    portrait = fakes.FakeDraw().prepare(np.full((64, 64, 3), 9, np.uint8), "face")
    memory, open_people = Memory(tmp_path / "memory.sqlite"), []

    def make(questions, **options):
        speak, kept, told = fakes.FakeSpeak(), Kept(), []
        person = Person(fakes.FakeMove(), fakes.FakeDraw(), portrait, STYLE)
        open_people.append(person)
        host = Host(
            person, questions, lambda name: Conversation(Brain(), Persona(), memory.diary(name or "x", "Lin")),
            lambda language: (speak, speak.voices()[0], STYLE), [kept], told=told.append, rest=0.1, **options,
        )  # fmt: skip
        return host, speak.said, told, kept.ticks

    yield make
    for person in open_people:
        person.close()
    memory.close()


def test_a_list_is_answered_in_turn_and_then_it_ends(show):
    questions = Questions()
    questions.add("Who is it", "Anna")
    questions.add("Where is Rome", "Bo")
    host, said, told, ticks = show(questions, forever=False)
    report = host.run()
    assert said == ["Anna asks: Who is it", "Reply to it", "Bo asks: Where is Rome", "Reply to Rome"]
    assert (report.answered, report.failed, report.taken) == (2, 0, 2)
    assert report.seconds == pytest.approx(len(ticks) / STYLE.fps) and ticks[-1].state == "idle"
    assert [t.begins.text for t in ticks if t.begins and t.begins.text] == said
    kinds = [e["type"] for e in told if e["type"] != "state"]
    assert kinds == ["question", "answered", "question", "answered"]
    assert told[[e["type"] for e in told].index("question")]["text"] == "Who is it"


@pytest.mark.parametrize("word", ["broken", "bug"])
def test_a_failing_model_says_one_sentence_and_the_next_question_follows(show, word):
    questions = Questions()
    questions.add(f"What is a {word} thing", "Anna")
    questions.add("Where is Rome", "Bo")
    host, said, told, _ = show(questions, forever=False)
    report = host.run()
    assert said == [f"Anna asks: What is a {word} thing", SORRY["en"][:-1], "Bo asks: Where is Rome", "Reply to Rome"]
    assert (report.answered, report.failed) == (2, 1)
    assert [bool(e["error"]) for e in told if e["type"] == "answered"] == [True, False]


def test_it_idles_until_somebody_asks_and_ends_when_stopped(show):
    questions = Questions()
    host, said, told, ticks = show(questions)
    running = threading.Thread(target=host.run)
    running.start()
    while len(ticks) < 10:
        time.sleep(0.02)
    assert not said and {t.state for t in list(ticks)} == {"idle"}
    questions.add("Who is it", "Anna")
    while not any(e["type"] == "answered" for e in told):
        time.sleep(0.02)
    assert running.is_alive() and said[-1] == "Reply to it"
    questions.add("Tell me much " + "and more " * 20)
    while ticks[-1].state != "speaking":
        time.sleep(0.02)
    host.stop()
    running.join(timeout=20)
    assert not running.is_alive() and ticks[-1].state == "idle"  # the mouth is shut, not frozen in a word


def test_it_ends_after_its_time(show):
    host, _, _, ticks = show(Questions())
    report = host.run(seconds=1.0)
    assert 1.0 <= report.seconds < 2.0 and len(ticks) == round(report.seconds * STYLE.fps)


def test_what_drawing_raises_is_told(show, monkeypatch):
    host, _, _, _ = show(Questions())
    monkeypatch.setattr(host.person, "next_tick", lambda timeout: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        host.run()


@pytest.mark.parametrize(
    ("text", "name", "others", "said"),
    [
        ("Where is Rome?", "anna_2004", 0, "anna asks: Where is Rome?"), ("I like it", "Bo", 0, "Bo says: I like it"),
        ("Where is Rome?", "", 0, "A viewer asks: Where is Rome?"), ("Hi there", "小明", 0, "A viewer says: Hi there"),
        ("Where is Rome?", "Bo", 1, "Bo and 1 other ask: Where is Rome?"),
        ("Where is Rome?", "Bo", 2, "Bo and 2 others ask: Where is Rome?"),
        ("你好吗？", "小明", 0, "小明问：你好吗？"), ("真好看", "", 0, "有观众说：真好看"),
        ("你好吗？", "小明", 2, "小明等3位观众问：你好吗？"),
    ],
)  # fmt: skip
def test_who_asks_is_said_naturally(text, name, others, said):
    questions = Questions()
    for voter in [name, *(f"v{n}" for n in range(others))]:
        questions.add(text, voter)
    asked = questions.take()
    assert asked and introduction(asked, "zh" if "？" in text or "真" in text else "en") == said
