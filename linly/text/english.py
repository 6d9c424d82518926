"""English words to the symbols that Kokoro was trained on, by the open dictionaries of the `misaki` package."""

from __future__ import annotations

import functools
import importlib.util
import json
import re
from pathlib import Path

from linly.text.letters import guess

VOWELS = frozenset("AIOQWYaiuæɑɐɒɔəɛɜɪʊʌᵻ")
_OWN = {
    "linly": "lˈɪnli", "python": "pˈIθˌɑn", "kokoro": "kˈOkəɹˌO", "gradio": "ɡɹˈAdiˌO", "wifi": "wˈIfˌI",
    "chatgpt": "ʧˌætʤˌipˌitˈi", "github": "ɡˈɪthˌʌb", "youtube": "jˈutˌub", "wechat": "wˈiʧˌæt", "iphone": "ˈIfˌOn",
    "ipad": "ˈIpˌæd", "qwen": "kwˈɛn", "deepseek": "dˈipsˌik", "tiktok": "tˈɪktˌɑk", "bilibili": "bˌɪlibˈɪli",
    "openai": "ˌOpᵊnˌAˈI", "linux": "lˈɪnəks", "ubuntu": "ʊbˈʊntu", "debian": "dˈɛbiən", "app": "ˈæp", "ok": "ˌOkˈA",
    "miz": "mˈɪz", "docker": "dˈɑkəɹ", "numpy": "nˈʌmpˌI", "pytorch": "pˈItˌɔɹʧ", "json": "ʤˈAsən", "etc": "ɛtsˈɛTəɹə",
    "covid": "kˈOvˌɪd", "xiaoming": "ʃˌWmˈɪŋ", "huawei": "hwˈɑwˌA", "xiaomi": "ʃˈWmˌi", "alibaba": "ˌɑlibˈɑbə",
}  # fmt: skip
_BEFORE_VERB = frozenset(
    [
        "to",
        "will",
        "would",
        "can",
        "could",
        "should",
        "must",
        "may",
        "might",
        "shall",
        "i",
        "you",
        "we",
        "they",
        "who",
        "please",
        "let's",
        "let",
        "don't",
        "doesn't",
        "didn't",
        "can't",
        "cannot",
        "won't",
        "wouldn't",
        "couldn't",
        "shouldn't",
        "i'll",
        "you'll",
        "we'll",
        "they'll",
        "he'll",
        "she'll",
        "it'll",
        "never",
        "always",
        "also",
    ]
)
_BEFORE_NOUN = frozenset(
    [
        "the",
        "a",
        "an",
        "this",
        "that",
        "these",
        "those",
        "my",
        "your",
        "his",
        "her",
        "its",
        "our",
        "their",
        "some",
        "any",
        "no",
        "each",
        "every",
        "of",
        "for",
        "in",
        "on",
        "with",
        "without",
        "at",
        "by",
        "from",
        "new",
        "good",
        "great",
        "bad",
        "first",
        "last",
        "next",
        "one",
        "two",
        "three",
        "more",
        "most",
        "other",
        "another",
        "such",
    ]
)
_HAD = frozenset(
    [
        "have",
        "has",
        "had",
        "having",
        "was",
        "were",
        "been",
        "be",
        "is",
        "are",
        "i've",
        "you've",
        "we've",
        "they've",
        "he's",
        "she's",
        "it's",
    ]
)
_LETTER_RUN = re.compile(r"[A-Z]{2,}(?=[A-Z][a-z])|[A-Z]?[a-z]+(?:'[a-z]+)*|[A-Z]+(?:'s)?|[a-z]+")


def _known_forms(words: dict[str, str | dict[str, str | None]]) -> dict[str, str | dict[str, str | None]]:
    """The dictionary with Capitalised forms of lower-case entries and the other way round."""
    more = {}
    for word, sounds in words.items():
        if len(word) > 1 and word == word.capitalize() and word.lower() not in words:
            more[word.lower()] = sounds
    return words | more


