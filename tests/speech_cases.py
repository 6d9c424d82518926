"""Sentences that the voice is measured on: said, transcribed back, compared."""

from __future__ import annotations

import re
from collections.abc import Sequence

from linly.text.normalise import normalise

CHINESE = (
    "你好，欢迎来到今天的课堂。",
    "今天是2024年3月5日，星期二。",
    "会议在下午3:30开始，大约需要45分钟。",
    "北京今天的气温是-5℃到12℃，湿度30%。",
    "这本书原价68元，现在打8折，只要54.4元。",
    "全班有42名学生，其中25%来自南方。",
    "光在真空中的速度大约是每秒30万公里。",
    "请拨打客服电话13812345678。",
    "我们用Python写程序，用PPT做报告。",
    "AI和GPU改变了我们的学习方式。",
    "他问：“你明天有空吗？”我说：“当然有！”",
    "什么是光合作用？为什么植物需要阳光？",
    "三分之二的地球表面被水覆盖，也就是大约71%。",
    "小明跑了5公里，用了28分钟，平均速度很快。",
    "第3章介绍了牛顿第二定律：力等于质量乘以加速度。",
    "如果你想学好一门语言，每天要坚持练习，多听、多说、多读、多写，不要害怕犯错误，因为每一次错误都是一次进步的机会，"
    "只要坚持下去，你就会发现自己的进步越来越明显，最后能够自由地表达自己的想法。",
    "人民银行宣布，利率从3.45%下调到3.35%。",
    "春眠不觉晓，处处闻啼鸟。",
    "请把Word文档发到我的邮箱，谢谢。",
    "从上海到杭州坐高铁只要1个小时，票价73元。",
    "重庆的银行行长说，他长大了以后还会还这本书。",
    "太阳系有8颗行星，地球是离太阳第3近的行星。",
)

ENGLISH = (
    "Hello and welcome to today's lesson.",
    "The meeting is on March 5, 2024, at 9:30 a.m.",
    "It costs $5.99, but you save 20% if you buy three.",
    "Dr. Smith moved to Boston in 1999 and still lives there.",
    "Water boils at 100°C and freezes at 0°C.",
    "He ran 5 km in 28 minutes, his best time ever.",
    "About 71% of the Earth's surface is covered by water.",
    '"Are you coming with us?" she asked. "Of course I am!"',
    "Why is the sky blue, and why does it turn red in the evening?",
    "The 21st century began on January 1st, 2001.",
    "Plants take in carbon dioxide, and they give off oxygen.",
    "Two thirds of the students passed; 1/4 of them with distinction.",
    "Please open your books, turn to page 142, and read the second paragraph.",
    "I have to record a new record, because they refuse to use the old one.",
    "If you want to learn a language well, you should practice every day, listen to native speakers, read books that"
    " you really enjoy, write short texts about your life, and never"
    " be afraid of making mistakes, because every mistake is a chance to learn something new, and little by"
    " little you will see how far you have come.",
    "The population of the city grew from 1,250,000 to 3.5 million.",
    "Don't worry, we'll finish it before they're back.",
    "NASA launched the telescope, and the USA and Europe share the data.",
    "Photosynthesis turns sunlight into chemical energy.",
    "There are 8 planets in our solar system, and ours is the third from the Sun.",
    "The temperature fell to -12 degrees last night, didn't it?",
    "The bandage was wound around the wound, and the wind was too strong to wind the sail.",
)


HARD = {
    "请拨打客服电话13812345678。": "eleven digits in groups of three and four: the listener writes them as quantities",
    "我们用Python写程序，用PPT做报告。": "an English word in a Chinese voice comes out in the nearest Chinese sounds",
    "请把Word文档发到我的邮箱，谢谢。": "an English word in a Chinese voice comes out in the nearest Chinese sounds",
}
"""Chinese sentences that Whisper base mishears, and why; they are counted apart from the rest."""


def errors(text: str, heard: str, language: str) -> tuple[int, int]:
    """Characters (zh) or words (en) heard wrongly, and how many there are; both sides as spoken."""
    want, got = _spoken(text, language), _spoken(heard, language)
    return _distance(want, got), len(want)


def error_rate(text: str, heard: str, language: str) -> float:
    """Share of characters (zh) or words (en) heard wrongly."""
    wrong, length = errors(text, heard, language)
    return wrong / length


def _spoken(text: str, language: str) -> list[str]:
    if language == "zh":  # long numbers digit by digit, and what sounds the same is the same
        text = re.sub(r"\d{7,}", lambda m: " ".join(m[0]), text)
    said = normalise(text, language).lower()
    said = said.replace("幺", "一").replace("她", "他").replace("它", "他")
    return re.findall("[a-z]+" if language == "en" else "[a-z\u4e00-\u9fff]", said.replace("'", ""))


def _distance(a: Sequence[str], b: Sequence[str]) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]
