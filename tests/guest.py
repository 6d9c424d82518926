"""Who stands behind a connection in the tests of what carries it."""

from __future__ import annotations

import threading

import fakes
import numpy as np

from linly.chat.person import Person
from linly.errors import InputError
from linly.values import Audio, Style


class Move(fakes.FakeMove):
    """The mouth is open where something is said, and only there."""

    def move(self, utterance, style):
        motion = super().move(utterance, style)
        motion.curve("open")[:] *= bool(utterance.text)
        return motion


class Guest:
    """What stands behind a connection in these tests: a person of fakes, and a record of what came in."""

    def __init__(self, session, options) -> None:
        portrait = fakes.FakeDraw().prepare(np.full((64, 64, 3), 9, np.uint8), "face")
        self.session, self.options = session, options
        self.person = Person(Move(), fakes.FakeDraw(), portrait, Style(size="256"))
        self.sound: list[np.ndarray] = []
        self.events: list[dict] = []
        self.left = threading.Event()

    def hear(self, audio: Audio) -> None:
        assert audio.rate == 16000
        self.sound.append(audio.samples)

    def told(self, event) -> None:
        self.events.append(event)
        if event["type"] == "text":
            self.person.say(next(fakes.FakeSpeak().speak(event["text"], None, Style())))
        elif event["type"] == "stop":
            self.session.send({"type": "stopped", "heard": self.person.stop().text})
        elif event["type"] == "trouble":
            raise InputError("That will not do.")

    def seen(self, tick) -> None: ...

    def gone(self) -> None:
        self.person.close()
        self.left.set()
