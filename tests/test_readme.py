"""The README cannot lie: every command and every block of Python in it is run, and both languages say the same."""

import re
import shlex
import shutil
import subprocess
import sys

import decks
import pytest
from conftest import ROOT

from linly import registry
from linly.audio import concat, write_wav
from linly.library import find_voice, samples
from linly.values import Style

READMES = ("README.md", "README.zh.md")
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
ELSEWHERE = {
    "git clone https://github.com/linly-project/linly && cd linly": "the checkout itself",
    "make run": "tests/test_install.py",
    "make test": ".ci/run",
    "pip install -r requirements.txt": ".ci/run",
    "python app.py": "tests/test_install.py",
    "LINLY_TOKEN=secret docker compose up": "tests/test_install.py",
}
"""Commands that another place runs, because they set up the environment that this test runs in."""


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text(name), re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    return [line for name in READMES for block in blocks(name, "bash") for line in block.splitlines() if line.strip()]


def test_it_is_short_and_both_languages_show_the_same_commands_and_engines():
    assert len(text("README.md").splitlines()) <= 150
    assert blocks("README.md", "bash") == blocks("README.zh.md", "bash")
    for kind in registry.KINDS:
        for engine in registry.names(kind):
            assert all(f"| {kind} | `{engine}` |" in text(name) for name in READMES), f"{kind}/{engine}"


def test_every_linked_file_exists():
    for name in READMES:
        for target in re.findall(r"\]\(([^)#]+)\)", text(name)):
            assert target.startswith("https://") or (ROOT / target).is_file(), f"{name} links to {target}"


def test_every_file_of_the_tree_exists():
    for name in READMES:
        tree = next(b for b in re.split(r"^```.*$", text(name), flags=re.MULTILINE) if "pipeline.py  " in b)
        folder = ROOT
        for line in tree.splitlines():
            if line == "linly/":
                folder = ROOT / "linly"
                continue
            names = re.match(r"( *)((?:[\w.]+/? )+)", line)
            if not names:
                continue
            where = folder if line.startswith("  ") else ROOT
            for item in names.group(2).split():
                assert (where / item).exists(), f"{name} names {item}"


def test_every_command_is_run_somewhere():
    for command in commands():
        assert command.startswith("python -m linly ") or command in ELSEWHERE, f"nothing runs: {command}"
        place = ELSEWHERE.get(command, "")
        if place == ".ci/run":
            words = command.removeprefix("pip ").removeprefix("python ")
            assert words in CI, f".ci/run does not run: {command}"
        elif place.endswith(".py"):
            assert (ROOT / place).is_file()


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory):
    """The library of whoever follows the README, from its first command to its last."""
    return tmp_path_factory.mktemp("library")


@pytest.fixture(scope="module")
def spoken(models):
    """Somebody's recording."""
    speak = registry.open_engine("speak", "kokoro")
    text = "Good morning. The train to the coast leaves at nine, so we should take an umbrella and some bread with us."
    return concat(said.audio for said in speak.speak(text, find_voice(speak, "am_michael", "en"), Style(language="en")))


@pytest.mark.slow
@pytest.mark.parametrize("command", dict.fromkeys(c for c in commands() if c.startswith("python -m linly ")))
def test_command(models, tmp_path, enrolled, spoken, command):
    write_wav(spoken, tmp_path / "recording.wav")
    shutil.copy(samples()[0].path, tmp_path / "me.jpg")
    (tmp_path / "lesson.md").write_text("# Plants\n\nPlants turn light into sugar.")
    decks.pptx(tmp_path / "deck.pptx", [("Roots", "Water", "Roots drink water.")])
    arguments = [sys.executable, *shlex.split(command)[1:]]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "LINLY_WEIGHTS": str(models)}
    environment["LINLY_LIBRARY"] = str(enrolled)
    done = subprocess.run(arguments, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0 and done.stdout.strip(), done.stderr
    if "-o" in arguments:
        assert (tmp_path / arguments[-1]).stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.parametrize("name", READMES)
def test_python(models, tmp_path, name):
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "LINLY_WEIGHTS": str(models)}
    for code in blocks(name, "python"):
        subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=environment)
    assert (tmp_path / "lesson.mp4").is_file()
