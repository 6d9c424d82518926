"""What is typed is said: in order, once, and not after a stop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import fakes
import numpy as np
import pytest

from linly.chat.mouthpiece import LONGEST, Mouthpiece, chime, glued
from linly.chat.person import Person, Tick
from linly.errors import EngineFailed, InputError
from linly.values import Style

STYLE = Style(size="256", language="en")


class Speak(fakes.FakeSpeak):
    """Knows what it cannot say."""

    def __init__(self) -> None:
        super().__init__()
        self.styles: list[Style] = []

    def speak(self, text: str, voice: Any, style: Style) -> Iterator[Any]:
        self.styles.append(style)
        if "unspeakable" in text:
            raise EngineFailed("That cannot be said.")
        yield from super().speak(text, voice, style)


class Visit:
    """One visitor, whose stream is pulled by hand."""

    def __init__(self) -> None:
        portrait = fakes.FakeDraw().prepare(np.full((64, 64, 3), 9, np.uint8), "face")
        self.person = Person(fakes.FakeMove(), fakes.FakeDraw(), portrait, STYLE)
        self.events: list[Any] = []
        self.kept: list[str] = []
        self.speak = Speak()
        say_as = (self.speak, self.speak.voices()[0], STYLE)
        self.mouth = Mouthpiece(self.person, say_as, self.events.append, self.kept.append)

    def tell(self, type: str, **more: Any) -> None:
        self.mouth.told({"type": type, **more})

    def pull(self, until: Any) -> list[Tick]:
        """Pictures up to the first for which `until()` holds."""
        ticks = []
        for _ in range(4000):
            ticks.append(self.person.next_tick(timeout=5))
            self.mouth.seen(ticks[-1])
            if until():
                return ticks
            threading.Event().wait(0.001)  # the other threads have something to do as well
        raise AssertionError(f"never came; {self.events}")

    def told(self, kind: str, key: str = "text") -> list[Any]:
        return [event[key] for event in self.events if event["type"] == kind]

    def pull_said(self, count: int) -> list[str]:
        ticks = self.pull(lambda: len(self.told("said")) == count)
        return [tick.begins.text for tick in ticks if tick.begins]

    def rest(self, pictures: int = 60) -> list[Tick]:
        left = iter(range(pictures))
        return self.pull(lambda: next(left, None) is None)


@pytest.fixture
def visit():
    made = Visit()
    yield made
    made.mouth.gone()
    assert not made.mouth._thread.is_alive()


def test_texts_are_said_in_order_once_and_kept(visit):
    texts = ["First of all. Then more.", "Second.", "Third one."]
    for text in texts:
        visit.tell("say", text=text)
    assert visit.pull_said(3) == ["First of all", "Then more", "Second", "Third one"]
    assert visit.told("saying") == visit.told("said") == texts
    assert visit.told("waiting", "count")[-1] == 0 and max(visit.told("waiting", "count")) >= 2
    assert not [tick.begins for tick in visit.rest() if tick.begins]
    assert visit.kept == texts and not visit.person.answering


def test_words_that_come_while_one_is_said_are_joined(visit):
    visit.tell("word", text="Somebody")
    visit.pull(lambda: bool(visit.told("saying")))
    for word in ("please", "open", "the"):
        visit.tell("word", text=word)
    visit.tell("word", text="window.", last=True)
    assert visit.pull_said(2) == ["please open the window"]
    assert visit.told("said") == ["Somebody", "please open the window."]
    visit.rest(5)
    visit.pull(lambda: visit.kept == ["Somebody please open the window."])
    visit.tell("again")
    visit.pull_said(3)
    assert visit.told("said")[-1] == "Somebody please open the window."


def test_stop_is_silent_at_once_and_drops_what_waits(visit):
    visit.tell("say", text="A long sentence that is never heard to its end by anybody. And another.")
    visit.tell("say", text="Never begun.")
    visit.pull(lambda: bool(visit.told("saying")))
    visit.rest(10)
    visit.tell("stop")
    after = visit.rest(120)
    assert not np.concatenate([tick.samples for tick in after[1:]]).any()
    assert not [tick.begins for tick in after if tick.begins]
    assert not visit.told("said") and not visit.kept and visit.told("waiting", "count")[-1] == 0
    visit.tell("say", text="Here.")
    assert visit.pull_said(1) == ["Here"] and visit.kept in ([], ["Here."])


def test_what_is_private_is_not_kept_nor_when_repeated(visit):
    visit.tell("say", text="Hush.", private=True)
    visit.tell("again")
    visit.tell("word", text="secret", private=True)
    visit.tell("word", text="", last=True)
    visit.tell("say", text="Open.")
    visit.pull_said(4)
    visit.pull(lambda: bool(visit.kept))
    assert visit.kept == ["Open."] and visit.told("said") == ["Hush.", "Hush.", "secret", "Open."]


def test_what_cannot_be_said_is_told_and_given_back_and_the_rest_is_said(visit):
    visit.tell("say", text="unspeakable")
    visit.tell("say", text="Fine.")
    assert visit.pull_said(1) == ["Fine"]
    assert [e for e in visit.events if e["type"] == "error"] == [
        {"type": "error", "text": "That cannot be said.", "lost": "unspeakable"}
    ]
    for event in ({"text": " ... "}, {"text": "a" * (LONGEST + 1)}, {"text": 5}, {}):
        with pytest.raises(InputError):
            visit.tell("say", **event)
    visit.tell("word", text="—")
    visit.tell("nonsense")
    visit.tell("say", text="Still here.")
    assert visit.pull_said(2) == ["Still here"]


def test_style_and_the_chime(visit):
    visit.tell("style", rate=99, emotion="happy", language="zh")
    visit.tell("style", rate="quick", emotion="odd", language="../x")
    visit.tell("say", text="Hello.")
    visit.pull_said(1)
    assert (visit.speak.styles[0].rate, visit.speak.styles[0].language, visit.person.emotion) == (2.0, "zh", "happy")
    visit.tell("attention")
    sound = np.concatenate([tick.samples for tick in visit.rest(60)])
    assert 0.02 < np.abs(sound).max() < 0.3 and visit.told("said") == ["Hello."]
    assert abs(chime(48000).samples[[0, -1]]).max() < 1e-3


@pytest.mark.parametrize(("before", "after", "both"), [
    ("", "a", "a"), ("a", "b", "a b"), ("你", "好", "你好"), ("a", ",", "a,"), ("a", "", "a"), ("好。", "ok", "好。ok"),
])  # fmt: skip
def test_words_are_glued_as_their_script_wants(before, after, both):
    assert glued(before, after) == both


def test_too_much_is_refused_and_given_back(visit):
    for number in range(60):
        visit.tell("say", text=f"Number {number}.")
    refused = [event["lost"] for event in visit.events if event["type"] == "error"]
    assert refused and refused[-1] == "Number 59." and "Number 40." not in refused
    visit.tell("stop")
