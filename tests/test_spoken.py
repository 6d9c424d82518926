"""What of a model's answer is spoken, and in which pieces, however its stream is cut."""

from __future__ import annotations

import itertools
import random

import pytest

from linly.chat.clauses import MOST, clauses
from linly.chat.spoken import spoken

CASES = {
    "<think>\nHmm, they <b>ask</b>.\n</think>\n\n**Paris** is the capital.": "Paris is the capital.",
    "<Thinking>So.</Thinking>Yes.<reasoning>Or no.</reasoning> Surely.": "Yes. Surely.",
    "<think>and never an end": "",
    "◁think▷想一想◁/think▷好的。": "好的。",
    "*smiles warmly* Hello! *waves* How are you? (laughs) Fine.": "Hello! How are you? Fine.",
    "（微笑）你好！*点点头* 我很好。": "你好！ 我很好。",
    "It is *really* good, __so__ good, `very` good.": "It is really good, so good, very good.",
    "See [the Louvre](https://a.b/c_d) ![map](x.png), please 😀.": "See the Louvre , please .",
    "# Title\n\n- First item\n- Second, with **bold text**\n": "Title\nFirst item\nSecond, with bold text\n",
    "Code:\n```python\nprint(1)\n```\nDone.": "Code:\nDone.",
    "| a | b |\n|---|---|\n| 1 | 2 |\nSo.": "a, b\n1, 2\nSo.",
    "3 * 4 = 12, a_b < c & d, $3.50 and 25 °C.": "3 * 4 = 12, a_b < c & d, $3.50 and 25 °C.",
    "法国的首都是**巴黎**，一共有3.5万件展品！": "法国的首都是巴黎，一共有3.5万件展品！",
    "<p>Hello</p> &amp; <b>welcome</b>.": "Hello & welcome .",
}


def cut(text: str, seed: int) -> list[str]:
    rng, pieces, at = random.Random(seed), [], 0
    while at < len(text):
        size = rng.choice((1, 1, 2, 3, 5, 9))
        pieces.append(text[at : at + size])
        at += size
    return pieces


@pytest.mark.parametrize("written", CASES, ids=range(len(CASES)))
def test_only_what_is_meant_to_be_heard_is_left_however_the_stream_is_cut(written) -> None:
    heard = {"".join(spoken(cut(written, seed))) for seed in range(40)} | {"".join(spoken([written]))}
    assert {" ".join(one.split()) for one in heard} == {" ".join(CASES[written].split())}


def test_thoughts_that_the_template_began_end_where_they_end() -> None:
    assert "".join(spoken(["thoughts</think>", "The answer."])) == "The answer."
    assert "".join(spoken([*"A long thought. </think>The answer."])).endswith("The answer.")


def test_what_is_certain_is_not_held_back() -> None:
    given: list[str] = []

    def stream():
        for word in ["The", "capital", "of", "France", "is", "Paris,", "a", "city", "on", "the", "Seine."]:
            yield word + " "
            when.append("".join(given))

    when: list[str] = []
    for piece in spoken(stream()):
        given.append(piece)
    assert when[5].startswith("The capital of France is")


TEXTS = {
    "en": (
        "The capital of France is Paris. It lies on the Seine, and has 2.1 million people.",
        "Mr. Smith paid $3.50, i.e. 3.5 dollars, at 10:30. Then he left with Dr. Jones. 1. Apples. 2. Pears.",
        "Nobody really knows how small birds find their way home across the sea in the dark of a winter night",
        'She said: "Come in! The tea is ready." Then they sat down.',
        "Yes.",
        "No! " * 30,
    ),
    "zh": (
        "法国的首都是巴黎，它在塞纳河边，有210万人。你想去看看吗？",
        "这是一个没有任何标点符号但是又非常非常长的句子所以必须在词的边界处切开才能尽快开始说话",
        "今天气温是25.5度，湿度60%，出门请带伞。明天会更冷。",
        "好。",
        "他说：“进来吧！茶已经泡好了。”然后大家坐下。",
    ),
}


@pytest.mark.parametrize("language, text", [(code, text) for code, texts in TEXTS.items() for text in texts])
def test_clauses_are_the_text_and_the_first_is_short_but_whole(language, text) -> None:
    for seed in range(10):
        pieces = list(clauses(cut(text, seed), language))
        assert "".join(pieces).rstrip() == text.rstrip()
        assert all(any(c.isalnum() for c in piece) for piece in pieces)
        for before, after in itertools.pairwise(pieces):
            assert not (before[-1].isalnum() and after[0].isascii() and after[0].isalnum()), (before, after)
            assert not before.rstrip().endswith(("Mr.", "Dr.", "i.e.", "1.", "2."))
            assert not (before[-1].isdigit() or (before[-1] in ".,:" and after[0].isdigit()))
        first = pieces[0]
        long = len(first) if language == "zh" else len(first.split())
        assert long <= MOST[language] + (6 if first.rstrip()[-1] in ",.!?，。！？:：" else 0)
        assert len(pieces) == 1 or long >= 2 or first.rstrip()[-1] in ".!?。！？"


def test_the_first_clause_is_there_before_the_sentence_ends() -> None:
    for language in ("en", "zh"):
        text, taken = TEXTS[language][0], []

        def stream(text: str = text, taken: list[str] = taken):
            for letter in text:
                taken.append(letter)
                yield letter

        next(clauses(stream(), language))
        assert len(taken) < 0.6 * len(text)
