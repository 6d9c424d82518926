"""Ways to spoil a recording of somebody who talks, and sounds in which nobody does. Same spoiling, same sound."""

from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np

from linly import audio
from linly.values import Audio

RATE = 24000


def made(samples, rate: int = RATE) -> Audio:
    return Audio(np.clip(samples, -1, 1).astype(np.float32), rate)


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def rms(samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


def white(count: int):
    return rng().normal(size=count)


def brown(count: int):
    """The rumble of a fan or a road."""
    rumble = np.convolve(white(count + 60), np.hanning(60) / 4, "valid")[:count]
    return rumble / rms(rumble)


def chords(count: int, rate: int = RATE):
    """A piano-like tune: struck strings of five partials, four chords."""
    t = np.arange(count) / rate
    out = np.zeros(count)
    for beat in range(int(2 * count / rate) + 1):
        begin = beat * rate // 2
        if begin >= count:
            break
        here = t[begin : begin + 3 * rate] - beat / 2
        for pitch in ((220, 277, 330), (196, 247, 294), (175, 220, 262), (247, 311, 370))[beat // 2 % 4]:
            for k in range(1, 6):
                out[begin : begin + 3 * rate] += np.exp(-2.5 * here) * np.sin(2 * np.pi * pitch * k * here) / k
    return out / rms(out)


def hum(count: int):
    return np.sqrt(2) * np.sin(2 * np.pi * 50 * np.arange(count) / RATE)


def with_noise(speech: Audio, noise, decibels: float) -> Audio:
    """Speech so many decibels above a noise."""
    count = len(speech.samples)
    return made(0.6 * (speech.samples + noise(count) * rms(speech.samples) * 10 ** (-decibels / 20)))


def too_loud(speech: Audio, gain: float) -> Audio:
    return made(speech.samples * gain / np.abs(speech.samples).max())


def telephone(speech: Audio) -> Audio:
    """300 to 3400 Hz and eight bits by mu-law, as a telephone sends it, then played into a computer at 24 kHz."""
    narrow = audio.resample(speech, 8000).samples
    spectrum = np.fft.rfft(narrow)
    hertz = np.fft.rfftfreq(len(narrow), 1 / 8000)
    narrow = np.fft.irfft(spectrum * ((hertz > 300) & (hertz < 3400)), len(narrow))
    small = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)
    coarse = np.round(small * 127) / 127
    return audio.resample(made(np.sign(coarse) * (256 ** np.abs(coarse) - 1) / 255, 8000), RATE)


def in_a_hall(speech: Audio, seconds: float = 1.3) -> Audio:
    """The direct sound and an echo that dies away by 60 dB in so many seconds."""
    t = np.arange(round(seconds * RATE)) / RATE
    tail = rng().normal(size=len(t)) * 10 ** (-3 * t / seconds)
    count = len(speech.samples) + len(tail)
    wet = np.fft.irfft(np.fft.rfft(speech.samples, count) * np.fft.rfft(tail / np.sqrt(np.sum(tail**2)), count), count)
    return made(0.5 * (wet + 0.3 * np.pad(speech.samples, (0, len(tail)))))


def in_turns(one: Audio, other: Audio) -> Audio:
    """Two people, changing every two seconds."""
    step, out = 2 * RATE, []
    for at in range(0, min(len(one.samples), len(other.samples)) - step, step):
        out += [one.samples[at : at + step], other.samples[at : at + step]]
    return made(np.concatenate(out))


def first(speech: Audio, seconds: float) -> Audio:
    return made(speech.samples[: round(seconds * speech.rate)])


def written(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def wav_that_claims(folder: Path, sound: Audio, claimed: int) -> Path:
    """A WAV file whose header claims so many bytes of sound."""
    path = audio.write_wav(sound, folder / "claims.wav")
    data = bytearray(path.read_bytes())
    data[4:8], data[40:44] = struct.pack("<I", claimed + 36), struct.pack("<I", claimed)
    return written(folder, "claims.wav", bytes(data))


def wav_of_floats(folder: Path, value: float) -> Path:
    """A WAV file of 32-bit floats that are all of one value."""
    body = struct.pack("<f", value) * (4 * RATE)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(body), b"WAVE", b"fmt ", 16, 3, 1, RATE, 4 * RATE, 4, 32,
                       b"data", len(body))  # fmt: skip
    return written(folder, "floats.wav", head + body)


def film(folder: Path, sound: Audio | None) -> Path:
    """A short video, with or without sound."""
    import av

    path = folder / "film.mp4"
    with av.open(str(path), "w") as box:
        picture = box.add_stream("mpeg4", rate=10)
        picture.width = picture.height = 64
        track = box.add_stream("aac", rate=RATE, layout="mono") if sound else None
        for _ in range(20):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
            box.mux(picture.encode(frame))
        box.mux(picture.encode())
        if sound and track:
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.samples[None]), "fltp", "mono")
            frame.sample_rate = RATE
            box.mux(track.encode(frame))
            box.mux(track.encode())
    return path


def stereo(folder: Path, sound: Audio) -> Path:
    """The person on the left, nothing on the right."""
    path = folder / "stereo.wav"
    both = np.stack([sound.samples, np.zeros_like(sound.samples)], axis=1)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(sound.rate)
        out.writeframes((both * 32000).astype("<i2").tobytes())
    return path
