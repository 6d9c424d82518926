"""English as it is said: what is written in digits, signs and abbreviations becomes words."""

from __future__ import annotations

import re
from collections.abc import Callable

from linly.text.numbers import cardinal, decimal, digits, ordinal, plural, year

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_SHORT = {m[:3]: m for m in _MONTHS} | {"Sept": "September"}
_MONTH = "(?P<month>" + "|".join([*_MONTHS, *(rf"{s}\b\.?" for s in ("Sept", *(m[:3] for m in _MONTHS)))]) + ")"
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_MONEY = {
    "$": ("dollar", "cent"),
    "€": ("euro", "cent"),
    "£": ("pound", "penny"),
    "¥": ("yuan", ""),
    "₹": ("rupee", ""),
}
_SCALE = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion", "tn": "trillion"}
_PER = {"month": "month", "mo": "month", "year": "year", "yr": "year", "h": "hour", "hr": "hour", "hour": "hour",
        "day": "day", "week": "week", "kg": "kilogram", "night": "night", "user": "user",
        "person": "person"}  # fmt: skip
_UNITS = {
    "km/h": "kilometers per hour", "mph": "miles per hour", "m/s": "meters per second", "km": "kilometers",
    "cm": "centimeters", "mm": "millimeters", "nm": "nanometers", "m": "meters", "ft": "feet", "in": "inches",
    "mi": "miles", "kg": "kilograms", "mg": "milligrams", "g": "grams", "lbs": "pounds", "lb": "pounds", "oz": "ounces",
    "ml": "milliliters", "mL": "milliliters", "l": "liters", "L": "liters", "ms": "milliseconds", "s": "seconds",
    "sec": "seconds", "min": "minutes", "mins": "minutes", "h": "hours", "hr": "hours", "hrs": "hours",
    "KB": "kilobytes", "MB": "megabytes", "GB": "gigabytes", "TB": "terabytes", "Mbps": "megabits per second",
    "Gbps": "gigabits per second", "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz",
    "W": "watts", "kW": "kilowatts", "kWh": "kilowatt hours", "V": "volts", "mAh": "milliamp hours", "dB": "decibels",
    "km²": "square kilometers", "km2": "square kilometers", "m²": "square meters", "m2": "square meters",
    "m³": "cubic meters", "fps": "frames per second", "°C": "degrees Celsius", "℃": "degrees Celsius",
    "°F": "degrees Fahrenheit", "℉": "degrees Fahrenheit", "°": "degrees", "kcal": "kilocalories", "px": "pixels",
}  # fmt: skip
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_WORDS = {
    "e.g.": "for example", "i.e.": "that is", "a.k.a.": "also known as", "etc.": "et cetera", "vs.": "versus",
    "vs": "versus", "approx.": "approximately", "Mr.": "mister", "Mrs.": "missus", "Ms.": "miz", "Dr.": "doctor",
    "Prof.": "professor", "Gen.": "general", "Capt.": "captain", "Jr.": "junior", "Sr.": "senior",
    "Inc.": "incorporated",
    "Ltd.": "limited", "Corp.": "corporation", "Dept.": "department", "Ave.": "avenue", "Blvd.": "boulevard",
    "Rd.": "road", "Fig.": "figure", "Figs.": "figures", "Eq.": "equation", "Vol.": "volume", "Ch.": "chapter",
    "w/": "with", "w/o": "without", "&": "and", "a.m.": "AM", "p.m.": "PM",
}  # fmt: skip
_ROMAN = {"II": 2, "III": 3, "IV": 4, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "XI": 11, "XII": 12, "XIV": 14, "XVI": 16}
_FRACTIONS = {"½": "one half", "¼": "one quarter", "¾": "three quarters", "⅓": "one third", "⅔": "two thirds"}


def english(text: str) -> str:
    """`text` with numbers, dates, times, money, units, signs and abbreviations as words."""
    text = text.replace("’", "'").replace("‘", "'").replace("−", "-")
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return re.sub(r"[^\S\n]+", " ", text).strip()


def _month(name: str) -> str:
    return _SHORT.get(name.rstrip("."), name.rstrip("."))


def _date(m: re.Match[str]) -> str:
    parts = m.groupdict()
    said = f"{_month(parts['month'])} {ordinal(int(parts['day']))}"
    return said + (f", {year(int(parts['year']))}" if parts.get("year") else "")


