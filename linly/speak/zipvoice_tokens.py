"""Text to ZipVoice's tokens: pinyin in two parts for Chinese, American English as eSpeak writes it, stops as they are.

They are made of the other voice's symbols, so that numbers, readings and a pronunciation list are the same with
every voice. What the model was taught: Zhu et al., "ZipVoice" (2025), and its tokenizer for the Emilia corpus.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from linly.text import mandarin
from linly.text.g2p import phonemise
from linly.text.language import HAN

_STOPS = {"—": ",", "…": "...", "(": "", ")": ",", "“": "", "”": "", '"': ""}
_TONES = re.compile("[↓→↗↘]")
_LONG = re.compile("(?<=[ˈˌ])i|^([^aeiouæɑɔəɛɜɪʊʌAIOWYQᵊᵻ]*)i$")
_ENGLISH = (
    ("ɜɹ", "ɜː"), ("əɹ", "ɚ"), ("u", "uː"), ("ɑ", "ɑː"), ("ɔ", "ɔː"), ("A", "eɪ"), ("I", "aɪ"), ("O", "oʊ"),
    ("W", "aʊ"), ("Y", "ɔɪ"), ("Q", "əʊ"), ("T", "ɾ"), ("ᵊ", "ə"), ("ʤ", "dʒ"), ("ʧ", "tʃ"), ("ː" * 2, "ː"),
)  # fmt: skip


def vocabulary(path: Path) -> frozenset[str]:
    """The tokens of a model's tokens.txt: one a line, a tab, its number."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return frozenset(line.rpartition("\t" if "\t" in line else " ")[0] for line in lines if line.strip())


def tokens(
    text: str,
    language: str,
    lexicon: Sequence[tuple[str, str]] = (),
    stress: Sequence[tuple[int, int]] = (),
) -> list[str]:
    """What is said in a sentence, Chinese and English mixed; empty where there is nothing to say."""
    said = phonemise(text, language, "us", lexicon, stress)
    out: list[str] = []
    at, was_chinese = 0, True
    for word in said.words:
        symbols = said.symbols[word.begin : word.end]
        syllables = _syllables(word.text, symbols)
        out += _between(said.symbols[at : word.begin], spaced=not (was_chinese or syllables))
        out += [token for one in _bent(syllables) for token in _split(one)] or english(symbols)
        at, was_chinese = word.end, bool(syllables)
    return [*out, *_between(said.symbols[at:], spaced=False)] if said.words else []


def _between(symbols: str, spaced: bool) -> Iterator[str]:
    """Stops, and spaces between English words."""
    for symbol in symbols if spaced else symbols.replace(" ", ""):
        yield from _STOPS.get(symbol, symbol)


def english(symbols: str) -> str:
    """Kokoro's symbols of an English word as eSpeak writes them."""
    said = _LONG.sub(lambda m: m[0] + "ː", symbols)
    for old, new in _ENGLISH:
        said = said.replace(old, new)
    return said


def _bent(syllables: Sequence[str]) -> list[str]:
    """The third tone before another within a word is said, and was taught, as the second."""
    pairs = itertools.pairwise([*syllables, ""])
    return [one[:-1] + "2" if one[-1] == following[-1:] == "3" else one for one, following in pairs]


def _split(pinyin: str) -> Iterator[str]:
    """zhong1 -> zh0, ong1: parts that no sound of English shares."""
    from pypinyin.contrib.tone_convert import to_finals_tone3, to_initials

    initial = to_initials(pinyin, strict=False)
    final = to_finals_tone3(pinyin, strict=False, neutral_tone_with_five=True)
    if initial:
        yield initial + "0"
    if final:
        yield final


def _syllables(written: str, symbols: str) -> list[str]:
    """The pinyin of a Chinese word's symbols; empty if it is no Chinese word.

    Where an n or ng may end one syllable or begin the next (qīn'ài, qīnài), the characters' own readings decide.
    """
    symbols = symbols.replace(" ", "")
    characters = re.findall(f"[{HAN}]", written)
    if not characters and not _TONES.search(symbols):
        return []
    best: list[str] = []
    for parse in itertools.islice(_parses(symbols), 64):
        best = best or parse
        if len(parse) == len(characters) and all(map(_may_be, characters, parse)):
            return parse
    return best


def _parses(symbols: str) -> Iterator[list[str]]:
    """Every way to cut symbols into syllables, the longest first."""
    if not symbols:
        yield []
    table = _table()
    for size in range(min(len(symbols), max(map(len, table))), 0, -1):
        if one := table.get(symbols[:size]):
            for rest in _parses(symbols[size:]):
                yield [one, *rest]


@functools.cache
def _table() -> dict[str, str]:
    """Symbols -> pinyin with its tone as a number. Rare spellings of the same sound give way to the common one."""
    rare = ("yo", "lo", "n", "ng", "m", "hm", "hng", "ê")
    common = sorted(mandarin.inventory(), key=lambda one: one in rare)
    table: dict[str, str] = {}
    for bare, tone in itertools.product(common, "12345"):
        if said := mandarin.spelled(bare + tone):
            table.setdefault(said, bare + tone)
    return table


@functools.lru_cache(maxsize=4096)
def _may_be(character: str, pinyin: str) -> bool:
    from pypinyin import Style
    from pypinyin import pinyin as readings

    bare = pinyin.rstrip("12345").replace("ü", "v")
    return bare in readings(character, style=Style.NORMAL, heteronym=True)[0]
