"""The face, judged by what a viewer sees: openings and blinks found again, lips that meet, a background that stays."""

from __future__ import annotations

import face_measure as measure
import numpy as np
import pytest

from linly import library, registry
from linly.errors import InputError
from linly.pictures import load_image
from linly.values import CURVES, OPEN_WIDTHS, Audio, FaceMotion, Style, Utterance

NAMES = [sample.name for sample in library.samples()]
each_sample = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def warp(models):
    return registry.open_engine("draw", "warp")


@pytest.fixture(scope="module")
def portraits(warp):
    return {s.name: warp.prepare(load_image(s.path), s.name) for s in library.samples()}


def motion(count: int, head: dict[str, np.ndarray | float] | None = None, **curves: np.ndarray | float) -> FaceMotion:
    """`count` frames; every curve that is not given is 0."""
    rows, turns = np.zeros((count, len(CURVES)), np.float32), np.zeros((count, 3), np.float32)
    for name, values in curves.items():
        rows[:, CURVES.index(name)] = values
    for name, angles in (head or {}).items():
        turns[:, ("yaw", "pitch", "roll").index(name)] = angles
    return FaceMotion(25.0, rows, turns)


def film(warp, portrait, moves: FaceMotion, size: str = "512") -> list[np.ndarray]:
    silence = Utterance("", Audio(np.zeros(len(moves), np.float32), 25))
    return [frame.copy() for frame in warp.draw(portrait, silence, moves, Style(size=size))]


def resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    import cv2

    shrinks = size[0] < image.shape[1]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def babble(count: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """An opening like that of lively speech, and where it is shut: (count,) each."""
    rng = np.random.default_rng(3)
    syllable = np.arange(count) // 6
    peaks = rng.uniform(0.25, 1.0, syllable.max() + 1)
    shape = np.sin(np.pi * (np.arange(count) % 6) / 6) ** 0.8
    opening = peaks[syllable] * shape
    return opening, opening == 0


@pytest.fixture(scope="module")
def talking(warp, portraits):
    """Every sample while it babbles and moves its head: intended opening, landmarks found again."""
    opening, shut = babble()
    t = np.arange(len(opening)) / 25
    head = {"yaw": 2.6 * np.sin(2 * t), "pitch": 1.5 * np.sin(3 * t), "roll": 1.1 * np.sin(1.5 * t)}
    moves = motion(len(opening), head, talk=1, open=opening, jaw=0.75 * opening + 0.1, press=0.6 * shut)
    return {name: (opening, shut, measure.landmarks(film(warp, p, moves))) for name, p in portraits.items()}


@pytest.mark.slow
@each_sample
def test_the_mouth_opens_as_asked(talking, name):
    intended, _, points = talking[name]
    found = measure.gap(points)
    assert np.corrcoef(intended, found)[0, 1] >= 0.9
    assert measure.best_lag(intended, found) == 0
    assert 0.08 <= np.percentile(found, 90) <= 0.24


@pytest.mark.slow
@each_sample
def test_lips_meet_wherever_they_should(talking, name):
    _, shut, points = talking[name]
    found = measure.gap(points)
    assert shut.sum() >= 15
    assert (found[shut] < 0.15 * np.percentile(found, 90)).mean() >= 0.95


@pytest.mark.slow
@each_sample
def test_rounded_and_spread_lips_can_be_told_apart(warp, portraits, name):
    pose = {"talk": 1, "open": 0.28, "jaw": 0.25}
    moves = motion(2, round=np.array([1, 0]), spread=np.array([0, 1]), **pose)
    round_, spread = measure.mouth_width(measure.landmarks(film(warp, portraits[name], moves)))
    assert round_ <= 0.87 * spread


@pytest.mark.slow
@each_sample
def test_the_gap_does_not_depend_on_jaw_and_lip_shape(warp, portraits, name):
    """At one opening, the chin may hang or the corners move: the gap stays within a fifth of a wide mouth's."""
    shapes = [{}, {"jaw": 0.8}, {"spread": 1}, {"smile": 0.6}, {"smile": -0.6}]
    moves = motion(len(shapes) + 1, talk=1, open=np.array([*[0.45] * len(shapes), 1.0]))
    for row, shape in enumerate(shapes):
        for curve, value in shape.items():
            moves.curves[row, CURVES.index(curve)] = value
    found = measure.gap(measure.landmarks(film(warp, portraits[name], moves)))
    assert np.ptp(found[:-1]) < 0.2 * found[-1], found.round(3)


@each_sample
@pytest.mark.parametrize("size", ("256", "512"))
def test_at_rest_the_photo_itself_is_shown(warp, portraits, name, size):
    (frame,) = film(warp, portraits[name], motion(1), size)
    assert measure.psnr(frame, resized(portraits[name].image, frame.shape[1::-1])) >= 50


@each_sample
def test_the_background_stays_when_the_head_moves(warp, portraits, name):
    """Beyond the person's outline (and the room that the head itself takes) nothing changes."""
    import cv2

    portrait = portraits[name]
    head = {"yaw": np.array([5, -5, 0, 0, 0, 0]), "pitch": np.array([0, 0, 4, -4, 0, 0]), "roll": [0, 0, 0, 0, 4, -4]}
    frames = film(warp, portrait, motion(6, head))
    still = resized(portrait.image, frames[0].shape[1::-1])
    person = cv2.resize(portrait.matte, frames[0].shape[1::-1]) > 0.02
    face = portrait.box[2] * frames[0].shape[1] / portrait.image.shape[1]
    reach = int(0.22 * face)
    away = cv2.dilate(person.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) == 0
    assert away.mean() > 0.03, "there is no background to look at"
    for number, frame in enumerate(frames):
        assert measure.psnr(frame, still, away) >= 45, f"frame {number}"
        assert np.abs(frame.astype(int) - still)[~away].max() > 30, f"the head did not move in frame {number}"


@each_sample
def test_without_head_motion_only_the_face_changes(warp, portraits, name):
    portrait = portraits[name]
    frames = film(warp, portrait, motion(3, talk=1, open=np.array([0, 0.5, 1.0]), jaw=0.8, blink=np.array([0, 1, 0])))
    h, w = frames[0].shape[:2]
    still, scale = resized(portrait.image, (w, h)), w / portrait.image.shape[1]
    low, high = portrait.landmarks[:, :2].min(axis=0) * scale, portrait.landmarks[:, :2].max(axis=0) * scale
    side, tall = high - low
    outside = np.ones((h, w), bool)
    # the box of the mesh, and the neck, which gives way to a chin that falls
    outside[: int(high[1] + 0.45 * tall), max(0, int(low[0] - 0.1 * side)) : int(high[0] + 0.1 * side)] = False
    for frame in frames:
        difference = np.abs(frame.astype(int) - still)
        assert difference[outside].max() <= 1
        assert difference[~outside].max() > 30


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in NAMES if n != "admiral"])
def test_a_blink_is_a_blink(warp, portraits, name):
    """By the blendshape model; it does not judge eyes behind thick glasses, and takes a broad smile's for half shut."""
    scores = measure.blinks(measure.landmarks(film(warp, portraits[name], motion(2, blink=np.array([0, 1])))))
    assert scores[1] - scores[0] >= (0.25 if scores[0] < 0.15 else 0.15), scores


