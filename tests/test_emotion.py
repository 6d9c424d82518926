"""What a sentence sounds like is what the face shows: moods read from words, and faces measured in pictures."""

from __future__ import annotations

import itertools

import face_measure as measure
import numpy as np
import pytest
from test_move import TALK, move, say

from linly import library, registry
from linly.move import idle
from linly.pictures import load_image
from linly.text import sentiment
from linly.text.language import detect
from linly.values import EMOTIONS, Style

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


GLAD = "We went out, and I am very happy!"


def test_the_face_says_which_emotion_it_played_and_how_strongly() -> None:
    for text, emotion in ((GLAD, "happy"), ("很遗憾，我们失败了。", "sad"), ("The train leaves at four.", "neutral")):
        motion = move(say(TALK, text=text))
        assert motion.emotion == emotion and (
            0.3 < motion.strength <= 1 if emotion != "neutral" else motion.strength == 0
        )
    for emotion in EMOTIONS[1:]:
        motion = move(say(TALK, text=GLAD), emotion=emotion)
        assert motion.emotion == emotion and (motion.strength == 0) is (emotion == "neutral")


def test_neutral_plays_none_and_a_fixed_emotion_shows_throughout() -> None:
    neutral, happy = (move(say(TALK, text=GLAD, start=9.0), emotion=e).curve("smile") for e in ("neutral", "happy"))
    assert np.abs(neutral).max() == 0 and happy.min() > 0.3 and happy.max() < 0.7


def test_the_smile_rises_where_the_word_is_and_is_level_at_both_ends() -> None:
    early, late = (
        move(say(f"h ɑ l oʊ w iː _{a} s iː w u m ɑ _{b} n ɑ", text=text, start=9.0)).curve("smile")
        for text, a, b in (
            ("Happy he was to tell them all about this", 3, 3),
            ("This he was to tell them all and happy", 3, 3),
        )
    )
    assert early.argmax() < 0.4 * len(early) and late.argmax() > 0.6 * len(late)
    for smile in (early, late):
        assert smile[0] == pytest.approx(idle.FRIENDLY, abs=1e-6) == smile[-1]
        assert np.abs(np.diff(smile)).max() < 0.05


def test_quick_and_varied_speech_makes_joy_stronger_and_grief_weaker() -> None:
    def strength(text: str, each: float) -> float:
        return move(say(" ".join(["h ɑ l oʊ"] * 6), each, text=text)).strength

    assert strength(GLAD, 0.07) > strength(GLAD, 0.2)
    assert strength("I am sad.", 0.07) < strength("I am sad.", 0.2)


def test_grief_blinks_slowly_and_lowers_head_and_lids() -> None:
    utterance = say("h ɑ _20 h ɑ", start=3.0)
    sad, plain, surprised = (move(utterance, emotion=e) for e in ("sad", "neutral", "surprised"))
    assert sad.head[:, 1].mean() < plain.head[:, 1].mean() - 1
    assert np.percentile(sad.curve("blink"), 20) > 0.05 > np.percentile(plain.curve("blink"), 20)
    assert (
        (sad.curve("blink") > 0.5).mean()
        > (plain.curve("blink") > 0.5).mean()
        > (surprised.curve("blink") > 0.5).mean()
    )


def corners_and_brows(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(t,) heights above the line of the eyes over the span of the eyes: corners of the mouth, brows."""
    left, right = points[:, measure.LEFT_EYE, :2], points[:, measure.RIGHT_EYE, :2]
    along = right - left
    up = np.column_stack([along[:, 1], -along[:, 0]]) / np.sum(along**2, axis=1)[:, None]

    def height(*which: int) -> np.ndarray:
        return np.sum((points[:, which, :2].mean(axis=1) - (left + right) / 2) * up, axis=1)

    return height(measure.LEFT_CORNER, measure.RIGHT_CORNER), height(70, 105, 107, 300, 334, 336)


@pytest.fixture(scope="module", params=[sample.name for sample in library.samples()])
def seen(models, request):
    """Landmarks found again on a sample that says one sentence in a style."""
    sample = next(s for s in library.samples() if s.name == request.param)
    warp = registry.open_engine("draw", "warp")
    portrait = warp.prepare(load_image(sample.path), sample.name)
    said = say("h ə l oʊ b ɑ b w iː m aɪ m ʌ m p ʊ t ð ə b l u b ʊ k s iː w u iː z", start=3.0)

    def landmarks(**style: object) -> np.ndarray:
        motion = move(said, head=0, **style)
        return measure.landmarks(f.copy() for f in warp.draw(portrait, said, motion, Style()))

    return landmarks


@pytest.mark.slow
def test_openings_and_corners_seen_grow_with_expression(seen) -> None:
    """Openings and widths over a neutral talk; of the corners, how far a happy face lifts them above a sad one's."""
    ranges = []
    for expression in (0, 0.5, 1, 1.5, 2):
        points = seen(expression=expression, emotion="neutral")
        happy, sad = (corners_and_brows(seen(expression=expression, emotion=e))[0].mean() for e in ("happy", "sad"))
        opening, width = measure.gap(points), measure.mouth_width(points)
        spans = [float(np.ptp(np.percentile(x, (5, 95)))) for x in (opening, width)]
        ranges.append([*spans, float(happy - sad)])
        assert opening.min() < 0.01, "lips meet at every expression"
    for kind in zip(*ranges, strict=True):
        assert all(a < b for a, b in itertools.pairwise(kind)), kind
    assert ranges[0][0] < 0.25 * ranges[2][0] and ranges[-1][0] < 1.6 * ranges[2][0]


@pytest.mark.slow
def test_emotions_are_seen_in_corners_and_brows(seen) -> None:
    corner, brow = {}, {}
    for emotion in ("happy", "neutral", "sad", "serious", "surprised"):
        heights = corners_and_brows(seen(emotion=emotion))
        corner[emotion], brow[emotion] = (float(h.mean()) for h in heights)
    assert corner["happy"] > corner["neutral"] + 0.015 > corner["sad"] + 0.03
    assert brow["surprised"] > brow["neutral"] + 0.004 > brow["serious"] + 0.007
