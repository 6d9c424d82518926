"""The Chat tab: the person large, the words beside it, and below them who answers and what is remembered.

What is live (picture, microphone, transcript) is made by chat.js in the page; here is all that has time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr

from linly import registry
from linly.chat.persona import Persona
from linly.errors import EngineUnavailable, LinlyError
from linly.ui import models, more, persona, picker, remembered, speak_for, voices
from linly.ui.form import OWN, OWN_CLIP
from linly.ui.messages import translated
from linly.ui.parts import PRIVATE, bar, note, toast
from linly.ui.strings import LANGUAGES, STRINGS, text

SCRIPT = Path(__file__).with_name("chat.js")
BRAIN = "qwen2.5-coder-0.5b"
"""the language model that a button fetches: the smallest that answers at all"""
SIZES = ("256", "512", "720")
MODES = ("talk", "speak")
"""to talk with somebody, and to let somebody speak for oneself"""
SWITCHES = ("hands_free", "captions", "figures", "mood")


def head() -> str:
    """What the page needs before it is drawn: the script's words in both languages, and the scripts."""
    own = {lang: {key: text(lang, key) for key in STRINGS if key.startswith("live_")} for lang in LANGUAGES}
    words = json.dumps(own, ensure_ascii=False).replace("</", "<\\/")
    scripts = "".join(f'<script src="live/{name}.js" defer></script>' for name in ("live", "socket", "chat"))
    return f"<script>window.linlyWords = {words};</script>{scripts}{speak_for.head('linlyChatConnect', 'phrases')}"


def build_chat(say: Any, lang: Any) -> SimpleNamespace:
    """The tab. `lang`: the component that holds the page's language. Gives its parts by name."""
    c = SimpleNamespace(say=say, lang=lang)
    c.user = gr.Textbox("", elem_id="chat-user", elem_classes="unseen", label="user", container=False)
    c.go = gr.Button("", elem_id="chat-go", elem_classes="unseen")
    c.turned = gr.Button("", elem_id="chat-turned", elem_classes="unseen")
    c.mode = say(
        gr.Radio, {"label": "chat_mode", "choices": more.choices("chat_mode", MODES)}, value="talk",
        elem_id="chat-mode", elem_classes="segmented", show_label=False, container=False, min_width=0,
    )  # fmt: skip
    with gr.Row(elem_classes="columns", elem_id="chat-columns", equal_height=False):
        with gr.Column(scale=7, min_width=320, elem_classes="card"):
            with gr.Group(elem_id="chat-stage", elem_classes="stage"):
                c.poster = gr.HTML(picker.poster(library_first()), elem_id="chat-poster", elem_classes="fill")
                gr.HTML('<div id="live"></div>', elem_id="chat-live", elem_classes="fill")
            gr.HTML('<div id="live-below"></div>', padding=False)
        with gr.Column(scale=5, min_width=320, elem_classes="left"):
            with gr.Column(elem_classes="card") as c.words:
                gr.HTML('<div id="live-words"></div>', padding=False)
            with gr.Column(elem_classes="card", visible=False) as c.typing:
                c.speak_for = speak_for.build_speak_for(say, lang, c.user)
            with gr.Column(elem_classes="card"):
                _who(c)
                _options(c)
                c.ready = gr.HTML(note(""), elem_id="chat-ready", padding=False)
                c.get = say(gr.Button, {"value": "chat_get"}, visible=False, elem_id="chat-get", size="md")
    _wire(c)
    return c


def library_first() -> str:
    """The portrait that is there before one is chosen."""
    from linly import library

    return library.samples()[0].name


def faces(lang: str) -> list[tuple[str, str]]:
    """The portraits to talk with: samples and enrolled ones; the persona's own first."""
    known = [(label, value) for label, value in picker.choices(lang) if value not in (OWN, OWN_CLIP)]
    return [(text(lang, "chat_own"), ""), *known]


def spoken(lang: str) -> list[tuple[str, str]]:
    """The languages that can be expected of the visitor."""
    named = [(text(lang, f"language_{code}"), code) for code in voices.LANGUAGES]
    return [(text(lang, "chat_language_auto"), "auto"), *named]


def brains(lang: str) -> list[tuple[str, str]]:
    """The language models that can be asked, ready or not: what is missing is said when one is chosen."""
    named = [(registry.card("think", name).title, name) for name in registry.names("think")]
    return [(text(lang, "chat_think_auto"), ""), *named]


def thinkers() -> list[str]:
    """The language models, ready or not."""
    return [name for name in registry.names("think") if "answers" in registry.card("think", name).can]


def _who(c: SimpleNamespace) -> None:
    c.persona = persona.build_list(c.say)
    with gr.Row():
        c.portrait = c.say(
            gr.Dropdown, {"label": "portrait", "choices": faces}, value="", elem_id="chat-portrait", min_width=130
        )
        c.voice = c.say(
            gr.Dropdown, {"label": "voice", "choices": voices.known_choices}, value="", elem_id="chat-voice",
            min_width=130,
        )  # fmt: skip
    c.who = persona.build_persona(c.say, c.lang, c.user, c.persona, c.portrait, c.voice)
    c.memory = remembered.build_remembered(c.say, c.lang, c.user, c.persona)


