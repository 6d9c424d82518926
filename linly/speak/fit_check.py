"""Whether a fitted voice may be used: judged by what had no part in fitting it, on sentences that it never saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from linly import audio as sound
from linly.speak.fit_pitch import RATE
from linly.speak.fit_store import NOTHING, WHOLE, Taken, model_with, part, pitch_of, shifted, with_taken
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
        "他们正在讨论下个月去哪里旅行。",
        "这家饭店的菜很便宜，服务也非常周到。",
        "医生建议他多喝水，少熬夜，每天散步半小时。",
        "窗户外面有一棵高大的松树，上面住着几只鸟。",
    ),
}
"""What a fitted voice is judged by. None of them is in a clip, unless somebody reads them aloud."""
OTHERS = {
    "es": (
        "El tren de la mañana llegó con media hora de retraso.",
        "¿Me puede decir dónde está la farmacia más cercana?",
        "Mi abuela prepara la mejor sopa de todo el pueblo.",
        "Pintaron la cocina de amarillo y la puerta de azul.",
    ),
    "fr": (
        "Le train du matin est arrivé avec une demi-heure de retard.",
        "Pouvez-vous me dire où se trouve la pharmacie ?",
        "Ma grand-mère prépare la meilleure soupe du village.",
        "Ils ont peint la cuisine en jaune et la porte en bleu.",
    ),
    "it": (
        "Il treno del mattino è arrivato con mezz'ora di ritardo.",
        "Mi può dire dove si trova la farmacia più vicina?",
        "Mia nonna prepara la zuppa più buona del paese.",
        "Hanno dipinto la cucina di giallo e la porta di blu.",
    ),
    "pt": (
        "O trem da manhã chegou com meia hora de atraso.",
        "Você pode me dizer onde fica a farmácia mais próxima?",
        "Minha avó prepara a melhor sopa da cidade.",
        "Eles pintaram a cozinha de amarelo e a porta de azul.",
    ),
}
"""The same for people who were recorded in one of these."""
_MORE_ERRORS, _MORE_IN_OWN = 0.02, 0.03
"""share of characters that may be heard wrongly beyond what the voice before had: in another language, which has weaker
shares to fall back on, and in the person's own, where a stricter judge would refuse good voices by chance (four
sentences hold 160 characters)"""
_OWN = ((WHOLE, Taken(1.0, True, False)), (Taken(0.75, True, True),), (Taken(0.5, True, True),))
_OTHER = ((Taken(0.75, False, False),), (Taken(0.5, False, False),))
"""shares of the changes, tried in turn until the language is clear, in the person's language and in another; of several
the one that is most like the person. With 12 s of speech a fitted melody brought 0.05 of likeness to one person and
took 0.02 from another. In another language melody and style are left out: what was learnt from English costs Chinese a
fifth of its characters; and so is the last quarter of the sound, a hundredth of likeness for two characters in a
hundred."""

_Scores = dict[str, dict[str, float]]


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
    """The changes, and what of them each language bears, if they bring the voice nearer to the clips and leave it as
    clear as it was. A language in which the voice becomes hard to understand is spoken with less of them, or with none.
    """
    person, own = sound.concat([sound.resample(audio, RATE) for audio, *_ in clips]), clips[0][2]
    sentences = SENTENCES | {code: texts for code, texts in OTHERS.items() if code == own}
    progress(0.8)
    before = _scores(_spoken(graph, table, changes, NOTHING, sentences), person, similarity, hear)
    now: _Scores = {}
    shares: dict[str, Taken] = {}
    for i, code in enumerate(sentences):
        progress(0.85 + 0.15 * i / len(sentences))
        for those in _OWN if code == own else _OTHER:
            some = {code: sentences[code]}
            tried = [
                _scores(_spoken(graph, table, changes, one, some), person, similarity, hear)[code] for one in those
            ]
            most = before[code].get("errors", 0.0) + (_MORE_IN_OWN if code == own else _MORE_ERRORS)
            clear = [one.get("errors", 0.0) <= most for one in tried]
            best = max(range(len(those)), key=lambda at: (clear[at], tried[at]["similarity"]))
            now[code] = tried[best]
            if clear[best]:
                shares[code] = those[best]
                break
    return _judged(changes, own, shares, now, before)


def _judged(changes: Arrays, own: str, shares: Mapping[str, Taken], now: _Scores, before: _Scores) -> Judgement:
    main, reason = own if own in now else "en", ""
    scores = {"similarity": now[main]["similarity"], "similarity_before": before[main]["similarity"]}
    for code in now:
        scores |= {f"{name}_{code}": value for name, value in now[code].items()}
        scores |= {f"{name}_before_{code}": value for name, value in before[code].items()}
        scores[f"taken_{code}"] = shares.get(code, NOTHING).sound
    if main not in shares:
        reason = "The fitted voice was harder to understand: check the transcript, or record clearer speech."
    elif scores["similarity"] <= scores["similarity_before"]:
        reason = "The fitted voice was no nearer to the person than the one it started from: record more speech."
    every = {own: WHOLE} | {code: shares.get(code, NOTHING) for code in now}
    return Judgement(with_taken(changes, every), reason, scores)


def _spoken(
    graph: Graph, table: Floats, changes: Arrays, share: Taken, sentences: Mapping[str, Sequence[str]]
) -> list[tuple[Audio, str, str]]:
    """The sentences said with that share of the changes: sound, text and language."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    model = with_hooks(graph if share == NOTHING else Graph(model_with(graph, part(changes, share))))
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    styles, made = shifted(table, changes, share), []
    for language, texts in sentences.items():
        for text in texts:
            symbols = known(phonemise(text, language).symbols)
            samples, _ = synthesise(session, symbols, styles[len(symbols)], pitch=pitch_of(changes, share))
            made.append((sound.limit(Audio(samples, RATE)), text, language))
    return made


def _scores(
    said: Sequence[tuple[Audio, str, str]],
    person: Audio,
    similarity: Callable[[Audio, Audio], float],
    hear: Callable[[Audio, str], str] | None,
) -> _Scores:
    """By language: similarity of all that is said in it, and the share of errors where somebody listens."""
    scores: _Scores = {}
    for code in {code: None for *_, code in said}:
        these = [(audio, text) for audio, text, language in said if language == code]
        scores[code] = {"similarity": similarity(sound.concat(audio for audio, _ in these), person)}
        if hear:
            scores[code]["errors"] = wrong_share([text for _, text in these], [hear(a, code) for a, _ in these])
    return scores
