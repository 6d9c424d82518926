"""Kokoro in ONNX Runtime: the stock model, and one session for each fitted voice that was spoken lately."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np

from linly.speak import fit_weights
from linly.speak.fit_store import NOTHING, WHOLE, Taken, model_with, part, pitch_of
from linly.speak.graph import Graph, addition, constant, node
from linly.text.ipa import VOCABULARY
from linly.values import Floats

HOP = 600
"""samples in one frame of the model's durations (25 ms)"""
KEEP = 2
"""fitted voices kept ready beside the stock model, about 250 MB each; in a second language one may be another"""
_VOICED = 30.0
"""hertz under which the model's pitch curve means no voice"""
_UNMOVED = "/encoder/Reshape_output_~"
"""the pitch curve before it is moved; as long as the name it had"""
_STRETCHED, _RATES = fit_weights.ENCODER + "Div", "rates"
"""where the symbols' durations are divided by the rate, and the input for that, as long as the one it replaces"""


class Sessions:
    """Sessions by the voice's changes, built one after the other in `pool`."""

    def __init__(self, model: Path, make: Callable[[bytes], Any], pool: Executor) -> None:
        """`make` gives an onnxruntime.InferenceSession of a model's bytes."""
        self._make, self._pool = make, pool
        self._graph: Future[Graph] = pool.submit(lambda: Graph(model.read_bytes()))
        self._stock = pool.submit(lambda: make(with_hooks(self._graph.result())))
        self._fitted: OrderedDict[tuple[bytes, Taken], Future[Any]] = OrderedDict()

    def of(self, changes: Mapping[str, Floats] | None, share: Taken = WHOLE) -> Future[Any]:
        """The session that speaks a voice with this share of its changes; the stock model's for none."""
        if not changes or share == NOTHING:
            return self._stock
        key = digest(changes), share
        if key not in self._fitted:
            self._fitted[key] = self._pool.submit(self._fit, changes, share)
            while len(self._fitted) > KEEP:
                self._fitted.popitem(last=False)
        self._fitted.move_to_end(key)
        return self._fitted[key]

    def _fit(self, changes: Mapping[str, Floats], share: Taken) -> Any:
        return self._make(with_hooks(Graph(model_with(self._graph.result(), part(changes, share)))))


def digest(changes: Mapping[str, Floats]) -> bytes:
    """What tells one voice's changes from another's: their content, not where they lie."""
    seen = hashlib.sha256()
    for name in sorted(changes):
        seen.update(name.encode() + np.ascontiguousarray(changes[name]).tobytes())
    return seen.digest()


def with_hooks(graph: Graph) -> bytes:
    """The model, which gives out each symbol's frames too and takes a rate for each (`rates`, any shape that broadcasts
    to (1, symbols), instead of `speed`); its pitch f turns into pitch_factor x f ** pitch_gain."""
    model = bytearray(graph.model)
    for at, name in (
        graph.renamed(fit_weights.PITCH.removesuffix("_output_0"), fit_weights.PITCH, _UNMOVED),
        graph.renamed(_STRETCHED, "speed", _RATES),
    ):
        model[at : at + len(name)] = name
    model += addition(
        nodes=[
            node("Greater", [_UNMOVED, "voiced"], "is_voiced"),
            node("Pow", [_UNMOVED, "pitch_gain"], "pitch_bent"),
            node("Mul", ["pitch_bent", "pitch_factor"], "pitch_moved"),
            node("Where", ["is_voiced", "pitch_moved", _UNMOVED], fit_weights.PITCH),
        ],
        constants=[constant("voiced", _VOICED)],
        inputs=["pitch_gain", "pitch_factor", _RATES],
        outputs=[fit_weights.FRAMES],
    )
    return bytes(model)


def synthesise(
    session: Any, symbols: str, style: Floats, rate: float = 1.0, pitch: tuple[float, float] = (1.0, 1.0),
    how: Any = None,
) -> tuple[Floats, list[int]]:  # fmt: skip
    """Sound (n,) at 24 kHz and each symbol's frames, the model's silence before and after included: n = HOP x sum.

    style: (256,); pitch: gain and factor; how: onnxruntime.RunOptions. The silence is never stretched: what is heard of
    the model's attempts to fill a long one is a hum.
    """
    numbers = [0, *(VOCABULARY[symbol] for symbol in symbols), 0]
    feed = {
        "tokens": np.array([numbers], np.int64),
        "style": style.reshape(1, -1),
        "speed": np.ones(1, np.float32),
        _RATES: np.array([1, *[rate] * len(symbols), 1], np.float32),
        "pitch_gain": np.array([pitch[0]], np.float32),
        "pitch_factor": np.array([pitch[1]], np.float32),
    }
    samples, frames = session.run(None, feed, how)
    return samples.reshape(-1).astype(np.float32), [int(n) for n in frames.reshape(-1)]


def pitch_map(changes: Mapping[str, Floats] | None, share: Taken, semitones: float) -> tuple[float, float]:
    """Gain and factor of a voice's own pitch map, moved by semitones."""
    gain, factor = pitch_of(changes, share)
    return gain, factor * 2 ** (semitones / 12)
