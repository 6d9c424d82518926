"""Whisper hears what is said, in simplified characters, with times; and nothing where nobody speaks."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from linly.audio import load, resample
from linly.errors import EngineFailed
from linly.hear import whisper
from linly.values import Audio

RATE = 16000


@pytest.fixture(scope="module")
def hear(models):
    from linly import registry

    return registry.open_engine("hear", "whisper")


def plain(text: str) -> list[str]:
    return re.findall(r"[a-z']+|[\u4e00-\u9fff]|\d+", text.lower())


def wrong(heard: str, said: str) -> float:
    """Word (English) or character (Chinese) error rate."""
    a, b = plain(said), plain(heard)
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row = row, [i]
        for j, y in enumerate(b, 1):
            row.append(min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (x != y)))
    return row[-1] / len(a)


PRINTING = (
    "Printing, in the only sense with which we are at present concerned, differs from most if not from all the arts"
    " and crafts represented in the Exhibition"
)


@pytest.mark.slow
def test_english_is_heard_with_word_times(hear, speech: Path) -> None:
    sound = load(speech / "en_ljspeech_LJ001_0001.wav", max_seconds=60)
    heard = hear.hear(sound)
    assert heard.language == "en" and wrong(heard.text, PRINTING) <= 0.05
    assert [w.text for w in heard.words] == heard.text.split()
    for word in heard.words:  # every word lies where there is sound
        part = sound.samples[int(word.start * sound.rate) : int(word.end * sound.rate)]
        assert np.abs(part).max() > 0.01, word
    assert all(a.end <= b.start + 1e-6 for a, b in zip(heard.words, heard.words[1:], strict=False))


@pytest.mark.slow
def test_mandarin_comes_in_simplified_characters(hear, speech: Path) -> None:
    heard = hear.hear(load(speech / "zh_aishell_S0724_W0121.wav", max_seconds=60), "zh")
    assert wrong(heard.text, "广州市房地产中介协会分析") <= 0.35 and not set("廣產會協") & set(heard.text)
    assert "".join(w.text for w in heard.words) == heard.text


@pytest.mark.slow
@pytest.mark.parametrize("language", ["auto", "zh", "en"])
def test_nobody_speaking_gives_empty_text(hear, language: str) -> None:
    rng = np.random.default_rng(0)
    t = np.arange(RATE * 6) / RATE
    for sound in (np.zeros(RATE * 6), rng.normal(0, 0.02, RATE * 6), 0.2 * np.sin(2 * np.pi * 220 * t), np.zeros(0)):
        heard = hear.hear(Audio(sound.astype(np.float32), RATE), language)
        assert heard.text == "" and heard.words == ()


@pytest.mark.slow
def test_a_long_recording_is_heard_to_its_end_with_times_that_do_not_drift(hear, speech: Path, monkeypatch) -> None:
    monkeypatch.setattr(whisper, "WINDOW", 20.0)  # several windows without minutes of sound
    names = ("en_ljspeech_LJ001_0005.wav", "en_librispeech_1995_1837_0001.wav")
    gap = np.zeros(RATE, np.float32)
    one = np.concatenate([x for n in names for x in (resample(load(speech / n, max_seconds=60), RATE).samples, gap)])
    whole = Audio(np.concatenate([one] * 3), RATE)
    heard = hear.hear(whole, "en")
    starts = [w.start for w in heard.words if w.text.lower() == "movable"]
    assert len(starts) == 3
    np.testing.assert_allclose(np.diff(starts), len(one) / RATE, atol=0.25)


@pytest.mark.slow
def test_hearing_needs_no_network(models, speech: Path, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    engine = whisper.Whisper({"whisper-base": models / "whisper-base"})
    assert "modern" in engine.hear(load(speech / "en_ljspeech_LJ001_0002.wav", max_seconds=60), "en").text


def test_a_missing_file_is_named_and_nothing_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match=r"model\.bin.*linly weights pull whisper-base"):
        whisper.Whisper({"whisper-base": tmp_path})


def test_windows_are_cut_where_it_is_quiet_and_lose_nothing() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, int(RATE * 250)).astype(np.float32)
    sound[112 * RATE : 113 * RATE] = 0
    pieces = list(whisper._windows(sound))
    assert np.array_equal(np.concatenate([p for _, p in pieces]), sound)
    assert 112 <= pieces[1][0] <= 113 and all(len(p) <= whisper.WINDOW * RATE for _, p in pieces)


@pytest.mark.parametrize(
    ("text", "no_speech", "logprob", "squeeze", "invented"),
    [
        ("The weather is fine today.", 0.1, -0.2, 1.1, False),
        ("Thank you for watching!", 0.9, -1.1, 1.0, True),
        ("so so so so so so so so so so so so so so so so so so so so so so", 0.1, -0.2, 9.0, True),
        ("以下是普通话的句子", 0.2, -0.3, 0.8, True),
        ("大家好，今天天气不错。", 0.2, -0.3, 0.8, False),
    ],
)
def test_inventions_are_told_from_speech(text, no_speech, logprob, squeeze, invented) -> None:
    segment = SimpleNamespace(text=text, no_speech_prob=no_speech, avg_logprob=logprob, compression_ratio=squeeze)
    assert whisper._invented(segment, "zh") is invented


def test_mandarin_is_written_with_its_own_marks() -> None:
    assert whisper._written("廣州市,你好!", "zh") == "广州市，你好！"
    assert whisper._written("3.5, OK", "zh") == "3.5, OK" and whisper._written("Yes, sir.", "en") == "Yes, sir."
