"""Headless Chromium for the browser tests, and the page in a process of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip


def chromium() -> str | None:
    """The browser's program, or None."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


@contextmanager
def serving(*flags: str, **variables: str) -> Iterator[str]:
    """app.py on a free port; gives its address once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "app.py", "--port", str(port), *flags]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | variables) as process:
        try:
            yield _answering(f"http://127.0.0.1:{port}/", process)
        finally:
            process.terminate()


def _answering(address: str, process: subprocess.Popen[bytes]) -> str:
    for _ in range(600):
        assert process.poll() is None, "app.py ended before it answered"
        try:
            with urllib.request.urlopen(address, timeout=2):
                return address
        except OSError:
            time.sleep(0.1)
    raise AssertionError("app.py did not answer within a minute")


@contextmanager
def visiting(address: str, locale: str = "en-GB", **context: Any) -> Iterator[Any]:
    """A page of a fresh visitor, opened and ready."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_context(locale=locale, **context).new_page()
        page.goto(address)
        page.wait_for_selector("html:not(.linly-wait) #render")
        try:
            yield page
        finally:
            browser.close()
