"""Is this a recording that a voice can be taken from? What was found, plain advice, and the speech itself cut out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from linly import audio as sound
from linly.speech_words import ADVICE, advice, refused
from linly.values import Audio, Floats

__all__ = ["ADVICE", "Checked", "examine"]

RATE = 24000
"""hertz of what is cut out"""
LEVEL = -21.0
"""dBFS of its speech, that of the stock voices"""
LEAST, ENOUGH = 3.0, 10.0
"""seconds of speech: refused below the first, advised against below the second"""
LEAST_SNR, GOOD_SNR = 5.0, 20.0
"""decibels: refused below the first; below the second cleaning is advised, since a fitting learns the noise too (at
15 it took 0.15 of likeness, half of which cleaning gave back)"""
MOST_CLIPPED, CLIPPED = 0.12, 0.006
"""share of samples on a flat top"""
MUSIC_SNR = 26.0
"""decibels of speech over tones from which they are no longer worth a word"""
HEARD_FALL = 13.0
"""decibels of speech over noise from which the falls between words can be told from the noise that they end in"""
QUIET = -48.0
"""dBFS of speech"""
NARROW = 4600.0
"""hertz"""
ECHO = 0.57
"""seconds in which a sound dies away by 60 dB"""
STRANGERS = ((7, 14, 24), (0.665, 0.68, 0.765))
"""cosine between two groups of windows below which they are two people, by the number of windows: in 6 s one person's
two halves may differ by as much as two people in half a minute (real people: above 0.69 in 6 s, two below 0.67; one
person in a hall: 0.70 in 12 s)"""
DOUBTFUL, SHARE = 0.7, 0.22
"""cosine below which they may be; and the least share of the sound that each of two people has"""
TYPICAL = 0.6
"""share of a group's windows that speak for it: others hold a bit of both where people take turns"""
PAUSE, EDGE = 0.35, 0.12
"""seconds: the longest pause that is kept, the sound that is kept around speech"""
WEIGHT = {"short": 0.15, "noisy": 0.3, "clipped": 0.35, "narrow": 0.25, "echo": 0.25, "music": 0.35,
          "another_voice": 0.3}  # fmt: skip
"""how much each advice takes from the score; what is not named: 0.1"""
_HEARD = 16000
"""hertz at which speech is looked for"""

Spans = list[tuple[float, float]]
Windows = Callable[[Audio], tuple[Floats, Floats]]
"""what SpeakerEncoder.windows does"""


@dataclass(frozen=True, eq=False)
class Checked:
    """What is in a recording."""

    speech: Audio
    """24 kHz, levelled, long pauses shortened, nothing before the first and after the last word"""
    spans: Spans
    """seconds in the recording where somebody speaks"""
    report: dict[str, Any]
    """ok, seconds, speech_seconds, snr_db, clipping (0..1), level_db (dBFS), bandwidth_hz, reverb_s (to die away by
    60 dB; 0 where it cannot be told), music (bool), speakers, advice ({"key", "en", "zh"} each), score (0..1)"""


