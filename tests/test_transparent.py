"""Transparent videos and pictures: ProRes 4444 and VP9 keep the outline, the colours at it and the time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from test_video import FPS, RATE, pictures, quiet

from linly import audio as sound
from linly import video
from linly.errors import Cancelled
from linly.values import Audio, Image


def person(count: int, side: int = 128, flash: int = -1) -> Iterator[Image]:
    """A disc with a soft edge that walks to the right over nothing; white at `flash`. One buffer, RGBA, straight."""
    buffer = np.empty((side, side, 4), np.uint8)
    rows, columns = np.indices((side, side))
    for number in range(count):
        away = np.hypot(rows - side / 2, columns - side / 3 - number / 2)
        buffer[..., 3] = np.clip(255 * (side / 4 - away) / 3, 0, 255)
        buffer[..., :3] = (255, 255, 255) if number == flash else (200, 120, 60)
        buffer[buffer[..., 3] == 0] = 0
        yield buffer


@pytest.mark.parametrize("fps", [25, 30, 60])
@pytest.mark.parametrize("suffix", [".mov", ".webm"])
def test_transparent_videos_keep_outline_colour_and_time(tmp_path: Path, suffix: str, fps: int) -> None:
    path, samples = tmp_path / f"a{suffix}", RATE // fps
    click = np.zeros(40 * samples, np.float32)
    click[12 * samples : 12 * samples + 2] = 0.9, -0.9
    with video.Writer(path, (128, 128), fps, RATE) as writer:
        writer.add(person(30), Audio(np.zeros(30 * samples, np.float32), RATE))
        writer.add(person(40, flash=12), Audio(click, RATE))
        made = writer.finish()
    assert (made.frames, made.size, made.fps) == (70, (128, 128), fps)
    assert made.seconds == pytest.approx(70 / fps, abs=2e-3)
    assert abs(made.audio_seconds - made.seconds) < 1 / fps
    back = [image.astype(int) for image in video.read_frames(path, alpha=True)]
    for number, image in enumerate(person(30)):
        seen, solid = back[number], image[..., 3] == 255
        off = np.abs(seen[..., 3] - image[..., 3].astype(int))
        assert off.max() <= 24 and off.mean() < 0.5
        assert seen[..., 3][solid].min() >= 235 and seen[..., 3][image[..., 3] == 0].max() <= 16
        assert (seen[..., 3][solid] >= 253).mean() > 0.97
        assert np.abs(seen[solid] - (200, 120, 60, 255)).max() <= 16
        edge = image[..., 3] > 60  # no dark rim: the outline has the person's colours however soft it is
        assert np.abs(seen[edge][:, :3] - (200, 120, 60)).mean() < 4
    white = [n for n, image in enumerate(back) if image[64, 60, 2] > 200]
    heard = sound.load(path, max_seconds=60)
    assert white == [42]
    assert np.abs(heard.samples).argmax() / heard.rate == pytest.approx(42 / fps, abs=1e-3)


@pytest.mark.parametrize("suffix", [".mov", ".webm"])
def test_transparent_videos_keep_what_the_file_says_and_are_the_same_each_time(tmp_path: Path, suffix: str) -> None:
    paths = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for path in paths:
        with video.Writer(path, (64, 64), FPS, RATE, metadata={"comment": "made with AI", "maker": "x"}) as writer:
            writer.add(person(10, 64), quiet(10))
            writer.finish()
    assert {"comment": "made with AI", "maker": "x"}.items() <= video.read_metadata(paths[0]).items()
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_browser_is_told_that_a_webm_is_transparent(tmp_path: Path) -> None:
    with video.Writer(tmp_path / "a.webm", (64, 64), FPS, RATE) as writer:
        writer.add(person(5, 64), quiet(5))
        writer.finish()
    assert b"\x53\xc0\x81\x01" in (tmp_path / "a.webm").read_bytes()  # Matroska's AlphaMode = 1


@pytest.mark.parametrize("suffix", [".mov", ".webm"])
def test_a_transparent_video_that_is_stopped_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    def stopping() -> Iterator[Image]:
        yield from person(12, 64)
        raise Cancelled("stopped")

    with pytest.raises(Cancelled), video.Writer(tmp_path / f"a{suffix}", (64, 64), FPS, RATE) as writer:
        writer.add(stopping(), quiet(20))
    assert not list(tmp_path.iterdir())


def test_pictures_and_rates_must_suit_the_kind_of_video(tmp_path: Path) -> None:
    for name, picture in (("a.webm", np.zeros((64, 64, 3), np.uint8)), ("a.mp4", np.zeros((64, 64, 4), np.uint8))):
        with pytest.raises(ValueError, match="uint8"), video.Writer(tmp_path / name, (64, 64), FPS, RATE) as writer:
            writer.add([picture], quiet(1))
    with pytest.raises(ValueError, match="libopus knows no rate"):
        video.Writer(tmp_path / "a.webm", (64, 64), FPS, 22050)
    with pytest.raises(ValueError, match="aac knows no rate"):
        video.Writer(tmp_path / "a.mp4", (64, 64), FPS, 23000)
    with pytest.raises(ValueError, match="fragments"):
        video.Writer(tmp_path / "a.mov", (64, 64), FPS, RATE, fragmented=True)
    with video.Writer(tmp_path / "A.MOV", (64, 64), FPS, 22050) as writer:
        writer.add(person(2, 64), Audio(np.zeros(1764, np.float32), 22050))
        assert writer.finish().frames == 2


def test_an_opaque_video_has_no_holes_when_read_with_transparency(tmp_path: Path) -> None:
    with video.Writer(tmp_path / "a.mp4", (64, 64), FPS, RATE) as writer:
        writer.add(pictures(3, 64), quiet(3))
        writer.finish()
    plain = list(video.read_frames(tmp_path / "a.mp4"))
    clear = list(video.read_frames(tmp_path / "a.mp4", alpha=True))
    assert len(clear) == 3
    assert all(c.shape == (64, 64, 4) and (c[..., 3] == 255).all() for c in clear)
    assert np.abs(clear[1][..., :3].astype(int) - plain[1]).max() <= 1


def test_transparent_png(tmp_path: Path) -> None:
    from PIL import Image as Pillow

    image = next(person(1, 64))
    back = Pillow.open(video.write_png(image, tmp_path / "a.png"))
    assert back.mode == "RGBA"
    assert np.array_equal(np.asarray(back), image)


@pytest.mark.parametrize("beneath", [0, 255])
def test_the_label_is_solid_on_a_transparent_picture_and_the_same_on_a_solid_one(beneath: int) -> None:
    from linly.safety.label import Label

    plain = np.full((256, 256, 3), (90, 140, 60), np.uint8)
    clear = np.dstack([plain, np.full((256, 256), beneath, np.uint8)])
    Label((256, 256), "en").apply(plain)
    Label((256, 256), "en").apply(clear)
    drawn = (plain != (90, 140, 60)).any(axis=2)
    assert drawn.sum() > 1000
    assert (clear[..., 3][~drawn] == beneath).all() and (clear[..., 3][drawn] == 255).mean() > 0.95
    if beneath:
        assert np.abs(clear[..., :3].astype(int) - plain).max() <= 2
    else:  # white letters on a dark plate, nothing of the colour that nobody sees
        inside = clear[drawn & (clear[..., 3] == 255)][:, :3].astype(int)
        assert inside.min() < 40 and inside.max() > 200
        assert np.ptp(inside, axis=1).max() <= 8
