"""`linly chat`: a question in, a video of the answer out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from linly import audio, cli, library, registry, video
from linly.chat.memory import Memory, default_path
from linly.errors import EngineFailed
from linly.text.heard import wrong_share
from linly.values import Audio, Style

ANSWERS: list[str | Exception] = []


class Brain:
    def __init__(self, files=None, device: str = "cpu") -> None:
        self.asked = []

    def think(self, turns):
        self.asked.append(turns)
        if isinstance(ANSWERS[0], Exception):
            raise ANSWERS[0]
        yield from ANSWERS[0]


@pytest.fixture
def brain(fake_engines, tmp_path, monkeypatch):
    Picture.fromarray(np.full((256, 256, 3), 128, np.uint8)).save(tmp_path / "face.png")
    registry.engine("think", "fake", title="Fake brain", can={"answers"})(Brain)
    monkeypatch.chdir(tmp_path)
    ANSWERS[:] = ["It is Paris. It lies on the Seine."]
    return registry.open_engine("think", "fake")._inner


def chat(capsys, *flags: str) -> tuple[int, dict]:
    code = cli.main(["chat", "--portrait", "face.png", "-o", "answer.mp4", "--json", *flags])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_question_becomes_a_video_of_the_answer(brain, capsys) -> None:
    code, said = chat(capsys, "--text", "What is the capital of France?", "--subtitles", "srt")
    assert code == 0 and said["heard"] == "What is the capital of France?" and said["reply"] == ANSWERS[0]
    made = video.probe(Path("answer.mp4"))
    assert made.seconds == pytest.approx(said["seconds"]) and abs(made.seconds - made.audio_seconds) < 1 / 25
    order = [said[f"first_{stage}_s"] for stage in ("text", "token", "clause", "audio", "frame")]
    assert order == sorted(order) and said["think"] == "fake" and not said["error"]
    assert "Seine" in Path("answer.srt").read_text()
    assert not default_path().exists()  # nobody is remembered who did not say who they are


def test_who_says_who_they_are_is_remembered(brain, capsys) -> None:
    for text in ("My name is Ann.", "Who am I?"):
        assert chat(capsys, "--text", text, "--user", "ann")[0] == 0
    assert "Ann" in str(brain.asked[1]) and ANSWERS[0] in str(brain.asked[1])
    assert chat(capsys, "--text", "Who am I?", "--user", "bo")[0] == 0
    assert "Ann" not in str(brain.asked[2])
    memory = Memory(default_path())
    diary = memory.diary("ann", "Lin")
    assert [turn.role for turn in diary.turns(diary.latest())] == ["user", "assistant"] * 2
    memory.close()


def test_a_persona_speaks_its_own_language_and_knows_its_documents(brain, capsys) -> None:
    Path("docs").mkdir()
    Path("docs/museum.txt").write_text("The museum opens at nine in the morning and closes at six.", encoding="utf-8")
    Path("guide.toml").write_text('name = "Mei"\nrole = "a guide"\nknowledge = "docs"\n', encoding="utf-8")
    code, said = chat(capsys, "--text", "When does the museum open?", "--persona", "guide.toml")
    assert code == 0 and any("museum.txt" in source for source in said["sources"])
    assert "Mei" in brain.asked[0][0]["content"] and "nine in the morning" in brain.asked[0][-1]["content"]


def test_without_a_model_it_says_what_is_missing_and_echoes_nobody(models, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("LINLY_WEIGHTS", str(tmp_path))
    for name in ("LINLY_OPENAI_URL", "LINLY_GGUF"):
        monkeypatch.delenv(name, raising=False)
    assert cli.main(["chat", "--text", "Hello?", "-o", str(tmp_path / "answer.mp4")]) == 1
    assert "weights pull qwen2.5-coder-0.5b" in capsys.readouterr().err
    monkeypatch.setenv("LINLY_OPENAI_URL", "http://127.0.0.1:9/v1")
    assert registry.default("think", "answers") == "openai"


def test_a_model_that_fails_says_so_and_the_video_is_made_all_the_same(brain, capsys) -> None:
    ANSWERS[:] = [EngineFailed("The server is gone.")]
    code, said = chat(capsys, "--text", "Hello?", "--user", "ann")
    assert code == 0 and said["error"] == "The server is gone." and "Sorry" in said["reply"]


@pytest.mark.parametrize(
    "flags, says",
    [
        (("--text", "  "), "question is empty"),
        (("--audio", "silent.wav"), "Nobody asks anything|only silence|no speech"),
        (("--audio", "nothing.wav"), "nothing.wav"),
        (("--text", "Hi", "--persona", "nobody.toml"), "no persona"),
        (("--text", "Hi", "--think", "telepathy"), "telepathy"),
        (("--text", "Hi", "--voice", "nobody"), "no voice called"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_no_file(brain, capsys, monkeypatch, flags, says) -> None:
    audio.write_wav(Audio(np.zeros(16000, np.float32), 16000), Path("silent.wav"))
    import re

    import fakes

    from linly.values import Transcript

    monkeypatch.setattr(fakes.FakeHear, "hear", lambda self, sound, language="auto": Transcript("", ""))
    code = cli.main(["chat", "--portrait", "face.png", "-o", "answer.mp4", *flags])
    told = capsys.readouterr().err
    assert code == 2 and re.search(says, told) and "Traceback" not in told
    assert not Path("answer.mp4").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "language, text", [("en", "The train to the coast leaves in the morning."), ("zh", "今天的天气非常好。")]
)
def test_a_spoken_question_is_heard_and_answered_aloud(models, tmp_path, capsys, language, text) -> None:
    """With the default models; the answer is the question, said by the avatar."""
    speak = registry.open_engine("speak", "kokoro")
    asker = library.find_voice(speak, {"en": "am_michael", "zh": "zm_yunxi"}[language], language)
    asked = audio.concat(said.audio for said in speak.speak(text, asker, Style(language=language)))
    audio.write_wav(asked, tmp_path / "question.wav")
    out = tmp_path / "answer.mp4"
    flags = ["--audio", str(tmp_path / "question.wav"), "--think", "script", "--size", "256", "-o", str(out), "--json"]
    assert cli.main(["chat", *flags]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["language"] == language and wrong_share([text], [said["heard"]]) < 0.1
    heard = registry.open_engine("hear", "whisper").hear(audio.load(out, max_seconds=60, rate=16000), language)
    assert wrong_share([text], [heard.text]) < 0.15
