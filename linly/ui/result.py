"""The Render tab's right side: the stage, the progress, what a finished video offers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr

from linly import library
from linly.errors import Cancelled
from linly.ui import handlers, picker, verbs
from linly.ui.form import Form
from linly.ui.handlers import Step
from linly.ui.parts import PRIVATE, bar, note, status, table, toast
from linly.ui.strings import duration, text


def build(ui: SimpleNamespace) -> None:
    """The column; its parts join `ui` by name."""
    say = ui.say
    with gr.Column(elem_classes="card"):
        with gr.Group(elem_id="stage", elem_classes="stage"):
            ui.poster = gr.HTML(picker.poster(library.samples()[0].name), elem_id="poster", elem_classes="fill")
            ui.still = say(
                gr.Image, {"label": "result_frame"}, visible=False, elem_id="still", show_label=False,
                interactive=False, type="filepath", buttons=["download"],
            )  # fmt: skip
            ui.video = say(
                gr.Video, {"label": "result_video"}, visible=False, elem_id="video", show_label=False,
                interactive=False, autoplay=True, buttons=[],
            )  # fmt: skip
        with gr.Row(elem_id="progress-row", elem_classes="progress-row"):
            ui.progress = gr.HTML(bar(text(say.lang, "idle"), 0, "idle"), elem_id="progress", elem_classes="progress")
            ui.stop = say(
                gr.Button, {"value": "stop"}, elem_id="stop", elem_classes="stop", interactive=False, scale=0,
                min_width=84, size="md",
            )  # fmt: skip
        with gr.Row(elem_classes="actions"):
            ui.save = say(
                gr.DownloadButton, {"label": "download"}, interactive=False, elem_id="download", size="md",
                min_width=110,
            )  # fmt: skip
            ui.save_subtitles = say(
                gr.DownloadButton, {"label": "download_subtitles"}, interactive=False, elem_id="download-subtitles",
                size="md", min_width=110,
            )  # fmt: skip
            ui.variation = say(
                gr.Button, {"value": "variation"}, interactive=False, elem_id="variation", size="md", min_width=110
            )
        with say(gr.Accordion, {"label": "details"}, open=False, elem_id="details"):
            ui.facts = gr.HTML(note(text(say.lang, "details_none")))
            ui.report = say(gr.JSON, {"label": "details_json"}, open=False, max_height=260)
    ui.kept = gr.State(None)


def outputs(ui: SimpleNamespace) -> list[Any]:
    """What a render changes, in the order of `shown`."""
    return [
        ui.progress, ui.stop, ui.go, ui.frame_once, ui.short, ui.poster, ui.still, ui.video, ui.save,
        ui.save_subtitles, ui.variation, ui.facts, ui.report, ui.kept,
    ]  # fmt: skip


def line(step: Step, lang: str) -> str:
    """The line under the picture."""
    done = text(lang, "done_frame")
    if step.report and not step.still:
        took = step.report.timings.get("total", 0.0)
        done = text(lang, "done", s=duration(lang, step.report.seconds), t=duration(lang, took))
    return status(step, lang, done)


def shown(step: Step, lang: str) -> list[Any]:
    """Updates for the outputs of a render."""
    free = not step.busy
    begin = [line(step, lang), gr.update(interactive=step.busy and not step.stopping)]
    buttons = [gr.update(interactive=free)] * 3
    report = step.report
    if report is None:
        return begin + buttons + [gr.skip()] * 9
    files = report.subtitles if Path(report.subtitles).is_file() else None
    film = None if step.still else report.video
    clear = report.background == "transparent"
    return [
        *begin, *buttons,
        gr.update(visible=False),
        gr.update(value=report.video if step.still else None, visible=step.still, elem_classes=_paper(clear)),
        gr.update(value=film, visible=not step.still, elem_classes=_paper(clear)),
        gr.update(value=film, interactive=bool(film)),
        gr.update(value=files, interactive=bool(files)),
        gr.update(interactive=True),
        table(handlers.facts(report, lang)),
        verbs.told(report),
        report,
    ]  # fmt: skip


def _paper(clear: bool) -> list[str]:
    """What is transparent is shown on a chequered ground."""
    return ["chequered"] if clear else []


def run(preview: str, request: gr.Request, lang: str, *values: Any) -> Iterator[list[Any]]:
    """From click to result: updates as the work goes on; errors become toasts once the page is at rest again."""
    for step in handlers.render(Form(*values), preview, request.session_hash or ""):
        yield shown(step, lang)
        if step.error and not isinstance(step.error, Cancelled):
            raise toast(step.error, lang)


def stopped(request: gr.Request, lang: str) -> tuple[Any, Any]:
    """The Stop button: says so at once; the render's own line follows when it has ended."""
    was = handlers.stop(request.session_hash or "")
    return (bar(text(lang, "stopping"), 0) if was else gr.skip()), gr.update(interactive=False)


def wire(ui: SimpleNamespace) -> None:
    """The buttons that make a video, and the one that stops it."""

    def starter(preview: str) -> Any:
        def start(request: gr.Request, lang: str, *values: Any) -> Iterator[list[Any]]:
            yield from run(preview, request, lang, *values)

        return start

    common: dict[str, Any] = {
        "inputs": [ui.lang, *ui.form], "outputs": outputs(ui), "concurrency_limit": 8,
        "concurrency_id": "render", **PRIVATE,
    }  # fmt: skip
    down = to_stage("stage")
    ui.go.click(starter(""), js=down, **common)
    ui.frame_once.click(starter("frame"), js=down, **common)
    ui.short.click(starter("short"), js=down, **common)
    ui.variation.click(handlers.new_seed, None, ui.seed, js=down, **PRIVATE).then(starter(""), **common)
    ui.stop.click(stopped, ui.lang, [ui.progress, ui.stop], concurrency_limit=None, **PRIVATE)


def to_stage(stage: str) -> str:
    """A script for phones, where the result lies below what goes in: bring it into sight as the work begins."""
    return f"""(...values) => {{
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (innerWidth <= 860)
    document.getElementById("{stage}").scrollIntoView({{behavior: calm ? "auto" : "smooth", block: "start"}});
  return values;
}}"""
