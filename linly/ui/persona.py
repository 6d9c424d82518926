"""Who answers, in the Chat tab: chosen from a list, or made in a form, with the documents that it knows."""

from __future__ import annotations

import html
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr

from linly import settings
from linly.chat import persona as personas
from linly.chat.cast import Cast
from linly.chat.persona import Persona
from linly.documents import SUFFIXES
from linly.errors import LinlyError
from linly.ui.messages import translated
from linly.ui.parts import PRIVATE, note, toasts
from linly.ui.strings import text

LANGUAGES = ("auto", "zh", "en")
TEXTS = ("name", "role", "manner", "greeting")
USUAL = {"en": "lin", "zh": "xiaolin"}
"""the sample that is chosen by default in each language of the page"""


def cast() -> Cast:
    """The personas of this installation's users."""
    return Cast(settings.load().library / "personas")


def choices(user: str = "") -> list[tuple[str, str]]:
    """Samples, then the user's own; one that was made from a sample takes its place."""
    own = cast().names(user)
    samples = [(personas.load(name).name, name) for name in personas.samples() if name not in own]
    return [*samples, *((name, name) for name in own)]


def build_list(say: Any) -> Any:
    """The list alone."""
    return say(
        gr.Dropdown, {"label": "persona"}, choices=choices(), value=USUAL[say.lang], elem_id="chat-persona",
        allow_custom_value=True,
    )  # fmt: skip


def build_persona(say: Any, lang: Any, user: Any, persona: Any, portrait: Any, voice: Any) -> SimpleNamespace:
    """The form, folded. persona: the list; portrait, voice: the components whose choice is saved with a persona."""
    p = SimpleNamespace(say=say, lang=lang, user=user, persona=persona, portrait=portrait, voice=voice)
    with say(gr.Accordion, {"label": "persona_edit"}, open=False, elem_id="persona-edit") as p.form:
        p.texts = {
            name: say(
                gr.Textbox, {"label": f"persona_{name}", "placeholder": f"persona_{name}_hint"}, lines=1,
                elem_id=f"persona-{name}",
            )
            for name in TEXTS
        }  # fmt: skip
        p.language = say(
            gr.Radio, {"label": "persona_language", "choices": languages}, value="auto", elem_id="persona-language",
            elem_classes="segmented",
        )  # fmt: skip
        p.facts = say(
            gr.Textbox, {"label": "persona_facts", "placeholder": "persona_facts_hint"}, lines=3, max_lines=10,
            elem_id="persona-facts",
        )  # fmt: skip
        with gr.Row():
            p.save, p.remove = (
                say(gr.Button, {"value": f"persona_{verb}"}, elem_id=f"persona-{verb}", size="md", min_width=110)
                for verb in ("save", "remove")
            )
        p.said = gr.HTML(note(""), elem_id="persona-said", padding=False)
        p.documents = gr.HTML(elem_id="persona-documents", padding=False)
        with gr.Row():
            p.put = say(
                gr.UploadButton, {"label": "persona_put"}, file_types=list(SUFFIXES), size="md", elem_id="persona-put"
            )
            p.which = say(gr.Dropdown, {"label": "persona_document"}, choices=[], visible=False, min_width=130)
            p.take_out = say(gr.Button, {"value": "persona_take_out"}, visible=False, size="md", min_width=90)
    return p


def languages(lang: str) -> list[tuple[str, str]]:
    """In which a persona may answer."""
    return [(text(lang, f"persona_language_{code}"), code) for code in LANGUAGES]


def entered(lang: str, user: str, name: str) -> Any:
    """The list for this visitor; who has chosen nobody yet gets the sample that speaks the page's language."""
    return gr.update(choices=choices(user), value=USUAL[lang] if name in USUAL.values() else name)


def picked(lang: str, user: str, name: str) -> list[Any]:
    """What the form shows of a persona, in the order of `fields`."""
    with toasts(lang):
        found = cast().load(user, name)
    return [
        *(getattr(found, one) for one in TEXTS), found.language, "\n".join(found.facts), note(""),
        *documents(lang, user, name),
    ]  # fmt: skip


def fields(p: SimpleNamespace) -> list[Any]:
    """The form's components."""
    return [*p.texts.values(), p.language, p.facts, p.said, p.documents, p.which, p.take_out]


def documents(lang: str, user: str, name: str) -> list[Any]:
    """The list of what a persona knows, with what cannot be read, and the choice of one to take out."""
    try:
        known = cast().knowledge(user, name)
        listed = known.documents() if known else []
    except LinlyError as error:
        return [note(translated(str(error), lang), "bad"), gr.update(visible=False), gr.update(visible=False)]
    lines = [
        note(one.problem, "bad") if one.problem else note(text(lang, "persona_knows", name=one.name, n=one.passages))
        for one in listed
    ]
    there = bool(listed) and name in cast().names(user)
    names = [one.name for one in listed]
    shown = gr.update(choices=names, value=names[0] if names else None, visible=there)
    return ["".join(lines), shown, gr.update(visible=there)]


def saved(lang: str, user: str, *values: Any) -> list[Any]:
    """Keep what the form holds: the list with it chosen, and the line below."""
    *texts, language, facts, portrait, voice = values
    with toasts(lang):
        wish = Persona(
            **dict(zip(TEXTS, texts, strict=True)), language=language, facts=tuple(facts.splitlines()),
            portrait=portrait or "", voice=voice or "",
        )  # fmt: skip
        name = cast().save(user, wish)
    done = note(text(lang, "persona_saved", name=name), "good")
    return [gr.update(choices=choices(user), value=name), done]


def removed(lang: str, user: str, name: str) -> list[Any]:
    """Forget a persona of the user's own."""
    with toasts(lang):
        cast().remove(user, name)
    gone = note(text(lang, "persona_removed", name=name), "good")
    return [gr.update(choices=choices(user), value=USUAL[lang]), gone]


def put(lang: str, user: str, name: str, file: str) -> list[Any]:
    """A document for the chosen persona."""
    with toasts(lang):
        kept = cast().put(user, name, Path(file))
    return [note(text(lang, "persona_read", name=html.unescape(kept)), "good"), *documents(lang, user, name)]


def taken_out(lang: str, user: str, name: str, document: str) -> list[Any]:
    """One document less."""
    with toasts(lang):
        cast().take_out(user, name, document)
    return [note(text(lang, "persona_less", name=document), "good"), *documents(lang, user, name)]


def wire(p: SimpleNamespace) -> None:
    """What the form does."""
    who, shown = [p.lang, p.user, p.persona], fields(p)
    p.persona.change(picked, who, shown, **PRIVATE)
    kept = [*p.texts.values(), p.language, p.facts, p.portrait, p.voice]
    p.save.click(saved, [p.lang, p.user, *kept], [p.persona, p.said], **PRIVATE)
    p.remove.click(removed, who, [p.persona, p.said], **PRIVATE)
    p.put.upload(put, [*who, p.put], [p.said, p.documents, p.which, p.take_out], **PRIVATE)
    p.take_out.click(taken_out, [*who, p.which], [p.said, p.documents, p.which, p.take_out], **PRIVATE)
