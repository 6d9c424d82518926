"""Written to spoken: numbers, dates, times, units, money, addresses and signs become words."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Any

from linly.text.language import HAN
from linly.text.normalise_en import english

_PUNCTUATION = str.maketrans("，；：？！（）", ",;:?!()")
_KEEP_WIDE = "，。；：？！、（）《》【】「」『』“”‘’—…·～"
_DIGITS = "零一二三四五六七八九"


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
    return "\uff00" <= c <= "\uffef" or "\u2460" <= c <= "\u24ff" or "\U0001d400" <= c <= "\U0001d7ff" or c == "\u3000"


@functools.cache
def _wetext() -> Any:
    from wetext import Normalizer

    return Normalizer(lang="zh", operator="tn", traditional_to_simple=True)


def chinese(text: str) -> str:
    """Chinese text (English words within it stay as they are), by WeTextProcessing's grammar and the rules it lacks."""
    for pattern, replacement in _BEFORE:
        text = pattern.sub(replacement, text)
    pieces = re.split(r"([^\S\n]{2,}|[。！？；，])", text)
    said = "".join(_said(piece) for piece in pieces)
    for pattern, replacement in _AFTER:
        said = pattern.sub(replacement, said)
    return said.strip()


def _said(piece: str) -> str:
    if not piece.strip() or not re.search(f"[0-9{HAN}℃°%]", piece):
        return piece
    lead = piece[: len(piece) - len(piece.lstrip())]
    try:
        return lead + str(_wetext().normalize(piece))
    except AssertionError:  # its grammar has no path for some signs: those are not said
        return lead + str(_wetext().normalize(re.sub(rf"[^\w\s.,:%/\-℃°~{_KEEP_WIDE}]", " ", piece)))


def _each(text: str) -> str:
    return "".join(_DIGITS[int(c)] if c.isdigit() else "点" for c in text)


def _phone(digits: str) -> str:
    return _each(digits).replace("一", "幺")


def _address(m: re.Match[str]) -> str:
    address = re.sub(r"(?i)^(?:https?://)?(?:www\.)?", "", m[0])
    address = address if "@" in address else re.split(r"[/?#]", address)[0]
    return address.replace("@", " at ").replace(".", "点").replace("-", " ").replace("_", " ")


def _money(m: re.Match[str]) -> str:
    amount = m[2].removesuffix(".00")
    name = {"$": "美元", "¥": "元", "€": "欧元", "£": "英镑"}[m[1]]
    per = {"month": "每月", "月": "每月", "year": "每年", "年": "每年"}.get(m[4] or "", "")
    return f"{per}{amount}{m[3] or ''}{name}"


_BEFORE = (
    (re.compile(r"(?i)(?<![a-z0-9])(?:https?://|www\.)[A-Za-z0-9./?#=&_%~:-]*[A-Za-z0-9/]|[A-Za-z0-9.+_-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]*[A-Za-z]"),
     _address),
    (re.compile(r"(?<=\d),(?=\d{3}(?!\d))"), ""),
    (re.compile(r"￥"), "¥"),
    (re.compile(r"([$¥€£])\s?(\d+(?:\.\d+)?)([万亿]*)(?:/(month|year|月|年))?"), _money),
    (re.compile(r"(?<![\d.])(\d+(?:\.\d+){2,})(?![\d.])"), lambda m: _each(m[1])),
    (re.compile(r"(?i)(?<=\bv)(\d+\.\d+)"), lambda m: _each(m[1])),
    (re.compile(r"(?<=[A-Za-z])-(?=\d)"), " "),
    (re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=(?:[A-Z]{2,}|G|K)(?![a-z/]))"), " "),
    (re.compile(r"([12]\d{3})\s?[-–—~～至]\s?([12]\d{3})(?=年)"), lambda m: f"{_each(m[1])}到{_each(m[2])}"),
    (re.compile(r"(?<=\d)\s?[–—～]\s?(?=\d)"), "~"),
    (re.compile(r"(?<![\d-])(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})(?!\d)"), lambda m: "，".join(map(_phone, m.groups()))),
    (re.compile(r"(?<![0-9A-Za-z_])[-−](?=\d+(?:\.\d+)?\s?(?:℃|°C))"), "零下"),
    (re.compile(r"(?<=%)\s?[-–—~～]\s?(?=\d)"), "到"),
    (re.compile(r"(\d{2,3})/(\d{2,3})(?=\s?mmHg)"), r"\1比\2"),
    (re.compile("mmHg"), "毫米汞柱"),
    (re.compile("℉|°F"), "华氏度"),
    (re.compile(r"°C"), "℃"),
    (re.compile(r"(?<=[\d一-龥])\s?[×✕]\s?(?=[\d一-龥])"), "乘"),
    (re.compile(r"(?<=\d)\s?=\s?(?=\d)"), "等于"),
    (re.compile(r"(?<=\d)\s?\+\s?(?=\d)"), "加"),
)  # fmt: skip
_AFTER = (
    (re.compile(r"\d"), lambda m: _DIGITS[int(m[0])]),
    (re.compile("%"), "百分之"),
    (re.compile("℃"), "摄氏度"),
    (re.compile(r"\+"), "加"),
    (re.compile("="), "等于"),
    (re.compile("&"), "和"),
)