def _options(c: SimpleNamespace) -> None:
    say = c.say
    with say(gr.Accordion, {"label": "chat_options"}, open=False, elem_id="chat-options"):
        with gr.Row():
            c.language = say(
                gr.Dropdown, {"label": "chat_language", "choices": spoken}, value="auto", elem_id="chat-language",
                min_width=130,
            )  # fmt: skip
            c.size = say(
                gr.Dropdown, {"label": "chat_size", "choices": more.choices("size", SIZES)}, value="512",
                elem_id="chat-size", min_width=110,
            )  # fmt: skip
            c.think = say(
                gr.Dropdown, {"label": "chat_think", "choices": brains}, value="", elem_id="chat-think", min_width=130
            )
        c.switches = {
            name: say(gr.Checkbox, {"label": f"chat_{name}"}, value=name in SWITCHES[:2], elem_id=f"chat-{name}")
            for name in SWITCHES
        }
        c.record = say(gr.Checkbox, {"label": "chat_record"}, value=False, elem_id="chat-record")


def prepared(lang: str) -> Iterator[list[Any]]:
    """When the tab is opened: models are loaded and warmed, each named; a missing language model gets its button."""
    from linly.chat import room

    try:
        for what in room.warm(lang, Persona()):
            yield [note(text(lang, f"chat_warming_{what}")), gr.update(visible=False), gr.skip()]
    except EngineUnavailable as error:
        lacking = all(registry.why_not("think", name) for name in thinkers())
        yield [note(translated(str(error), lang), "bad"), gr.update(visible=lacking), gr.skip()]
    except LinlyError as error:
        yield [note(translated(str(error), lang), "bad"), gr.update(visible=False), gr.skip()]
    else:
        known = gr.update(choices=voices.choices(lang))
        yield [note(text(lang, "chat_ready"), "good"), gr.update(visible=False), known]


def fetched(lang: str) -> Iterator[list[Any]]:
    """The button: the small language model comes, then everything gets ready."""
    models.allowed(BRAIN)
    models.FETCH.start([BRAIN])
    try:
        for _, fraction in models.FETCH.watch():
            words = text(lang, "chat_get_bar", p=round(100 * fraction))
            yield [bar(words, fraction), gr.update(interactive=False), gr.skip()]
    except Exception as error:
        yield [note(str(toast(error, lang).message), "bad"), gr.update(interactive=True), gr.skip()]
        return
    yield from prepared(lang)


def posed(portrait: str) -> str:
    """The chosen portrait on the stage, until it is alive."""
    return picker.poster(portrait or library_first())


def turned_to(mode: str) -> list[Any]:
    """Transcript or typing, and whether there is somebody to choose who thinks."""
    talks = gr.update(visible=mode == "talk")
    return [talks, gr.update(visible=mode == "speak"), talks, talks, talks]


def _wire(c: SimpleNamespace) -> None:
    wish = {
        "user": c.user, "persona": c.persona, "portrait": c.portrait, "voice": c.voice, "language": c.language,
        "size": c.size, "think": c.think, "record": c.record, "lang": c.lang, "mode": c.mode,
        "conversation": c.memory.conversation,
    }  # fmt: skip
    names = json.dumps([*wish])
    gather = f"(...values) => linlyChat.start(Object.fromEntries({names}.map((name, at) => [name, values[at]])))"
    c.go.click(None, [*wish.values()], None, js=gather, api_visibility="private")
    for name, switch in c.switches.items():
        tell = f"(on) => linlyChat.set({json.dumps(name)}, on)"
        switch.change(None, switch, None, js=tell, api_visibility="private")
    talk = [c.words, c.typing, c.persona, c.who.form, c.memory.part]
    c.mode.input(turned_to, c.mode, talk, js="(mode) => linlyChat.mode(mode)", **PRIVATE).then(
        None, [c.user, c.lang], None, js=c.speak_for.configure, api_visibility="private"
    )  # fmt: skip
    persona.wire(c.who)
    remembered.wire(c.memory, [c.turned.click, c.persona.change])
    c.portrait.input(posed, c.portrait, c.poster, **PRIVATE)
    c.get.click(fetched, c.lang, [c.ready, c.get, c.voice], **PRIVATE)


def opened(c: SimpleNamespace, tab: Any) -> None:
    """What happens when the visitor comes to the tab."""
    tab.select(None, None, c.user, js="() => linlyChat.user()", api_visibility="private").then(
        persona.entered, [c.lang, c.user, c.persona], c.persona, **PRIVATE
    ).then(persona.picked, [c.lang, c.user, c.persona], persona.fields(c.who), **PRIVATE).then(
        remembered.shown, [c.lang, c.user, c.persona], remembered.parts(c.memory), **PRIVATE
    )
    tab.select(prepared, c.lang, [c.ready, c.get, c.voice], concurrency_limit=2, **PRIVATE)
