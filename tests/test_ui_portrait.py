"""The Portrait tab: checked, shown before and after, kept, used and removed. Fast: the engines are fakes."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

import fakes
import numpy as np
import pytest
from PIL import Image

from linly import library, portraits
from linly.errors import InputError
from linly.face import words
from linly.face.frame import CHIN, OVAL
from linly.ui import (
    form,
    handlers,
    messages,
    picker,
    portrait,
    portrait_handlers,
    render,
    result,
    shelf,
    theme,
    verbs,
    verdict,
)
from linly.ui.form import OWN, Form
from linly.ui.portrait_handlers import Look, Wish
from linly.ui.strings import text

NAME = "林老师 2"
CONSENT = "This is me, for my lessons."


@pytest.fixture(autouse=True)
def page_files(tmp_path, monkeypatch):
    """Two sample portraits, and a folder of its own for jobs."""
    found = []
    for name, shade in (("mei", 90), ("tom", 160)):
        path = tmp_path / f"{name}.png"
        Image.fromarray(np.full((96, 96, 3), shade, np.uint8)).save(path)
        found.append(library.Sample(name, path, name.title(), name.title(), "female"))
    monkeypatch.setattr(library, "samples", lambda: tuple(found))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def advice():
    """What the fake check says of the next photos; to be filled."""
    return []


@pytest.fixture
def photo(page_files, fake_engines, advice, monkeypatch):
    """A tall photo with a face in its upper half, for a draw engine that finds it."""
    plain = fakes.FakeDraw.prepare

    def prepare(self, image, name):
        made = plain(self, image, name)
        h, w = image.shape[:2]
        turn = np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)
        made.landmarks[:] = (w / 2, h / 3, 0)
        made.landmarks[list(OVAL), 0] += w / 6 * np.sin(turn)
        made.landmarks[list(OVAL), 1] -= w / 5 * np.cos(turn)
        made.landmarks[CHIN, 1] = h / 3 + w / 5
        object.__setattr__(made, "report", {"faces": 1, "score": 1 - 0.3 * len(advice), "advice": list(advice)})
        return made

    monkeypatch.setattr(fakes.FakeDraw, "prepare", prepare)
    path = page_files / "anna.png"
    grey = np.linspace(40, 220, 300, dtype=np.uint8)[:, None, None]
    Image.fromarray(np.broadcast_to(grey, (300, 200, 3)).copy()).save(path)
    return str(path)


def test_every_advice_of_the_gate_has_its_line_in_the_verdict():
    assert frozenset().union(*portrait_handlers.CHECKS.values()) == set(words.ADVICE)
    hopeless = frozenset().union(*portrait_handlers.HOPELESS.values())
    assert hopeless | {"no_face", "unclear"} >= {k for k in words.REFUSED if k in hopeless} and hopeless <= set(
        words.REFUSED
    )


@pytest.mark.parametrize("key", words.REFUSED)
def test_every_refusal_of_the_gate_is_said_in_chinese_and_marks_its_line(key):
    values = {"width": 90, "height": 80, "least": 128, "wide": 40, "degrees": 50, "whence": "above", "way": "clockwise"}
    error = words.refused(key, **values)
    said = verdict.verdict(error, "zh")
    assert re.search("[一-鿿]", messages.translated(str(error), "zh"))
    assert text("zh", "verdict_refused") in said and str(error) not in said
    crosses = [name for name, keys in portrait_handlers.HOPELESS.items() if key in keys]
    assert said.count("✗") == len(crosses) and "✓" not in said


def test_the_verdict_says_score_word_lines_and_advice(photo, advice):
    assert text("en", "score_best") in verdict.verdict(portrait_handlers.look(Wish(photo=photo)), "en")
    advice += words.advice(["turned", "dark"])
    told = portrait_handlers.look(Wish(photo=_touched(photo)))
    said = verdict.verdict(told, "zh")
    assert "<b>40</b>" in said and text("zh", "score_poor") in said
    assert said.count("✗") == 2 and said.count("✓") == len(portrait_handlers.CHECKS) - 2
    assert words.ADVICE["dark"][1] in said and words.ADVICE["turned"][1] in said


def _touched(path: str) -> str:
    """The same photo under another name: a new upload."""
    copy = Path(path).with_stem("again")
    copy.write_bytes(Path(path).read_bytes())
    return str(copy)


def test_a_score_out_of_one_or_of_a_hundred_is_the_same():
    assert portrait_handlers.score({"score": 0.85}) == portrait_handlers.score({"score": 85}) == 85
    assert [portrait_handlers.grade(n) for n in (100, 84, 69, 10)] == ["best", "good", "fair", "poor"]


def test_a_photo_is_shown_before_and_after(photo):
    *_, (pair, said, hello, save, *_rest) = portrait.looked("en", *_values(Wish(photo=photo)))
    assert text("en", "before") in pair and text("en", "after_same") in pair and photo not in pair + said
    assert hello["interactive"] and save["interactive"]
    seen = portrait_handlers.look(Wish(photo=photo, crop="head", denoise=True))
    assert seen.after is not None and seen.after.shape[0] < seen.before.shape[0]
    assert text("en", "after") + "<" in verdict.pair(seen, "en")


def _values(wish: Wish) -> list[object]:
    return list(asdict(wish).values())


def test_the_tab_says_at_once_that_it_looks(photo):
    first, *_ = portrait.looked("zh", *_values(Wish(photo=photo)))
    assert text("zh", "verdict_busy") in first[1]


def test_what_cannot_talk_is_shown_and_cannot_be_kept(photo, page_files):
    black, torn = page_files / "black.png", page_files / "torn.jpg"
    Image.new("RGB", (128, 128)).save(black)
    torn.write_bytes(b"no picture")
    for path, seen in ((black, True), (torn, False)):
        *_, (pair, said, hello, save, *_rest) = portrait.looked("en", *_values(Wish(photo=str(path))))
        assert ("<img" in pair) is seen and text("en", "verdict_refused") in said
        assert not hello["interactive"] and not save["interactive"]
    *_, (pair, said, _hello, save, *_rest) = portrait.looked("en", *_values(Wish()))
    assert text("en", "verdict_none") in said and text("en", "stage_empty") in pair and not save["interactive"]


def test_a_portrait_is_kept_listed_used_and_removed(photo):
    *_, updates = shelf.saved("zh", "mei", NAME, CONSENT, *_values(Wish(photo=photo, crop="head")))
    line, _, name_now, consent_now, tiles, _, use, *_ = updates
    assert text("zh", "saved", name=NAME) in line and (name_now, consent_now) == ("", "") and use["interactive"]
    assert tiles["value"] == NAME and any(NAME in label and "100" in label for label, _ in tiles["choices"])
    (row,) = portrait_handlers.listed()
    assert row["consent"] == CONSENT and row["crop"] == "head" and row["score"] == 100 and "report" not in row
    assert (NAME, NAME) in picker.choices("en")
    tab, chosen, photo_place, _, crop, poster, *_ = shelf.used("en", NAME)
    assert tab["selected"] == "render" and chosen["value"] == NAME and crop == "head" and not photo_place["visible"]
    assert "data:image" in poster["value"]
    assert Form(NAME, script="Hello.").job().portrait == NAME
    gone = shelf.removed("en", NAME, NAME)
    assert portraits.names() == [] and text("en", "removed", name=NAME) in gone[0]
    assert gone[7]["value"] == "mei", "Render goes back to a sample"
    with pytest.raises(InputError):
        Form(NAME, script="Hello.").job()


def test_a_damaged_portrait_says_so_and_can_be_removed(photo):
    for name in ("whole", "torn"):
        portrait_handlers.add(name, photo, consent=CONSENT)
    for report in portraits.picture("torn").parent.glob("report.json"):
        report.write_text("{", encoding="utf-8")
    labels = {value: label for label, value in shelf.choices("zh")}
    assert text("zh", "damaged") in labels["torn"] and "100" in labels["whole"]
    assert portrait_handlers.crop_of("torn") == "whole" and "<style>" in picker.faces()
    assert [row["name"] for row in portrait_handlers.remove("torn")] == ["whole"]


def test_no_path_of_this_machine_is_shown(photo, page_files):
    told = portrait_handlers.add(NAME, photo, consent=CONSENT)
    folder = str(portraits.picture(NAME).parents[2])
    everything = json.dumps([told, portrait_handlers.listed()]) + picker.faces() + picker.poster(NAME) + theme.css()
    assert NAME in picker.faces() and str(page_files) not in everything and folder not in everything


@pytest.mark.parametrize(
    ("name", "consent", "english", "chinese"),
    [
        ("", CONSENT, "needs a name", "名称"),
        ("a/b", CONSENT, "cannot hold", "不能有"),
        ("Mei", CONSENT, "belongs to a sample", "示例形象"),
        (OWN, CONSENT, "belongs to a sample", "示例形象"),
        ("con", CONSENT, "Windows", "Windows"),
        ("x" * 61, CONSENT, "too long", "太长"),
        ("twice", CONSENT, "already", "已有"),
        ("fine", "  ", "agreed to", "同意"),
    ],
)
def test_what_cannot_be_kept_is_said_in_one_sentence(photo, name, consent, english, chinese):
    portrait_handlers.add("twice", photo, consent=CONSENT)
    for lang, expected in (("en", english), ("zh", chinese)):
        *_, updates = shelf.saved(lang, "mei", name, consent, *_values(Wish(photo=photo)))
        assert expected in updates[0] and 'class="note bad"' in updates[0] and updates[1]["interactive"]
    assert portraits.names() == ["twice"]


def test_hello_is_said_in_the_pages_language_with_the_mended_photo(photo, fake_engines):
    *_, last = portrait_handlers.hello(Wish(photo=photo, crop="head"), "visitor", "zh")
    assert last.error is None and Path(last.report.video).is_file() and last.report.language == "zh"
    assert text("zh", "hello_script").split("！")[0] in "".join(fake_engines["speak"].said)
    *_, last = portrait_handlers.hello(Wish(), "visitor", "zh")
    assert isinstance(last.error, InputError)


def test_a_hello_does_not_stop_a_render(photo):
    steps = handlers.render(Form("mei", script="Hello there."), session="visitor")
    next(steps)
    assert list(portrait_handlers.hello(Wish(photo=photo), "visitor", "en"))[-1].report
    assert list(steps)[-1].report


@pytest.mark.parametrize(
    ("choice", "colour", "expected"),
    [
        ("keep", "#123456", "keep"),
        ("transparent", "", "transparent"),
        ("colour", "#AbC", "#aabbcc"),
        ("colour", "rgba(18.4, 52, 86, 1)", "#123456"),
        ("#0a0b0c", "", "#0a0b0c"),
    ],
)
def test_the_background_reaches_the_style(choice, colour, expected):
    assert Form(background=choice, colour=colour).style().background == expected


def test_a_background_picture_is_only_ever_an_uploaded_one(photo):
    assert Form(background="picture", backdrop=photo).style().background == photo
    for typed in (photo, "/etc/passwd", "url(x)", "#12", "rgb(1, 2, 999)"):
        with pytest.raises(InputError, match="#rrggbb"):
            Form(background=typed).style()


def test_a_transparent_video_is_webm_and_a_preview_png():
    film = Form("mei", script="Hi.", background="transparent", frame="9:16", crop="half")
    assert film.job().out.suffix == ".webm" and film.job("frame").out.suffix == ".png"
    assert (film.job().style.frame, film.job().style.crop) == ("9:16", "half")


def test_own_video_and_own_photo_are_told_apart(photo, fake_engines):
    clip = Form(form.OWN_CLIP, photo, "clip.mp4", script="Hi.")
    assert clip.job().portrait == "clip.mp4"
    photo_place, clip_place, _ = render.picked(form.OWN_CLIP)
    assert not photo_place["visible"] and clip_place["visible"]
    with pytest.raises(InputError, match="Only photos"):
        portrait_handlers.add("film", "clip.mp4", consent=CONSENT)


def test_details_say_what_the_face_played_and_where(photo):
    *_, last = handlers.render(Form("mei", script="Hello."))
    played = tuple(
        {"start": n, "end": n + 1, "emotion": e, "strength": 0.5} for n, e in enumerate(("happy", "neutral", "happy"))
    )
    report = _with(last.report, emotions=played, background="/secret/beach.jpg", crop="head", frame="9:16")
    facts = dict(handlers.facts(report, "en"))
    assert facts[text("en", "fact_emotion")] == "happy 2, neutral 1"
    assert facts[text("en", "fact_framing")] == f"{text('en', 'crop_head')}, 9:16"
    assert facts[text("en", "fact_background")] == text("en", "background_picture")
    assert verbs.told(report)["background"] == "beach.jpg"
    assert verbs.told(_with(report, background="#aabbcc"))["background"] == "#aabbcc"


def _with(report, **values):
    from dataclasses import replace

    return replace(report, **values)


def test_a_transparent_result_lies_on_a_chequered_ground(photo):
    *_, last = handlers.render(Form("mei", script="Hello."))
    plain, clear = (result.shown(_step(_with(last.report, background=b)), "en")[7] for b in ("keep", "transparent"))
    assert plain["elem_classes"] == [] and clear["elem_classes"] == ["chequered"]


def _step(report):
    return handlers.Step(False, report=report)


def test_a_saved_name_cannot_break_out_of_the_style_sheet(photo):
    portrait_handlers.add("O'Neil & (Söhne) }", photo, consent=CONSENT)
    css = picker.faces()
    assert css.count("<") == 2 and '"O\'Neil & (Söhne) }"' in css


def test_only_before_is_shown_of_a_refused_photo():
    image = np.zeros((8, 8, 3), np.uint8)
    said = verdict.pair(Look(image, None, {}), "en")
    assert said.count("<figure>") == 1 and not portrait_handlers.changed(Look(image, None, {}))


def test_on_a_shared_space_no_visitor_keeps_or_removes_anything(photo, monkeypatch):
    monkeypatch.setenv("SPACE_ID", "someone/linly")
    for act in (lambda: portrait_handlers.add(NAME, photo, consent=CONSENT), lambda: portrait_handlers.remove(NAME)):
        with pytest.raises(InputError, match="nothing is kept"):
            act()
    assert portrait_handlers.listed() == []