class English:
    """Pronounces English words; American, or British if asked. Loading takes about 0.3 s."""

    def __init__(self, british: bool = False) -> None:
        found = importlib.util.find_spec("misaki")
        assert found and found.submodule_search_locations
        folder, kind = Path(next(iter(found.submodule_search_locations))) / "data", "gb" if british else "us"
        self.british = british
        silver = json.loads((folder / f"{kind}_silver.json").read_text("utf-8"))
        gold = json.loads((folder / f"{kind}_gold.json").read_text("utf-8"))
        self._words = _known_forms(silver | gold)
        self._letters = {c: str(gold[c]) for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}

    def word(self, word: str, before: str = "", after: str = "", onset: str = "", spell: bool = False) -> str:
        """Symbols of one word.

        `before` and `after` are its neighbours ("" across a mark or at an end), `onset` the first symbols of the word
        after it, and `spell` says that short words in capitals are acronyms (as in Chinese text).
        """
        word = word.replace("’", "'")
        vowel = None if not onset.strip("ˈˌ") else onset.strip("ˈˌ")[0] in VOWELS
        said = self._little_word(word, after, vowel) or self._acronym(word, spell)
        said = (
            said
            or self._entry(word, before, after, vowel)
            or self._inflected(word, before, after)
            or self._pieces(word)
        )
        return said.replace("ɾ", "T").replace("ʔ", "t")

    def _little_word(self, word: str, after: str, vowel: bool | None) -> str:
        """Words that sound different before a vowel or at the end of a phrase."""
        if word in ("a", "A"):
            return "ɐ" if after else "ˈA"
        if word == "I":
            return "ˌI"
        match word.lower():
            case "an":
                return "ɐn"
            case "the":
                return "ði" if vowel else "ðə"
            case "to":
                return {None: "tu", False: "tə", True: "tʊ"}[vowel]
            case "in":
                return "ˈɪn" if vowel is None else "ɪn"
            case "used" if after.lower() == "to":
                return "jˈust"
        return ""

    def _acronym(self, word: str, spell: bool) -> str:
        """AI, GPUs, U.S.: letter by letter; NASA stays a word."""
        bare = word.removesuffix("s").removesuffix("'") if word[:-1].isupper() else word
        plain = bare.replace(".", "")
        if not (plain.isalpha() and plain.isascii() and plain.isupper()) or (len(plain) == 1 and len(bare) > 1):
            return self._letters[plain] if len(plain) == 1 and plain in self._letters else ""
        entry = self._words.get(plain)
        short = isinstance(entry, dict) and entry.get("NOUN", "") is None
        known = (isinstance(entry, str) or plain.lower() in self._words or len(plain) > 5) and not short
        if len(plain) > 1 and known and not (spell and len(plain) <= 4 and not isinstance(entry, str)):
            return ""
        letters = [self._letters[c].replace("ˈ", "ˌ") for c in plain]
        letters[-1] = letters[-1].replace("ˌ", "ˈ")
        said = "".join(letters)
        return said if bare == word else with_s(said, self.british)

    def _entry(self, word: str, before: str, after: str, vowel: bool | None) -> str:
        for form in dict.fromkeys((word, word.lower(), word.capitalize())):
            if form.lower() in _OWN:
                return _OWN[form.lower()]
            entry = self._words.get(form)
            if isinstance(entry, str):
                return entry
            if entry:
                return self._by_context(entry, word.lower(), before.lower(), after.lower(), vowel)
        return ""

    def _by_context(self, entry: dict[str, str | None], word: str, before: str, after: str, vowel: bool | None) -> str:
        """One of a word's pronunciations, by its neighbours: a noun after "the", a verb after "to"."""
        default = entry["DEFAULT"] or ""
        if vowel is None and "None" in entry:
            return entry["None"] or default
        past = entry.get("VBD") or entry.get("VBN")
        if past and word != "used" and before in _HAD:
            return past
        if before in _BEFORE_VERB or (word.endswith("s") and before in ("he", "she", "it", "which", "that")):
            return entry.get("VERB") or default
        if before in _BEFORE_NOUN:
            return entry.get("NOUN") or default
        if after in ("the", "a", "an", "my", "your", "his", "her", "our", "their", "it", "them", "us", "me"):
            return entry.get("VERB") or default
        return default

    def _inflected(self, word: str, before: str, after: str) -> str:
        """Forms in -s, -ed, -ing, -ly and the like of a word that is known."""
        lower = word.lower()
        for ending, replacements in _ENDINGS:
            if not lower.endswith(ending) or len(lower) < len(ending) + 2:
                continue
            stem = lower[: -len(ending)]
            for replacement in replacements:
                base = stem[:-1] if replacement == "<" and stem[-1:] == stem[-2:-1] else stem + replacement.strip("<")
                said = self._entry(base, before, after, False) if len(base) > 1 else ""
                if said:
                    return _suffixed(said, ending, self.british)
        return ""

    def _pieces(self, word: str) -> str:
        """Neither known nor a form of a known word: parts of it, then letter by letter."""
        parts = _LETTER_RUN.findall(word)
        if len(parts) > 1:
            return _compound([self.word(part) for part in parts])
        lower = re.sub(r"[^a-z]", "", _plain_letters(word.lower()))
        if lower != word.lower() and lower:
            return self.word(lower)
        for at in range(len(lower) - 3, 2, -1):
            left, right = (self._entry(part, "", "", False) for part in (lower[:at], lower[at:]))
            if left and right:
                return _compound([left, right])
        if not re.search("[aeiouy]", lower) and len(lower) < 6:
            return self._acronym(lower.upper(), True) if lower else ""
        return guess(lower)


