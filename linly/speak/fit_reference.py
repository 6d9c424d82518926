"""What fitting aims at: a person's clips laid out as Kokoro would have to make them, symbol by symbol.

The stock voice speaks the same text; dynamic time warping (Sakoe and Chiba, 1978) carries its exact symbol times over
to the recording, whose pitch and energy are measured in the model's own steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linly import audio as sound
from linly.errors import InputError
from linly.speak import fit_pitch
from linly.speak.fit_pitch import RATE, STEP
from linly.speak.fit_weights import ENERGY, FOR_DECODER, FOR_PROSODY, FRAMES, HARMONICS, PITCH
from linly.speak.graph import Graph, addition
from linly.speak.sessions import HOP
from linly.text.g2p import phonemise
from linly.text.ipa import VOCABULARY, known
from linly.values import Audio, Floats

Array = NDArray[Any]
MOST_SYMBOLS = 500
_LEAD, _TAIL = 0.1, 0.15
"""seconds of silence laid before and after a clip"""
_LEVEL = -23.5
"""dBFS of the speech of all clips: as loud as the model speaks by itself"""
_WAIT = 1.15
"""how much dearer it is to stand still in one of two sounds than to go on in both"""


@dataclass(frozen=True, eq=False)
class Clip:
    """One recording and its text in the model's terms; a frame is 25 ms, a step half of that."""

    symbols: str
    samples: Floats
    """(HOP x frames,) at 24 kHz"""
    frames: Array
    """(symbols + 2,) frames of each symbol and of the pads"""
    pitch: Floats
    """(2 x frames,) hertz, 0 where unvoiced"""
    energy: Floats
    """(2 x frames,) on the model's scale"""
    for_prosody: Floats
    """(1, symbols + 2, 512)"""
    for_decoder: Floats
    """(1, 512, symbols + 2)"""


