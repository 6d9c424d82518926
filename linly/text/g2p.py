"""One sentence to the symbols of the voice model, word by word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from linly.text import mandarin, readings
from linly.text.align import align
from linly.text.english import English, pronouncer, stressed, with_s
from linly.text.foreign import pronounce
from linly.text.ipa import known
from linly.text.language import HAN
from linly.text.normalise import normalise
from linly.text.words import Pronunciation, Word

_UNIT = re.compile(
    rf"(?P<han>[{HAN}]+)|(?P<word>(?:[A-Z]\.){{2,}}|[^\W\d_{HAN}]+(?:['’][^\W\d_{HAN}]+)*'?)"
    r"|(?P<mark>…+|\.{3,}|[-–—]{2,}|[^\w\s])"
)
_MARKS = {
    "，": ",", "、": ",", "。": ".", "．": ".", "！": "!", "？": "?", "：": ":", "；": ";", "·": "", "～": ",", "~": "",
    "「": "“", "『": "“", "《": "", "〈": "", "【": "(", "（": "(", "[": "(", "{": "(", "«": "“", "»": "”",
    "」": "”", "』": "”", "》": "", "〉": "", "】": ")", "）": ")", "]": ")", "}": ")", "–": "—", "-": "",
    "‘": "", "’": "",
}  # fmt: skip
_GENITIVE = re.compile(r"['’]s\b")
_SAID = frozenset(";:,.!?—…“”()")
_OPENING = frozenset("“(")
_STOP = re.compile("(?<!s)([ptk])(?=[ˈˌ]?[AIOQWYaiuæɑɐɒɔəɛɜɪʊʌᵻɹljw])")
_RHOTIC = re.compile("[ɜə]ɹ(?![ˈˌAIOQWYaiuæɑɐɔəɛɪʊʌ])")
_CHINESE = str.maketrans({"A": "ei", "I": "ai", "O": "ou", "W": "au", "Y": "ɔi", "ɹ": "ɻ", "ʤ": "ꭧ", "ʧ": "ꭧʰ"})


def _chinese_accent(symbols: str) -> str:
    """English sounds by the nearest symbols that a Chinese voice knows.

    p, t and k get their breath written out, since the bare symbols are the sounds of pinyin b, d and g to it.
    """
    return _RHOTIC.sub("ɚ", _STOP.sub(r"\1ʰ", symbols)).translate(_CHINESE)


@dataclass
class _Unit:
    kind: str
    """"han", "word", "mark", or "read" for a word of the lexicon"""
    text: str
    begin: int
    """place of what is written for it in the text"""
    end: int
    symbols: str = ""


def phonemise(
    text: str,
    language: str,
    accent: str = "us",
    lexicon: Sequence[tuple[str, str]] = (),
    stress: Sequence[tuple[int, int]] = (),
) -> Pronunciation:
    """How `text` is said in `language` (ISO 639-1), in Kokoro's symbols, with the written word of each stretch.

    Chinese and English mix freely; `accent` is how English words are said: "us", "gb" or "zh" (for voices that were
    trained on Chinese alone). Words of `lexicon` are read as it says, in any language (see `readings`);
    English words within `stress` (begin and end in `text`) are said in full. Empty symbols
    if nothing in it can be said. Raises InputError that names what to install for a language whose front end is
    missing, or a lexicon's entry that cannot be read.
    """
    if language not in ("zh", "en"):
        return _foreign(text, language, lexicon)
    units: list[_Unit] = []
    at = 0
    for begin, end, said, from_ipa in readings.find(text, lexicon):
        units += _units(text, at, begin, language)
        at = _with_s(text, end)
        units.append(_Unit("read", text[begin:at], begin, at, said if at == end else with_s(said, accent == "gb")))
        if from_ipa and accent == "zh":
            units[-1].symbols = _chinese_accent(units[-1].symbols)
    units += _units(text, at, len(text), language)
    _pronounce(units, pronouncer(accent == "gb") if any(u.kind == "word" for u in units) else None, language == "zh")
    for unit in units:
        if unit.kind == "word" and any(begin < unit.end and end > unit.begin for begin, end in stress):
            unit.symbols = stressed(unit.symbols)
    if accent == "zh":
        for unit in units:
            if unit.kind == "word":
                unit.symbols = _chinese_accent(unit.symbols)
    return _join(units, text)


def _foreign(text: str, language: str, lexicon: Sequence[tuple[str, str]]) -> Pronunciation:
    """A text in a language that another program reads, around the words of the lexicon."""
    symbols, words, at = "", list[Word](), 0
    for begin, end, said, _ in [*readings.find(text, lexicon), (len(text), len(text), "", False)]:
        piece = text[at:begin]
        around = pronounce(piece, language) if any(c.isalnum() for c in piece) else Pronunciation(piece.strip(), ())
        sounds = around.symbols if end == begin or piece.rstrip()[-1:] in tuple(".!?…") else around.symbols.rstrip(".")
        symbols = symbols.rstrip() + ("" if sounds[:1] in _SAID or not symbols else " ")
        words += [Word(word.text, len(symbols) + word.begin, len(symbols) + word.end) for word in around.words]
        symbols += sounds + (" " if sounds and said else "")
        if said:
            words.append(Word(text[begin:end], len(symbols), len(symbols) + len(said)))
        symbols, at = symbols + said, end
    symbols = known(symbols.strip())
    return Pronunciation(symbols + ("." if words and symbols[-1] not in ".!?…" else ""), tuple(words))


def _with_s(text: str, end: int) -> int:
    """Where a word ends that is written with the 's of a possessive."""
    found = _GENITIVE.match(text, end)
    return found.end() if found else end


