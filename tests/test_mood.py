"""A mood is read where it is clear, from words or from a voice that is unlike itself, and not where it is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from linly.audio import faster, load
from linly.chat.mood import Baseline, Manner, Mood, answering, manner, read, syllables
from linly.values import EMOTIONS, Audio, Style, Transcript


def words(text: str) -> Mood:
    language = "zh" if any("\u4e00" <= c <= "\u9fff" for c in text) else "en"
    return read(Transcript(text, language), None, Baseline())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("I am so happy, I passed my exam!", "happy"), ("我今天特别开心！", "happy"), ("我考上了！", "happy"),
        ("I feel so sad today.", "sad"), ("I'm tired and I can't sleep.", "sad"), ("我最近压力很大。", "sad"),
        ("我很难过，我的狗死了。", "sad"), ("No, this is wrong again!", "serious"), ("你又错了，太慢了。", "serious"),
        ("That does not work, listen to me.", "serious"), ("Wow, I can't believe it!", "surprised"),
        ("天哪，真没想到！", "surprised"),
    ],
)  # fmt: skip
def test_clear_words_tell_a_mood(text: str, name: str) -> None:
    found = words(text)
    assert found.name == name and found.strength >= 0.45 and found.why


@pytest.mark.parametrize(
    "text",
    [
        "What is the capital of France?", "法国的首都在哪里？", "Hello, how are you?", "你好，请问现在几点？",
        "Sorry, could you say that again?", "对不起，我没听清楚。", "Thank you very much.", "谢谢你。",
        "What is the saddest film of all?", "哪部电影最悲伤？", "Is this mushroom dangerous?",
        "I'm not worried about it.", "Tell me a funny story.", "给我讲一个好玩的笑话。",
        "I would like to know more, please.",
        "我不担心。", "Please explain the second world war.", "How do people die of hunger?", "好的，继续。", "",
    ],
)  # fmt: skip
def test_what_is_not_clear_is_neutral(text: str) -> None:
    assert words(text) == Mood()


USUAL = Manner(-20.0, 4.5, 18.0, 3.0)


def known() -> Baseline:
    baseline, rng = Baseline(), np.random.default_rng(0)
    for _ in range(6):
        baseline.add(
            Manner(*(x + rng.normal(0, s) for x, s in zip(vars(USUAL).values(), (1, 0.3, 0.4, 0.3), strict=True)))
        )
    return baseline


@pytest.mark.parametrize(
    ("spoken", "name"),
    [
        (USUAL, "neutral"), (Manner(-18, 5.0, 18.5, 3.3), "neutral"), (Manner(-26, 2.5, 15.5, 1.2), "sad"),
        (Manner(-12, 6.8, 22.0, 4.0), "serious"), (Manner(-12, 4.5, 18.0, 3.0), "neutral"),
    ],
)  # fmt: skip
def test_a_voice_unlike_itself_tells_a_mood(monkeypatch, spoken: Manner, name: str) -> None:
    monkeypatch.setattr("linly.chat.mood.manner", lambda *_: spoken)
    sound, said = Audio(np.zeros(16000, np.float32), 16000), Transcript("It is on the table.", "en")
    assert read(said, sound, known()).name == name
    assert read(said, sound, Baseline()).name == "neutral"  # nobody knows yet how this person speaks


def test_a_glad_word_in_a_flat_voice_is_not_taken_for_joy(monkeypatch) -> None:
    monkeypatch.setattr("linly.chat.mood.manner", lambda *_: Manner(-26, 3.0, 15.0, 1.0))
    sound = Audio(np.zeros(16000, np.float32), 16000)
    assert read(Transcript("I am happy.", "en"), sound, known()).name == "neutral"


def test_every_mood_has_an_answer_in_both_languages() -> None:
    for name in EMOTIONS[1:]:
        for language in ("en", "zh"):
            emotion, hint = answering(Mood(name, 0.6), language)
            assert Style(emotion=emotion) and (bool(hint) == (name != "neutral"))
            assert not hint or (any(c >= "\u4e00" for c in hint) == (language == "zh"))


def test_how_a_recording_was_spoken(speech: Path) -> None:
    sound = load(speech / "en_ljspeech_LJ001_0005.wav", max_seconds=60)
    text = (
        "The invention of movable metal letters in the middle of the fifteenth century may justly be considered as the "
        "invention of the art of printing."
    )
    plain = manner(Transcript(text, "en"), sound)
    quick = manner(Transcript(text, "en"), faster(Audio((sound.samples * 0.5).astype(np.float32), sound.rate), 1.5))
    assert plain and quick
    assert 150 < 55 * 2 ** (plain.pitch / 12) < 280 and 1 < plain.spread < 6  # a woman reads
    assert 4 < plain.rate < 7 and quick.rate == pytest.approx(1.5 * plain.rate, rel=0.15)
    assert plain.level - quick.level == pytest.approx(6, abs=1) and quick.pitch == pytest.approx(plain.pitch, abs=0.6)


def test_too_little_speech_tells_nothing_and_syllables_are_counted() -> None:
    assert manner(Transcript("no", "en"), Audio(np.zeros(40000, np.float32), 24000)) is None
    assert syllables("广州市房地产") == 6 and syllables("The weather is fine today.") == 7
