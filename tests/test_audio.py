"""Sound files: what comes in, what is refused and in which words, what goes out."""

from __future__ import annotations

import struct
import wave
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from linly import audio as sound
from linly.errors import InputError
from linly.values import Audio, frame_count

RATE = 24000


def tone(seconds: float = 2.0, rate: int = RATE, hertz: float = 440.0, size: float = 0.3) -> Audio:
    return Audio((size * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32), rate)


def encode(path: Path, audio: Audio, codec: str, layout: str = "mono", rate: int | None = None) -> Path:
    """Write a compressed file with the library that the code under test also uses, but by another way."""
    import av

    rate = rate or audio.rate
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate, layout=layout)
        rows = np.tile(audio.samples, (2, 1)) if layout == "stereo" else audio.samples[None]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(rows), format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = audio.rate, 0, Fraction(1, audio.rate)
        for part in (frame, None):
            out.mux(stream.encode(part))
    return path


def pitch(audio: Audio) -> float:
    spectrum = np.abs(np.fft.rfft(audio.samples * np.hanning(len(audio.samples))))
    return float(spectrum.argmax() * audio.rate / len(audio.samples))


@pytest.mark.parametrize(
    ("ending", "codec", "layout"),
    [
        ("wav", "pcm_s16le", "stereo"),
        ("mp3", "libmp3lame", "stereo"),
        ("m4a", "aac", "mono"),
        ("flac", "flac", "mono"),
        ("ogg", "libopus", "mono"),
    ],
)
def test_every_format_keeps_length_pitch_and_level(tmp_path: Path, ending: str, codec: str, layout: str) -> None:
    rate = 48000
    path = encode(tmp_path / f"a.{ending}", tone(2.0, rate), codec, layout)
    loaded = sound.load(path, max_seconds=60)
    assert loaded.rate == rate
    assert loaded.seconds == pytest.approx(2.0, abs=0.06)
    assert pitch(loaded) == pytest.approx(440, abs=1)
    middle = loaded.samples[rate // 2 : -rate // 2]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)


def test_loading_at_another_rate(tmp_path: Path) -> None:
    path = sound.write_wav(tone(2.0, 44100), tmp_path / "a.wav")
    loaded = sound.load(path, max_seconds=60, rate=16000)
    assert loaded.rate == 16000
    assert len(loaded.samples) == 32000
    assert pitch(loaded) == pytest.approx(440, abs=1)


def test_the_sound_of_a_video(tmp_path: Path) -> None:
    from linly.video import Writer

    with Writer(tmp_path / "v.mp4", (64, 64), 25, RATE) as writer:
        writer.add([np.zeros((64, 64, 3), np.uint8)] * 50, tone(2.0))
        writer.finish()
    loaded = sound.load(tmp_path / "v.mp4", max_seconds=60)
    assert loaded.seconds == pytest.approx(2.0, abs=0.01)
    assert pitch(loaded) == pytest.approx(440, abs=1)


def silent_video(path: Path) -> Path:
    import av

    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        out.mux(stream.encode(None))
    return path


def bad_files(folder: Path) -> dict[str, Path]:
    files = {name: folder / f"{name}.wav" for name in ("missing", "empty", "text", "noise", "playlist", "nan", "stub")}
    (folder / "a folder").mkdir()
    files["empty"].touch()
    files["text"].write_text("This is no sound at all.\n" * 200, encoding="utf-8")
    files["noise"].write_bytes(np.random.default_rng(1).bytes(5000))
    files["playlist"].write_text("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", encoding="utf-8")
    header = (
        b"RIFF" + struct.pack("<I", 36 + 4000) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 3, 1, RATE, RATE * 4, 4, 32)
    )
    files["nan"].write_bytes(header + b"data" + struct.pack("<I", 4000) + np.full(1000, np.nan, "<f4").tobytes())
    files["stub"].write_bytes(encode(folder / "whole.m4a", tone(), "aac").read_bytes()[:1500])
    long = sound.write_wav(Audio(np.zeros(8000 * 130, np.float32), 8000), folder / "long.wav")
    return {**files, "folder": folder / "a folder", "long": long, "mute": silent_video(folder / "mute.mp4")}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing", "no file"),
        ("folder", "is a folder"),
        ("empty", "is empty"),
        ("text", "not a sound file"),
        ("noise", "not a sound file"),
        ("playlist", "not a sound file"),
        ("nan", "not numbers"),
        ("stub", "damaged"),
        ("mute", "no sound track"),
        ("long", "at most 2 minutes"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        sound.load(bad_files(tmp_path)[name], max_seconds=120)
    message = str(refused.value)
    assert words in message
    assert "\n" not in message
    assert len(message) < 200


def test_a_header_that_promises_two_gigabytes_is_not_believed(tmp_path: Path) -> None:
    path = sound.write_wav(tone(2.0), tmp_path / "a.wav")
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = struct.pack("<I", 2_000_000_000)
    path.write_bytes(data)
    assert sound.load(path, max_seconds=60).seconds == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize(("ending", "codec"), [("mp3", "libmp3lame"), ("flac", "flac"), ("wav", "pcm_s16le")])
def test_a_cut_off_file_gives_what_it_still_holds(tmp_path: Path, ending: str, codec: str) -> None:
    path = encode(tmp_path / f"a.{ending}", tone(6.0), codec)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 1.0 < sound.load(path, max_seconds=60).seconds < 5.0


@pytest.mark.parametrize(
    "name", ["-dash first.wav", "a b\tc.wav", "line\nfeed.wav", "笑脸😀.wav", "http:odd%03d.wav", "'\"$(x).wav"]
)
def test_odd_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert sound.load(sound.write_wav(tone(1.0), name), max_seconds=9).seconds == pytest.approx(1.0)


def test_resampling_keeps_time_and_lets_nothing_alias() -> None:
    click = np.zeros(48000, np.float32)
    click[24000] = 1.0
    moved = sound.resample(Audio(click, 48000), 16000)
    assert len(moved.samples) == 16000
    assert abs(int(np.abs(moved.samples).argmax()) - 8000) <= 1
    high = sound.resample(tone(1.0, 48000, hertz=9000), 16000)
    assert np.abs(high.samples[500:-500]).max() < 0.3 * 10 ** (-60 / 20)
    low = sound.resample(tone(1.0, 48000), 16000)
    assert np.abs(low.samples - tone(1.0, 16000).samples)[200:-200].max() < 1e-3


@pytest.mark.parametrize("tempo", [1.25, 2.0])
def test_faster_sound_keeps_its_pitch_and_its_order(tempo: float) -> None:
    quiet, loud = tone(1.0, size=0.001), tone(2.0)
    made = sound.faster(sound.concat([quiet, loud]), tempo)
    assert made.seconds == pytest.approx(3 / tempo, abs=0.02)
    assert np.argmax(np.abs(made.samples) > 0.1) / RATE == pytest.approx(1 / tempo, abs=0.02)
    spectrum = np.abs(np.fft.rfft(made.samples[-RATE // 2 :]))
    assert np.argmax(spectrum) * RATE / (RATE // 2) == pytest.approx(440, abs=4)


@pytest.mark.parametrize(("seconds", "fps"), [(1.0, 25), (1.001, 25), (0.01, 30), (2.5, 29.97)])
def test_padding_fills_whole_frames(seconds: float, fps: float) -> None:
    spoken = tone(seconds)
    padded = sound.pad_to_frames(spoken, fps)
    assert len(padded.samples) == round(frame_count(spoken.seconds, fps) * RATE / fps)
    assert 0 <= padded.seconds - spoken.seconds < 1 / fps
    assert np.array_equal(padded.samples[: len(spoken.samples)], spoken.samples)
    assert not padded.samples[len(spoken.samples) :].any()


@pytest.mark.parametrize("size", [0.01, 0.2, 0.9])
def test_quiet_and_loud_voices_come_out_equally_loud_and_never_clip(size: float) -> None:
    pause = np.zeros(RATE * 3, np.float32)
    voice = Audio(np.concatenate([tone(2.0, size=size).samples, pause, tone(2.0, size=size).samples]), RATE)
    levelled = sound.level(voice, target=-20.0, ceiling=-1.0)
    assert sound.loudness(levelled).speech == pytest.approx(-20.0, abs=0.3)
    assert np.abs(levelled.samples).max() <= 10 ** (-1 / 20) + 1e-6


def test_the_limiter_turns_down_a_peak_without_touching_what_is_far_from_it() -> None:
    calm = tone(1.0, size=0.3)
    loud = Audio(calm.samples.copy(), RATE)
    loud.samples[RATE // 2] = 3.0
    limited = sound.limit(loud, ceiling=-1.0)
    assert np.abs(limited.samples).max() <= 10 ** (-1 / 20) + 1e-6
    far = np.r_[0 : RATE // 2 - 500, RATE // 2 + 500 : RATE]
    assert np.allclose(limited.samples[far], calm.samples[far], atol=1e-6)
    assert np.abs(np.diff(limited.samples)).max() < 1.0


def test_silence_is_found_and_left_alone() -> None:
    hiss = Audio((np.random.default_rng(0).standard_normal(RATE) * 1e-4).astype(np.float32), RATE)
    assert sound.is_silent(sound.silence(2.0, RATE))
    assert sound.is_silent(Audio(np.zeros(0, np.float32), RATE))
    assert sound.is_silent(hiss)
    assert not sound.is_silent(tone(0.2, size=0.01))
    assert np.array_equal(sound.level(hiss).samples, hiss.samples)


def test_fades_start_and_end_at_nothing() -> None:
    faded = sound.fade(Audio(np.ones(1000, np.float32), 1000), start=0.1, end=0.2)
    assert faded.samples[0] < 0.01
    assert faded.samples[-1] < 0.01
    assert (faded.samples[100:800] == 1).all()


def test_joining_wants_one_rate() -> None:
    assert sound.concat([tone(1.0), tone(0.5)]).seconds == pytest.approx(1.5)
    with pytest.raises(ValueError, match="one rate"):
        sound.concat([tone(1.0), tone(1.0, 16000)])


def test_written_wav_is_plain_pcm_and_clips_nothing_over(tmp_path: Path) -> None:
    path = sound.write_wav(Audio(np.array([0, 1.5, -1.5, 0.5], np.float32), RATE), tmp_path / "a.wav")
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        assert list(np.frombuffer(file.readframes(4), "<i2")) == [0, 32767, -32767, 16384]
    assert [p.name for p in tmp_path.iterdir()] == ["a.wav"]


def test_writing_into_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        sound.write_wav(tone(0.1), tmp_path / "none" / "a.wav")
