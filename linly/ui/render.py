"""The Render tab: what goes in on the left, what comes out on the right, one main button."""

from __future__ import annotations

import base64
import functools
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr

from linly import library, registry
from linly.errors import Cancelled, LinlyError
from linly.ui import handlers, verbs
from linly.ui.handlers import OWN, Form, Step
from linly.ui.parts import Wording, bar, note, progress_words, table, toast, toasts
from linly.ui.strings import STRINGS, duration, text
from linly.values import EMOTIONS, SIZES

SUBTITLES = ("none", "srt", "vtt", "burn")
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def untouched(component: Any) -> Any:
    """Its files reach the handler as they are: our own readers honour rotation and say in words what is wrong."""
    component.preprocess = lambda payload: payload.path if payload else None
    return component


def build_render(say: Wording, lang: Any) -> SimpleNamespace:
    """The tab. `lang`: the component that holds the page's language. Gives its parts by name."""
    ui = SimpleNamespace(say=say, lang=lang)
    with gr.Row(elem_id="columns", equal_height=False):
        with gr.Column(scale=6, min_width=320, elem_classes="left"):
            _portrait(ui)
            _voice(ui)
            _script(ui)
            _style(ui)
            with gr.Row(elem_id="actions-main"):
                ui.frame = say(gr.Button, {"value": "preview_frame"}, elem_id="preview-frame", scale=2, min_width=110)
                ui.short = say(gr.Button, {"value": "preview_short"}, elem_id="preview-short", scale=2, min_width=110)
                ui.go = say(gr.Button, {"value": "render"}, variant="primary", elem_id="render", scale=3, min_width=160)
        with gr.Column(scale=6, min_width=320, elem_classes="right"):
            _result(ui)
    ui.form = [
        ui.portrait, ui.photo, ui.voice, ui.source, ui.script, ui.sound, ui.rate, ui.expression, ui.head, ui.language,
        ui.emotion, ui.size, ui.fps, ui.subtitles, ui.speak, ui.draw, ui.seed,
    ]  # fmt: skip
    _wire_inputs(ui)
    _wire_render(ui)
    verbs.wire(ui.form[6:])
    return ui


def _portrait(ui: SimpleNamespace) -> None:
    with gr.Column(elem_classes="card"):
        samples = library.samples()
        ui.portrait = ui.say(
            gr.Radio, {"label": "portrait", "choices": portrait_choices}, value=samples[0].name, elem_id="portrait"
        )
        ui.photo = ui.say(
            gr.Image, {"label": "photo", "placeholder": "photo_hint"}, sources=["upload", "webcam", "clipboard"],
            type="filepath", image_mode=None, height=220, visible=False, elem_id="photo", show_label=False,
        )  # fmt: skip
        untouched(ui.photo)
        ui.check = gr.HTML(note(text(ui.say.lang, "sample_good"), "good"), elem_id="check")


def _voice(ui: SimpleNamespace) -> None:
    with gr.Column(elem_classes="card"):
        with gr.Row(elem_id="voice-row"):
            ui.voice = ui.say(
                gr.Dropdown, {"label": "voice", "choices": handlers.known_voice_choices}, value="", elem_id="voice",
                min_width=180, scale=4,
            )  # fmt: skip
            ui.listen = ui.say(gr.Button, {"value": "voice_listen"}, elem_id="listen", scale=0, min_width=92)
        ui.player = gr.HTML(elem_id="voice-player")


def _script(ui: SimpleNamespace) -> None:
    say = ui.say
    with gr.Column(elem_classes="card"):
        with gr.Row(elem_id="source-row"):
            ui.source = say(
                gr.Radio, {"label": "source", "choices": _choices("source", ("text", "sound"))}, value="text",
                elem_id="source", elem_classes="segmented", show_label=False, container=False, min_width=0,
            )  # fmt: skip
            ui.open = say(
                gr.UploadButton, {"label": "script_file"}, file_types=[".txt", ".md"], size="sm", elem_id="open-script"
            )
        ui.script = say(
            gr.Textbox, {"label": "script", "placeholder": "script_hint"},
            value=text(say.lang, "script_sample"),
            lines=4, max_lines=12, elem_id="script", show_label=False, container=False,
        )  # fmt: skip
        ui.sound = say(
            gr.Audio, {"label": "sound"}, sources=["upload", "microphone"], type="filepath", visible=False,
            elem_id="sound",
        )  # fmt: skip
        untouched(ui.sound)
        ui.count = gr.HTML(count_line(text(say.lang, "script_sample"), 1.0, say.lang), elem_id="count")


