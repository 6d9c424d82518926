"""Backgrounds: no rim of the old one, the person untouched, every bad value one sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from linly import backdrop
from linly.errors import InputError
from linly.face.frame import OVAL
from linly.values import Clip, Floats, Image, Portrait

SIDE = 320
BELOW = slice(100, None)
"""rows below the wisps of hair, of which a cut must lose the finest"""
WALL, SKIN = (30, 60, 190), (205, 150, 120)


def scene(wall: Image | None = None) -> tuple[Portrait, Floats, Image]:
    """A person with soft hair before a blue wall, the matte only roughly right; the true matte and colours."""
    true = np.zeros((4 * SIDE, 4 * SIDE), np.float32)
    cv2.ellipse(true, (640, 520), (230, 310), 0, 0, 360, 1.0, -1)
    cv2.rectangle(true, (300, 800), (980, 1280), 1.0, -1)
    for angle in np.linspace(-3.0, -0.14, 60):  # wisps of hair
        end = 640 + 250 * np.cos(angle), 520 + 332 * np.sin(angle)
        cv2.line(true, (640, 520), (round(end[0]), round(end[1])), 1.0, 7)
    true = cv2.resize(true, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    colours = np.empty((SIDE, SIDE, 3), np.float32)
    colours[...] = SKIN
    colours[:72], colours[205:] = (60, 40, 25), (140, 30, 40)
    colours += np.random.default_rng(0).normal(0, 4, (SIDE, SIDE, 1))
    behind = np.broadcast_to(np.array(WALL, np.float32), colours.shape) if wall is None else wall.astype(np.float32)
    image = np.clip(colours * true[..., None] + behind * (1 - true[..., None]), 0, 255).astype(np.uint8)
    rough = cv2.GaussianBlur(cv2.dilate((true > 0.5).astype(np.float32), np.ones((5, 5))), (0, 0), 3)
    points = np.zeros((478, 3), np.float32)
    points[:, :2] = 160, 130
    turn = np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)
    points[list(OVAL), 0], points[list(OVAL), 1] = 160 + 50 * np.sin(turn), 135 - 60 * np.cos(turn)
    portrait = Portrait("p", image, (110, 75, 100, 120), points, rough, {"advice": [{"key": "dark"}]})
    return portrait, true, np.clip(colours, 0, 255).astype(np.uint8)


def ideal(true: Floats, colours: Image, new: tuple[int, int, int]) -> Floats:
    return np.asarray(colours * true[..., None] + np.array(new) * (1 - true[..., None]), np.float32)


def near_outline(true: Floats) -> np.ndarray:
    band = ((true > 0.02) & (true < 0.98)).astype(np.uint8)
    return cv2.dilate(band, np.ones((9, 9), np.uint8)) > 0


@pytest.mark.parametrize("new", [(255, 255, 255), (0, 0, 0), (0, 200, 0), (240, 120, 20)])
def test_no_rim_of_the_old_background_stays(new: tuple[int, int, int]) -> None:
    portrait, true, colours = scene()
    made = backdrop.placed(portrait, "#{:02x}{:02x}{:02x}".format(*new))
    wanted, band = ideal(true, colours, new), near_outline(true)
    share = portrait.matte[..., None]
    plain = portrait.image * share + np.array(new) * (1 - share)  # what a plain blend with the rough matte gives
    off = np.abs(made.image[band] - wanted[band]).mean()
    assert off < 0.4 * np.abs(plain[band] - wanted[band]).mean()
    assert np.abs(made.image[BELOW][band[BELOW]] - wanted[BELOW][band[BELOW]]).mean() < 7
    assert made.plate is not None and (made.plate == new).all()


def test_the_person_keeps_every_pixel_and_far_from_it_all_is_new() -> None:
    portrait, true, _ = scene()
    made = backdrop.placed(portrait, "green")
    inner = cv2.erode((true > 0.99).astype(np.uint8), np.ones((25, 25), np.uint8), borderValue=1) > 0
    outer = cv2.erode((true < 0.01).astype(np.uint8), np.ones((31, 31), np.uint8), borderValue=1) > 0
    assert inner.sum() > 20_000 and outer.sum() > 20_000
    assert np.array_equal(made.image[inner], portrait.image[inner])
    assert (made.image[outer] == backdrop.COLOURS["green"]).all()
    assert (made.matte[inner] == 1).all() and (made.matte[outer] == 0).all()
    assert np.array_equal(made.landmarks, portrait.landmarks) and made.box == portrait.box


def test_keep_leaves_the_portrait_as_it_is() -> None:
    portrait = scene()[0]
    assert backdrop.placed(portrait, "keep") is portrait


def test_transparent_is_premultiplied_and_looks_right_over_anything() -> None:
    portrait, true, colours = scene()
    made = backdrop.placed(portrait, "transparent")
    assert made.plate is not None and not made.plate.any()
    assert (made.image <= 255 * made.matte[..., None] + 1).all()
    over = made.image + 255 * (1 - made.matte[..., None])
    band = near_outline(true)
    assert np.abs(over[BELOW] - ideal(true, colours, (255, 255, 255))[BELOW])[band[BELOW]].mean() < 7


def test_a_blurred_background_loses_its_detail_and_keeps_its_light() -> None:
    checks = np.where((np.indices((SIDE, SIDE)).sum(0) // 8 % 2)[..., None] > 0, 60, 180) * np.ones(3)
    portrait, true, _ = scene(checks.astype(np.uint8))
    made = backdrop.placed(portrait, "blur")
    far = cv2.erode((true < 0.01).astype(np.uint8), np.ones((41, 41), np.uint8), borderValue=1) > 0
    assert made.image[far].std() < 0.35 * portrait.image[far].std()
    assert abs(made.image[far].mean() - portrait.image[far].mean()) < 25
    inner = cv2.erode((true > 0.99).astype(np.uint8), np.ones((25, 25), np.uint8), borderValue=1) > 0
    assert np.array_equal(made.image[inner], portrait.image[inner])


def test_the_person_does_not_glow_through_the_blur() -> None:
    portrait, true, _ = scene()
    made = backdrop.placed(portrait, "blur")
    assert made.plate is not None
    assert np.abs(made.plate.astype(int) - WALL).max() <= 12
    assert np.abs(made.image[true < 0.001].astype(int) - WALL).mean() < 3


@pytest.mark.parametrize(
    ("words", "colour"),
    [("#102030", (16, 32, 48)), ("#ABC", (170, 187, 204)), ("white", (255, 255, 255)), (" Black ", (0, 0, 0))],
)
def test_colours(words: str, colour: tuple[int, int, int]) -> None:
    backdrop.check(words)
    made = backdrop.placed(scene()[0], words)
    assert tuple(made.image[5, 5]) == colour


def saved(path: Path, image: Image, **more: object) -> str:
    from PIL import Image as Pillow

    Pillow.fromarray(image).save(path, **more)
    return str(path)


@pytest.mark.parametrize("shape", [(100, 100), (700, 90), (90, 700), (1200, 2000)])
def test_a_picture_covers_the_frame_undistorted(tmp_path: Path, shape: tuple[int, int]) -> None:
    h, w = shape
    rows, columns = np.indices(shape)
    off = np.hypot(rows - h / 2, columns - w / 2) / min(h, w)
    picture = np.where((off < 0.48)[..., None], (250, 240, 60), (20, 90, 20)).astype(np.uint8)
    made = backdrop.placed(scene()[0], saved(tmp_path / "wall.png", picture))
    assert made.plate is not None
    light = made.plate[..., 0] > 128
    assert np.ptp(np.flatnonzero(light.any(axis=0))) == pytest.approx(0.96 * SIDE, abs=4)
    assert np.ptp(np.flatnonzero(light.any(axis=1))) == pytest.approx(0.96 * SIDE, abs=4)
    assert np.array_equal(made.image[5, 5], made.plate[5, 5])


def test_a_phone_s_picture_is_turned_upright(tmp_path: Path) -> None:
    from PIL import Image as Pillow

    picture = np.zeros((200, 200, 3), np.uint8)
    picture[:, :100] = 255, 0, 0  # the camera's left is the top once turned by 90 degrees
    turned = Pillow.Exif()
    turned[0x0112] = 6
    path = saved(tmp_path / "wall.jpg", picture, exif=turned)
    plate = backdrop.placed(scene()[0], path).plate
    assert plate is not None
    assert plate[20, :, 0].min() > 200 and plate[-20, :, 0].max() < 60


def test_bad_backgrounds_are_one_sentence_each(tmp_path: Path) -> None:
    text = tmp_path / "notes.png"
    text.write_text("not a picture")
    small = saved(tmp_path / "small.png", np.zeros((20, 20, 3), np.uint8))
    huge = saved(tmp_path / "huge.png", np.zeros((11000, 10000), bool))
    portrait = scene()[0]
    for words, message in (
        ("#12", "colour as #rrggbb"),
        ("#gggggg", "colour as #rrggbb"),
        ("purple", "colour as #rrggbb"),
        ("", "colour as #rrggbb"),
        (str(tmp_path / "none.jpg"), "no file"),
        (str(tmp_path), "is a folder"),
        (str(text), "not a picture"),
        (small, "too small"),
        (huge, "too large"),
    ):
        for use in (lambda w: backdrop.placed(portrait, w), backdrop.check):
            with pytest.raises(InputError, match=message) as caught:
                use(words)
            assert str(caught.value).count("\n") == 0


def test_a_film_keeps_its_background() -> None:
    portrait = scene()[0]
    film = replace(portrait, clip=Clip(25.0, portrait.landmarks[None], lambda number: portrait.image))
    assert backdrop.placed(film, "keep") is film
    with pytest.raises(InputError, match="video portrait keeps"):
        backdrop.placed(film, "blur")


def test_an_uncertain_outline_is_said_and_one_not_found_refused() -> None:
    portrait = scene()[0]
    keys = [advice["key"] for advice in backdrop.placed(portrait, "white").report["advice"]]
    assert keys == ["dark"]
    vague = replace(portrait, matte=cv2.GaussianBlur(portrait.matte, (0, 0), 12))
    found = backdrop.placed(vague, "white").report["advice"]
    assert [advice["key"] for advice in found] == ["dark", "outline_unsure"]
    assert set(found[1]) == {"key", "en", "zh"}
    with pytest.raises(InputError, match="cannot be told from"):
        backdrop.placed(replace(portrait, matte=np.zeros_like(portrait.matte)), "white")


def test_the_same_photo_gives_the_same_outline_and_a_large_one_too() -> None:
    portrait = scene()[0]
    first, again = (backdrop.placed(portrait, "white") for _ in range(2))
    assert np.array_equal(first.image, again.image)
    size = (4 * SIDE, 4 * SIDE)
    large = Portrait(
        "p",
        cv2.resize(portrait.image, size, interpolation=cv2.INTER_CUBIC),
        (440, 300, 400, 480),
        4 * portrait.landmarks,
        cv2.resize(portrait.matte, size),
        portrait.report,
    )
    made = backdrop.placed(large, "white")
    less = cv2.resize(made.image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    assert np.abs(less.astype(int) - first.image).mean() < 3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["admiral", "astronaut"])
def test_sample_portraits_are_cut_out_cleanly(models: object, name: str) -> None:
    """Most of the picture is clearly person or clearly not, and no old colour is left where nobody is."""
    from conftest import ROOT

    from linly import registry
    from linly.pictures import load_image

    engine = registry.open_engine("draw", "warp")
    portrait = engine.prepare(load_image(ROOT / "assets" / "portraits" / f"{name}.jpg"), name)
    made = backdrop.placed(portrait, "#00a000")
    half = ((made.matte > 0.1) & (made.matte < 0.9)).mean()
    assert half < 0.02 < ((portrait.matte > 0.1) & (portrait.matte < 0.9)).mean() + 0.01
    empty = made.matte == 0
    assert 0.2 < empty.mean() < 0.7
    assert (made.image[empty] == (0, 160, 0)).all()
    assert np.array_equal(made.image[made.matte == 1], portrait.image[made.matte == 1])
