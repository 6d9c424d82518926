"""Chinese as it is said: WeTextProcessing's grammar, and the rules that it lacks before and after it."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from linly.text.language import HAN

_DIGITS = "零一二三四五六七八九"
_KEEP_WIDE = "，。；：？！、（）《》【】「」『』“”‘’—…·～"


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


def _phones(m: re.Match[str]) -> str:
    return "，".join(_phone(group) for group in m.groups() if group)


def _number(m: re.Match[str]) -> str:
    """A number that names something: digit by digit, written groups apart."""
    return m[1] + "，".join(map(_each, m[2].replace("-", " ").split()))


def _address(m: re.Match[str]) -> str:
    address = re.sub(r"(?i)^(?:https?://)?(?:www\.)?", "", m[0])
    address = address if "@" in address else re.split(r"[/?#]", address)[0]
    return address.replace("@", " at ").replace(".", "点").replace("-", " ").replace("_", " ")


def _money(m: re.Match[str]) -> str:
    amount = m[2].removesuffix(".00")
    per = {"month": "每月", "月": "每月", "year": "每年", "年": "每年"}.get(m[4] or "", "")
    return f"{per}{amount}{m[3] or ''}{_MONEY[m[1]]}"


def _clock(m: re.Match[str]) -> str:
    hours, minutes, seconds = (int(part) for part in m.groups()[1:])
    said = "".join(f"{n}{unit}" for n, unit in ((hours, "小时"), (minutes, "分"), (seconds, "秒")) if n)
    return m[1] + said


def _date(m: re.Match[str]) -> str:
    year, month, day = m.groups()
    return f"{year}年{int(month)}月{int(day)}日" if 1 <= int(month) <= 12 and 1 <= int(day) <= 31 else m[0]


def _fraction(m: re.Match[str]) -> str:
    return f"{'二' if m[2] == '2' else m[2]}分之{m[1]}" if int(m[2]) else m[0]


_MONEY = {
    "HK$": "港元", "US$": "美元", "NT$": "新台币", "A$": "澳元", "C$": "加元", "$": "美元", "¥": "元", "€": "欧元",
    "£": "英镑", "₽": "卢布", "₩": "韩元", "₹": "卢比",
}  # fmt: skip
_CODES = {"RMB": "元人民币", "CNY": "元人民币", "USD": "美元", "HKD": "港元", "EUR": "欧元", "JPY": "日元"}
_UNITS = {
    "kWh": "千瓦时", "kW": "千瓦", "MW": "兆瓦", "W": "瓦", "kV": "千伏", "mV": "毫伏", "V": "伏", "mAh": "毫安时",
    "mA": "毫安", "GHz": "吉赫", "MHz": "兆赫", "kHz": "千赫", "Hz": "赫兹", "dB": "分贝", "fps": "帧每秒",
    "mg": "毫克", "μg": "微克", "g": "克", "nm": "纳米", "μm": "微米", "kcal": "千卡",
    "kPa": "千帕", "Pa": "帕", "kJ": "千焦", "rpm": "转每分",
}  # fmt: skip
_FRACTIONS = {"½": "二分之1", "¼": "4分之1", "¾": "4分之3", "⅓": "3分之1", "⅔": "3分之2", "⅛": "8分之1"}
_ROMAN = "ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ"
_COMPARED = {">": "大于", "<": "小于", "≥": "大于等于", "≤": "小于等于", "≠": "不等于", "≈": "约等于", "=": "等于"}
_NAMES = (
    "验证码|校验码|邮编|邮政编码|密码|房间号|房号|门牌号|编号|工号|学号|卡号|账号|帐号|单号|号码|尾号|代码|区号|会议号|航班号|"
    "QQ群?|ID|客服|热线"
)
"""words that a number's digits are read one by one after"""
_Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]
_BEFORE: tuple[_Rule, ...] = (
    (re.compile(r"(?i)(?<![a-z0-9])(?:https?://|www\.)[A-Za-z0-9./?#=&_%~:-]*[A-Za-z0-9/]|[A-Za-z0-9.+_-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]*[A-Za-z]"),
     _address),
    (re.compile(r"(?<=\d),(?=\d{3}(?!\d))"), ""),
    (re.compile(r"￥"), "¥"),
    (re.compile("[Ⅰ-Ⅻ]"), lambda m: str(_ROMAN.index(m[0]) + 1)),
    (re.compile(r"((?:HK|US|NT|A|C)?\$|[¥€£₽₩₹])\s?(\d+(?:\.\d+)?)([万亿]*)(?:/(month|year|月|年))?"), _money),
    (re.compile(rf"(?<![A-Za-z])({'|'.join(_CODES)})\s?(\d+(?:\.\d+)?)([万亿]*)"),
     lambda m: m[2] + m[3] + _CODES[m[1]]),
    (re.compile(r"(?<=[元角分万亿])/(?=[人月年天日次斤个份件本晚张])"), "每"),
    (re.compile(r"(?<![\d.])([12]\d{3})\.([01]?\d)\.([0-3]?\d)(?![\d.])"), _date),
    (re.compile(r"(?<![\d.])(\d+(?:\.\d+){2,})(?![\d.])"), lambda m: _each(m[1])),
    (re.compile(r"(?i)(?<=\bv)(\d+\.\d+)"), lambda m: _each(m[1])),
    (re.compile(r"(?<![A-Za-z0-9])([GDCZTKYL])(\d{1,4})(?=次|列车|动车|高铁)"), lambda m: f"{m[1]} {_phone(m[2])}"),
    (re.compile(r"\+86[- ]?(?=1[3-9]\d|0\d\d)"), "加八六，"),
    (re.compile(r"(?<![\d-])(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})(?!\d)"), _phones),
    (re.compile(r"(?<![\d-])(0\d{2,3})[- ](\d{3,4})(\d{4})(?!\d)|(?<![\d-])([48]00)-?(\d{3})-?(\d{4})(?!\d)"), _phones),
    (re.compile(rf"((?:{_NAMES})(?:是|为|[:：\s])*)(\d{{3,}}(?:[ -]\d{{2,}})*)(?![\d.]|-\d)"), _number),
    (re.compile(r"()(?<![\d.])(\d{3,4})(?=房间|室(?!内|外)|号房)"), _number),
    (re.compile(r"(公元前)(\d{3,4})(?=年)"), _number),
    (re.compile(r"(耗时|用时|时长|历时|片长|长达)\s?(?:[:：]\s?)?(\d{1,2}):(\d\d):(\d\d)"), _clock),
    (re.compile(r"(?<=[A-Za-z] )(\d)/(?=\d\b)"), r"\1和"),
    (re.compile(r"(?<![\d/.])(\d{1,3})/(\d{1,3})(?![\d/.])(?!\s?mmHg)"), _fraction),
    (re.compile(r"(?<!\d)(\d)([½¼¾⅓⅔⅛])"), lambda m: f"{_each(m[1])}又{_FRACTIONS[m[2]]}"),
    (re.compile(r"[½¼¾⅓⅔⅛]"), lambda m: _FRACTIONS[m[0]]),
    (re.compile(r"±\s?(\d+(?:\.\d+)?)\s?%"), r"正负百分之\1"),
    (re.compile(r"±"), "正负"),
    (re.compile(r"(\d+(?:\.\d+)?)\s?‰"), r"千分之\1"),
    (re.compile(r"(?<![A-Za-z\d])([A-Za-z])([²³])"), lambda m: m[1] + ("的平方" if m[2] == "²" else "的立方")),
    (re.compile(r"(?<=\w)\s?([><≥≤≠≈])\s?(?=[\w-])"), lambda m: _COMPARED[m[1]]),
    (re.compile(r"\s?÷\s?"), "除以"),
    (re.compile(rf"(?<![A-Za-z\d.])(\d+(?:\.\d+)?)\s?({'|'.join(_UNITS)})(?![A-Za-z\d²³/])"),
     lambda m: m[1] + _UNITS[m[2]]),
    (re.compile(r"(?<=[A-Za-z])-(?=\d)"), " "),
    (re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=(?:[A-Z]{2,}|G|K)(?![a-z/]))"), " "),
    (re.compile(r"([12]\d{3})\s?[-–—~～至]\s?([12]\d{3})(?=年)"), lambda m: f"{_each(m[1])}到{_each(m[2])}"),
    (re.compile(r"(?<=\d)\s?[–—～]\s?(?=\d)"), "~"),
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
_AFTER: tuple[_Rule, ...] = (
    (re.compile(r"\d"), lambda m: _DIGITS[int(m[0])]),
    (re.compile("%"), "百分之"),
    (re.compile("℃"), "摄氏度"),
    (re.compile(r"\+"), "加"),
    (re.compile("="), "等于"),
    (re.compile("&"), "和"),
)
