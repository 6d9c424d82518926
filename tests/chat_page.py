"""The Chat tab in headless Chromium with a recording for a microphone. chat_measure.py measures with it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import browser
import cv2
import numpy as np
from face_measure import gap, landmarks

from linly.audio import write_wav
from linly.values import Audio

RATE = 48000
WATCH = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wish) => (window.mic = await ask(wish));
window.watched = [];
window.seen = [];
window.shots = [];
window.watch = () => {
  const context = new AudioContext();
  const meter = (stream) => {
    const node = context.createAnalyser();
    node.fftSize = 512;
    context.createMediaStreamSource(stream).connect(node);
    const block = new Float32Array(512);
    return () => { node.getFloatTimeDomainData(block); return Math.sqrt(block.reduce((a, b) => a + b * b, 0) / 512); };
  };
  const video = document.getElementById("live-video");
  const mic = meter(window.mic), voice = meter(video.srcObject);
  let talked = 0;
  let began = 0;
  setInterval(() => {
    const [now, loud] = [performance.now() / 1000, mic()];
    watched.push([now, loud, video.muted ? 0 : voice()]);
    if (loud > 0.02) [began, talked] = [now - talked > 1 ? now : began, now];
  }, 8);
  const canvas = (side) => Object.assign(document.createElement("canvas"), {width: side, height: side})
    .getContext("2d", {willReadFrequently: true});
  const [full, pen] = [canvas(192), canvas(48)];
  // As JPEG only when all is over: that takes the page longer than it has between two pictures.
  window.developed = () => shots.map(([at, data]) => {
    full.putImageData(data, 0, 0);
    return [at, full.canvas.toDataURL("image/jpeg", 0.95)];
  });
  let before = null;
  const look = () => { // the lower middle of the picture, where the mouth is
    const {videoWidth: w, videoHeight: h} = video;
    pen.drawImage(video, 0.3 * w, 0.45 * h, 0.4 * w, 0.4 * h, 0, 0, 48, 48);
    const now = pen.getImageData(0, 0, 48, 48).data;
    const changed = before ? now.reduce((sum, one, at) => sum + Math.abs(one - before[at]), 0) : 0;
    seen.push([performance.now() / 1000, changed / now.length]);
    before = now;
    if (performance.now() / 1000 - began < 1) {
      full.drawImage(video, 0.15 * w, 0.1 * h, 0.7 * w, 0.7 * h, 0, 0, 192, 192);
      shots.push([performance.now() / 1000, full.getImageData(0, 0, 192, 192)]);
    }
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
};
"""
"""What the microphone gives and what the visitor hears, as loudness, every 8 ms; how much changes around the mouth in
each picture; and the pictures of the second after somebody began to speak."""
AJAR = 0.03
"""gap between the lips, over the span of the eyes, above that of the silent face, from which on a mouth is open"""
REST = 0.6
"""seconds of silence after which an answer has ended; longer than any pause within STORY"""
STORY = "This is a long sentence about plants and light that goes on for quite some time, as stories do. " * 9


def microphone(path: Path, *parts: Audio | float) -> Path:
    """A recording of parts: sound, or seconds of silence; the browser plays it again and again."""
    pieces = []
    for part in parts:
        if isinstance(part, float):
            pieces.append(np.zeros(round(part * RATE), np.float32))
            continue
        at = np.arange(round(part.seconds * RATE)) * part.rate / RATE
        pieces.append(np.interp(at, np.arange(len(part.samples)), part.samples).astype(np.float32))
    return write_wav(Audio(np.concatenate(pieces), RATE), path)


@contextmanager
def chatting(address: str, sound: Path, locale: str = "en-GB", **options: Any) -> Iterator[Any]:
    """A visitor on the Chat tab, not yet connected. options: of linlyChat.start, beside those of the page."""
    from playwright.sync_api import sync_playwright

    flags = [
        *browser.FLAGS, "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}",
    ]  # fmt: skip
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.chromium(), args=flags)
        context = chromium.new_context(
            locale=locale, permissions=["microphone"], viewport={"width": 1360, "height": 900}
        )
        page = context.new_page()
        page.add_init_script(WATCH)
        arrive(page, address)
        try:
            yield page
        finally:
            chromium.close()


