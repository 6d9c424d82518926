"""One registry: strict when engines register, helpful when something is missing, never swapping silently."""

import os
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT
from fakes import FakeSpeak

from linly import registry
from linly.errors import EngineUnavailable, InputError


@pytest.fixture(autouse=True)
def empty(monkeypatch):
    monkeypatch.setattr(registry, "_cards", {})
    monkeypatch.setattr(registry, "_open", type(registry._open)())
    monkeypatch.setattr(registry, "_broken", {})
    monkeypatch.setattr(registry, "_found", True)


def test_an_unknown_engine_is_answered_with_the_choices():
    registry.engine("speak", "one", title="One")(FakeSpeak)
    with pytest.raises(InputError, match="choose one of: one"):
        registry.open_engine("speak", "two")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kind": "sing", "name": "x"}, "unknown kind"),
        ({"kind": "draw", "name": "x"}, "lacks the verb"),
        ({"kind": "speak", "name": "x", "can": {"fly"}}, "unknown capabilities"),
    ],
)
def test_a_wrong_card_is_refused_at_import(arguments, words):
    with pytest.raises(ValueError, match=words):
        registry.engine(**arguments, title="X")(FakeSpeak)


def test_two_engines_cannot_share_a_name():
    registry.engine("speak", "one", title="One")(FakeSpeak)
    with pytest.raises(ValueError, match="two engines"):
        registry.engine("speak", "one", title="Other")(type("Other", (FakeSpeak,), {}))


def test_a_missing_package_is_one_sentence_with_the_command():
    registry.engine("speak", "heavy", title="Heavy", packages=("no_such_package_here",))(FakeSpeak)
    with pytest.raises(EngineUnavailable, match=r"no_such_package_here.*pip install"):
        registry.open_engine("speak", "heavy")


def test_missing_weights_are_named_with_size_licence_and_command(monkeypatch, tmp_path):
    monkeypatch.setenv("LINLY_WEIGHTS", str(tmp_path))
    registry.engine("speak", "kokoro-like", title="K", weights=("kokoro",))(FakeSpeak)
    with pytest.raises(EngineUnavailable, match=r"MB.*Apache-2\.0.*weights pull kokoro"):
        registry.open_engine("speak", "kokoro-like")


def test_an_engine_is_loaded_once_and_the_oldest_is_closed(monkeypatch):
    closed = []

    class Closing(FakeSpeak):
        def close(self):
            closed.append(self)

    monkeypatch.setattr(registry, "KEEP_OPEN", 2)
    for name in "abc":
        registry.engine("speak", name, title=name)(type(name, (Closing,), {}))
    first = registry.open_engine("speak", "a")
    assert registry.open_engine("speak", "a") is first
    registry.open_engine("speak", "b")
    registry.open_engine("speak", "a")
    registry.open_engine("speak", "c")
    assert [type(c).__name__ for c in closed] == ["b"]


def test_calls_to_one_engine_never_overlap():
    running, overlaps = [], []

    class Slow(FakeSpeak):
        def voices(self):
            overlaps.append(len(running))
            running.append(1)
            time.sleep(0.02)
            running.pop()
            return []

    registry.engine("speak", "slow", title="Slow")(Slow)
    opened = registry.open_engine("speak", "slow")
    threads = [threading.Thread(target=opened.voices) for _ in range(5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert overlaps == [0] * 5


ECHO = """
from linly.registry import engine

@engine("think", "echo", title="Echo")
class Echo:
    def __init__(self, files, device): ...

    def think(self, turns):
        yield turns[-1]["content"]
"""


def test_a_user_adds_an_engine_by_dropping_one_file_and_a_broken_one_stops_nothing(tmp_path):
    (tmp_path / "mine.py").write_text(ECHO)
    (tmp_path / "broken.py").write_text("import no_such_module\n")
    code = (
        "from linly import registry\n"
        "assert 'echo' in registry.names('think')\n"
        "said = registry.open_engine('think', 'echo').think([{'role': 'user', 'content': 'hello'}])\n"
        "assert list(said) == ['hello']\n"
        "assert 'no_such_module' in registry.broken()['broken.py']\n"
    )
    environment = {**os.environ, "LINLY_ENGINES": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=ROOT)


def test_a_gpu_is_used_only_where_there_is_one_and_the_setting_allows_it(monkeypatch):
    registry.engine("speak", "any", title="Any", can={"gpu"})(FakeSpeak)
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    assert registry.device("speak", "any") == "cpu"
    monkeypatch.setenv("LINLY_DEVICE", "cuda")
    with pytest.raises(EngineUnavailable, match="set it to auto or cpu"):
        registry.device("speak", "any")
    monkeypatch.setenv("LINLY_DEVICE", "tpu")
    with pytest.raises(InputError, match="auto, cpu or cuda"):
        registry.device("speak", "any")
