"""What marks in a text do to how it is said: pauses and emphasis."""

from __future__ import annotations

import pytest

from linly import audio, bench_voices, library, registry
from linly.text.g2p import phonemise
from linly.text.heard import wrong_share
from linly.text.markup import STRESSED
from linly.text.sentences import Sentence, sentences
from linly.values import Style


def said(text: str, language: str = "en") -> list[str]:
    return [phonemise(s.text, language, stress=s.stressed).symbols for s in sentences(text)]


@pytest.mark.parametrize(
    ("text", "language", "marks"),
    [
        ("Wait, please; now: go on… yes — or no?", "en", [",", ";", ":", "…", "—", "?"]),
        ("Wait... yes -- or no!", "en", ["…", "—", "!"]),
        ("等一下，好；现在：走……是——不？", "zh", [",", ";", ":", "…", "—", "?"]),
        ("春、夏、秋、冬。", "zh", [",", ",", ",", "."]),
        ("没有句号", "zh", ["."]),
    ],
)
def test_marks_become_the_pauses_that_the_voice_knows(text: str, language: str, marks: list[str]) -> None:
    sounds = "".join(said(text, language))
    assert [c for c in sounds if c in ",;:…—?!."] == marks


def test_a_paragraph_ends_with_a_longer_pause() -> None:
    assert [s.last for s in sentences("One. Two.\n\nThree.")] == [False, True, True]


@pytest.mark.parametrize(
    ("text", "word", "sounds"),
    [
        ("I think that he *can* do it.", "can", "kˈæn"),
        ("**The** plan is good.", "The", "ðˈi"),
        ("It is not _a_ plan.", "a", "ˈA"),
        ("Give it **to** me.", "to", "tˈu"),
        ("***He*** said it.", "He", "hˈi"),
        ("It was **very** good.", "very", "vˈɛɹi"),
    ],
)
def test_emphasised_little_words_are_said_in_full(text: str, word: str, sounds: str) -> None:
    (sentence,) = sentences(text)
    spoken = phonemise(sentence.text, "en", stress=sentence.stressed)
    assert (word, sounds) in [(w.text, spoken.symbols[w.begin : w.end]) for w in spoken.words]


def test_only_the_words_in_the_marks_are_stressed() -> None:
    (sentence,) = sentences("He can do what he *can* do.")
    assert sentence.text == "He can do what he can do."
    assert [sentence.text[a:b] for a, b in sentence.stressed] == ["can"]
    assert sentence.stressed[0][0] == 18
    assert said("He can do what he *can* do.")[0].count("kˈæn") == 1


def test_emphasis_leaves_nothing_in_the_text() -> None:
    made = list(sentences(f"**Stop.** Then *he, she* and `it`; ~~no~~ 中文**重点**{STRESSED} 2 * 3 * 4."))
    assert [s.text for s in made] == ["Stop.", "Then he, she and it; no 中文重点 2 * 3 * 4."]
    assert [[s.text[a:b] for a, b in s.stressed] for s in made] == [["Stop"], ["he", "she"]]
    assert Sentence("plain", last=True).stressed == ()


@pytest.mark.slow
@pytest.mark.parametrize(("voice", "language", "more"), [("af_heart", "en", 0.05), ("zf_xiaoxiao", "zh", 0.15)])
def test_fast_speech_loses_no_words(models, voice: str, language: str, more: float) -> None:
    """As the model itself speaks at twice the pace, first syllables are lost: 13 % of letters in English."""
    speak, hear = registry.open_engine("speak", "kokoro"), registry.open_engine("hear", "whisper")
    chosen, texts = library.find_voice(speak, voice, language), bench_voices.SENTENCES[language]

    def spoken(text: str, rate: float) -> audio.Audio:
        return audio.concat(u.audio for u in speak.speak(text, chosen, Style(language=language, rate=rate)))

    wrong = {r: wrong_share(texts, [hear.quick(spoken(t, r), language).text for t in texts]) for r in (1.0, 2.0)}
    assert wrong[2.0] <= wrong[1.0] + more
    assert spoken(texts[0], 2.0).seconds < 0.65 * spoken(texts[0], 1.0).seconds
