"""The avatar's own voice in the microphone does not stop it; a person who speaks over it does, even a quieter one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from linly.audio import load
from linly.chat.ears import OWN, Began, Ears, Inline
from linly.chat.echo import Echo
from linly.hear.vad import FRAME, RATE, Vad
from linly.values import Audio, Style, Transcript

CASES = 20
SECONDS = 4
"""of each scene"""


def room(rng: np.random.Generator, dry: np.ndarray, seconds: float) -> np.ndarray:
    """The sound in a room (decaying noise as its impulse response), through a coloured loudspeaker."""
    size = round(seconds * RATE)
    answer = rng.normal(0, 1, size) * 10 ** (-3 * np.arange(size) / size)
    answer *= rng.uniform(0.3, 1.0) / np.sqrt(np.square(answer).sum())
    answer[0] = 1.0
    whole = 1 << (len(dry) + size).bit_length()
    hertz = np.fft.rfftfreq(whole, 1 / RATE)
    colour = np.interp(np.log2(np.maximum(hertz, 60)), np.linspace(6, 13, 8), rng.normal(0, 4, 8))
    spectrum = np.fft.rfft(dry, whole) * np.fft.rfft(answer, whole) * 10 ** (colour / 20) * (hertz > 120)
    return np.fft.irfft(spectrum)[: len(dry)]


def loud(sound: np.ndarray) -> float:
    return float(np.sqrt(np.square(sound).mean()))


def spoken(samples: np.ndarray) -> np.ndarray:
    """From the first word to the last, at one level for everybody."""
    found = np.flatnonzero(Vad().push(samples) > 0.5)
    part = samples[found[0] * FRAME : (found[-1] + 1) * FRAME]
    return 0.08 * part / loud(part)


def scene(seed: int, voices: list[np.ndarray], over: float | None) -> tuple[np.ndarray, np.ndarray, float]:
    """What is played, what the microphone hears, and when a person begins, who is `over` dB louder than the echo."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(voices))
    pause = np.zeros(round(0.15 * RATE))
    played = np.concatenate([x for i in order[1:] for x in (voices[i], pause)] * 3)[: SECONDS * RATE]
    level, delay = 10 ** (-rng.uniform(6, 30) / 20), round(rng.uniform(0, 0.6) * RATE)
    echo = room(rng, played, rng.uniform(0.15, 0.6))
    echo *= level * loud(played) / loud(echo)
    mic = np.concatenate([np.zeros(delay), echo])[: len(played)] + rng.normal(0, 0.0005, len(played))
    begins = rng.uniform(1.5, 3.0)
    if over is not None:
        person = room(rng, voices[order[0]], 0.25)[: len(mic) - round(begins * RATE)]
        mic[round(begins * RATE) :][: len(person)] += person * 10 ** (over / 20) * loud(echo) / loud(person)
    return played.astype(np.float32), mic.astype(np.float32), begins


def begun(played: np.ndarray, mic: np.ndarray) -> float | None:
    """The second at which ears begin to hear a turn while the avatar speaks."""

    class Deaf:
        def hear(self, audio: Audio, language: str = "auto") -> Transcript:
            return Transcript("yes", "en")

    echo = Echo()
    ears = Ears(Deaf(), "en", echo=echo, executor=Inline())
    ears.speaking = True
    for i in range(0, len(mic), 640):
        echo.played(Audio(played[i : i + 640], RATE), 7 + i / RATE)
        if any(isinstance(e, Began) for e in ears.push(Audio(mic[i : i + 640], RATE), 7 + i / RATE)):
            return i / RATE
    return None


def judged(voices: list[np.ndarray]) -> None:
    wrong = sum(begun(*scene(seed, voices, None)[:2]) is not None for seed in range(CASES))
    assert wrong <= 1, f"{wrong} of {CASES} echoes were taken for a person"
    for over, least in ((0.0, 0.9), (-10.0, 0.7)):
        scenes = [scene(seed, voices, over) for seed in range(CASES // 2)]
        after = [at - begins for played, mic, begins in scenes if (at := begun(played, mic)) is not None]
        assert len(after) >= least * len(scenes), f"{len(after)} of {len(scenes)} persons at {over} dB were heard"
        assert min(after) > -0.05 and np.median(after) < 0.5


@pytest.mark.slow
def test_recorded_voices_and_their_echoes(speech: Path) -> None:
    judged([spoken(load(path, max_seconds=60, rate=RATE).samples) for path in sorted(speech.glob("*.wav"))])


@pytest.mark.slow
def test_synthetic_voices_and_their_echoes(models) -> None:
    from linly import registry
    from linly.audio import resample

    speak = registry.open_engine("speak", "kokoro")
    stock = {voice.id: voice for voice in speak.voices()}
    said = (
        ("af_heart", "en", "The quick river runs past the old mill, and nobody knows how deep it is."),
        ("am_adam", "en", "Please tell me what the weather will be like tomorrow morning."),
        ("zf_xiaoxiao", "zh", "图书馆星期五关门比较早，请大家上午把书还回来。"),
        ("zm_yunxi", "zh", "去年春天，妹妹在屋后种了三棵苹果树。"),
    )
    voices = []
    for name, language, text in said:
        sound = next(iter(speak.speak(text, stock[name], Style(language=language)))).audio
        voices.append(spoken(resample(sound, RATE).samples))
    judged(voices)


def tones(seed: int, seconds: float = 3.0) -> np.ndarray:
    """Something like a voice: a gliding buzz in syllables, different for each seed."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    knots = np.linspace(0, seconds, round(seconds * 4))
    pitch = np.interp(t, knots, rng.uniform(110, 240, len(knots)))
    level = np.interp(t, knots, rng.uniform(0, 1, len(knots)) ** 2)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    colours = [np.interp(t, knots, rng.uniform(0, 1, len(knots))) for _ in range(20)]
    return (0.05 * level * sum(c * np.sin(k * phase) for k, c in enumerate(colours, 1))).astype(np.float32)


def test_what_was_played_explains_what_comes_back_and_nothing_else() -> None:
    played, other = tones(0), tones(1)
    for delay in (0.0, 0.3, 0.6):
        echo = Echo()
        echo.played(Audio(played, RATE), 5.0)
        back = np.concatenate([np.zeros(round(delay * RATE)), 0.1 * played])[: len(played)].astype(np.float32)
        noise = np.random.default_rng(2).normal(0, 1e-4, len(back)).astype(np.float32)
        assert echo.own(Audio(back + noise, RATE), 5.0) > OWN[-1]
        assert echo.own(Audio(back + 0.1 * other + noise, RATE), 5.0) < OWN[-1]
        assert echo.own(Audio(0.1 * other + noise, RATE), 5.0) < OWN[-1]


def test_sound_that_was_played_long_ago_or_never_explains_nothing() -> None:
    echo = Echo()
    assert echo.own(Audio(tones(1), RATE), 5.0) == 0.0
    echo.played(Audio(tones(0), RATE), 5.0)
    assert echo.own(Audio(tones(0), RATE), 30.0) == 0.0


def test_pieces_of_any_rate_are_one_sound() -> None:
    from linly.audio import resample

    echo, played = Echo(), tones(3)
    fine = resample(Audio(played, RATE), 24000).samples
    for i in range(0, len(fine), 960):  # 40 ms, told a little early or late
        echo.played(Audio(fine[i : i + 960], 24000), i / 24000 + 0.01 * (i % 3))
    assert echo.own(Audio(0.2 * played, RATE), 0.1) > OWN[-1]
