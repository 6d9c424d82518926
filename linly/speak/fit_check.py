"""Whether a fitted voice may be used: judged by what had no part in fitting it, on sentences that it never saw."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from linly import audio as sound
from linly.speak.fit_pitch import RATE
from linly.speak.fit_store import model_with, pitch_of, scaled, shifted, with_strengths
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
        "Fresh bread and a cup of tea were all she wanted.",
        "They painted the kitchen yellow and the bedroom blue.",
    ),
    "zh": (
        "我们明天早上八点在学校门口见面。",
        "这本书讲的是一个很有意思的故事。",
        "他把自行车停在楼下，然后跑上去敲门。",
        "请问，去博物馆应该在哪一站下车？",
        "奶奶做的饺子又香又好吃，我一口气吃了二十个。",
        "虽然雨下得很大，比赛还是按时开始了。",
    ),
}
"""What a fitted voice is judged by. None of them is in a clip, unless somebody reads them aloud."""
KEPT = {
    "zh": (
        "今天下午三点，图书馆有一场免费的讲座。",
        "他说这件事情很重要，希望大家认真考虑。",
        "我昨天买了两本书，一本是关于历史的。",
        "你吃过北京烤鸭吗？味道真不错！",
        "冬天的晚上，外面下着大雪，屋里却很暖和。",
        "老师问了一个很难的问题，没有人能回答。",
    ),
    "en": (
        "The weather has been lovely all week, hasn't it?",
        "He put the keys on the table and went out.",
        "Most people agree that sleep is good for you.",
        "What would you like to have for lunch today?",
    ),
}
"""What fitting keeps the melody of; others than it is judged by."""
_MORE_ERRORS = 0.02
"""share of characters that may be heard wrongly beyond what the voice before had"""
_STRENGTHS = (1.0, 0.75, 0.5)
"""of the change: in a language in which the voice becomes hard to understand, a part of it is taken"""


@dataclass(frozen=True, eq=False)
class Judgement:
    """Which changes stand, and why not if they do not."""

    changes: Arrays
    reason: str
    scores: dict[str, float]


def unheard(texts: Mapping[str, Sequence[str]]) -> list[str]:
    """Sentences, by language, in Kokoro's symbols: one of each language in turn."""
    pairs = itertools.zip_longest(*([(text, code) for text in of] for code, of in texts.items()))
    return [known(phonemise(*one).symbols) for one in itertools.chain(*pairs) if one]


def judged(
    graph: Graph,
    table: Floats,
    changes: Arrays,
    clips: Sequence[tuple[Audio, str, str]],
    similarity: Callable[[Audio, Audio], float],
    hear: Callable[[Audio, str], str] | None,
    progress: Callable[[float], None],
) -> Judgement:
    """The changes, with the strength that each language bears, if they bring the voice nearer to the clips and leave it
    as clear as it was. What is right for the clips' own language may be too much for another, which then
    is spoken with less of them, or with none."""
    person = sound.concat([sound.resample(audio, RATE) for audio, *_ in clips])
    progress(0.8)
    before = _scores(_spoken(graph.model, table, None, SENTENCES), person, similarity, hear)
    now: dict[str, dict[str, float]] = {}
    strengths: dict[str, float] = {}
    for i, strength in enumerate(_STRENGTHS):
        progress(0.8 + 0.2 * (i + 1) / (len(_STRENGTHS) + 1))
        left = {code: texts for code, texts in SENTENCES.items() if code not in strengths}
        weaker = scaled(changes, strength)
        now |= _scores(_spoken(model_with(graph, weaker), table, weaker, left), person, similarity, hear)
        strengths |= {code: strength for code in left if _clear(now[code], before[code])}
        if len(strengths) == len(SENTENCES):
            break
    scores = {"similarity": _mean(now, "similarity"), "similarity_before": _mean(before, "similarity")}
    if hear:
        for code in SENTENCES:
            scores |= {f"errors_{code}": now[code]["errors"], f"errors_before_{code}": before[code]["errors"]}
    scores |= {f"strength_{code}": strengths.get(code, 0.0) for code in SENTENCES}
    reason, own = "", clips[0][2] if clips[0][2] in SENTENCES else "en"
    if own not in strengths:
        reason = "The fitted voice was harder to understand: check the transcript, or record clearer speech."
    elif scores["similarity"] <= scores["similarity_before"]:
        reason = "The fitted voice was no nearer to the person than the one it started from: record more speech."
    return Judgement(with_strengths(changes, {code: strengths.get(code, 0.0) for code in SENTENCES}), reason, scores)


def _clear(now: Mapping[str, float], before: Mapping[str, float]) -> bool:
    return now.get("errors", 0.0) <= before.get("errors", 0.0) + _MORE_ERRORS


def _mean(scores: Mapping[str, Mapping[str, float]], name: str) -> float:
    return float(np.mean([one[name] for one in scores.values()]))


def _spoken(
    model: bytes, table: Floats, changes: Arrays | None, sentences: Mapping[str, Sequence[str]]
) -> list[tuple[Audio, str, str]]:
    """The sentences said: sound, text and language."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(with_hooks(Graph(model)), options, providers=["CPUExecutionProvider"])
    styles, made = shifted(table, changes), []
    for language, texts in sentences.items():
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
) -> dict[str, dict[str, float]]:
    """By language: similarity, and the share of errors where somebody listens."""
    scores: dict[str, dict[str, float]] = {}
    for code in {code: None for *_, code in said}:
        these = [(audio, text) for audio, text, language in said if language == code]
        scores[code] = {"similarity": float(np.mean([similarity(audio, person) for audio, _ in these]))}
        if hear:
            scores[code]["errors"] = wrong_share([text for _, text in these], [hear(a, code) for a, _ in these])
    return scores
