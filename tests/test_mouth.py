"""The mouth as it is seen: untouched at rest, shut where it should be, teeth of a person, corners that smile."""

from __future__ import annotations

import face_measure as measure
import numpy as np
import pytest

from linly import library, registry
from linly.face.frame import LOWER_INNER, UPPER_INNER
from linly.face.mouth import Mouth, _along, _table
from linly.pictures import load_image
from linly.values import CURVES

NAMES = [sample.name for sample in library.samples()]
each_sample = pytest.mark.parametrize("name", NAMES)
SIDE = 512
POSES = (
    {"open": 0.3, "jaw": 0.3},
    {"open": 1.0, "jaw": 0.95},
    {"open": 0.28, "jaw": 0.25, "round": 1},
    {"open": 0.3, "spread": 1},
    {"open": 0.1, "tuck": 1},
    {"press": 1, "jaw": 0.12},
    {"open": 0.35, "tongue": 1},
    {"smile": 1},
    {"smile": -1},
)


def pose(**curves: float) -> dict[str, float]:
    """All curves 0 but those given, the mouth talking."""
    return {**dict.fromkeys(CURVES, 0.0), "talk": 1.0, **curves}


@pytest.fixture(scope="module")
def faces(models):
    """Each sample at SIDE pixels and its mesh."""
    import cv2

    warp = registry.open_engine("draw", "warp")
    found = {}
    for sample in library.samples():
        portrait = warp.prepare(load_image(sample.path), sample.name)
        h, w = portrait.image.shape[:2]
        scale = SIDE / max(h, w)
        image = cv2.resize(portrait.image, (round(w * scale), round(h * scale)), interpolation=cv2.INTER_AREA)
        found[sample.name] = image, portrait.landmarks * scale
    return found


@pytest.fixture(scope="module")
def mouths(faces):
    return {name: Mouth(*face) for name, face in faces.items()}


def drawn(faces, mouths, name, **curves: float) -> np.ndarray:
    target = faces[name][0].copy()
    mouths[name].draw(target, pose(**curves))
    return target


