"""The speaker encoder: the same numbers as the network it was taken from, the same person near, another one far."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from linly import audio
from linly.errors import EngineFailed, EngineUnavailable, InputError
from linly.speak import encoder as speaker
from linly.speak.encoder import SpeakerEncoder, similarity
from linly.values import Audio

GOLDEN = """
AAAAAHguAAAAAIsrZC/QIQEsfSktLyYuAADZKVEYAADxJ+gXAABuIP8ikCUAAAAAAAAAAAAA8icAAAAAdSilKQAAAACuLVsury8+FM8dAAAAAAAACi4A
ALcxAACKKbsjkiUoFQAAiyUAAAAAAAAAAMstAAAHJgAASyCgMgoxgB8AAAAA7jBIMQAAAAAAALQoAADFMEAsAAAAACEgKTIAAAUlAAAJMNItAAAYHAAA
3yAAACoqAAAAAAAAAAAAAAAAAAAAAJcjAADmHAAAjB/uGVMo1itaJwogAAAuMAAAvyMAAEQurCwAAJYsLB5ZKAAAsS6XKA8xAAC8Kw0pwQpaMQAAAAAA
AAAAny6jNF4tsCYAALEtzyVALwAAAADZG1EwAACLKvUsAADCKpApXzALMdgihSJBLu8sAAAAALQt8CkAAAAAgCndKMMoBjDaLUUpAAAAAGYVYiB2IgAA
AAD0MOgg3SxgLfQeAAClKQAAAAD5HgAAAACpLgAALik6MAEtAABOIQAAViJVKIInXi6lKAAABSnzIkwtAADOJoMl3h8AAAAAAAB6H8sqejMAAGgnAAA0
LpUoAAD0KgAAAAAAAAAAzBgAAD0pAAAAAAAAAADcIQAAAAD1KRUpYiiJLAMwnCLCKAAASyQAAMIkAAAAALgzAAA1JzQv4BWNHwAAAAA=
"""
"""what the Resemblyzer package (0.1.4, torch 2.13) itself says of `sung`, as float16"""


def sung(seconds: float = 4.0) -> Audio:
    """A hum whose pitch and formants wander: no speech, but the same on every machine."""
    t = np.arange(round(seconds * 16000)) / 16000
    phase = 2 * np.pi * np.cumsum(130 + 25 * np.sin(2 * np.pi * 0.7 * t)) / 16000
    formants = (500 + 200 * np.sin(2 * np.pi * 0.9 * t), 1500 + 500 * np.cos(2 * np.pi * 0.6 * t), 2600.0)
    out = np.zeros(len(t))
    for k in range(1, 40):
        out += sum(np.exp(-(((k * 130 - f) / 180) ** 2)) for f in formants) * np.sin(k * phase)
    return Audio((0.25 * out / np.abs(out).max()).astype(np.float32), 16000)


@pytest.fixture(scope="module")
def encoder(models) -> SpeakerEncoder:
    return speaker.opened()


def test_it_says_what_the_original_says(encoder, monkeypatch):
    monkeypatch.setattr(speaker, "_levelled", lambda samples: samples)  # where it differs from the original on purpose
    golden = np.frombuffer(base64.b64decode(GOLDEN), "<f2").astype(np.float32)
    mine = encoder.embed(sung())
    assert mine.shape == (256,) and mine.dtype == np.float32
    assert similarity(mine, golden) > 0.9995
    assert np.linalg.norm(mine) == pytest.approx(1, abs=1e-5)


def test_one_person_is_near_and_another_is_far(encoder, speech):
    lj = [encoder.embed(audio.load(p, max_seconds=60)) for p in sorted(speech.glob("*LJ001_000[15].wav"))]
    other = [encoder.embed(audio.load(p, max_seconds=60)) for p in speech.glob("*.wav") if "LJ001" not in p.name]
    assert len(lj) == len(other) == 2
    assert similarity(*lj) > 0.9
    assert max(similarity(mine, theirs) for mine in lj for theirs in other) < 0.7


def test_level_rate_and_pauses_hardly_matter(encoder, speech):
    clip = audio.load(speech / "en_ljspeech_LJ001_0005.wav", max_seconds=60)
    known = encoder.embed(clip)
    quiet = Audio(0.05 * clip.samples, clip.rate)
    half = len(clip.samples) // 2
    paused = np.concatenate([clip.samples[:half], np.zeros(3 * clip.rate, np.float32), clip.samples[half:]])
    for other in (quiet, audio.resample(clip, 48000), Audio(paused, clip.rate)):
        assert similarity(known, encoder.embed(other)) > 0.99


def test_windows_say_where_they_are(encoder, speech):
    clip = audio.load(speech / "en_ljspeech_LJ001_0005.wav", max_seconds=60)
    late = Audio(np.concatenate([np.zeros(5 * clip.rate, np.float32), clip.samples]), clip.rate)
    times, each = encoder.windows(late)
    assert len(times) == len(each) > 5 and each.shape[1] == 256
    assert times[0] > 5.3 and (np.diff(times) > 0).all() and times[-1] < late.seconds


def test_long_sound_takes_no_more_windows_than_it_should(encoder, monkeypatch):
    monkeypatch.setattr(speaker, "MOST_WINDOWS", 8)
    times, each = encoder.windows(sung(20))
    assert len(each) == 8 and times[-1] > 18


def test_even_a_moment_has_an_embedding_and_silence_has_none(encoder):
    assert encoder.embed(sung(0.3)).shape == (256,)
    with pytest.raises(InputError, match="only silence"):
        encoder.embed(audio.silence(3, 16000))


def test_a_missing_file_is_named(tmp_path, monkeypatch):
    with pytest.raises(EngineFailed, match="weights pull speaker-encoder"):
        SpeakerEncoder(tmp_path)
    monkeypatch.setenv("LINLY_WEIGHTS", str(tmp_path))
    with pytest.raises(EngineUnavailable, match="weights pull speaker-encoder"):
        speaker.opened()
