"""How voices are measured."""

from __future__ import annotations

import pytest

from linly import bench_voices, library
from linly.errors import InputError
from linly.text.heard import wrong_share


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
def test_a_recording_of_a_stock_voice_is_found_again(models, tmp_path):
    from linly import audio, registry
    from linly.values import Style

    speak = registry.open_engine("speak", "kokoro")
    voice = library.find_voice(speak, "am_michael", "en")
    text = "Good morning. The train to the coast leaves at nine, and we should take an umbrella with us."
    path = audio.write_wav(
        audio.concat(said.audio for said in speak.speak(text, voice, Style(language="en"))), tmp_path / "michael.wav"
    )
    rows = bench_voices.run([str(path)], lambda stage, done: None)
    assert [(row["tier"], row["language"]) for row in rows] == [("closest", "en"), ("closest", "zh")]
    english = rows[0]
    assert english["similarity"] > 0.8 and english["same"] > 0.7 and english["other"] is None
    assert english["errors"] < 0.1 and english["realtime_factor"] > 0
    assert "michael" in bench_voices.table(rows)
