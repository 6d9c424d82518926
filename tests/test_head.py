"""The head moves and nothing else: exact where it is still, the known background behind it, straight alpha."""

from __future__ import annotations

import numpy as np
import pytest

from linly.face.eyes import SIDES, Eyes
from linly.face.frame import CHIN, OVAL
from linly.face.head import Head
from linly.face.matte import background_plate

cv2 = pytest.importorskip("cv2")
REST = {"breath": 0.0, "brow": 0.0}
SIDE = 320
STILL = np.zeros(3, np.float32)


def mesh(centre=(160, 140), wide=90, tall=120):
    """(478, 3): points over an ellipse, the outline where the oval is, the nose in front."""
    rng = np.random.default_rng(0)
    turn, far = rng.uniform(0, 2 * np.pi, 478), np.sqrt(rng.uniform(0, 1, 478))
    points = np.stack([far * np.sin(turn), -far * np.cos(turn), -0.3 * (1 - far)], axis=-1)
    around = np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)
    points[list(OVAL)] = np.stack([np.sin(around), -np.cos(around), 0 * around], axis=-1)
    points[[33, 263, 159, 386, 168]] = [
        (-0.7, -0.2, 0),
        (0.7, -0.2, 0),
        (-0.4, -0.25, 0),
        (0.4, -0.25, 0),
        (0, -0.2, 0),
    ]
    points[10], points[CHIN] = (0, -1, 0), (0, 1, 0)
    brows = (46, 53, 52, 65, 55, 285, 295, 282, 283, 276)
    for n, i in enumerate(brows):
        points[i] = (-0.65 + 0.1 * n if n < 5 else 0.25 + 0.1 * (n - 5), -0.4, -0.1)
    return (points * (wide / 2, tall / 2, wide) + (*centre, 0)).astype(np.float32)


@pytest.fixture(scope="module")
def person():
    """Image, points, matte, plate: a head on shoulders before a busy wall."""
    rng = np.random.default_rng(1)
    plate = cv2.resize(rng.integers(0, 255, (80, 80, 3), np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    matte = np.zeros((SIDE, SIDE), np.float32)
    cv2.ellipse(matte, (160, 130), (62, 85), 0, 0, 360, 1.0, -1)
    cv2.ellipse(matte, (160, 340), (140, 130), 0, 0, 360, 1.0, -1)
    matte = cv2.GaussianBlur(matte, (0, 0), 1.5)
    skin = np.clip(150 + 25 * cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE, 3)), (0, 0), 2) * 8, 0, 255)
    image = np.rint(skin * matte[..., None] + plate * (1 - matte[..., None])).astype(np.uint8)
    return image, mesh(), matte, plate


def turned(yaw=0.0, pitch=0.0, roll=0.0):
    return np.array([yaw, pitch, roll], np.float32)


def test_at_rest_the_photo_comes_back_and_belongs_to_the_caller(person):
    image, points, matte, _ = person
    head = Head(image, points, matte)
    drawn = head.draw(image, REST, STILL)
    assert (drawn == image).all() and drawn is not image


def test_a_known_background_stands_still_behind_a_turning_head(person):
    image, points, matte, plate = person
    drawn = Head(image, points, matte, plate).draw(image, REST, turned(4, 2, 4))
    away = cv2.dilate(matte, np.ones((37, 37))) < 0.004
    assert (drawn[away] == image[away]).all()
    assert np.abs(drawn[60:200, 120:200].astype(int) - image[60:200, 120:200]).mean() > 3


def test_the_wall_behind_the_hair_keeps_its_colour(person):
    """Hair without any blue in it must not take the blue out of the wall that is seen when the head turns away."""
    _, points, matte, _ = person
    wall, hair = np.uint8((200, 190, 200)), np.uint8((90, 80, 0))
    plate = np.broadcast_to(wall, (SIDE, SIDE, 3)).copy()
    image = np.where(matte[..., None] > 0.02, hair, wall)
    head = Head(image, points, matte, plate)
    assert np.abs(head._plate.astype(int) - plate).max() <= 4
    assert (head.draw(image, REST, STILL) == image).all()
    colours = head.draw(image, REST, turned(roll=-6)).astype(int)
    # nothing is seen but hair, wall and what lies between the two (bicubic goes a little beyond them)
    share = (colours - hair.astype(int)) / (wall.astype(int) - hair)
    assert np.ptp(share, axis=-1).max() < 0.25


