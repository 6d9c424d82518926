"""The Voice tab: checked, heard, kept, fitted in the background, used in Render, taken along and removed."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import speakers

from linly import audio, enrolment, speech_words, voices, weights
from linly.errors import Cancelled, EngineUnavailable, InputError
from linly.ui import form, jobs, messages, voice, voice_card, voice_fitting, voice_handlers, voice_shelf
from linly.ui import voices as picker
from linly.ui.strings import text
from linly.ui.voice_handlers import Wish

AGREED = "She agreed to this test."


@pytest.fixture(scope="module")
def recording(models) -> str:
    return str(speakers.clips("allison")[0])


@pytest.fixture(scope="module")
def sample(recording):
    return enrolment.check([recording])


@pytest.fixture(autouse=True)
def page(tmp_path, monkeypatch):
    """Files of a page of its own, and no fitting from another test."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("SPACE_ID", raising=False)
    monkeypatch.setattr(voice_handlers, "_fits", {})
    monkeypatch.setattr(voice_handlers, "_FITS", jobs.Runner())


@pytest.fixture
def known(sample, monkeypatch):
    """The recording was checked before."""
    monkeypatch.setattr(enrolment, "check", lambda paths, denoise=False: sample)
    voice_handlers._look.cache_clear()


@pytest.fixture
def kept(known, recording) -> str:
    return str(voice_handlers.add("林老师", [recording], False, "", AGREED)["name"])


def _last(steps):
    return list(steps)[-1]


def test_the_quality_card_says_each_line_in_words(sample):
    report = {**sample.report, "advice": speech_words.advice(["noisy", "echo"]), "snr_db": 11.4, "reverb_s": 0.9}
    for lang, noise in (("en", "11 dB above the noise"), ("zh", "高出噪声 11 dB")):
        shown = voice_card.quality(replace(sample, report=report), lang)
        assert shown.count("<li") == len(voice_handlers.LINES) and shown.count('class="bad"') == 2 and noise in shown
        assert all(one[lang] in shown for one in report["advice"])
    assert voice_card.quality(None, "en").count('class="open"') == len(voice_handlers.LINES)


@pytest.mark.parametrize("key", sorted(speech_words.REFUSED))
def test_a_refusal_is_in_the_page_s_language(key):
    refusal = speech_words.refused(key, speech=1.2, least=3.0)
    assert "这段暂时不能用" in (shown := voice_card.quality(refusal, "zh"))
    assert speech_words.REFUSED[key][1].partition("{")[0] in shown and speech_words.REFUSED[key][0][:20] not in shown


def test_a_recording_is_checked_shown_and_its_words_can_be_put_right(known, recording, sample):
    steps = list(voice.checked("en", "files", None, [recording], False))
    assert text("en", "quality_busy") in steps[0][0]
    quality, wave, said, before, own, clone, _, *buttons = steps[-1]
    assert "12.7 s" in quality and "English" in wave and said == sample.transcript.text
    assert audio.load(Path(own), max_seconds=60).seconds == pytest.approx(sample.speech.seconds, abs=0.01)
    assert not before["visible"] and clone is None and all(button["interactive"] for button in buttons)
    better = said.replace("Asterisk", "Asterix", 1)
    made = voice_handlers.add("Allison", [recording], False, better, AGREED)
    assert made["report"]["text"] == better and voices.sample_of("Allison").transcript.text == better


def test_what_will_not_do_is_said_and_cannot_be_saved(tmp_path, models):
    path = tmp_path / "text renamed.wav"
    path.write_text("I am no sound.")
    quality, _, said, *_, save, _, _ = _last(voice.checked("zh", "files", None, [str(path)], False))
    assert "请换一个声音文件" in quality and said == "" and not save["interactive"]
    quality, *_, save, _, _ = _last(voice.checked("en", "record", None, None, False))
    assert text("en", "quality_none") in quality and not save["interactive"]


def test_the_clone_is_heard_before_anything_is_kept(known, recording):
    first, (player, words, *buttons) = list(voice.tried("zh")("en", "files", None, [recording], False))
    assert text("en", "clone_making") in first[1] and all(button["interactive"] for button in buttons)
    assert audio.load(Path(player["value"]), max_seconds=60).seconds > 3 and "Likeness 0.8" in words
    assert voices.names() == []


