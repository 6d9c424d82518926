"""The page in headless Chromium with the real engines, and its verbs through gradio_client."""

from __future__ import annotations

import threading
from pathlib import Path

import browser
import pytest

from linly import library, video
from linly.ui.portrait_handlers import CHECKS
from linly.ui.strings import text

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PLAYER = "document.querySelector('#video video')"


@pytest.fixture(scope="module")
def address(models, tmp_path_factory):
    pytest.importorskip("playwright", reason="playwright is not installed (requirements-dev.txt has it)")
    if not browser.chromium():
        pytest.skip("there is no Chromium on this machine")
    with browser.serving(LINLY_LIBRARY=str(tmp_path_factory.mktemp("library"))) as where:
        yield where


def _progress(page) -> str:
    return page.locator("#progress").inner_text()


@pytest.mark.parametrize(("locale", "lang", "script"), [
    ("en-GB", "en", "Good morning. This is my first video."),
    ("zh-CN", "zh", "早上好。这是我的第一个视频。"),
])  # fmt: skip
def test_one_click_gives_a_playing_video(address, locale, lang, script):
    with browser.visiting(address, locale) as page:
        assert page.locator("#render").inner_text() == text(lang, "render")
        page.wait_for_selector("#render:not([disabled])", timeout=60_000)
        page.fill("#script textarea", script)
        page.click("#render")
        page.wait_for_selector("#video video", timeout=180_000)
        page.wait_for_function(f"{PLAYER}.currentTime > 0.5", timeout=20_000)
        assert page.evaluate(f"{PLAYER}.duration") > 2
        assert page.evaluate(f"{PLAYER}.videoWidth") > 0
        with page.expect_download() as saved:
            page.click("#download")
        assert abs(video.probe(saved.value.path()).seconds - page.evaluate(f"{PLAYER}.duration")) < 0.1
        assert text(lang, "done").split("{")[0].strip() in _progress(page)


def test_stop_ends_the_render_and_the_page_lives_on(address):
    with browser.visiting(address) as page:
        page.wait_for_selector("#render:not([disabled])", timeout=60_000)
        page.fill("#script textarea", "This is a sentence of a long talk about plants and light. " * 60)
        page.click("#render")
        page.wait_for_function("document.querySelector('#progress').innerText.includes('%')", timeout=60_000)
        page.click("#stop")
        page.wait_for_function(f"document.querySelector('#progress').innerText.includes({text('en', 'stopped')!r})")
        assert page.locator("#render").is_enabled()
        page.click("#preview-frame")
        page.wait_for_selector("#still img", timeout=60_000)


def test_the_language_can_be_switched_and_is_remembered(address):
    with browser.visiting(address) as page:
        page.locator("#page-language label", has_text="中文").click()
        page.wait_for_function(f"document.querySelector('#render').innerText === {text('zh', 'render')!r}")
        page.get_by_role("tab", name=text("zh", "tab_models")).wait_for()
        assert page.input_value("#script textarea") == text("zh", "script_sample")
        page.reload()
        page.wait_for_function(f"document.querySelector('#render')?.innerText === {text('zh', 'render')!r}")


def test_an_error_is_a_sentence_in_the_page_s_language(address):
    with browser.visiting(address, "zh-CN") as page:
        page.wait_for_selector("#render:not([disabled])", timeout=60_000)
        page.fill("#script textarea", " ")
        page.click("#render")
        page.wait_for_selector(".toast-body")
        assert "没有可说的内容" in page.locator(".toast-body").inner_text()


