"""Videos: sound and picture together, colours true, memory flat, nothing half-made."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from linly import audio as sound
from linly import video
from linly.errors import Cancelled, InputError
from linly.values import Audio, Image

RATE, FPS = 24000, 25
SAMPLES = RATE // FPS


def pictures(count: int, side: int = 128, flash: int = -1) -> Iterator[Image]:
    """One buffer, drawn anew for every picture, as a renderer would do; white at `flash`."""
    buffer = np.empty((side, side, 3), np.uint8)
    ramp = np.linspace(20, 120, side).astype(np.uint8)
    for number in range(count):
        buffer[...] = 255 if number == flash else np.roll(ramp, number)[None, :, None]
        yield buffer


def quiet(frames: int, click: int = -1) -> Audio:
    samples = np.zeros(frames * SAMPLES, np.float32)
    if click >= 0:
        samples[click : click + 2] = 0.9, -0.9
    return Audio(samples, RATE)


def atoms(path: Path) -> list[bytes]:
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        found.append(kind)
        at += size
    return found


@pytest.mark.parametrize("fragmented", [False, True])
def test_click_and_flash_stay_together_across_sentences(tmp_path: Path, fragmented: bool) -> None:
    path = tmp_path / "a.mp4"
    with video.Writer(path, (128, 128), FPS, RATE, fragmented=fragmented) as writer:
        writer.add(pictures(30), quiet(30))
        writer.add(pictures(40, flash=12), quiet(40, click=12 * SAMPLES))
        writer.add(pictures(7), quiet(7))
        made = writer.finish()
    assert (made.path, made.frames, made.fps, made.size) == (path, 77, FPS, (128, 128))
    assert made.seconds == pytest.approx(77 / FPS, abs=1e-3)
    assert abs(made.audio_seconds - made.seconds) < 1 / FPS
    heard = sound.load(path, max_seconds=60)
    assert abs(int(np.abs(heard.samples).argmax()) - 42 * SAMPLES) < RATE * 0.001
    assert abs(heard.seconds - made.seconds) < 1 / FPS
    bright = [n for n, image in enumerate(video.read_frames(path)) if image.mean() > 200]
    assert bright == [42]


def test_the_first_sample_is_heard_with_the_first_frame(tmp_path: Path) -> None:
    samples = np.zeros(50 * SAMPLES, np.float32)
    time = np.arange(RATE // 5) / RATE
    samples[: RATE // 5] = 0.5 * np.sin(2 * np.pi * (200 + 8000 * time) * time)  # a sweep fits at one shift only
    with video.Writer(tmp_path / "a.mp4", (128, 128), FPS, RATE) as writer:
        writer.add(pictures(50), Audio(samples, RATE))
        writer.finish()
    heard = sound.load(tmp_path / "a.mp4", max_seconds=60).samples
    shifts = range(-200, 201)
    wanted = samples[300:4500]
    best = max(shifts, key=lambda s: float(wanted @ heard[300 + s : 4500 + s]))
    assert abs(best) <= 2


def test_rates_that_no_frame_divides_do_not_drift(tmp_path: Path) -> None:
    rate, fps = 22050, 23.976
    with video.Writer(tmp_path / "a.mp4", (64, 64), fps, rate) as writer:
        for _ in range(40):
            padded = sound.pad_to_frames(Audio(np.zeros(3000, np.float32), rate), fps)
            writer.add(pictures(round(padded.seconds * fps), 64), padded)
        made = writer.finish()
    assert abs(made.audio_seconds - made.seconds) < 0.002


def test_one_picture_is_a_video_too(tmp_path: Path) -> None:
    with video.Writer(tmp_path / "a.mp4", (64, 64), FPS, RATE) as writer:
        writer.add(pictures(1, 64), quiet(1))
        assert writer.finish().frames == 1


def test_colours_come_back_as_they_went_in(tmp_path: Path) -> None:
    image = np.zeros((128, 192, 3), np.uint8)
    colours = [(200, 30, 30), (30, 170, 60), (40, 60, 200), (224, 172, 145), (128, 128, 128), (250, 250, 250)]
    for number, colour in enumerate(colours):
        image[:, number * 32 : (number + 1) * 32] = colour
    with video.Writer(tmp_path / "a.mp4", (192, 128), FPS, RATE) as writer:
        writer.add([image] * 5, quiet(5))
        writer.finish()
    back = next(video.read_frames(tmp_path / "a.mp4")).astype(int)
    for number, colour in enumerate(colours):
        patch = back[40:88, number * 32 + 8 : number * 32 + 24].reshape(-1, 3).mean(0)
        assert np.abs(patch - colour).max() < 3, (colour, patch)


def test_players_are_told_the_colours_and_find_the_index_first(tmp_path: Path) -> None:
    import av

    with video.Writer(tmp_path / "a.mp4", (64, 64), FPS, RATE) as writer:
        writer.add(pictures(5, 64), quiet(5))
        writer.finish()
    with av.open(str(tmp_path / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert context.pix_fmt == "yuv420p"
        assert (context.color_primaries, context.color_trc, context.colorspace, context.color_range) == (1, 1, 1, 1)
        assert container.streams.audio[0].codec_context.name == "aac"
    order = atoms(tmp_path / "a.mp4")
    assert order.index(b"moov") < order.index(b"mdat")


@pytest.mark.parametrize(
    "tags", [{"comment": "AI 合成 & <made>", "title": "Ünïcode"}, {"comment": "AI", "AIGC": '{"Label":"1"}'}]
)
def test_tags_are_read_back(tmp_path: Path, tags: dict[str, str]) -> None:
    with video.Writer(tmp_path / "a.mp4", (64, 64), FPS, RATE, metadata=tags) as writer:
        writer.add(pictures(2, 64), quiet(2))
        writer.finish()
    assert tags.items() <= video.read_metadata(tmp_path / "a.mp4").items()


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        with video.Writer(tmp_path / name, (128, 128), FPS, RATE) as writer:
            writer.add(pictures(30), quiet(30, click=999))
            writer.finish()
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def failing(error: BaseException) -> Iterator[Image]:
    yield from pictures(20)
    raise error


@pytest.mark.parametrize("error", [Cancelled("stopped"), KeyboardInterrupt(), RuntimeError("broken")])
def test_whatever_stops_it_leaves_nothing_and_keeps_the_old_file(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"the one before")
    with pytest.raises(type(error)), video.Writer(path, (128, 128), FPS, RATE) as writer:
        writer.add(failing(error), quiet(20))
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]
    assert path.read_bytes() == b"the one before"


def test_leaving_without_finish_leaves_nothing(tmp_path: Path) -> None:
    with video.Writer(tmp_path / "a.mp4", (128, 128), FPS, RATE) as writer:
        writer.add(pictures(10), quiet(10))
    assert not list(tmp_path.iterdir())


FULL_DISK = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from linly import video
from linly.errors import InputError
from linly.values import Audio
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))  # the system answers as on a full disk
noise = np.random.default_rng(0).integers(0, 255, (128, 128, 3), np.uint8)
try:
    with video.Writer(sys.argv[2], (128, 128), 25, 24000) as writer:
        for _ in range(40):
            writer.add([np.roll(noise, n, 0) for n in range(25)], Audio(np.zeros(24000, np.float32), 24000))
        writer.finish()
except InputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are POSIX")
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(root), str(tmp_path / "a.mp4")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "disk is full" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
    assert not list(tmp_path.iterdir())


def test_outputs_that_cannot_be_written_are_refused_beforehand(tmp_path: Path) -> None:
    for path, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "none" / "a.mp4", "no folder"),
        (tmp_path / ("x" * 300 + ".mp4"), "too long"),
        (tmp_path / "a\0b.mp4", "not a file name"),
    ):
        with pytest.raises(InputError, match=words):
            video.check_writable(path)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="cannot be written"):
            video.check_writable(tmp_path / "a.mp4")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("name", ["-y.mp4", "a b.mp4", "line\nfeed.mp4", "😀 视频.mp4", "a:b%03d.mp4", "'$(x)\".mp4"])
def test_odd_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with video.Writer(name, (64, 64), FPS, RATE) as writer:
        writer.add(pictures(3, 64), quiet(3))
        writer.finish()
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert video.probe(name).frames == 3


def test_wrong_use_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="even"):
        video.Writer(tmp_path / "a.mp4", (65, 64), FPS, RATE)
    with pytest.raises(ValueError, match="uint8"), video.Writer(tmp_path / "a.mp4", (64, 64), FPS, RATE) as writer:
        writer.add([np.zeros((32, 32, 3), np.uint8)], quiet(1))
    with pytest.raises(ValueError, match="pad the sound"), video.Writer(tmp_path / "a", (64, 64), FPS, RATE) as writer:
        writer.add(pictures(10, 64), quiet(12))
    with pytest.raises(InputError, match="cannot be read"):
        video.probe(Path(__file__))


MEMORY = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from linly import video
from linly.values import Audio
noise = np.random.default_rng(0).integers(0, 255, (256, 256, 3), np.uint8)
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20
with video.Writer(sys.argv[2], (256, 256), 25, 24000, preset="ultrafast", crf=40) as writer:
    for turn in range(9):
        writer.add((np.roll(noise, n, 1) for n in range(250)), Audio(np.zeros(240_000, np.float32), 24000))
        if turn == 0:
            early = resident()
    late = resident()
    writer.finish()
print(late - early)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory from /proc")
def test_two_thousand_pictures_take_no_more_memory_than_the_first(tmp_path: Path) -> None:
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(root), str(tmp_path / "a.mp4")], capture_output=True, text=True, check=True
    )
    # 2000 pictures of 256x256 are 375 MB raw and 190 MB as YUV.
    assert float(done.stdout) < 20


def test_png(tmp_path: Path) -> None:
    from PIL import Image as Pillow

    image = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    video.write_png(image, tmp_path / "a.png")
    assert np.array_equal(np.asarray(Pillow.open(tmp_path / "a.png")), image)
    assert len(list(tmp_path.iterdir())) == 1
