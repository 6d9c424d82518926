"""The page: its words in both languages, its handlers, its errors, its verbs. Fast: the engines are fakes."""

from __future__ import annotations

import html
import json
import re
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from linly import library, pipeline, settings
from linly.errors import Cancelled, InputError, LinlyError
from linly.ui import (
    handlers,
    jobs,
    layout,
    messages,
    models,
    parts,
    picker,
    render,
    result,
    theme,
    verbs,
    voices,
)
from linly.ui.form import OWN, OWN_CLIP, Form
from linly.ui.strings import LANGUAGES, STRINGS, duration, text


@pytest.fixture(autouse=True)
def page_files(tmp_path, monkeypatch):
    """Two sample portraits, and a folder of its own for jobs."""
    found = []
    for name, gender, shade in (("mei", "female", 90), ("tom", "male", 160)):
        path = tmp_path / f"{name}.png"
        Image.fromarray(np.full((96, 96, 3), shade, np.uint8)).save(path)
        found.append(library.Sample(name, path, name.title(), {"mei": "小梅", "tom": "小明"}[name], gender))
    monkeypatch.setattr(library, "samples", lambda: tuple(found))
    monkeypatch.setattr(voices, "_known", False)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def page(fake_engines):
    return layout.build(settings.load(lang="en"))


def _last(steps):
    return list(steps)[-1]


def test_every_string_is_there_in_both_languages_with_the_same_fields():
    for key, (english, chinese) in STRINGS.items():
        assert english.strip() and chinese.strip(), key
        assert set(re.findall(r"{(\w+)}", english)) == set(re.findall(r"{(\w+)}", chinese)), key


def _visible(value):
    if isinstance(value, str):
        plain = re.sub(r"<(style|script).*?</\1>|<[^>]+>", "\n", value, flags=re.DOTALL)
        yield from (line.strip() for line in plain.split("\n") if line.strip())
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _visible(item[0] if isinstance(item, list | tuple) and len(item) == 2 else item)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_visible_word_of_the_page_comes_from_the_table(fake_engines, lang):
    config = layout.build(settings.load(lang=lang)).get_config_file()
    column = LANGUAGES.index(lang)
    entries = [entry[column] for entry in STRINGS.values()] + [text("en", code) for code in LANGUAGES]
    names = {"Linly", "Mei", "Tom", "小梅", "小明", "Fake speak", "Fake draw"}
    names |= {html.escape(row[key]) for row in models.weights.listing() for key in ("title", "licence")}
    patterns = [re.sub(r"\\{\w+\\}", ".+", re.escape(entry)) for entry in entries] + [re.escape(n) for n in names]
    known = re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
    hidden = _below_hidden(config["layout"], {c["id"]: c for c in config["components"]})
    strangers = set()
    for component in (c for c in config["components"] if c["id"] not in hidden):
        names = ["label", "info", "placeholder", "choices"]
        names += ["value"] if component["type"] in ("button", "html", "downloadbutton", "uploadbutton") else []
        for words in (w for name in names for w in _visible(component["props"].get(name))):
            parts_of = [words] if known.fullmatch(words) else words.split(" · ")
            strangers |= {w for w in parts_of if re.search(r"[^\W\d_]{3}", w) and not known.fullmatch(w)}
    assert not strangers


def _below_hidden(node, components, hidden=False):
    """Ids of what lies in groups that are never shown: the plain parameters of the verbs."""
    own = components.get(node.get("id"), {})
    hidden = hidden or (own.get("type") == "group" and own["props"].get("visible") is False)
    below = [_below_hidden(child, components, hidden) for child in node.get("children") or ()]
    return set().union({node.get("id")} if hidden else set(), *below)


