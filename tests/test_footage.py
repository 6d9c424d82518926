"""Films come in: upright, in even time, one face followed and calmed; what is no such film is refused."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import face_measure as measure
import films
import numpy as np
import pytest
from conftest import ROOT
from films import FPS, resized, silent

from linly import audio
from linly.errors import Cancelled, InputError
from linly.face.footage import load
from linly.face.track import calmed
from linly.pictures import load_image
from linly.values import Audio


@pytest.fixture(scope="module")
def engines(models) -> films.Engines:
    return films.engines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="module")
def spoken_images(models) -> list[np.ndarray]:
    return films.spoken_images()


def test_another_person_is_not_taken_for_the_first(engines, folder):
    """She leaves, and somebody else is seen elsewhere: nobody there is made to speak."""
    first, second = (load_image(ROOT / "assets" / "portraits" / f"{n}.jpg") for n in ("astronaut", "admiral"))
    first, second = resized(first, (320, 320)), resized(second, (200, 200))
    there, gone = np.full((320, 640, 3), 120, np.uint8), np.full((320, 640, 3), 120, np.uint8)
    there[:, :320] = first
    gone[60:260, 420:620] = second
    portrait = engines.load(silent(folder / "two.mp4", [there] * 16 + [gone] * 8))
    assert portrait.report["missing"] == 8
    assert portrait.box[0] < 320


@pytest.mark.parametrize("rotation", (90, -90, 180))
def test_a_film_lying_down_is_set_upright(engines, folder, spoken_images, rotation):
    upright = spoken_images[0][:, 60:444]
    lying = np.rot90(upright, -rotation // 90)
    portrait = engines.load(silent(folder / f"lying{rotation}.mp4", [lying] * 15, rotation=rotation))
    assert portrait.image.shape == upright.shape
    assert measure.psnr(portrait.image, upright) > 30


@pytest.mark.slow
def test_fast_and_large_films_come_down_to_size(engines, folder, spoken_images):
    large = resized(spoken_images[0][80:380], (2048, 1200))
    portrait = engines.load(silent(folder / "fast.mp4", [large] * 36, fps=60))
    assert portrait.image.shape == (1124, 1920, 3)
    assert portrait.report["fps"] == 30 and abs(portrait.report["frames"] - 18) <= 1


@pytest.mark.slow
def test_an_hdr_film_has_ordinary_light(engines, folder, spoken_images):
    """HLG read as if it were ordinary film looks dull: half the signal is a twelfth of the light."""
    import av

    path, picture = folder / "hdr.mp4", spoken_images[0].copy()
    picture[:, :40] = 160
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "14"})
        stream.width, stream.height, stream.pix_fmt = 512, 512, "yuv420p10le"
        codes = {"color_primaries": 9, "color_trc": 18, "colorspace": 9, "color_range": 1}
        for name, code in codes.items():
            setattr(stream.codec_context, name, code)
        for number in range(15):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p10le")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    wall = engines.load(path).image[:, 5:35]
    assert 175 < wall.mean() < 205
    assert np.ptp(wall.mean(axis=(0, 1))) < 4


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


def test_reading_tells_how_far_it_is_and_can_be_stopped(engines, folder, spoken_images):
    path, told = silent(folder / "told.mp4", spoken_images[:20]), []
    load(path, engines.mesh, engines.mask, "told", progress=lambda stage, done: told.append(done))
    assert len(told) == 20 and told == sorted(told) and told[-1] == pytest.approx(1)

    def stop(stage: str, done: float) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        load(path, engines.mesh, engines.mask, "told", progress=stop)


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
    "hardly shows a face": lambda folder, images: silent(
        folder / "glimpse.mp4", [*images[:5], *[np.full_like(images[0], 90)] * 20]
    ),
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
