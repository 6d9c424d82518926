"""Bad portraits, made here from the samples: each gets the right sentence or the right advice, and no good one does."""

from __future__ import annotations

import re
from pathlib import Path

import bad_portraits as bad
import cv2
import numpy as np
import pytest
from PIL import Image as Picture

from linly import library, registry
from linly.errors import InputError
from linly.face.light import denoised, normalised
from linly.face.view import EYE_LEFT
from linly.face.words import ADVICE, REFUSED, in_chinese
from linly.pictures import load_image
from linly.values import CURVES, Audio, FaceMotion, Image, Portrait, Style, Utterance

NAMES = [sample.name for sample in library.samples()]
SAMPLE = library.samples()[0].path


@pytest.fixture(scope="module")
def warp(models):
    return registry.open_engine("draw", "warp")


@pytest.fixture(scope="module")
def good(warp) -> dict[str, Portrait]:
    return {s.name: warp.prepare(load_image(s.path), s.name) for s in library.samples()}


def keys(portrait: Portrait) -> list[str]:
    return [advice["key"] for advice in portrait.report["advice"]]


def refusal(warp, image: Image) -> str:
    with pytest.raises(InputError) as error:
        portrait = warp.prepare(image, "photo")
        pytest.fail(f"taken, with the advice {keys(portrait)}")
    said = str(error.value)
    assert said.endswith(".") and "\n" not in said and len(said) < 160
    return said


