"""The road with fake engines: what flows, in which order, how it stops, and what is left behind."""

import json
import threading
import time
from dataclasses import replace

import fakes
import numpy as np
import pytest
from PIL import Image as Picture

from linly import recording, registry, video
from linly.ahead import ahead
from linly.audio import load, write_wav
from linly.errors import Cancelled, InputError
from linly.pipeline import RenderJob, render
from linly.values import Audio, Style

TEXT = "The first sentence is here. The second one follows. And a third."


@pytest.fixture
def face(tmp_path):
    path = tmp_path / "face.png"
    Picture.fromarray(np.full((256, 256, 3), 128, np.uint8)).save(path)
    return str(path)


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "talk.mp4"


def test_a_text_becomes_a_video_whose_sound_and_picture_are_equally_long(fake_engines, face, out):
    report = render(RenderJob(out, text=TEXT, portrait=face))
    made = video.probe(out)
    assert made.frames == report.frames and abs(made.seconds - made.audio_seconds) < 1 / 25
    assert report.sentences == 3 and report.seconds == pytest.approx(0.05 * (len(TEXT) - 5), abs=0.15)
    assert {"speak", "move", "draw", "encode", "mark", "total"} <= set(report.timings)
    assert report.engines == dict.fromkeys(("speak", "move", "draw"), "fake")
    assert json.loads(json.dumps(report.json()))["voice"] == "en_a"


def test_a_text_still_being_written_is_spoken_piece_by_piece(fake_engines, face, out):
    said, when = fake_engines["speak"]._inner.said, []

    def pieces():
        for piece in ("The first clause,", " ... ", "and the second. And a third."):
            when.append(len(said))
            yield piece

    report = render(RenderJob(out, pieces=pieces(), portrait=face, style=Style(language="en"), sidecar=True))
    assert when == [0, 1, 1]  # nothing is asked for before what came earlier is spoken; dots are not
    timed = json.loads(out.with_suffix(".json").read_text())["utterances"]
    assert [one["text"] for one in timed if one["text"]] == ["The first clause,", "and the second", "And a third"]
    assert report.seconds == pytest.approx(0.05 * 42 + recording.REST, abs=0.2)
    assert 0 < report.first["speak"] < report.first["draw"] < report.timings["total"]
    with pytest.raises(InputError, match="answer was empty"):
        render(RenderJob(out, pieces=iter(("...", "")), portrait=face, style=Style(language="en")))


@pytest.mark.parametrize("fps", [24, 25, 30, 60])
def test_every_frame_rate_keeps_sound_and_picture_together(fake_engines, face, out, fps):
    render(RenderJob(out, text=TEXT, portrait=face, style=Style(fps=fps)))
    made = video.probe(out)
    assert made.fps == pytest.approx(fps) and abs(made.seconds - made.audio_seconds) < 1 / fps


def test_a_recording_keeps_its_own_sound(fake_engines, face, out, tmp_path):
    time_axis = np.arange(int(2.3 * 24000)) / 24000
    write_wav(Audio((0.3 * np.sin(440 * time_axis)).astype(np.float32), 24000), tmp_path / "in.wav")
    report = render(RenderJob(out, audio=tmp_path / "in.wav", portrait=face))
    heard = load(out, max_seconds=10, rate=24000)
    assert report.seconds == pytest.approx(2.3, abs=0.05) and report.voice == ""
    assert float(np.sqrt(np.mean(heard.samples**2))) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)


def test_an_engine_without_times_is_timed_by_one_that_has_them(fake_engines, face, out):
    """The mouth follows the sounds, not loudness; where nobody knows the language, the report says so."""
    registry.engine("speak", "mute", title="Mute", can={"clones"})(fakes.MuteSpeak)
    job = RenderJob(out, text=TEXT, portrait=face, engines={"speak": "mute"}, sidecar=True)
    report = render(job)
    said = json.loads(out.with_suffix(".json").read_text())["utterances"]
    assert [one["timing"] for one in said] == ["aligned"] * 3 and all(one["phonemes"] for one in said)
    assert report.engines["speak"] == "mute" and "align" in report.timings and not report.warnings

    report = render(replace(job, style=Style(language="de")))
    said = json.loads(out.with_suffix(".json").read_text())["utterances"]
    assert [one["timing"] for one in said] == ["none"] * 3
    assert "In 3 of 3 sentences the mouth follows loudness only" in report.warnings[-1]


