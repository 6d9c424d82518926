"""Whether a fitted voice may be used: judged by what had no part in fitting it, on sentences that it never saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from linly import audio as sound
from linly.speak.fit_pitch import RATE
from linly.speak.fit_store import model_with, pitch_of, shifted
from linly.speak.fit_weights import Arrays
from linly.speak.graph import Graph
from linly.speak.sessions import synthesise, with_hooks
from linly.text.g2p import phonemise
from linly.text.heard import wrong_share
from linly.text.ipa import known
from linly.values import Audio, Floats

SENTENCES = {
    "en": (
        "Every evening the children sat around the fire to listen.",
        "Could you tell me when the train leaves?",
    ),
    "zh": ("我们明天早上八点在学校门口见面。", "这本书讲的是一个很有意思的故事。"),
}
"""None of them is in a clip, unless somebody reads them aloud."""
_MORE_ERRORS = 0.03
"""share of characters that may be heard wrongly beyond what the voice before had"""
_STRENGTHS = (1.0, 0.75)
"""of the change: where a voice becomes hard to understand, a part of it is tried"""


@dataclass(frozen=True, eq=False)
class Judgement:
    """Which changes stand, and why not if they do not."""

    changes: Arrays
    reason: str
    scores: dict[str, float]


def unheard() -> list[str]:
    """The sentences in Kokoro's symbols."""
    return [known(phonemise(text, language).symbols) for language, texts in SENTENCES.items() for text in texts]


def judged(
    graph: Graph,
    table: Floats,
    changes: Arrays,
    clips: Sequence[tuple[Audio, str, str]],
    similarity: Callable[[Audio, Audio], float],
    hear: Callable[[Audio, str], str] | None,
    progress: Callable[[float], None],
) -> Judgement:
    """The changes, or a part of them, if they bring the voice nearer to the clips and leave it as clear as it was."""
    person = sound.concat([sound.resample(audio, RATE) for audio, *_ in clips])
    scores: dict[str, float] = {}
    before = _scores(_spoken(graph.model, table, None), person, similarity, hear)
    scores |= {f"{name}_before": value for name, value in before.items()}
    reason = ""
    for i, strength in enumerate(_STRENGTHS):
        progress(0.9 + 0.1 * (i + 1) / (len(_STRENGTHS) + 1))
        weaker = changes if strength == 1 else scaled(changes, strength)
        now = _scores(_spoken(model_with(graph, weaker), table, weaker), person, similarity, hear)
        if i == 0:
            scores |= now
        if now["similarity"] <= before["similarity"]:
            reason = "The fitted voice was no nearer to the person than the one it started from: record more speech."
        elif now.get("errors", 0.0) > before.get("errors", 0.0) + _MORE_ERRORS:
            reason = "The fitted voice was harder to understand: check the transcript, or record clearer speech."
        else:
            return Judgement(weaker, "", scores | now | {"strength": strength})
    return Judgement(changes, reason, scores)


def scaled(changes: Mapping[str, np.ndarray[Any, Any]], by: float) -> Arrays:
    """A part of the change of the weights; style and pitch stay whole."""
    return {
        name: values if name in ("style", "pitch") or name.endswith(":down") else (values * by).astype(values.dtype)
        for name, values in changes.items()
    }


def _spoken(model: bytes, table: Floats, changes: Arrays | None) -> list[tuple[Audio, str, str]]:
    """The sentences said: sound, text and language."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(with_hooks(Graph(model)), options, providers=["CPUExecutionProvider"])
    styles, made = shifted(table, changes), []
    for language, texts in SENTENCES.items():
        for text in texts:
            symbols = known(phonemise(text, language).symbols)
            samples, _ = synthesise(session, symbols, styles[len(symbols)], pitch=pitch_of(changes))
            made.append((sound.limit(Audio(samples, RATE)), text, language))
    return made


def _scores(
    said: Sequence[tuple[Audio, str, str]],
    person: Audio,
    similarity: Callable[[Audio, Audio], float],
    hear: Callable[[Audio, str], str] | None,
) -> dict[str, float]:
    scores = {"similarity": float(np.mean([similarity(audio, person) for audio, *_ in said]))}
    if hear:
        scores["errors"] = wrong_share([text for _, text, _ in said], [hear(audio, code) for audio, _, code in said])
    return scores
