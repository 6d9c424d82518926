"""What a persona remembers of the visitor, in the Chat tab: shown, mended, taken along, forgotten."""

from __future__ import annotations

import html
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import gradio as gr

from linly.chat.memory import Diary, Memory, shared
from linly.chat.phrases import Phrases
from linly.errors import LinlyError
from linly.ui import jobs, persona
from linly.ui.messages import translated
from linly.ui.parts import PRIVATE, note, toasts
from linly.ui.strings import text

NEWEST = 30
"""conversations in the list"""


def build_remembered(say: Any, lang: Any, user: Any, who: Any) -> SimpleNamespace:
    """The folded part. who: the component that holds the persona's name as the list knows it."""
    r = SimpleNamespace(say=say, lang=lang, user=user, who=who)
    with say(gr.Accordion, {"label": "memory"}, open=False, elem_id="memory") as r.part:
        r.notice = gr.HTML(note(""), elem_id="memory-notice", padding=False)
        r.facts = say(gr.Radio, {"label": "memory_facts"}, choices=[], visible=False, elem_id="memory-facts")
        r.fact = say(
            gr.Textbox, {"label": "memory_fact", "placeholder": "memory_fact_hint"}, max_length=200, show_label=False,
            elem_id="memory-fact",
        )  # fmt: skip
        with gr.Row():
            r.add, r.edit, r.forget = (
                say(gr.Button, {"value": f"memory_{verb}"}, elem_id=f"memory-{verb}", size="md", min_width=90)
                for verb in ("add", "edit", "forget")
            )
        r.talks = say(gr.Dropdown, {"label": "memory_talks"}, choices=[], visible=False, elem_id="memory-talks")
        r.transcript = gr.HTML(elem_id="memory-transcript", padding=False)
        with gr.Row(visible=False) as r.verbs:
            r.go_on = say(gr.Button, {"value": "memory_go_on"}, elem_id="memory-go-on", size="md", min_width=90)
            r.save = say(gr.DownloadButton, {"label": "memory_save"}, elem_id="memory-save", size="md", min_width=90)
            r.delete = say(gr.Button, {"value": "memory_delete"}, elem_id="memory-delete", size="md", min_width=90)
        r.erase = say(gr.Button, {"value": "memory_erase"}, elem_id="memory-erase", size="md")
        with gr.Row(visible=False) as r.sure:
            r.yes = say(gr.Button, {"value": "memory_erase_yes"}, variant="stop", elem_id="memory-erase-yes", size="md")
            r.no = say(gr.Button, {"value": "remove_no"}, size="md")
    r.conversation = gr.Textbox("", label="conversation", elem_classes="unseen", elem_id="memory-conversation")
    return r


def diary(user: str, name: str) -> Diary:
    """What the persona of the list remembers of the user."""
    return shared().diary(user, persona.cast().load(user, name).name)


def shown(lang: str, user: str, name: str, said: str = "", kind: str = "good") -> list[Any]:
    """Everything as it is now, in the order of `parts`."""
    if not user:
        return [note(text(lang, "memory_nobody")), *[gr.update(visible=False)] * 2, "", gr.update(visible=False)]
    try:
        kept = diary(user, name)
        facts, talks = kept.facts(), [one for one in kept.conversations() if one.turns][:NEWEST]
    except LinlyError as error:
        bad = note(translated(str(error), lang), "bad")
        return [bad, *[gr.update(visible=False)] * 2, "", gr.update(visible=False)]
    words = said or translated(shared().notice, lang) or ("" if facts or talks else text(lang, "memory_none"))
    listed = [(f"{text(lang, f'memory_kind_{fact.kind}')}: {fact.text}", fact.id) for fact in facts]
    named = [(f"{one.title} · {datetime.fromtimestamp(one.changed):%Y-%m-%d %H:%M}", one.id) for one in talks]
    return [
        note(words, kind if said else ""),
        gr.update(choices=listed, value=None, visible=bool(listed)),
        gr.update(choices=named, value=None, visible=bool(named)),
        "",
        gr.update(visible=False),
    ]


def parts(r: SimpleNamespace) -> list[Any]:
    """What `shown` fills."""
    return [r.notice, r.facts, r.talks, r.transcript, r.verbs]


