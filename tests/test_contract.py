"""One test for every engine that is ready on this machine: it keeps its contract, whoever wrote it."""

import dataclasses

import numpy as np
import pytest
from conftest import SHARED

from linly import registry
from linly.audio import load
from linly.contracts import CONTRACTS
from linly.errors import InputError
from linly.library import samples
from linly.pictures import load_image
from linly.values import CURVES, Audio, FaceMotion, Span, Style, Utterance, frame_count

pytestmark = pytest.mark.slow


def engines(kind: str) -> list[str]:
    return list(registry.names(kind))


@pytest.fixture
def opened(models, request):
    kind, name = request.param
    reason = registry.why_not(kind, name)
    if reason:
        pytest.skip(f"{kind}/{name} is not ready here: {reason}")
    engine = registry.open_engine(kind, name)
    assert isinstance(engine, CONTRACTS[kind]), f"{kind}/{name} does not keep the contract {CONTRACTS[kind].__name__}"
    return engine


def each(kind: str):
    pairs = [(kind, name) for name in engines(kind)]
    return pytest.mark.parametrize("opened", pairs, indirect=True, ids=[name for _, name in pairs])


def babble(seconds: float = 2.0) -> Utterance:
    """Vowel-like bursts with phonemes, a closed /m/ between open vowels."""
    time = np.arange(int(seconds * 24000)) / 24000
    sound = 0.3 * np.sin(2 * np.pi * 180 * time) * (np.sin(2 * np.pi * 3 * time) > -0.3)
    spans = tuple(Span("ma"[i % 2], 0.2 + i * 0.15, 0.35 + i * 0.15) for i in range(10) if 0.35 + i * 0.15 < seconds)
    return Utterance("ma ma ma", Audio(sound.astype(np.float32), 24000), "en", (), spans, "exact")


@each("speak")
def test_speak(opened):
    if not opened.voices():
        pytest.skip("it speaks in the voice of a sample: tests/test_zeroshot.py")
    voice = opened.voices()[0]
    said = list(opened.speak("Good morning. How are you?", voice, Style(language="en")))
    assert len(said) >= 1 and all(u.audio.seconds > 0.3 and np.abs(u.audio.samples).max() <= 1 for u in said)
    if "timings" in registry.card("speak", registry.name_of(opened)).can:
        assert all(u.timing == "exact" and u.phonemes and u.words for u in said)
    again = list(opened.speak("Good morning. How are you?", voice, Style(language="en")))
    assert [len(u.audio.samples) for u in said] == [len(u.audio.samples) for u in again]
    for nothing in ("", "   ", "😀🎉", "***"):
        with pytest.raises(InputError):
            list(opened.speak(nothing, voice, Style(language="en")))


@each("hear")
def test_hear(opened):
    silent = opened.hear(Audio(np.zeros(32000, np.float32), 16000), "en")
    assert silent.text == "" and silent.words == ()
    sound = SHARED / "data" / "speech" / "en_ljspeech_LJ001_0002.wav"
    if not sound.is_file():
        pytest.skip("the shared speech recordings are not beside this checkout")
    heard = opened.hear(load(sound, max_seconds=30, rate=16000), "auto")
    assert heard.language == "en" and "modern" in heard.text.lower()
    starts = [w.start for w in heard.words]
    assert starts == sorted(starts) and heard.words[-1].end <= 1.95


@each("move")
@pytest.mark.parametrize("fps", [25, 30])
def test_move(opened, fps):
    utterance = babble()
    motion = opened.move(utterance, Style(fps=fps, seed=3))
    assert len(motion) == frame_count(2.0, fps) and motion.fps == fps and motion.names == CURVES
    assert np.array_equal(motion.curves, opened.move(utterance, Style(fps=fps, seed=3)).curves)
    assert motion.curve("open").max() > 0.2 and motion.curve("open")[[0, -1]].max() <= 0.02
    low, high = motion.curves.min(axis=0), motion.curves.max(axis=0)
    signed = np.isin(CURVES, ("smile", "brow", "gaze_x", "gaze_y", "breath"))
    assert (low >= np.where(signed, -1, 0)).all() and (high <= 1).all() and np.abs(motion.head).max() < 12


@each("draw")
@pytest.mark.parametrize("size", ["256", "512"])
def test_draw(opened, size):
    portrait = opened.prepare(load_image(samples()[0].path), "sample")
    utterance = dataclasses.replace(babble(0.2), phonemes=())
    curves = np.zeros((5, len(CURVES)), np.float32)
    curves[1:4, CURVES.index("open")] = curves[:, CURVES.index("talk")] = 1
    curves[[0, 4], CURVES.index("talk")] = 0
    motion = FaceMotion(25, curves, np.zeros((5, 3), np.float32))
    frames = opened.draw(portrait, utterance, motion, Style(size=size))
    pictures = [image.copy() for image in frames]
    assert frames.size == opened.size(portrait, Style(size=size)) and max(frames.size) == int(size)
    assert len(pictures) == frames.count == 5
    assert all(p.shape == (frames.size[1], frames.size[0], 3) and p.dtype == np.uint8 for p in pictures)
    assert np.array_equal(pictures[0], pictures[4]) and np.abs(pictures[0].astype(int) - pictures[2]).max() > 40


@each("draw")
def test_draw_refuses_a_picture_without_a_face(opened):
    grey = np.full((400, 400, 3), 127, np.uint8)
    with pytest.raises(InputError, match=r"[Nn]o face"):
        opened.prepare(grey, "grey")
