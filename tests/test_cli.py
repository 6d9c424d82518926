"""The command line: JSON on the last line, exit codes, one sentence on standard error and never a traceback."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image as Picture

from linly.cli import main


def linly(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "linly", *arguments], capture_output=True, text=True, cwd=ROOT, check=False, **options
    )


@pytest.fixture
def face(tmp_path):
    path = tmp_path / "face.png"
    Picture.fromarray(np.full((256, 256, 3), 128, np.uint8)).save(path)
    return str(path)


def test_help_loads_nothing_heavy():
    code = (
        "import sys, linly.cli\n"
        "try: linly.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "names = {'torch', 'onnxruntime', 'gradio', 'cv2', 'av', 'faster_whisper', 'jieba', 'scipy'}\n"
        "heavy = names & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert "render" in done.stdout


def test_json_is_the_last_line(fake_engines, face, tmp_path, capsys):
    out = tmp_path / "o.mp4"
    assert main(["render", "--text", "Hello there.", "--portrait", face, "-o", str(out), "--json"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["video"] == str(out) and out.is_file() and report["marks"]["label"] is True


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--text", ""], "nothing to say"),
        (["--text", "x", "--rate", "9"], "Rate must be between 0.5 and 2"),
        (["--script", "missing.txt"], "no script file"),
        (["--audio", "missing.wav"], "missing.wav"),
        (["--text", "x", "--portrait", "missing.jpg"], "no portrait file or sample"),
        (["--text", "x", "--voice", "zzz"], "no voice called"),
        (["--text", "x", "--draw", "zzz"], "no draw engine"),
    ],
)
def test_bad_input_exits_2_with_one_sentence(fake_engines, face, tmp_path, capsys, arguments, words):
    portrait = [] if "--portrait" in arguments else ["--portrait", face]
    assert main(["render", *arguments, *portrait, "-o", str(tmp_path / "o.mp4"), "--json"]) == 2
    said = capsys.readouterr()
    assert words in said.err and said.err.startswith("linly: ") and said.err.count("\n") == 1
    assert json.loads(said.out.splitlines()[-1])["kind"] == "InputError"
    assert not (tmp_path / "o.mp4").exists()


def test_scripts_in_chinese_encodings_are_read(tmp_path):
    from linly.text.files import read_text

    text = "今天我们学习光合作用，植物把阳光变成糖。老师在黑板上画了一片叶子。"
    for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16"):
        (tmp_path / "s.txt").write_bytes(text.encode(encoding))
        assert read_text(tmp_path / "s.txt") == text, encoding


def test_doctor_says_what_is_missing(tmp_path):
    done = linly("doctor", "--json", env={"LINLY_WEIGHTS": str(tmp_path / "none"), "PATH": "/usr/bin:/bin"})
    result = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 1 and not result["works"]
    kokoro = result["engines"]["speak"]["kokoro"]
    assert not kokoro["ready"] and "weights pull kokoro" in kokoro["why"]


def test_an_interrupt_that_python_throws_away_still_stops_the_job():
    """What is raised inside a destructor is lost, and with it a Ctrl-C that falls into one."""
    program = """
import signal
from linly.cli_bar import Bar, heed_interrupts

class Unlucky:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
        len(())

heed_interrupts()
bar = Bar()
Unlucky()
print("went on", flush=True)
try:
    bar("face", 0.5)
except KeyboardInterrupt:
    print("stopped", flush=True)
bar("face", 0.6)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.stdout.split("\n")[:2], done.stderr, done.returncode) == (["went on", "stopped"], "", 0)


@pytest.mark.slow
def test_interrupted_by_ctrl_c_leaves_no_file(models, tmp_path):
    out = tmp_path / "o.mp4"
    running = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "linly",
            "render",
            "--text",
            "This is a long sentence to be said. " * 40,
            "-o",
            str(out),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    until = time.monotonic() + 120
    while not list(tmp_path.iterdir()) and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert (running.returncode, list(tmp_path.iterdir())) == (130, []) and "Traceback" not in said, said
