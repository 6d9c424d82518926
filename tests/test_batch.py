"""Batches with fake engines: what is made, what is kept, what a kill leaves, and how parts are joined."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import zipfile
from itertools import pairwise
from pathlib import Path

import decks
import numpy as np
import pytest
from conftest import ROOT

from linly import audio, video
from linly.batch import journal, run, segment
from linly.batch.loudness import Meter, Music
from linly.batch.values import Options
from linly.errors import Cancelled, InputError
from linly.values import Audio

QUICK = Options(size="256")
SCRIPT = "First sentence. Second sentence. Third sentence."


def batch(tmp_path, *paths, options=QUICK, resume=True, **more):
    return run.batch(list(paths), tmp_path / "out", options, resume=resume, count=1, **more)


def script(tmp_path, text=SCRIPT, name="talk.txt") -> Path:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


def stamps(tmp_path) -> dict[str, tuple[int, bytes]]:
    return {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in (tmp_path / "out" / "segments").glob("*.mov")}


def test_a_script_becomes_a_video_with_all_that_stands_beside_it(fake_engines, tmp_path):
    report = batch(tmp_path, script(tmp_path))
    [row] = report.rows
    made = video.probe(row.video)
    assert (row.state, row.made, row.segments) == ("done", 3, 3)
    assert made.frames == sum(segment.read(p).frames for p in (tmp_path / "out" / "segments").glob("*.mov"))
    assert abs(made.seconds - made.audio_seconds) < 1 / 25
    assert "AI" in video.read_metadata(row.video)["comment"]
    beside = (tmp_path / "out" / "talk.srt").read_text()
    assert beside.index("First") < beside.index("Second") < beside.index("Third")
    assert (tmp_path / "out" / "talk.vtt").is_file() and (tmp_path / "out" / "talk.jpg").is_file()
    told = json.loads((tmp_path / "out" / "report.json").read_text())
    assert told["talks"][0]["name"] == "talk" and "talk" in (tmp_path / "out" / "report.csv").read_text("utf-8-sig")
    archive = run.zipped(report, tmp_path / "all.zip")
    assert {"talk.mp4", "talk.srt", "report.csv"} <= set(zipfile.ZipFile(archive).namelist())


def test_nothing_changed_makes_nothing_and_one_sentence_changed_makes_one(fake_engines, tmp_path):
    batch(tmp_path, script(tmp_path))
    before = stamps(tmp_path)
    seen = Path(tmp_path / "out" / "talk.mp4").stat().st_mtime_ns
    again = batch(tmp_path, script(tmp_path))
    assert [(row.state, row.made) for row in again.rows] == [("unchanged", 0)]
    assert stamps(tmp_path) == before and (tmp_path / "out" / "talk.mp4").stat().st_mtime_ns == seen
    changed = batch(tmp_path, script(tmp_path, SCRIPT.replace("Second", "Another")))
    assert [(row.state, row.made) for row in changed.rows] == [("done", 1)]
    assert {name: stamps(tmp_path)[name] for name in before} == before
    assert len(stamps(tmp_path)) == 4
    faster = batch(tmp_path, script(tmp_path), options=Options(size="256", rate=1.2))
    assert faster.rows[0].made == 3
    louder = batch(tmp_path, script(tmp_path), options=Options(size="256", loudness=-23))
    assert (louder.rows[0].state, louder.rows[0].made) == ("done", 0)


def test_a_folder_that_was_begun_wants_resume_and_only_one_run_at_a_time(fake_engines, tmp_path):
    batch(tmp_path, script(tmp_path))
    with pytest.raises(InputError, match="add --resume"):
        batch(tmp_path, script(tmp_path), resume=False)
    with run._alone(tmp_path / "out"), pytest.raises(InputError, match="Another run is at work"):
        batch(tmp_path, script(tmp_path))


def test_one_bad_sentence_fails_its_talk_and_no_other(fake_engines, tmp_path):
    good, bad = script(tmp_path, name="good.txt"), script(tmp_path, "Fine. Bad one. Fine too.", "bad.txt")
    speak = fake_engines["speak"]._inner
    said = speak.speak

    def speaks(text, voice, style):
        if "Bad" in text:
            raise InputError("That cannot be said.")
        return said(text, voice, style)

    speak.speak = speaks
    rows = {row.name: row for row in batch(tmp_path, bad, good).rows}
    assert rows["good"].state == "done"
    assert (rows["bad"].state, rows["bad"].error) == ("failed", "That cannot be said.")
    speak.speak = said
    rows = {row.name: row for row in batch(tmp_path, bad, good).rows}
    assert (rows["bad"].state, rows["good"].state) == ("done", "unchanged")


def test_a_sentence_of_two_talks_is_made_once(fake_engines, tmp_path):
    one, two = script(tmp_path, name="one.txt"), script(tmp_path, SCRIPT, "two.txt")
    report = batch(tmp_path, one, two)
    assert [row.state for row in report.rows] == ["done", "done"] and sum(row.made for row in report.rows) == 3
    made = journal.Journal(tmp_path / "out").segments()
    assert len(made) == len(set(made)) == 3


def test_cancelled_and_paused_runs_go_on(fake_engines, tmp_path):
    control = run.Control()
    source = script(tmp_path, " ".join(f"Sentence number {n}." for n in range(12)))

    def stop(state):
        if sum(row.made for row in state.rows) >= 3:
            control.cancelled.set()

    with pytest.raises(Cancelled, match="resume"):
        batch(tmp_path, source, tell=stop, control=control)
    kept = stamps(tmp_path)
    assert 3 <= len(kept) < 12 and not (tmp_path / "out" / "talk.mp4").exists()
    control = run.Control()
    control.paused.set()
    threading.Timer(0.6, control.paused.clear).start()
    began = time.monotonic()
    [row] = batch(tmp_path, source, control=control).rows
    assert time.monotonic() - began > 0.5
    assert row.state == "done" and row.made == 12 - len(kept)
    assert {name: stamps(tmp_path)[name] for name in kept} == kept


def test_a_talk_that_is_wanted_first_is_made_before_the_others(fake_engines, tmp_path):
    names = ["one", "two", "three"]
    sources = [script(tmp_path, " ".join(f"Talk {name}, line {n}." for n in range(8)), f"{name}.txt") for name in names]
    control, finished = run.Control(), []

    def look(state):
        if sum(row.made for row in state.rows) == 2:
            control.wanted.append("three")
        finished.extend(row.name for row in state.rows if row.state == "done" and row.name not in finished)

    batch(tmp_path, *sources, tell=look, control=control)
    assert sorted(finished) == sorted(names) and finished.index("three") == 0


def test_progress_is_told_with_time_left(fake_engines, tmp_path):
    states = []
    batch(tmp_path, script(tmp_path, " ".join(f"Sentence number {n}." for n in range(20))), tell=states.append)
    done = [state.done for state in states]
    assert done == sorted(done) and done[-1] == pytest.approx(1.0)
    assert any(state.left is not None and state.left >= 0 for state in states)


def test_subtitles_are_spoken_at_their_times(fake_engines, tmp_path):
    (tmp_path / "s.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHi.\n\n2\n00:00:03,000 --> 00:00:04,000\nBye.\n")
    [row] = batch(tmp_path, tmp_path / "s.srt").rows
    said = np.abs(audio.load(row.video, max_seconds=60, rate=16000).samples) > 0.02
    loud = np.flatnonzero(said) / 16000
    assert loud[0] == pytest.approx(1.0, abs=0.05) and loud[loud > 2][0] == pytest.approx(3.0, abs=0.05)


def test_chapters_are_the_slides(fake_engines, tmp_path):
    import av

    deck = decks.pptx(tmp_path / "d.pptx", [("植物", "x", "One two three."), ("Water", "y", "Four five. Six.")])
    [row] = batch(tmp_path, deck).rows
    with av.open(row.video) as container:
        chapters = container.chapters()
    assert [chapter["metadata"]["title"] for chapter in chapters] == ["植物", "Water"]
    picture = list(video.read_frames(row.video))
    assert picture[0].shape == (256, 456, 3) and np.abs(picture[0].astype(int) - picture[-1]).max() > 60


@pytest.mark.parametrize("layout", ["portrait", "inset", "beside", "audio"])
@pytest.mark.parametrize("shape", ["circle", "rectangle"])
def test_layouts(fake_engines, tmp_path, layout, shape):
    deck = decks.pptx(tmp_path / "d.pptx", [("A", "x", "One two three."), ("B", "y", "Four five.")])
    [row] = batch(tmp_path, deck, options=Options(size="256", layout=layout, shape=shape)).rows
    assert row.state == "done", row.error
    if layout == "audio":
        assert row.video.endswith(".m4a") and audio.load(row.video, max_seconds=60).seconds > 0.5
    else:
        assert video.probe(row.video).size == (456, 256)


def test_pictures_before_and_after_and_music(fake_engines, tmp_path):
    from PIL import Image

    for name, colour in (("red", (200, 0, 0)), ("blue", (0, 0, 200))):
        Image.new("RGB", (160, 90), colour).save(tmp_path / f"{name}.png")
    tone = (0.3 * np.sin(np.arange(48000 * 3) * 0.05)).astype(np.float32)
    audio.write_wav(Audio(tone, 48000), tmp_path / "music.wav")
    wish = {
        "intro": str(tmp_path / "red.png"),
        "outro": str(tmp_path / "blue.png"),
        "music": str(tmp_path / "music.wav"),
    }
    [row] = batch(tmp_path, script(tmp_path), options=QUICK.given(wish)).rows
    frames = list(video.read_frames(row.video))
    assert frames[30][128, 100].argmax() == 0 and frames[-30][128, 100].argmax() == 2
    assert np.abs(audio.load(row.video, max_seconds=60, rate=48000).samples[:48000]).max() > 0.005
    missing = batch(tmp_path, script(tmp_path), options=QUICK.given({"music": "nowhere.mp3"}))
    assert "no file 'nowhere.mp3' for music" in missing.rows[0].error


def test_loudness_is_that_of_the_standard():
    t = np.arange(48000 * 20) / 48000
    # The standard's filters give +0.69 dB at 997 Hz, which its constant takes back, and -1.18 dB at 100 Hz.
    for hertz, wanted in ((997.0, -23.0), (100.0, -24.87)):
        meter = Meter(48000)
        tone = (10 ** (-19.3 / 20) * np.sin(2 * np.pi * hertz * t) * np.sqrt(0.85)).astype(np.float32)
        for piece in np.split(tone, 20):
            meter.add(Audio(piece, 48000))
        assert meter.lufs == pytest.approx(wanted, abs=0.3)
    meter.add(Audio(np.zeros(48000 * 60, np.float32), 48000))
    assert meter.lufs == pytest.approx(wanted, abs=0.4)  # silence does not count


def test_music_makes_room_for_speech():
    t = np.arange(48000 * 6) / 48000
    speech = np.where((t > 2) & (t < 4), 0.1 * np.sin(2 * np.pi * 200 * t), 0).astype(np.float32)
    hum = Audio((0.3 * np.sin(2 * np.pi * 3000 * t)).astype(np.float32), 48000)
    mixed = Music(hum, -16.0).under(Audio(speech, 48000)).samples - speech
    level = [float(np.sqrt(np.square(mixed[round(a * 48000) : round((a + 0.5) * 48000)]).mean())) for a in (1, 3, 5.5)]
    assert 20 * np.log10(level[1] / level[0]) == pytest.approx(-12, abs=1)
    assert 20 * np.log10(level[2] / level[0]) == pytest.approx(0, abs=1.5)


def test_thirty_files_good_and_bad_come_out(fake_engines, tmp_path):
    good, bad = decks.mixed(tmp_path / "all")
    rows = batch(tmp_path, tmp_path / "all").rows
    assert sorted(row.name for row in rows if row.state == "done") == sorted(good)
    assert sorted(row.source for row in rows if row.state == "failed") == sorted(bad)
    assert all(video.probe(row.video).frames for row in rows if row.state == "done")
    assert all(row.error for row in rows if row.state == "failed")


DRIVER = """
import sys, time
sys.path[:0] = [{tests!r}, {root!r}]
import fakes
from pathlib import Path
from linly import registry
from linly.batch import run
from linly.batch.values import Options
registry._found = True
for (kind, factory, can) in (("speak", fakes.FakeSpeak, {{"timings", "voices"}}), ("hear", fakes.FakeHear, set()),
        ("move", fakes.FakeMove, {{"timings", "any-audio"}}), ("draw", fakes.FakeDraw, set())):
    registry.engine(kind, "fake", title=kind, can=can)(factory)
