"""Kokoro's symbols: the model's numbers for them, and what they are in IPA with their times."""

from __future__ import annotations

from collections.abc import Sequence

from linly.values import Span

_RUNS = (
    (1, ";:,.!?"),
    (9, '—…"()“” \u0303ʣʥʦʨᵝꭧAI'),
    (31, "O"),
    (33, "Q"),
    (35, "ST"),
    (39, "W"),
    (41, "Yᵊabcdef"),
    (50, "hijklmnopqrstuvwxyzɑɐɒæ"),
    (75, "βɔɕç"),
    (80, "ɖðʤə"),
    (85, "ɚɛɜ"),
    (90, "ɟ"),
    (92, "ɡ"),
    (99, "ɥ"),
    (101, "ɨɪʝ"),
    (110, "ɯɰŋɳɲɴø"),
    (118, "ɸθœ"),
    (123, "ɹ"),
    (125, "ɾɻ"),
    (128, "ʁɽʂʃʈʧ"),
    (135, "ʊʋ"),
    (138, "ʌɣɤ"),
    (142, "χʎ"),
    (147, "ʒʔ"),
    (156, "ˈˌː"),
    (162, "ʰ"),
    (164, "ʲ"),
    (169, "↓"),
    (171, "→↗↘"),
    (177, "ᵻ"),
)
"""The model's vocabulary (config.json of hexgrad/Kokoro-82M): a first number, then symbols that count up from it."""
VOCABULARY = {symbol: first + i for first, run in _RUNS for i, symbol in enumerate(run)}
PAUSES = frozenset(';:,.!?—…"()“”')
_BEFORE = frozenset("ˈˌ")
_AFTER = frozenset("ː↓→↗↘ʰʲᵝ\u0303")
_IPA = {
    "A": "eɪ", "I": "aɪ", "O": "oʊ", "W": "aʊ", "Y": "ɔɪ", "Q": "əʊ", "T": "ɾ", "S": "ss", "ᵊ": "ə", "ᵻ": "ɪ",
    "ʤ": "dʒ", "ʧ": "tʃ", "ʣ": "dz", "ʥ": "dʑ", "ʦ": "ts", "ʨ": "tɕ", "ꭧ": "ʈʂ",
}  # fmt: skip
_MARKS = {"↓": "˨˩˦", "→": "˥", "↗": "˧˥", "↘": "˥˩", "ᵝ": ""}
_SHORT_GAP = 3
"""Frames of a space between words that are still one movement of the mouth."""


def known(symbols: str) -> str:
    """`symbols` without those that the model does not have."""
    return "".join(symbol for symbol in symbols if symbol in VOCABULARY)


def timed(symbols: str, frames: Sequence[int], frame: float, start: float) -> list[Span]:
    """IPA phonemes with their times in seconds; pauses are left out.

    `frames[i]` is how many frames of `frame` seconds `symbols[i]` lasts, the first from `start` on. Stress marks are
    given to the phoneme that follows; tones, length, aspiration and short spaces to the one before.
    """
    edges: list[tuple[str, int, int]] = []
    at, begin, stress = 0, 0, ""
    for i, (symbol, count) in enumerate(zip(symbols, frames, strict=True)):
        end = at + count
        touching = bool(edges) and edges[-1][2] == at
        if symbol in _BEFORE:
            stress = symbol
            at = end
            continue
        if symbol in _AFTER:
            if touching:
                edges[-1] = (edges[-1][0] + _MARKS.get(symbol, symbol), edges[-1][1], end)
        elif symbol == " ":
            if touching and count <= _SHORT_GAP and symbols[i + 1 : i + 2] not in PAUSES:
                edges[-1] = (*edges[-1][:2], end)
        elif symbol not in PAUSES:
            edges.append((stress + _IPA.get(symbol, symbol), begin, end))
        at = begin = end
        stress = ""
    return [Span(text, start + begin * frame, start + end * frame) for text, begin, end in edges]
