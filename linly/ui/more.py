"""The Render tab's sliders, and below "More" all that has a good default."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import gradio as gr

from linly import registry
from linly.job import SUBTITLES
from linly.ui import voices
from linly.ui.form import BACKDROPS
from linly.ui.parts import PRIVATE, untouched
from linly.ui.strings import STRINGS, text
from linly.values import CROPS, EMOTIONS, FRAMES, SIZES


def build(ui: SimpleNamespace) -> None:
    """The card; its controls join `ui` by name."""
    say = ui.say
    with gr.Column(elem_classes="card"):
        with gr.Row(elem_id="sliders"):
            ui.rate, ui.expression, ui.head = (
                say(gr.Slider, {"label": key}, minimum=low, maximum=2, value=1, step=0.05, elem_id=key, min_width=130)
                for key, low in (("rate", 0.5), ("expression", 0), ("head", 0))
            )
        with say(gr.Accordion, {"label": "more"}, open=False, elem_id="more"):
            _picture(ui)
            with gr.Row():
                ui.emotion = _dropdown(say, "emotion", EMOTIONS)
                ui.language = _dropdown(say, "language", ("auto", *voices.LANGUAGES))
                ui.pitch = say(gr.Slider, {"label": "pitch"}, minimum=-6, maximum=6, value=0, step=0.5, elem_id="pitch")
            ui.subtitles = say(
                gr.Radio, {"label": "subtitles", "choices": choices("subtitles", SUBTITLES)}, value="none",
                elem_id="subtitles", elem_classes="segmented",
            )  # fmt: skip
            ui.lexicon = say(
                gr.Textbox, {"label": "lexicon", "placeholder": "lexicon_hint"}, lines=2, max_lines=8,
                max_length=20000, value="", elem_id="lexicon",
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


def _picture(ui: SimpleNamespace) -> None:
    """What is seen: how much of the photo, in which shape, before which background."""
    say = ui.say
    ui.crop = say(
        gr.Radio, {"label": "crop", "choices": choices("crop", CROPS)}, value="whole", elem_id="crop",
        elem_classes="segmented",
    )  # fmt: skip
    with gr.Row():
        ui.frame = _dropdown(say, "frame", FRAMES, elem_id="frame")
        ui.background = _dropdown(say, "background", BACKDROPS, elem_id="background")
    ui.colour = say(gr.ColorPicker, {"label": "colour"}, value="#2b4a6f", visible=False, elem_id="colour")
    ui.backdrop = say(
        gr.Image, {"label": "backdrop", "placeholder": "backdrop_hint"}, sources=["upload", "clipboard"],
        type="filepath", image_mode=None, height=160, visible=False, elem_id="backdrop", elem_classes="drop",
        show_label=False,
    )  # fmt: skip
    untouched(ui.backdrop)
    ui.background.input(
        lambda chosen: (gr.update(visible=chosen == "colour"), gr.update(visible=chosen == "picture")),
        ui.background, [ui.colour, ui.backdrop], **PRIVATE,
    )  # fmt: skip
    with gr.Row():
        ui.size = _dropdown(say, "size", SIZES)
        ui.fps = say(gr.Slider, {"label": "fps"}, minimum=10, maximum=60, value=25, step=1)


def _dropdown(say: Any, name: str, values: tuple[str, ...], **properties: Any) -> Any:
    value = "512" if name == "size" else values[0]
    return say(gr.Dropdown, {"label": name, "choices": choices(name, values)}, value=value, **properties)


def choices(prefix: str, values: tuple[str, ...]) -> Callable[[str], list[tuple[str, str]]]:
    """Choices whose labels the string table has as prefix_value; others (512, …) are their own label."""

    def made(lang: str) -> list[tuple[str, str]]:
        return [(text(lang, f"{prefix}_{v}") if f"{prefix}_{v}" in STRINGS else v, v) for v in values]

    return made


def engine_choices(kind: str, lang: str) -> list[tuple[str, str]]:
    """Every engine of a kind; those that lack something say so."""
    made = [(text(lang, "engine_auto"), "")]
    for name in registry.names(kind):
        title = registry.card(kind, name).title
        made.append((text(lang, "engine_missing", title=title) if registry.why_not(kind, name) else title, name))
    return made
