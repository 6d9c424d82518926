"""A long conversation in the Chat tab, measured: memory, pictures, sound and picture together, a second visitor.

PYTHONPATH=. python tests/chat_soak.py 30    # minutes; the second visitor is there for the middle third
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

from linly.bench_chat import QUESTIONS

EVERY = 6.0
"""seconds from the end of an answer to the next question"""
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


def main(minutes: float) -> None:
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


def second(page: Any, address: str) -> Any:
    """Another visitor in another context of the same browser."""
    other = page.context.browser.new_context(locale="en-GB", permissions=["microphone"]).new_page()
    other.goto(address)
    other.wait_for_selector("html:not(.linly-wait) #render")
    other.locator("#tabs button[role=tab]").nth(3).click()
    other.wait_for_selector("#chat-ready .good", timeout=180_000)
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
        "apart_ms": round(picture["played"] - sound["played"], 1) if picture["played"] and sound["played"] else None,
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
    main(float(sys.argv[1]))