def arrive(page: Any, address: str) -> None:
    """Open the Chat tab, and wait until it is ready."""
    page.goto(address)
    page.wait_for_selector("html:not(.linly-wait) #render")
    page.locator("#tabs button[role=tab]").nth(3).click()
    page.wait_for_selector("#chat-ready .good", timeout=180_000)


def start(page: Any) -> None:
    """Press the button, and wait until the person is alive."""
    page.click("#live-start")
    page.wait_for_function("linlyChat.live", timeout=90_000)


def events(page: Any, kind: str) -> list[dict[str, Any]]:
    """What the page was told."""
    return [event for event in page.evaluate("linlyChat.events") if event["type"] == kind]


def choose(page: Any, dropdown: str, words: str) -> None:
    """Pick an entry of one of gradio's dropdowns."""
    page.click(f"{dropdown} input")
    page.locator("ul[role=listbox] li", has_text=words).first.click()


def stopped_after(
    watched: list[list[float]], talk: float = 0.02, quiet: float = 0.004
) -> tuple[list[float], list[float]]:
    """When somebody began to speak over the answer, and seconds from then until nothing of it was heard any more."""
    rows = np.array(watched)
    time, mic, voice = rows[:, 0], rows[:, 1] > talk, rows[:, 2]
    begins, found = [], []
    for at in np.flatnonzero(mic[1:] & ~mic[:-1]) + 1:
        before, after = (time > time[at] - 1.0) & (time < time[at]), (time >= time[at]) & (time < time[at] + 3.0)
        just = (time > time[at] - 0.1) & (time < time[at] + 0.05)
        if mic[before].any() or voice[just].max(initial=0) < 2 * quiet:
            continue  # not the first word, or nothing to speak over
        loud = np.concatenate([time[at : at + 1], time[after][voice[after] > quiet]])
        ends = np.flatnonzero(np.diff(loud, append=np.inf) > REST)  # what comes later is the next answer
        found.append(float(loud[ends[0]] - time[at]))
        begins.append(float(time[at]))
    return begins, found


def shut_after(shots: list[tuple[float, str]], stops: list[float]) -> list[float]:
    """Seconds from each beginning of speech over an answer (`stops`: its second) until a picture shows the mouth shut,
    and it stays so. Left out where it was shut already when the speech began."""
    images = [cv2.imdecode(np.frombuffer(base64.b64decode(url.partition(",")[2]), np.uint8), 1) for _, url in shots]
    time, gaps = np.array([at for at, _ in shots]), gap(landmarks(image[..., ::-1] for image in images))
    found = []
    for at in stops:
        near = (time >= at - 0.02) & (time < at + 0.9)
        rest = np.median(gaps[near & (time > at + 0.65)])
        opened = gaps[near] > rest + AJAR
        if opened[:2].any():
            still = np.append(time[near], np.inf)[np.flatnonzero(opened)[-1] + 1]
            found.append(float(still - at))
    return found


def barge_ins(address: str, speech: Audio, times: int, folder: Path) -> tuple[list[float], list[float]]:
    """Speak so many times over an answer; seconds to silence and to a shut mouth each time."""
    # Two unlike rests: at one pace speech and answers could miss each other again and again.
    sound = microphone(folder / "over.wav", 9.0, speech, 2.0, 12.0, speech, 2.0)
    with chatting(address, sound) as page:
        page.click("#chat-options > button")
        choose(page, "#chat-think", "Prepared answers")
        start(page)
        page.evaluate("watch()")
        begins: list[float] = []
        found: list[float] = []
        for _ in range(8 * times):  # now and then the speech comes before the answer, and stops nothing
            page.wait_for_function("document.querySelector('#live-stage').dataset.state === 'idle'", timeout=60_000)
            page.evaluate("window.before = linlyChat.events.at(-1).at")
            page.fill("#live-text", STORY)
            page.keyboard.press("Enter")
            page.wait_for_function("linlyChat.events.some((e) => e.type === 'turn' && e.at > before)", timeout=90_000)
            page.wait_for_timeout(500)
            begins, found = stopped_after(page.evaluate("watched"))
            if len(found) >= times:
                break
        return found, shut_after(page.evaluate("developed()"), begins)
