"""Text for speech: language, sentences, spoken forms, pronunciation, alignment."""

from __future__ import annotations

import itertools
import time

import pytest

from linly.errors import InputError
from linly.text.g2p import phonemise
from linly.text.ipa import VOCABULARY, timed
from linly.text.language import detect, runs
from linly.text.markup import plain_line
from linly.text.normalise import normalise
from linly.text.sentences import LONGEST, seconds, sentences, split


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hello there, how are you?", "en"),
        ("你好，世界", "zh"),
        ("我们用 Python 和 GPU 做 AI 课程的演示", "zh"),
        ("The word 你好 means hello in Chinese", "en"),
        ("こんにちは、世界", "ja"),
        ("¿Cómo está usted? Muy bien, gracias", "es"),
        ("Je suis dans la maison avec les enfants", "fr"),
        ("Questo è il libro che sono venuto a prendere", "it"),
        ("Você não está em casa, mas eu estou", "pt"),
        ("नमस्ते दुनिया", "hi"),
        ("안녕하세요", "ko"),
        ("Привет", "ru"),
        ("12345", "en"),
        ("Hello from a script.", "en"),
        ("A man, a plan, a canal", "en"),
        ("She saw El Niño on the map of the coast", "en"),
        ("Bonjour", "fr"),
        ("", "en"),
    ],
)
def test_detects_the_language(text: str, language: str) -> None:
    assert detect(text) == language


def test_runs_split_by_script_and_lose_nothing() -> None:
    text = "我用Python写code，很好。"
    pieces = list(runs(text, "zh"))
    assert [language for language, _ in pieces] == ["zh", "en", "zh", "en", "zh"]
    assert "".join(piece for _, piece in pieces) == text


CHINESE = {
    "今天是2024年3月5日，下午3:30开会。": "今天是二零二四年三月五日，下午三点三十分开会。",
    "气温是-5℃到12.5℃": "气温是零下五摄氏度到十二点五摄氏度",
    "从¥1,299.00降到$5.99，便宜20%": "从一千二百九十九元降到五点九九美元，便宜百分之二十",
    "请拨打13812345678": "请拨打幺三八，幺二三四，五六七八",
    "比分3:2，占3/4": "比分三比二，占四分之三",
    "长5km，重3.5kg": "长五公里，重三点五千克",
    "第1名，90年代": "第一名，九十年代",
    "10-20人": "十到二十人",
    "湿度60%-70%": "湿度百分之六十到百分之七十",
    "2019-2024年": "二零一九到二零二四年",
    "约1亿2000万人": "约一亿两千万人",
    "2个苹果": "两个苹果",
    "版本v2.5.1": "版本v二点五点一",
    "１００％": "百分之一百",
    "臺灣的經濟": "台湾的经济",
    "看www.baidu.com/s?x=1": "看baidu点com",
    "1+1=2": "一加一等于二",
    "我有GPT-4": "我有GPT 四",
}

ENGLISH = {
    "It costs $5.99.": "It costs five dollars and ninety-nine cents.",
    "$1.5 million or $3bn": "one point five million dollars or three billion dollars",
    "on March 5, 2024, at 9:30 a.m.": "on March fifth, twenty twenty-four, at nine thirty AM",
    "5 March 2024": "March fifth, twenty twenty-four",
    "2024-03-05": "March fifth, twenty twenty-four",
    "in 1905 and 2008": "in nineteen oh five and two thousand eight",
    "the 1990s": "the nineteen nineties",
    "45.6% of 1,234,567": "forty-five point six percent of one million two hundred thirty-four thousand five hundred"
    " sixty-seven",
    "-5°C": "minus five degrees Celsius",
    "1 km, 5 km/h": "one kilometer, five kilometers per hour",
    "3/4 and 1/2": "three quarters and one half",
    "Call 555-123-4567": "Call five five five, one two three, four five six seven",
    "pages 10-20": "pages ten to twenty",
    "the 21st century": "the twenty-first century",
    "Dr. Smith & Mrs. Jones": "doctor Smith and missus Jones",
    "16GB": "sixteen gigabytes",
    "me@example.com": "me at example dot com",
    "see https://www.example.com/a?b=c.": "see example dot com.",
    "version 2.5.1": "version two point five point one",
    "3:00": "three o'clock",
    "$20/month": "twenty dollars per month",
    "5 ft 10 in": "five feet ten",
    "1,000,000": "one million",
    "007": "oh oh seven",
}


@pytest.mark.parametrize(("written", "spoken"), CHINESE.items())
def test_chinese_is_read_out(written: str, spoken: str) -> None:
    assert normalise(written, "zh") == spoken


@pytest.mark.parametrize(("written", "spoken"), ENGLISH.items())
def test_english_is_read_out(written: str, spoken: str) -> None:
    assert normalise(written, "en") == spoken


@pytest.mark.parametrize(
    ("paragraph", "pieces"),
    [
        ("Dr. Smith paid $3.50. He left.", ["Dr. Smith paid $3.50.", "He left."]),
        ("See e.g. the U.S. report. Then go!", ["See e.g. the U.S. report.", "Then go!"]),
        ("Go to www.example.com now. OK?", ["Go to www.example.com now.", "OK?"]),
        ('"Are you coming?" she asked. "Yes."', ['"Are you coming?" she asked.', '"Yes."']),
        ("他说：“你好。再见。”然后走了。真的！", ["他说：“你好。再见。”", "然后走了。", "真的！"]),
        ("圆周率是3.14。对吗？", ["圆周率是3.14。", "对吗？"]),
        ("Wait... what? Yes", ["Wait... what?", "Yes"]),
        ("no end at all", ["no end at all"]),
    ],
)
def test_splits_into_sentences(paragraph: str, pieces: list[str]) -> None:
    assert list(split(paragraph)) == pieces


