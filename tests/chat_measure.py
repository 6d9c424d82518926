"""The conversation measured in headless Chromium, with the real engines.

PYTHONPATH=. python tests/chat_measure.py over 20 SPEECH.wav   # from speech over an answer to silence and a shut mouth
PYTHONPATH=. python tests/chat_measure.py answers 20 en        # from a spoken question's end to sound and moving mouth
PYTHONPATH=. python tests/chat_measure.py long 30              # minutes: memory, pictures, sound and picture together;
                                                               # a second visitor is there for the middle third
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from contextlib import suppress
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

import browser
import chat_page
import numpy as np

from linly import library, registry
from linly.audio import concat, load
from linly.bench_chat import QUESTIONS
from linly.chat.tracks import LENIENT
from linly.values import Style

EVERY = 6.0
"""seconds from the end of an answer to the next question"""
PAUSE = 16.0
"""seconds between two spoken questions"""
LATE = 0.07
"""seconds from one picture to the next, from which on one was late: the step is 0.04, screens show every 0.017"""
STATS = """async () => {
  const found = {};
  for (const one of (await linlyChat.live.peer.getStats()).values()) if (one.type === "inbound-rtp") found[one.kind] = {
    played: one.estimatedPlayoutTimestamp, frames: one.framesDecoded, freezes: one.freezeCount,
    frozen: one.totalFreezesDuration, concealed: one.concealedSamples, silent: one.silentConcealedSamples,
    samples: one.totalSamplesReceived, at: one.timestamp / 1000,
  };
  return found;
}"""


def resident() -> float:
    """Megabytes of the page's process."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cmdline").read_bytes().split(b"\0")[1:3] == [b"app.py", b"--port"]:
                return int((process / "status").read_text().split("VmRSS:")[1].split()[0]) / 1024
    raise AssertionError("the page's process is not there")


def asked(page: Any, words: str) -> dict[str, Any]:
    """One turn by typing; its report."""
    page.evaluate("window.before = performance.now()")
    page.fill("#live-text", words)
    page.keyboard.press("Enter")
    page.wait_for_function(
        "linlyChat.events.some((e) => e.type === 'turn' && e.heard && e.at > before)", timeout=120_000
    )
    return chat_page.events(page, "turn")[-1]


def long(minutes: float) -> None:
    """Question after question."""
    began, rows = time.monotonic(), []
    with tempfile.TemporaryDirectory() as folder, browser.serving(LINLY_LIBRARY=folder) as address:
        quiet = chat_page.microphone(Path(folder) / "quiet.wav", 20.0)
        with chat_page.chatting(address, quiet) as page:
            page.click("#chat-options > button")
            page.click("#chat-record input")
            chat_page.start(page)
            other = None
            questions = cycle(QUESTIONS["en"] + QUESTIONS["zh"])
            while (now := (time.monotonic() - began) / 60) < minutes:
                third = int(3 * now / minutes)
                if third == 1 and other is None:
                    other = second(page, address)
                if third == 2 and other is not None:
                    other.context.close()
                    other = None
                turn = asked(page, next(questions))
                if other is not None:
                    asked(other, "Tell me about the lighthouse of Bartholomew.")
                rows.append(row(page, now, turn, other is not None))
                sys.stdout.write(json.dumps(rows[-1]) + "\n")
                sys.stdout.flush()
                page.wait_for_timeout(1000 * EVERY)
            mixed = [w for w in ("lighthouse", "Bartholomew") if w in page.locator("#live-log").inner_text()]
        assert not mixed, f"the second visitor's words were seen: {mixed}"
    summed(rows)


def over(times: int, speech: Path) -> None:
    """Speak over answers."""
    with tempfile.TemporaryDirectory() as folder, browser.serving(LINLY_LIBRARY=folder) as address:
        silent, still = chat_page.barge_ins(address, load(speech, max_seconds=60), times, Path(folder))
    told("silence", silent)
    told("shut mouth", still)


