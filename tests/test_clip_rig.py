"""A film made to speak: driven with other words, and looked at again."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import face_measure as measure
import films
import numpy as np
import pytest
from films import COUNT, FPS, drawn, silent, syllables, written

from linly.face import footage
from linly.face.clip_rig import ClipRig, there_and_back
from linly.face.frame import LOWER_INNER, UPPER_INNER
from linly.face.track import mean_head
from linly.values import CURVES, Portrait


@pytest.fixture(scope="module")
def engines(models) -> films.Engines:
    return films.engines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="module")
def spoken_images(models) -> list[np.ndarray]:
    return films.spoken_images()


@pytest.fixture(scope="module")
def own_words() -> np.ndarray:
    return films.own_words()


@pytest.fixture(scope="module")
def speaking(engines, folder, spoken_images) -> Portrait:
    return engines.load(written(folder / "speaking.mp4", spoken_images))


@pytest.fixture(scope="module")
def listening(engines, folder) -> Portrait:
    """A film without sound and words: the astronaut, who smiles, moves her head and blinks."""
    return engines.load(silent(folder / "listening.mkv", drawn("astronaut", "256")))


@pytest.fixture(scope="module")
def filmed(speaking) -> np.ndarray:
    """(COUNT, 478, 3) the mesh found anew on the film's own pictures."""
    return measure.landmarks(speaking.clip.image(i) for i in range(COUNT))


def pose(**curves: float) -> dict[str, float]:
    return dict.fromkeys(CURVES, 0.0) | curves


def shown(portrait: Portrait, poses: list[dict[str, float]], size: tuple[int, int] | None = None) -> list[np.ndarray]:
    rig = ClipRig(portrait, size or portrait.image.shape[1::-1])
    still = np.zeros(3, np.float32)
    return [rig.draw(p, still, number, portrait.clip.fps) for number, p in enumerate(poses)]


def wobble(points: np.ndarray) -> np.ndarray:
    """(t, 2): the lips' mid-line on the head, over the span of the eyes."""
    shape, fit = mean_head(points.astype(float))
    heads = fit.head(points)
    return heads[:, (13, 14), :2].mean(axis=1) / np.linalg.norm(shape[263] - shape[33])


def inside(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n, 3) pixels between the lips, away from their edges."""
    import cv2

    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(points[[*UPPER_INNER, *LOWER_INNER[::-1]], :2]).astype(np.int32)], 1)
    return image[cv2.erode(mask, np.ones((5, 5), np.uint8)) > 0]


def outside(points: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(h, w) bool: beyond the lower face and the neck below it."""
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    side, tall = high - low
    away = np.ones(shape[:2], bool)
    left, right = max(0, int(low[0] - 0.25 * side)), int(high[0] + 0.25 * side)
    away[int(low[1] + 0.3 * tall) : int(high[1] + 0.5 * tall), left:right] = False
    return away


def test_there_and_back_again():
    assert [there_and_back(i, 4) for i in range(9)] == [0, 1, 2, 3, 2, 1, 0, 1, 2]
    assert [there_and_back(i, 1) for i in range(3)] == [0, 0, 0]
    assert [there_and_back(i, 2) for i in range(4)] == [0, 1, 0, 1]


def test_what_a_film_is(speaking):
    report = speaking.report
    assert (report["frames"], report["fps"], report["seconds"]) == (COUNT, FPS, COUNT / FPS)
    assert report["missing"] == report["turned"] == 0 and report["mouth_moves"] is True
    assert report["mouth_open"] < 0.05, "the best picture shows the mouth open"
    assert np.array_equal(speaking.image, speaking.clip.image(report["picture"]))
    assert len(speaking.clip) == COUNT and np.isfinite(speaking.clip.landmarks).all()


@pytest.mark.slow
def test_other_words_replace_those_of_the_film(speaking, own_words):
    wanted = syllables(COUNT, 6, seed=9)
    shut = wanted == 0
    poses = [pose(talk=1, open=o, jaw=0.75 * o + 0.1, press=0.6 * (o == 0)) for o in wanted.tolist()]
    found = measure.gap(measure.landmarks(shown(speaking, poses)))
    assert np.corrcoef(wanted, found)[0, 1] >= 0.95
    assert abs(np.corrcoef(own_words, found)[0, 1]) < 0.3
    assert measure.best_lag(wanted, found) == 0
    assert (found[shut] < 0.15 * np.percentile(found, 90)).mean() >= 0.98


@pytest.mark.slow
def test_a_speaking_film_rests_shut_and_still(speaking, filmed):
    """Nothing of its own words is left: not while it is silent between sentences either."""
    images = shown(speaking, [pose(talk=1)] * COUNT)
    assert all(np.array_equal(*pair) for pair in zip(images[:9], shown(speaking, [pose(talk=0)] * 9), strict=False))
    points = measure.landmarks(images)
    assert measure.gap(points).max() < 0.01
    assert measure.gap(filmed).max() > 0.1
    assert wobble(points)[:, 1].std() < 0.3 * wobble(filmed)[:, 1].std()
    jitter = np.abs(np.diff(wobble(points), 2, axis=0)).mean()
    assert jitter < 0.007, "the shut lips tremble"