@pytest.mark.parametrize("width", [390, 1360])
def test_nothing_is_wider_than_the_window(address, width):
    with browser.visiting(address, viewport={"width": width, "height": 844}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.click("#more > button")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.get_by_role("tab", name=text("en", "tab_portrait")).click()
        page.wait_for_selector("#quad:visible")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_portrait_is_kept_under_a_chinese_name_rendered_and_removed(address):
    name, photo = "林老师", str(library.samples()[1].path)
    with browser.visiting(address, "zh-CN") as page:
        page.wait_for_selector("#render:not([disabled])", timeout=60_000)
        page.get_by_role("tab", name=text("zh", "tab_portrait")).click()
        page.set_input_files("#new-photo input[type=file]", photo)
        page.wait_for_selector("#hello:not([disabled])", timeout=60_000)
        assert page.locator("#verdict .yes").count() + page.locator("#verdict .no").count() == len(CHECKS)
        page.locator("#new-crop label", has_text=text("zh", "crop_head")).click()
        page.wait_for_function("document.querySelectorAll('#pair figure img').length === 2")
        page.fill("#new-name input, #new-name textarea", name)
        page.click("#save-portrait")
        page.wait_for_selector("#saved .bad")  # nobody said yet who agreed
        page.fill("#consent textarea", "美国海军的公有领域照片，用于测试。")
        page.click("#save-portrait")
        page.wait_for_selector("#saved .good", timeout=60_000)
        page.locator("#enrolled label", has_text=name).click()
        page.click("#use-portrait")
        page.wait_for_selector("#portrait input:checked[value='林老师']")
        page.fill("#script textarea", "大家好，我是林老师。")
        page.click("#render")
        page.wait_for_selector("#video video", timeout=180_000)
        page.wait_for_function(f"{PLAYER}.currentTime > 0.5", timeout=20_000)
        page.get_by_role("tab", name=text("zh", "tab_portrait")).click()
        page.click("#remove-portrait")
        page.click("#remove-yes")
        page.wait_for_function("!document.querySelector('#enrolled')?.innerText.includes('林老师')")
        page.get_by_role("tab", name=text("zh", "tab_render")).click()
        assert page.locator("#portrait label", has_text=name).count() == 0


def test_a_photo_says_hello_before_it_is_kept(address):
    with browser.visiting(address) as page:
        page.wait_for_selector("#render:not([disabled])", timeout=60_000)
        page.get_by_role("tab", name=text("en", "tab_portrait")).click()
        page.click("#try-sample")
        page.wait_for_selector("#hello:not([disabled])", timeout=60_000)
        page.click("#hello")
        page.wait_for_selector("#hello-video video", timeout=180_000)
        page.wait_for_function("document.querySelector('#hello-video video').currentTime > 0.5", timeout=20_000)
        page.click("#hello-back")
        page.wait_for_selector("#hello-video", state="hidden")
        assert page.locator("#pair img").first.is_visible()


def test_on_a_phone_the_page_goes_to_the_result(address):
    with browser.visiting(address, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True) as page:
        page.wait_for_selector("#render:not([disabled])", timeout=60_000)
        seen = "(() => { const r = document.getElementById('stage').getBoundingClientRect(); return r.bottom"
        page.evaluate("scrollTo(0, 0)")
        assert not page.evaluate(f"{seen} <= innerHeight }})()")
        page.click("#preview-frame")
        page.wait_for_function(f"{seen} <= innerHeight }})()", timeout=10_000)
        page.wait_for_selector("#still img", timeout=60_000)


def test_scripts_keep_check_and_remove_portraits(address):
    from gradio_client import Client, handle_file

    client, photo = Client(address, verbose=False), handle_file(str(library.samples()[0].path))
    report = client.predict(photo=photo, api_name="/portrait_check")
    assert report["faces"] == 1 and 0 < report["score"] <= 1
    client.predict(name="Client", photo=photo, crop="half", consent="a sample photo", api_name="/portrait_add")
    assert [row["crop"] for row in client.predict(api_name="/portrait_list") if row["name"] == "Client"] == ["half"]
    film, _, told = client.predict(
        text="I was kept.", portrait="Client", size="256", frame="1:1", background="#204060", api_name="/render"
    )
    assert told["size"][0] == told["size"][1] and video.probe(film).size == tuple(told["size"])
    assert "Client" not in [row["name"] for row in client.predict(name="Client", api_name="/portrait_remove")]


def test_two_clients_at_once_get_their_own_videos(address):
    from gradio_client import Client

    results = {}

    def ask(name: str) -> None:
        results[name] = Client(address, verbose=False).predict(
            text=f"{name} is my name.", subtitles="srt", size="256", api_name="/render"
        )

    askers = [threading.Thread(target=ask, args=(name,)) for name in ("Anna", "Robert")]
    [asker.start() for asker in askers]
    [asker.join(180) for asker in askers]
    for name, (film, subtitles, report) in results.items():
        assert abs(video.probe(film).seconds - report["seconds"]) < 0.05
        assert name in Path(subtitles).read_text(encoding="utf-8")
    assert len({film for film, _, _ in results.values()}) == 2