def answers(times: int, language: str) -> None:
    """Ask by voice, one question after the other, and wait for each answer's end."""
    speak = registry.open_engine("speak", registry.default("speak", "timings"))
    answering = library.find_voice(speak, "", language)
    asker = next(v for v in speak.voices() if language in v.languages and v.id != answering.id)
    texts = [QUESTIONS[language][n % len(QUESTIONS[language])] for n in range(times)]
    asked = [concat(said.audio for said in speak.speak(text, asker, Style(language=language))) for text in texts]
    parts = [part for question in asked for part in (PAUSE, question)]
    with tempfile.TemporaryDirectory() as folder, browser.serving(LINLY_LIBRARY=folder) as address:
        sound = chat_page.microphone(Path(folder) / "questions.wav", *parts, PAUSE)
        with chat_page.chatting(address, sound, {"zh": "zh-CN"}.get(language, "en-GB")) as page:
            chat_page.start(page)
            page.evaluate("watch()")
            seconds = sum(part if isinstance(part, float) else part.seconds for part in parts)
            page.wait_for_timeout(1000 * (seconds + PAUSE))
            rows, seen = np.array(page.evaluate("watched")), np.array(page.evaluate("seen"))
            heard = [event["text"] for event in chat_page.events(page, "heard")]
    sounds, faces = answered(rows, seen)
    told("sound", sounds)
    told("mouth after sound", faces)
    apart = np.diff(seen[:, 0])
    late = 100 * (apart > LATE).mean()
    sys.stdout.write(f"{len(seen)} pictures, {late:.2f} % of them more than {LATE} s after the one before\n")
    sys.stdout.write(f"heard: {heard}\n")


def answered(rows: Any, seen: Any, talk: float = 0.02, quiet: float = 0.004) -> tuple[list[float], list[float]]:
    """Seconds from each question's last sound to the answer's first, and from that to a mouth that moves."""
    time, mic, voice = rows[:, 0], rows[:, 1] > talk, rows[:, 2] > quiet
    spoken = time[mic]
    ends = spoken[np.flatnonzero(np.diff(spoken, append=np.inf) > PAUSE / 2)]
    sounds, faces = [], []
    calm = np.median(seen[:, 1])
    for end in ends:
        first = time[(time > end) & (time < end + PAUSE) & voice]
        if not len(first) or voice[(time > end - 0.2) & (time < end)].any():
            continue  # the answer before went on until here
        sounds.append(float(first[0] - end))
        moved = seen[(seen[:, 0] > end + 0.3) & (seen[:, 0] < end + PAUSE) & (seen[:, 1] > 2 * calm), 0]
        near = moved[moved > first[0] - 0.5]
        if len(near):
            faces.append(float(near[0] - first[0]))
    return sounds, faces


def told(what: str, found: list[float]) -> None:
    """Median and 95th percentile."""
    median, late = np.percentile(found, (50, 95))
    sys.stdout.write(f"{what}, {len(found)} times: median {median:.3f} s, p95 {late:.3f} s {np.round(found, 3)}\n")


def second(page: Any, address: str) -> Any:
    """Another visitor in another context of the same browser."""
    other = page.context.browser.new_context(locale="en-GB", permissions=["microphone"]).new_page()
    chat_page.arrive(other, address)
    chat_page.start(other)
    return other


def row(page: Any, minute: float, turn: dict[str, Any], shared: bool) -> dict[str, Any]:
    """What one turn and the connection are like."""
    stats = page.evaluate(STATS)
    sound, picture = stats["audio"], stats["video"]
    return {
        "minute": round(minute, 2), "two": shared, "mb": round(resident()), "sound_s": turn["sound_s"],
        "gaps_s": turn["gaps_s"], "frames": picture["frames"], "freezes": picture["freezes"], "at": picture["at"],
        "concealed": sound["concealed"] - sound["silent"], "samples": sound["samples"],
        "apart_ms": round(picture["played"] + 1000 * LENIENT - sound["played"], 1)
        if picture["played"] and sound["played"] else None,
    }  # fmt: skip


def summed(rows: list[dict[str, Any]]) -> None:
    """The whole in a few lines, alone and with a second visitor."""
    for two in (False, True):
        some = [r for r in rows if r["two"] == two]
        if not some:
            continue
        apart = np.abs([r["apart_ms"] for r in some if r["apart_ms"] is not None])
        memory = [r["mb"] for r in some]
        pairs = [(a, b) for a, b in pairwise(rows) if a["two"] == b["two"] == two]
        rates = [(b["frames"] - a["frames"]) / (b["at"] - a["at"]) for a, b in pairs]
        words = {
            "visitors": 1 + two, "turns": len(some), "memory": (memory[0], max(memory), memory[-1]),
            "sound_s": np.round(np.percentile([r["sound_s"] for r in some], (50, 95)), 2).tolist(),
            "gaps_s": round(sum(r["gaps_s"] for r in some), 2),
            "pictures_per_s": np.round(np.percentile(rates, (5, 50)), 1).tolist() if rates else None,
            "freezes": some[-1]["freezes"] - some[0]["freezes"],
            "apart_ms": np.round(np.percentile(apart, (50, 95, 100)), 1).tolist() if len(apart) else None,
        }  # fmt: skip
        sys.stdout.write(json.dumps(words) + "\n")


if __name__ == "__main__":
    what, count, *rest = sys.argv[1:]
    if what == "over":
        over(int(count), Path(rest[0]))
    elif what == "answers":
        answers(int(count), rest[0])
    else:
        long(float(count))
