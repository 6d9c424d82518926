"""Chinese characters with several readings, by what stands around them, and the tones of 一 and 不."""

from __future__ import annotations

import functools
import re
import tomllib
from pathlib import Path


@functools.cache
def _rules() -> list[tuple[re.Pattern[str], list[str]]]:
    """Patterns with the reading of each character that they match, from the file beside this one."""
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return [(re.compile(pattern), said.split()) for pattern, said in table["rules"]]


def settle(text: str, readings: list[str], last: frozenset[int]) -> list[str]:
    """`readings` (pinyin with a tone number) of each character of a run of Chinese, mended by what is around it.

    `last` are the places of characters with which a word ends.
    """
    mended = list(readings)
    for pattern, said in _rules():
        for found in pattern.finditer(text):
            for i, one in enumerate(said, found.start()):
                mended[i] = mended[i] if one == "." else one
    for i, c in enumerate(text):
        if c == "儿" and i in last and i and _erhua(text, i):
            mended[i] = "er5"
    return [_bent(text, i, mended, last) for i in range(len(text))]


def _erhua(text: str, i: int) -> bool:
    """Whether the 儿 of a word's end only colours the syllable before it."""
    return text[i - 1] not in "女婴幼孤少健血胎男宠患生弃娇妻小育托产"


_COUNTED = frozenset("零一二三四五六七八九十百千万亿幺点")


def _bent(text: str, i: int, readings: list[str], last: frozenset[int]) -> str:
    """不 before a falling tone rises; 一 rises before it and falls before the others, unless it counts or orders.

    The voice model bends two third tones by itself (measured on its pitch), but not 不.
    """
    if i + 1 >= len(text) or text[i] not in "一不":
        return "yi1" if text[i] == "一" else readings[i]
    tone = readings[i + 1][-1]
    if text[i] == "不":
        return "bu2" if tone == "4" else "bu4"
    before, after = text[i - 1 : i], text[i + 1]
    counted = (
        after in "零一二三四五六七八九十幺月号楼级"
        or (after == "点" and text[i + 2 : i + 3] in _COUNTED)
        or before in _COUNTED
        or before in tuple("第初期周之星")
    )
    if counted or (i in last and i - 1 not in last and i) or (before == "月" and after == "日"):
        return "yi1"
    return "yi2" if tone == "4" or after == "个" else "yi4"
