"""The Lectures tab in headless Chromium, and by gradio_client."""

from __future__ import annotations

import json
import os
import zipfile

import browser
import decks
import pytest

from linly import video
from linly.ui.strings import text

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser.chromium() is None, reason="this test needs Chromium: apt install chromium"),
]
LINES = [("Plants", "light", "Plants turn light into sugar."), ("Roots", "water", "Roots drink. They also hold.")]


@pytest.fixture(scope="module")
def address(models, tmp_path_factory):
    with browser.serving(LINLY_LIBRARY=str(tmp_path_factory.mktemp("library"))) as found:
        yield found


def test_files_are_dropped_looked_at_made_and_fetched(address, tmp_path):
    deck = decks.pptx(tmp_path / "plants.pptx", LINES)
    (tmp_path / "empty.txt").write_text("")
    with browser.visiting(address) as page:
        page.get_by_role("tab", name=text("en", "tab_lectures")).click()
        page.set_input_files("#lectures-given input[type=file]", [str(deck), str(tmp_path / "empty.txt")])
        page.wait_for_selector("#lectures-given :text('plants')")
        page.click("#lectures-look")
        page.wait_for_selector("#lectures-preview textarea")
        assert "Roots drink.  [slide 2]" in page.locator("#lectures-preview textarea").input_value()
        page.click("#lectures-size input")
        page.locator("ul[role=listbox] li", has_text="256").first.click()
        page.click("#lectures-go")
        page.wait_for_selector("#lectures-pause", timeout=30_000)
        page.wait_for_selector("#lectures-bar .done:has-text('1 of 2')", timeout=180_000)
        table = page.locator("#lectures-table").inner_text()
        assert "plants" in table and "empty.txt is empty" in table
        if os.environ.get("LINLY_SHOTS"):
            page.screenshot(path=os.path.join(os.environ["LINLY_SHOTS"], "lectures.png"))
        with page.expect_download() as saved:
            page.locator("#lectures-zip a").first.click()
        names = set(zipfile.ZipFile(saved.value.path()).namelist())
        assert {"plants.mp4", "plants.srt", "plants.vtt", "plants.jpg", "report.csv"} <= names
        page.click("#lectures-go")  # again: nothing has changed
        page.wait_for_selector(f"#lectures-table :text('{text('en', 'state_unchanged')}')", timeout=60_000)


def test_a_stopped_run_goes_on(address, tmp_path):
    (tmp_path / "long.txt").write_text(" ".join(f"This is sentence number {n} of a long talk." for n in range(30)))
    with browser.visiting(address, "zh-CN") as page:
        page.get_by_role("tab", name=text("zh", "tab_lectures")).click()
        page.set_input_files("#lectures-given input[type=file]", str(tmp_path / "long.txt"))
        page.wait_for_selector("#lectures-given :text('long')")
        page.click("#lectures-go")
        page.wait_for_selector("#lectures-stop", timeout=30_000)
        page.wait_for_function(
            r"/[2-9] \/ 30/.test(document.querySelector('#lectures-table').innerText)", timeout=120_000
        )
        page.click("#lectures-stop")
        page.wait_for_selector(f"#lectures-bar :text('{text('zh', 'lectures_stopped')[:4]}')", timeout=60_000)


def test_a_client_does_the_same(address, tmp_path):
    from gradio_client import Client, handle_file

    deck = decks.pptx(tmp_path / "plants.pptx", LINES[:1])
    client = Client(address, verbose=False)
    report, archive = client.predict(files=[handle_file(deck)], size="256", api_name="/batch")
    [talk] = report["talks"]
    assert (talk["state"], talk["video"]) == ("done", "plants.mp4")
    with zipfile.ZipFile(archive) as whole:
        whole.extract("plants.mp4", tmp_path)
        assert json.loads(whole.read("report.json"))["talks"][0]["name"] == "plants"
    assert video.probe(tmp_path / "plants.mp4").size == (456, 256)
    (tmp_path / "rows.csv").write_text(f"title,script,portrait\nA,Hello.,{tmp_path}/plants.mp4\n")
    report, archive = client.predict(files=[handle_file(tmp_path / "rows.csv")], size="256", api_name="/batch")
    assert archive is None and "There is no portrait called" in report["talks"][0]["error"]
