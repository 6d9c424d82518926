"""The live conversation with fake engines: turns, stopping, failing, and what is kept of each."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import fakes
import numpy as np
import pytest

from linly.chat.ears import Began, Ended, Event, Nothing, Partial
from linly.chat.live import Live
from linly.chat.memory import Memory
from linly.chat.person import Person, Tick
from linly.chat.persona import Persona
from linly.chat.talk import SORRY, Conversation
from linly.errors import EngineFailed
from linly.values import Audio, Style, Transcript

STYLE = Style(size="256", language="en")
QUIET = Audio(np.zeros(320, np.float32), 16000)


class Brain:
    """Says what it is told to, a letter at a time; knows whether it was left in the middle."""

    def __init__(self, *answers: str | Exception) -> None:
        self.answers, self.asked, self.left = list(answers), [], threading.Event()

    def think(self, turns: Any) -> Iterator[str]:
        self.asked.append(turns)
        answer = self.answers.pop(0)
        try:
            if isinstance(answer, Exception):
                raise answer
            yield from answer
        except GeneratorExit:
            self.left.set()
            raise


class FakeEars:
    """Hears what it is told to, once."""

    def __init__(self) -> None:
        self.coming: list[Event] = []
        self.speaking = self.closed = False
        self.hands_free = True

    def push(self, audio: Audio, at: float | None = None) -> list[Event]:
        events, self.coming = self.coming, []
        return events

    def close(self) -> None:
        self.closed = True


class Visit:
    """One visitor, whose stream is pulled by hand."""

    def __init__(self, folder: Any, *answers: str | Exception, user: str = "Li", memory: Memory | None = None) -> None:
        self.brain, self.ears, self.events = Brain(*answers), FakeEars(), []
        self.memory = memory or Memory(folder / "memory.sqlite")
        self.diary = self.memory.diary(user, Persona().name)
        self.conversation = Conversation(self.brain, Persona(), self.diary)
        portrait = fakes.FakeDraw().prepare(np.full((64, 64, 3), 9, np.uint8), "face")
        self.person = Person(fakes.FakeMove(), fakes.FakeDraw(), portrait, STYLE)
        speak = fakes.FakeSpeak()
        ears: Any = self.ears
        say_as = (speak, speak.voices()[0], STYLE)
        self.live = Live(self.person, ears, self.conversation, lambda language: say_as, self.events.append)

    def pull(self, until: Any) -> list[Tick]:
        """Pictures up to the first for which `until(tick)` holds."""
        ticks = []
        for _ in range(3000):
            ticks.append(self.person.next_tick(timeout=5))
            self.live.seen(ticks[-1])
            if until(ticks[-1]):
                return ticks
            threading.Event().wait(0.001)  # the other threads have something to do as well
        raise AssertionError(f"never came; {self.events}")

    def more(self, pictures: int) -> list[Tick]:
        """So many pictures more."""
        last: list[int] = []
        return self.pull(lambda tick: len(last) == pictures - 1 or last.append(tick.number))

    def told(self, kind: str) -> list[Any]:
        return [event for event in self.events if event["type"] == kind]

    def to_the_end(self, turns: int = 1) -> list[Tick]:
        return self.pull(lambda tick: len(self.told("turn")) == turns)

    def hears(self, *events: Event) -> None:
        self.ears.coming = list(events)
        self.live.hear(QUIET)


@pytest.fixture
def visit(tmp_path):
    made: list[Visit] = []

    def make(*answers: str | Exception, **more: Any) -> Visit:
        made.append(Visit(tmp_path, *answers, **more))
        return made[-1]

    yield make
    for one in made:
        one.live.gone()
        assert one.ears.closed and not one.live._thread.is_alive()


def loud(ticks: list[Tick]) -> float:
    """Seconds of sound."""
    return sum(float(np.abs(tick.samples).max()) > 0.01 for tick in ticks) / STYLE.fps


def test_a_typed_question_is_answered_in_sound_picture_and_text(visit):
    answer = "I am fine. And how are you today, my friend?"
    one = visit(answer)
    one.live.told({"type": "text", "text": " How are you? "})
    ticks = one.to_the_end()
    assert one.told("heard")[0]["text"] == "How are you?"
    assert [tick.begins.text for tick in ticks if tick.begins and tick.begins.text]
    assert one.told("reply")[0]["text"] == answer and loud(ticks) > 0.04 * len(answer)
    report = one.told("turn")[0]
    stages = [report[name] for name in ("text_s", "token_s", "clause_s", "sound_s", "frame_s")]
    assert stages == sorted(stages) and not report["stopped"] and not report["error"]
    assert [(t.role, t.text, t.heard) for t in one.diary.turns(one.conversation.id)] == [
        ("user", "How are you?", True), ("assistant", answer, True),
    ]  # fmt: skip
    assert one.brain.asked[0][-1]["content"].endswith("How are you?")


def test_the_next_question_knows_what_was_said_before(visit):
    one = visit("It is Paris.", "About two million.")
    for n, text in enumerate(("What is the capital of France?", "How many people live there?"), 1):
        one.live.told({"type": "text", "text": text})
        one.to_the_end(n)
    said = " ".join(turn["content"] for turn in one.brain.asked[1])
    assert "capital of France" in said and "It is Paris." in said


def test_who_speaks_over_the_answer_stops_it_and_history_keeps_what_was_heard(visit):
    one = visit("The first sentence is rather long. The second is never heard. Nor the third.", "Yes.")
    one.live.told({"type": "text", "text": "Tell me something."})
    one.pull(lambda tick: bool(tick.begins) and tick.begins.text.startswith("The first"))
    one.more(30)
    one.hears(Began(1.0))
    after = one.more(40)
    assert loud(after) <= 2 / STYLE.fps and all(tick.begins is None for tick in after[2:])
    turn = one.told("turn")[0]
    assert turn["stopped"] and 0 < len(turn["reply"]) < 40 and turn["reply"].startswith("The first sentence")
    kept = one.diary.turns(one.conversation.id)[-1]
    assert kept.text == turn["reply"] and not kept.heard
    heard = Transcript("Are you there?", "en")
    one.hears(Partial("Are you"), Ended(QUIET, heard, 2.0, 0.4))
    one.to_the_end(2)
    assert one.told("partial")[0]["text"] == "Are you" and one.told("reply")[-1]["text"] == "Yes."
    assert one.told("turn")[1]["text_s"] >= 0.4  # the clock runs from the end of the words


def test_the_stop_button_ends_an_answer_that_is_still_being_written(visit):
    one = visit("One sentence. " * 200)
    one.live.told({"type": "text", "text": "Go on."})
    one.pull(lambda tick: tick.state == "speaking")
    one.live.told({"type": "stop"})
    assert one.brain.left.wait(5)  # the model is told to stop; it wrote little more than was to be said
    assert len(one.told("turn")) == 1
    one.live.told({"type": "stop"})  # nothing to stop: nothing happens
    assert len(one.told("turn")) == 1


@pytest.mark.parametrize("answers", [(EngineFailed("The server is gone."),), ("<think>what",), ("",)])
def test_a_model_that_gives_nothing_is_sorry_and_the_conversation_lives_on(visit, answers):
    one = visit(*answers, "Here I am again.")
    one.live.told({"type": "text", "text": "Hello?"})
    ticks = one.to_the_end()
    assert one.told("reply")[0]["text"] == SORRY["en"] and loud(ticks) > 0.5
    assert one.told("reply")[0]["error"] == (str(answers[0]) if isinstance(answers[0], Exception) else "")
    one.live.told({"type": "text", "text": "And now?"})
    one.to_the_end(2)
    assert one.told("reply")[1]["text"] == "Here I am again."
    assert SORRY["en"] not in str(one.brain.asked[1])


def test_a_noise_stops_nobody_for_long(visit):
    one = visit("Yes.")
    one.hears(Began(0.5))
    one.hears(Nothing(1.0))
    assert not one.told("turn") and one.told("partial") == [{"type": "partial", "text": ""}]
    one.live.told({"type": "text", "text": "Still there?"})
    one.to_the_end()


def test_a_sad_user_is_answered_gently(visit):
    one = visit("I am with you.", "Good.")
    one.live.told({"type": "text", "text": "I am so sad today, my dog died."})
    one.to_the_end()
    assert one.told("mood")[0]["mood"] == "sad" and one.person.emotion == "sad"
    assert "gentle" in one.brain.asked[0][-1]["content"]
    one.live.told({"type": "text", "text": "What time is it?"})
    one.to_the_end(2)
    assert len(one.told("mood")) == 1 and one.person.emotion == "auto"
    assert "gentle" not in one.brain.asked[1][-1]["content"]


def test_two_visitors_beside_each_other_see_nothing_of_each_other(visit):
    first = visit("You are Ann.", "Ann.")
    second = visit("I do not know you.", "No.", user="Bo", memory=first.memory)
    for one, text in ((first, "My name is Ann."), (second, "Who am I?")):
        one.live.told({"type": "text", "text": text})
    first.to_the_end()
    second.to_the_end()
    first.live.told({"type": "text", "text": "Who am I?"})
    first.to_the_end(2)
    assert "Ann" in str(first.brain.asked[1]) and "Ann" not in str(second.brain.asked) + str(second.events)


def test_what_the_page_may_not_send_is_ignored(visit):
    one = visit()
    for event in (
        {},
        {"type": "text"},
        {"type": "text", "text": "  "},
        {"type": "text", "text": 5},
        {"type": "nonsense"},
    ):
        one.live.told(event)
    one.pull(lambda tick: tick.number > 3)
    assert not one.events
