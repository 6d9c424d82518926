"""The verbs for scripts and gradio_client: plain parameters in, exactly their results out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr

from linly import library, registry
from linly.chat.once import Asked, answer
from linly.job import Report
from linly.ui import chat_room, handlers, jobs, portrait_handlers, voice_handlers, voices
from linly.ui.form import Form
from linly.ui.parts import api
from linly.values import CROPS


def told(report: Report) -> dict[str, Any]:
    """The report as JSON, file names instead of paths of this machine."""
    values = asdict(report)
    return values | {key: Path(values[key]).name for key in ("video", "subtitles", "sidecar", "background")}


def wire(style: list[Any], speech: list[Any]) -> None:
    """The verbs for scripts. `style`: the Render tab's controls from rate to frame, whose values are the
    defaults; `speech`: pitch and pronunciation list."""
    with gr.Group(visible=False):
        words = [gr.Textbox("", label=name) for name in ("portrait", "voice", "text")]
        photo, sound, backdrop = (gr.File(label=name) for name in ("photo", "audio", "background_picture"))
        background = gr.Textbox("keep", label="background")
        video, subtitles, report = gr.File(label="video"), gr.File(label="subtitles"), gr.JSON(label="report")
        ask = gr.Button()
    inputs = [words[2], words[0], words[1], photo, sound, *style, background, backdrop, *speech]
    gr.on([ask.click], api(render_verb), inputs,
          [video, subtitles, report], api_name="render", concurrency_limit=8)  # fmt: skip
    _wire_portraits()
    _wire_voices()
    _wire_chat()


def _wire_chat() -> None:
    with gr.Group(visible=False):
        words = {
            name: gr.Textbox(usual, label=name)
            for name, usual in {
                "text": "", "persona": "lin", "portrait": "", "voice": "", "user": "", "language": "auto",
                "size": "512", "think": "",
            }.items()
        }  # fmt: skip
        sound, video, report, ask = gr.File(label="audio"), gr.File(label="video"), gr.JSON(label="report"), gr.Button()
    text, *rest = words.values()
    gr.on([ask.click], api(chat_verb), [text, sound, *rest], [video, report], api_name="chat", concurrency_limit=2)


def chat_verb(
    text: str = "", audio: str | None = None, persona: str = "lin", portrait: str = "", voice: str = "", user: str = "",
    language: str = "auto", size: str = "512", think: str = "",
) -> tuple[str, dict[str, Any]]:  # fmt: skip
    """One turn of a conversation: a question (text, or else a recording) in; a video of the answer and its report out.

    persona: the name of a sample or of one that this user keeps; portrait, voice: names, else the persona's own; user:
    a secret of the caller's, whose conversation goes on and is remembered; empty: nothing is kept.
    """
    who, _ = chat_room.find(user, persona)
    engines = {"think": think} if think else {}
    library.known(
        registry.open_engine("speak", registry.default("speak")), voice or who.voice, portrait or who.portrait
    )
    report = answer(
        Asked(
            jobs.folder(jobs.root()) / "answer.mp4", text=text, audio=Path(audio) if audio and not text else None,
            persona=who, portrait=portrait, voice=voice, user=user, language=language, size=size, engines=engines,
        )
    )  # fmt: skip
    files = ("video", "subtitles", "sidecar", "background")
    return report["video"], report | {key: Path(report[key]).name for key in files if report.get(key)}


def _wire_portraits() -> None:
    with gr.Group(visible=False):
        name, consent = gr.Textbox("", label="name"), gr.Textbox("", label="consent")
        photo, crop = gr.File(label="photo"), gr.Radio(list(CROPS), value="whole", label="crop")
        light, denoise = gr.Checkbox(False, label="light"), gr.Checkbox(False, label="denoise")
        report, shelf, ask = gr.JSON(label="report"), gr.JSON(label="portraits"), gr.Button()
    mended = [crop, light, denoise]
    gr.on([ask.click], api(portrait_handlers.check), [photo, *mended], report, api_name="portrait_check")
    gr.on([ask.click], api(portrait_handlers.add), [name, photo, *mended, consent], report, api_name="portrait_add")
    gr.on([ask.click], api(portrait_handlers.listed), None, shelf, api_name="portrait_list")
    gr.on([ask.click], api(portrait_handlers.remove), name, shelf, api_name="portrait_remove")


def _wire_voices() -> None:
    with gr.Group(visible=False):
        name, new, consent, said, language = (
            gr.Textbox("", label=label) for label in ("name", "new", "consent", "text", "language")
        )
        files, file = gr.File(label="files", file_count="multiple"), gr.File(label="file")
        denoise, sound = gr.Checkbox(False, label="denoise"), gr.File(label="sound")
        about, shelf, stopped, ask = (
            gr.JSON(label="voice"),
            gr.JSON(label="voices"),
            gr.JSON(label="stopped"),
            gr.Button(),
        )
    for handler, inputs, output, verb in (
        (voice_handlers.check, [files, denoise], about, "check"),
        (voice_handlers.add, [name, files, denoise, said, consent], about, "add"),
        (voices.listed, None, shelf, "list"),
        (voice_handlers.test, [name, language], sound, "test"),
        (voice_handlers.rename, [name, new], shelf, "rename"),
        (voice_handlers.remove, name, shelf, "remove"),
        (voice_handlers.export, name, sound, "export"),
        (voice_handlers.take, [file, name], about, "import"),
        (voice_handlers.fit_now, name, about, "fit"),
        (voice_handlers.cancel_fit, name, stopped, "fit_cancel"),
    ):
        gr.on([ask.click], api(handler), inputs, output, api_name=f"voice_{verb}", concurrency_limit=4)


def render_verb(
    text: str = "", portrait: str = "", voice: str = "", photo: str | None = None, audio: str | None = None,
    rate: float = 1.0, expression: float = 1.0, head: float = 1.0, language: str = "auto", emotion: str = "auto",
    size: str = "512", fps: float = 25, subtitles: str = "none", speak: str = "", draw: str = "", seed: float = 0,
    crop: str = "whole", frame: str = "photo", background: str = "keep", background_picture: str | None = None,
    pitch: float = 0, lexicon: str = "",
) -> tuple[str, str | None, dict[str, Any]]:  # fmt: skip
    """A text (or a sound file) and a portrait in; video, subtitles and report out.

    portrait: the name of a sample or an enrolled portrait; photo: a picture or a short video instead; background:
    keep, blur, transparent or a colour as #rrggbb; background_picture: a file instead; lexicon: a word and
    its reading a line.
    """
    form = Form(
        portrait=portrait, photo=photo, voice=voice, source="sound" if audio and not text else "text", script=text,
        sound=audio, rate=rate, expression=expression, head=head, language=language, emotion=emotion, size=size,
        fps=fps, subtitles=subtitles, speak=speak, draw=draw, seed=seed, crop=crop, frame=frame,
        background="picture" if background_picture else background, backdrop=background_picture,
        pitch=pitch, lexicon=lexicon,
    )  # fmt: skip
    report = handlers.render_now(form)
    return report.video, report.subtitles if Path(report.subtitles).is_file() else None, told(report)