def test_saving_asks_for_a_name_and_for_consent(known, recording):
    def saved(name, consent):
        return _last(voice_shelf.saved("zh", "", "", name, consent, "", "files", None, [recording], False))

    assert "同意" in saved("Lin", " ")[0] and "请给声音起一个名称" in saved("  ", AGREED)[0]
    assert "不能" in saved("../../etc", AGREED)[0] and voices.names() == []
    done = saved("林老师", AGREED)
    assert "林老师 已保存" in done[0] and done[2:4] == ["", ""]
    shelf = dict(zip(("enrolled", "tiles", "none", "render"), done[4:8], strict=True))
    assert shelf["enrolled"]["value"] == "林老师" and "林老师" in shelf["tiles"] and shelf["none"] == ""
    assert "已有名为" in saved("林老师", AGREED)[0]


def test_render_offers_saved_voices_with_their_way_and_likeness(kept):
    label, value = picker.enrolled("en")[0]
    assert value == kept and label.startswith(f"{kept} · nearest stock voice · likeness 0.8")
    assert (label, value) in picker.choices("en")
    job = form.Form(
        voice=kept, script="Hello.", pitch=-2.0, lexicon="Linly = /ˈlɪnli/\n# 重庆\n重庆 = chong2 qing4"
    ).job()
    assert job.voice == kept and job.style.pitch == -2
    assert job.style.lexicon == (("Linly", "/ˈlɪnli/"), ("重庆", "chong2 qing4"))
    with pytest.raises(InputError, match="line 1") as wrong:
        form.Form(script="Hello.", lexicon="nonsense").job()
    assert "第 1 行" in messages.translated(str(wrong.value), "zh")
    with pytest.raises(InputError, match="pitch must be between"):
        form.Form(script="Hello.", pitch=9).job()


def test_a_saved_voice_is_heard_renamed_exported_and_taken_in_again(kept, tmp_path):
    sound = voice_shelf.heard("en", kept, "en")["value"]
    assert audio.load(Path(sound), max_seconds=60).seconds > 3
    assert audio.load(Path(voice_handlers.own(kept)), max_seconds=60).seconds > 10
    done = voice_shelf.renamed("en", kept, "Mei", kept, "")
    assert "is Mei now" in done[0] and done[4]["value"] == "Mei"  # Render goes on with the voice that it had
    with pytest.raises(Exception, match="no enrolled voice"):
        voice_shelf.renamed("en", kept, "Tom", "", "")
    file = shutil.copy(voice_shelf.exported("en", "Mei")["value"], tmp_path / "mei.zip")
    assert voice_shelf.removed("en", "Mei", "Mei", "")[4]["value"] == "" and voices.names() == []
    assert "Mei was taken in" in voice_shelf.taken("en", file, "", "")[0]
    rows = picker.listed()
    assert [row["name"] for row in rows] == ["Mei"] and rows[0]["consent"] == AGREED
    assert str(tmp_path) not in json.dumps([rows, voice_handlers.about("Mei")])
    (tmp_path / "not.zip").write_text("no zip")
    with pytest.raises(Exception, match="不是 Linly 导出的声音"):
        voice_shelf.taken("zh", str(tmp_path / "not.zip"), "", "")


class Fitting:
    """What stands for the minutes of `voices.fit`: it goes on when told, and heeds Cancelled."""

    def __init__(self, monkeypatch, outcome=None):
        self.go, self.begun, self._outcome = threading.Event(), threading.Event(), outcome
        monkeypatch.setattr(voices, "fit", self)

    def __call__(self, name, progress, minutes):
        progress("fit: sound", 0.4)
        self.begun.set()
        while not self.go.wait(0.02):
            progress("fit: sound", 0.4)
        if self._outcome:
            raise self._outcome
        base = voices.load(name, "closest").features
        voices.set_fitted(name, base, {}, {"similarity": 0.91})
        return voices.load(name)


def test_fitting_runs_behind_the_page_and_the_voice_speaks_meanwhile(kept, monkeypatch):
    work = Fitting(monkeypatch)
    assert "11 minutes" in voice_fitting.now("en", kept)[0]
    job = voice_handlers.fit(kept)
    assert work.begun.wait(10) and voice_handlers.fit(kept) is job
    line, go, stop, clock = voice_fitting.now("zh", kept)
    assert "正在学习音色 · 40 %" in line and not go["interactive"] and stop["interactive"] and clock.active
    assert voices.load(kept).tier == "closest"
    work.go.set()
    assert job.wait(10)
    line, go, stop, clock = voice_fitting.now("en", kept)
    assert "0.91" in line and go["interactive"] and not stop["interactive"] and not clock.active
    assert picker.enrolled("en")[0][0] == f"{kept} · fitted · likeness 0.91"


