"""The Lectures tab: files and options on the left, a table of lectures and what is finished on the right."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr

from linly import library
from linly.batch import readers
from linly.batch.values import SIZES
from linly.cli_batch import preview
from linly.errors import Cancelled, InputError
from linly.ui import lectures_handlers as handlers
from linly.ui import portrait_handlers, voices
from linly.ui.handlers import portrait_title
from linly.ui.parts import PRIVATE, api, bar, toast, toasts
from linly.ui.strings import text

LAYOUTS = ("auto", "beside", "portrait", "audio")
USUAL = {"portrait": "", "voice": "", "layout": "auto", "size": "720", "language": "auto"}
"""the verb's options"""


def build_lectures(say: Any, lang: Any) -> SimpleNamespace:
    """The tab; gives its parts by name."""
    ui = SimpleNamespace(say=say, lang=lang)
    with gr.Row(elem_classes="columns", equal_height=False):
        with gr.Column(scale=5, min_width=320, elem_classes="left"):
            _inputs(ui)
        with gr.Column(scale=7, min_width=320, elem_classes="right"), gr.Column(elem_classes="card"):
            ui.bar = gr.HTML(bar(text(say.lang, "lectures_idle"), 0, "idle"), elem_id="lectures-bar")
            ui.table = gr.HTML("", elem_id="lectures-table")
            ui.files = say(
                gr.File, {"label": "lectures_results"}, file_count="multiple", interactive=False, visible=False,
                elem_id="lectures-files",
            )  # fmt: skip
            ui.zip = say(gr.File, {"label": "lectures_zip"}, interactive=False, visible=False, elem_id="lectures-zip")
    _wire(ui)
    return ui


def _inputs(ui: SimpleNamespace) -> None:
    say = ui.say
    with gr.Column(elem_classes="card"):
        ui.given = say(
            gr.File, {"label": "lectures_files"}, file_count="multiple", elem_id="lectures-given",
            file_types=[*readers.KINDS, ".zip"], height=180,
        )  # fmt: skip
        say(gr.HTML, {"value": lambda lang: f'<div class="note">{text(lang, "lectures_note")}</div>'})
        ui.portrait = say(
            gr.Dropdown, {"label": "portrait", "choices": faces}, value=library.samples()[0].name,
            elem_id="lectures-portrait",
        )  # fmt: skip
        ui.voice = say(gr.Dropdown, {"label": "voice", "choices": voices.choices}, value="", elem_id="lectures-voice")
        with gr.Row():
            ui.layout = say(
                gr.Dropdown, {"label": "lectures_layout", "choices": layouts}, value="auto", elem_id="lectures-layout"
            )
            ui.size = say(gr.Dropdown, {"label": "size"}, choices=list(SIZES), value="720", elem_id="lectures-size")
        with gr.Row():
            ui.look = say(gr.Button, {"value": "lectures_look"}, elem_id="lectures-look")
            ui.go = say(gr.Button, {"value": "lectures_go"}, variant="primary", elem_id="lectures-go")
        with gr.Row(visible=False) as ui.running:
            ui.pause = say(gr.Button, {"value": "lectures_pause"}, elem_id="lectures-pause")
            ui.stop = say(gr.Button, {"value": "lectures_stop"}, elem_id="lectures-stop")
        ui.first = say(
            gr.Dropdown, {"label": "lectures_first"}, choices=[], value=None, visible=False, elem_id="lectures-first"
        )
        ui.preview = gr.Textbox(
            visible=False, show_label=False, lines=8, max_lines=24, interactive=False, elem_id="lectures-preview"
        )


def faces(lang: str) -> list[tuple[str, str]]:
    """Samples, then enrolled portraits."""
    samples = [(portrait_title(s.name, lang), s.name) for s in library.samples()]
    return [*samples, *((name, name) for name in portrait_handlers.names())]


def layouts(lang: str) -> list[tuple[str, str]]:
    return [(text(lang, f"layout_{one}"), one) for one in LAYOUTS]


