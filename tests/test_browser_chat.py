"""The Chat tab in headless Chromium with the real engines: heard, answered, interrupted, remembered, spoken for."""

from __future__ import annotations

import contextlib

import browser
import chat_page
import numpy as np
import pytest

from linly import audio, registry, video
from linly.text.heard import wrong_share
from linly.ui.strings import text

pytestmark = [pytest.mark.browser, pytest.mark.slow]
TURN = "linlyChat.events.filter((e) => e.type === 'turn' && e.heard && !e.stopped).length"


@pytest.fixture(scope="module")
def address(models, tmp_path_factory):
    pytest.importorskip("playwright", reason="playwright is not installed (requirements-dev.txt has it)")
    if not browser.chromium():
        pytest.skip("there is no Chromium on this machine")
    if registry.why_not("think", "local"):
        pytest.skip("there is no language model here: python -m linly weights pull qwen2.5-coder-0.5b")
    with browser.serving(LINLY_LIBRARY=str(tmp_path_factory.mktemp("library"))) as where:
        yield where


@pytest.fixture
def quiet(tmp_path):
    return chat_page.microphone(tmp_path / "quiet.wav", 20.0)


def ask(page, words: str) -> None:
    page.evaluate(f"window.turns = {TURN}")
    page.fill("#live-text", words)
    page.keyboard.press("Enter")
    page.wait_for_function(f"{TURN} > turns", timeout=90_000)


def log(page) -> str:
    return page.locator("#live-log").inner_text()


def test_a_typed_question_is_answered_by_a_face_with_words_and_a_video(address, quiet, tmp_path):
    with chat_page.chatting(address, quiet) as page:
        page.click("#chat-options > button")
        page.click("#chat-record input")
        chat_page.start(page)
        ask(page, "What is the capital of France?")
        reply = chat_page.events(page, "turn")[-1]
        assert "Paris" in reply["reply"] and reply["reply"] in log(page) and not reply["error"]
        assert page.evaluate("document.getElementById('live-video').videoWidth") >= 256
        with page.expect_download() as saved:
            page.locator("#live-log a").last.click()
        made = video.probe(saved.value.path())
        assert abs(made.seconds - made.audio_seconds) < 1 / 25
        said = audio.load(saved.value.path(), max_seconds=60, rate=16000)
        heard = registry.open_engine("hear", "whisper").hear(said, "en")
        assert wrong_share([reply["reply"]], [heard.text]) < 0.2
        page.click("#live-end")
        page.wait_for_selector("#live-start:visible")
        with page.expect_download() as saved:
            page.click("#live-whole")
        whole = video.probe(saved.value.path())
        assert whole.seconds > made.seconds and abs(whole.seconds - whole.audio_seconds) < 1 / 25


def test_where_webrtc_cannot_connect_the_pages_own_line_takes_over(address, speech, tmp_path):
    spoken = audio.load(speech / "en_ljspeech_LJ001_0002.wav", max_seconds=60)
    sound = chat_page.microphone(tmp_path / "question.wav", 16.0, spoken, 6.0)
    with chat_page.chatting(address + "?live=socket", sound) as page:
        chat_page.start(page)
        assert text("en", "live_socket") in page.locator("#live-note").inner_text()
        page.wait_for_function("linlyChat.events.some((e) => e.type === 'heard')", timeout=60_000)
        assert wrong_share(["in being comparatively modern."], [chat_page.events(page, "heard")[0]["text"]]) < 0.1
        page.wait_for_function("document.getElementById('live-stage').dataset.state === 'speaking'", timeout=60_000)
        page.click("#live-stop")
        page.wait_for_function("document.getElementById('live-stage').dataset.state !== 'speaking'", timeout=20_000)
        ask(page, "What is the capital of France?")
        assert "Paris" in chat_page.events(page, "turn")[-1]["reply"]
        video = "document.getElementById('live-video')"
        assert page.evaluate(f"{video}.videoWidth") >= 256 and not page.evaluate(f"{video}.srcObject")


def test_a_recording_in_the_microphone_becomes_the_right_words(address, speech, tmp_path):
    spoken = audio.load(speech / "en_ljspeech_LJ001_0002.wav", max_seconds=60)
    sound = chat_page.microphone(tmp_path / "question.wav", 14.0, spoken, 6.0)
    with chat_page.chatting(address, sound) as page:
        chat_page.start(page)
        page.wait_for_function("linlyChat.events.some((e) => e.type === 'heard')", timeout=60_000)
        heard = chat_page.events(page, "heard")[0]["text"]
        assert wrong_share(["in being comparatively modern."], [heard]) < 0.1
        assert heard in log(page)


def test_who_speaks_over_the_answer_silences_it(address, speech, tmp_path):
    spoken = audio.load(speech / "en_ljspeech_LJ001_0002.wav", max_seconds=60)
    silent, still = chat_page.barge_ins(address, spoken, 2, tmp_path)
    # A busy machine; docs/benchmarks.md has what a quiet one does.
    assert silent and max(silent) < 2.0 and max(still) < 3.0, (silent, still)


def test_two_visitors_see_nothing_of_each_other(address, quiet):
    with contextlib.ExitStack() as both:
        pages = [both.enter_context(chat_page.chatting(address, quiet))]
        pages.append(pages[0].context.browser.new_context(locale="en-GB").new_page())
        chat_page.arrive(pages[1], address)
        for page, name in zip(pages, ("Rosamund", "Bartholomew"), strict=True):
            chat_page.start(page)
            ask(page, f"My name is {name}.")
        for page, own, other in zip(pages, ("Rosamund", "Bartholomew"), ("Bartholomew", "Rosamund"), strict=True):
            page.click("#memory > button")
            page.wait_for_selector(f"#memory-facts label:has-text('{own}')", timeout=20_000)
            seen = page.locator("body").inner_text() + str(page.evaluate("linlyChat.events"))
            assert own in seen and other not in seen


def test_what_is_typed_is_said_in_speak_for_me(address, quiet):
    with chat_page.chatting(address, quiet, "zh-CN") as page:
        page.locator("#chat-mode label", has_text=text("zh", "chat_mode_speak")).click()
        page.wait_for_selector("#speak-for textarea")
        chat_page.start(page)
        page.fill("#speak-for textarea", "请帮我开一下门。")
        page.locator("#speak-for textarea").press("Enter")
        page.wait_for_function("linlyChat.events.some((e) => e.type === 'said')", timeout=60_000)
        said = [event["text"] for event in chat_page.events(page, "caption") if event["text"].strip()]
        assert said == ["请帮我开一下门。"]
        assert not chat_page.events(page, "heard")


def test_silence_is_measured_from_the_first_word_spoken_over_an_answer():
    time = np.arange(0, 8, 0.008)
    mic = np.where((time > 2) & (time < 3) | (time > 6), 0.1, 0.0)
    voice = np.where((time > 1) & (time < 2.25), 0.1, 0.0)
    [begins], [found] = chat_page.stopped_after(np.stack([time, mic, voice], 1).tolist())
    assert begins == pytest.approx(2.0, abs=0.02)
    assert found == pytest.approx(0.25, abs=0.02)  # the second time there was nothing to speak over