def test_fitting_waits_in_line_and_can_be_stopped(kept, known, recording, monkeypatch):
    voice_handlers.add("Tom", [recording], False, "", AGREED)
    work = Fitting(monkeypatch)
    first, second = voice_handlers.fit(kept), voice_handlers.fit("Tom")
    assert work.begun.wait(10) and "1 before" in voice_fitting.line(second, "en")
    assert voice_handlers.cancel_fit("Tom") and voice_handlers.cancel_fit(kept)
    assert first.wait(10) and second.wait(10) and isinstance(second.error, Cancelled)
    assert text("zh", "fit_stopped") in voice_fitting.line(first, "zh")
    assert not voice_handlers.cancel_fit(kept) and voices.load(kept).tier == "closest"


@pytest.mark.parametrize(("error", "words"), [
    (EngineUnavailable("Fitting a voice needs the Python package torch: run it."), "需要 torch"),
    (InputError("The fitted voice came out no better, so the closest one stays: x"), "没有更像"),
])  # fmt: skip
def test_why_fitting_did_not_work_is_a_sentence(kept, monkeypatch, error, words):
    work = Fitting(monkeypatch, error)
    work.go.set()
    assert voice_handlers.fit(kept).wait(10)
    assert words in voice_fitting.now("zh", kept)[0] and voices.load(kept).tier == "closest"
    with pytest.raises(type(error)):
        voice_handlers.fit_now(kept)


def test_on_a_shared_space_one_listens_and_nothing_is_kept(kept, recording, monkeypatch):
    monkeypatch.setenv("SPACE_ID", "somebody/linly")
    assert voice_handlers.check([recording])["ok"] and voice_handlers.trial(Wish("files", None, [recording]), "en")
    for act in (
        lambda: voice_handlers.add("Eve", [recording], False, "", AGREED), lambda: voice_handlers.remove(kept),
        lambda: voice_handlers.rename(kept, "Eve"), lambda: voice_handlers.export(kept),
        lambda: voice_handlers.take("x.zip"), lambda: voice_handlers.fit(kept), lambda: voice_handlers.cancel_fit(kept),
    ):  # fmt: skip
        with pytest.raises(InputError, match="shared Space") as refused:
            act()
        assert "公共 Space" in messages.translated(str(refused.value), "zh")
    assert voices.names() == [kept]


def test_a_damaged_voice_is_shown_and_can_be_removed(kept):
    for file in Path(voices.reference(kept)).parent.iterdir():
        file.write_bytes(b"")
    [row] = picker.listed()
    assert row == {"name": kept, "damaged": True} and text("zh", "damaged") in voice_shelf.choices("zh")[0][0]
    assert voice_shelf.picked("zh", kept)[0]["visible"] and picker.enrolled("zh") == []
    assert voice_handlers.remove(kept) == []


def test_zero_shot_engines_say_size_licence_and_time(monkeypatch, tmp_path):
    monkeypatch.setenv("LINLY_WEIGHTS", str(tmp_path))
    rows = {row["name"]: row for row in voice_handlers.zero_shot()}
    assert set(rows) == {"zipvoice", "pocket"} and all(row["lacking"] for row in rows.values())
    shown = voice_fitting.offer("pocket", "en")
    assert f"{round(rows['pocket']['bytes'] / 1e6)} MB" in shown and "CC-BY-4.0" in shown and "1 min" in shown
    asked = []

    def pull(names, progress):
        asked.extend(names)
        progress("pocket-tts", 0.5)
        raise InputError("The disk is full: x was not written; free some space.")

    monkeypatch.setattr(weights, "pull", pull)
    with pytest.raises(Exception, match="磁盘已满"):
        list(voice_fitting.fetched("pocket", "zh"))
    assert asked == rows["pocket"]["lacking"]


def test_two_visitors_never_get_each_other_s_recording(known, recording, tmp_path, monkeypatch, sample):
    """The check is remembered by file and time, never by session."""
    other = shutil.copy(recording, tmp_path / "other.wav")
    seen = []
    monkeypatch.setattr(enrolment, "check", lambda paths, denoise=False: seen.append(paths) or replace(sample))
    voice_handlers._look.cache_clear()
    one, two = voice_handlers.look(Wish("files", None, [recording])), voice_handlers.look(Wish("files", None, [other]))
    assert one is not two and seen == [(recording,), (other,)]
    assert voice_handlers.look(Wish("files", None, [recording])) is one
    assert voice_handlers.wav(sample.speech, "a") != voice_handlers.wav(sample.speech, "a")
