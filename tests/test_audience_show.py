"""`linly audience` from its flags to its file, with the default voice and face."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import ROOT

from linly import audio as sound
from linly import cli, registry, video


@pytest.mark.slow
def test_the_questions_are_heard_in_the_video(models, tmp_path, capsys, monkeypatch):
    (tmp_path / "answers.csv").write_text(
        "Where do the penguins live?,They live in the far south.\n"
        "Why is the sky blue?,Because the air scatters light.\n"
    )
    monkeypatch.setenv("LINLY_ANSWERS", str(tmp_path / "answers.csv"))
    monkeypatch.setattr(registry, "_open", type(registry._open)())  # the answers are read when the engine is opened
    (tmp_path / "asked.csv").write_text(
        'name,text\nAnna,"Where do the penguins live?"\n,666\nPeter,"Why is the sky blue?"\n', encoding="utf-8"
    )
    out = tmp_path / "show.mp4"
    flags = ["--questions", str(tmp_path / "asked.csv"), "--think", "script", "--size", "256", "-o", str(out), "--json"]
    assert cli.main(["audience", *flags]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["answered"], told["failed"], told["taken"], told["refused"]) == (2, 0, 2, {"empty": 1})
    made = video.probe(out)
    assert made.seconds == pytest.approx(told["seconds"], abs=0.1) and list(made.size) == told["size"]
    hear = registry.open_engine("hear", registry.default("hear"))
    heard = hear.hear(sound.load(out, max_seconds=120, rate=16000), "en").text.casefold().replace("anna", "ana")
    order = ("ana asks", "penguins live", "far south", "peter asks", "sky blue", "scatters light")
    places = [heard.find(words) for words in order]
    assert min(places) >= 0 and places == sorted(places) and "666" not in heard, heard


@pytest.mark.slow
def test_ctrl_c_leaves_a_whole_file(models, tmp_path):
    out = tmp_path / "show.mp4"
    command = [sys.executable, "-m", "linly", "audience", "--port", "0", "--think", "script", "--size", "256", "--json"]
    with subprocess.Popen([*command, "-o", str(out)], cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        until = time.monotonic() + 120
        while not list(tmp_path.glob(".linly-*.part")) and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(4)
        os.kill(running.pid, signal.SIGINT)
        told = json.loads(running.communicate(timeout=60)[0].splitlines()[-1])
    assert running.returncode == 0 and video.probe(out).seconds == pytest.approx(told["seconds"], abs=0.1)


@pytest.mark.parametrize(
    "flags",
    [[], ["--questions", "none.txt"], ["-o", "x.mp4"], ["--questions", "none.txt", "-o", "x.mp4"],
     ["--port", "0", "--rtmp", "http://server/app/secret-key"], ["--port", "0", "-o", "x.mov"],
     ["--port", "0", "-o", "missing/x.mp4"], ["--port", "0", "-o", "x.mp4", "--minutes", "0"]],
)  # fmt: skip
def test_what_cannot_be_shown_is_said_in_one_sentence(tmp_path, monkeypatch, capsys, flags):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["audience", *flags]) == 2
    said = capsys.readouterr().err
    assert said.startswith("linly: ") and said.count("\n") == 1 and "secret" not in said
    assert not list(tmp_path.iterdir())
