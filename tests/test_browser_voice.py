"""The Voice tab in headless Chromium with the real engines."""

from __future__ import annotations

import browser
import pytest
import speakers

from linly.ui.strings import text
from linly.ui.voice_handlers import LINES

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def address(models, tmp_path_factory):
    pytest.importorskip("playwright", reason="playwright is not installed (requirements-dev.txt has it)")
    if not browser.chromium():
        pytest.skip("there is no Chromium on this machine")
    with browser.serving(LINLY_LIBRARY=str(tmp_path_factory.mktemp("library"))) as where:
        yield where


def _says(page, element: str, words: str, seconds: int = 60) -> None:
    page.wait_for_function(
        "([id, words]) => document.querySelector(id)?.innerText.includes(words)", arg=[element, words],
        timeout=1000 * seconds,
    )  # fmt: skip


def test_a_recording_becomes_a_voice_that_is_heard_used_and_removed(address):
    with browser.visiting(address, "zh-CN") as page:
        page.wait_for_selector("#render:not([disabled])", timeout=60_000)
        page.get_by_role("tab", name=text("zh", "tab_voice")).click()
        page.locator("#voice-medium label", has_text=text("zh", "how_files")).click()
        page.set_input_files("#recordings input[type=file]", str(speakers.clips("allison")[0]))
        page.wait_for_selector("#save-voice:not([disabled])", timeout=60_000)
        assert page.locator("#quality .good").count() == len(LINES)
        assert "Linux" in page.input_value("#voice-transcript textarea")
        page.fill("#voice-name :is(input, textarea)", "林老师")
        page.click("#save-voice")
        page.wait_for_selector("#voice-saved .bad")  # nobody said yet who agreed
        page.fill("#voice-consent textarea", "自由许可的录音，用于测试。")
        page.click("#save-voice")
        page.wait_for_selector("#voice-saved .good", timeout=60_000)
        page.click("#hear-zh")
        page.wait_for_selector("#shelf-clone_sound #waveform", timeout=60_000)
        page.click("#use-voice")
        page.wait_for_function("document.querySelector('#voice input').value.startsWith('林老师')")
        page.get_by_role("tab", name=text("zh", "tab_voice")).click()
        page.reload()  # what was kept is there for the next visit
        page.get_by_role("tab", name=text("zh", "tab_voice")).click()
        page.locator("#enrolled-voices label", has_text="林老师").click()
        _says(page, "#voice-facts", "自由许可的录音")
        page.click("#remove-voice")
        page.click("#remove-voice-yes")
        _says(page, "#voice-shelf", text("zh", "enrolled_voices_none"))


def test_the_sample_shows_how_it_goes_on_a_phone_too(address):
    with browser.visiting(address, viewport={"width": 390, "height": 844}) as page:
        page.wait_for_selector("#render:not([disabled])", timeout=60_000)
        page.get_by_role("tab", name=text("en", "tab_voice")).click()
        page.click("#try-voice")
        page.wait_for_selector("#save-voice:not([disabled])", timeout=90_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.click("#try-hear_en")
        _says(page, "#clone-like", "Likeness", 90)
