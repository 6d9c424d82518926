"""Steady noise taken out of speech: what is heard between the words is taken for the noise behind them."""

from __future__ import annotations

import numpy as np

from linly.values import Audio, Floats

FLOOR = 0.08
"""least gain: a little of the noise stays, or what is left of it would twitter"""
SMOOTH = 0.97
"""share of the last frame in the estimate of how loud speech is, against that twitter"""
QUIETEST = 0.12
"""share of the frames that are taken for noise alone, in each band"""
_SECONDS = 0.032
"""of a frame, half of which overlaps the next"""


def denoised(audio: Audio) -> Audio:
    """The sound with steady noise turned down by up to 22 dB, of the same length and rate.

    A Wiener filter whose signal-to-noise ratio is estimated "decision-directed" (Ephraim and Malah, "Speech enhancement
    using a minimum mean-square error short-time spectral amplitude estimator", 1984).
    """
    half = round(_SECONDS * audio.rate / 2)
    if len(audio.samples) < 20 * half:
        return audio
    window = np.sqrt(0.5 - 0.5 * np.cos(np.pi * np.arange(2 * half) / half)).astype(np.float32)
    padded = np.pad(audio.samples, (half, 2 * half))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * half)[::half]
    spectrum = np.fft.rfft(frames * window, axis=1)
    power = np.square(np.abs(spectrum)).astype(np.float32)
    out = np.fft.irfft(spectrum * _gains(power, _noise(power)), axis=1) * window
    whole = np.zeros((len(frames) + 1) * half, np.float32)
    whole[:-half] += out[:, :half].ravel()
    whole[half:] += out[:, half:].ravel()
    return Audio(np.clip(whole[half : half + len(audio.samples)], -1, 1).astype(np.float32), audio.rate)


def _noise(power: Floats) -> Floats:
    """(k,) mean power of the noise in each band, from the frames that are quietest as a whole.

    Frames of digital silence say nothing of the noise behind the words: they are left out.
    """
    total = power.sum(axis=1)
    alive = power[total > 1e-9 * max(float(total.max()), 1e-12)]
    order = np.argsort(alive.sum(axis=1))[: max(4, round(QUIETEST * len(alive)))]
    noise: Floats = alive[order].mean(axis=0) * np.float32(1.15)
    return np.maximum(noise, 1e-12)


def _gains(power: Floats, noise: Floats) -> Floats:
    """(t, k) what each band of each frame is multiplied with."""
    gains = np.empty_like(power)
    before = np.zeros_like(noise)
    for t, now in enumerate(power):
        ratio = SMOOTH * before + (1 - SMOOTH) * np.maximum(now / noise - 1, 0)
        # Where speech sets in, the last frame knows nothing of it: a clear rise is believed at once.
        ratio = np.where(now > 12 * noise, np.maximum(ratio, now / noise - 1), ratio)
        gain = np.maximum(ratio / (1 + ratio), FLOOR)
        before = np.square(gain) * now / noise
        gains[t] = gain
    return gains
