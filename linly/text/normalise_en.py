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
    "Mt.": "mount", "Lt.": "lieutenant", "Sgt.": "sergeant", "Col.": "colonel", "Gov.": "governor", "Sen.": "senator",
    "Rev.": "reverend", "Tel.": "telephone", "tel.": "telephone", "wt.": "weight",
}  # fmt: skip
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_RULERS = (
    "King|Queen|Pope|Emperor|Henry|Louis|Charles|George|Elizabeth|Edward|James|William|Richard|Philip|Napoleon|Paul|"
    "Benedict|Catherine|Frederick|Alexander|Nicholas|Peter|Pius|Leo|Gregory|Francis|Mary|Otto|Ivan|Rameses|Ramses"
)
_PARTS = (
    "Chapter|Part|Book|Volume|Act|Scene|Section|Article|Title|Appendix|Type|Phase|Stage|War|Class|Level|Grade|Figure|"
    "Table|Canto|Amendment|Episode|Season|Mark"
)
_CODES = {
    "USD": "dollars",
    "EUR": "euros",
    "GBP": "pounds",
    "JPY": "yen",
    "CNY": "yuan",
    "RMB": "yuan",
    "HKD": "Hong Kong dollars",
}
_SOFTWARE = "Python|[Vv]ersion|Ubuntu|Debian|iOS|Android|macOS|Java|Node|CUDA|PHP|Go|Rust|Linux"
_COUNTRY = {"US": "US ", "HK": "Hong Kong ", "A": "Australian ", "C": "Canadian ", "NT": "new Taiwan "}
_WEEKDAYS = {"Mon": "Monday", "Tue": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Fri": "Friday",
             "Sat": "Saturday", "Sun": "Sunday"}  # fmt: skip
_SIGNS = {
    "÷": "divided by", "≥": "greater than or equal to", "≤": "less than or equal to", "≠": "not equal to",
    "≈": "approximately", "±": "plus or minus", ">": "is greater than", "<": "is less than",
}  # fmt: skip
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


def _day_of(m: re.Match[str]) -> str:
    the = m[0][:3] if m[0][:3].lower() == "the" else "the"
    said = f"{the} {ordinal(int(m['day']))} of {_month(m['month'])}"
    return said + (f", {year(int(m['year']))}" if m["year"] else "")


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
    unit = _COUNTRY.get(m["land"] or "", "") + unit
    many = unit if unit == "yuan" else unit + "s"
    if scale:
        deal = re.search(r"\ban?\s$", m.string[: m.start()])  # a three billion dollar deal
        said = f"{decimal(amount)} {_SCALE.get(scale.lower(), scale)} {unit if deal else many}"
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


def _triple(m: re.Match[str]) -> str:
    """Room 101, Flight BA 287: one oh one, two eighty-seven."""
    high, low = divmod(int(m[2]), 100)
    rest = "hundred" if low == 0 else f"oh {cardinal(low)}" if low < 10 else cardinal(low)
    return f"{m[1]}{cardinal(high)} {rest}"


def _long_time(m: re.Match[str]) -> str:
    parts = [
        f"{cardinal(int(n))} {unit}{'s' * (int(n) != 1)}" for n, unit in zip(m.groups(), _CLOCK, strict=True) if int(n)
    ]
    return " and ".join((" ".join(parts[:-1]), parts[-1])) if len(parts) > 1 else "".join(parts) or "zero seconds"


def _roman(text: str) -> int:
    """14 for XIV; 0 for what is no such numeral up to 399."""
    if not re.fullmatch("C{0,3}(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})", text):
        return 0
    values = [_ROMAN[c] for c in text]
    return sum(-n if values[i + 1 : i + 2] and values[i + 1] > n else n for i, n in enumerate(values))


def _numeral(m: re.Match[str]) -> str:
    n = _roman(m[2])
    if not n:
        return m[0]
    return f"{m[1]} the {ordinal(n)}" if re.fullmatch(_RULERS, m[1]) else f"{m[1]} {cardinal(n)}"


def _sum(m: re.Match[str]) -> str:
    return f" {_SIGNS[m[1]]} "


_CLOCK = ("hour", "minute", "second")