def test_subtitles_and_timing_lie_beside_the_video(fake_engines, face, out):
    report = render(RenderJob(out, text=TEXT, portrait=face, subtitles="srt", sidecar=True))
    assert "The second one follows" in out.with_suffix(".srt").read_text(encoding="utf-8")
    timing = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert report.sidecar == str(out.with_suffix(".json"))
    starts = [u["start"] for u in timing["utterances"]]
    assert starts == sorted(starts) and timing["utterances"][1]["phonemes"][0]["start"] >= starts[1]
    assert timing["utterances"][-1]["end"] == pytest.approx(timing["seconds"], abs=0.05)


def test_previews(fake_engines, face, out):
    long = "a sentence of some length" * 10 + "."
    assert render(RenderJob(out, text=long, portrait=face, preview="short")).seconds == pytest.approx(3.0, abs=0.05)
    render(RenderJob(out.with_suffix(".png"), text=long, portrait=face, preview="frame"))
    assert Picture.open(out.with_suffix(".png")).size == (64, 64)


def test_a_stopped_render_leaves_nothing_behind(fake_engines, face, out):
    def stop(stage, fraction):
        if stage == "face" and fraction > 0.3:
            raise Cancelled("Stopped.")

    before = set(threading.enumerate())
    with pytest.raises(Cancelled):
        render(RenderJob(out, text=TEXT, portrait=face), stop)
    assert list(out.parent.iterdir()) == []
    assert not set(threading.enumerate()) - before


def test_an_older_video_of_the_same_name_survives_a_failure(fake_engines, face, out, monkeypatch):
    out.write_bytes(b"the older one")
    monkeypatch.setattr(fake_engines["draw"]._inner, "draw", lambda *a: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        render(RenderJob(out, text=TEXT, portrait=face))
    assert out.read_bytes() == b"the older one" and len(list(out.parent.iterdir())) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"text": "  \n "}, "nothing to say"),
        ({"text": "x" * 100_000}, "100,000 characters and the limit is"),
        ({"subtitles": "ass"}, "subtitles must be one of"),
        ({"preview": "frame"}, r"must be a \.png file"),
        ({"portrait": "nobody"}, "no portrait file or sample called 'nobody'"),
        ({"voice": "Ana"}, "did you mean Anna"),
        ({"voice": "qqqq"}, "no voice called 'qqqq'"),
        ({"engines": {"draw": "magic"}}, "no draw engine called 'magic'; choose one of: fake"),
        ({"engines": {"paint": "x"}}, "no engine kind 'paint'"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_left(fake_engines, face, out, change, words):
    with pytest.raises(InputError, match=words) as caught:
        render(RenderJob(**{"out": out, "text": TEXT, "portrait": face, **change}))
    assert "\n" not in str(caught.value) and list(out.parent.iterdir()) == []


def test_speech_runs_ahead_of_the_face_but_only_so_far():
    made = []

    def numbers():
        for n in range(100):
            made.append(n)
            yield n

    with ahead(numbers(), depth=2) as items:
        assert next(items) == 0
        time.sleep(0.2)
        assert len(made) <= 5
    assert not [t for t in threading.enumerate() if t.name == "linly-ahead"]


def test_work_can_be_stopped_while_the_first_sentence_is_still_being_spoken():
    release, spoken = threading.Event(), []

    def slow():
        release.wait(30)
        spoken.append(1)
        yield 1

    def stop():
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled), ahead(slow(), depth=2, waiting=stop) as items:
        next(items)
    assert not spoken
    release.set()


def test_an_error_in_the_thread_reaches_the_consumer_in_its_place():
    def broken():
        yield 1
        raise InputError("The second sentence cannot be said.")

    with ahead(broken(), depth=2) as items:
        assert next(items) == 1
        with pytest.raises(InputError, match="second sentence"):
            next(items)