def _style(ui: SimpleNamespace) -> None:
    say = ui.say
    with gr.Column(elem_classes="card"):
        with gr.Row(elem_id="sliders"):
            ui.rate, ui.expression, ui.head = (
                say(gr.Slider, {"label": key}, minimum=low, maximum=2, value=1, step=0.05, elem_id=key, min_width=130)
                for key, low in (("rate", 0.5), ("expression", 0), ("head", 0))
            )
        with say(gr.Accordion, {"label": "more"}, open=False, elem_id="more"):
            with gr.Row():
                codes = ("auto", *handlers.VOICE_LANGUAGES)
                ui.language = say(
                    gr.Dropdown, {"label": "language", "choices": _choices("language", codes)}, value="auto"
                )
                ui.emotion = say(
                    gr.Dropdown, {"label": "emotion", "choices": _choices("emotion", EMOTIONS)}, value="auto"
                )
            with gr.Row():
                ui.size = say(gr.Dropdown, {"label": "size", "choices": _choices("size", SIZES)}, value="512")
                ui.fps = say(gr.Slider, {"label": "fps"}, minimum=10, maximum=60, value=25, step=1)
            ui.subtitles = say(
                gr.Radio, {"label": "subtitles", "choices": _choices("subtitles", SUBTITLES)}, value="none",
                elem_id="subtitles", elem_classes="segmented",
            )  # fmt: skip
            with gr.Row():
                ui.speak, ui.draw = (
                    say(
                        gr.Dropdown,
                        {"label": kind, "choices": functools.partial(engine_choices, kind)},
                        value="",
                        elem_id=f"engine-{kind}",
                    )
                    for kind in ("speak", "draw")
                )
                ui.seed = say(gr.Number, {"label": "seed"}, value=0, precision=0, minimum=0, elem_id="seed")


def _result(ui: SimpleNamespace) -> None:
    say = ui.say
    with gr.Column(elem_classes="card"):
        with gr.Group(elem_id="stage"):
            ui.poster = gr.HTML(poster(library.samples()[0].name, None), elem_id="poster")
            ui.still = say(
                gr.Image, {"label": "result_frame"}, visible=False, elem_id="still", show_label=False,
                interactive=False, type="filepath", buttons=["download"],
            )  # fmt: skip
            ui.video = say(
                gr.Video, {"label": "result_video"}, visible=False, elem_id="video", show_label=False,
                interactive=False, autoplay=True, buttons=[],
            )  # fmt: skip
        with gr.Row(elem_id="progress-row"):
            ui.progress = gr.HTML(bar(text(say.lang, "idle"), 0, "idle"), elem_id="progress")
            ui.stop = say(
                gr.Button, {"value": "stop"}, elem_id="stop", interactive=False, scale=0, min_width=84, size="md"
            )
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


def _choices(prefix: str, values: tuple[str, ...]) -> Callable[[str], list[tuple[str, str]]]:
    """Choices whose labels the string table has as prefix_value; others (512, …) are their own label."""

    def made(lang: str) -> list[tuple[str, str]]:
        return [(text(lang, f"{prefix}_{v}") if f"{prefix}_{v}" in STRINGS else v, v) for v in values]

    return made


def portrait_choices(lang: str) -> list[tuple[str, str]]:
    titled = [(handlers.portrait_title(s.name, lang), s.name) for s in library.samples()]
    return [*titled, (text(lang, "portrait_own"), OWN)]


def engine_choices(kind: str, lang: str) -> list[tuple[str, str]]:
    """Every engine of a kind; those that lack something say so."""
    choices = [(text(lang, "engine_auto"), "")]
    for name in registry.names(kind):
        title = registry.card(kind, name).title
        choices.append((text(lang, "engine_missing", title=title) if registry.why_not(kind, name) else title, name))
    return choices


def poster(portrait: str, photo: str | None) -> str:
    """The chosen portrait, large, where the video will be."""
    path = photo if portrait == OWN else next((s.path for s in library.samples() if s.name == portrait), None)
    try:
        image = f'<img alt="" src="{handlers.thumbnail(path, 900)}">' if path else ""
    except LinlyError:  # the check line says what is wrong with the photo
        image = ""
    return f'<div class="poster">{image}</div>'


def count_line(script: str, rate: float, lang: str) -> str:
    words, good = handlers.count(script or "", rate, lang)
    return note(words, "" if good else "bad")


def check_line(portrait: str, photo: str | None, lang: str) -> str:
    """What is to be said of the chosen portrait, in words."""
    if portrait != OWN:
        return note(text(lang, "sample_good"), "good")
    if not photo:
        return note(text(lang, "photo_wanted"))
    try:
        advice = handlers.check_portrait(photo).get("advice", ())
    except Exception as error:
        return note(str(toast(error, lang).message), "bad")
    if not advice:
        return note(text(lang, "photo_good"), "good")
    return "".join(note(str(a.get(lang, a["en"]) if isinstance(a, dict) else a), "bad") for a in advice)


def spoken_sample(lang: str, *values: Any) -> str:
    """A hidden player that says a sentence in the chosen voice at once."""
    with toasts(lang):
        wav = base64.b64encode(handlers.voice_sample(Form(*values), lang)).decode()
    return f'<audio id="v{secrets.token_hex(4)}" autoplay src="data:audio/wav;base64,{wav}"></audio>'


