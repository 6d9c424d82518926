"""The stock voice, or the blend of two, that comes nearest to a person: found in seconds, honest in name.

Style tables of Kokoro are averaged, which gives a voice between the two; a speaker encoder says how near each comes.
How the stock voices themselves sound to the encoder is kept beside this file (`tools/voice_embeddings.py` makes it).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from linly import audio as sound
from linly import weights
from linly.errors import InputError
from linly.speak.encoder import SpeakerEncoder, similarity
from linly.values import Audio, Floats, Progress, Style, Voice

VERSION = 1
"""one more whenever the same sample would find another voice"""
ENGINE = "kokoro"
NEAREST, TRIED = 4, 3
"""stock voices that are paired; of these and the pairs, how many are spoken to see how near they come"""
SAID = {
    "en": "The quick river runs past the old mill. Nobody knows how deep it is.",
    "zh": "河水流过旧磨坊。没有人知道那里有多深。",
}
"""what the voices say when they are compared: two sentences, which the engine speaks side by side"""
_TABLE = Path(__file__).with_name("closest.npz")


@dataclass(frozen=True, eq=False)
class Closest:
    """What was found."""

    features: Floats
    """(510, 1, 256) style of the voice"""
    similarity: float
    """cosine between what it says and the person's own sound"""
    stock: tuple[str, ...]
    """ids of the one or two voices that it is made of"""
    gender: str
    """"female" or "male", that of the nearest"""
    languages: tuple[str, ...]


def closest(
    engine: Any, encoder: SpeakerEncoder, person: Floats, language: str = "en", progress: Progress | None = None
) -> Closest:
    """The nearest voice of the opened Kokoro to a person's embedding (256,): the nearest stock voice, or a blend of two
    of the nearest four, whichever is nearer when it speaks.

    progress: told "match" and the fraction done; may raise Cancelled. Raises InputError if no stock voice is known.
    """
    tell = progress or (lambda stage, fraction: None)
    known = {voice.id: voice for voice in engine.voices()}
    nearest = _nearest(person, tuple(known))
    tried = _promising(person, [(id_,) for id_ in nearest] + list(combinations(nearest, 2)))
    found: list[tuple[float, tuple[str, ...]]] = []
    for number, ids in enumerate(tried):
        tell("match", number / len(tried))
        said = spoken(engine, _voice(blend(ids)), language)
        found.append((similarity(encoder.embed(said), person), ids))
    score, ids = max(found)
    tell("match", 1.0)
    first = known[nearest[0]]
    return Closest(blend(ids), round(score, 4), ids, first.gender, _languages([known[i] for i in ids], language))


def blend(ids: tuple[str, ...]) -> Floats:
    """(510, 1, 256) mean of the style tables of stock voices."""
    folder = weights.folder("kokoro-voices")
    tables = [np.fromfile(folder / f"{id_}.bin", np.float32).reshape(-1, 1, 256) for id_ in ids]
    mean: Floats = np.mean(tables, axis=0, dtype=np.float32)
    return mean


def spoken(engine: Any, voice: Voice, language: str) -> Audio:
    """A sentence of SAID in a voice: Chinese for a Chinese speaker, else English."""
    code = language if language in SAID else "en"
    return sound.concat(said.audio for said in engine.speak(SAID[code], voice, Style(language=code)))


def stock() -> dict[str, Floats]:
    """How the stock voices sound to the speaker encoder: id to (256,)."""
    return dict(zip(*_stock(), strict=True))


@cache
def _stock() -> tuple[tuple[str, ...], Floats]:
    with np.load(_TABLE, allow_pickle=False) as kept:
        return tuple(str(id_) for id_ in kept["ids"]), kept["embeddings"].astype(np.float32)


def _nearest(person: Floats, known: tuple[str, ...]) -> list[str]:
    """Ids of the stock voices that are nearest to a person, all of the sex of the very nearest: a blend of a woman's
    and a man's voice is neither."""
    order = sorted(_scores(person, known), reverse=True)
    if not order:
        raise InputError("No stock voice is known: run `python -m linly weights pull kokoro-voices`.")
    sex = order[0][1][1]
    return [id_ for _, id_ in order if id_[1] == sex][:NEAREST]


def _promising(person: Floats, blends: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The TRIED blends that should come nearest: a blend sounds about like the mean of its voices."""
    sounds = stock()
    means: dict[tuple[str, ...], Floats] = {ids: np.mean([sounds[i] for i in ids], axis=0) for ids in blends}
    return sorted(blends, key=lambda ids: -similarity(means[ids], person))[:TRIED]


def _scores(person: Floats, known: tuple[str, ...]) -> Iterator[tuple[float, str]]:
    for id_, embedding in stock().items():
        if id_ in known:
            yield similarity(embedding, person), id_


def _voice(features: Floats) -> Voice:
    return Voice(id="closest", name="closest", engine=ENGINE, features=features)


def _languages(voices: list[Voice], language: str) -> tuple[str, ...]:
    """The person's own language first, then those of the voices."""
    return tuple(dict.fromkeys([language, *(code for voice in voices for code in voice.languages)]))
