"""Fakes that keep the contracts: tiny, fast, and strict about what they are given."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from linly.errors import InputError
from linly.values import (
    CURVES,
    Audio,
    FaceMotion,
    Frames,
    Portrait,
    Span,
    Style,
    Transcript,
    Utterance,
    Voice,
    frame_count,
)

RATE = 24000


class FakeSpeak:
    """Says each sentence (cut at full stops) as a tone of 0.05 s a character."""

    def __init__(self, files=None, device: str = "cpu") -> None:
        self.said: list[str] = []

    def voices(self) -> list[Voice]:
        return [Voice("en_a", "Anna", "fake", ("en",), "female"), Voice("zh_b", "Bo", "fake", ("zh",), "male")]

    def speak(self, text: str, voice: Voice, style: Style) -> Iterator[Utterance]:
        pieces = [p.strip() for p in text.replace("。", ".").split(".") if p.strip()]
        if not pieces:
            raise InputError("There is nothing to say.")
        for piece in pieces:
            self.said.append(piece)
            seconds = 0.05 * len(piece) / style.rate
            time = np.arange(int(seconds * RATE)) / RATE
            sound = Audio((0.2 * np.sin(2 * np.pi * 220 * time)).astype(np.float32), RATE)
            step = sound.seconds / len(piece)
            spans = tuple(Span(c, i * step, (i + 1) * step) for i, c in enumerate(piece))
            yield Utterance(piece, sound, style.language, (Span(piece, 0, sound.seconds),), spans, "exact")


class MuteSpeak(FakeSpeak):
    """Says the same in any language, and not when it says what."""

    def voices(self) -> list[Voice]:
        return [Voice("any", "Any", "mute", ("en", "de"), "female")]

    def speak(self, text: str, voice: Voice, style: Style) -> Iterator[Utterance]:
        for said in super().speak(text, voice, style):
            yield Utterance(said.text, said.audio, said.language)


class FakeHear:
    def __init__(self, files=None, device: str = "cpu") -> None: ...

    def hear(self, audio: Audio, language: str = "auto") -> Transcript:
        end = audio.seconds
        return Transcript("one two", "en", (Span("one", 0.0, end / 2), Span("two", end / 2, end)))


class FakeMove:
    def __init__(self, files=None, device: str = "cpu") -> None: ...

    def move(self, utterance: Utterance, style: Style) -> FaceMotion:
        count = frame_count(utterance.audio.seconds, style.fps)
        curves = np.zeros((count, len(CURVES)), np.float32)
        curves[:, CURVES.index("talk")] = 1
        curves[1:-1, CURVES.index("open")] = 0.5
        return FaceMotion(style.fps, curves, np.zeros((count, 3), np.float32))


class FakeDraw:
    """Grey pictures, as bright as the mouth is open (up to 1.4, as a joint may leave it)."""

    def __init__(self, files=None, device: str = "cpu") -> None: ...

    def prepare(self, image, name: str) -> Portrait:
        if image.max() == 0:
            raise InputError("No face was found in the picture.")
        h, w = image.shape[:2]
        points = np.zeros((478, 3), np.float32)
        return Portrait(name, image, (0, 0, w, h), points, np.ones((h, w), np.float32), {"faces": 1, "advice": []})

    def size(self, portrait: Portrait, style: Style) -> tuple[int, int]:
        return (64, 64)

    def draw(self, portrait: Portrait, utterance: Utterance, motion: FaceMotion, style: Style) -> Frames:
        width, height = self.size(portrait, style)
        images = (np.full((height, width, 3), int(180 * o), np.uint8) for o in motion.curve("open"))
        return Frames((width, height), motion.fps, len(motion), images)