def test_the_verbs_have_their_names_and_parameters(page):
    named = page.get_api_info()["named_endpoints"]
    assert set(named) == {
        "/render", "/portrait_check", "/portrait_add", "/portrait_list", "/portrait_remove", "/models", "/pull",
        "/remove", "/voice_check", "/voice_add", "/voice_list", "/voice_test", "/voice_rename", "/voice_remove",
        "/voice_export", "/voice_import", "/voice_fit", "/voice_fit_cancel", "/chat", "/batch",
    }  # fmt: skip
    parameters = [p["parameter_name"] for p in named["/render"]["parameters"]]
    assert parameters[:5] == ["text", "portrait", "voice", "photo", "audio"]
    assert all(p["parameter_has_default"] for p in named["/render"]["parameters"])
    assert parameters[-6:-2] == ["crop", "frame", "background", "background_picture"]
    assert parameters[-2:] == ["pitch", "lexicon"]
    added = [p["parameter_name"] for p in named["/portrait_add"]["parameters"]]
    assert added == ["name", "photo", "crop", "light", "denoise", "consent"]
    added = [p["parameter_name"] for p in named["/voice_add"]["parameters"]]
    assert added == ["name", "files", "denoise", "text", "consent"]
    assert [r["label"] for r in named["/render"]["returns"]] == ["video", "subtitles", "report"]


def test_turning_the_language_changes_every_bound_word(fake_engines):
    say = parts.Wording("en")
    import gradio as gr

    with gr.Blocks():
        render.build_render(say, gr.Radio(["en", "zh"]))
    english, chinese = json.dumps(say.turned("en"), default=str), json.dumps(say.turned("zh"), default=str)
    assert "Render video" in english and "Render video" not in chinese
    assert len(say.turned("zh")) == len(say.components)


def test_a_render_gives_a_video_and_a_report(fake_engines):
    steps = list(handlers.render(Form("mei", script="Hello there.", subtitles="srt")))
    assert all(step.busy for step in steps[:-1]) and len(steps) > 1
    report = steps[-1].report
    assert report and Path(report.video).is_file() and Path(report.subtitles).read_text(encoding="utf-8").strip()
    updates = result.shown(steps[-1], "zh")
    assert "完成" in updates[0]
    assert not [v for v in json.dumps(verbs.told(report)).split('"') if v.startswith("/")]


def test_a_voice_is_chosen_that_fits_the_portrait(fake_engines):
    assert Form("mei", script="Hello there.").chosen_voice(Form().style()) == "en_a"
    assert Form("tom", script="你好，世界。").chosen_voice(Form().style()) == "zh_b"
    assert Form("tom", voice="en_a", script="你好。").chosen_voice(Form().style()) == "en_a"


@pytest.mark.parametrize(
    ("form", "english", "chinese"),
    [
        (Form("mei", script="  "), "nothing to say", "没有可说的内容"),
        (Form("mei", script="x", rate=9), "rate must be between", "须在"),
        (Form("mei", source="sound"), "sound first", "请先录音"),
        (Form(OWN, script="x"), "photo first", "请先选择照片"),
        (Form("/etc/passwd", script="x"), "no sample or enrolled portrait", "没有名为"),
        (Form("../../x.png", script="x"), "no sample or enrolled portrait", "没有名为"),
        (Form(OWN_CLIP, script="x"), "short video", "短视频"),
        (Form("mei", script="x", background="picture"), "picture for the background", "背景图片"),
        (Form("mei", script="x", background="/etc/motd.png"), "colour as #rrggbb", "背景须为"),
        (Form("mei", script="x", crop="knees"), "crop must be one of", "crop"),
        (Form("mei", script="a" * 30000), "characters and the limit", "上限"),
        (Form("mei", script="x", subtitles="pdf"), "subtitles must be one of", "subtitles"),
        (Form("mei", script="x", speak="nobody"), "no speak engine", "nobody"),
    ],
)
def test_bad_input_becomes_one_sentence(fake_engines, form, english, chinese):
    step = _last(handlers.render(form))
    assert isinstance(step.error, LinlyError) and english in str(step.error)
    said = parts.toast(step.error, "zh").message
    assert chinese in said and "\n" not in said and "Traceback" not in said


