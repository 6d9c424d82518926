"""The user's pronunciation list: its file, and words read as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from linly import lexicon
from linly.errors import InputError
from linly.text.g2p import phonemise
from linly.text.readings import symbols

LIST = (
    ("重庆", "chóng qìng"), ("Linly", "/ˈlɪnli/"), ("还", "huan2"), ("还会", "hai2 hui4"), ("玩儿", "wánr"),
    ("GPT-4o", "/ˌdʒipitifɔrˈoʊ/"), ("New York", "/nu ˈjɔrk/"),
)  # fmt: skip


def said(text: str, language: str, accent: str = "us") -> dict[str, str]:
    spoken = phonemise(text, language, accent, LIST)
    return {word.text: spoken.symbols[word.begin : word.end] for word in spoken.words}


def test_words_are_read_as_given_in_mixed_text() -> None:
    words = said("重庆的Linly会还会还书，用GPT-4o花了$5.99去玩儿", "zh")
    assert words["重庆"] == "ꭧʰʊ↗ŋʨʰi↘ŋ"
    assert words["Linly"] == "ˈlɪnli"
    assert words["还会"] == "xai↗xwei↘"  # the longest entry first
    assert words["还"] == "xwa↗n"
    assert words["GPT-4o"] == "ˌʤipitifɔɹˈO"
    assert words["$5.99"] == "u↓tjɛ↓n ʨjou↓ʨjou↓ mei↓ɥɛ↗n"
    assert words["玩儿"] == "wa↗nɚ"


def test_latin_words_match_whole_whatever_their_case_or_spaces() -> None:
    words = said("LINLY’s friends: Linlys of new  york, by linly.", "en")
    assert words["LINLY’s"] == "ˈlɪnliz"
    assert words["Linlys"] != "ˈlɪnliz"
    assert words["new  york"] == "nu ˈjɔɹk"
    assert words["linly"] == "ˈlɪnli"
    assert words["of"] == phonemise("of Linly", "en").symbols.split()[0]


def test_spans_cover_the_symbols_in_order() -> None:
    spoken = phonemise("在重庆，Linly’s 还会用 3.5GB。Then New York!", "zh", "us", LIST)
    assert [w.text for w in spoken.words] == ["在", "重庆", "Linly’s", "还会", "用", "3.5", "GB", "Then", "New York"]
    places = [edge for word in spoken.words for edge in (word.begin, word.end)]
    assert places == sorted(places)
    assert places[-1] == len(spoken.symbols) - 1


def test_a_chinese_voice_says_ipa_in_its_own_sounds_and_pinyin_as_it_is() -> None:
    assert "ɹ" in said("New York和重庆", "zh")["New York"]
    assert "ɻ" in said("New York和重庆", "zh", "zh")["New York"]
    assert said("New York和重庆", "zh", "zh")["重庆"] == "ꭧʰʊ↗ŋʨʰi↘ŋ"


def test_another_language_takes_the_list_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linly.text.foreign._espeak", lambda text, voice: text.lower())
    spoken = phonemise("Hola, Linly, soy ana.", "es", "us", LIST)
    assert spoken.symbols == "hola, ˈlɪnli, soy ana."
    assert [(w.text, spoken.symbols[w.begin : w.end]) for w in spoken.words][1] == ("Linly", "ˈlɪnli")


@pytest.mark.parametrize(
    ("word", "reading", "sounds"),
    [
        ("绿色", "lǜsè", "ly↘sɤ↘"),
        ("绿", "lv4", "ly↘"),
        ("女", "nü3", "ny↓"),
        ("知道", "zhīdao", "ꭧɨ→tau"),
        ("么", "me5", "mɤ"),
        ("中国人", "Zhōngguórén", "ꭧʊ→ŋkwo↗ɻə↗n"),
        ("西安", "xī'ān", "ɕi→a→n"),
        ("重庆", "chong2qing4", "ꭧʰʊ↗ŋʨʰi↘ŋ"),
        ("花儿", "huār", "xwa→ɚ"),
        ("花儿", "hua1 er5", "xwa→ɚ"),
        ("Xi", "/ʃiː/", "ʃiː"),
        ("Choi", "/ˈt͡ʃɔɪ/", "ˈʧY"),
    ],
)
def test_readings(word: str, reading: str, sounds: str) -> None:
    assert symbols(word, reading)[0] == sounds


@pytest.mark.parametrize(
    ("word", "reading", "reason"),
    [
        ("重庆", "chong qing", "neither pinyin with tones nor IPA"),
        ("重庆", "chong2", "does not fit '重庆'"),
        ("行", "hang2 zhang3", "does not fit '行'"),
        ("Linly", "lin-lee", "neither pinyin with tones nor IPA"),
        ("Linly", "lin2 loy4", "'loy4', which is no pinyin syllable"),
        ("Linly", "/l@nli/", "'@', which is no IPA sound"),
        ("Linly", "/nz/", "has no vowel"),
        ("Linly", "//", "neither pinyin"),
        ("Linly", "", "neither pinyin"),
        ("Linly", "a1" * 200, "too long"),
        ("...", "a1", "is not a word"),
        ("", "a1", "is not a word"),
    ],
)
def test_a_bad_entry_is_named_in_one_sentence(word: str, reading: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        phonemise("Hello Linly", "en", "us", ((word, reading),))
    assert "\n" not in str(caught.value)


def test_a_list_is_saved_and_loaded_whole(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    lexicon.save(LIST, file)
    assert lexicon.load(file) == LIST
    assert [one.name for one in tmp_path.iterdir()] == ["words.txt"]
    with pytest.raises(InputError, match="chong"):
        lexicon.save((("重庆", "chong"),), file)
    assert lexicon.load(file) == LIST


def test_a_list_may_hold_remarks_and_come_in_another_encoding(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    text = "# 名字\n\n重庆 = chong2 qing4\nE=mc2 = /ˌiːmsiːˈskwɛrd/\n"
    file.write_text(text, encoding="utf-8-sig")
    assert lexicon.load(file) == (("重庆", "chong2 qing4"), ("E=mc2", "/ˌiːmsiːˈskwɛrd/"))
    file.write_text(
        "重庆 = chong2 qing4\n这是一个词表的注释 = zhe4 shi4 yi1 ge4 ci2 biao3 de5 zhu4 shi4\n", encoding="gb18030"
    )
    assert lexicon.load(file)[0] == ("重庆", "chong2 qing4")
    file.write_text("", encoding="utf-8")
    assert lexicon.load(file) == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"Linly\n", "line 1: 'Linly' is not a word and its reading"),
        (b"a = a1\n\nLinly = lin\n", "line 3: The reading 'lin' of 'Linly'"),
        (b"Linly = /a/\nLINLY = /b/\nlinly = /i/", "line 2: The reading"),
        (b"Linly = /a/\nLINLY = /i/", "line 2: 'LINLY' is there twice"),
        (b"\x00\x01\x02\xff\xfe\x00", "text file"),
        (b"x" * 600_000, "larger than 500 kB"),
    ],
)
def test_a_bad_file_says_which_line(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "words.txt"
    file.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        lexicon.load(file)


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no pronunciation list"):
        lexicon.load(tmp_path / "none.txt")
    with pytest.raises(InputError, match="There is no pronunciation list"):
        lexicon.load("a\0b")