def examine(audio: Audio, windows: Windows) -> Checked:
    """Find the speech in a recording, measure it and cut it out.

    windows: SpeakerEncoder.windows. Raises InputError, one sentence with advice, if no voice can be taken from it.
    """
    if sound.is_silent(audio):
        raise refused("silence")
    heard = sound.resample(audio, _HEARD)
    spans = speech_spans(heard)
    loud, quiet = _parted(heard, spans)
    music = _musical(quiet if len(quiet) > _HEARD // 2 else heard.samples)
    if not spans:
        raise refused("only_music" if music else "only_noise" if _steady(heard) else "no_speech")
    seconds = sum(end - start for start, end in spans)
    snr = _snr(heard, loud, quiet)
    if seconds < LEAST:
        raise refused("too_short", speech=seconds, least=LEAST)
    if snr < LEAST_SNR:
        raise refused("only_music" if music else "too_noisy")
    clipped = clipping(audio)
    if clipped > MOST_CLIPPED:
        raise refused("broken")
    speakers, doubtful = _speakers(heard, spans, windows)
    if speakers > 1:
        raise refused("several_speakers")
    report: dict[str, Any] = {
        "ok": True,
        "seconds": round(audio.seconds, 2),
        "speech_seconds": round(seconds, 2),
        "snr_db": round(snr, 1),
        "clipping": round(clipped, 4),
        "level_db": round(sound.loudness(audio).speech, 1),
        "bandwidth_hz": round(bandwidth(audio, spans)),
        "reverb_s": round(_reverberation(heard), 2),
        "music": music and snr < MUSIC_SNR,
        "speakers": speakers,
    }
    keys = _advice(report, doubtful)
    report["advice"] = advice(keys, speech=seconds, khz=report["bandwidth_hz"] / 1000)
    report["score"] = round(float(np.prod([1 - WEIGHT.get(key, 0.1) for key in keys])), 2)
    return Checked(cut_out(audio, spans), spans, report)


def speech_spans(audio: Audio) -> Spans:
    """Seconds where somebody speaks, by the Silero detector (MIT) that faster-whisper brings."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(threshold=0.5, min_speech_duration_ms=200, min_silence_duration_ms=150, speech_pad_ms=30)
    found = get_speech_timestamps(sound.resample(audio, _HEARD).samples, options)
    return [(span["start"] / _HEARD, span["end"] / _HEARD) for span in found]


def cut_out(audio: Audio, spans: Spans) -> Audio:
    """The speech at RATE, levelled: pauses no longer than PAUSE, EDGE of the recording kept around it."""
    pieces: Spans = []
    for start, end in spans:
        first, last = max(0.0, start - EDGE), min(audio.seconds, end + EDGE)
        if pieces and first - pieces[-1][1] < PAUSE - 2 * EDGE:
            pieces[-1] = (pieces[-1][0], last)
        else:
            pieces.append((first, last))
    cut = [Audio(audio.samples[round(a * audio.rate) : round(b * audio.rate)], audio.rate) for a, b in pieces]
    joined = sound.concat([sound.fade(sound.resample(piece, RATE), 0.01, 0.02) for piece in cut])
    return sound.level(joined, LEVEL)


def clipping(audio: Audio) -> float:
    """Share of the sound's louder samples that lie on a flat top, 0..1: what was too loud to be recorded."""
    size = np.abs(audio.samples)
    top = float(size.max(initial=0))
    loud = size > 0.3 * top
    flat = (size[1:] > 0.97 * top) & (np.abs(np.diff(audio.samples)) < 0.003 * top) & (top > 0.05)
    return float(flat.sum() / max(1, loud.sum()))


def bandwidth(audio: Audio, spans: Spans) -> float:
    """The highest frequency (hertz) that is in the speech: where its mean spectrum falls 62 dB under its strongest."""
    loud, _ = _parted(audio, spans)
    size = 1024
    frames = loud[: len(loud) // size * size].reshape(-1, size)
    if not len(frames):
        return audio.rate / 2
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(size), axis=1))).mean(axis=0)
    level = 10 * np.log10(np.convolve(power, np.ones(5) / 5, mode="same") + 1e-12)
    there = np.flatnonzero(level > level.max() - 62)
    return float(there[-1] * audio.rate / size)


def _parted(audio: Audio, spans: Spans) -> tuple[Floats, Floats]:
    """The samples where somebody speaks, and those well away from speech."""
    speaks, near = np.zeros(len(audio.samples), bool), np.zeros(len(audio.samples), bool)
    for start, end in spans:
        speaks[round(start * audio.rate) : round(end * audio.rate)] = True
        near[max(0, round((start - 0.1) * audio.rate)) : round((end + 0.2) * audio.rate)] = True
    return audio.samples[speaks], audio.samples[~near]


