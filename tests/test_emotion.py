"""What a sentence sounds like is what the face shows: moods read from words, and faces measured in pictures."""

from __future__ import annotations

import pytest

from linly.text import sentiment
from linly.text.language import detect

SAID = {
    "happy": (
        "I am so happy to see you again!",
        "What a wonderful day, I love it.",
        "Congratulations, you have won the first prize!",
        "Thank you very much for your help.",
        "The film was not bad at all.",
        "Don't be sad, everything is fine.",
        "I have never been so happy.",
        "I can't wait to show you our new garden!",
        "Hello everyone, welcome to our channel 😊",
        "See you at the party :)",
        "今天我非常高兴。",
        "太棒了，我们成功了！",
        "谢谢大家的支持。",
        "别难过，一切都会好起来的。",
        "这部电影真不错。",
        "祝你生日快乐！",
        "欢迎来到我们的课堂。",
        "虽然有点累，但是我很开心。",
    ),
    "sad": (
        "I am sorry to say that my grandmother passed away.",
        "She felt lonely and began to cry.",
        "I'm not happy with this result.",
        "Unfortunately we lost the match.",
        "It is not good, and it hurts.",
        "The food was nice, but the evening was terrible.",
        "I miss you 😢",
        "我不高兴。",
        "听到这个消息，我非常难过。",
        "很遗憾，我们失败了。",
        "他孤独地流泪。",
        "我一点也不开心。",
        "本来很顺利，可是最后太让人失望了。",
        "对不起，我来晚了。",
        "这个结果不是很好。",
    ),
    "serious": (
        "Warning: this chemical is dangerous.",
        "You must follow the rules strictly.",
        "This is an urgent matter of public security.",
        "Be careful, the risk is severe.",
        "Please pay attention to the deadline.",
        "注意，这里非常危险。",
        "必须严格遵守法律规定。",
        "严禁在此处吸烟。",
        "请认真对待安全责任。",
        "后果非常严重。",
    ),
    "surprised": (
        "Wow, I can't believe it!",
        "Suddenly the door opened out of nowhere.",
        "What?! You did that alone?",
        "Oh my god, that is unbelievable!",
        "I never expected this.",
        "天哪，真的吗？",
        "没想到他竟然来了！",
        "这真是不可思议。",
        "哇，怎么可能！",
        "突然，灯灭了。",
    ),
    "neutral": (
        "The meeting begins at three o'clock.",
        "Water boils at one hundred degrees.",
        "The train to London leaves from platform four.",
        "What time is it?",
        "Options: (a) one, (b) two.",
        "There is no danger.",
        "我们明天去北京。",
        "水在一百度沸腾。",
        "这本书有三百页。",
        "现在几点了？",
        "这里没有危险。",
        "我最好明天再来。",
        "",
    ),
}
CLEAR = [(text, emotion) for emotion, texts in SAID.items() for text in texts]


def test_nine_of_ten_clear_sentences_are_read_rightly_in_each_language() -> None:
    for chinese in (True, False):
        asked = [(text, e) for text, e in CLEAR if (detect(text) == "zh") is chinese]
        wrong = [(t, e, sentiment.read(t).emotion) for t, e in asked if sentiment.read(t).emotion != e]
        assert len(asked) >= 25 and len(wrong) <= 0.1 * len(asked), wrong


@pytest.mark.parametrize(
    ("plain", "turned"),
    [
        ("happy", "not happy"),
        ("I like it, good", "I don't think it is good"),
        ("高兴", "不高兴"),
        ("开心", "没有开心过"),
    ],
)
def test_a_denied_joy_is_sad(plain: str, turned: str) -> None:
    assert (sentiment.read(plain).emotion, sentiment.read(turned).emotion) == ("happy", "sad")


@pytest.mark.parametrize(
    ("bad", "turned"), [("bad", "not bad"), ("难过", "不难过"), ("disappointed", "wasn't disappointed")]
)
def test_a_denied_sorrow_is_happier(bad: str, turned: str) -> None:
    assert (sentiment.read(bad).emotion, sentiment.read(turned).emotion) == ("sad", "happy")
    assert sentiment.read(turned).strength < sentiment.read(bad).strength


def test_degree_and_exclamation_raise_the_strength() -> None:
    for weak, plain, strong, loud in (
        ("I am a bit happy.", "I am happy.", "I am very happy.", "I am very happy!"),
        ("我有点难过。", "我难过。", "我非常难过。", "我非常难过！"),
    ):
        strengths = [sentiment.read(text).strength for text in (weak, plain, strong, loud)]
        assert strengths == sorted(strengths) and len(set(strengths)) == 4 and strengths[-1] <= 1


def test_cues_are_where_the_words_are() -> None:
    ((place, _),) = sentiment.read("We went home that evening and were happy.").cues
    assert place > 0.8