def test_where_the_head_has_left_the_wall_appears_as_it_is(person):
    _, points, matte, plate = person
    hard = (matte > 0.5).astype(np.float32)
    dark = np.where(hard[..., None] > 0, np.uint8(0), np.maximum(plate, 60))
    drawn = Head(dark, points, hard, np.maximum(plate, 60)).draw(dark, REST, turned(yaw=6))
    shown = (hard > 0) & (drawn.min(axis=-1) > 50)
    assert shown.sum() > 200
    assert np.abs(drawn[shown].astype(int) - np.maximum(plate, 60)[shown]).mean() < 12


def test_a_known_background_is_trusted_where_a_guess_would_not_be(person):
    image, points, _, plate = person
    matte = np.full((SIDE, SIDE), 0.5, np.float32)
    matte[60:220, 110:210] = 1
    sure, unsure = (Head(image, points, matte, p).draw(image, REST, turned(roll=4)) for p in (plate, None))
    assert (sure != unsure).any()


def test_shoulders_and_the_picture_edge_do_not_turn(person):
    image, points, matte, plate = person
    drawn = Head(image, points, matte, plate).draw(image, REST, turned(5, 4, 4))
    assert (drawn[300:] == image[300:]).all() and (drawn[:, :8] == image[:, :8]).all()


@pytest.mark.parametrize("turn", [(6, 0, 0), (-6, 0, 0), (0, 5, 0), (0, -5, 0), (0, 0, 6), (5, 4, -5)])
@pytest.mark.parametrize("brow", [-1, 1])
def test_no_part_of_the_picture_folds_over(person, turn, brow):
    image, points, matte, plate = person
    head = Head(image, points, matte, plate)
    amounts = np.array([*np.radians(turn), 1, brow, max(0, -brow)], np.float32)
    shift = head._inverse((amounts @ head._bases).reshape(head._cells.shape))
    source = head._cells + shift
    across, down = np.diff(source, axis=1)[:-1], np.diff(source, axis=0)[:, :-1]
    area = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
    assert area.min() > 0.3


def test_what_mouth_and_eyes_redrew_turns_with_the_head(person):
    image, points, matte, plate = person
    box = (140, 150, 180, 180)
    head = Head(image, points, matte, plate, [box])
    still = image.copy()
    still[155:175, 145:175] = (255, 0, 0)
    drawn = head.draw(still, REST, turned(yaw=5))
    red = (drawn[..., 0] > 200) & (drawn[..., 1] < 60)
    assert red.sum() > 400 and np.argwhere(red)[:, 1].mean() > 161  # moved to the right
    again = head.draw(image, REST, turned(yaw=5))[140:190, 135:195]
    assert not ((again[..., 0] > 200) & (again[..., 1] < 60)).any()  # nothing of it is left


def test_transparent_pictures_are_straight_without_a_dark_fringe(person):
    image, points, matte, _ = person
    skin = np.empty_like(image)
    skin[...] = (200, 150, 120)
    black = np.rint(skin * matte[..., None]).astype(np.uint8)
    head = Head(black, points, matte, np.zeros_like(image), alpha=True)
    for turn in (STILL, turned(4, 2, 3)):
        drawn = head.draw(black, REST, turn)
        assert drawn.shape == (SIDE, SIDE, 4)
        fringe = (drawn[..., 3] > 40) & (drawn[..., 3] < 250)
        assert fringe.any() and np.abs(drawn[fringe][:, :3].astype(int) - (200, 150, 120)).max() < 10
        assert drawn[200, 5, 3] == 0 and drawn[140, 160, 3] == 255


def test_no_background_is_guessed_brighter_than_the_photo_is(person):
    """Dark hair before a bright wall stays dark where the matte takes it for half wall."""
    _, points, matte, _ = person
    image = np.full((SIDE, SIDE, 3), 240, np.uint8)
    image[matte > 0.2] = 10
    drawn = Head(image, points, matte).draw(image, REST, turned(yaw=0.3))
    hair = cv2.erode((matte > 0.2).astype(np.uint8), np.ones((5, 5))) > 0
    assert drawn[hair].max() < 40


