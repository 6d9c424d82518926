"""Text made ready to be found by words: passages of a bearable length, Chinese cut into words, questions into terms."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from linly.documents import Document
from linly.text.language import HAN
from linly.text.sentences import shorten, split

LONGEST = 480
"""Length of a passage; a Chinese character counts one and a half."""
OVERLAP = 120
"""A sentence up to this length is said again at the beginning of the next passage."""
MOST_TERMS = 32
_EN = (
    "a about above after again all almost along already also always am an and another any anyone anything are aren "
    "as ask at away back be because been before being below best better between both but by bye came can cannot come "
    "could couldn day days did didn do does doesn doing don done down during each else ever every everyone "
    "everything explain far few find first for from further gave get give go goes going gone good goodbye got great "
    "guess had has hasn have haven having he hear hello help her here hers hey hi him his hm how however i if in "
    "into is isn it its just keep kind know last later least less let like little ll long look lot lots made make "
    "many may maybe me mean might mine more most much must my name need never new next nice no none nor not nothing "
    "now of off oh ok okay on once one only or other our ours out over own please pretty put quite rather re really "
    "right said same say see she should show since so some somebody someone something soon sorry still such sure "
    "take talk tell than thank thanks that the their them then there these they thing things think this those "
    "thought through time to today together told tomorrow tonight too try under until up us use ve very want was "
    "wasn way we well were what whatever when where whether which while who whole whom whose why will wish with "
    "without won word work would wouldn yeah yes yesterday yet you your yours s t d m"
)
_ZH = (
    "的 了 是 我 你 您 他 她 它 们 們 在 有 和 跟 与 與 就 不 都 也 很 到 说 說 要 去 会 會 着 著 没 沒 看 好 这 這 "
    "那 哪 吗 嗎 呢 吧 啊 呀 哦 嗯 哈 啦 嘛 个 個 一 一个 一個 一下 一些 一点 有点 些 把 被 给 給 让 讓 对 對 对于 "
    "关于 關於 从 從 向 为 為 为了 以 及 或 或者 而 而且 但 但是 所以 因为 因為 如果 还 還 还有 还是 再 又 才 只 最 "
    "更 太 真 能 可以 可能 应该 應該 需要 得 地 之 其 此 上 下 里 裡 中 来 來 过 過 做 作 用 我们 我們 你们 你們 "
    "他们 他們 她们 它们 自己 大家 别人 人 什么 什麼 怎么 怎麼 怎样 怎樣 怎么样 怎麼樣 为什么 為什麼 哪里 哪裡 哪儿 "
    "哪些 哪个 谁 誰 多少 几 幾 如何 这个 這個 那个 那個 这些 那些 这里 那里 这样 那样 这么 那么 现在 現在 今天 明天 "
    "昨天 时候 時候 时间 东西 東西 事 事情 问题 問題 知道 觉得 覺得 想 想要 告诉 告訴 请 請 请问 請問 介绍 介紹 解释 "
    "解釋 讲 講 讲讲 说说 聊 聊聊 谈谈 问 問 听 聽 叫 名字 你好 您好 好的 好吧 谢谢 謝謝 再见 再見 早上好 晚上好 "
    "下午好 对不起 没关系 不客气 没有 沒有 不是 不会 不要 是不是 有没有 能不能 可不可以 行 嘿 喂 哈哈 非常 特别 比较 "
    "一样 一起 出来 起来 一直 已经 已經 正在 之后 以后 之前 以前 等 等等 啥 咋 咱 咱们 天气 高兴 认识 喜欢 吃饭 吃 "
    "呗"
)
STOP = frozenset(f"{_EN} {_ZH}".split())


@functools.cache
def _cutter() -> Callable[[str], Iterable[str]]:
    """jieba's cutter for search engines: whole words, and the shorter words within them. About 1 s, once."""
    import jieba

    jieba.setLogLevel(60)  # it talks on standard error
    jieba.initialize()
    return functools.partial(jieba.cut_for_search, HMM=False)  # guessed words differ from sentence to sentence


def segmented(text: str) -> str:
    """`text` with its Chinese cut into words by spaces."""
    text = unicodedata.normalize("NFKC", text)
    return re.sub(f"[{HAN}]+", lambda run: f" {' '.join(_cutter()(run[0]))} ", text)


def terms(question: str) -> list[str]:
    """The words of a question that may be searched for, each as a term of FTS5; none of them for small talk."""
    found: dict[str, None] = {}
    for word in re.findall(r"[^\W_]+", segmented(question[:2000]).lower().replace("'", " ").replace("’", " ")):
        han = bool(re.match(f"[{HAN}]", word))
        if word in STOP or (len(word) < 2 and not han) or not word.isprintable():
            continue
        found[f'"{word}"*' if han and len(word) == 1 else f'"{word}"'] = None
    return list(found)[:MOST_TERMS]


def passages(document: Document) -> Iterator[tuple[str, str]]:
    """(where, text) of pieces of about LONGEST, cut between sentences; neighbours share a sentence."""
    for whole in document.passages:
        for text in _pieces("\n".join(filter(None, [whole.text, whole.notes]))):
            yield whole.where, text


def _pieces(text: str) -> Iterator[str]:
    piece: list[str] = []
    length, fresh = 0.0, 0
    for sentence in _sentences(text):
        size = _length(sentence)
        if fresh and length + size > LONGEST:
            yield "".join(piece).strip()
            piece = piece[-1:] if _length(piece[-1]) <= OVERLAP else []
            length, fresh = _length("".join(piece)), 0
        piece.append(sentence)
        length, fresh = length + size, fresh + 1
    if fresh:
        yield "".join(piece).strip()


def _sentences(text: str) -> Iterator[str]:
    """Sentences with what parts them from the next: nothing in Chinese, a space, or the end of a line."""
    for line in text.splitlines():
        parts = [part for sentence in split(line) for part in shorten(sentence, 30)]
        for i, part in enumerate(parts):
            last = i == len(parts) - 1
            yield part + ("\n" if last else " " if part[-1:].isascii() else "")


def _length(text: str) -> float:
    return len(text) + 0.5 * len(re.findall(f"[{HAN}]", text))
