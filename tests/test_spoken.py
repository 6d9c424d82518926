"""What is said of what a language model writes, and where it is cut for the voice."""

import pytest

from linly.chat.spoken import clauses, spoken

CASES = [
    ("<think>I muse\n\nand muse</think>\n\nHello **world**.", "Hello world."),
    ("<think>never ends", ""),
    ("Okay, the user greets me. I should greet.</think>Hi there!", "Hi there!"),
    ("好的，用户想要问候。</think>你好！", "你好！"),
    ("Okay, let us go!", "Okay, let us go!"),
    ("好的，我们走吧！", "好的，我们走吧！"),
    ("*smiles* Hello! *waves* I *really* mean it.", "Hello! I really mean it."),
    ("# Title\n- one\n1. two\n```python\nx=1\n```\nEnd.", "Title one two End."),
    ("See [the page](http://x.y/z). 😀", "See the page."),
    ("| a | b |\n|---|---|\n| 1 | 2 |\nso.", "a, b 1, 2 so."),
    ("这是**重点**内容，a_b_c。<b>粗</b>", "这是重点内容，a_b_c。粗"),
    ("3*4=12, 2 * 3 = 6, 5 - 2 = 3, x < y and 2**3 = 8.", "3*4=12, 2 * 3 = 6, 5 - 2 = 3, x < y and 2**3 = 8."),
    ("Fish &amp; chips cost $3.50.", "Fish & chips cost $3.50."),
]


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize(("written", "said"), CASES)
def test_only_what_is_meant_for_ears_comes_out(written, said, size):
    pieces = (written[i : i + size] for i in range(0, len(written), size))
    assert " ".join("".join(spoken(pieces)).split()).replace(" .", ".") == said


def test_plain_words_are_let_out_at_once():
    taken = []

    def pieces():
        for piece in ("The sky", " is blue", " today."):
            taken.append(piece)
            yield piece

    stream = spoken(pieces())
    assert next(stream).strip() and len(taken) <= 3


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The capital of France is Paris, which is known for a tower. It is old.", "en"),
        ("I met Mr. Smith in the 3.5 km long tunnel yesterday evening. It was dark.", "en"),
        ("It costs 1,000,000 dollars, not 3. Then we went.\nAnd so on", "en"),
        ("北京有许多著名的旅游景点和活动，比如故宫、长城和颐和园。你想去哪里？", "zh"),
        ("我非常喜欢在春天的早晨去公园里散步看花，尤其是樱花。", "zh"),
    ],
)
def test_clauses_give_the_text_back_and_end_where_one_may_pause(text, language, size):
    cut = list(clauses((text[i : i + size] for i in range(0, len(text), size)), language))
    assert "".join(cut) == text and len(cut) >= 2
    for clause in cut:
        assert not clause.rstrip().endswith(("Mr.", "3", "3.5", "1,000,", "the"))
    if language == "zh":
        assert 4 <= len(cut[0]) <= 13


def test_the_first_clause_comes_before_the_sentence_is_written():
    taken = []
    text = "The quick brown fox jumps over the lazy dog because it can do so very well indeed."

    def pieces():
        for word in text.split():
            taken.append(word)
            yield word + " "

    first = next(clauses(pieces(), "en"))
    assert len(first.split()) >= 5 and len(taken) <= 9


def test_a_long_sentence_is_cut_at_its_commas():
    text = "春天来了，" + "花园里的花都开了，" * 8 + "真好看。"
    cut = list(clauses([text], "zh"))
    assert "".join(cut) == text and len(cut) > 2 and all(c.endswith(("，", "。")) for c in cut)
