"""What somebody is likely to say next: words and whole phrases, guessed from what they said before. Pure functions.

A table of words that followed words (at most two of context, backing off to one), an index of beginnings, and for
Chinese one of pinyin, in full ("nihao") or by its initials ("nh"). What is learnt can be unlearnt: nothing of an erased
phrase is ever suggested.
"""

from __future__ import annotations

import heapq
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from linly.text.language import HAN

MOST = 6
"""suggestions at a time"""
PHRASES = 3
"""of them whole phrases, at first"""
BACK_OFF = 0.4
"""what a guess from one word less of context is worth"""
TAIL = 200
"""characters before the caret that are looked at"""
LEARNT = 300
"""characters of a phrase from which words are learnt"""
SCANNED = 2500
"""keys that are compared for one beginning; of more, those said more than once and as many of the others"""
_HAN = re.compile(f"[{HAN}]")
_TOKEN = re.compile(f"[{HAN}]+|[^\\W\\d_{HAN}]+(?:['’-][^\\W\\d_{HAN}]+)*|\\d+|[.!?。！？…\\n]")
_TYPED = re.compile(f"(?:[^\\W\\d_{HAN}]|['’-])+$")
_SENTENCE = re.compile(r".*[.!?。！？…\n]\s*", re.S)
_END = ""
"""stands for the beginning of a sentence"""


@dataclass(frozen=True)
class Guess:
    """One suggestion."""

    text: str
    """as it is shown"""
    value: str
    """what stands before the caret when it is taken"""
    kind: str
    """"phrase" or "word" """


class Beginnings:
    """Texts by the beginnings of their keys. Several texts may share a key."""

    def __init__(self) -> None:
        self._texts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._keys: list[str] = []
        self._often: set[str] = set()
        """keys of what was counted more than once"""
        self._sorted = True

    def add(self, key: str, text: str, times: int) -> None:
        """Count `text` under `key` so many times more, or less."""
        if key not in self._texts:
            self._keys.append(key)
            self._sorted = False
        texts = self._texts[key]
        texts[text] += times
        if texts[text] <= 0:
            del texts[text]
        if any(count > 1 for count in texts.values()):
            self._often.add(key)
        else:
            self._often.discard(key)
        if not texts:
            del self._texts[key]
            self._keys.remove(key)

    def find(self, beginning: str) -> Iterator[tuple[str, int, str]]:
        """(text, how often, key) of every key that begins so."""
        if not self._sorted:
            self._keys.sort()  # nearly sorted already: quick
            self._sorted = True
        first = bisect_left(self._keys, beginning)
        last = bisect_left(self._keys, beginning + "\U0010ffff", first)
        keys = self._keys[first:last]
        if len(keys) > SCANNED:
            keys = list({*keys[:SCANNED], *(key for key in self._often if key.startswith(beginning))})
        for key in keys:
            for text, times in self._texts[key].items():
                yield text, times, key