_ENDINGS = (
    ("'s", ("",)), ("s'", ("s", "")), ("'ve", ("",)), ("'ll", ("",)), ("'d", ("",)), ("n't", ("",)), ("'", ("",)),
    ("ies", ("y",)), ("es", ("e", "")), ("s", ("",)), ("ied", ("y",)), ("ed", ("e", "", "<")),
    ("ing", ("", "e", "<")), ("in'", ("", "e", "<")), ("ly", ("",)), ("ness", ("",)), ("less", ("",)), ("ful", ("",)),
    ("able", ("", "e")), ("ization", ("ize",)), ("er", ("", "e", "<")), ("ers", ("", "e", "<")),
)  # fmt: skip
_TAILS = {
    "'ve": "əv", "'ll": "ᵊl", "'d": "d", "n't": "ᵊnt", "'": "", "s'": "", "ing": "ɪŋ", "in'": "ɪn", "ly": "li",
    "ness": "nəs", "less": "ləs", "ful": "fᵊl", "able": "əbᵊl", "er": "əɹ", "ers": "əɹz",
}  # fmt: skip


_FULL = {
    "ə": "ʌ",
    "ɐ": "A",
    "ᵊ": "ʌ",
    "ðə": "ði",
    "tə": "tu",
    "tʊ": "tu",
    "ɐn": "æn",
    "kᵊn": "kæn",
    "ənd": "ænd",
    "əv": "ʌv",
}
"""Vowels and little words that are weak, in full."""


def stressed(said: str) -> str:
    """Symbols of a word that is emphasised: a little word that is weak in a sentence is said in full, with stress.

    Other words have their stress already; the voice model knows no stronger one (measured: a second mark adds nothing).
    """
    if "ˈ" in said:
        return said
    bare = said.replace("ˌ", "")
    bare = _FULL.get(bare, bare)
    vowel = next((i for i, c in enumerate(bare) if c in VOWELS), -1)
    return said if vowel < 0 else f"{bare[:vowel]}ˈ{_FULL.get(bare[vowel], bare[vowel])}{bare[vowel + 1 :]}"


def with_s(said: str, british: bool) -> str:
    """Symbols of a word with the -s of a plural or a possessive."""
    if said[-1:] in tuple("szʃʒʧʤ"):
        return said + ("ɪz" if british else "ᵻz")
    return said + ("s" if said[-1:] in tuple("ptkfθ") else "z")


def _suffixed(said: str, ending: str, british: bool) -> str:
    if ending in ("'s", "es", "s", "ies", "s'"):
        return with_s(said, british)
    if ending in ("ed", "ied"):
        if said[-1:] in ("t", "d"):
            return said + ("ɪd" if british else "ᵻd")
        return said + ("t" if said[-1:] in tuple("pkfθʃsʧ") else "d")
    if ending == "ization":
        return said.removesuffix("Iz").replace("ˈ", "ˌ") + "əzˈAʃən"
    return said + _TAILS[ending]


def _compound(parts: list[str]) -> str:
    """Several words said as one: the first carries the stress, the others half of it."""
    parts = [part for part in parts if part]
    return "".join(part if i == 0 else part.replace("ˈ", "ˌ") for i, part in enumerate(parts))


def _plain_letters(word: str) -> str:
    """café -> cafe."""
    import unicodedata

    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))


@functools.cache
def pronouncer(british: bool = False) -> English:
    """The one pronouncer of a variety."""
    return English(british)