def _wire(ui: SimpleNamespace) -> None:
    outputs = [ui.bar, ui.table, ui.files, ui.zip, ui.running, ui.go, ui.pause, ui.first]

    def go(
        files: list[str] | None, portrait: str, voice: str, layout: str, size: str, lang: str, request: gr.Request
    ) -> Iterator[list[Any]]:
        wishes = {"portrait": portrait, "voice": voice or "", "layout": layout, "size": size}
        before: list[str] = []
        for moment in handlers.make(files or [], wishes, request.session_hash or ""):
            now = handlers.waiting(moment)
            others = gr.skip() if now == before else gr.update(choices=now, value=None, visible=len(now) > 1)
            before = now
            yield [*shown(moment, lang), others]
            if moment.error and not moment.busy and not isinstance(moment.error, Cancelled):
                raise toast(moment.error, lang)

    def stopped(request: gr.Request) -> None:
        handlers.stop(request.session_hash or "")

    def paused(lang: str, request: gr.Request) -> Any:
        on = handlers.pause(request.session_hash or "")
        return gr.update(value=text(lang, "lectures_on" if on else "lectures_pause"))

    def first(name: str | None, request: gr.Request) -> None:
        handlers.first(request.session_hash or "", name or "")

    def look(files: list[str] | None, lang: str) -> Any:
        with toasts(lang):
            if not files:
                raise InputError("There is nothing to make yet: drop scripts or decks first.")
            return gr.update(value="\n".join(preview([Path(file) for file in files])), visible=True)

    wishes = [ui.given, ui.portrait, ui.voice, ui.layout, ui.size, ui.lang]
    ui.go.click(go, wishes, outputs, concurrency_limit=None, **PRIVATE)
    ui.stop.click(stopped, None, None, **PRIVATE)
    ui.pause.click(paused, [ui.lang], [ui.pause], **PRIVATE)
    ui.first.input(first, [ui.first], None, **PRIVATE)
    ui.look.click(look, [ui.given, ui.lang], [ui.preview], **PRIVATE)
    _wire_verb()


def shown(moment: handlers.Moment, lang: str) -> list[Any]:
    """The page at this moment."""
    said, fraction, state = handlers.words(moment, lang)
    rows = moment.report.rows if moment.report else moment.state.rows if moment.state else ()
    made = handlers.finished(moment.report) if moment.report else []
    return [
        bar(said, fraction, state), handlers.table(rows, lang) if rows else "",
        gr.update(value=made, visible=bool(made)),
        gr.update(value=handlers.archive(moment.report) if moment.report and made else None, visible=bool(made)),
        gr.update(visible=moment.busy), gr.update(interactive=not moment.busy),
        gr.update(value=text(lang, "lectures_on" if moment.paused else "lectures_pause")),
    ]  # fmt: skip


def _wire_verb() -> None:
    with gr.Group(visible=False):
        files = gr.File(label="files", file_count="multiple")
        words = [gr.Textbox(usual, label=name) for name, usual in USUAL.items()]
        report, archive, ask = gr.JSON(label="report"), gr.File(label="archive"), gr.Button()
    gr.on([ask.click], api(batch_verb), [files, *words], [report, archive], api_name="batch", concurrency_limit=2)


def batch_verb(
    files: list[str] | None = None, portrait: str = "", voice: str = "", layout: str = "auto", size: str = "720",
    language: str = "auto",
) -> tuple[dict[str, Any], str | None]:  # fmt: skip
    """Make videos of scripts and decks; gives what came of each, and all of them in one archive."""
    wishes = {"portrait": portrait, "voice": voice, "layout": layout, "size": size, "language": language}
    *_, last = handlers.make(files or [], wishes, f"api-{secrets.token_hex(8)}")
    if last.error:
        raise last.error
    assert last.report
    told = [asdict(row) | {"video": Path(row.video).name} for row in last.report.rows]
    return {"talks": told}, handlers.archive(last.report) if handlers.finished(last.report) else None
