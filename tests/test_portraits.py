"""Enrolled portraits: kept whole, found by name, loaded without any model; and the command line for them."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as Picture

from linly import cli_portrait, library, portraits, registry, settings
from linly.errors import InputError
from linly.pictures import load_image
from linly.values import Portrait

SAMPLE = library.samples()[0].path


@pytest.fixture
def shelf():
    return settings.load().library / "portraits"


@pytest.fixture
def counted(fake_engines, monkeypatch):
    """The fake draw engine; `prepared` lists the names that it was asked to prepare."""
    draw, prepared = fake_engines["draw"], []
    inner = type(draw._inner)
    original = inner.prepare

    def prepare(self, image, name):
        prepared.append(name)
        made = original(self, image, name)
        return replace(made, matte=np.linspace(0, 1, made.matte.size, dtype=np.float32).reshape(made.matte.shape))

    monkeypatch.setattr(inner, "prepare", prepare)
    return draw, prepared


def forget():
    """As if a new process had started."""
    portraits._loaded.clear()


def test_what_is_added_comes_back_without_a_model(counted, shelf):
    draw, prepared = counted
    added = portraits.add("Anna", SAMPLE, crop="half", consent="Anna agreed on 1 May", draw=draw)
    assert prepared == ["Anna"]
    forget()
    loaded = portraits.load("Anna", draw)
    assert prepared == ["Anna"], "loading asked the engine again"
    assert isinstance(loaded, Portrait) and loaded is not added and loaded.id == "Anna"
    for field in ("image", "landmarks", "matte"):
        assert np.array_equal(getattr(loaded, field), getattr(added, field)), field
    assert np.array_equal(loaded.image, load_image(SAMPLE)) and loaded.box == added.box
    assert loaded.report == added.report
    about = portraits.info("anna")
    assert about["crop"] == "half" and about["consent"] == "Anna agreed on 1 May" and about["file"] == SAMPLE.name
    assert about["report"]["faces"] == 1 and about["added"].endswith("+00:00")
    assert (shelf / "anna" / "original.jpg").read_bytes() == SAMPLE.read_bytes()
    assert np.array_equal(load_image(portraits.picture("Anna")), loaded.image)


def test_the_same_object_comes_twice_so_that_the_engine_keeps_what_it_made(counted):
    draw, _ = counted
    portraits.add("Anna", SAMPLE, draw=draw)
    assert portraits.load("Anna", draw) is portraits.load(" anna ", draw)


def test_a_known_background_is_kept_too(counted, monkeypatch):
    draw, _ = counted
    inner = type(draw._inner)
    original = inner.prepare

    def with_plate(self, image, name):
        made = original(self, image, name)
        return replace(made, plate=np.flipud(made.image).copy())

    monkeypatch.setattr(inner, "prepare", with_plate)
    portraits.add("Anna", SAMPLE, draw=draw)
    forget()
    loaded = portraits.load("Anna")
    assert loaded is not None and np.array_equal(loaded.plate, np.flipud(loaded.image))


def test_a_new_format_is_made_anew_from_the_original_once(counted, shelf, monkeypatch):
    draw, prepared = counted
    portraits.add("Anna", SAMPLE, draw=draw)
    monkeypatch.setattr(portraits, "FORMAT", portraits.FORMAT + 1)
    for _ in range(2):
        forget()
        assert portraits.load("Anna", draw).image.shape == load_image(SAMPLE).shape
    assert prepared == ["Anna", "Anna"]
    made = sorted(p.name for p in (shelf / "anna").iterdir() if p.is_dir())
    assert made == [f"fake-{portraits.FORMAT}"], "the old format stayed behind"


def test_another_engine_prepares_for_itself_and_both_are_kept(counted, shelf):
    import fakes

    draw, prepared = counted
    registry.engine("draw", "other", title="Other")(type("Other", (fakes.FakeDraw,), {}))
    portraits.add("Anna", SAMPLE, draw=draw)
    other = registry.open_engine("draw", "other")
    portraits.load("Anna", other)
    forget()
    portraits.load("Anna", draw)
    portraits.load("Anna", other)
    assert prepared == ["Anna", "Anna"]


@pytest.mark.parametrize("name", ["王小明", "Zoë van der Berg", "Анна 2", "me.jpg", "O'Neil & Söhne", "ナオミ", "1"])
def test_names_in_any_language(counted, name, shelf):
    portraits.add(name, SAMPLE, draw=counted[0])
    assert portraits.names() == [name] and portraits.load(name).id == name
    assert library.find_portrait(name)[1] == name
    assert [p.parent for p in shelf.iterdir()] == [shelf]
    portraits.remove(name)
    assert portraits.names() == [] and list(shelf.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    ["", "   ", "../x", "a/b", "a\\b", "..", ".hidden", "-rf", "CON", "con.png", "lpt1", "x\0y", "x\ny\x07", "a:b",
     "x" * 300, "王" * 61, "...", "?", "name.", "\u202egnp.exe"],
)  # fmt: skip
def test_hostile_names_get_one_sentence_and_leave_nothing(counted, tmp_path, name, shelf):
    with pytest.raises(InputError) as refused:
        portraits.add(name, SAMPLE, draw=counted[0])
    said = str(refused.value)
    assert "\n" not in said and said.endswith(".") and len(said) < 160
    assert not shelf.exists() or list(shelf.iterdir()) == []
    assert portraits.load(name) is None and portraits.called(name) == ""


def test_the_same_name_twice_is_refused_and_the_first_stays(counted):
    draw, _ = counted
    portraits.add("Anna", SAMPLE, draw=draw)
    with pytest.raises(InputError, match="already a portrait called 'ANNA'"):
        portraits.add("ANNA", library.samples()[1].path, draw=draw)
    assert portraits.info("Anna")["file"] == SAMPLE.name


def test_a_picture_that_fails_leaves_nothing(counted, tmp_path, shelf, monkeypatch):
    draw, _ = counted
    (tmp_path / "no.jpg").write_text("text")
    with pytest.raises(InputError, match=r"no\.jpg is not a picture"):
        portraits.add("Anna", tmp_path / "no.jpg", draw=draw)
    with pytest.raises(InputError, match="crop 'face'"):
        portraits.add("Anna", SAMPLE, crop="face", draw=draw)
    monkeypatch.setattr(portraits.np, "save", lambda *a, **k: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(InputError, match="disk is full"):
        portraits.add("Anna", SAMPLE, draw=draw)
    assert portraits.names() == [] and list(shelf.iterdir()) == []


def test_what_is_damaged_on_disk_is_told(counted, shelf):
    draw, _ = counted
    portraits.add("Anna", SAMPLE, draw=draw)
    (shelf / "anna" / f"fake-{portraits.FORMAT}" / "landmarks.npy").write_bytes(b"gone")
    forget()
    with pytest.raises(InputError, match="damaged on disk: remove it and add it again"):
        portraits.load("Anna", draw)
    (shelf / "anna" / "about.json").write_text("{")
    with pytest.raises(InputError, match="damaged on disk"):
        portraits.info("Anna")
    assert portraits.names() == [], "one damaged portrait must not hide the others"
    portraits.remove("Anna")
    assert list(shelf.iterdir()) == []


def test_enrolled_names_come_before_samples_and_files_and_typos_are_helped(counted, tmp_path, monkeypatch):
    draw, _ = counted
    portraits.add("Professor Wang", SAMPLE, draw=draw)
    portraits.add("admiral", SAMPLE, draw=draw)
    assert library.find_portrait("professor wang")[1] == "Professor Wang"
    assert library.find_portrait("admiral")[0] == portraits.picture("admiral")
    assert library.find_portrait("astronaut")[0] == SAMPLE
    photo = tmp_path / "me.jpg"
    photo.write_bytes(SAMPLE.read_bytes())
    assert library.find_portrait(str(photo)) == (photo, "me")
    assert library.find_portrait("")[1] == "astronaut"
    with pytest.raises(InputError, match="did you mean Professor Wang"):
        library.find_portrait("Profesor Wang")
    with pytest.raises(InputError, match="did you mean astronaut"):
        library.find_portrait("astronut")
    for odd in ("x" * 5000, "a\0b", "../../etc"):
        with pytest.raises(InputError, match="no portrait file or sample"):
            library.find_portrait(odd)
    with pytest.raises(InputError, match="did you mean admiral"):
        portraits.remove("admirl")


def portrait(*words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    cli_portrait.add_flags(parser)
    arguments = parser.parse_args(list(map(str, words)))
    result = cli_portrait.run(arguments)
    return json.loads(json.dumps(result)), cli_portrait.lines(arguments, result), arguments


def test_the_command_line_with_real_models(models, tmp_path):
    from linly.face.mesh import FaceMesh

    report, said, _ = portrait("check", SAMPLE)
    for key in ("ok", "faces", "box", "yaw", "pitch", "roll", "mouth_open", "sharpness", "light", "advice", "score"):
        assert key in report, key
    assert report["ok"] is True and "good portrait" in said[-1]
    dim = tmp_path / "dim.png"
    Picture.fromarray((load_image(SAMPLE) * 0.3).astype(np.uint8)).save(dim)
    assert [a["key"] for a in portrait("check", dim)[0]["advice"]] == ["dark"]
    added, said, arguments = portrait("--json", "add", "Eileen", dim, "--light", "--crop", "head")
    assert arguments.json and added["name"] == "Eileen" and said[0] == "kept as Eileen"
    assert added["advice"] == [] and added["light"] > 80, "the light was not levelled"
    kept, said, arguments = portrait("list", "--json")
    assert arguments.json and kept["portraits"][0]["crop"] == "head" and kept["portraits"][0]["light"] is True
    assert len(said) == 1 and "Eileen" in said[0]
    forget()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FaceMesh, "detect", lambda *a: pytest.fail("a model ran"))
        assert portraits.load("Eileen", registry.open_engine("draw", registry.default("draw"))) is not None
    assert portrait("remove", "eileen")[1] == ["removed: eileen"]
    assert "no portrait is kept" in portrait("list")[1][0]


def test_an_enrolled_portrait_draws_as_the_file_does(models):
    from linly.values import CURVES, Audio, FaceMotion, Style, Utterance

    draw = registry.open_engine("draw", registry.default("draw"))
    row = np.zeros((1, len(CURVES)), np.float32)
    row[0, [CURVES.index("open"), CURVES.index("jaw"), CURVES.index("talk")]] = 0.6, 0.5, 1
    moves = FaceMotion(25.0, row, np.full((1, 3), 2.0, np.float32))
    said = Utterance("", Audio(np.zeros(1, np.float32), 25))
    pictures = [
        next(iter(draw.draw(p, said, moves, Style(size="256")))).astype(int)
        for p in (draw.prepare(load_image(SAMPLE), "file"), portraits.add("kept", SAMPLE, draw=draw))
    ]
    assert np.abs(pictures[0] - pictures[1]).max() <= 2