def _blocks(samples: Floats, rate: int, seconds: float = 0.02) -> Floats:
    """(n,) level of each block in dBFS."""
    size = max(1, round(seconds * rate))
    whole = samples[: len(samples) // size * size].reshape(-1, size)
    out: Floats = (10 * np.log10(np.square(whole).mean(axis=1) + 1e-10)).astype(np.float32)
    return out


def _snr(audio: Audio, loud: Floats, quiet: Floats) -> float:
    """Speech over what is heard between words, decibels. Digital silence says nothing of the room: it is left out."""
    level = 10 * np.log10(np.square(loud).mean() + 1e-10)
    between = _blocks(quiet, audio.rate)
    between = between[between > -95]
    within = _blocks(loud, audio.rate)
    within = within[within > -95]
    floor = np.percentile(within, 5) if len(within) else -95.0
    if len(between) >= 15:  # the quietest moments of speech are an upper bound of the noise as well
        floor = min(floor, 10 * np.log10(np.mean(10 ** (between / 10))))
    noise = 10 ** (floor / 10)
    return float(np.clip(10 * np.log10(max(10 ** (level / 10) - noise, 1e-9) / max(noise, 1e-9)), -20, 60))


def _steady(audio: Audio) -> bool:
    """True for sound whose level hardly changes: noise of a machine, a fan, the street."""
    levels = _blocks(audio.samples, audio.rate, 0.1)
    return bool(len(levels) > 3 and np.percentile(levels, 90) - np.percentile(levels, 10) < 12)


def _musical(samples: Floats) -> bool:
    """True where tones stand still: lines of the spectrum far above their surroundings that last a quarter second."""
    size, step = 4096, 1024
    if len(samples) < 3 * size:
        return False
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[::step][:300]
    level = 20 * np.log10(np.abs(np.fft.rfft(frames * np.hanning(size), axis=1))[:, 40:1024] + 1e-7)
    audible = level.max(axis=1) > -30
    if audible.mean() < 0.3:
        return False
    # Medians of 24 bins each: far less work than a running one.
    around = np.repeat(np.median(level.reshape(len(level), -1, 24), axis=-1), 24, axis=1)
    lines = level - around > 20
    lasting = lines[:-4] & lines[1:-3] & lines[2:-2] & lines[3:-1] & lines[4:]
    return bool((lasting.sum(axis=1) >= 2).mean() > 0.35)


def _reverberation(audio: Audio) -> float:
    """Seconds in which sound dies away by 60 dB, from the fastest falls between words (after Ratnam and others, "Blind
    estimation of reverberation time", 2003): nothing falls faster than the room lets it. 0 where there are too few."""
    levels = _blocks(audio.samples, audio.rate, 0.01)
    smooth = np.convolve(levels, np.ones(3) / 3, mode="valid")
    floor, width = np.percentile(smooth, 5) + 6, 12
    slopes = []
    for at in range(0, len(smooth) - width, 2):
        part = smooth[at : at + width]
        if part[0] - part[-1] > 8 and part[-1] > floor and (np.diff(part) < 1.5).all():
            slopes.append((part[0] - part[-1]) / ((width - 1) * 0.01))
    if len(slopes) < 4:
        return 0.0
    return float(60 / np.percentile(slopes, 80))


def _speakers(audio: Audio, spans: Spans, windows: Windows) -> tuple[int, bool]:
    """How many people speak (1, or 2 for several), and whether a short part may be somebody else."""
    pieces = [audio.samples[round(a * _HEARD) : round(b * _HEARD)] for a, b in spans]
    _, each = windows(Audio(np.concatenate(pieces), _HEARD))
    if len(each) < 4:
        return 1, False
    alike = np.einsum("ik,jk->ij", each, each)
    a, b = (int(i) for i in np.unravel_index(alike.argmin(), alike.shape))
    centres = each[[a, b]]
    for _ in range(10):  # k-means on the sphere, from the two windows that are least alike
        second = each @ centres[1] > each @ centres[0]
        if second.all() or not second.any():
            return 1, False
        centres = np.stack([_unit(each[~second].mean(axis=0)), _unit(each[second].mean(axis=0))])
    lean = each @ centres[1] - each @ centres[0]
    ends = np.argsort(lean)
    first, last = (max(1, round(TYPICAL * count)) for count in ((~second).sum(), second.sum()))
    apart = float(_unit(each[ends[:first]].mean(axis=0)) @ _unit(each[ends[-last:]].mean(axis=0)))
    share = min(second.mean(), 1 - second.mean())
    if share >= SHARE and share * len(each) >= 2:
        return (2 if apart < np.interp(len(each), *STRANGERS) else 1), False
    return 1, apart < DOUBTFUL


def _unit(values: Floats) -> Floats:
    out: Floats = values / np.linalg.norm(values)
    return out


def _advice(report: dict[str, Any], doubtful: bool) -> list[str]:
    """Keys of ADVICE that apply."""
    found = {
        "short": report["speech_seconds"] < ENOUGH,
        "noisy": report["snr_db"] < GOOD_SNR and not report["music"],
        "music": report["music"],
        "clipped": report["clipping"] > CLIPPED,
        "quiet": report["level_db"] < QUIET,
        "narrow": report["bandwidth_hz"] < NARROW,
        "echo": report["reverb_s"] > ECHO and report["snr_db"] > HEARD_FALL,
        "another_voice": doubtful,
    }
    return [key for key, true in found.items() if true]