def test_the_hidden_background_goes_on_from_what_is_seen(person):
    *_, matte, _ = person
    wall = np.empty((SIDE, SIDE, 3), np.uint8)
    wall[...] = np.linspace(60, 180, SIDE)[None, :, None]
    image = np.where(matte[..., None] > 0.5, np.uint8(10), wall)
    plate = background_plate(image, matte)
    assert (plate[:30, :30] == image[:30, :30]).all()
    assert np.abs(plate[100:200, 110:210].astype(int) - wall[100:200, 110:210]).mean() < 20


def test_brows_rise_with_the_forehead_and_draw_together_in_a_frown(person):
    image, points, matte, plate = person
    head = Head(image, points, matte, plate)
    shifts = [head._bases[4:].T @ np.float32(a) for a in ((1, 0), (-1, 1))]
    up, frown = (s.reshape(head._cells.shape) for s in shifts)
    at = {
        i: tuple(((points[i, ::-1][1:] - head._corner[::-1]) / head._step + 1).astype(int)) for i in (55, 285, 145, 10)
    }
    assert up[at[55]][1] < 0 and frown[at[55]][1] > 0
    assert frown[at[55]][0] > 0 > frown[at[285]][0]
    assert abs(up[at[10]][1]) < 0.6 * abs(up[at[55]][1])


def looking_face():
    """Image and points: a plain face with two round irises between the lids."""
    image, points = np.full((SIDE, SIDE, 3), 180, np.uint8), mesh()
    for side, x in zip(SIDES, (120, 200), strict=True):
        for line, way in ((side.upper, -1), (side.lower, 1)):
            u = np.linspace(-1, 1, len(line))
            points[list(line), 0], points[list(line), 1] = x + 25 * u, 120 + way * 9 * (1 - u**2)
        points[list(side.brow), 0], points[list(side.brow), 1] = np.linspace(x - 30, x + 30, 5), 85
        lids = np.concatenate([points[list(side.upper), :2], points[list(side.lower), :2][::-1]])
        opening = cv2.fillPoly(np.zeros((SIDE, SIDE), np.uint8), [np.rint(lids).astype(np.int32)], 1) > 0
        iris = cv2.circle(np.zeros((SIDE, SIDE), np.uint8), (x, 120), 7, 1, -1) > 0
        image[opening], image[opening & iris] = (250, 250, 250), (20, 20, 20)
        lashes = np.rint(points[list(side.upper), :2]).astype(np.int32)
        cv2.polylines(image, [lashes], False, (90, 80, 70), 2)
    return image, points


def eyes_drawn(**pose):
    image, points = looking_face()
    target = image.copy()
    Eyes(image, points).draw(target, {"blink": 0.0, "gaze_x": 0.0, "gaze_y": 0.0, "smile": 0.0, **pose})
    return image, target


def test_a_shut_eye_shows_no_white_and_no_iris_and_a_blink_shuts_by_and_by():
    seen = [int((eyes_drawn(blink=b)[1] > 225).sum()) for b in (0, 0.3, 0.6, 1)]
    assert seen[0] > seen[1] > seen[2] > seen[3] and seen[3] < 0.03 * seen[0]
    assert (eyes_drawn(blink=1)[1] < 60).sum() < 30  # of the iris


def test_a_gaze_moves_the_iris_whole_and_nothing_outside_the_lids():
    image, target = eyes_drawn(gaze_x=0.8)
    before, after = (np.argwhere(i[100:140, 90:150, 0] < 80) for i in (image, target))
    assert 1.5 < after[:, 1].mean() - before[:, 1].mean() < 5
    assert len(after) == pytest.approx(len(before), rel=0.12)
    assert (target[:105] == image[:105]).all() and (target[136:] == image[136:]).all()


def test_a_smile_raises_the_lower_lid_alone():
    image, target = eyes_drawn(smile=1.0)
    changed = np.argwhere((image != target).any(axis=-1))
    assert len(changed) and changed[:, 0].min() > 118


def test_eyes_leave_what_the_mouth_has_redrawn():
    image, points = looking_face()
    target = image.copy()
    target[128:] = (150, 90, 80)
    Eyes(image, points).draw(target, {"blink": 0.0, "gaze_x": 0.5, "gaze_y": 0.0, "smile": 0.0})
    assert (target[134:] == (150, 90, 80)).all()