def _words(match: re.Match[str]) -> str:
    return _WORDS[match[0]]


_DAY, _YEAR = r"(?P<day>[0-3]?\d)", r"(?P<year>[12]\d{3})"
_ABBREVIATIONS = "|".join(sorted((re.escape(w) for w in _WORDS), key=len, reverse=True))
_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(?i)\b(?:https?://|www\.)[^\s<>\"')，。]*[\w/]|\b[\w.+-]+@[\w-]+\.[\w.-]*\w"), _address),
    (re.compile(r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|edu|io|cn|ai|gov)\b(?:/\S*\w)?"), _address),
    (re.compile(r"\bNos?\.\s*(?=\d)"), "number "),
    (re.compile(r"#(?=\d)"), "number "),
    (re.compile(r"\bpp\.\s*(?=\d)"), "pages "),
    (re.compile(r"\bp\.\s*(?=\d)"), "page "),
    (re.compile(r"\b(?!(?:In|At|On|The|To|From|Near|And|Visit|By|Of)\b)([A-Z][\w']*\s)St\b\.?(?!\w)"), r"\1street"),
    (re.compile(r"\bSt\.(?=\s+[A-Z])"), "saint"),
    (re.compile(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:s|r|rs|nes|ur)?\.(?=,|\s+(?:\d|[A-Z]))"),
     lambda m: _WEEKDAYS[m[1]]),
    (re.compile(rf"\b({_RULERS}) ([IVXLC]+)\b(?!\.[A-Z])"), _numeral),
    (re.compile(rf"\b((?i:{_PARTS})) ((?:[IVXLC]{{2,}}|[VX])\b|[IVX](?=\s*(?:[,.:;)]|$)))"), _numeral),
    (re.compile(r"(?i)(?<=[ap]\.m\.)\s?[-–]\s?(?=\d)|(?<=\d[ap]m)\s?[-–]\s?(?=\d)|(?<=\d [ap]m)\s?[-–]\s?(?=\d)"),
     " to "),
    (re.compile(r"(?<=\d)\s?[-–]\s?(?=[$€£¥])"), " to "),
    (re.compile(r"(?<![\d:])(\d{1,2}):([0-5]\d):([0-5]\d)(?![\d:])"), _long_time),
    (re.compile(r"\bv(?=\d)"), "version "),
    (re.compile(r"(?<=[A-Za-z])/(?=\d)"), " "),
    (re.compile(rf"\b({_SOFTWARE}) (\d+)\.(\d\d)\b(?!\.?\d)"),
     lambda m: f"{m[1]} {cardinal(int(m[2]))} point {cardinal(int(m[3])) if m[3][0] != '0' else digits(m[3])}"),
    (re.compile(r"\b([A-Z]{2} )(\d{5})(?:-(\d{4}))?\b"),
     lambda m: m[1] + ", ".join(digits(g) for g in m.groups()[1:] if g)),
    (re.compile(r"\b((?i:room|flight|suite|apartment|route|highway|bus)(?: [A-Z]{2})? )([1-9]\d\d)\b(?![.,]?\d)"),
     _triple),
    (re.compile(r"\b(number |at )([1-9]\d\d)(?=[A-Z]\b)"), lambda m: _triple(m) + " "),
    (re.compile(r"(?i)\b((?:code|pin|password|passcode|id|number)(?: is|:)? )(\d{4,10})\b"),
     lambda m: m[1] + digits(m[2])),
    (re.compile(r"\b((?:[Dd]ial|[Cc]all|[Tt]ext|[Pp]hone) )([1-9]\d\d)\b(?![-.,]?\d)"), lambda m: m[1] + digits(m[2])),
    (re.compile(r"(?<![\w-])1-(8\d\d)-(\d{3})-(\d{4})\b"),
     lambda m: f"one, {cardinal(int(m[1])) if m[1].endswith('00') else digits(m[1])}, {digits(m[2])}, {digits(m[3])}"),
    (re.compile(r"\+\d{1,3}(?:[ -]\d{2,4}){2,4}\b"), _phone),
    (re.compile(r"\b(\d+) (\d)/(\d)(?![\d/])"), lambda m: f"{m[1]} and {m[2]}/{m[3]}"),
    (re.compile(r"(?<=\d) [-−–] (?=\d+ ?=)"), " minus "),
    (re.compile(rf"\b({_NUMBER})\s?({'|'.join(_CODES)})\b"), lambda m: f"{decimal(m[1])} {_CODES[m[2]]}"),
    (re.compile(rf"\b({_NUMBER})¢"), lambda m: f"{decimal(m[1])} cent{'s' * (m[1] != '1')}"),
    (re.compile(rf"(?<![\w.$€£¥-])({_NUMBER})M\b"), lambda m: f"{decimal(m[1])} million"),
    (re.compile(r"(?<![\w.,$€£¥])\.(\d+)"), lambda m: decimal(f"0.{m[1]}").removeprefix("zero ")),
    (re.compile(rf"(?<!\w)(?:{_ABBREVIATIONS})(?!\w)"), _words),
    (re.compile(r"\b(?P<y>[12]\d{3})[-/.](?P<m>[01]?\d)[-/.](?P<d>[0-3]?\d)\b"), _numeric_date),
    (re.compile(r"\b(?P<m>[01]?\d)/(?P<d>[0-3]?\d)/(?P<y>[12]\d{3})\b"), _numeric_date),
    (re.compile(rf"\b{_MONTH}\s+{_DAY}(?:st|nd|rd|th)?(?:,?\s+{_YEAR})?\b(?![:.]?\d)"), _date),
    (re.compile(rf"(?:\b[Tt]he\s+)?\b{_DAY}(?:st|nd|rd|th)?\s+of\s+{_MONTH}(?:,?\s+{_YEAR})?(?!\w)"), _day_of),
    (re.compile(rf"\b{_DAY}(?:st|nd|rd|th)?\s+{_MONTH}(?:,?\s+{_YEAR})?(?!\w)"), _date),
    (re.compile(r"\b(?P<h>\d{1,2}):(?P<m>\d\d)(?!\d|:)(?:\s*(?P<half>[ap]\.?m\b\.?|[AP]M\b))?", re.I), _time),
    (re.compile(r"\b(\d{1,2})\s*([ap])\.?m\b\.?", re.I), lambda m: f"{cardinal(int(m[1]))} {m[2].upper()}M"),
    (re.compile(r"(?:\+\d{1,3}[ -])?(?:\(\d{3}\) ?|\b\d{3}[-.])(?:\d{3}[-.])?\d{4}\b|\b\d{3} \d{3} \d{4}\b"), _phone),
    (re.compile(rf"(?P<minus>(?<!\w)-)?(?P<land>\b(?:US|HK|NT|A|C))?(?P<sign>[$€£¥₹])\s?(?P<n>{_NUMBER})(?:\s?(?P<scale>(?:thousand|million|billion|trillion|"
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
    (re.compile(r"(?<=[A-Za-z])-?(?=\d)|(?<=\d)(?=[A-Za-z])"), " "),
    (re.compile(rf"(?<![\w.])(?P<minus>-)?(?P<n>{_NUMBER})"), _plain),
    (re.compile(r"\d+"), lambda m: f" {digits(m[0])} "),
    (re.compile(r"(?<=\w)\s?=\s?(?=\w)"), " equals "),
    (re.compile(r"(?<=\w) ?\+ ?(?=\w)"), " plus "),
    (re.compile(r"(?<=\w) ?[×✕] ?(?=\w)"), " times "),
    (re.compile(r"(?<=[A-Za-z])²"), " squared"),
    (re.compile(r"(?<=[A-Za-z])³"), " cubed"),
    (re.compile(r"\s?([÷≥≤≠≈±])\s?"), _sum),
    (re.compile(r"(?<=\w) ([<>]) (?=\w)"), _sum),
    (re.compile(r"(?<=\w)\+\+"), " plus plus"),
    (re.compile("°C|℃"), " degrees Celsius "),
    (re.compile("°F|℉"), " degrees Fahrenheit "),
    (re.compile("%"), " percent "),
    (re.compile("@"), " at "),
    (re.compile("(?<=[A-Za-z])/(?=[A-Za-z])"), " or "),
)  # fmt: skip
