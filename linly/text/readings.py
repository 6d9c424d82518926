"""How a user wants words read: pinyin or IPA to the voice model's symbols, and where such words stand in a text."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence

from linly.errors import InputError
from linly.text import mandarin
from linly.text.ipa import VOCABULARY
from linly.text.language import HAN

LONGEST = 60
"""characters of a word, and three times as many of a reading"""
_TONES = {"\u0304": "1", "\u0301": "2", "\u030c": "3", "\u0306": "3", "\u0300": "4"}
_SOUNDS = (
    ("\u0361", ""), ("\u035c", ""), ("g", "ɡ"), ("'", "ˈ"), (",", "ˌ"), (":", "ː"), (".", ""), ("‿", " "), ("r", "ɹ"),
    ("ɝ", "ɜɹ"), ("əʊ", "Q"), ("oʊ", "O"), ("ou", "O"), ("eɪ", "A"), ("ei", "A"), ("aɪ", "I"), ("ai", "I"), ("aʊ", "W"),
    ("au", "W"), ("ɔɪ", "Y"), ("tʃ", "ʧ"), ("dʒ", "ʤ"), ("tɕ", "ʨ"), ("dʑ", "ʥ"), ("tʂ", "ꭧ"), ("ʈʂ", "ꭧ"), ("ts", "ʦ"),
    ("dz", "ʣ"), ("˨˩˦", "↓"), ("˧˩˧", "↓"), ("˧˥", "↗"), ("˥˩", "↘"), ("˥˥", "→"), ("˥", "→"), ("ɫ", "l"), 
    ("ʍ", "w"), ("ɨ̞", "ɨ"), ("ɐ̃", "ɐ"), ("\u032f", ""), ("\u0329", ""),
)  # fmt: skip
"""IPA (the broad kind that dictionaries print) as the model writes it, in this order."""
_VOWEL = re.compile("[AIOQWYaeiouyæøœɐɑɒɔəɚɛɜɤɨɪɯʊʌᵊᵻ]")
_LATIN = rf"[^\W_{HAN}]"


@functools.lru_cache(maxsize=4096)
def symbols(word: str, said: str) -> tuple[str, bool]:
    """The model's symbols of a reading, and whether they came from IPA.

    `said` is pinyin with a tone on each syllable ("chong2 qing4", "chóng qìng"; 5, 0 or none is neutral as long as one
    has a tone) or IPA between slashes ("/ˈlɪnli/").
    Raises InputError that names the entry.
    """
    if not word.strip() or not any(c.isalnum() for c in word) or len(word) > LONGEST:
        raise InputError(f"{word[:LONGEST]!r} is not a word to be read: give letters or characters, {LONGEST} at most.")
    said = unicodedata.normalize("NFC", said.strip())
    if len(said) > 3 * LONGEST:
        raise InputError(f"The reading of {word!r} is too long: give one word's sounds.")
    if len(said) > 2 and said[0] == said[-1] == "/":
        return _from_ipa(word, said), True
    return _from_pinyin(word, said), False


def _from_ipa(word: str, said: str) -> str:
    sounds = said[1:-1].strip()
    for old, new in _SOUNDS:
        sounds = sounds.replace(old, new)
    strange = "".join(dict.fromkeys(c for c in sounds if c not in VOCABULARY or c in ';:,.!?—…"()“”'))
    if strange:
        raise InputError(f"The reading {said} of {word!r} holds {strange!r}, which is no IPA sound that the voice has.")
    if not _VOWEL.search(sounds):
        raise InputError(f"The reading {said} of {word!r} has no vowel: write whole syllables in IPA.")
    return re.sub(" +", " ", sounds)


def _from_pinyin(word: str, said: str) -> str:
    parts = [one for part in re.split(r"[\s'’·-]+", said.lower()) if part for one in _syllables(part)]
    if not re.search("[0-5]", said + "".join(parts)):
        raise InputError(
            f'The reading {said!r} of {word!r} is neither pinyin with tones nor IPA: write it like "chong2 qing4"'
            ' or "/ˈlɪnli/".'
        )
    sounds = [_sounds(part) for part in parts]
    if not all(sounds):
        raise InputError(
            f"The reading {said!r} of {word!r} holds {parts[sounds.index('')]!r}, which is no pinyin syllable: write"
            ' syllables with their tones, like "chong2 qing4".'
        )
    characters = len(re.findall(f"[{HAN}]", word))
    spoken = len(parts) + sum(_erhua(part) for part in parts)
    if characters == len(word) and characters not in (spoken, len(parts)):
        raise InputError(f"The reading {said!r} does not fit {word!r}: give each of its characters one syllable.")
    return "".join(sounds)


def _syllables(part: str) -> list[str]:
    """chong2qing4 and chóngqìng -> chong2, qing4; lü4, lv4 and lu:4 -> lü4. What cannot be cut stays whole."""
    letters: list[str] = []
    for c in unicodedata.normalize("NFD", part.replace("u:", "ü").replace("v", "ü")):
        if c in _TONES or c in "012345":
            letters[-1:] = [letters[-1] + _TONES.get(c, c)] if letters else [c]
        elif unicodedata.combining(c) and letters:
            letters[-1] = unicodedata.normalize("NFC", letters[-1][0] + c) + letters[-1][1:]
        else:
            letters.append(c)
    return _cut(letters) or [part]


def _cut(letters: list[str]) -> list[str]:
    """Syllables of one or more letters, each of which may carry a tone; longest first. Empty if there is no way."""
    for size in range(min(len(letters), 8), 0, -1):
        plain = "".join(one[0] for one in letters[:size])
        tones = [one[1:] for one in letters[:size] if one[1:]]
        one = plain + "".join(tones)
        if len(tones) > 1 or not _sounds(one) or (_erhua(one) and size < len(letters)):
            continue  # an r within belongs to the syllable after it: Zhōngguórén
        rest = _cut(letters[size:])
        if rest or size == len(letters):
            return [one, *rest]
    return []


def _erhua(part: str) -> bool:
    """wanr2 and wan2 with the r of 儿 drawn into it."""
    bare = part.rstrip("012345")
    return bare.endswith("r") and bare not in ("r", "er")


def _sounds(part: str) -> str:
    """Symbols of one syllable such as qing4, wanr2 or r5 (no number is the neutral tone); "" if there is none such."""
    bare, tone = part.rstrip("012345"), (re.findall("[1-4]$", part) or ["5"])[0]
    if len(part) > len(bare) + 1:
        return ""
    if bare == "r":
        return mandarin.spelled("er5")
    if _erhua(part):
        head = mandarin.spelled(bare[:-1] + tone)
        return head + mandarin.spelled("er5") if head else ""
    return mandarin.spelled(bare + tone)


@functools.lru_cache(maxsize=16)
def _finder(lexicon: tuple[tuple[str, str], ...]) -> tuple[re.Pattern[str], dict[str, tuple[str, bool]]]:
    """A pattern for all words, the longest first, and their symbols; of equal words the last entry counts."""
    read = {_key(word): symbols(word, said) for word, said in lexicon}
    patterns = []
    for key in sorted(read, key=len, reverse=True):
        begin = rf"(?<!{_LATIN})" if re.match(_LATIN, key) else ""
        end = rf"(?!{_LATIN})" if re.match(_LATIN, key[-1]) else ""
        inside = r"\s+".join(re.escape(part).replace("'", "['’]") for part in key.split(" "))
        patterns.append(f"{begin}{inside}{end}")
    return re.compile("|".join(patterns), re.IGNORECASE), read


def _key(word: str) -> str:
    return " ".join(word.lower().replace("’", "'").split())


def find(text: str, lexicon: Sequence[tuple[str, str]]) -> Iterator[tuple[int, int, str, bool]]:
    """(begin, end, symbols, whether from IPA) of each word of the lexicon in `text`, in order, the longest first.

    Latin letters match whatever their case and as whole words; Chinese characters wherever they stand.
    Raises InputError for an entry that cannot be read.
    """
    if not lexicon:
        return
    pattern, read = _finder(tuple((word, said) for word, said in lexicon))
    for found in pattern.finditer(text):
        yield (*found.span(), *read[_key(found[0])])
