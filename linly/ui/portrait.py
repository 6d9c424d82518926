"""The Portrait tab: bring a photo, see how well it will talk, hear it say hello, keep it under a name."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr

from linly import library
from linly.errors import Cancelled, LinlyError
from linly.ui import more, portrait_handlers, render, result, shelf
from linly.ui.parts import PRIVATE, bar, note, status, toast
from linly.ui.portrait_handlers import SIDE, Look, Wish
from linly.ui.strings import text
from linly.ui.verdict import pair, verdict
from linly.values import CROPS


def build_portrait(say: Any, lang: Any) -> SimpleNamespace:
    """The tab. `lang`: the component that holds the page's language. Gives its parts by name."""
    p = SimpleNamespace(say=say, lang=lang)
    with gr.Row(elem_id="quad", equal_height=False):
        _source(p)
        with gr.Column(elem_classes="card", elem_id="quad-verdict"):
            p.verdict = gr.HTML(verdict(None, say.lang), elem_id="verdict")
        _stage(p)
        _keep(p)
    shelf.build(p)
    p.wish = [p.medium, p.photo, p.clip, p.crop, p.light, p.denoise]
    _wire_look(p)
    _wire_hello(p)
    return p


def _source(p: SimpleNamespace) -> None:
    say = p.say
    with gr.Column(elem_classes="card", elem_id="quad-source"):
        with gr.Row(elem_classes="source-row"):
            p.medium = say(
                gr.Radio, {"label": "medium", "choices": more.choices("medium", ("photo", "clip"))}, value="photo",
                elem_id="medium", elem_classes="segmented", show_label=False, container=False, min_width=0,
            )  # fmt: skip
            p.sample = say(gr.Button, {"value": "try_sample"}, size="sm", elem_id="try-sample", min_width=0, scale=0)
        p.photo = render.photo(say, "new-photo")
        p.clip = render.clip(say, "new-clip", visible=False)
        p.clip_note = say(gr.HTML, {"value": _clip_note}, visible=False)
        p.crop = say(
            gr.Radio, {"label": "crop", "choices": more.choices("crop", CROPS)}, value="whole", elem_id="new-crop",
            elem_classes="segmented",
        )  # fmt: skip
        with gr.Row(elem_id="mend"):
            p.light, p.denoise = (
                say(gr.Checkbox, {"label": f"mend_{key}"}, value=False, elem_id=f"mend-{key}", min_width=150)
                for key in ("light", "denoise")
            )


def _clip_note(lang: str) -> str:
    return note(text(lang, "clip_note"))


def _stage(p: SimpleNamespace) -> None:
    say = p.say
    with gr.Column(elem_classes="card", elem_id="quad-stage"):
        with gr.Group(elem_id="portrait-stage", elem_classes="stage"):
            p.pair = gr.HTML(pair(None, say.lang), elem_id="pair", elem_classes="fill")
            p.video = say(
                gr.Video, {"label": "hello_video"}, visible=False, elem_id="hello-video", show_label=False,
                interactive=False, autoplay=True, buttons=[],
            )  # fmt: skip
        with gr.Row(elem_classes="progress-row"):
            p.progress = gr.HTML(bar(text(say.lang, "hello_idle"), 0, "idle"), elem_classes="progress")
            p.stop = say(
                gr.Button, {"value": "stop"}, elem_id="hello-stop", elem_classes="stop", interactive=False, scale=0,
                min_width=84, size="md",
            )  # fmt: skip
        with gr.Row(elem_classes="actions"):
            p.hello, p.back = (
                say(gr.Button, {"value": key}, interactive=False, elem_id=elem_id, size="md", min_width=110)
                for key, elem_id in (("hello", "hello"), ("hello_back", "hello-back"))
            )


def _keep(p: SimpleNamespace) -> None:
    say = p.say
    with gr.Column(elem_classes="card", elem_id="quad-keep"):
        p.name = say(gr.Textbox, {"label": "name", "placeholder": "name_hint"}, max_length=60, elem_id="new-name")
        p.consent = say(
            gr.Textbox, {"label": "consent", "placeholder": "consent_hint", "info": "consent_note"}, max_length=500,
            lines=2, elem_id="consent",
        )  # fmt: skip
        p.save = say(
            gr.Button, {"value": "save_portrait"}, variant="primary", interactive=False, elem_id="save-portrait"
        )
        p.saved = gr.HTML(note(" "), elem_id="saved")


