"""One unit made: a file that holds its pictures, its sound, and what is said in it when.

A segment begins and ends in silence with the face at rest in the photo's own pose, lids open: so any two of a talk
join without a jump, and one that changes leaves its neighbours as they are. What moves in between is told by its text,
so that no two sentences move alike.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from linly import audio as sound
from linly import library, recording, registry, settings, video
from linly.batch import layout
from linly.batch.plan import layout_of
from linly.batch.values import LEAD, Made, Unit
from linly.clock import Clock
from linly.encoders import SEGMENT
from linly.errors import InputError
from linly.safety.label import NOTICE, Label
from linly.stage import staged
from linly.values import Audio, Image, Span, Utterance

RATE = 48000
"""hertz; a whole number of samples fills a picture at every usual rate"""
BLANK = (16, 16)
"""size of the pictures where only the sound is wanted"""


class Studio:
    """Engines that stay open, and the pictures that were laid out last."""

    def __init__(self) -> None:
        self._speak = registry.open_engine("speak", registry.default("speak"))
        timed = "timings" in registry.card("speak", registry.name_of(self._speak)).can
        self._time = self._speak if timed else registry.open_engine("speak", registry.default("speak", "timings"))
        self._move = registry.open_engine("move", registry.default("move", "timings"))
        self._move_any = registry.open_engine("move", registry.default("move", "any-audio"))
        self._draw = registry.open_engine("draw", registry.default("draw"))
        self._labels: dict[Any, Label] = {}
        self._laid: tuple[Any, layout.Layout] | None = None

    def make(self, unit: Unit, folder: Path) -> Made:
        """The segment's file, folder/KEY.mov, whole or not at all; made anew even if it is there.

        Raises InputError for what cannot be said or written, EngineFailed for what broke.
        """
        began = perf_counter()
        said = self._spoken(unit)
        kind, fps = layout_of(unit), unit.options.fps
        frames = round(said.audio.seconds * fps)
        path = folder / f"{unit.key}.mov"
        size, pictures = (BLANK, _still(None, frames)) if kind == "audio" else self._pictures(unit, kind, said)
        told = {
            "key": unit.key, "frames": frames, "text": unit.text, "language": said.language,
            "words": [[w.text, round(w.start, 4), round(w.end, 4)] for w in said.words],
        }  # fmt: skip
        tags = {"comment": NOTICE, "linly": json.dumps(told, ensure_ascii=False)}
        with video.Writer(path, size, fps, RATE, metadata=tags, faststart=False, kind=SEGMENT) as writer:
            writer.add(pictures, said.audio)
            writer.finish()
        return replace(_made(told), took=round(perf_counter() - began, 3))

    def _spoken(self, unit: Unit) -> Utterance:
        """One utterance that fills whole pictures."""
        style = unit.options.style(unit.language, unit.emotion)
        if not unit.text:
            silence = sound.silence(unit.frames / unit.options.fps, RATE)
            return Utterance("", silence, unit.language, timing="exact", last=True)
        style = replace(style, lexicon=unit.lexicon)
        voice = library.find_voice(self._speak, unit.voice, unit.language)
        parts = list(recording.timed(self._speak.speak(unit.text, voice, style), style, self._time, Clock()))
        if not parts:
            raise InputError(f"Nothing in {unit.text[:40]!r} can be spoken.")
        breath = Utterance("", sound.silence(LEAD, parts[0].audio.rate), parts[0].language, timing=parts[0].timing)
        whole = recording.join([breath, *parts], unit.text)
        fitted = sound.pad_to_frames(sound.resample(whole.audio, RATE), unit.options.fps)
        return replace(whole, text=unit.text, audio=fitted, start=0.0, last=True)

    def _pictures(self, unit: Unit, kind: str, said: Utterance) -> tuple[tuple[int, int], Iterator[Image]]:
        options = unit.options
        if kind == "picture":
            shown = layout.alone(options, Path(unit.slide))
            return shown.shape[1::-1], self._labelled(_still(shown, unit.frames), shown.shape[1::-1], unit.language)
        seed = int.from_bytes(hashlib.sha256(f"{options.seed} {unit.text} {unit.frames}".encode()).digest()[:4])
        style = layout.style(options, kind, replace(options.style(unit.language, unit.emotion), seed=seed))
        voice = library.find_voice(self._speak, unit.voice, unit.language)
        portrait = staged(self._draw, unit.portrait, voice, style)
        motion = (self._move_any if said.timing == "none" else self._move).move(said, style)
        drawn = self._draw.size(portrait, style)
        wish = (options, kind, unit.slide, drawn)
        if self._laid is None or self._laid[0] != wish:
            self._laid = wish, layout.arranged(options, kind, Path(unit.slide) if unit.slide else None, drawn)
        laid = self._laid[1]
        return laid.size, self._labelled(
            laid.filled(self._draw.draw(portrait, said, motion, style)), laid.size, unit.language
        )

    def _labelled(self, pictures: Iterator[Image], size: tuple[int, int], language: str) -> Iterator[Image]:
        if not settings.load().label:
            yield from pictures
            return
        wish = size, language == "zh"
        if wish not in self._labels:
            self._labels[wish] = Label(size, language)
        for image in pictures:
            self._labels[wish].apply(image)
            yield image


def _still(image: Image | None, frames: int) -> Iterator[Image]:
    """One picture again and again; None: a small black one."""
    shown = np.zeros((BLANK[1], BLANK[0], 3), np.uint8) if image is None else image
    return (shown.copy() for _ in range(frames))


def read(path: Path) -> Made | None:
    """What a segment's file tells of itself; None if it is no whole segment."""
    try:
        told = json.loads(video.read_metadata(path)["linly"])
        return _made(told) if told["key"] == path.stem else None
    except (InputError, KeyError, ValueError, TypeError, OSError):
        return None


def sound_of(path: Path) -> Audio:
    """Its sound, as it was written."""
    return sound.load(path, max_seconds=3600, rate=RATE)


def _made(told: dict[str, Any]) -> Made:
    words = tuple(Span(text, start, end) for text, start, end in told["words"])
    return Made(told["key"], told["frames"], told["text"], words, told["language"])