def test_what_nobody_foresaw_is_a_sentence_too(fake_engines, monkeypatch):
    monkeypatch.setattr(pipeline, "render", lambda job, tell: 1 / 0)
    step = _last(handlers.render(Form("mei", script="Hello.")))
    assert parts.toast(step.error, "en").message == text("en", "broke", what="ZeroDivisionError")


def test_errors_of_the_road_are_known_in_chinese(tmp_path):
    from linly.pictures import load_image

    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "b.jpg").write_bytes(b"hello, not a picture")
    Image.new("RGB", (8, 8)).save(tmp_path / "c.png")
    for name in ("a.jpg", "b.jpg", "c.png"):
        with pytest.raises(InputError) as caught:
            load_image(tmp_path / name)
        assert re.search("[一-鿿]", messages.translated(str(caught.value), "zh")), str(caught.value)


def _endless(started):
    def work(job, tell):
        started.set()
        for n in range(2000):
            tell("face", n / 2000)
            time.sleep(0.01)
        raise AssertionError("was not stopped")

    return work


def test_stop_ends_the_work_and_the_next_one_runs(fake_engines, monkeypatch):
    started = threading.Event()
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "render", _endless(started))
        seen = []
        watcher = threading.Thread(target=lambda: seen.extend(handlers.render(Form("mei", script="Hi."), session="a")))
        watcher.start()
        assert started.wait(5)
        assert not handlers.stop("b"), "nobody stops another visitor's render"
        assert handlers.stop("a")
        watcher.join(5)
    assert not watcher.is_alive() and isinstance(seen[-1].error, Cancelled)
    assert text("zh", "stopped") in result.line(seen[-1], "zh")
    assert _last(handlers.render(Form("mei", script="Hello."), session="a")).report


def test_a_visitor_who_leaves_stops_the_work(fake_engines, monkeypatch):
    started = threading.Event()
    monkeypatch.setattr(pipeline, "render", _endless(started))
    steps = handlers.render(Form("mei", script="Hi."), session="gone")
    next(steps)
    job = handlers._running["gone"]
    steps.close()
    assert job.wait(5) and isinstance(job.error, Cancelled) and "gone" not in handlers._running


def test_jobs_run_one_at_a_time_in_order():
    runner, active, order = jobs.Runner(), [], []

    def work(number):
        def run(tell):
            active.append(number)
            assert len(active) == 1
            time.sleep(0.02)
            order.append(active.pop())

        return run

    queued = [runner.submit(work(n)) for n in range(5)]
    assert runner.before(queued[4]) >= 3
    assert all(job.wait(5) and job.error is None for job in queued)
    assert order == [0, 1, 2, 3, 4]


def test_two_visitors_at_once_get_their_own_files(fake_engines):
    reports = {}

    def visit(name):
        form = Form("mei", script=f"I am {name}.", subtitles="srt")
        reports[name] = _last(handlers.render(form, session=name)).report

    visitors = [threading.Thread(target=visit, args=(n,)) for n in ("Anna", "Boris", "Chen")]
    [v.start() for v in visitors]
    [v.join(30) for v in visitors]
    assert len({r.video for r in reports.values()}) == 3
    for name, report in reports.items():
        assert name in Path(report.subtitles).read_text(encoding="utf-8")


@pytest.mark.parametrize("hostile", ["../../etc/passwd", "a/b\\c:d*?", "\x00\n", "..", "<script>", "😀" * 300, "CON."])
def test_hostile_names_become_safe_ones(hostile):
    safe = jobs.safe_name(hostile)
    assert re.fullmatch(r"[^\W_]+(-[^\W_]+)*", safe) and len(safe) <= 40


