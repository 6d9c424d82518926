"""The Voice tab: bring a recording, see how good it is, hear the clone beside the person, keep it under a name."""

from __future__ import annotations

import html
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr

from linly.ui import more, voice_card, voice_fitting, voice_handlers, voice_shelf
from linly.ui.parts import PRIVATE, note, toast, toasts, untouched
from linly.ui.strings import text
from linly.ui.voice_handlers import Wish


def build_voice(say: Any, lang: Any) -> SimpleNamespace:
    """The tab. `lang`: the component that holds the page's language. Gives its parts by name."""
    v = SimpleNamespace(say=say, lang=lang)
    with gr.Row(elem_id="voice-quad", elem_classes="columns", equal_height=False):
        with gr.Column(scale=6, min_width=320, elem_classes="left"):
            _source(v)
            _keep(v)
        with gr.Column(scale=6, min_width=320, elem_classes="left"):
            _heard(v)
            _compare(v)
    voice_shelf.build(v)
    v.wish = [v.medium, v.recording, v.recordings, v.denoise]
    _wire(v)
    return v


def _source(v: SimpleNamespace) -> None:
    say = v.say
    with gr.Column(elem_classes="card"):
        with gr.Row(elem_classes="source-row"):
            v.medium = say(
                gr.Radio, {"label": "how", "choices": more.choices("how", ("record", "files"))}, value="record",
                elem_id="voice-medium", elem_classes="segmented", show_label=False, container=False, min_width=0,
            )  # fmt: skip
            v.example = say(gr.Button, {"value": "try_voice"}, size="sm", elem_id="try-voice", min_width=0, scale=0)
        v.recording = untouched(say(
            gr.Audio, {"label": "recording"}, sources=["microphone", "upload"], type="filepath", elem_id="recording",
            show_label=False,
        ))  # fmt: skip
        v.recordings = say(
            gr.File, {"label": "recordings"}, file_count="multiple", file_types=["audio", "video"], height=170,
            visible=False, elem_id="recordings",
        )  # fmt: skip
        v.hint = say(gr.HTML, {"value": _hint("record")})
        v.denoise = say(gr.Checkbox, {"label": "voice_denoise"}, value=False, elem_id="voice-denoise")


def _hint(medium: str) -> Any:
    return lambda lang: note(text(lang, f"{medium}_note"))


def _keep(v: SimpleNamespace) -> None:
    say = v.say
    with gr.Column(elem_classes="card"):
        v.name = say(
            gr.Textbox, {"label": "voice_name", "placeholder": "voice_name_hint"}, max_length=60, elem_id="voice-name"
        )
        v.consent = say(
            gr.Textbox,
            {"label": "voice_consent", "placeholder": "voice_consent_hint", "info": "voice_consent_note"},
            max_length=500, lines=2, elem_id="voice-consent",
        )  # fmt: skip
        v.save = say(gr.Button, {"value": "save_voice"}, variant="primary", interactive=False, elem_id="save-voice")
        v.saved = gr.HTML(note(" "), elem_id="voice-saved")


def _heard(v: SimpleNamespace) -> None:
    say = v.say
    with gr.Column(elem_classes="card"):
        v.quality = gr.HTML(voice_card.quality(None, say.lang), elem_id="quality")
        v.wave = gr.HTML(voice_card.wave(None, say.lang), elem_id="wave")
        v.transcript = say(
            gr.Textbox, {"label": "transcript", "placeholder": "transcript_hint"}, lines=2, max_lines=6,
            max_length=8000, elem_id="voice-transcript",
        )  # fmt: skip


def _compare(v: SimpleNamespace) -> None:
    say = v.say
    with gr.Column(elem_classes="card"):
        with gr.Row():
            v.before, v.own, v.clone = (
                say(
                    gr.Audio,
                    {"label": key},
                    interactive=False,
                    visible=key != "own_before",
                    elem_id=key,
                    min_width=160,
                    buttons=[],
                )
                for key in ("own_before", "own_sound", "clone_sound")
            )
        v.like = gr.HTML(note(" "), elem_id="clone-like")
        with gr.Row():
            v.try_en, v.try_zh = (
                say(gr.Button, {"value": key}, interactive=False, elem_id=f"try-{key}", size="md", min_width=110)
                for key in ("hear_en", "hear_zh")
            )


