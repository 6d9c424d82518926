"""A small picture of a sound: its wave, louder parts taller, for the shelf of voices."""

from __future__ import annotations

import itertools

import numpy as np

from linly.values import Audio, Image

SIZE = (640, 120)
"""width and height in pixels"""
PAPER, WAVE, QUIET = (255, 255, 255), (79, 70, 229), (199, 206, 219)
"""colours of the background, of speech and of what is 30 dB under it"""


def draw(audio: Audio, size: tuple[int, int] = SIZE) -> Image:
    """(height, width, 3) RGB: one column for each stretch of the sound, as tall as its loudest sample."""
    width, height = size
    image = np.empty((height, width, 3), np.uint8)
    image[:] = PAPER
    edges = np.linspace(0, len(audio.samples), width + 1).astype(int)
    peaks = np.array([np.abs(audio.samples[a : max(a + 1, b)]).max(initial=0) for a, b in itertools.pairwise(edges)])
    top = max(float(peaks.max(initial=0)), 1e-6)
    reach = np.maximum(1, np.sqrt(peaks / top) * (height / 2 - 2))  # the root shows soft sounds as well
    away = np.abs(np.arange(height)[:, None] - (height - 1) / 2)
    drawn = away <= reach
    loud = peaks > top * 10 ** (-30 / 20)
    image[drawn & loud] = WAVE
    image[drawn & ~loud] = QUIET
    return image
