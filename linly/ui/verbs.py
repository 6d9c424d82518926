"""The Render tab's verbs for scripts and gradio_client: plain parameters in, exactly their results out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr

from linly.job import Report
from linly.ui import handlers
from linly.ui.handlers import Form
from linly.ui.parts import api


def told(report: Report) -> dict[str, Any]:
    """The report as JSON, file names instead of paths of this machine."""
    values = asdict(report)
    return values | {key: Path(values[key]).name for key in ("video", "subtitles", "sidecar")}


def wire(style: list[Any]) -> None:
    """The verbs for scripts, with plain parameters and exactly their results."""
    with gr.Group(visible=False):
        words = [gr.Textbox("", label=name) for name in ("portrait", "voice", "text")]
        photo, sound = gr.File(label="photo"), gr.File(label="audio")
        video, subtitles, report = gr.File(label="video"), gr.File(label="subtitles"), gr.JSON(label="report")
        ask = gr.Button()
    gr.on([ask.click], api(render_verb), [words[2], words[0], words[1], photo, sound, *style],
          [video, subtitles, report], api_name="render", concurrency_limit=8)  # fmt: skip
    gr.on([ask.click], api(handlers.check_portrait), [photo], report, api_name="check_portrait")


def render_verb(
    text: str = "", portrait: str = "", voice: str = "", photo: str | None = None, audio: str | None = None,
    rate: float = 1.0, expression: float = 1.0, head: float = 1.0, language: str = "auto", emotion: str = "auto",
    size: str = "512", fps: float = 25, subtitles: str = "none", speak: str = "", draw: str = "", seed: float = 0,
) -> tuple[str, str | None, dict[str, Any]]:  # fmt: skip
    """A text (or a sound file) and a portrait (a sample's name, or a photo) in; video, subtitles and report out."""
    source = "sound" if audio and not text else "text"
    report = handlers.render_now(
        Form(portrait, photo, voice, source, text, audio, rate, expression, head, language, emotion, size, fps,
             subtitles, speak, draw, seed)
    )  # fmt: skip
    return report.video, report.subtitles if Path(report.subtitles).is_file() else None, told(report)