def between_lips(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """(h, w): between the inner edges of both lips, the edges themselves included."""
    import cv2

    ring = points[list(UPPER_INNER) + list(LOWER_INNER[::-1]), :2]
    return cv2.fillPoly(np.zeros(shape, np.uint8), [np.rint(ring).astype(np.int32)], 1) > 0


def tooth_like(image: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """(h, w): as bright as skin and much less red."""
    colour = image.astype(float)
    redness = (colour[..., 0] - colour[..., 1]) / np.maximum(colour[..., 0], 1)
    return (colour.mean(axis=-1) > 0.8 * skin.mean()) & (redness < 0.5 * (skin[0] - skin[1]) / skin[0])


def cheek(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    x, y = np.rint(points[50, :2]).astype(int)
    return np.median(image[y - 6 : y + 7, x - 6 : x + 7].reshape(-1, 3), axis=0)


@each_sample
def test_a_silent_mouth_is_the_photos_own(faces, mouths, name):
    still = faces[name][0]
    for other in ({}, {"tongue": 1.0}, {"blink": 1.0}):
        assert np.array_equal(drawn(faces, mouths, name, talk=0.0, **other), still)


@each_sample
def test_nothing_outside_the_region_changes(faces, mouths, name):
    still = faces[name][0]
    x0, y0, x1, y1 = mouths[name].region
    for curves in POSES:
        picture = drawn(faces, mouths, name, **curves)
        assert (np.abs(picture.astype(int) - still)[y0:y1, x0:x1].max(axis=-1) > 8).sum() > 50, curves
        picture[y0:y1, x0:x1] = still[y0:y1, x0:x1]
        assert np.array_equal(picture, still), curves


@each_sample
def test_no_pose_folds_the_skin(mouths, name):
    """Going down (or to the right) in the picture never goes back in the photo, so no triangle of the mesh flips."""
    mouth = mouths[name]
    for curves in POSES:
        amounts = mouth._field.amounts(pose(**curves))
        source = mouth._cells + mouth._inverse((amounts @ mouth._bases).reshape(mouth._cells.shape))
        top, bottom = _along(mouth._u, _table(mouth._contours(amounts)))
        for side, seen in ((slice(0, mouth._rows), mouth._v < top), (slice(mouth._rows, None), mouth._v > bottom)):
            assert np.diff(source[1, side], axis=0)[seen[1:] & seen[:-1]].min() > 0, curves
            assert np.diff(source[0, side], axis=1)[seen[:, 1:] & seen[:, :-1]].min() > 0, curves


@each_sample
def test_the_inverse_of_the_field_is_exact(mouths, name):
    import cv2

    mouth = mouths[name]
    displacement = (mouth._field.amounts(pose(open=1, jaw=0.95, smile=0.5)) @ mouth._bases).reshape(mouth._cells.shape)
    shift = mouth._inverse(displacement)
    there = [cv2.remap(d, *(mouth._cells + shift), cv2.INTER_LINEAR) for d in displacement]
    rest = np.abs(np.array(there) + shift)  # in cells
    above, below = mouth._v < -0.2, mouth._v > 0.4
    assert rest[:, : mouth._rows][:, above].max() < 0.1 and rest[:, mouth._rows :][:, below].max() < 0.1


@each_sample
def test_smile_moves_the_corners_up_and_down(faces, mouths, name):
    points = faces[name][1]
    width = np.hypot(*(points[61, :2] - points[291, :2]))
    films = [drawn(faces, mouths, name, smile=s) for s in (-1.0, -0.5, 0.0, 0.5, 1.0)]
    found = measure.landmarks(films)
    up = -(found[:, [61, 291], 1].mean(axis=1) - found[:, 168, 1]) / width
    assert (np.diff(up) > 0.01).all(), up
    assert up[2] - up[0] > 0.05 and up[4] - up[2] > 0.05, up


@each_sample
def test_no_tooth_is_seen_between_lips_that_are_shut_or_tucked(faces, mouths, name):
    image, points = faces[name]
    skin = cheek(image, points)
    open_, *shut = (
        drawn(faces, mouths, name, **curves)
        for curves in ({"open": 0.6, "jaw": 0.6}, {}, {"press": 1.0, "jaw": 0.12}, {"open": 0.1, "tuck": 1.0})
    )
    marks = measure.landmarks([open_, *shut])
    assert (tooth_like(open_, skin) & between_lips(marks[0], image.shape[:2])).sum() > 30
    for picture, mark in zip(shut, marks[1:], strict=True):
        assert (tooth_like(picture, skin) & between_lips(mark, image.shape[:2])).sum() <= 3


@each_sample
def test_teeth_are_ivory_in_the_light_of_the_photo(faces, mouths, name):
    image, points = faces[name]
    skin, teeth = cheek(image, points), mouths[name]._interior._teeth
    picture = drawn(faces, mouths, name, open=0.6, jaw=0.6)
    (x, y), (h, w) = teeth.corner, teeth.cover.shape
    part = picture[y : y + h, x : x + w].astype(float)
    seen = (teeth.cover > 0.9) & between_lips(measure.landmarks([picture])[0], image.shape[:2])[y : y + h, x : x + w]
    shown = np.median(part[seen & tooth_like(part, skin)], axis=0)
    red, green, blue = shown
    assert 0.8 < shown.mean() / skin.mean() < 1.9
    assert red >= green >= blue and 0.03 < (red - blue) / red < (skin[0] - skin[2]) / skin[0]


@pytest.mark.parametrize("dx, dy", [(-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, 1), (0, 0)])
@each_sample
def test_an_opening_beside_the_teeth_shows_none_of_them(mouths, name, dx, dy):
    """Lips at rest part by a few pixels in a corner of the mouth, where no teeth are."""
    interior = mouths[name]._interior
    (x, y), (h, w) = interior._teeth.corner, interior._teeth.cover.shape
    side = 4
    corner = x + (w // 2, w + 2, -side - 2)[dx], y + (h // 2, h + 2, -side - 2)[dy]
    top, bottom = np.full((side, side), -0.1, np.float32), np.full((side, side), 0.2, np.float32)
    shown = interior.paint(corner, top, bottom, pose())
    bare, _, _ = interior._soft(*interior._frame.grid(*corner, side, side), top, bottom, pose())
    assert shown.shape == (side, side, 3)
    assert (dx, dy) == (0, 0) or np.abs(shown.astype(int) - bare).max() <= 8  # the tongue's edge is scaled up


def test_the_photos_own_teeth_are_kept(mouths):
    assert mouths["astronaut"]._interior._teeth.own
    assert not mouths["admiral"]._interior._teeth.own


@each_sample
def test_a_grey_photo_keeps_a_grey_mouth(faces, name):
    image, points = faces[name]
    grey = np.repeat(np.rint(image.mean(axis=-1, keepdims=True)).astype(np.uint8), 3, axis=2)
    picture = grey.copy()
    Mouth(grey, points).draw(picture, pose(open=0.8, jaw=0.7, smile=0.5))
    assert np.ptp(picture.astype(int), axis=-1).max() <= 24
    assert (picture != grey).any()


@each_sample
def test_folds_deepen_with_a_smile_only(mouths, name):
    cheeks = mouths[name]._cheeks
    assert cheeks.shade(pose(open=0.5)) is None and cheeks.shade(pose(smile=-1.0)) is None
    little, much = cheeks.shade(pose(smile=0.4)), cheeks.shade(pose(smile=1.0))
    assert 0.02 < little.max() < much.max() < 0.2
    assert cheeks.shade(pose(jaw=1.0)).max() > 0.04


@pytest.mark.parametrize("scale", (0.3, 2.5))
def test_any_size_is_drawn(faces, scale):
    import cv2

    image, points = faces["admiral"]
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture = image.copy()
    Mouth(image, points * scale).draw(picture, pose(open=0.7, jaw=0.7))
    assert (np.abs(picture.astype(int) - image).max(axis=-1) > 30).sum() > 50


def test_a_mouth_at_the_edge_of_the_picture_is_drawn(faces):
    """A chin cut off, or most of the mouth itself, as with a face that leaves a video's picture."""
    image, points = faces["astronaut"]
    for row in (points[152, 1] - 4, points[17, 1], points[13, 1] - 2):
        cut = image[: int(row)].copy()
        picture = cut.copy()
        Mouth(cut, points).draw(picture, pose(open=0.8, jaw=0.8, smile=0.6))
        assert picture.shape == cut.shape