def _numeric_date(m: re.Match[str]) -> str:
    month, day = int(m["m"]), int(m["d"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return m[0]
    return f"{_MONTHS[month - 1]} {ordinal(day)}, {year(int(m['y']))}"


def _time(m: re.Match[str]) -> str:
    hour, minute = int(m["h"]), int(m["m"])
    if hour > 24 or minute > 59:
        return m[0]
    half = (m["half"] or "").replace(".", "").upper()
    if minute == 0:
        said = cardinal(hour) + ("" if half else " hundred hours" if hour > 12 or hour == 0 else " o'clock")
    else:
        said = f"{cardinal(hour)} {cardinal(minute) if minute > 9 else 'oh ' + cardinal(minute)}"
    return f"{said} {half}".rstrip()


def _money(m: re.Match[str]) -> str:
    unit, cent = _MONEY[m["sign"]]
    amount, scale, per = m["n"].replace(",", ""), m["scale"], m["per"]
    whole, _, part = amount.partition(".")
    many = unit if unit == "yuan" else unit + "s"
    if scale:
        said = f"{decimal(amount)} {_SCALE.get(scale.lower(), scale)} {many}"
    elif len(part) == 2 and cent:
        cents = f"{cardinal(int(part))} {cent if int(part) == 1 else 'pence' if cent == 'penny' else cent + 's'}"
        dollars = f"{cardinal(int(whole))} {unit if int(whole) == 1 else many}"
        said = dollars if part == "00" else cents if int(whole) == 0 else f"{dollars} and {cents}"
    else:
        said = f"{decimal(amount)} {unit if amount == '1' else many}"
    return ("minus " if m["minus"] else "") + said + (f" per {_PER[per]}" if per else "")


def _measure(m: re.Match[str]) -> str:
    n, unit = m["n"], _UNITS[m["unit"]]
    if n == "1":
        head, _, tail = unit.partition(" ")
        head = {"feet": "foot", "inches": "inch", "degrees": "degree", "hertz": "hertz"}.get(
            head, head.removesuffix("s")
        )
        unit = f"{head} {tail}".strip()
    return f"{'minus ' if m['minus'] else ''}{decimal(n)} {unit}"


def _fraction(m: re.Match[str]) -> str:
    top, bottom = int(m[1]), int(m[2])
    if (top, bottom) == (24, 7):
        return "twenty-four seven"
    if not (0 < top < bottom <= 100):
        return f"{cardinal(top)} over {cardinal(bottom)}"
    name = {2: "half", 4: "quarter"}.get(bottom) or ordinal(bottom)
    return f"{cardinal(top)} {name if top == 1 else 'halves' if bottom == 2 else name + 's'}"


def _address(m: re.Match[str]) -> str:
    address = re.sub(r"(?i)^(?:https?://)?(?:www\.)?", "", m[0])
    address = address if "@" in address else re.split(r"[/?#]", address)[0]
    return address.replace("@", " at ").replace(".", " dot ").replace("-", " dash ").replace("_", " underscore ")


def _phone(m: re.Match[str]) -> str:
    groups = re.findall(r"\d+", m[0])
    return ("plus " if m[0].startswith("+") else "") + ", ".join(digits(group) for group in groups)


def _plain(m: re.Match[str]) -> str:
    """A number that no other rule took: 1100 to 2099 without a comma is a year."""
    n = m["n"]
    sign = "minus " if m["minus"] else ""
    if re.fullmatch(r"1[1-9]\d\d|20\d\d", n) and not sign:
        return year(int(n))
    return sign + decimal(n)


def _words(match: re.Match[str]) -> str:
    return _WORDS[match[0]]


_DAY, _YEAR = r"(?P<day>[0-3]?\d)", r"(?P<year>[12]\d{3})"
_ABBREVIATIONS = "|".join(sorted((re.escape(w) for w in _WORDS), key=len, reverse=True))
_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(?i)\b(?:https?://|www\.)[^\s<>\"')，。]*[\w/]|\b[\w.+-]+@[\w-]+\.[\w.-]*\w"), _address),
    (re.compile(r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|edu|io|cn|ai|gov)\b(?:/\S*\w)?"), _address),
    (re.compile(r"\bNos?\.\s*(?=\d)"), "number "),
    (re.compile(r"#(?=\d)"), "number "),
    (re.compile(r"\bpp?\.\s*(?=\d)"), "page "),
    (re.compile(r"\bSt\.(?=\s+[A-Z])(?<![a-z] St\.)"), "saint"),
    (re.compile(r"(?<=[a-z] )St\b\.?"), "street"),
    (re.compile(rf"(?<!\w)(?:{_ABBREVIATIONS})(?!\w)"), _words),
    (re.compile(r"\b(?P<y>[12]\d{3})[-/.](?P<m>[01]?\d)[-/.](?P<d>[0-3]?\d)\b"), _numeric_date),
    (re.compile(r"\b(?P<m>[01]?\d)/(?P<d>[0-3]?\d)/(?P<y>[12]\d{3})\b"), _numeric_date),
    (re.compile(rf"\b{_MONTH}\s+{_DAY}(?:st|nd|rd|th)?(?:,?\s+{_YEAR})?\b(?![:.]?\d)"), _date),
    (re.compile(rf"\b{_DAY}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}(?:,?\s+{_YEAR})?(?!\w)"), _date),
    (re.compile(r"\b(?P<h>\d{1,2}):(?P<m>\d\d)(?!\d|:)(?:\s*(?P<half>[ap]\.?m\b\.?|[AP]M\b))?", re.I), _time),
    (re.compile(r"\b(\d{1,2})\s*([ap])\.?m\b\.?", re.I), lambda m: f"{cardinal(int(m[1]))} {m[2].upper()}M"),
    (re.compile(r"(?:\+\d{1,3}[ -])?(?:\(\d{3}\) ?|\b\d{3}[-.])(?:\d{3}[-.])?\d{4}\b|\b\d{3} \d{3} \d{4}\b"), _phone),
    (re.compile(rf"(?P<minus>-)?(?P<sign>[$€£¥₹])\s?(?P<n>{_NUMBER})(?:\s?(?P<scale>(?:thousand|million|billion|trillion|"
                rf"[kmKMB]|bn|mn|tn)\b))?(?:/(?P<per>{'|'.join(_PER)})\b)?"), _money),
    (re.compile(r"(?<!\d)'?((?:1[1-9]|20)?\d0)'?s\b"), lambda m: plural(year(int(m[1])))),
    (re.compile(r"\b(\d+)\s?(?:ft|')\s?(\d{1,2})\s?(?:in\b|\")"),
     lambda m: f"{cardinal(int(m[1]))} feet {cardinal(int(m[2]))}"),
    (re.compile(rf"\b({_NUMBER})\s?[–~-]\s?(?={_NUMBER})(?!\d+-)"), r"\1 to "),
    (re.compile(rf"(?<![\w.])(?P<minus>-)?(?P<n>{_NUMBER})(?:\s|-)?(?P<unit>(?:{_UNIT})(?![\w/]))"
                r"(?<!\d in)(?!\s(?:the|a|19|20)\b)"), _measure),
    (re.compile(rf"(?<![\w.])(-?)({_NUMBER})\s?%"), lambda m: f"{'minus ' * bool(m[1])}{decimal(m[2])} percent"),
    (re.compile(r"\b(\d{1,7})(?:st|nd|rd|th)\b"), lambda m: ordinal(int(m[1]))),
    (re.compile(r"\b(\d{1,3})/(\d{1,3})\b"), _fraction),
    (re.compile("(?<=\\d)[½¼¾⅓⅔]"), lambda m: f" and {_FRACTIONS[m[0]]}"),
    (re.compile("[½¼¾⅓⅔]"), lambda m: _FRACTIONS[m[0]]),
    (re.compile(r"\b(\d+(?:\.\d+){2,})\b"), lambda m: " point ".join(cardinal(int(n)) for n in m[1].split("."))),
    (re.compile(r"(?<=[A-Z][a-z]) (X?(?:VI{0,3}|I[IVX]|III|XI{1,2}|XIV|XVI))\b"),
     lambda m: f" {cardinal(_ROMAN[m[1]])}" if m[1] in _ROMAN else m[0]),
    (re.compile(r"(?<=[A-Za-z])-?(?=\d)|(?<=\d)(?=[A-Za-z])"), " "),
    (re.compile(rf"(?<![\w.])(?P<minus>-)?(?P<n>{_NUMBER})"), _plain),
    (re.compile(r"\d+"), lambda m: f" {digits(m[0])} "),
    (re.compile(r"(?<=\w)\s?=\s?(?=\w)"), " equals "),
    (re.compile(r"(?<=\w) ?\+ ?(?=\w)"), " plus "),
    (re.compile(r"(?<=\w) ?[×✕] ?(?=\w)"), " times "),
    (re.compile(r"(?<=\w)\+\+"), " plus plus"),
    (re.compile("°C|℃"), " degrees Celsius "),
    (re.compile("°F|℉"), " degrees Fahrenheit "),
    (re.compile("%"), " percent "),
    (re.compile("@"), " at "),
    (re.compile("(?<=[A-Za-z])/(?=[A-Za-z])"), " or "),
)  # fmt: skip
