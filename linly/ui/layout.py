"""The page: header, tabs in the order people work, and what happens when it opens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import gradio as gr

from linly.settings import Settings
from linly.ui import (
    chat,
    handlers,
    lectures,
    models,
    picker,
    portrait,
    render,
    result,
    shelf,
    theme,
    voice,
    voice_shelf,
    voices,
)
from linly.ui.parts import PRIVATE, Wording, bar, note, table
from linly.ui.portrait_handlers import Wish
from linly.ui.strings import STRINGS, text


def build(settings: Settings) -> gr.Blocks:
    """The whole page, not yet launched; `look(settings)` goes to its launch()."""
    say = Wording("zh" if settings.lang == "zh" else "en")
    with gr.Blocks(title="Linly", analytics_enabled=False, delete_cache=(3600, 24 * 3600), fill_width=True) as page:
        lang = _header(say)
        banner = gr.HTML(visible=False, elem_id="banner", elem_classes="card")
        retry = say(gr.Button, {"value": "retry"}, visible=False, elem_id="retry", size="md")
        with gr.Tabs(elem_id="tabs", selected="render") as tabs:
            with say(gr.Tab, {"label": "tab_voice"}, id="voice", elem_id="tab-voice"):
                own = voice.build_voice(say, lang)
            with say(gr.Tab, {"label": "tab_portrait"}, id="portrait", elem_id="tab-portrait"):
                new = portrait.build_portrait(say, lang)
            with say(gr.Tab, {"label": "tab_render"}, id="render", elem_id="tab-render"):
                ui = render.build_render(say, lang)
            with say(gr.Tab, {"label": "tab_chat"}, id="chat", elem_id="tab-chat") as talk:
                live = chat.build_chat(say, lang)
            with say(gr.Tab, {"label": "tab_lectures"}, id="lectures", elem_id="tab-lectures"):
                lectures.build_lectures(say, lang)
            with say(gr.Tab, {"label": "tab_models"}, id="models", elem_id="tab-models"):
                models.build_models(say, lang)
        shelf.wire(new, ui, tabs)
        voice_shelf.wire(own, ui, tabs)
        chat.opened(live, talk)
        _wire(page, say, lang, ui, new, own, banner, retry)
    made: gr.Blocks = page
    return made


def look(settings: Settings) -> dict[str, Any]:
    """Arguments for launch(): theme, style sheet, script, no footer."""
    return {
        "theme": theme.theme(), "css": theme.css(), "head": theme.head(settings.lang) + chat.head(), "footer_links": [],
        "max_file_size": "300mb", "show_error": True, "enable_monitoring": False, "run_history": False,
    }  # fmt: skip


def _header(say: Wording) -> Any:
    with gr.Row(elem_id="header"):
        say(gr.HTML, {"value": brand}, elem_id="brand")
        lang = say(
            gr.Radio, {"label": "page_language"}, choices=[(text("en", c), c) for c in ("zh", "en")], value=say.lang,
            show_label=False, container=False, elem_id="page-language", elem_classes="segmented", min_width=0,
        )  # fmt: skip
        shade = gr.Button("◐", elem_id="shade", size="sm", min_width=0, scale=0)
        shade.click(None, js=theme.ON_SHADE, api_visibility="private")
    return lang


def brand(lang: str) -> str:
    return f'<div class="brand"><h1>Linly</h1><p>{text(lang, "tagline")}</p></div>'


def turned(
    say: Wording, lang: str, script: str, chosen: tuple[Any, Any, Any], kept: Any, wish: Sequence[Any]
) -> list[Any]:
    """Everything in another language: all bound components, the sample sentence, the lines that handlers wrote."""
    script_now = text(lang, "script_sample") if script in STRINGS["script_sample"] else gr.skip()
    check = picker.check_line(*chosen, lang)
    facts = table(handlers.facts(kept, lang)) if kept else note(text(lang, "details_none"))
    line = bar(text(lang, "idle"), 0, "idle")
    if kept:
        line = result.line(handlers.Step(False, report=kept, still=kept.video.endswith(".png")), lang)
    pair, verdict, *_ = portrait.seen_now(lang, Wish(*wish))
    hello = bar(text(lang, "hello_idle"), 0, "idle")
    return [*say.turned(lang), script_now, check, facts, line, pair, verdict, hello]


def opened(lang: str) -> Iterator[list[Any]]:
    """The first start: a banner with the progress of the models, then the voices and the main button."""
    for html, usable, again in models.fetching(lang):
        found = gr.update(choices=voices.choices(lang)) if usable else gr.skip()
        go = [gr.update(interactive=usable)] * 4
        yield [gr.update(value=html, visible=bool(html)), gr.update(visible=again), *go, found]


def _wire(
    page: gr.Blocks, say: Wording, lang: Any, ui: SimpleNamespace, new: SimpleNamespace, own: SimpleNamespace,
    banner: Any, retry: Any,
) -> None:  # fmt: skip
    many = len(new.wish)

    def turn(language: str, script: str, a: Any, b: Any, c: Any, kept: Any, *wish: Any) -> list[Any]:
        portrait_tab = turned(say, language, script, (a, b, c), kept, wish[:many])
        return [language, *portrait_tab, *voice.turned(language, *wish[many:])]

    switch: dict[str, Any] = {
        "inputs": [lang, ui.script, ui.portrait, ui.photo, ui.clip, ui.kept, *new.wish, own.enrolled, *own.wish],
        "outputs": [
            lang, *say.components, ui.script, ui.check, ui.facts, ui.progress, new.pair, new.verdict, new.progress,
            own.quality, own.wave, own.facts, own.bar,
        ],
        **PRIVATE,
    }  # fmt: skip
    first = [banner, retry, ui.go, ui.frame_once, ui.short, ui.listen, ui.voice]
    start: dict[str, Any] = {"inputs": [lang], "outputs": first, "concurrency_limit": 16, **PRIVATE}
    page.load(turn, js=theme.ON_LOAD_FORM, **switch).then(None, js=theme.show(), api_visibility="private").then(
        opened, **start
    )
    lang.input(turn, js=theme.ON_SWITCH, **switch)
    retry.click(opened, **start)
