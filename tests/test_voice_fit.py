"""Fitting in a process of its own: what goes wrong there is said here, and a stop leaves nothing running."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
import speakers

from linly import cli, enrolment, voice_fit, voice_store, voices
from linly.errors import Cancelled, EngineFailed, EngineUnavailable, InputError

AGREED = "I agree that my voice is used in this test."
TORCH = importlib.util.find_spec("torch") is not None


@pytest.fixture(scope="module")
def sample(models):
    return enrolment.check(speakers.clips("allison")[:1])


@pytest.fixture
def kept(sample):
    voices.add("Allison", speakers.clips("allison")[:1], consent=AGREED, sample=sample)


@pytest.fixture
def started(monkeypatch) -> list[subprocess.Popen[str]]:
    """The processes that fitting starts, as if torch were here where it is not."""
    processes: list[subprocess.Popen[str]] = []
    start = subprocess.Popen

    def popen(*arguments: Any, **options: Any) -> subprocess.Popen[str]:
        processes.append(start(*arguments, **options))
        return processes[-1]

    monkeypatch.setattr(voice_fit.subprocess, "Popen", popen)
    monkeypatch.setattr(voice_fit.importlib.util, "find_spec", lambda name: object())
    return processes


@pytest.mark.skipif(TORCH, reason="torch is here")
def test_without_torch_one_sentence_says_what_to_install(kept, capsys):
    with pytest.raises(EngineUnavailable, match=r"pip install -r requirements.txt.*'closest' meanwhile"):
        voices.fit("Allison")
    assert cli.main(["voice", "fit", "allison"]) == 1
    assert capsys.readouterr().err.count("\n") == 1 and voices.load("Allison").tier == "closest"


def test_who_is_not_here_cannot_be_fitted(models, capsys):
    assert cli.main(["voice", "fit", "Nobody"]) == 2
    assert "Nobody" in capsys.readouterr().err


@pytest.mark.skipif(TORCH, reason="torch is here")
def test_what_the_process_refuses_is_refused_here(kept, started):
    with pytest.raises(EngineUnavailable, match="needs torch"):
        voices.fit("Allison")
    assert started[0].returncode == 0 and not voice_fit.at_work("Allison")


def test_a_stop_ends_the_process_and_the_voice_speaks_on(kept, started):
    def stop(stage: str, fraction: float) -> None:
        if TORCH and stage != "fit: manner":  # let it begin in earnest where it can
            return
        assert voice_fit.at_work("allison")
        for act in (lambda: voices.rename("Allison", "Alice"), lambda: voices.remove("Allison")):
            with pytest.raises(InputError, match="is being fitted"):
                act()
        with pytest.raises(InputError, match="already"):
            voices.fit("allison")
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        voices.fit("Allison", stop)
    assert started[0].poll() is not None and not voice_fit.at_work("Allison")
    assert voices.load("Allison").tier == "closest"
    assert voices.rename("Allison", "Alice") == "Alice"


def test_a_killed_process_is_told_of_in_one_sentence(kept, started, monkeypatch):
    def kill(stage: str, fraction: float) -> None:
        os.kill(started[0].pid, signal.SIGKILL)

    begin = voice_fit.subprocess.Popen

    def held(*arguments: Any, **options: Any) -> subprocess.Popen[str]:
        process = begin(*arguments, **options)
        process.send_signal(signal.SIGSTOP)  # on a busy machine it could say that torch is missing before the kill
        return process

    monkeypatch.setattr(voice_fit.subprocess, "Popen", held)
    with pytest.raises(EngineFailed, match=r"broke off .* goes on from where it was"):
        voices.fit("Allison", kill)
    assert voices.load("Allison").tier == "closest" and voice_store.required("Allison").is_dir()


def test_nobody_listening_ends_the_process(kept):
    work = subprocess.Popen(
        [sys.executable, "-m", "linly.voice_fit", "Allison", "1"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    said, _ = work.communicate(timeout=300)
    assert b"error" in said and work.returncode == 0  # Cancelled, or torch is missing
