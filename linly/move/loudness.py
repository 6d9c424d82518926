"""Face motion from sound alone: for a language, a song or a recording whose phonemes are not known.

How loud the band of the first two formants is gives the opening; how bright or dark the spectrum is gives the lips:
hisses (energy above 4 kHz) nearly close and spread them, dark loud sound (little above 900 Hz: oo, oh) rounds them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linly.contracts import Files
from linly.move import curves
from linly.move.curves import Array, Times
from linly.registry import engine
from linly.values import FaceMotion, Style, Utterance

WINDOW = 0.040
"""seconds looked at for one frame"""
FLOOR = -58.0
"""dBFS of the band: quieter is silence however quiet the rest is"""
SPAN = 26.0
"""dB from shut lips to the widest opening"""
GATE = (-30.0, -24.0)
"""dB below loud speech: the mouth closes below the first and opens again only above the second"""
SWING = 0.9
"""how much the syllables (changes quicker than 0.3 s) are brought out of the even loudness of a phrase"""
EPS = 1e-12


@dataclass(frozen=True)
class Spectrum:
    """What the ear has of each frame, (t,) each."""

    level: Array
    """500 to 2500 Hz, dBFS"""
    bright: Array
    """share of the energy that lies above 4 kHz, 0..1 (0 if the sound holds nothing there)"""
    dark: Array
    """share of the energy below 2.5 kHz that lies below 900 Hz, 0..1"""


@engine("move", "loudness", title="Mouth from loudness", can={"any-audio"}, licence="Apache-2.0", needs_mb=20)
class Loudness:
    """Mouth curves for any sound, and the rest of the face around them."""

    def __init__(self, files: Files, device: str = "cpu") -> None:
        """Nothing to load."""

    def move(self, utterance: Utterance, style: Style) -> FaceMotion:
        """frame_count(seconds, fps) frames; in silence the mouth is shut and at rest."""
        at = curves.times(utterance, style.fps)
        heard = listen(utterance, at + curves.LEAD)
        opening = gated(heard.level)
        still = curves.pauses(utterance) if opening.any() else [(0.0, utterance.audio.seconds)]
        return curves.finish(
            utterance, style, mouth(utterance, style, heard, opening, still), beats(at, heard, opening)
        )


def listen(utterance: Utterance, at: Array) -> Spectrum:
    """The spectrum of WINDOW seconds around each second of `at`; nothing beyond the ends of the sound."""
    samples, rate = utterance.audio.samples, utterance.audio.rate
    size = max(16, round(WINDOW * rate))
    padded = np.pad(samples, size)
    first = np.clip((at * rate).astype(int) + size - size // 2, 0, len(padded) - size)
    window = np.hanning(size)
    power = np.empty((len(at), size // 2 + 1))
    for i, start in enumerate(first):  # frame by frame, so that a long sound takes no more memory than a short one
        power[i] = np.abs(np.fft.rfft(padded[start : start + size] * window)) ** 2
    power /= np.square(window).sum() * size / 2
    hertz = np.fft.rfftfreq(size, 1 / rate)

    def band(low: float, high: float) -> Array:
        result: Array = power[:, (hertz >= low) & (hertz < high)].sum(axis=1)
        return result

    whole = band(80, rate) + EPS
    return Spectrum(
        10 * np.log10(band(500, 2500) + EPS), band(4000, rate) / whole, band(80, 900) / (band(80, 2500) + EPS)
    )


def gated(level: Array) -> Array:
    """(t,) 0..1 how loud each frame is for this sound, 0 in silence, without flutter at the threshold."""
    audible = level[level > FLOOR]
    if not len(audible):
        return np.zeros(len(level))
    loud = float(np.percentile(audible, 90))
    below, above = max(loud + GATE[0], FLOOR), max(loud + GATE[1], FLOOR + 3)
    on, mask = False, np.zeros(len(level), bool)
    for i, value in enumerate(level):
        on = value > (below if on else above)
        mask[i] = on
    return np.where(mask, np.clip((level - loud + SPAN) / SPAN, 0, 1.15), 0.0)


def mouth(utterance: Utterance, style: Style, heard: Spectrum, loud: Array, still: Times) -> dict[str, Array]:
    """The mouth's curves, (t,) each."""
    at, fps, seconds = curves.times(utterance, style.fps), style.fps, utterance.audio.seconds
    size = curves.articulation(style.expression)
    here = curves.presence(at, still, seconds) * (loud > 0)
    hiss = curves.smoothstep((heard.bright - 0.25) / 0.4)
    dark = curves.smoothstep((heard.dark - 0.80) / 0.18) * (1 - hiss)
    syllable = np.clip(loud + SWING * (loud - curves.smooth(loud, fps, 0.15)), 0, 1.2)
    wanted = size * syllable**1.4 * (1 - 0.75 * hiss) * (1 - 0.35 * dark)
    wanted = np.minimum(curves.smooth(wanted, fps, 0.018), 1 + 0.5 * max(0.0, size - 1)) * (loud > 0)
    step = curves.SPEED * size / fps
    opening = curves.speed_limit(np.minimum(wanted, curves.rest_cap(at, still, seconds)), step)
    lips = curves.lips(size) * curves.smooth(here, fps, 0.03)
    flat = 0.6 * hiss + 0.25 * (1 - dark) * (1 - hiss)
    zero = np.zeros(len(at))
    return {
        "open": opening,
        "jaw": np.clip(curves.smooth(0.85 * opening, fps, 0.04), 0.5 * opening, 1.0),
        "round": lips * curves.smooth(0.8 * dark * here, fps, 0.04),
        "spread": lips * curves.smooth(flat * here, fps, 0.04),
        "tongue": curves.smooth(0.5 * hiss * here, fps, 0.02),
        "press": zero,
        "tuck": zero,
        "talk": np.ones(len(at)),  # a talking mouth rests shut, even where the photo shows it open
    }


def beats(at: Array, heard: Spectrum, loud: Array) -> Times:
    """(second, strength 0..1) of the peaks that stand out of the loudness."""
    found = []
    for first, last in curves.runs(loud > 0.82):
        peak = first + int(loud[first:last].argmax())
        found.append((float(at[peak]), float(np.clip((loud[peak] - 0.82) / 0.25, 0.2, 1))))
    return found