def _units(text: str, begin: int, end: int, language: str) -> list[_Unit]:
    """Words and marks of text[begin:end] as it is said; runs of Chinese characters are cut into words."""
    written = text[begin:end]
    if not written.strip():
        return []
    spoken = re.sub(r"(?<=\s)-(?=\s)", "—", normalise(written, language))
    tokens = align(written, spoken)
    units: list[_Unit] = []

    def add(kind: str, said: str, place: int) -> None:
        ranges = [(a, b) for s, e, a, b in tokens if s < place + len(said) and e > place and b > a]
        start, stop = (min(a for a, _ in ranges), max(b for _, b in ranges)) if ranges else (-1, -1)
        units.append(_Unit(kind, said, begin + start, begin + stop) if ranges else _Unit(kind, said, -1, -1))

    for found in _UNIT.finditer(spoken):
        if found["han"]:
            at = found.start()
            run = mandarin.words(found["han"])
            for word, symbols in zip(run, mandarin.syllables(run), strict=True):
                add("han", word, at)
                units[-1].symbols = "".join(symbols)
                at += len(word)
        else:
            add("word" if found["word"] else "mark", found[0], found.start())
    return units


def _pronounce(units: list[_Unit], english: English | None, spell: bool) -> None:
    """Fill in the symbols, from the end, since the sound of "the" depends on the word after it."""
    for i in range(len(units) - 1, -1, -1):
        unit = units[i]
        if unit.kind == "mark":
            unit.symbols = _mark(unit.text, units[:i])
        elif unit.kind == "word":
            assert english is not None
            before = units[i - 1].text if i and units[i - 1].kind == "word" else ""
            after = units[i + 1] if i + 1 < len(units) and units[i + 1].kind in ("word", "read") else None
            onset = after.symbols if after else ""
            unit.symbols = english.word(unit.text, before, after.text if after else "", onset, spell)


def _mark(mark: str, before: list[_Unit]) -> str:
    if mark == '"':
        return "”" if sum(unit.text == '"' for unit in before) % 2 else "“"
    if mark[0] in "….":
        return "…" if len(mark) > 1 or mark == "…" else "."
    mark = "—" if len(mark) > 1 else _MARKS.get(mark, mark)
    return mark if mark in _SAID else ""


def _join(units: list[_Unit], text: str) -> Pronunciation:
    """Symbols in a row: spaces between words, marks on the word before; each word with what it is written as."""
    symbols, glue = "", True
    words: list[tuple[int, int, int, int]] = []  # begin and end in symbols, begin and end in text
    for unit in units:
        if not unit.symbols:
            continue
        if unit.kind == "mark":
            opening = unit.symbols in _OPENING
            if not opening and (not symbols or symbols[-1] in _SAID):
                continue
            symbols += (" " if opening and symbols else "") + unit.symbols
            glue = opening
            continue
        symbols += "" if glue or not symbols else " "
        begin, glue = len(symbols), False
        symbols += unit.symbols
        start, end = unit.begin, unit.end
        if words and (start < words[-1][3]):
            words[-1] = (words[-1][0], len(symbols), words[-1][2], max(end, words[-1][3]))
        else:
            words.append((begin, len(symbols), max(start, 0), end))
    symbols = symbols.rstrip(" —(“")
    if words and symbols[-1] not in ".!?…”),;:":
        symbols += "."
    return Pronunciation(symbols, tuple(Word(text[a:b].strip(" ,;:，。！？、"), i, j) for i, j, a, b in words))
