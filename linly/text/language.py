"""Which language a text is in, and where it changes script."""

from __future__ import annotations

import re
from collections.abc import Iterator

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ffff\u3007"
"""Chinese characters, as the inside of a regular expression's class."""

_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\u1100-\u11ff\uac00-\ud7af]")),
    ("zh", re.compile(f"[{HAN}]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
)
_LATIN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_COMMON = {
    "en": "the a an of and to in is that it was for you with are this have not be on at by i we he she they what my "
    "your his her its our their as or if so no but from who when where how why will would can could do does did has "
    "had were been all some more then there here now me us hello hi good thank thanks please yes one",
    "es": "el la los las de que y en un una es por con para no se del su como está más pero muy hola qué gracias",
    "fr": "le la les de des et en un une est que pour dans pas sur au qui ce avec je vous nous elle sont bonjour merci",
    "it": "il lo la gli di che e in un una è per con non del della sono come questo anche ma si ciao grazie buongiorno",
    "pt": "o a os as de que e em um uma é por com para não se do da como mais mas você são isso olá obrigado",
    "de": "der die das und ist nicht ein eine ich wir sie mit von zu auf für den dem im es auch",
}
_WORDS = {language: frozenset(words.split()) for language, words in _COMMON.items()}


def detect(text: str) -> str:
    """ISO 639-1 code of the language of `text`: by script, then by its common words; "en" if nothing tells.

    Chinese with English words is Chinese as long as it has no more words than Chinese characters.
    """
    latin = _LATIN.findall(re.sub(f"[{HAN}\u3040-\u30ff\uac00-\ud7af]", " ", text))
    for language, script in _SCRIPTS:
        found = len(script.findall(text))
        if language == "ja" and found and found * 20 < len(re.findall(f"[{HAN}]", text)):
            continue  # one kana in a Chinese text is a quotation
        if found and found >= len(latin):
            return language
    words = [word.lower() for word in latin]
    scores = {language: sum(word in common for word in words) for language, common in _WORDS.items()}
    best = max(scores, key=lambda language: scores[language])
    sure = 2 if len(words) > 4 else 1  # one word in a long text may be a name or a loan
    return best if scores[best] > scores["en"] and scores[best] >= sure else "en"


def runs(text: str, language: str) -> Iterator[tuple[str, str]]:
    """`text` cut where its script changes: (language, piece); spaces and marks stay with the piece before them.

    Latin letters within Chinese or Japanese are read as English, Chinese characters within any other language as
    Chinese, and everything else in `language`.
    """
    asian = language in ("zh", "ja", "ko")
    current, begin = "", 0
    for found in re.finditer(f"(?P<han>[{HAN}]+)|(?P<latin>[A-Za-zÀ-ɏ]+)", text):
        latin = "en" if asian else language
        han = language if language == "ja" else "zh"
        here = han if found["han"] else latin
        if current and here != current:
            yield current, text[begin : found.start()]
            begin = found.start()
        current = here
    if text[begin:]:
        yield current or language, text[begin:]
