"""How much of an answer was really heard: words whose greater part was played before the sound went out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from linly.values import Utterance

CLOSING = ",.;:!?…，。；：！？、\"'”’）)"
"""marks that belong to the word before them"""


@dataclass(frozen=True)
class Heard:
    """What was played of an answer."""

    seconds: float = 0.0
    text: str = ""
    """as it was written, up to the last word that was heard"""


def heard(played: Iterable[tuple[Utterance, float]]) -> Heard:
    """What was heard of these utterances, each played for so many seconds."""
    seconds, text = 0.0, ""
    for utterance, lasted in played:
        seconds += lasted
        piece = spoken(utterance, lasted)
        wide = not text or not piece or ord(text[-1]) > 0x2E7F or ord(piece[0]) > 0x2E7F
        text += piece if wide else f" {piece}"
    return Heard(round(seconds, 3), text)


def spoken(utterance: Utterance, seconds: float) -> str:
    """The part of its text that was heard in its first `seconds`; by the words' times if known, else in proportion."""
    text = utterance.text.strip()
    if seconds >= utterance.audio.seconds - 1e-6:
        return text
    if not utterance.words:
        return _whole_words(text, seconds / utterance.audio.seconds)
    end = 0
    for word in utterance.words:
        if (word.start + word.end) / 2 > seconds:
            break
        at = text.lower().find(word.text.lower(), end)
        end = at + len(word.text) if at >= 0 else end
    while 0 < end < len(text) and text[end] in CLOSING:
        end += 1
    return text[:end].rstrip()


def _whole_words(text: str, share: float) -> str:
    """The first part of a text, cut between words where it has spaces."""
    end = int(share * len(text))
    if end < len(text) and text[end : end + 1].isascii() and not text[end].isspace():
        end = text.rfind(" ", 0, end) + 1
    return text[:end].rstrip()
