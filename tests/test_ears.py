"""Sound in small pieces becomes turns with the right words, and what is no speech becomes none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from linly.audio import load, resample
from linly.chat.ears import UNFINISHED, USUAL, Ears, patience
from linly.chat.heard import Began, Ended, Inline, Nothing, Partial
from linly.errors import EngineFailed
from linly.hear.vad import FRAME, RATE, Vad
from linly.text.heard import wrong_share
from linly.values import Audio, Transcript

SAID = {
    "en_ljspeech_LJ001_0001": "Printing, in the only sense with which we are at present concerned, differs from most "
    "if not from all the arts and crafts represented in the Exhibition",
    "en_ljspeech_LJ001_0002": "in being comparatively modern",
    "en_ljspeech_LJ001_0005": "the invention of movable metal letters in the middle of the 15th century may justly be "
    "considered as the invention of the art of printing",
    "en_librispeech_1995_1837_0001": "it was the first great sorrow of his life it was not so much the loss of the "
    "cotton itself but the fantasy the hopes the dreams built around it",
    "zh_aishell_S0724_W0121": "广州市房地产中介协会分析",
}


class Says:
    """A hear engine that keeps what it was given and answers with `text`."""

    def __init__(self, text: str = "Fine.") -> None:
        self.text, self.given = text, []

    def hear(self, audio: Audio, language: str = "auto") -> Transcript:
        self.given.append((audio, language))
        return Transcript(self.text, "en" if language == "auto" else language)


def quiet(seconds: float, level: float = 0.001) -> np.ndarray:
    return np.random.default_rng(3).normal(0, level, round(seconds * RATE)).astype(np.float32)


def heard(ears: Ears, *parts: np.ndarray, rate: int = RATE, end: bool = True) -> list:
    """Everything that happens when the parts (16 kHz) are pushed in pieces of 20 ms at `rate`."""
    sound = resample(Audio(np.concatenate(parts).astype(np.float32), RATE), rate).samples
    size = rate // 50
    events = [e for i in range(0, len(sound), size) for e in ears.push(Audio(sound[i : i + size], rate))]
    return events + (ears.finish() if end else [])


def turns(events: list) -> list[Ended]:
    return [e for e in events if isinstance(e, Ended)]


@pytest.fixture
def said(speech: Path):
    """Gives a recording's samples by name, from the first word to the last."""

    def read(name: str) -> np.ndarray:
        samples = load(speech / f"{name}.wav", max_seconds=60, rate=RATE).samples
        spoken = np.flatnonzero(Vad().push(samples) > 0.5)
        return samples[max(0, spoken[0] - 1) * FRAME : (spoken[-1] + 1) * FRAME]

    return read


@pytest.mark.slow
@pytest.mark.parametrize("name", SAID)
def test_a_recorded_turn_is_one_turn_with_its_words(models, said, name: str) -> None:
    from linly import registry

    ears = Ears(registry.open_engine("hear", "whisper"), name[:2], executor=Inline())
    spoken = said(name)
    noise = 0.03 * float(np.sqrt(np.square(spoken).mean()))
    sound = np.concatenate([np.zeros(RATE), spoken, np.zeros(2 * RATE)])
    events = heard(ears, sound + quiet(len(sound) / RATE, noise)[: len(sound)], rate=48000, end=False)
    assert isinstance(events[0], Began) and abs(events[0].at - 1.0) < 0.35
    (turn,) = turns(events)
    text = turn.transcript.text.replace("fifteenth", "15th")
    assert wrong_share([SAID[name]], [text]) <= (0.3 if name.startswith("zh") else 0.05)
    assert abs(turn.at - 1.0 - len(spoken) / RATE) < 0.3
    assert any(isinstance(e, Partial) for e in events) and not any(isinstance(e, Nothing) for e in events)


@pytest.mark.slow
def test_a_quick_look_finds_the_language_and_invents_nothing(models, said) -> None:
    from linly import registry

    hear = registry.open_engine("hear", "whisper")
    for name in ("en_ljspeech_LJ001_0002", "zh_aishell_S0724_W0121"):
        sound = Audio(said(name), RATE)
        found = hear.quick(sound)
        assert found.language == name[:2] and wrong_share([SAID[name]], [found.text]) <= 0.3
        assert hear.quick(sound, name[:2], rough=True).language == name[:2]
    assert hear.quick(Audio(np.zeros(RATE, np.float32), RATE)) == Transcript("", "")
    assert hear.quick(Audio(quiet(3, 0.02), RATE), "en").text == ""


