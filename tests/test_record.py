"""A conversation kept as videos: what was seen and heard, in step, and nothing half-written."""

from __future__ import annotations

import fakes
import numpy as np
import pytest

from linly import audio as sound
from linly import video
from linly.chat.person import RATE, Person, Tick
from linly.chat.record import Answers, Recording
from linly.errors import InputError
from linly.safety.label import NOTICE
from linly.values import Audio, Style

STYLE, SIZE = Style(size="256"), (64, 64)
EACH = RATE // STYLE.fps


def tone(pitch: float, count: int, rate: int = RATE) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * pitch * np.arange(count) / rate)).astype(np.float32)


def tick(number: int, grey: int = 100, samples: np.ndarray | None = None) -> Tick:
    return Tick(
        number, np.full((64, 64, 3), grey, np.uint8), np.zeros(EACH, np.float32) if samples is None else samples, "idle"
    )


def loudness_at(audio: Audio, pitch: float) -> float:
    """Share of the sound's power within 10 Hz of a pitch."""
    power = np.abs(np.fft.rfft(audio.samples)) ** 2
    at = np.fft.rfftfreq(len(audio.samples), 1 / audio.rate)
    return float(power[np.abs(at - pitch) < 10].sum() / power.sum())


def test_a_conversation_holds_both_voices_and_keeps_step(tmp_path):
    kept = Recording(tmp_path / "talk.mp4", SIZE, STYLE.fps, RATE)
    own = tone(220, 50 * EACH)
    for number in range(50):
        kept.hear(Audio(tone(400, 640, 16000), 16000))
        kept.add(tick(number, 4 * number, own[number * EACH : (number + 1) * EACH]))
    assert not (tmp_path / "talk.mp4").exists()
    made = kept.finish()
    assert (made.frames, made.seconds) == (50, pytest.approx(2.0)) and abs(made.audio_seconds - 2.0) < 0.04
    heard = sound.load(made.path, max_seconds=10)
    assert loudness_at(heard, 220) > 0.35 and loudness_at(heard, 400) > 0.35
    greys = [image.mean() for image in video.read_frames(made.path)]
    assert np.all(np.diff(greys) > 0)
    assert video.read_metadata(made.path)["comment"] == NOTICE


def test_where_the_encoder_falls_behind_pictures_repeat_and_time_stays_right(tmp_path, monkeypatch):
    monkeypatch.setattr("linly.chat.record.BEHIND", 0)
    kept = Recording(tmp_path / "talk.mp4", SIZE, STYLE.fps, RATE)
    for number in range(30):
        kept.add(tick(number, 8 * number))
    made = kept.finish()
    assert made.frames == 30 and max(image.mean() for image in video.read_frames(made.path)) < 20


def test_what_is_not_wanted_or_cannot_be_written_leaves_nothing(tmp_path):
    kept = Recording(tmp_path / "talk.mp4", SIZE, STYLE.fps, RATE)
    kept.add(tick(0))
    kept.abort()
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError):
        Recording(tmp_path / "missing" / "talk.mp4", SIZE, STYLE.fps, RATE)


def test_every_answer_is_a_video_of_its_own(tmp_path):
    portrait = fakes.FakeDraw().prepare(np.full((64, 64, 3), 9, np.uint8), "face")
    texts = ("An answer. Of two sentences.", "Another one.")
    with (
        Person(fakes.FakeMove(), fakes.FakeDraw(), portrait, STYLE) as person,
        Answers(tmp_path / "answers", person.size, STYLE.fps, person.rate) as answers,
    ):
        lengths = []
        for text in texts:
            utterances = list(fakes.FakeSpeak().speak(text, None, STYLE))
            lengths.append(sum(sound.pad_to_frames(u.audio, STYLE.fps).seconds for u in utterances))
            for utterance in utterances:
                person.say(utterance, more=utterance is not utterances[-1])
            seen = person.next_tick()
            while seen.state == "idle":
                answers.add(seen)
                seen = person.next_tick()
            while seen.state != "idle":
                answers.add(seen)
                seen = person.next_tick()
            answers.add(seen)
        answers.close()
        assert [path.name for path in answers] == ["answer-1.mp4", "answer-2.mp4"]
        for path, seconds in zip(answers, lengths, strict=True):
            assert video.probe(path).seconds == pytest.approx(seconds, abs=0.25)
            assert loudness_at(sound.load(path, max_seconds=10), 220) > 0.8
