"""A film as portrait: made here from a sample, then driven with other words and looked at again."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import face_measure as measure
import numpy as np
import pytest
from conftest import ROOT

from linly import audio, registry, video, weights
from linly.errors import InputError
from linly.face.clip_rig import ClipRig, there_and_back
from linly.face.footage import load
from linly.face.frame import LOWER_INNER, UPPER_INNER
from linly.face.track import calmed, mean_head
from linly.pictures import load_image
from linly.values import CURVES, Audio, FaceMotion, Portrait, Style, Utterance

FPS = 25
COUNT = 75
"""pictures of a film"""


def syllables(count: int, each: int, seed: int) -> np.ndarray:
    """(count,) an opening like that of speech, 0 once in `each` frames."""
    peaks = np.random.default_rng(seed).uniform(0.3, 1.0, count // each + 1)
    t = np.arange(count)
    return peaks[t // each] * np.sin(np.pi * (t % each) / each) ** 0.8


def drawn(name: str, size: str = "512", **curves: np.ndarray | float) -> list[np.ndarray]:
    """A sample portrait that moves its head, blinks, and does what `curves` say, by the built-in engine."""
    engine = registry.open_engine("draw", "warp")
    t = np.arange(COUNT) / FPS
    head = np.stack([5 * np.sin(2.3 * t), 2.5 * np.sin(3.1 * t), 2 * np.sin(1.7 * t)], axis=1).astype(np.float32)
    rows = np.zeros((COUNT, len(CURVES)), np.float32)
    for start in (20, 55):
        rows[start : start + 7, CURVES.index("blink")] = (0.35, 0.85, 1, 0.8, 0.5, 0.22, 0.08)
    for curve, values in curves.items():
        rows[:, CURVES.index(curve)] = values
    silence = Utterance("", Audio(np.zeros(COUNT, np.float32), FPS))
    portrait = engine.prepare(load_image(ROOT / "assets" / "portraits" / f"{name}.jpg"), name)
    made = engine.draw(portrait, silence, FaceMotion(FPS, rows, head), Style(size=size))
    return [frame.copy() for frame in made]


def written(path: Path, images: list[np.ndarray], fps: float = FPS) -> Path:
    h, w = images[0].shape[:2]
    with video.Writer(path, (w, h), fps, 8000, crf=12) as writer:
        writer.add(images, Audio(np.zeros(round(len(images) / fps * 8000), np.float32), 8000))
        writer.finish()
    return path


def silent(path: Path, images: list[np.ndarray], fps: int = FPS, rotation: int = 0) -> Path:
    """A film without a sound track, lying on its side if asked."""
    import av

    h, w = images[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "14", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = w, h, "yuv420p"
        if rotation:
            stream.set_display_rotation(rotation)
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@dataclass
class Engines:
    mesh: object
    mask: object

    def load(self, path: Path) -> Portrait:
        return load(path, self.mesh, self.mask, path.stem)


@pytest.fixture(scope="module")
def engines(models) -> Engines:
    from linly.face.matte import PersonMask

    return Engines(measure.mesh(), PersonMask(weights.folder("person-mask") / "selfie_segmentation.tflite"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="module")
def own_words() -> np.ndarray:
    """(COUNT,) what the mouth does in the speaking film."""
    return syllables(COUNT, 7, seed=1)


@pytest.fixture(scope="module")
def spoken_images(models, own_words) -> list[np.ndarray]:
    return drawn("admiral", talk=1, open=own_words, jaw=0.75 * own_words + 0.1, round=0.3 * own_words)


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


def resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    import cv2

    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


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
    """(n, 3) pixels between the lips."""
    import cv2

    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(points[[*UPPER_INNER, *LOWER_INNER[::-1]], :2]).astype(np.int32)], 1)
    return image[mask > 0]


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


def test_another_person_is_not_taken_for_the_first(engines, folder):
    """She leaves, and somebody else is seen elsewhere: nobody there is made to speak."""
    first, second = (load_image(ROOT / "assets" / "portraits" / f"{n}.jpg") for n in ("astronaut", "admiral"))
    first, second = resized(first, (320, 320)), resized(second, (200, 200))
    there, gone = np.full((320, 640, 3), 120, np.uint8), np.full((320, 640, 3), 120, np.uint8)
    there[:, :320] = first
    gone[60:260, 420:620] = second
    portrait = engines.load(silent(folder / "two.mp4", [there] * 12 + [gone] * 8))
    assert portrait.report["missing"] == 8
    assert portrait.box[0] < 320


@pytest.mark.parametrize("rotation", (90, -90, 180))
def test_a_film_lying_down_is_set_upright(engines, folder, spoken_images, rotation):
    upright = spoken_images[0][:, 60:444]
    lying = np.rot90(upright, -rotation // 90)
    portrait = engines.load(silent(folder / f"lying{rotation}.mp4", [lying] * 15, rotation=rotation))
    assert portrait.image.shape == upright.shape
    assert measure.psnr(portrait.image, upright) > 30


def test_fast_and_large_films_come_down_to_size(engines, folder, spoken_images):
    large = resized(spoken_images[0][80:380], (2048, 1200))
    portrait = engines.load(silent(folder / "fast.mp4", [large] * 36, fps=60))
    assert portrait.image.shape == (1124, 1920, 3)
    assert portrait.report["fps"] == 30 and abs(portrait.report["frames"] - 18) <= 1


def test_a_film_whose_rate_varies_keeps_its_time(engines, folder, spoken_images):
    """Phones leave pictures out in the dark: what was filmed at two seconds is shown at two seconds."""
    import av

    times = [0, 1, 2, 3, 4, 5, 6, 7, 18, 29, 30, 31, 32, 33, 34, 35]
    path = folder / "varies.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "14"})
        stream.width, stream.height, stream.pix_fmt = 512, 512, "yuv420p"
        for time in times:
            frame = av.VideoFrame.from_ndarray(spoken_images[time], format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    portrait = engines.load(path)
    rate = portrait.clip.fps
    assert abs(portrait.report["seconds"] - 36 / FPS) <= 1.5 / rate
    last = portrait.clip.image(round(33 / FPS * rate))
    near = [measure.psnr(last, spoken_images[i]) for i in (7, 18, 29, 32, 33, 34)]
    assert int(np.argmax(near)) >= 3


def test_calm_lips_and_prompt_heads():
    """Noise goes; a nod, and lips that shut within two pictures, are where they were seen."""
    rng = np.random.default_rng(0)
    face = measure.mesh().canonical
    face = np.concatenate([face, face[:10]]) * (20, -20, -20) + 300
    t = np.arange(60)
    truth = np.repeat(face[None], 60, axis=0)
    truth[:, :, 0] += np.where(t > 30, 40 * np.clip((t - 30) / 3, 0, 1), 0)[:, None]  # a jerk of the head
    truth[:, (14, 17, 87, 317, 178, 402, 88, 318, 95, 324), 1] += np.where((t > 44) & (t < 47), 25, 0)[:, None]
    seen = truth + rng.normal(0, 0.6, truth.shape)
    calm = calmed(seen.astype(np.float32))
    noise, left = seen - truth, calm - truth
    assert left[5:25, :, :2].std() < 0.6 * noise[5:25, :, :2].std()
    assert np.abs(left[30:36, :, 0].mean(axis=1)).max() < 2
    assert np.abs(left[44:48, 14, 1]).max() < 4


def torn(folder: Path, images: list[np.ndarray]) -> Path:
    path = folder / "torn.mp4"
    path.write_bytes(silent(folder / "whole.mp4", images).read_bytes()[:-4000])
    return path


def sound_only(folder: Path) -> Path:
    audio.write_wav(Audio(np.zeros(16000, np.float32), 16000), folder / "sound.wav")
    return folder / "sound.wav"


def text(folder: Path) -> Path:
    (folder / "letter.mp4").write_text("no film at all")
    return folder / "letter.mp4"


BAD = {
    "too short": lambda folder, images: silent(folder / "short.mp4", images[:8]),
    "too long": lambda folder, images: silent(folder / "long.mp4", [images[0][:64, :64]] * 62, fps=1),
    "no face": lambda folder, images: silent(folder / "wall.mp4", [np.full((256, 256, 3), 90, np.uint8)] * 15),
    "no picture track": lambda folder, images: sound_only(folder),
    "not a video": lambda folder, images: text(folder),
    "damaged": torn,
    "no file": lambda folder, images: folder / "nowhere.mp4",
    "folder": lambda folder, images: folder,
    "too small": lambda folder, images: silent(folder / "tiny.mp4", [images[0][:32, :32]] * 15),
}


@pytest.mark.parametrize("words", BAD)
def test_bad_films_are_refused_in_one_sentence(engines, tmp_path, spoken_images, words):
    path = BAD[words](tmp_path, spoken_images)
    with pytest.raises(InputError) as caught:
        engines.load(path)
    said = str(caught.value)
    assert words in said.lower() and said.endswith(".") and "\n" not in said
    assert path.name in said or words == "no file"