def test_a_turn_keeps_its_first_and_last_sound_and_pauses_do_not_cut_it(said) -> None:
    one, two = said("en_ljspeech_LJ001_0002"), said("zh_aishell_S0724_W0121")
    engine = Says()
    events = heard(Ears(engine, "en", executor=Inline()), quiet(1), one, quiet(0.25), two, quiet(2), end=False)
    (turn,) = turns(events)
    length = (len(one) + len(two)) / RATE + 0.25
    assert length + 0.15 < turn.audio.seconds < length + 1.6
    start = np.argmax(np.correlate(turn.audio.samples[:RATE], one[: RATE // 4], "valid"))
    assert start > 0.1 * RATE  # there is some sound before the first word
    assert turn.at == pytest.approx(1 + length, abs=0.3) and turn.seconds < 0.6


def test_two_questions_a_second_apart_are_two_turns(said) -> None:
    one, two = said("en_ljspeech_LJ001_0002"), said("zh_aishell_S0724_W0121")
    engine = Says()
    found = turns(heard(Ears(engine, "en", executor=Inline()), quiet(0.5), one, quiet(1), two, quiet(2), end=False))
    assert len(found) == 2
    assert abs(found[1].audio.seconds - len(two) / RATE) < 1.6


def test_who_has_not_finished_is_waited_for(said) -> None:
    one, two = said("en_ljspeech_LJ001_0002"), said("zh_aishell_S0724_W0121")
    for text, expected in (("I was tired because", 1), ("I was tired.", 2)):
        ears = Ears(Says(text), "en", executor=Inline())
        assert len(turns(heard(ears, quiet(0.5), one, quiet(0.7), two, quiet(2), end=False))) == expected


def music() -> np.ndarray:
    """Three seconds of chords of decaying tones."""
    t = np.arange(RATE // 2) / RATE
    chords = [(220, 277, 330), (196, 247, 294), (175, 220, 262)] * 2
    tones = [
        sum(np.sin(2 * np.pi * f * k * t) / k for f in chord for k in (1, 2, 3)) * np.exp(-3 * t) for chord in chords
    ]
    return (0.05 * np.concatenate(tones)).astype(np.float32)


def knock() -> np.ndarray:
    burst = np.random.default_rng(5).normal(0, 0.5, RATE // 20) * np.exp(-np.arange(RATE // 20) / 150)
    return np.concatenate([quiet(1), burst.astype(np.float32), quiet(1)])


@pytest.mark.parametrize("sound", [quiet(3), quiet(3, 0.03), knock(), music(), np.zeros(3 * RATE, np.float32)])
def test_what_is_no_speech_makes_no_turn(sound) -> None:
    engine = Says()
    events = heard(Ears(engine, executor=Inline()), sound, quiet(2, 0.0005))
    assert not turns(events) and not engine.given


def test_speech_without_words_is_nothing(said) -> None:
    events = heard(Ears(Says(" ... "), "en", executor=Inline()), said("en_ljspeech_LJ001_0002"), quiet(1.5))
    assert isinstance(events[-1], Nothing) and not turns(events)


def test_text_is_shown_while_somebody_speaks(said) -> None:
    events = heard(Ears(Says("Printing"), "en", executor=Inline()), said("en_ljspeech_LJ001_0001"), quiet(2))
    kinds = [type(e) for e in events]
    assert kinds[:2] == [Began, Partial] and kinds[-1] is Ended


def test_the_button_holds_a_turn_open_through_any_pause_and_ends_it_at_once(said) -> None:
    one = said("en_ljspeech_LJ001_0002")
    ears = Ears(Says(), "en", executor=Inline(), hands_free=False)
    assert heard(ears, one, quiet(1), end=False) == []
    assert isinstance(ears.hold()[0], Began)
    assert not turns(heard(ears, one, quiet(1.5), one, end=False))
    (turn,) = turns(ears.release())
    assert turn.audio.seconds == pytest.approx(2 * len(one) / RATE + 1.5, abs=0.4)
    assert ears.hold() and isinstance(ears.release()[0], Nothing)


def test_a_turn_ends_after_thirty_seconds(said) -> None:
    one = said("en_ljspeech_LJ001_0005")
    found = turns(heard(Ears(Says(), "en", executor=Inline()), *[one] * 5))
    assert len(found) == 2 and found[0].audio.seconds <= 30.1


def test_the_language_is_kept_from_the_first_long_turn(said) -> None:
    engine = Says()
    ears = Ears(engine, executor=Inline())
    heard(ears, said("en_ljspeech_LJ001_0002")[:RATE], quiet(1), end=False)
    assert ears.language == "auto"
    heard(ears, said("en_ljspeech_LJ001_0005")[: 4 * RATE], quiet(1), end=False)
    assert ears.language == "en"


def test_recognition_in_a_thread_comes_later_and_an_error_ends_only_its_turn(said) -> None:
    class Fails(Says):
        def hear(self, audio: Audio, language: str = "auto") -> Transcript:
            if self.text:
                raise EngineFailed("broken")
            return Transcript("Fine.", "en")

    engine, one = Fails(), said("en_ljspeech_LJ001_0002")
    ears = Ears(engine, "en")
    with pytest.raises(EngineFailed):
        heard(ears, one, quiet(0.3))
    engine.text = ""
    assert len(turns(heard(ears, one, quiet(0.3)))) == 1
    ears.close()


@pytest.mark.parametrize(
    ("text", "language", "frames"),
    [
        ("I stayed at home because.", "en", UNFINISHED), ("I would like some,", "en", UNFINISHED),
        ("我昨天没来，因为", "zh", UNFINISHED), ("我想要苹果、", "zh", UNFINISHED),
        ("That is all, thank you.", "en", USUAL), ("谢谢你。", "zh", USUAL), ("我很好", "zh", USUAL),
    ],
)  # fmt: skip
def test_unfinished_sentences_are_known(text: str, language: str, frames: int) -> None:
    assert patience(text, language) == frames
    assert patience("How are you?", "en") < USUAL and patience("你好吗？", "zh") < USUAL
