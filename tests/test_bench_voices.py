"""How voices are measured."""

from __future__ import annotations

import pytest
import speakers

from linly import audio, bench_voices, library, registry, voices
from linly.errors import InputError
from linly.text.heard import wrong_share
from linly.values import Audio, Style


@pytest.mark.parametrize(
    "said, heard, share",
    [
        (["Hello, World!"], ["hello world"], 0),
        (["abcd"], ["abed"], 1 / 4),
        (["ab", "cdefgh"], ["ab", "cdef"], 2 / 8),
        (["你好，世界。"], ["你好世"], 1 / 4),
        (["ab"], ["abcd"], 1),
        ([""], [""], 0),
    ],
)
def test_errors_count_changed_added_and_lost_characters(said, heard, share):
    assert wrong_share(said, heard) == share


def test_there_must_be_somebody_to_measure(tmp_path, monkeypatch):
    monkeypatch.setenv("LINLY_LIBRARY", str(tmp_path))
    with pytest.raises(InputError, match="no voice to measure"):
        bench_voices.run([], lambda stage, done: None)


@pytest.mark.slow
def test_an_enrolled_voice_is_measured_against_another_recording(models, tmp_path, monkeypatch):
    monkeypatch.setenv("LINLY_LIBRARY", str(tmp_path / "library"))
    texts = (
        "Good morning. The train to the coast leaves at nine, and we should take an umbrella with us.",
        "When the museum opened again, hundreds of visitors were waiting in the rain to see the new paintings.",
    )
    first, other = (
        audio.write_wav(_spoken("am_michael", text, "en"), tmp_path / f"{n}.wav") for n, text in enumerate(texts)
    )
    voices.add("Michael", [first], consent="A synthetic voice.")
    rows = bench_voices.run([f"Michael={other}"], lambda stage, done: None)
    assert [(row["person"], row["tier"], row["language"]) for row in rows] == [
        ("Michael", "closest", "en"),
        ("Michael", "closest", "zh"),
    ]
    english = rows[0]
    assert english["similarity"] > 0.85 and english["same"] > 0.85 and english["other"] is None
    assert english["errors"] < 0.1 and english["realtime_factor"] > 0
    assert "Michael" in bench_voices.table(rows)
    with pytest.raises(InputError):
        bench_voices.run([f"Nobody={other}"], lambda stage, done: None)


@pytest.mark.slow
def test_people_speak_the_other_language_too(models, tmp_path):
    """Allison, recorded in English, and a Chinese man: each in both languages, like themselves and understood."""
    man = audio.concat(_spoken("zm_yunyang", text, "zh") for text in bench_voices.SENTENCES["zh"])
    recordings = [speakers.clips("allison")[0], audio.write_wav(man, tmp_path / "yunyang.wav")]
    rows = bench_voices.run([str(path) for path in recordings], lambda stage, done: None)
    assert [row["language"] for row in rows] == ["en", "zh"] * 2
    for row in rows:
        assert row["similarity"] > row["other"] + 0.15 and row["similarity"] > 0.7, row
        assert row["errors"] <= row["stock_errors"] + 0.05, row


def _spoken(voice: str, text: str, language: str) -> Audio:
    speak = registry.open_engine("speak", "kokoro")
    chosen = library.find_voice(speak, voice, language)
    return audio.concat(said.audio for said in speak.speak(text, chosen, Style(language=language)))
