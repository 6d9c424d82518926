"""Numbers as English words."""

from __future__ import annotations

_SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES = (10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (10**3, "thousand"), (100, "hundred")
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip


def cardinal(n: int) -> str:
    """41 -> forty-one."""
    if n < 0:
        return "minus " + cardinal(-n)
    if n < 20:
        return _SMALL[n]
    if n < 100:
        return _TENS[n // 10 - 2] + (f"-{_SMALL[n % 10]}" if n % 10 else "")
    for scale, name in _SCALES:
        if n >= scale:
            rest = f" {cardinal(n % scale)}" if n % scale else ""
            return f"{cardinal(n // scale)} {name}{rest}"
    raise AssertionError(n)


def ordinal(n: int) -> str:
    """41 -> forty-first."""
    head, mark, last = _last(cardinal(n))
    if last in _ORDINALS:
        return head + mark + _ORDINALS[last]
    return head + mark + (last[:-1] + "ieth" if last.endswith("y") else last + "th")


def plural(words: str) -> str:
    """nineteen ninety -> nineteen nineties; six -> sixes."""
    if words.endswith("y"):
        return words[:-1] + "ies"
    return words + ("es" if words.endswith(("s", "x")) else "s")


def _last(words: str) -> tuple[str, str, str]:
    for mark in "-", " ":
        if mark in words:
            head, _, last = words.rpartition(mark)
            if " " not in last:
                return head, mark, last
    return "", "", words


def year(n: int) -> str:
    """1905 -> nineteen oh five; 2008 -> two thousand eight; 2024 -> twenty twenty-four."""
    high, low = divmod(n, 100)
    if n < 1000 or n > 9999 or (high % 10 == 0 and low < 10):
        return cardinal(n)
    if low == 0:
        return cardinal(high) + " hundred"
    return f"{cardinal(high)} {cardinal(low) if low > 9 else 'oh ' + _SMALL[low]}"


def digits(text: str) -> str:
    """ "305" -> three oh five, each digit by itself; other characters are left out."""
    return " ".join("oh" if c == "0" and len(text) > 1 else _SMALL[int(c)] for c in text if c in "0123456789")


def decimal(text: str) -> str:
    """ "1,234.50" -> one thousand two hundred thirty-four point five zero."""
    whole, _, part = text.replace(",", "").partition(".")
    long = len(whole) > 15 or (len(whole) > 1 and whole[0] == "0")
    words = digits(whole) if long else cardinal(int(whole or 0))
    return words + (" point " + " ".join(_SMALL[int(c)] for c in part) if part else "")
