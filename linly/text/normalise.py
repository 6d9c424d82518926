"""Written to spoken: numbers, dates, times, units, money, addresses and signs become words."""

from __future__ import annotations

import unicodedata

from linly.text.normalise_en import english
from linly.text.normalise_zh import chinese

_KEEP_WIDE = "，。；：？！、（）《》【】「」『』“”‘’—…·～"


def normalise(text: str, language: str) -> str:
    """`text` as it is said in `language` (ISO 639-1). English and Chinese are fully handled, in Chinese text also
    traditional characters; for other languages only letters' forms are unified (their front end reads numbers)."""
    text = half_width(text)
    if language == "zh":
        return chinese(text)
    return english(text) if language == "en" else text


def half_width(text: str) -> str:
    """Full-width and other compatibility letters and digits to plain ones; Chinese punctuation stays."""
    return "".join(
        c if c.isascii() or c in _KEEP_WIDE else unicodedata.normalize("NFKC", c) if _odd(c) else c for c in text
    )


def _odd(c: str) -> bool:
    return (
        "\u2080" <= c <= "\u2089"
        or "\uff00" <= c <= "\uffef"
        or "\u2460" <= c <= "\u24ff"
        or "\U0001d400" <= c <= "\U0001d7ff"
        or c == "\u3000"
    )
