"""The Render tab: what goes in on the left, what comes out on the right, one main button."""

from __future__ import annotations

import base64
import secrets
from types import SimpleNamespace
from typing import Any

import gradio as gr

from linly import library
from linly.ui import handlers, more, picker, portrait_handlers, result, verbs, voices
from linly.ui.form import OWN, OWN_CLIP, Form
from linly.ui.parts import PRIVATE, note, toasts, untouched
from linly.ui.strings import text


def build_render(say: Any, lang: Any) -> SimpleNamespace:
    """The tab. `lang`: the component that holds the page's language. Gives its parts by name."""
    ui = SimpleNamespace(say=say, lang=lang)
    with gr.Row(elem_id="columns", elem_classes="columns", equal_height=False):
        with gr.Column(scale=6, min_width=320, elem_classes="left"):
            _portrait(ui)
            _voice(ui)
            _script(ui)
            more.build(ui)
            with gr.Row(elem_id="actions-main"):
                ui.frame_once = say(
                    gr.Button, {"value": "preview_frame"}, elem_id="preview-frame", scale=2, min_width=110
                )
                ui.short = say(gr.Button, {"value": "preview_short"}, elem_id="preview-short", scale=2, min_width=110)
                ui.go = say(gr.Button, {"value": "render"}, variant="primary", elem_id="render", scale=3, min_width=160)
        with gr.Column(scale=6, min_width=320, elem_classes="right"):
            result.build(ui)
    ui.form = [
        ui.portrait, ui.photo, ui.clip, ui.voice, ui.source, ui.script, ui.sound, ui.rate, ui.expression, ui.head,
        ui.language, ui.emotion, ui.size, ui.fps, ui.subtitles, ui.speak, ui.draw, ui.seed, ui.crop, ui.frame,
        ui.background, ui.colour, ui.backdrop, ui.pitch, ui.lexicon,
    ]  # fmt: skip
    _wire_inputs(ui)
    result.wire(ui)
    verbs.wire(ui.form[7:20], ui.form[23:])
    return ui


def _portrait(ui: SimpleNamespace) -> None:
    say = ui.say
    with gr.Column(elem_classes="card"):
        ui.faces = say(gr.HTML, {"value": picker.faces}, elem_classes="unseen", padding=False)
        first = library.samples()[0].name
        ui.portrait = say(
            gr.Radio, {"label": "portrait", "choices": picker.choices}, value=first, elem_id="portrait",
            elem_classes="tiles",
        )  # fmt: skip
        ui.photo = photo(say, "photo", visible=False)
        ui.clip = clip(say, "clip", visible=False)
        ui.check = gr.HTML(note(text(say.lang, "sample_good"), "good"), elem_id="check")


def photo(say: Any, elem_id: str, visible: bool = True) -> Any:
    """Where a photo is dropped, pasted or taken."""
    return untouched(say(
        gr.Image, {"label": "photo", "placeholder": "photo_hint"}, sources=["upload", "webcam", "clipboard"],
        type="filepath", image_mode=None, height=220, visible=visible, elem_id=elem_id, elem_classes="drop",
        show_label=False,
    ))  # fmt: skip


def clip(say: Any, elem_id: str, visible: bool = True) -> Any:
    """Where a short video is dropped or recorded."""
    return untouched(say(
        gr.Video, {"label": "clip"}, sources=["upload", "webcam"], height=220, visible=visible, elem_id=elem_id,
        elem_classes="drop", show_label=False, include_audio=True,
    ))  # fmt: skip


def _voice(ui: SimpleNamespace) -> None:
    with gr.Column(elem_classes="card"):
        with gr.Row(elem_id="voice-row"):
            ui.voice = ui.say(
                gr.Dropdown, {"label": "voice", "choices": voices.known_choices}, value="", elem_id="voice",
                min_width=180, scale=4,
            )  # fmt: skip
            ui.listen = ui.say(gr.Button, {"value": "voice_listen"}, elem_id="listen", scale=0, min_width=92)
        ui.player = gr.HTML(elem_id="voice-player")


def _script(ui: SimpleNamespace) -> None:
    say = ui.say
    with gr.Column(elem_classes="card"):
        with gr.Row(elem_id="source-row"):
            ui.source = say(
                gr.Radio, {"label": "source", "choices": more.choices("source", ("text", "sound"))}, value="text",
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
        ui.sound = untouched(say(
            gr.Audio, {"label": "sound"}, sources=["upload", "microphone"], type="filepath", visible=False,
            elem_id="sound",
        ))  # fmt: skip
        ui.count = gr.HTML(count_line(text(say.lang, "script_sample"), 1.0, say.lang), elem_id="count")


def count_line(script: str, rate: float, lang: str) -> str:
    words, good = handlers.count(script or "", rate, lang)
    return note(words, "" if good else "bad")


def spoken_sample(lang: str, *values: Any) -> str:
    """A hidden player that says a sentence in the chosen voice at once."""
    form = Form(*values)
    with toasts(lang):
        style = form.style()
        sound = voices.sample(form.chosen_voice(style), form.speak, style, lang)
    wav = base64.b64encode(sound).decode()
    return f'<audio id="v{secrets.token_hex(4)}" autoplay src="data:audio/wav;base64,{wav}"></audio>'


def picked(portrait: str) -> tuple[Any, Any, Any]:
    """The places for photo and video appear where they are wanted; an enrolled portrait brings its crop."""
    crop = portrait_handlers.crop_of(portrait)
    return gr.update(visible=portrait == OWN), gr.update(visible=portrait == OWN_CLIP), crop


def posed(portrait: str, photo: str | None, clip: str | None) -> tuple[Any, Any, Any]:
    """The chosen portrait on the stage, in place of the last video."""
    poster = picker.poster(portrait, photo, clip)
    return gr.update(value=poster, visible=True), gr.update(visible=False), gr.update(visible=False)


def _wire_inputs(ui: SimpleNamespace) -> None:
    chosen = [ui.portrait, ui.photo, ui.clip]
    ui.portrait.input(picked, ui.portrait, [ui.photo, ui.clip, ui.crop], **PRIVATE)
    changes = [ui.portrait.input, ui.photo.change, ui.clip.change]
    gr.on(changes, posed, chosen, [ui.poster, ui.still, ui.video], **PRIVATE)
    gr.on(changes, picker.check_line, [*chosen, ui.lang], ui.check, **PRIVATE)
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
        lambda lang, speak: gr.update(choices=voices.choices(lang, speak), value=""), [ui.lang, ui.speak],
        ui.voice, **PRIVATE,
    )  # fmt: skip


def _opened(path: str, lang: str) -> str:
    with toasts(lang):
        return handlers.read_script(path)