def test_folders_are_private_and_old_ones_go(tmp_path):
    import os

    old = jobs.folder(tmp_path)
    os.utime(old, (0, 0))
    new = jobs.folder(tmp_path)
    assert new.is_dir() and not old.exists() and new.stat().st_mode & 0o077 == 0


def test_count_and_estimate():
    slow, fast = handlers.count("你好世界" * 20, 0.5, "en")[0], handlers.count("你好世界" * 20, 2.0, "en")[0]
    assert slow.startswith("80 characters") and slow != fast
    assert handlers.count("", 1, "zh") == (text("zh", "count_none"), True)
    assert handlers.count("a" * 30000, 1, "en")[1] is False
    assert duration("en", 125) == "2 min 5 s"


def test_progress_never_goes_back_and_tells_the_time_left():
    seen = []

    def work(tell):
        for stage, fraction in (("load", 1), ("hear", 0.5), ("hear", 1), ("face", 0), ("face", 0.5), ("finish", 1)):
            tell(stage, fraction)
            seen.append(job.fraction)
        time.sleep(0.01)

    job = jobs.Job(work)
    job.run()
    assert seen == sorted(seen) and seen[-1] == 1.0 and job.error is None
    assert parts.progress_words("en", "face", 0.62, 14) == "Voice and face · 62 % · 14 s left"


def test_a_first_start_shows_the_fetching_and_survives_a_failure(monkeypatch):
    monkeypatch.setattr(models, "FETCH", models.Fetch())
    monkeypatch.setattr(models, "missing", lambda: ["kokoro"])

    def broken(names, tell):
        tell("Kokoro", 0.5)
        time.sleep(0.5)
        raise InputError("The disk is full: model.onnx was not written; free some space or choose another folder.")

    monkeypatch.setattr(models.weights, "pull", broken)
    shown = list(models.fetching("zh"))
    assert any("50 %" in html for html, _, _ in shown)
    html, usable, again = shown[-1]
    assert "磁盘已满" in html and not usable and again
    monkeypatch.setattr(models.weights, "pull", lambda names, tell: None)
    assert list(models.fetching("zh"))[-1] == ("", True, False)


def test_a_shared_space_keeps_its_models(monkeypatch):
    monkeypatch.setenv("SPACE_ID", "someone/linly")
    with pytest.raises(InputError):
        models.remove("kokoro")
    with pytest.raises(InputError):
        models.pull("kokoro")


def test_html_from_visitors_is_escaped():
    assert "<b>" not in parts.note("<b>x</b>") and "<b>" not in parts.table([("<b>", "<b>")])
    assert "<img" not in parts.toast(InputError("<img src=x>"), "en").message


def test_listening_beyond_this_machine_demands_a_token(monkeypatch):
    import app

    monkeypatch.delenv("SPACE_ID", raising=False)
    with pytest.raises(InputError, match="--token"):
        app._address(SimpleNamespace(listen="0.0.0.0", port=1), "")
    assert app._address(SimpleNamespace(listen="0.0.0.0", port=1), "s") == ("0.0.0.0", 1, ("linly", "s"))
    assert app._address(SimpleNamespace(listen="127.0.0.1", port=1), "") == ("127.0.0.1", 1, None)
    monkeypatch.setenv("SPACE_ID", "someone/linly")
    assert app._address(SimpleNamespace(listen="127.0.0.1", port=1), "")[0] == "0.0.0.0"


def test_the_style_sheet_names_no_path_of_this_machine(page_files):
    assert str(page_files) not in theme.css() and str(page_files) not in picker.poster("mei")


def test_a_photo_is_checked_in_words(fake_engines, page_files):
    good = picker.check_line(OWN, str(library.samples()[0].path), None, "zh")
    assert text("zh", "photo_good") in good
    (page_files / "x.jpg").write_bytes(b"nothing")
    assert "bad" in picker.check_line(OWN, str(page_files / "x.jpg"), None, "en")
    assert replace(Form(), portrait=OWN, photo="p")._portrait() == "p"
