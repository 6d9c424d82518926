"""From nothing to a running page: the set-up script, make, the container, a Space, and both sets of packages."""

from __future__ import annotations

import importlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from conftest import ROOT
from test_hygiene import pins, short, tracked

MAKE = shutil.which("make") or "make"
FULL_MODULES = (
    *("gradio", "torch", "torchaudio", "torchvision", "transformers", "TTS.api", "TTS.tts.models.xtts", "whisper"),
    *("cv2", "face_alignment", "moviepy", "huggingface_hub", "faster_whisper", "av", "onnxruntime", "perth"),
)


def tool(name: str) -> ModuleType:
    spec = spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def plan(target: str, *arguments: str) -> str:
    """What make would run, with no GPU in sight unless the arguments say so."""
    command = [MAKE, "--no-print-directory", "-n", target, *arguments]
    clean = {k: v for k, v in os.environ.items() if k not in ("FULL", "MAKEFLAGS", "MAKELEVEL", "ARGS", "VENV")}
    return subprocess.run(command, cwd=ROOT, env=clean, check=True, capture_output=True, text=True).stdout


@contextmanager
def page(command: list[str], port: int, cwd: Path, log: Path, **environment: str) -> Iterator[str]:
    """A server in a process group of its own; gives the page's HTML once it answers, and ends the group after."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LINLY_", "GRADIO_", "MAKE", "MFLAGS"))}
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, cwd=cwd, env=clean | environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield wait_for(f"http://127.0.0.1:{port}/", server, log)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path, seconds: float = 180) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        assert server.poll() is None, f"it ended:\n{log.read_text()[-3000:]}"
        try:
            return str(opener.open(url, timeout=5).read().decode())
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"no answer at {url}:\n{log.read_text()[-3000:]}")


# --- the set-up script


def test_an_old_python_is_told_in_one_sentence():
    said = tool("setup").what_is_missing((3, 9), True)
    assert "3.11 or later" in said and "3.9" in said and "\n" not in said


def test_a_missing_venv_module_names_the_package():
    assert "apt install python3-venv" in tool("setup").what_is_missing((3, 11), False)
    assert tool("setup").what_is_missing((3, 11), True) == ""


@pytest.mark.slow
def test_setup_installs_once_and_again_only_after_a_change(tmp_path, capsys):
    setup = tool("setup")
    source = tmp_path / "pack"
    source.mkdir()
    (source / "pyproject.toml").write_text('[project]\nname = "tiny"\nversion = "1"\n', encoding="utf-8")
    wanted = tmp_path / "needs.txt"
    wanted.write_text("# nothing yet\n", encoding="utf-8")
    where = ["--venv", str(tmp_path / "env"), str(wanted)]
    assert setup.main(where) == 0 and "Installed in" in capsys.readouterr().out
    assert setup.main(where) == 0 and capsys.readouterr().out == ""
    wanted.write_text("tiny @ file:///no/such/wheel.whl\n", encoding="utf-8")
    assert setup.main(where) == 1
    assert "pip could not install" in capsys.readouterr().err
    assert setup.main(where) == 1, "a torn installation counts as done"


def test_it_counts_what_pip_fetched():
    log = "Downloading a-1.whl (1.5 MB)\n  Using cached b-2.whl (500 kB)\nDownloading c-3.whl (2 GB)\n"
    assert tool("setup").downloaded(log) == pytest.approx(2002)


# --- make


def test_make_alone_says_what_there_is():
    said = subprocess.run([MAKE, "--no-print-directory"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for word in ("run", "demo", "test", "bench", "lint", "sheet", "FULL=1", "PYTHON="):
        assert word in said


@pytest.mark.parametrize("target", ["run", "demo", "bench", "test", "lint", "sheet"])
def test_make_sets_up_first_and_chooses_the_set(target):
    lite, full = plan(target, "FULL="), plan(target, "FULL=1")
    assert "requirements-lite.txt" in lite.splitlines()[0] and "requirements.txt" not in lite
    assert "requirements.txt" in full.splitlines()[0] and "requirements-lite.txt" not in full
    if target in ("run", "demo", "bench", "sheet"):
        assert lite.index("weights pull --default") < lite.rindex(".venv/bin/python")


@pytest.mark.slow
@pytest.mark.skipif(not list(Path(sys.prefix).glob(".installed-*")), reason="this environment was not made by make")
def test_make_run_opens_the_page_at_once_where_all_is_set_up(models, tmp_path):
    port = free_port()
    command = [MAKE, "run", f"VENV={sys.prefix}", f"ARGS=--port {port}", "FULL="]
    with page(command, port, ROOT, tmp_path / "log", LINLY_WEIGHTS=str(models), LINLY_LIBRARY=str(tmp_path)) as html:
        assert "Linly" in html
    assert "Installing" not in (tmp_path / "log").read_text()


# --- a Space


def front_matter() -> dict[str, str]:
    head = (ROOT / "README.md").read_text(encoding="utf-8").split("---\n")[1]
    return {
        key.strip(): value.strip().strip('"') for key, _, value in (line.partition(":") for line in head.splitlines())
    }


def test_the_front_matter_fits_what_is_here():
    told = front_matter()
    assert told["sdk"] == "gradio" and told["sdk_version"] == pins("requirements.txt")["gradio"]
    assert (ROOT / told["app_file"]).is_file() and told["license"] == "apache-2.0"
    assert told["python_version"] == "3.11"
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").count("Apache License") > 1
    assert len(told["short_description"]) <= 60 and told["title"]
    assert "-r " not in (ROOT / "requirements.txt").read_text(encoding="utf-8"), "a Space sees this one file alone"


def start_as_a_space(models: Path, folder: Path) -> None:
    """Only the committed files, a home and a library that vanish, SPACE_ID set: the page must answer and can render."""
    app = folder / "app"
    for path in tracked():
        (app / short(path)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, app / short(path))
    (folder / "home").mkdir()
    port = free_port()
    there = {
        "SPACE_ID": "someone/linly",
        "SYSTEM": "spaces",
        "HOME": str(folder / "home"),
        "LINLY_WEIGHTS": str(models),
    }
    with page([sys.executable, "app.py", "--port", str(port)], port, app, folder / "log", **there) as html:
        assert "Linly" in html
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        config = json.loads(opener.open(f"http://127.0.0.1:{port}/config", timeout=30).read())
        assert any(call.get("api_name") == "render" for call in config["dependencies"])


@pytest.mark.slow
def test_starts_as_a_space(models, tmp_path):
    start_as_a_space(models, tmp_path)


@pytest.mark.full
def test_starts_as_a_space_from_the_full_set(models, tmp_path):
    start_as_a_space(models, tmp_path)


# --- the container


def dockerfile() -> list[tuple[str, str]]:
    return [(name, rest) for name, rest in tool("dockerfile_in_chroot").steps((ROOT / "Dockerfile").read_text())]


def test_the_image_is_not_root_has_volumes_and_is_watched():
    steps = dockerfile()
    names = [name for name, _ in steps]
    last = dict(steps)
    assert last["USER"] == "linly" and names.index("USER") < names.index("CMD")
    assert "useradd" in next(rest for name, rest in steps if name == "RUN")
    assert {"/weights", "/library"} <= set(json.loads(last["VOLUME"]))
    assert "7860" in last["HEALTHCHECK"] and "7860" in last["CMD"] and last["EXPOSE"] == "7860"
    told = dict(word.partition("=")[::2] for word in shlex.split(last["ENV"]))
    assert told["LINLY_WEIGHTS"] == "/weights" and told["LINLY_LIBRARY"] == "/library"
    assert not any("weights pull" in rest for _, rest in steps), "models are fetched into the volume, not baked in"


def test_the_flavour_chooses_the_set_and_a_wrong_one_is_refused(tmp_path):
    chooses = next(rest for name, rest in dockerfile() if name == "RUN" and "FLAVOUR" in rest).split("&&")[0]
    for flavour, wanted in (("cpu", "requirements-lite.txt"), ("cuda", "requirements.txt")):
        done = subprocess.run(
            ["sh", "-c", f'{chooses} && echo "$wanted"'],
            env={"FLAVOUR": flavour},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == wanted
    wrong = subprocess.run(["sh", "-c", chooses], env={"FLAVOUR": "tpu"}, capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and "tpu" in wrong.stderr


def test_no_model_no_history_and_no_test_gets_into_the_image():
    ignored = tool("dockerfile_in_chroot").ignored
    patterns = (ROOT / ".dockerignore").read_text().split()
    for path in ("weights/kokoro/model.onnx", ".git/config", ".venv/bin/python", "out/demo.mp4", "library/me/face.png"):
        assert ignored(patterns, path), path
    assert ignored(patterns, "linly/hear/__pycache__/whisper.pyc") and ignored(patterns, "tests/conftest.py")
    for path in ("app.py", "linly/weights.toml", "linly/speak/kokoro.py", "weights/README.md", "requirements.txt"):
        assert not ignored(patterns, path), path


def test_compose_keeps_models_and_binds_this_machine_only():
    yaml = importlib.import_module("yaml")
    told = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    for name, service in told["services"].items():
        assert service["ports"] == ["127.0.0.1:7860:7860"], name
        assert {"weights:/weights", "library:/library"} <= set(service["volumes"]), name
    assert set(told["volumes"]) == {"weights", "library"}
    assert told["services"]["linly-gpu"]["build"]["args"] == {"FLAVOUR": "cuda"}


# --- the sets


def test_this_environment_holds_the_lite_set():
    full = installed("torch")
    for name, wanted in pins("requirements-lite.txt").items():
        found = installed("opencv-contrib-python-headless") if full and name.startswith("opencv") else installed(name)
        assert found == wanted, (
            f"{name} is {found or 'absent'}, requirements-lite.txt says {wanted}: make test sets it up"
        )


@pytest.mark.full
def test_the_full_set_is_as_pinned():
    for name, wanted in pins("requirements.txt").items():
        assert (installed(name) or "").split("+")[0] == wanted, name
    checked = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.full
@pytest.mark.parametrize("name", FULL_MODULES)
def test_the_full_set_imports(name):
    done = subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.full
def test_opencv_is_the_build_that_needs_no_desktop():
    cv2 = importlib.import_module("cv2")
    assert "GUI:                           NONE" in cv2.getBuildInformation()


@pytest.mark.full
def test_torch_computes_beside_the_default_road():
    torch, numpy = importlib.import_module("torch"), importlib.import_module("numpy")
    ours = torch.from_numpy(numpy.arange(6, dtype=numpy.float32).reshape(2, 3))
    assert (ours @ ours.T).numpy().tolist() == [[5, 14], [14, 50]]


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
