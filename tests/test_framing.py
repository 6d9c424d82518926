"""Crops and frames: the right shape, the head whole, everything moved together, no seam where the photo ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from linly.face.frame import CHIN, OVAL
from linly.framing import framed, output_size
from linly.values import CROPS, FRAMES, Clip, Portrait, Style

SHAPES = {"16:9": 16 / 9, "9:16": 9 / 16, "1:1": 1.0}
PHOTOS = {
    "square": ((400, 400), (200, 170), 60),
    "tall": ((600, 400), (200, 200), 60),
    "wide": ((400, 720), (360, 160), 55),
    "left": ((400, 600), (110, 170), 60),
    "far away": ((800, 1000), (500, 220), 30),
    "close": ((400, 400), (200, 215), 105),
    "high": ((400, 400), (200, 80), 55),
}
"""shape (h, w), middle of the face (x, y), half its width; pixels"""


def person(photo: str) -> Portrait:
    """A face with a cap of hair on shoulders, before a wall whose colours change slowly."""
    (h, w), (x, y), half = PHOTOS[photo]
    rows, columns = np.mgrid[:h, :w].astype(np.float32)
    image = np.stack([90 + 60 * columns / w, 110 + 40 * rows / h, 140 - 40 * columns / w], axis=-1)
    head = ((columns - x) / (1.2 * half)) ** 2 + ((rows - y + 0.15 * half) / (1.7 * half)) ** 2 < 1
    body = (rows > y + 1.5 * half) & (np.abs(columns - x) < 0.5 * half + 0.8 * (rows - y - 1.3 * half))
    body &= np.abs(columns - x) < 2.4 * half
    image[body], image[head] = (40, 60, 30), (200, 150, 120)
    points = np.zeros((478, 3), np.float32)
    points[:, :2] = x, y
    angle = np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)
    points[list(OVAL), 0], points[list(OVAL), 1] = x + half * np.sin(angle), y - 1.35 * half * np.cos(angle)
    image = np.rint(image).astype(np.uint8)
    image[y - 2 : y + 3, x - 2 : x + 3] = 255, 0, 0  # the middle of the face, to be found again
    box = (x - half, y - half, 2 * half, 2 * half)
    return Portrait("p", image, box, points, (head | body).astype(np.float32), {"advice": [], "yaw": 3})


@pytest.mark.parametrize(
    ("shape", "style", "size"),
    [
        ((600, 400), {"size": "512"}, (342, 512)),
        ((400, 600), {"size": "720"}, (720, 480)),
        ((400, 600), {"size": "source"}, (600, 400)),
        ((720, 1280), {"size": "1080", "frame": "16:9"}, (1920, 1080)),
        ((1280, 720), {"size": "1080", "frame": "9:16"}, (1080, 1920)),
        ((400, 400), {"size": "1080", "frame": "1:1"}, (1080, 1080)),
        ((400, 710), {"size": "720", "frame": "16:9"}, (1280, 720)),
        ((400, 710), {"size": "512", "frame": "16:9"}, (910, 512)),
        ((400, 224), {"size": "256", "frame": "9:16"}, (256, 456)),
        ((400, 224), {"size": "source", "frame": "9:16"}, (224, 400)),
    ],
)
def test_sizes_are_those_that_platforms_ask_for(shape: tuple[int, int], style: dict, size: tuple[int, int]) -> None:
    assert output_size(shape, Style(**style)) == size


def test_the_whole_photo_is_left_alone() -> None:
    portrait = person("tall")
    assert framed(portrait, "whole", "photo") is portrait


def test_unknown_words_are_told() -> None:
    with pytest.raises(ValueError, match="no crop"):
        framed(person("tall"), "feet", "photo")


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("crop", CROPS)
@pytest.mark.parametrize("photo", PHOTOS)
def test_the_shape_is_right_the_head_whole_and_everything_moves_along(photo: str, crop: str, frame: str) -> None:
    portrait = person(photo)
    made = framed(portrait, crop, frame)
    h, w = made.image.shape[:2]
    if frame in SHAPES:
        assert abs(w - SHAPES[frame] * h) <= 2.8
    # A landmark still lies on what it marks, and the whole head is inside.
    x, y = np.rint(made.landmarks[0, :2]).astype(int)
    assert tuple(made.image[y, x]) == (255, 0, 0)
    assert made.matte[y, x] == 1
    assert made.box[0] + made.box[2] // 2 == pytest.approx(x, abs=2)
    (_, _), (_, middle), half = PHOTOS[photo]
    hair = max(0, middle - 1.85 * half)  # of the head's ellipse, where the photo still has it
    top, chin = y - (middle - hair), made.landmarks[CHIN, 1]
    assert top >= -1 and chin <= h
    assert x - 1.2 * half >= -1 and x + 1.2 * half <= w + 1
    # Nothing of the person is invented, enlarged or lost from the matte.
    assert (made.image[made.matte == 1] == 255).all(axis=1).sum() == 0
    if portrait.matte[:, 0].max() == portrait.matte[:, -1].max() == 0:
        assert made.matte.sum() <= 1.0001 * portrait.matte.sum()
    assert made.report == portrait.report


@pytest.mark.parametrize("photo", ["tall", "wide", "far away"])
def test_crops_come_closer_step_by_step_with_room_above_the_hair(photo: str) -> None:
    portrait = person(photo)
    head, half, whole = (framed(portrait, crop, "photo").image.shape[0] for crop in ("head", "half", "whole"))
    assert head < half <= whole
    assert photo != "far away" or head < 0.7 * half < 0.7 * whole
    made = framed(portrait, "head", "photo")
    hair = np.flatnonzero((made.matte > 0.5).any(axis=1))[0]
    assert 0.03 < hair / head < 0.2
    assert made.landmarks[CHIN, 1] < 0.75 * head


def test_a_wide_frame_goes_on_without_a_seam_and_leaves_the_photo_as_it_is() -> None:
    portrait = person("tall")
    made = framed(portrait, "whole", "16:9")
    h = made.image.shape[0]
    x0 = round(float(portrait.landmarks[0, 0] - made.landmarks[0, 0]))
    y0 = round(float(portrait.landmarks[0, 1] - made.landmarks[0, 1]))
    assert x0 < 0 and y0 >= 0
    inside = np.s_[:, -x0 : -x0 + 400]
    assert np.array_equal(made.image[inside], portrait.image[y0 : y0 + h])
    assert made.matte[:, :-x0].max() == made.matte[:, -x0 + 400 :].max() == 0
    for seam in (-x0, -x0 + 400):
        wall = np.s_[: h // 3]
        step = np.abs(made.image[wall, seam].astype(int) - made.image[wall, seam - 1])
        assert step.max() <= 3
    assert made.image[:, :20].mean() < 0.85 * portrait.image[:, :20].mean()


def test_what_the_photo_cuts_does_not_float() -> None:
    """Hair that is wider than the frame is kept by making the canvas higher, and only above."""
    portrait = person("close")
    made = framed(portrait, "whole", "9:16")
    assert made.image.shape[0] > portrait.image.shape[0]
    assert made.matte[-1].max() == 1
    assert made.matte[: made.image.shape[0] - 400].max() == 0
    x0 = round(float(portrait.landmarks[0, 0] - made.landmarks[0, 0]))
    assert np.array_equal(made.image[-400:], portrait.image[:, x0 : x0 + made.image.shape[1]])


@pytest.mark.parametrize("cut", [(), (0,), (399,), (0, 399)])
def test_a_person_cut_by_one_side_stays_at_that_side(cut: tuple[int, ...]) -> None:
    portrait = person("tall")
    matte = portrait.matte.copy()
    for side in cut:
        matte[360:, min(side, 200) : max(side, 200) + 1] = 1
    made = framed(replace(portrait, matte=matte), "head", "16:9")
    width = made.image.shape[1]
    at = {(0,): 200, (399,): width - 200}.get(cut, width / 2)
    assert made.landmarks[0, 0] == pytest.approx(at, abs=1)
    # What is cut slopes down to the bottom instead of ending upright.
    x0 = round(float(portrait.landmarks[0, 0] - made.landmarks[0, 0]))
    for beyond, there in ((made.matte[:, :-x0], 0 in cut), (made.matte[:, -x0 + 400 :], 399 in cut)):
        if beyond.shape[1] > 20:
            assert (beyond.max() > 0.5) == there
            assert beyond[: len(beyond) // 2].max() < 0.05


def test_plate_and_film_move_along() -> None:
    portrait = person("wide")
    plate = np.roll(portrait.image, 7, axis=0)
    landmarks = np.stack([portrait.landmarks, np.full_like(portrait.landmarks, np.nan)])
    film = Clip(25.0, landmarks, lambda number: np.full_like(portrait.image, 40 * number + 10))
    made = framed(replace(portrait, plate=plate, clip=film), "head", "1:1")
    dx, dy = (portrait.landmarks - made.landmarks)[0, :2].astype(int)
    h, w = made.image.shape[:2]
    assert made.plate is not None and np.array_equal(made.plate, plate[dy : dy + h, dx : dx + w])
    assert made.clip is not None and len(made.clip) == 2
    assert np.allclose(made.clip.landmarks[0], made.landmarks)
    assert np.isnan(made.clip.landmarks[1]).all()
    assert made.clip.image(1).shape == made.image.shape and (made.clip.image(1) == 50).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["admiral", "astronaut"])
def test_sample_portraits_fill_every_frame(models: object, name: str) -> None:
    """The engine finds the same face again in every crop and frame."""
    from conftest import ROOT

    from linly import registry
    from linly.pictures import load_image

    engine = registry.open_engine("draw", "warp")
    portrait = engine.prepare(load_image(ROOT / "assets" / "portraits" / f"{name}.jpg"), name)
    for crop in CROPS:
        for frame in FRAMES:
            made = framed(portrait, crop, frame)
            again = engine.prepare(made.image, name)
            off = np.abs(again.landmarks - made.landmarks)[:, :2].max() / portrait.box[2]
            assert off < 0.06, f"{crop} {frame}: the mesh is off by {off:.3f} of the face"