@pytest.mark.parametrize("curve", ("brow", "gaze_x", "gaze_y", "breath", "smile", "tuck", "press", "tongue"))
def test_every_curve_is_seen(warp, portraits, curve):
    talk = float(curve in ("smile", "tuck", "press", "tongue"))
    moves = motion(2, talk=talk, open=0.45 * talk, **{curve: np.array([0, 0.9])})
    before, after = film(warp, portraits["admiral"], moves)
    assert (np.abs(before.astype(int) - after).max(axis=-1) > 8).sum() >= 20


@each_sample
def test_a_talking_mouth_is_as_sharp_as_the_photo(warp, portraits, name):
    portrait = portraits[name]
    still, shut = film(warp, portrait, motion(2, talk=np.array([0, 1])))
    scale = still.shape[1] / portrait.image.shape[1]
    x0, _ = (portrait.landmarks[[0, 61], :2].min(axis=0) * scale).astype(int)
    x1, y1 = (portrait.landmarks[[17, 291], :2].max(axis=0) * scale).astype(int)
    chin = slice(y1, int(portrait.landmarks[152, 1] * scale)), slice(x0, x1)
    assert 0.5 < measure.sharpness(shut[chin]) / measure.sharpness(still[chin]) < 1.6


def test_a_picture_depends_on_its_own_row_only(warp, portraits):
    """So that clips join without a seam, and any number of threads gives the same film."""
    moves = motion(8, {"yaw": np.linspace(-3, 3, 8)}, talk=1, open=np.linspace(0, 1, 8), blink=np.linspace(1, 0, 8))
    whole = film(warp, portraits[NAMES[0]], moves)
    for row in (0, 3, 7):
        one = FaceMotion(25.0, moves.curves[row : row + 1], moves.head[row : row + 1])
        assert np.array_equal(film(warp, portraits[NAMES[0]], one)[0], whole[row])


def test_pictures_may_be_drawn_upon(warp, portraits):
    portrait = portraits[NAMES[0]]
    silence, before = Utterance("", Audio(np.zeros(4, np.float32), 25)), portrait.image.copy()
    for frame in warp.draw(portrait, silence, motion(4), Style(size="source")):
        frame[:] = 0
    assert np.array_equal(portrait.image, before)
    assert film(warp, portrait, motion(1))[0].max() > 100


