"""What fitting changed, kept small: a few directions of each weight's change, whole biases, a shift of the style.

LoRA (Hu et al., 2021) trains such a product of two narrow matrices; here the change is trained whole and cut to its
strongest directions afterwards, which on this model keeps nearly all of the likeness in a tenth of the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linly.errors import InputError
from linly.speak.fit_weights import Arrays, written
from linly.speak.graph import Graph

STYLE, PITCH = "style", "pitch"
"""Names of the shift (256,) of every row of the style table, and of the pitch map: gain and factor."""
STRENGTH = "strength:"
"""Before a language: how much of the change it is spoken with, 0 to 1."""
_UP, _DOWN = ":up", ":down"


def packed(delta: Mapping[str, NDArray[Any]], rank: int) -> Arrays:
    """`delta`, by the weights' names, as half-precision arrays: at most `rank` directions of each weight's change."""
    small: Arrays = {}
    for name, change in delta.items():
        matrix = change.reshape(len(change), -1).astype(np.float32)
        if name.endswith(".bias") or matrix.size <= rank * sum(matrix.shape):
            small[name] = change.astype(np.float16)
            continue
        up, down = strongest(matrix, rank)
        small[name + _UP], small[name + _DOWN] = up.astype(np.float16), down.astype(np.float16)
    return small


def strongest(matrix: NDArray[np.float32], rank: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(m, rank) and (rank, n) whose product is nearly the best of this rank (Halko, Martinsson and Tropp, 2011)."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        left, size, right = torch.svd_lowrank(torch.from_numpy(matrix), min(rank + 8, *matrix.shape), niter=2)
    half = size[:rank].sqrt()
    return (left[:, :rank] * half).numpy(), (right[:, :rank] * half).T.numpy()


def unpacked(changes: Mapping[str, NDArray[Any]]) -> Arrays:
    """The change of each weight, float32, without style and pitch; a product is (m, n) whatever the weight's shape."""
    delta: Arrays = {}
    for name, values in changes.items():
        if name.endswith(_UP):
            delta[name.removesuffix(_UP)] = values.astype(np.float32) @ changes[name.removesuffix(_UP) + _DOWN].astype(
                np.float32
            )
        elif not name.endswith(_DOWN) and not _whole(name):
            delta[name] = values.astype(np.float32)
    return delta


def model_with(graph: Graph, changes: Mapping[str, NDArray[Any]]) -> bytes:
    """Kokoro with these changes. Raises InputError where they are not changes of this model."""
    try:
        if not all(np.isfinite(values).all() for values in changes.values()):
            raise ValueError("some are not numbers")
        return written(graph, unpacked(changes))
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"The fitted voice does not belong to this Kokoro ({error}): fit it again, or speak it as `closest`."
        ) from error


def scaled(changes: Mapping[str, NDArray[Any]], by: float) -> Arrays:
    """A part of the change of the weights; style and pitch stay whole."""
    return {
        name: values if _whole(name) or name.endswith(_DOWN) or by == 1 else (values * by).astype(values.dtype)
        for name, values in changes.items()
    }


def with_strengths(changes: Arrays, strengths: Mapping[str, float]) -> Arrays:
    """The changes, which know how strongly they are to be taken in each language (ISO 639-1)."""
    return changes | {STRENGTH + code: np.array(strength, np.float32) for code, strength in strengths.items()}


def strength(changes: Mapping[str, NDArray[Any]] | None, language: str) -> float:
    """How much of the change a language is spoken with; one that nobody judged, as English."""
    for code in (language, "en"):
        if changes and STRENGTH + code in changes:
            return float(changes[STRENGTH + code])
    return 1.0


def _whole(name: str) -> bool:
    return name in (STYLE, PITCH) or name.startswith(STRENGTH)


def shifted(table: NDArray[np.float32], changes: Mapping[str, NDArray[Any]] | None) -> NDArray[np.float32]:
    """The style table (510, 256) with the fitted shift."""
    return table if not changes or STYLE not in changes else table + changes[STYLE].astype(np.float32)


def pitch_of(changes: Mapping[str, NDArray[Any]] | None) -> tuple[float, float]:
    """Gain and factor of the fitted pitch map: f becomes factor x f ** gain."""
    if not changes or PITCH not in changes:
        return 1.0, 1.0
    gain, factor = changes[PITCH].astype(np.float64)
    return float(gain), float(factor)