@pytest.mark.parametrize(
    "text", ["", "  \n ", "😀🎉👍🏽", "<br/><p></p>", "***", "---\n```\n", "！！！……", "\u200b\ufeff"]
)
def test_nothing_to_say_gives_no_sentence(text: str) -> None:
    assert list(sentences(text)) == []


def test_markup_is_not_said() -> None:
    text = "# Title\n\n- **Bold** and [a link](http://x.y)\n\n<p>One &amp; two</p> 😀 ok"
    assert [s.text for s in sentences(text)] == ["Title", "Bold and a link", "One & two", "ok"]
    assert plain_line("snake_case_name and 2 * 3 * 4") == "snake_case_name and 2 * 3 * 4"


def test_long_sentences_are_cut_to_breath_length_and_lose_nothing() -> None:
    for text in (
        "这是一个没有句号的很长的句子，" * 40,
        "a very long sentence, without any stop " * 40,
        "好" * 500,
        "x" * 900,
    ):
        pieces = [s.text for s in sentences(text)]
        assert all(seconds(piece) <= LONGEST + 0.5 for piece in pieces)
        assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


def test_paragraph_ends_are_marked() -> None:
    assert [s.last for s in sentences("One. Two.\nThree.")] == [False, True, True]


def test_long_text_is_split_lazily() -> None:
    text = "第一句话。" * 5 + "\n" + "Another line of text. \n" * 20_000
    start = time.process_time()
    first = list(itertools.islice(sentences(text), 3))
    began = time.process_time() - start
    start = time.process_time()
    everything = sum(1 for _ in sentences(text))
    assert len(first) == 3
    assert everything == 20_005
    assert began < (time.process_time() - start) / 5  # a ratio of the same machine, not a time limit


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("It costs $5.99, doesn't it?", "en", ["It", "costs", "$5.99", "doesn't", "it"]),
        (
            "我在2024年用iPhone买了$5.99的书。",
            "zh",
            ["我", "在", "2024年", "用", "iPhone", "买", "了", "$5.99", "的", "书"],
        ),
        ("臺灣的氣溫", "zh", ["臺灣", "的", "氣溫"]),
        ("Say 你好 to him", "en", ["Say", "你好", "to", "him"]),
    ],
)
def test_words_keep_their_written_form(text: str, language: str, words: list[str]) -> None:
    assert [word.text for word in phonemise(text, language).words] == words


@pytest.mark.parametrize(
    ("text", "sounds"),
    [
        ("the apple", "ði"),
        ("the pear", "ðə"),
        ("to record it", "ɹəkˈɔɹd"),
        ("a record there", "ɹˈɛkəɹd"),
        ("GPU", "ʤˌipˌijˈu"),
        ("NASA", "nˈæsə"),
        ("would've", "wʊdəv"),
        ("kilometers", "kəlˈɑməTəɹz"),
        ("café", "kæfˈA"),
        ("used to", "jˈust"),
    ],
)
def test_english_pronunciation(text: str, sounds: str) -> None:
    assert sounds in [*phonemise(text, "en").symbols.split(), phonemise(text, "en").symbols.rstrip(".")]


@pytest.mark.parametrize(("text", "sounds"), [("重庆", "ꭧʰʊ↗ŋ"), ("银行", "i↗n xa↗ŋ"), ("嗯", "n"), ("哪儿", "na↓")])
def test_chinese_pronunciation(text: str, sounds: str) -> None:
    assert sounds.replace(" ", "") in phonemise(text, "zh").symbols.replace(" ", "")


def test_every_symbol_is_one_of_the_model() -> None:
    for text, language in (
        ("Zażółć gęślą jaźń, naïve Brontë: “quotes” — (and) more… 5€ #1 @home ~x^2 C++ a/b", "en"),
        ("“引号”《书名》【括号】——破折号……省略号、顿号；分号：冒号！？龘𠮷C++ 3D", "zh"),
    ):
        assert set(phonemise(text, language).symbols) <= set(VOCABULARY)


def test_unknown_words_get_a_plausible_sound() -> None:
    assert phonemise("Zuckerberg", "en").symbols.startswith("z")
    assert "ˈ" in phonemise("blorptastic", "en").symbols


def test_times_of_phonemes() -> None:
    symbols = "ˈA, ni↓"
    spans = timed(symbols, [2, 4, 6, 2, 3, 5, 1], 0.025, 0.1)
    assert [span.text for span in spans] == ["ˈeɪ", "n", "i˨˩˦"]
    assert [(round(s.start, 3), round(s.end, 3)) for s in spans] == [(0.1, 0.25), (0.45, 0.525), (0.525, 0.675)]


def test_a_language_without_a_front_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(InputError, match="Spanish needs the program espeak-ng"):
        phonemise("Hola a todos", "es")
    with pytest.raises(InputError, match="No voice speaks the language 'ru'"):
        phonemise("Привет", "ru")