run.batch([Path(p) for p in sys.argv[2:]], Path(sys.argv[1]), Options(size="256"), resume=True, count=1)
"""


@pytest.mark.slow
def test_a_hundred_kills_lose_nothing_and_make_nothing_twice(tmp_path):
    """The folder is killed empty again whenever it is whole."""
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER.format(tests=str(ROOT / "tests"), root=str(ROOT)))
    sources = [script(tmp_path, " ".join(f"This is {name}, number {n}." for n in range(14)), f"{name}.txt")
               for name in ("one", "two")]  # fmt: skip
    dice, kills, whole = random.Random(4), 0, 0
    environment = {**os.environ, "LINLY_LIBRARY": str(tmp_path / "library")}
    while kills < 100:
        out = tmp_path / f"out{whole}"
        while not all((out / f"{name}.mp4").is_file() for name in ("one", "two")):
            before = {p.name: (p.stat().st_ino, p.read_bytes()) for p in (out / "segments").glob("*.mov")}
            process = subprocess.Popen([sys.executable, str(driver), str(out), *map(str, sources)], env=environment)
            with contextlib.suppress(subprocess.TimeoutExpired):
                assert process.wait(dice.uniform(0.4, 2.2)) == 0
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()
                kills += 1
            after = {p.name: (p.stat().st_ino, p.read_bytes()) for p in (out / "segments").glob("*.mov")}
            assert {name: after[name] for name in before} == before
            assert all(segment.read(out / "segments" / name) for name in after)
        made = journal.Journal(out).segments()
        assert len(made) == len(set(made)) <= 28
        for name in ("one", "two"):
            found = video.probe(out / f"{name}.mp4")
            assert abs(found.seconds - found.audio_seconds) < 1 / 25 and sum(1 for _ in video.read_frames(found.path))
        whole += 1


@pytest.mark.slow
def test_workers_of_several_processes_make_the_same_and_end_with_their_parent(models, tmp_path):
    (tmp_path / "a.txt").write_text("Plants turn light into sugar. Roots drink water. Leaves breathe. Stems carry.")
    command = [sys.executable, "-m", "linly", "batch", str(tmp_path / "a.txt"), "--size", "256", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LINLY_WEIGHTS": str(models)}
    told = []
    for count in ("1", "2"):
        out = tmp_path / count
        done = subprocess.run(
            [*command, "-o", str(out), "--workers", count], capture_output=True, text=True, env=environment, check=False
        )
        assert done.returncode == 0, done.stderr
        told.append(json.loads(done.stdout.splitlines()[-1])["talks"][0])
    assert [row["made"] for row in told] == [4, 4] and told[0]["seconds"] == told[1]["seconds"]
    names = [sorted(path.name for path in (tmp_path / count / "segments").glob("*.mov")) for count in ("1", "2")]
    assert names[0] == names[1]


def blocks(image: np.ndarray) -> np.ndarray:
    """Means of 8 by 8 pixels: what moves, without the encoder's grain, which each key picture has anew."""
    h, w = (side // 8 * 8 for side in image.shape[:2])
    return image[:h, :w].reshape(h // 8, 8, w // 8, 8, 3).mean((1, 3))


@pytest.mark.slow
def test_segments_of_real_engines_join_without_a_jump(models, tmp_path):
    (tmp_path / "a.txt").write_text(
        "Plants turn light into sugar. Roots drink the water. [pause 1] Leaves breathe all day."
    )
    [row] = run.batch([tmp_path / "a.txt"], tmp_path / "out", Options(size="512"), count=1).rows
    made = {segment.read(p).text: p for p in (tmp_path / "out" / "segments").glob("*.mov")}
    lengths = [segment.read(made[text]).frames for text in made]
    frames = [blocks(image) for image in video.read_frames(row.video)]
    assert len(frames) == sum(lengths)
    order = ["Plants turn light into sugar.", "Roots drink the water.", "", "Leaves breathe all day."]
    ends = np.cumsum([segment.read(made[text]).frames for text in order])[:-1]
    steps = np.array([np.abs(b - a).mean() for a, b in pairwise(frames)])
    assert max(steps[end - 1] for end in ends) <= np.percentile(steps, 90)  # no larger than in sentences
    light = np.abs(np.diff([frame.mean() for frame in frames]))
    assert max(light[end - 1] for end in ends) <= 0.5  # of 255
    heard = audio.load(row.video, max_seconds=60, rate=16000).samples
    for end in ends:
        cut = round(end / 25 * 16000)
        assert np.abs(heard[cut - 160 : cut + 160]).max() < 0.02  # joined in silence
    parts = [video.probe(p).seconds for p in made.values()]
    assert abs(video.probe(row.video).seconds - sum(parts)) < 1 / 25