def chosen(user: str, name: str, fact: int | None) -> str:
    """The words of a fact, for the field in which it is mended."""
    return next((one.text for one in diary(user, name).facts() if one.id == fact), "") if user and fact else ""


def told(lang: str, user: str, name: str, words: str) -> list[Any]:
    """A fact added by hand."""
    with toasts(lang):
        _known(user).diary(user, diary(user, name).persona).remember(words)
    return ["", *shown(lang, user, name, text(lang, "memory_added"))]


def mended(lang: str, user: str, name: str, fact: int | None, words: str) -> list[Any]:
    """A fact that says something else now."""
    with toasts(lang):
        diary(user, name).edit(fact or 0, words)
    return ["", *shown(lang, user, name, text(lang, "memory_edited"))]


def forgotten(lang: str, user: str, name: str, fact: int | None) -> list[Any]:
    """A fact less."""
    with toasts(lang):
        diary(user, name).forget(fact or 0)
    return ["", *shown(lang, user, name, text(lang, "memory_forgotten"))]


def read(lang: str, user: str, name: str, talk: str | None) -> list[Any]:
    """The words of a conversation, and what can be done with it."""
    if not talk:
        return ["", gr.update(visible=False), gr.skip()]
    with toasts(lang):
        kept = diary(user, name)
        lines = [
            f'<li class="said {"user" if one.role == "user" else "person"}"><p>{html.escape(one.text)}</p></li>'
            for one in kept.turns(talk)
        ]
        file = jobs.folder(jobs.root()) / "conversation.txt"
        file.write_text(kept.export(talk, "txt"), encoding="utf-8")
    return [f'<ol class="transcript">{"".join(lines)}</ol>', gr.update(visible=True), gr.update(value=str(file))]


def deleted(lang: str, user: str, name: str, talk: str) -> list[Any]:
    """A conversation less."""
    with toasts(lang):
        diary(user, name).delete(talk)
    return shown(lang, user, name, text(lang, "memory_deleted"))


def erased(lang: str, user: str, name: str) -> list[Any]:
    """All that is kept of the visitor: words, facts, phrases, personas."""
    with toasts(lang):
        memory = _known(user)
        Phrases(memory).erase(user)
        memory.erase(user)
        persona.cast().erase(user)
    listed = gr.update(choices=persona.choices(user), value=persona.USUAL[lang])
    return [gr.update(visible=False), listed, *shown(lang, user, persona.USUAL[lang], text(lang, "memory_erased"))]


def resumed(lang: str, talk: str) -> list[Any]:
    """The next start goes on with this conversation."""
    return [talk, note(text(lang, "memory_goes_on"), "good")]


def _known(user: str) -> Memory:
    from linly.errors import InputError

    if not user:
        raise InputError("This browser keeps no name for you, so nothing is remembered: allow it site data.")
    return shared()


def wire(r: SimpleNamespace, refreshed: list[Any]) -> None:
    """What the part does. refreshed: events after which everything is looked up again."""
    who = [r.lang, r.user, r.who]
    gr.on(refreshed, shown, who, parts(r), **PRIVATE)
    r.facts.input(chosen, [r.user, r.who, r.facts], r.fact, **PRIVATE)
    r.add.click(told, [*who, r.fact], [r.fact, *parts(r)], **PRIVATE)
    r.edit.click(mended, [*who, r.facts, r.fact], [r.fact, *parts(r)], **PRIVATE)
    r.forget.click(forgotten, [*who, r.facts], [r.fact, *parts(r)], **PRIVATE)
    r.talks.input(read, [*who, r.talks], [r.transcript, r.verbs, r.save], **PRIVATE)
    r.delete.click(deleted, [*who, r.talks], parts(r), **PRIVATE)
    r.go_on.click(resumed, [r.lang, r.talks], [r.conversation, r.notice], **PRIVATE)
    for button, seen in ((r.erase, True), (r.no, False)):
        button.click(lambda seen=seen: gr.update(visible=seen), None, r.sure, **PRIVATE)
    r.yes.click(erased, who, [r.sure, r.who, *parts(r)], **PRIVATE)
