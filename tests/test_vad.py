"""The voice detector tells speech from noise while the sound comes in, however it is cut into pieces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from linly.audio import load
from linly.hear.vad import FRAME, RATE, Vad


def in_pieces(samples, size: int) -> np.ndarray:
    vad = Vad()
    return np.concatenate([vad.push(samples[i : i + size]) for i in range(0, len(samples), size)])


def noises() -> dict[str, np.ndarray]:
    rng, t = np.random.default_rng(0), np.arange(RATE * 3) / RATE
    click = np.zeros(RATE * 3, np.float32)
    click[RATE : RATE + 80] = rng.normal(0, 0.6, 80)
    return {
        "silence": np.zeros(RATE * 3, np.float32),
        "noise": rng.normal(0, 0.05, RATE * 3).astype(np.float32),
        "hum": (0.2 * np.sin(2 * np.pi * 220 * t)).astype(np.float32),
        "click": click,
    }


@pytest.mark.parametrize("kind", ["silence", "noise", "hum", "click"])
def test_what_is_no_speech_is_not_taken_for_it(kind: str) -> None:
    found = in_pieces(noises()[kind], 320)
    assert (found > 0.5).sum() <= 2


def test_speech_is_found_and_the_pieces_it_comes_in_change_nothing(speech: Path) -> None:
    said = load(speech / "en_ljspeech_LJ001_0002.wav", max_seconds=60, rate=RATE).samples
    quiet = np.zeros(RATE, np.float32)
    sound = np.concatenate([quiet, said, quiet])
    whole, small = in_pieces(sound, len(sound)), in_pieces(sound, 317)
    assert len(whole) == len(sound) // FRAME
    np.testing.assert_allclose(whole, small, atol=1e-4)
    from faster_whisper.vad import get_vad_model

    np.testing.assert_allclose(whole, get_vad_model()(sound[: len(whole) * FRAME].copy()).reshape(-1), atol=1e-3)
    edge = RATE // FRAME
    assert (whole[: edge - 1] < 0.35).all() and (whole[-edge // 2 :] < 0.35).all()
    assert (whole[edge + 4 : -edge - 4] > 0.5).mean() > 0.9


def test_a_new_start_forgets_the_old_sound() -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, RATE).astype(np.float32)
    vad = Vad()
    first = vad.push(sound)
    vad.reset()
    np.testing.assert_array_equal(vad.push(sound), first)