def status(step: Step, lang: str) -> str:
    """The line under the picture."""
    if step.busy:
        if step.stopping:
            return bar(text(lang, "stopping"), step.fraction)
        if step.stage == "wait":
            return bar(text(lang, "stage_wait", n=step.before), 0)
        return bar(progress_words(lang, step.stage, step.fraction, step.left), step.fraction)
    if isinstance(step.error, Cancelled):
        return bar(text(lang, "stopped"), 0, "idle")
    if step.error or step.report is None:
        return bar(text(lang, "failed"), 1, "failed")
    if step.still:
        return bar(text(lang, "done_frame"), 1, "done")
    words = text(
        lang, "done", s=duration(lang, step.report.seconds), t=duration(lang, step.report.timings.get("total", 0.0))
    )
    return bar(words, 1, "done")


def shown(step: Step, lang: str) -> list[Any]:
    """Updates for the outputs of a render, in the order of `_outputs`."""
    free = not step.busy
    line = [status(step, lang), gr.update(interactive=step.busy and not step.stopping)]
    buttons = [gr.update(interactive=free)] * 3
    report = step.report
    if report is None:
        return line + buttons + [gr.skip()] * 9
    files = report.subtitles if Path(report.subtitles).is_file() else None
    film = None if step.still else report.video
    return [
        *line, *buttons,
        gr.update(visible=False),
        gr.update(value=report.video if step.still else None, visible=step.still),
        gr.update(value=film, visible=not step.still),
        gr.update(value=film, interactive=bool(film)),
        gr.update(value=files, interactive=bool(files)),
        gr.update(interactive=True),
        table(handlers.facts(report, lang)),
        verbs.told(report),
        report,
    ]  # fmt: skip


def _outputs(ui: SimpleNamespace) -> list[Any]:
    return [
        ui.progress, ui.stop, ui.go, ui.frame, ui.short, ui.poster, ui.still, ui.video, ui.save, ui.save_subtitles,
        ui.variation, ui.facts, ui.report, ui.kept,
    ]  # fmt: skip


def run_render(preview: str, request: gr.Request, lang: str, *values: Any) -> Iterator[list[Any]]:
    """From click to result: updates as the work goes on; errors become toasts once the page is at rest again."""
    for step in handlers.render(Form(*values), preview, request.session_hash or ""):
        yield shown(step, lang)
        if step.error and not isinstance(step.error, Cancelled):
            raise toast(step.error, lang)


def stop_render(request: gr.Request, lang: str) -> tuple[Any, Any]:
    """The Stop button: says so at once; the render's own line follows when it has ended."""
    stopped = handlers.stop(request.session_hash or "")
    return (bar(text(lang, "stopping"), 0) if stopped else gr.skip()), gr.update(interactive=False)


def _wire_render(ui: SimpleNamespace) -> None:
    def starter(preview: str) -> Callable[..., Iterator[list[Any]]]:
        def start(request: gr.Request, lang: str, *values: Any) -> Iterator[list[Any]]:
            yield from run_render(preview, request, lang, *values)

        return start

    common: dict[str, Any] = {
        "inputs": [ui.lang, *ui.form], "outputs": _outputs(ui), "concurrency_limit": 8,
        "concurrency_id": "render", **PRIVATE,
    }  # fmt: skip
    ui.go.click(starter(""), **common)
    ui.frame.click(starter("frame"), **common)
    ui.short.click(starter("short"), **common)
    ui.variation.click(handlers.new_seed, None, ui.seed, **PRIVATE).then(starter(""), **common)
    ui.stop.click(stop_render, ui.lang, [ui.progress, ui.stop], concurrency_limit=None, **PRIVATE)


def _wire_inputs(ui: SimpleNamespace) -> None:
    chosen = [ui.portrait, ui.photo]
    gr.on([ui.portrait.input], lambda p: gr.update(visible=p == OWN), ui.portrait, ui.photo, **PRIVATE)
    changes = [ui.portrait.input, ui.photo.change]
    gr.on(
        changes, lambda p, f: (gr.update(value=poster(p, f), visible=True), *[gr.update(visible=False)] * 2), chosen,
        [ui.poster, ui.still, ui.video], **PRIVATE,
    )  # fmt: skip
    gr.on(changes, check_line, [*chosen, ui.lang], ui.check, **PRIVATE)
    gr.on(
        [ui.script.change, ui.rate.change, ui.lang.change], count_line, [ui.script, ui.rate, ui.lang], ui.count,
        trigger_mode="always_last", concurrency_limit=None, **PRIVATE,
    )  # fmt: skip
    ui.source.input(
        lambda s: [gr.update(visible=s == "text")] * 3 + [gr.update(visible=s == "sound")], ui.source,
        [ui.script, ui.count, ui.open, ui.sound], **PRIVATE,
    )  # fmt: skip
    ui.open.upload(_opened, [ui.open, ui.lang], ui.script, **PRIVATE)
    ui.listen.click(spoken_sample, [ui.lang, *ui.form], ui.player, **PRIVATE)
    ui.speak.input(
        lambda lang, speak: gr.update(choices=handlers.voice_choices(lang, speak), value=""), [ui.lang, ui.speak],
        ui.voice, **PRIVATE,
    )  # fmt: skip


def _opened(path: str, lang: str) -> str:
    with toasts(lang):
        return handlers.read_script(path)