def test_the_second_sentence_reuses_what_the_first_prepared(warp, portraits, monkeypatch):
    from linly.face import rig

    portrait = portraits[NAMES[0]]
    film(warp, portrait, motion(1))
    monkeypatch.setattr(rig.Rig, "__init__", lambda *_: pytest.fail("the portrait was prepared a second time"))
    film(warp, portrait, motion(1))


@pytest.mark.parametrize(
    ("shape", "wish", "size"),
    [
        ((640, 480), "512", (384, 512)),
        ((480, 640), "256", (256, 192)),
        ((480, 640), "source", (640, 480)),
        ((426, 320), "720", (540, 720)),
        ((500, 334), "1080", (722, 1080)),
    ],
)
def test_sizes_keep_the_shape_and_are_even(warp, portraits, shape, wish, size):
    h, w = shape
    source = portraits[NAMES[0]].image
    canvas = np.full((h, w, 3), 120, np.uint8)
    side = min(h, w)
    canvas[:side, :side] = resized(source, (side, side))
    portrait = warp.prepare(canvas, "canvas")
    assert warp.size(portrait, Style(size=wish)) == size
    (frame,) = film(warp, portrait, motion(1, talk=1, open=0.5), wish)
    assert frame.shape == (size[1], size[0], 3) and frame.dtype == np.uint8


def refusal(warp, image) -> str:
    with pytest.raises(InputError) as error:
        warp.prepare(image, "photo")
    sentence = str(error.value)
    assert sentence[-1] == "." and len(sentence) < 160
    return sentence


def test_pictures_without_a_usable_face_are_refused_with_advice(warp, portraits):
    image = portraits[NAMES[0]].image
    noise = np.random.default_rng(0).integers(0, 255, (400, 400, 3), dtype=np.uint8)
    assert "No face was found" in refusal(warp, np.full((300, 300, 3), 200, np.uint8))
    assert "No face was found" in refusal(warp, noise)
    assert "100x100" in refusal(warp, resized(image, (100, 100)))
    tiny = np.full((600, 600, 3), 128, np.uint8)
    tiny[200:320, 200:320] = resized(image, (120, 120))
    assert "face is only" in refusal(warp, tiny)


def test_the_largest_of_several_faces_is_used(warp, portraits):
    large, small = (resized(portraits[n].image, (side, side)) for n, side in zip(NAMES, (480, 300), strict=False))
    canvas = np.full((480, 780, 3), 128, np.uint8)
    canvas[:300, :300], canvas[:, 300:] = small, large
    portrait = warp.prepare(canvas, "two")
    assert portrait.report["faces"] == 2 and portrait.box[0] > 300
    assert "several_faces" in [a["key"] for a in portrait.report["advice"]]


def test_advice_fits_what_is_wrong(warp, portraits):
    import cv2

    image = portraits["admiral"].image
    across = (np.arange(image.shape[1]) - portraits["admiral"].box[0]) / portraits["admiral"].box[2]
    shade = np.interp(across, (0.2, 0.8), (0.3, 1.1))[None, :, None]
    spoilt = {
        "blurred": cv2.GaussianBlur(image, (0, 0), 6),
        "dark": (image * 0.25).astype(np.uint8),
        "light_left": np.clip(image * shade, 0, 255).astype(np.uint8),
        "light_right": np.clip(image * (1.4 - shade), 0, 255).astype(np.uint8),
        "small_face": resized(image, (250, 250)),
    }
    assert warp.prepare(image, "good").report["advice"] == []
    for key, bad in spoilt.items():
        advice = warp.prepare(bad, key).report["advice"]
        assert key in [a["key"] for a in advice], key
        assert all(a["en"] and a["zh"] for a in advice)
    assert warp.prepare(spoilt["blurred"], "b").report["score"] < warp.prepare(image, "good").report["score"]


def test_a_rolled_head_is_measured(warp, portraits):
    import cv2

    image = portraits["admiral"].image
    h, w = image.shape[:2]
    turned = cv2.warpAffine(
        image, cv2.getRotationMatrix2D((w / 2, h / 2), -15, 1), (w, h), borderMode=cv2.BORDER_REFLECT
    )
    before, after = (warp.prepare(i, "x").report["roll"] for i in (image, turned))
    assert after - before == pytest.approx(15, abs=3)


def test_the_unit_of_opening_is_the_mouth_at_rest(warp, portraits):
    """open = 1 parts the lips by OPEN_WIDTHS mouth widths, on the photo whose mouth is shut."""
    points = measure.landmarks(film(warp, portraits["admiral"], motion(2, talk=1, open=np.array([0, 1.0]), jaw=0.9)))
    found = measure.gap(points) / measure.mouth_width(points)[0]
    assert found[0] < 0.02 and found[1] == pytest.approx(OPEN_WIDTHS, rel=0.2)