REFUSALS = {
    "a white mask": (bad.masked((235, 240, 245)), "mouth_hidden"),
    "a blue mask": (bad.masked((130, 180, 215)), "mouth_hidden"),
    "a black mask": (bad.masked((25, 25, 28)), "mouth_hidden"),
    "a hand": (bad.hand, "mouth_hidden"),
    "hair over the mouth": (bad.hair, "mouth_hidden"),
    "a scarf": (bad.scarf, "mouth_hidden"),
    "upside down": (bad.turned(2), "upside_down"),
    "lying, head to the left": (bad.turned(1), "sideways"),
    "lying, head to the right": (bad.turned(3), "sideways"),
    "leaning": (bad.leaning, "too_tilted"),
    "a side face": (bad.side, "side_face"),
    "a face far away": (bad.small(0.3), "tiny_face"),
    "a face cut off": (bad.cut, "cut_off"),
}
ADVISED = {
    "sunglasses": (bad.sunglasses, "sunglasses"),
    "one eye hidden": (lambda p: bad.sunglasses(p, (EYE_LEFT,)), "eye_hidden"),
    "out of focus": (bad.blurred, "blurred"),
    "dark": (bad.scaled(0.25), "dark"),
    "overexposed": (bad.scaled(2.6), "bright"),
    "shadow from the left": (bad.shadow(False), "light_left"),
    "shadow from the right": (bad.shadow(True), "light_right"),
    "a small face": (bad.small(0.5), "small_face"),
    "two equal faces": (bad.two, "several_faces"),
    "no room below the chin": (bad.tight, "cut_edge"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_good_portrait_is_taken_without_a_word(good, name):
    assert keys(good[name]) == [] and good[name].report["score"] == 1.0 and good[name].report["ok"] is True
    assert good[name].report["covered"] == []
    assert good[name].report["glasses"] == ("glasses" if name == "admiral" else "none")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", REFUSALS)
def test_what_cannot_talk_is_refused_with_its_reason(warp, good, name, what):
    spoil, key = REFUSALS[what]
    said = refusal(warp, spoil(good[name]))
    assert re.fullmatch(re.sub(r"\\{\w+\\}", r"[\\w-]+", re.escape(REFUSED[key][0])), said), said
    way = {"lying, head to the left": " clockwise", "lying, head to the right": "counter-clockwise"}.get(what, "")
    assert way in said
    assert in_chinese(said) not in ("", said) and "{" not in in_chinese(said)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", ADVISED)
def test_what_could_be_better_is_advised(warp, good, name, what):
    spoil, key = ADVISED[what]
    portrait = warp.prepare(spoil(good[name]), "photo")
    assert keys(portrait) == [key]
    assert 0 < portrait.report["score"] < good[name].report["score"]
    assert portrait.report["advice"][0] == {"key": key, "en": ADVICE[key][0], "zh": ADVICE[key][1]}


@pytest.mark.parametrize(
    ("curves", "key"), (({"blink": 1.0}, "eyes_closed"), ({"open": 1.0, "jaw": 0.95, "talk": 1.0}, "mouth_open"))
)
def test_shut_eyes_and_a_wide_open_mouth_are_seen(warp, good, curves, key):
    row = np.zeros((1, len(CURVES)), np.float32)
    for curve, value in curves.items():
        row[0, CURVES.index(curve)] = value
    moves = FaceMotion(25.0, row, np.zeros((1, 3), np.float32))
    silence = Utterance("", Audio(np.zeros(1, np.float32), 25))
    drawn = next(iter(warp.draw(good["astronaut"], silence, moves, Style(size="512")))).copy()
    assert keys(warp.prepare(drawn, "drawn")) == [key]


def test_plain_glasses_are_no_fault(warp, good):
    portrait = warp.prepare(bad.plain_glasses(good["astronaut"]), "glasses")
    assert portrait.report["glasses"] == "glasses" and portrait.report["advice"] == []


def written(tmp_path: Path, name: str, data: bytes) -> Path:
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


def pictured(tmp_path: Path, name: str, image: Image) -> Path:
    Picture.fromarray(image).save(tmp_path / name)
    return tmp_path / name


NO_FACE = "No face was found"
FILES = {
    "empty": (lambda t: written(t, "a.jpg", b""), "is empty (0 bytes)"),
    "a text": (lambda t: written(t, "a.jpg", b"not a picture\n" * 50), "is not a picture that can be read"),
    "cut off": (lambda t: written(t, "a.jpg", SAMPLE.read_bytes()[:4000]), "is damaged or cut off"),
    "HEIC": (lambda t: written(t, "a.heic", b"\0\0\0\x18ftypheic" + bytes(200)), "is a HEIC photo"),
    "a film": (lambda t: written(t, "a.mp4", b"\0\0\0\x18ftypisom" + bytes(200)), "is not a picture"),
    "GIF of a landscape": (lambda t: pictured(t, "a.gif", bad.landscape()), NO_FACE),
    "noise": (
        lambda t: pictured(t, "a.png", np.random.default_rng(0).integers(0, 255, (400, 400, 3), dtype=np.uint8)),
        NO_FACE,
    ),
    "black": (lambda t: pictured(t, "a.png", np.zeros((300, 300, 3), np.uint8)), NO_FACE),
    "white": (lambda t: pictured(t, "a.png", np.full((300, 300, 3), 255, np.uint8)), NO_FACE),
    "a house": (lambda t: pictured(t, "a.png", bad.house()), NO_FACE),
    "a cat": (lambda t: pictured(t, "a.png", bad.cat()), NO_FACE),
    "tiny": (lambda t: pictured(t, "a.png", np.zeros((40, 40, 3), np.uint8)), "too small (40x40)"),
    "too small": (lambda t: pictured(t, "a.png", np.zeros((100, 100, 3), np.uint8)), "only 100x100 pixels"),
    "a bomb": (lambda t: written(t, "a.png", bad.bomb()), "too large: at most 100 million pixels"),
    "a strip": (lambda t: pictured(t, "a.png", np.zeros((70, 9000, 3), np.uint8)), "too narrow"),
    "a folder": (lambda t: t, "is a folder; give a photo"),
    "missing": (lambda t: t / "no.jpg", "There is no file"),
}


@pytest.mark.parametrize("what", FILES)
def test_what_is_no_portrait_gets_one_sentence(warp, tmp_path, what):
    make, words = FILES[what]
    path = make(tmp_path)
    with pytest.raises(InputError) as error:
        warp.prepare(load_image(path), "photo")
    said = str(error.value)
    assert words in said and said.endswith(".") and "\n" not in said


def test_every_sentence_has_its_chinese():
    for english, chinese in (*ADVICE.values(), *REFUSED.values()):
        assert english.endswith(".") and chinese.endswith("。") and english.isascii() != chinese.isascii()
    assert in_chinese("The face is only 40 pixels wide: use a closer photo (64 or more).").startswith(
        "脸只有 40 像素宽"
    )
    assert in_chinese("Something else.") == ""


@pytest.mark.parametrize("name", NAMES)
def test_shadow_and_darkness_are_levelled_gently_and_good_light_is_left_alone(warp, good, name):
    p = good[name]
    assert normalised(p.image, p.landmarks) is p.image
    assert denoised(p.image) is p.image
    for spoil, key in ((bad.shadow(True), "light_right"), (bad.scaled(0.3), "dark")):
        spoilt = warp.prepare(spoil(p), "spoilt")
        assert keys(spoilt) == [key]
        better = normalised(spoilt.image, spoilt.landmarks)
        assert np.array_equal(better, normalised(spoilt.image, spoilt.landmarks)), "not the same twice"
        after = warp.prepare(better, "better").report
        if key == "dark":
            assert spoilt.report["light"] * 1.5 < after["light"] < 1.05 * p.report["light"]
        else:
            assert abs(after["balance"]) < 0.6 * abs(spoilt.report["balance"])
            corner = spoilt.image[-40:, :40]
            assert np.array_equal(better[-40:, :40], corner), "light far from the face was touched"
        seen = spoilt.image.max(axis=-1) > 40
        hue = [cv2.cvtColor(i.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)[seen] for i in (spoilt.image, better)]
        turn = np.abs((hue[0][:, 0] - hue[1][:, 0] + 180) % 360 - 180)
        coloured = hue[0][:, 1] > 0.15
        assert np.percentile(turn[coloured], 95) < 6, "colours changed"


def test_grain_is_cleaned_and_features_stay(good):
    clean = good["astronaut"].image
    grainy = np.clip(clean + np.random.default_rng(0).normal(0, 12, clean.shape), 0, 255).astype(np.uint8)
    better = denoised(grainy)
    error = [float(np.abs(i.astype(int) - clean).mean()) for i in (grainy, better)]
    assert error[1] < 0.6 * error[0]
    assert np.array_equal(better, denoised(grainy))