def checked(lang: str, *values: Any) -> Iterator[list[Any]]:
    """From a recording to the quality card, its picture, what is said, the players and the buttons."""
    wish = Wish(*values)
    off, none = [gr.update(interactive=False)] * 3, [gr.update(value=None)] * 3
    if not wish.files:
        empty = [voice_card.quality(None, lang), voice_card.wave(None, lang), ""]
        yield [*empty, gr.update(visible=False, value=None), *none[1:], note(" "), *off]
        return
    yield [voice_card.quality("busy", lang), *[gr.skip()] * 6, *off]
    try:
        seen = voice_handlers.look(wish)
    except Exception as error:
        refused = [voice_card.quality(error, lang), voice_card.wave(None, lang), ""]
        yield [*refused, gr.update(visible=False, value=None), *none[1:], note(" "), *off]
        return
    before = voice_handlers.wav(seen.before, "before") if seen.before else None
    players = [gr.update(value=before, visible=before is not None), voice_handlers.wav(seen.speech, "person"), None]
    words = [voice_card.quality(seen, lang), voice_card.wave(seen, lang), seen.transcript.text]
    yield [*words, *players, note(" "), *[gr.update(interactive=True)] * 3]


def turned(lang: str, chosen: str | None, *values: Any) -> list[Any]:
    """What handlers wrote, in another language: quality card, wave, the picked voice and its fitting."""
    seen: Any = None
    if Wish(*values).files:
        try:
            seen = voice_handlers.look(Wish(*values))
        except Exception as error:
            seen = error
    wave = voice_card.wave(None if isinstance(seen, Exception) else seen, lang)
    fitting = voice_fitting.line(voice_handlers.fit_of(chosen), lang)
    return [voice_card.quality(seen, lang), wave, voice_card.kept(chosen, lang), fitting]


def tried(language: str) -> Any:
    """A handler: the clone says a sentence in the language, and how like the person it is."""

    def handler(lang: str, *values: Any) -> Iterator[list[Any]]:
        off, on = [gr.update(interactive=False)] * 2, [gr.update(interactive=True)] * 2
        yield [gr.skip(), note(text(lang, "clone_making")), *off]
        try:
            voice, path = voice_handlers.trial(Wish(*values), language)
        except Exception as error:
            yield [None, note(html.unescape(str(toast(error, lang).message)), "bad"), *on]
            return
        yield [gr.update(value=path, autoplay=True), voice_card.likeness(voice.similarity or 0.0, lang), *on]

    return handler


def _sampled(lang: str) -> list[Any]:
    with toasts(lang):
        return ["record", gr.update(value=voice_handlers.example(), visible=True), *_shown_for("record", lang)[1:]]


def _shown_for(medium: str, lang: str) -> list[Any]:
    record = medium == "record"
    return [gr.update(visible=record), gr.update(visible=not record), _hint(medium)(lang)]


def _wire(v: SimpleNamespace) -> None:
    v.medium.input(_shown_for, [v.medium, v.lang], [v.recording, v.recordings, v.hint], **PRIVATE)
    changes = [v.recording.change, v.recordings.change, v.medium.input, v.denoise.input]
    outputs = [v.quality, v.wave, v.transcript, v.before, v.own, v.clone, v.like, v.save, v.try_en, v.try_zh]
    gr.on(
        changes, checked, [v.lang, *v.wish], outputs, trigger_mode="always_last", concurrency_limit=4, **PRIVATE
    )  # fmt: skip
    v.example.click(
        _sampled, v.lang, [v.medium, v.recording, v.recordings, v.hint], concurrency_limit=2, **PRIVATE
    )  # fmt: skip
    for button, language in ((v.try_en, "en"), (v.try_zh, "zh")):
        button.click(
            tried(language), [v.lang, *v.wish], [v.clone, v.like, v.try_en, v.try_zh], concurrency_limit=2, **PRIVATE
        )  # fmt: skip
