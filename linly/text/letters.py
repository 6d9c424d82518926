"""How an English word that no dictionary knows is probably said: the usual sounds of its letters, longest first."""

from __future__ import annotations

import re

_GROUPS = {
    "tious": "ʃəs", "cious": "ʃəs", "ssion": "ʃən", "tion": "ʃən", "sion": "ʒən", "cian": "ʃən", "tial": "ʃəl",
    "cial": "ʃəl",
    "ture": "ʧəɹ", "ough": "O", "eigh": "A", "augh": "ɔ", "igh": "I", "tch": "ʧ", "dge": "ʤ", "sch": "ʃ", "eer": "ɪɹ",
    "ear": "ɪɹ", "air": "ɛɹ", "our": "ɔɹ", "oor": "ɔɹ", "oar": "ɔɹ", "ore": "ɔɹ", "are": "ɛɹ", "ire": "Iɹ",
    "ure": "jʊɹ",
    "ous": "əs", "che": "ʧ", "ch": "ʧ", "sh": "ʃ", "zh": "ʒ", "th": "θ", "ph": "f", "wh": "w", "ck": "k", "ng": "ŋ",
    "qu": "kw", "gh": "ɡ", "gn": "n", "kn": "n", "wr": "ɹ", "ee": "i", "ea": "i", "ie": "i", "ei": "A", "ey": "i",
    "oo": "u", "ou": "W", "ow": "O", "oi": "Y", "oy": "Y", "ai": "A", "ay": "A", "au": "ɔ", "aw": "ɔ", "oa": "O",
    "ue": "u", "ui": "wi", "eu": "ju", "ew": "ju", "ia": "iə", "io": "iO", "ar": "ɑɹ", "er": "əɹ", "ir": "ɜɹ",
    "or": "ɔɹ", "ur": "ɜɹ", "bb": "b", "cc": "k", "dd": "d", "ff": "f", "gg": "ɡ", "kk": "k", "ll": "l", "mm": "m",
    "nn": "n", "pp": "p", "rr": "ɹ", "ss": "s", "tt": "t", "vv": "v", "zz": "z", "x": "ks",
}  # fmt: skip
_LONG = {"a": "A", "e": "i", "i": "I", "o": "O", "u": "u", "y": "I"}
_SHORT = {"a": "æ", "e": "ɛ", "i": "ɪ", "o": "ɑ", "u": "ʌ", "y": "ɪ"}
_LAST = {"a": "ə", "e": "i", "i": "i", "o": "O", "u": "u", "y": "i"}
_PLAIN = dict(zip("bdfhjklmnprstvwyz", "bdfhʤklmnpɹstvwjz", strict=True))
_VOWEL = re.compile("[AIOQWYaiuæɑɐɒɔəɛɜɪʊʌᵻ]")


def guess(word: str) -> str:
    """Kokoro's English symbols for `word` (letters only), stress on the last syllable but one."""
    word = word.lower()
    sounds: list[str] = []
    i = 0
    while i < len(word):
        sound, width = _sound(word, i)
        sounds.append(sound)
        i += width
    return _stressed(sounds)


def _sound(word: str, i: int) -> tuple[str, int]:
    for width in (5, 4, 3, 2, 1):
        group = word[i : i + width]
        if len(group) == width and group in _GROUPS and not (group == "ng" and word[i + 2 : i + 3] in tuple("eiy")):
            return _GROUPS[group], width
    letter, after = word[i], word[i + 1 :]
    if letter in "aeiouy" and not (letter == "y" and i == 0):
        if not after:
            return ("", 1) if letter == "e" and re.search("[aeiouy]", word[:i]) else (_LAST[letter], 1)
        if re.fullmatch("[bcdfgklmnpstvz]e[sd]?", after) or (
            after[0] in "bdfklmnpstvz" and after[1:2] in tuple("aiouy")
        ):
            return (_LONG if letter in "aou" or after[1:2] == "e" else _SHORT)[letter], 1
        return _SHORT[letter], 1
    if letter == "c":
        return ("s" if after[:1] in tuple("eiy") else "k"), 1
    if letter == "g":
        return ("ʤ" if after[:1] in tuple("ey") and i else "ɡ"), 1
    if letter == "q":
        return "k", 1
    return _PLAIN.get(letter, ""), 1


def _stressed(sounds: list[str]) -> str:
    vowels = [i for i, sound in enumerate(sounds) if _VOWEL.search(sound)]
    if not vowels:
        return "".join(sounds)
    full = [i for i in vowels if sounds[i] not in ("ə", "əs", "əɹ", "ʃən", "ʒən", "ʃəs", "ʧəɹ", "ʃəl")] or vowels
    at = full[-2] if len(full) > 1 else full[0]
    for i in vowels:
        if i != at and sounds[i] == "æ":
            sounds[i] = "ə"
    where = _VOWEL.search(sounds[at])
    assert where
    sounds[at] = f"{sounds[at][: where.start()]}ˈ{sounds[at][where.start() :]}"
    return "".join(sounds)