@pytest.mark.slow
def test_the_head_moves_as_it_was_filmed(speaking, filmed):
    nose = measure.landmarks(shown(speaking, [pose(talk=1, open=0.4)] * COUNT))[:, 4]
    for axis in (0, 1):
        assert np.corrcoef(nose[:, axis], filmed[:, 4, axis])[0, 1] > 0.95


@pytest.mark.slow
def test_one_opening_is_one_opening_in_every_picture(speaking):
    """However wide the film's own mouth is there; and what is seen inside does not flicker, not with a blink either."""
    images = shown(speaking, [pose(talk=1, open=0.6, jaw=0.5)] * COUNT)
    points = measure.landmarks(images)
    assert measure.gap(points).std() < 0.12 * measure.gap(points).mean()
    seen = np.array([inside(*pair).mean(axis=0) for pair in zip(images, points, strict=True)])
    assert np.abs(np.diff(seen, axis=0)).max() < 12
    assert np.diff(seen, axis=0).std() < 3


def test_only_the_lower_face_is_drawn(speaking):
    for number, image in enumerate(shown(speaking, [pose(talk=1, open=0.7, jaw=0.6)] * 6)):
        own, away = speaking.clip.image(number), outside(speaking.clip.landmarks[number], speaking.image.shape)
        assert away.mean() > 0.3
        assert np.array_equal(image[away], own[away])
        assert np.abs(image.astype(int) - own).max() > 40


def test_a_silent_film_without_words_is_itself(listening):
    """No sound track is needed; while nobody speaks, the smile of the film is shown."""
    assert listening.report["mouth_moves"] is False
    for number, image in enumerate(shown(listening, [pose(blink=1, brow=1, breath=1)] * COUNT)):
        assert np.array_equal(image, listening.clip.image(number))


@pytest.mark.slow
def test_it_runs_there_and_back_without_a_jump(listening):
    images = shown(listening, [pose(talk=1)] * (2 * COUNT + 10))
    steps = [np.abs(a.astype(int) - b).mean() for a, b in itertools.pairwise(images)]
    turns = [COUNT - 2, COUNT - 1, 2 * COUNT - 3, 2 * COUNT - 2]
    assert max(steps[i] for i in turns) <= max(steps[: COUNT - 2])
    assert min(steps) > 0, "the film stands still"
    assert np.array_equal(images[COUNT - 2], images[COUNT]) and np.array_equal(images[0], images[2 * COUNT - 2])


def test_a_talk_at_another_rate_and_size(listening):
    rig = ClipRig(listening, (128, 128))
    second = rig.draw(pose(), np.zeros(3, np.float32), 50, 50)
    assert second.shape == (128, 128, 3)
    assert measure.psnr(second, rig.draw(pose(), np.zeros(3, np.float32), 25, 25)) == float("inf")


def test_pictures_may_be_drawn_upon_and_by_many_threads(speaking):
    rig, still = ClipRig(speaking, (256, 256)), np.zeros(3, np.float32)
    rows = [(pose(talk=1, open=n % 5 / 5), still, n, FPS) for n in range(24)]
    alone = [rig.draw(*row) for row in rows]
    for image in alone[:3]:
        image[:] = 0  # must not reach what is kept
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda row: ClipRig.draw(rig, *row), rows))
    assert all(np.array_equal(a, b) for a, b in zip(alone[3:], together[3:], strict=True))
    assert together[0].any()


@pytest.fixture(scope="module")
def holes() -> tuple[int, ...]:
    return (*range(30, 36), 60)


@pytest.fixture(scope="module")
def with_holes(engines, folder, spoken_images, holes) -> Portrait:
    """A film in which the person is gone for a moment."""
    wall = np.tile(np.linspace(60, 180, 512, dtype=np.uint8)[:, None, None], (1, 512, 3))
    images = [wall if n in holes else image for n, image in enumerate(spoken_images)]
    return engines.load(silent(folder / "holes.mp4", images))


def test_pictures_without_a_face_pass_untouched(with_holes, holes):
    assert with_holes.report["missing"] == len(holes)
    assert np.isnan(with_holes.clip.landmarks[list(holes)]).all()
    images = shown(with_holes, [pose(talk=1, open=0.8, jaw=0.7)] * COUNT)
    for number, image in enumerate(images):
        assert np.array_equal(image, with_holes.clip.image(number)) == (number in holes), f"picture {number}"


def test_pictures_turned_too_far_pass_untouched(engines, folder, spoken_images, monkeypatch):
    """As the pose of the head says, which is what decides."""
    real, numbers = footage.head_pose, itertools.count()
    monkeypatch.setattr(footage, "head_pose", lambda *a: (47.0, 0.0, 0.0) if next(numbers) in (8, 9, 10) else real(*a))
    portrait = engines.load(silent(folder / "turned.mp4", spoken_images[:20]))
    assert (portrait.report["turned"], portrait.report["missing"]) == (3, 0)
    for number, image in enumerate(shown(portrait, [pose(talk=1, open=0.8, jaw=0.7)] * 20)):
        assert np.array_equal(image, portrait.clip.image(number)) == (number in (8, 9, 10)), f"picture {number}"


@pytest.mark.slow
def test_a_smile_that_stays_is_kept(listening):
    filmed, resting = (
        measure.mouth_width(measure.landmarks(images))
        for images in ([listening.clip.image(i) for i in range(20)], shown(listening, [pose(talk=1)] * 20))
    )
    assert abs(resting.mean() / filmed.mean() - 1) < 0.06