def looked(lang: str, *values: Any) -> Iterator[list[Any]]:
    """From a photo, or a change of what is done to it, to the pair, the verdict and the buttons."""
    wish = Wish(*values)
    reset = [gr.update(visible=True), gr.update(visible=False), gr.update(interactive=False)]
    idle = bar(text(lang, "hello_idle"), 0, "idle")
    off = [gr.update(interactive=False)] * 2
    if not wish.file:
        yield [pair(None, lang), verdict(None, lang), *off, reset[1], reset[2], idle]
        return
    yield [gr.skip(), verdict("busy", lang), *off, gr.skip(), gr.skip(), gr.skip()]
    yield [*seen_now(lang, wish), reset[1], reset[2], idle]


def seen_now(lang: str, wish: Wish) -> list[Any]:
    """Pair, verdict, and whether it can say hello and be kept."""
    if not wish.file:
        return [pair(None, lang), verdict(None, lang), *[gr.update(interactive=False)] * 2]
    try:
        seen = portrait_handlers.look(wish)
    except Exception as error:
        return [pair(_only_before(wish), lang), verdict(error, lang), *[gr.update(interactive=False)] * 2]
    kept = gr.update(interactive=wish.medium == "photo")
    return [pair(seen, lang), verdict(seen, lang), gr.update(interactive=True), kept]


def _only_before(wish: Wish) -> Look | None:
    """A photo that cannot talk is shown all the same, so that one sees which one it was."""
    try:
        from linly.pictures import load_image

        return Look(load_image(wish.file, max_side=SIDE), None, {})
    except LinlyError:
        return None


def said_hello(request: gr.Request, lang: str, *values: Any) -> Iterator[list[Any]]:
    """The hello's progress, then its video in place of the pair."""
    for step in portrait_handlers.hello(Wish(*values), request.session_hash or "", lang):
        film = step.report.video if step.report else None
        yield [
            status(step, lang, text(lang, "hello_done")),
            gr.update(interactive=step.busy and not step.stopping),
            gr.update(interactive=not step.busy),
            gr.update(interactive=True) if film else gr.skip(),
            gr.update(value=film, visible=True) if film else gr.skip(),
        ]
        if step.error and not isinstance(step.error, Cancelled):
            raise toast(step.error, lang)


def _stopped(request: gr.Request, lang: str) -> tuple[Any, Any]:
    was = portrait_handlers.stop_hello(request.session_hash or "")
    return (bar(text(lang, "stopping"), 0) if was else gr.skip()), gr.update(interactive=False)


def _shown_for(medium: str) -> list[Any]:
    """The place for a photo or for a video; only a photo can be mended."""
    photo, clip = medium == "photo", medium == "clip"
    return [*(gr.update(visible=on) for on in (photo, clip, clip)), *[gr.update(interactive=photo)] * 2]


def _sampled() -> list[Any]:
    _, *places = _shown_for("photo")
    return ["photo", gr.update(value=str(library.samples()[0].path), visible=True), *places]


def _wire_look(p: SimpleNamespace) -> None:
    p.medium.input(
        _shown_for, p.medium, [p.photo, p.clip, p.clip_note, p.light, p.denoise], **PRIVATE,
    )  # fmt: skip
    changes = [p.photo.change, p.clip.change, *(c.input for c in (p.medium, p.crop, p.light, p.denoise))]
    outputs = [p.pair, p.verdict, p.hello, p.save, p.video, p.back, p.progress]
    gr.on(
        changes, looked, [p.lang, *p.wish], outputs, trigger_mode="always_last", concurrency_limit=4, **PRIVATE
    )  # fmt: skip
    p.sample.click(
        _sampled, None, [p.medium, p.photo, p.clip, p.clip_note, p.light, p.denoise], **PRIVATE,
    )  # fmt: skip


def _wire_hello(p: SimpleNamespace) -> None:
    p.hello.click(
        said_hello, [p.lang, *p.wish], [p.progress, p.stop, p.hello, p.back, p.video], concurrency_limit=8,
        js=result.to_stage("portrait-stage"), **PRIVATE,
    )  # fmt: skip
    p.stop.click(_stopped, p.lang, [p.progress, p.stop], concurrency_limit=None, **PRIVATE)
    p.back.click(
        lambda lang: (gr.update(visible=False), gr.update(interactive=False), bar(text(lang, "hello_idle"), 0, "idle")),
        p.lang, [p.video, p.back, p.progress], **PRIVATE,
    )  # fmt: skip
