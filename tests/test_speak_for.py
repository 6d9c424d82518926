"""Speak for me in a real browser: by keys alone, and nothing is said that nobody wanted said."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from contextlib import contextmanager

import browser
import pytest
from conftest import ROOT

from linly.ui.speak_for import head
from linly.ui.speak_for_strings import SPEAK_FOR

LOOPBACK = "127.0.0.1"
SAID = "told.filter((event) => event.type === 'said').map((event) => event.text)"


@contextmanager
def speak_for_page(**context):
    """Chromium on the page of speak_for_page.py."""
    from playwright.sync_api import sync_playwright

    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(ROOT / "tests" / "speak_for_page.py"), str(port)]
    variables = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdin=subprocess.PIPE) as process:
        try:
            address = browser._answering(f"http://{LOOPBACK}:{port}/", process)
            with sync_playwright() as playwright:
                chromium = playwright.chromium.launch(executable_path=browser.chromium(), args=browser.FLAGS)
                page = chromium.new_context(**context).new_page()
                page.goto(address)
                page.wait_for_selector("#speak-for .guesses button", timeout=60_000)
                yield page
                chromium.close()
        finally:
            process.stdin.close()


def test_every_word_is_there_in_both_languages_and_the_script_knows_each():
    assert all(len(pair) == 2 and all(one.strip() for one in pair) for pair in SPEAK_FOR.values())
    script = head()
    named = set(re.findall(r'"(sf_[a-z_]+[a-z])"', script.split("};", 1)[1]))
    assert named and named <= set(SPEAK_FOR)


@pytest.mark.browser
@pytest.mark.slow
def test_by_keys_alone_what_is_typed_is_said_and_nothing_else():
    pytest.importorskip("playwright", reason="playwright is not installed (requirements-dev.txt has it)")
    if not browser.chromium():
        pytest.skip("there is no Chromium on this machine")
    with speak_for_page() as page:
        field = page.locator("#speak-for-text")
        field.focus()
        page.keyboard.type("Not connected")
        page.keyboard.press("Enter")
        assert field.input_value() == "Not connected"  # nothing is lost
        page.evaluate("connectHere()")
        page.wait_for_function("window.live", timeout=60_000)
        field.fill("")
        field.press_sequentially("i need t")
        page.wait_for_function("document.querySelector('.guesses button')?.textContent.includes('toilet')")
        page.keyboard.press("Alt+1")
        assert field.input_value() == "I need the toilet."
        page.wait_for_timeout(600)
        assert not page.evaluate("told.some((event) => event.type === 'caption')")  # a suggestion is not speech
        page.keyboard.press("Enter")
        page.wait_for_function(f"{SAID}.includes('I need the toilet.')", timeout=30_000)
        assert field.input_value() == "" and page.evaluate(SAID) == ["I need the toilet."]
        field.press_sequentially("A long sentence that is stopped before it has come to its end")
        page.keyboard.press("Enter")
        page.wait_for_function("told.filter((event) => event.type === 'saying').length === 2", timeout=30_000)
        page.keyboard.press("Escape")
        page.wait_for_function("told.some((event) => event.type === 'stopped')", timeout=20_000)
        page.keyboard.press("Alt+b")
        assert page.evaluate("document.activeElement.className") == "phrase"
        page.keyboard.press("Enter")
        assert field.input_value() == "Hello!" and len(page.evaluate(SAID)) == 1
        page.keyboard.press("Alt+ArrowUp")
        assert field.input_value() == "I need the toilet."
        page.get_by_label("Word by word").check()
        field.fill("")
        field.press_sequentially("Come here")
        page.wait_for_function(f"{SAID}.includes('Come')", timeout=30_000)
        page.keyboard.press("Enter")
        page.wait_for_function(f"{SAID}.includes('here')", timeout=30_000)
        assert page.evaluate(SAID) == ["I need the toilet.", "Come", "here"]
        page.keyboard.press("?")
        assert page.locator("#speak-for dialog").is_visible()
        page.keyboard.press("Escape")
        sizes = page.eval_on_selector_all(
            "#speak-for button", "all => all.filter(b => b.offsetParent).map(b => b.offsetHeight)"
        )
        assert min(sizes) >= 44
        assert not page.evaluate("told.filter((event) => event.type === 'error')")
