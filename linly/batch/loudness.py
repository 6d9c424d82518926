"""Loudness of a whole talk after EBU R128 (ITU-R BS.1770-4), measured and brought about piece by piece, and music that
makes room for speech."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from linly import audio as sound
from linly.values import Audio, Floats

BLOCK, STEP = 0.4, 0.1
"""seconds of a block that is measured, and from one to the next"""
ABSOLUTE, RELATIVE = -70.0, -10.0
"""LUFS under which a block does not count, and LU below the mean of the others"""
CEILING = -1.0
"""dBFS that no sample passes"""
MUSIC, DUCKED = -22.0, -12.0
"""LU of music against the speech in pauses, and how much less while somebody speaks"""
DOWN, UP = 0.15, 0.8
"""seconds in which music goes down when speech begins, and comes back"""
SPEECH = -45.0
"""dBFS in 20 ms from which on somebody speaks"""


@dataclass
class Meter:
    """Sound goes in piece by piece; `lufs` is the integrated loudness of all of it (mono, as both loudspeakers play it
    at half power each, so that mono and stereo players agree with broadcast meters of one channel)."""

    rate: int

    def __post_init__(self) -> None:
        self._rest: Floats = np.zeros(0, np.float32)
        self._powers: list[float] = []

    def add(self, audio: Audio) -> None:
        """The next piece."""
        size, step = round(BLOCK * self.rate), round(STEP * self.rate)
        samples = np.concatenate([self._rest, audio.samples])
        weights = _weighting(self.rate, size)
        at = 0
        while at + size <= len(samples):
            spectrum = np.abs(np.fft.rfft(samples[at : at + size])) ** 2
            spectrum[1:-1] *= 2
            self._powers.append(float((spectrum * weights).sum()) / size**2)
            at += step
        self._rest = samples[at:]

    @property
    def lufs(self) -> float:
        """Integrated loudness; -inf for silence."""
        powers = np.array(self._powers)
        powers = powers[powers > _power(ABSOLUTE)]
        if not len(powers):
            return float("-inf")
        powers = powers[powers > powers.mean() * 10 ** (RELATIVE / 10)]
        return float(10 * np.log10(powers.mean()) - 0.691)


def _power(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))


@functools.lru_cache(4)
def _weighting(rate: int, size: int) -> Floats:
    """(size / 2 + 1,) what BS.1770's two filters make of each frequency's power: the head's shelf, the ear's high-pass.

    The analogue filters of which the standard's coefficients at 48 kHz are the image.
    """
    s = 2j * np.pi * np.fft.rfftfreq(size, 1 / rate)
    high, gain, quality = 2 * np.pi * 1681.974, 10 ** (3.99984 / 20), 0.7071752
    lift = gain**0.4996667741545416
    shelf = (gain * s**2 + lift * high / quality * s + high**2) / (s**2 + high / quality * s + high**2)
    low, quality = 2 * np.pi * 38.13547, 0.5003270
    away = s**2 / (s**2 + low / quality * s + low**2)
    weights: Floats = (np.abs(shelf * away) ** 2).astype(np.float32)
    return weights


def raised(pieces: Iterable[Audio], decibels: float) -> Iterator[Audio]:
    """Every piece louder by so much; peaks above the ceiling are taken back smoothly. Pieces end in silence."""
    for piece in pieces:
        yield sound.limit(
            Audio((piece.samples * np.float32(10 ** (decibels / 20))).astype(np.float32), piece.rate), CEILING
        )


class Music:
    """A piece of music that is played again and again under speech of `lufs`."""

    def __init__(self, music: Audio, lufs: float) -> None:
        meter = Meter(music.rate)
        meter.add(music)
        own = meter.lufs if np.isfinite(meter.lufs) else 0.0
        self._music, self._gain = music, 10 ** ((lufs + MUSIC - own) / 20)
        self._at, self._level = 0, 1.0

    def under(self, speech: Audio) -> Audio:
        """The next piece of speech with the music under it."""
        count, step = len(speech.samples), round(0.02 * speech.rate)
        places = (self._at + np.arange(count)) % len(self._music.samples)
        self._at = (self._at + count) % len(self._music.samples)
        levels = []
        for at in range(0, count, step):
            block = speech.samples[at : at + step]
            spoken = 10 * np.log10(float(np.square(block).mean()) + 1e-12) > SPEECH
            goal, seconds = (10 ** (DUCKED / 20), DOWN) if spoken else (1.0, UP)
            self._level += (goal - self._level) * (1 - float(np.exp(-0.02 / (seconds / 3))))
            levels.append(self._level)
        gains = np.interp(np.arange(count), np.arange(len(levels)) * step + step / 2, levels)
        mixed = speech.samples + self._music.samples[places] * (self._gain * gains)
        return sound.limit(Audio(mixed.astype(np.float32), speech.rate), CEILING)
