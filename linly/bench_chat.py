"""Time whole turns of a conversation: questions go into the ears in real time, the face lives at its rate, and what
counts is when the answer begins to leave, from the end of the question's last word.

The questions are spoken by a stock voice that is not the one that answers.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Any

import numpy as np

from linly import audio as sound
from linly import library, registry
from linly.chat.ears import Ears
from linly.chat.echo import Echo
from linly.chat.live import Live
from linly.chat.memory import Memory
from linly.chat.pace import affordable
from linly.chat.person import Person
from linly.chat.persona import Persona
from linly.chat.room import warm
from linly.chat.talk import Conversation
from linly.errors import EngineFailed
from linly.stage import staged
from linly.text.heard import wrong_share
from linly.values import Audio, Progress, Style

QUESTIONS = {
    "en": (
        "Hello, how are you today?", "What is the capital of France?", "Can you tell me a short story?",
        "How many hours are there in a day?", "What should I eat for breakfast?", "Why do leaves turn red in autumn?",
        "Where do penguins live?", "What is your favourite colour?", "How do I make a cup of tea?",
        "Do you like music?", "What is the largest ocean?", "I feel a little tired today.",
        "How far away is the moon?", "Who wrote Romeo and Juliet?", "What can I do at the weekend?",
        "Is it better to read or to listen?", "How do birds find their way?", "What is a good present for a child?",
        "Can you help me with my homework?", "Thank you, that was helpful.",
    ),
    "zh": (
        "你好，你今天怎么样？", "法国的首都是哪里？", "你能给我讲一个小故事吗？", "一天有多少个小时？",
        "早饭吃什么比较好？", "秋天的叶子为什么会变红？", "企鹅住在什么地方？", "你最喜欢什么颜色？",
        "怎么泡一杯好茶？", "你喜欢听音乐吗？", "世界上最大的海洋是哪个？", "我今天有一点累。",
        "月亮离我们有多远？", "红楼梦是谁写的？", "周末我可以做些什么？", "看书好还是听书好？",
        "鸟儿是怎么找到路的？", "送给孩子什么礼物好？", "你能帮我做作业吗？", "谢谢你，你帮了我的忙。",
    ),
}  # fmt: skip
PIECE = 0.02
"""seconds of sound that the ears are given at once, as a browser does"""
PATIENCE = 60.0
"""seconds after which a turn is given up"""
STAGES = ("text_s", "token_s", "clause_s", "sound_s", "frame_s")


def run(languages: Sequence[str], turns: int, size: str, engines: Mapping[str, str], progress: Progress) -> list[Any]:
    """A row a language: median and 95th percentile of each stage in seconds (`text_s`, `token_s`, `clause_s`,
    `sound_s`, `frame_s`), `gaps_s` a turn, `late` (share of pictures), `errors` (share of characters heard wrongly).

    Raises EngineUnavailable where no language model is ready.
    """
    wishes = {"move": "timings", "speak": "timings", "think": "answers"}
    opened = {
        kind: registry.open_engine(kind, engines.get(kind) or registry.default(kind, wishes.get(kind)))
        for kind in registry.KINDS
    }
    rows = []
    for done, language in enumerate(languages):

        def tell(share: float, done: int = done) -> None:
            progress("face", (done + share) / len(languages))

        rows.append(_row(language, turns, size, opened, tell))
    return rows


def _row(language: str, turns: int, size: str, engines: Mapping[str, Any], tell: Any) -> dict[str, Any]:
    speak, draw = engines["speak"], engines["draw"]
    voice = library.find_voice(speak, "", language)
    asker = next(v for v in speak.voices() if language in v.languages and v.id != voice.id)
    style = Style(language=language, size=size)
    portrait = staged(draw, "", voice, style)
    pace = affordable(engines["move"], draw, portrait, style)
    texts = [QUESTIONS[language][n % len(QUESTIONS[language])] for n in range(turns)]
    asked = [sound.concat(said.audio for said in speak.speak(text, asker, style)) for text in texts]
    for _ in warm(language, Persona()):  # as the page does before a conversation
        pass
    told: queue.Queue[Mapping[str, Any]] = queue.Queue()
    echo, persona, reports = Echo(), Persona(), []
    person = Person(engines["move"], draw, portrait, pace.style, language=language)
    with TemporaryDirectory(prefix="linly-bench-") as folder, closing(Memory(Path(folder) / "memory.sqlite")) as memory:
        live = Live(
            person, Ears(engines["hear"], language, echo=echo),
            Conversation(engines["think"], persona, memory.diary("bench", persona.name), language=language),
            lambda spoken: (speak, voice, replace(pace.style, language=spoken)), told.put, echo,
        )  # fmt: skip
        with _Shown(person, live) as shown:
            for n, (text, question) in enumerate(zip(texts, asked, strict=True)):
                tell(n / turns)
                reports.append(_turn(live, question, told, text))
        live.gone()
    return _summed(language, pace.style, reports, person.late / max(1, shown.count))


def _turn(live: Live, question: Audio, told: queue.Queue[Mapping[str, Any]], text: str) -> dict[str, Any]:
    """One question, spoken into the ears as time goes by; the report of the turn it became."""
    rng = np.random.default_rng(0)
    began, given, until = perf_counter(), 0.0, perf_counter() + question.seconds + PATIENCE
    step = round(PIECE * question.rate)
    while perf_counter() < until:
        at = round(given * question.rate)
        said = question.samples[at : at + step]
        heard = np.pad(said, (0, step - len(said))) + rng.normal(0, 3e-4, step)
        live.hear(Audio(heard.astype(np.float32), question.rate))
        given += PIECE
        try:
            while (event := told.get_nowait())["type"] != "turn":
                pass
            return {**event, "asked": text}
        except queue.Empty:
            sleep(max(0.0, began + given - perf_counter()))
    raise EngineFailed(f"A question was not answered within {PATIENCE:.0f} s: {text}")


class _Shown(threading.Thread):
    """Pulls the picture at its rate, as a connection does."""

    def __init__(self, person: Person, live: Live) -> None:
        super().__init__(daemon=True)
        self._person, self._live, self._over, self.count = person, live, threading.Event(), 0

    def __enter__(self) -> _Shown:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        step = 1 / self._person.style.fps
        due = perf_counter()
        while not self._over.is_set():
            self._live.seen(self._person.next_tick(timeout=0.3 * step))
            self.count += 1
            due = max(due + step, perf_counter() - 0.5)
            sleep(max(0.0, due - perf_counter()))


def _summed(language: str, style: Style, reports: list[dict[str, Any]], late: float) -> dict[str, Any]:
    row: dict[str, Any] = {"language": language, "turns": len(reports), "size": style.size, "fps": style.fps}
    for stage in STAGES:
        seconds = [r[stage] for r in reports if r[stage] is not None]
        row[stage] = [round(float(np.percentile(seconds, q)), 2) for q in (50, 95)] if seconds else None
    row["gaps_s"] = round(float(np.mean([r["gaps_s"] for r in reports])), 2)
    row["late"] = round(late, 4)
    row["errors"] = round(wrong_share([r["asked"] for r in reports], [r["heard"] for r in reports]), 3)
    row["reports"] = reports
    return row


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as text: median / 95th percentile in seconds."""
    names = ("text", "token", "clause", "sound", "picture")
    heads = "".join(f"{name:>13}" for name in names)
    lines = [f"{'':4}{'turns':>6}{'size':>6}{'fps':>5}{heads}{'gaps':>7}{'late':>8}"]
    for row in rows:
        cells = "".join(f"{row[s][0]:>6.2f} /{row[s][1]:>5.2f}" if row[s] else f"{'':13}" for s in STAGES)
        ends = f"{row['gaps_s']:7.2f}{100 * row['late']:7.1f}%"
        lines.append(f"{row['language']:4}{row['turns']:6d}{row['size']:>6}{row['fps']:5d}{cells}{ends}")
    return "\n".join(lines)
