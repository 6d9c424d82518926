"""Chinese words to the symbols that Kokoro was trained on (misaki's legacy Chinese front end)."""

from __future__ import annotations

import functools
import itertools
import re
from typing import Any

from linly.text.language import HAN
from linly.text.polyphones import settle

_ODD = {"n": "en", "ng": "en", "m": "mu", "hm": "heng", "hng": "heng", "ê": "ei", "yo": "you", "lo": "luo"}


@functools.cache
def _parts() -> tuple[Any, Any, Any]:
    """jieba, pypinyin's lazy_pinyin and misaki's table: about 1 s, once."""
    import jieba
    from misaki.zh import ZHG2P
    from pypinyin import Style, lazy_pinyin

    jieba.setLogLevel(60)  # it talks on standard error
    jieba.initialize()
    return jieba, functools.partial(lazy_pinyin, style=Style.TONE3, neutral_tone_with_five=True), ZHG2P


def words(text: str) -> list[str]:
    """Chinese characters as words."""
    return list(_parts()[0].lcut(text, cut_all=False))


def syllables(run: list[str]) -> list[list[str]]:
    """Kokoro's symbols of each character of each word of a run of Chinese; "" for one that nothing is known of.

    Readings are those of the dictionary of phrases, mended by what stands around them.
    """
    _, pinyin, table = _parts()
    said = [one for word in run for one in pinyin(word, errors=list)]
    text = "".join(run)
    if len(said) == len(text):
        ends = frozenset(itertools.accumulate(map(len, run)))
        said = settle(text, said, frozenset(end - 1 for end in ends))
    symbols = iter([_symbols(table, one) for one in said])
    return [list(itertools.islice(symbols, len(word))) for word in run]


@functools.cache
def inventory() -> frozenset[str]:
    """Every syllable of Mandarin, without tones."""
    from pypinyin import pinyin_dict
    from pypinyin.contrib.tone_convert import to_normal

    readings = {one for all_ in pinyin_dict.pinyin_dict.values() for one in all_.split(",")}
    return frozenset(to_normal(one, v_to_u=True) for one in readings)


@functools.lru_cache(maxsize=4096)
def spelled(pinyin: str) -> str:
    """Symbols of one syllable with its tone as a number at the end ("lü4"); "" if Mandarin has none such."""
    return _symbols(_parts()[2], pinyin) if pinyin[:-1] in inventory() else ""


@functools.lru_cache(maxsize=4096)
def _symbols(table: Any, pinyin: str) -> str:
    if re.fullmatch(f"[{HAN}]", pinyin):
        return ""
    try:
        said = table.py2ipa(pinyin)
    except (ValueError, AssertionError, KeyError):
        bare, tone = re.sub(r"\d", "", pinyin), (re.findall(r"\d", pinyin) or ["5"])[0]
        if bare not in _ODD:
            return ""
        said = table.py2ipa(_ODD[bare] + tone)
    return str(said).replace("\u032f", "")