class Teacher:
    """The stock model taken apart: what it makes of a text, and how it would say it."""

    def __init__(self, graph: Graph, table: Floats) -> None:
        """table: (510, 256) styles of the voice that fitting starts from."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")

        def session(model: bytes) -> Any:
            return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

        self.table = table
        self._text = session(graph.part(["tokens"], [FOR_PROSODY, FOR_DECODER]))
        self._source = session(graph.part([PITCH], [HARMONICS]))
        self._whole = session(graph.model + addition(outputs=[FRAMES, PITCH, ENERGY]))

    def text(self, symbols: str) -> tuple[Floats, Floats]:
        """Features for the predictor (1, n, 512) and for the decoder (1, 512, n), pads included."""
        made: tuple[Floats, Floats] = tuple(self._text.run(None, {"tokens": _tokens(symbols)}))
        return made

    def harmonics(self, pitch: Floats) -> Floats:
        """(1, 22, 120 x frames + 1) short transform of the source signal of a pitch curve (2 x frames,)."""
        made: Floats = self._source.run(None, {PITCH: pitch[None]})[0]
        return made

    def say(self, symbols: str) -> tuple[Floats, Array, Floats, Floats]:
        """Sound, frames of each symbol, pitch and energy, as the stock voice says it."""
        style = self.table[min(len(symbols), len(self.table) - 1)][None]
        feed = {"tokens": _tokens(symbols), "style": style, "speed": np.ones(1, np.float32)}
        samples, frames, pitch, energy = self._whole.run(None, feed)
        return samples.reshape(-1), frames.reshape(-1).astype(np.int64), pitch[0], energy[0]


def _tokens(symbols: str) -> Array:
    return np.array([[0, *(VOCABULARY[symbol] for symbol in symbols), 0]], np.int64)


def reference(clips: Sequence[tuple[Audio, str, str]], teacher: Teacher) -> list[Clip]:
    """The clips (sound, transcript, ISO 639-1 language) laid out.

    Raises InputError for a clip without speech or words, or one too long to lay out at once (about 30 s).
    """
    spoken = [_symbols(text, language) for _, text, language in clips]
    said = [teacher.say(symbols) for symbols in spoken]
    slope, offset = _energy_scale(said)
    laid = []
    for (audio, _, _), symbols, (stock, frames, _, _) in zip(clips, spoken, said, strict=True):
        samples = _prepared(audio)
        steps = len(samples) // STEP
        laid.append(
            Clip(
                symbols,
                samples,
                _carried(frames, _warp(_mfcc(stock), _mfcc(samples)), steps // 2),
                fit_pitch.pitch(samples)[:steps],
                (slope * fit_pitch.energy(samples)[:steps] + offset).astype(np.float32),
                *teacher.text(symbols),
            )
        )
    return laid


def _symbols(text: str, language: str) -> str:
    symbols = known(phonemise(text, language).symbols)
    if not symbols.strip():
        raise InputError(f"There are no words in the transcript {text[:40]!r}: write down what is said.")
    if len(symbols) > MOST_SYMBOLS:
        raise InputError("A clip for fitting may hold about 30 seconds of speech: cut it at a pause.")
    return symbols


def _prepared(audio: Audio) -> Floats:
    """At 24 kHz, levelled, with the silence around the speech as the model would leave it."""
    whole = sound.level(sound.resample(audio, RATE), _LEVEL)
    blocks = np.sqrt(np.mean(whole.samples[: len(whole.samples) // STEP * STEP].reshape(-1, STEP) ** 2, axis=1))
    loud: Array = np.flatnonzero(blocks > max(0.004, 0.06 * np.percentile(blocks, 95))) if len(blocks) else blocks
    if not len(loud):
        raise InputError("A clip for fitting holds no speech: leave it out.")
    first, last = max(0, loud[0] - 2) * STEP, min(len(blocks), loud[-1] + 5) * STEP
    speech = sound.fade(Audio(whole.samples[first:last], RATE), 0.01, 0.03).samples
    lead, tail = round(_LEAD * RATE), round(_TAIL * RATE)
    return np.pad(speech, (lead, tail + -(lead + tail + len(speech)) % HOP)).astype(np.float32)


def _energy_scale(said: Sequence[tuple[Floats, Array, Floats, Floats]]) -> tuple[float, float]:
    """The line from measured to the model's energy, by the model's own speech."""
    measured = np.concatenate([fit_pitch.energy(samples)[: len(energy)] for samples, _, _, energy in said])
    slope, offset = np.polyfit(measured, np.concatenate([energy for *_, energy in said]), 1)
    return float(slope), float(offset)


def _mfcc(samples: Floats) -> Array:
    """(steps, 40) cepstra and how they change, each of mean 0 and spread 1."""
    loud = np.log(fit_pitch.mel(samples, 40) + 1e-5)
    bands = np.arange(40) + 0.5
    cepstra = loud @ np.cos(np.pi / 40 * np.outer(bands, np.arange(20)))
    change = np.gradient(cepstra, axis=0)
    both = np.concatenate([cepstra, 2 * change], axis=1)
    equal: Array = (both - both.mean(0)) / (both.std(0) + 1e-6)
    return equal


def _warp(one: Array, other: Array) -> Array:
    """(len(one),) for each step of `one`, the mean step of `other` that is the same moment."""
    distance = np.sqrt(np.maximum(0, (one**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2 * one @ other.T))
    rows, columns = distance.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0
    way = np.zeros((rows, columns), np.int8)
    for diagonal in range(rows + columns - 1):
        i = np.arange(max(0, diagonal - columns + 1), min(rows, diagonal + 1))
        j = diagonal - i
        here = distance[i, j]
        ways = np.stack([total[i, j] + here, total[i, j + 1] + _WAIT * here, total[i + 1, j] + _WAIT * here])
        way[i, j] = np.argmin(ways, axis=0)
        total[i + 1, j + 1] = ways.min(axis=0)
    i, j = rows - 1, columns - 1
    sums, counts = np.zeros(rows), np.zeros(rows)
    while i >= 0 and j >= 0:
        sums[i] += j
        counts[i] += 1
        step = way[i, j]
        i, j = i - (step != 2), j - (step != 1)
    return sums / np.maximum(counts, 1)


def _carried(frames: Array, same: Array, total: int) -> Array:
    """Frames of each symbol in the recording: every one at least one, `total` in all."""
    ends = np.cumsum(frames)[:-1] * 2
    moved = np.interp(ends, np.arange(len(same)) + 0.5, same + 0.5) / 2
    count = len(frames)
    if total < count:
        raise InputError("A clip for fitting is too short for its transcript: check the words.")
    edges = [0]
    for i, end in enumerate(moved):
        edges.append(int(np.clip(round(float(end)), edges[-1] + 1, total - (count - 1 - i))))
    return np.diff([*edges, total])