class Guesser:
    """Learns phrases of one user and guesses the next."""

    def __init__(self) -> None:
        self._after: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        self._forms: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._words, self._phrases, self._pinyin = Beginnings(), Beginnings(), Beginnings()

    def learn(self, phrase: str, times: int = 1) -> None:
        """Count a phrase so many times more; a negative number takes back what was learnt."""
        self._phrases.add(_key(phrase), phrase, times)
        for key in pinyin(phrase):
            self._pinyin.add(key, phrase, times)
        before = (_END, _END)
        for word in tokens(phrase[:LEARNT]):
            low = word.casefold()
            if word in ".!?。！？…\n":
                before = (_END, _END)
                continue
            for context in (before, before[1:]):
                _count(self._after, context, low, times)
            _count(self._forms, low, _inside(word) if before[1] == _END else word, times)
            self._words.add(low, low, times)
            for key in pinyin(word):
                self._pinyin.add(key, word, times)
            before = (before[1], low)

    def guess(self, text: str, language: str = "en") -> list[Guess]:
        """At most MOST suggestions for what stands before the caret, the likeliest first.

        language: of the page; where it is Chinese, letters are taken for pinyin first.
        """
        text, cut = text[-TAIL:], text[:-TAIL]
        head = found[0] if (found := _SENTENCE.match(text)) else ""
        sentence = text[len(head) :]
        typed = _TYPED.search(sentence)
        letters = typed[0].casefold() if typed else ""
        stem = text[: len(text) - len(letters)] if letters else text
        words = list(self._next(sentence, stem[len(head) :], letters))
        spelled = list(self._spelled(stem, stem[len(head) :], letters)) if letters.isascii() and letters else []
        whole = list(self._whole(head, sentence, language))
        order = (
            [spelled, whole[:PHRASES], words]
            if language == "zh" or _HAN.search(stem[-1:])
            else [whole[:PHRASES], words, spelled]
        )
        taken: dict[str, Guess] = {}
        for guess in [guess for kind in order for guess in kind] + whole[PHRASES:]:
            other = not text and bool(_HAN.search(guess.text)) != (language == "zh")
            if guess.value.strip() != text.strip() and not other:
                taken.setdefault(guess.value.strip().casefold(), guess)
        return [Guess(g.text, cut + g.value, g.kind) for g in islice(taken.values(), MOST)]

    def _whole(self, head: str, sentence: str, language: str) -> Iterator[Guess]:
        """Phrases that begin like the sentence."""
        found = self._phrases.find(_key(sentence))
        if not head + sentence:  # nothing tells the language yet but the page
            found = (one for one in found if bool(_HAN.search(one[0])) == (language == "zh"))
        for phrase, _, _ in heapq.nlargest(MOST, found, key=lambda one: (one[1], -len(one[0]))):
            yield Guess(phrase, head + phrase, "phrase")

    def _next(self, sentence: str, stem: str, letters: str) -> Iterator[Guess]:
        """Words that begin with the letters, by what stands before them; without letters, words that may follow."""
        before = _context(stem)
        scores = self._scores(before)
        if letters:
            for low, times, _ in self._words.find(letters):
                scores[low] += times * 1e-6
        likely = heapq.nlargest(MOST, (x for x in scores.items() if x[0].startswith(letters)), key=lambda one: one[1])
        for low, _ in likely:
            word = self._forms[low].most_common(1)[0][0]
            word = word[0].upper() + word[1:] if before[1] == _END else word
            yield Guess(word, *_joined(stem, word), "word")
        last = _HAN.search(sentence[-1:]) and before[1]
        if last:  # a Chinese word of which only the beginning stands there
            for low, _, _ in heapq.nlargest(2, self._words.find(last), key=lambda one: one[1]):
                if low != last:
                    yield Guess(low, stem[: len(stem) - len(last)] + low, "word")

    def _spelled(self, stem: str, sentence: str, letters: str) -> Iterator[Guess]:
        """Chinese words and phrases of which the letters are the pinyin."""
        scores = self._scores(_context(sentence))
        found = self._pinyin.find(letters.replace("'", ""))
        ranked = heapq.nlargest(
            2 * MOST, found, key=lambda one: (scores.get(one[0], 0.0), one[2] == letters, one[1], -len(one[0]))
        )
        for text, _, _ in ranked:
            yield Guess(text, stem + text, "word")

    def _scores(self, before: tuple[str, ...]) -> defaultdict[str, float]:
        """How likely each known follower is, by the longest context that knows it."""
        scores: defaultdict[str, float] = defaultdict(float)
        worth = 1.0
        for context in (before, before[1:]):
            followers = self._after.get(context)
            if followers:
                total = sum(followers.values())
                for word, times in followers.items():
                    if word not in scores:
                        scores[word] = worth * times / total
            worth *= BACK_OFF
        return scores


def tokens(text: str) -> Iterator[str]:
    """Words, numbers and sentence ends; Chinese in words."""
    for found in _TOKEN.finditer(text):
        if _HAN.match(found[0]):
            yield from _chinese(found[0])
        else:
            yield found[0]


def pinyin(text: str) -> Iterable[str]:
    """The keys under which a Chinese word or phrase is found: its pinyin in full and by initials; else none."""
    han = "".join(_HAN.findall(text[:LEARNT]))
    if not han:
        return ()
    from pypinyin import lazy_pinyin

    syllables = [one.replace("ü", "v") for one in lazy_pinyin(han)]
    return {"".join(syllables), "".join(one[0] for one in syllables)}


def _chinese(text: str) -> list[str]:
    import jieba

    jieba.setLogLevel(60)  # it talks on standard error
    return [str(word) for word in jieba.cut(text, HMM=False)]


def _key(phrase: str) -> str:
    return " ".join(phrase.casefold().split())


def _context(sentence: str) -> tuple[str, ...]:
    """The last two words of what stands in this sentence so far."""
    before = [word.casefold() for word in tokens(sentence)]
    return tuple([_END, _END, *before][-2:])


def _inside(word: str) -> str:
    """The first word of a sentence as it stands within one."""
    capitals = re.match(r"I\b", word) or word[1:] != word[1:].lower()
    return word if capitals else word[0].lower() + word[1:]


def _joined(stem: str, word: str) -> tuple[str]:
    """The word after what stands before it, with the space that its script wants, and one after it."""
    if _HAN.search(word):
        return (stem + word,)
    gap = " " if stem and not stem[-1].isspace() and not _HAN.search(stem[-1]) and stem[-1].isalnum() else ""
    return (stem + gap + word + " ",)


def _count(table: defaultdict, key: object, what: str, times: int) -> None:  # type: ignore[type-arg]
    """Count in a table of counters, and leave nothing behind that was taken back."""
    counter = table[key]
    counter[what] += times
    if counter[what] <= 0:
        del counter[what]
    if not counter:
        del table[key]
