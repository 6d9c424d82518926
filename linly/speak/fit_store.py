"""What fitting changed, kept small: a few directions of each weight's change, whole biases, a shift of the style.

LoRA (Hu et al., 2021) trains such a product of two narrow matrices; here the change is trained whole and cut to its
strongest directions afterwards, which on this model keeps nearly all of the likeness in a tenth of the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from linly.errors import InputError
from linly.speak.fit_weights import DECODER, Arrays, written
from linly.speak.graph import Graph

STYLE, PITCHES = "style", ("pitch:plain", "pitch:style", "pitch")
"""Names of the shift (256,) of every row of the style table, and of the pitch maps, gain and factor: for the pitch that
the stock predictor gives, that it gives with the shifted style, and that the fitted one gives with it."""
TAKEN = "taken:"
"""Before a language: what of the changes it is spoken with."""
_UP, _DOWN = ":up", ":down"


class Taken(NamedTuple):
    """A share of the changes."""

    sound: float
    """of what the voice sounds like, 0 to 1"""
    style: bool
    """whether the style is shifted: how high, how fast, how lively"""
    melody: bool
    """whether the predictor is the fitted one; never without the style that it was fitted with"""


WHOLE, NOTHING = Taken(1.0, True, True), Taken(0.0, False, False)


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
        elif not name.endswith(_DOWN) and name.startswith("/"):
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


def taken(changes: Mapping[str, NDArray[Any]] | None, language: str) -> Taken:
    """What of the changes a language (ISO 639-1) is spoken with; one that nobody judged, as English."""
    if not changes:
        return NOTHING
    for code in (language, "en"):
        if TAKEN + code in changes:
            sound, style, melody = changes[TAKEN + code].tolist()
            return Taken(float(sound), bool(style), bool(melody))
    return WHOLE


def with_taken(changes: Arrays, shares: Mapping[str, Taken]) -> Arrays:
    """The changes, which know what of them is to be taken in each language."""
    return changes | {TAKEN + code: np.array(one, np.float32) for code, one in shares.items()}


def part(changes: Mapping[str, NDArray[Any]], share: Taken) -> Arrays:
    """That share of the weights' changes."""
    some: Arrays = {}
    for name, values in changes.items():
        if name.startswith(DECODER):
            whole = share.sound == 1 or name.endswith(_DOWN)
            some[name] = values if whole else (values * share.sound).astype(values.dtype)
        elif name.startswith("/") and share.melody:
            some[name] = values
    return some


def shifted(
    table: NDArray[np.float32], changes: Mapping[str, NDArray[Any]] | None, share: Taken = WHOLE
) -> NDArray[np.float32]:
    """The style table (510, 256) with the fitted shift."""
    return table + changes[STYLE].astype(np.float32) if changes and STYLE in changes and share.style else table


def pitch_of(changes: Mapping[str, NDArray[Any]] | None, share: Taken = WHOLE) -> tuple[float, float]:
    """Gain and factor of the fitted pitch map: f becomes factor x f ** gain."""
    name = PITCHES[share.style + share.melody]
    if not changes or name not in changes or share == NOTHING:
        return 1.0, 1.0
    gain, factor = changes[name].astype(np.float64)
    return float(gain), float(factor)
