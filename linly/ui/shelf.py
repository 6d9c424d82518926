"""The saved portraits of the Portrait tab: keep a new one, use one in Render, remove one."""

from __future__ import annotations

import html
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr

from linly.ui import picker, portrait_handlers, render
from linly.ui.parts import PRIVATE, note, toast, toasts
from linly.ui.portrait_handlers import Wish
from linly.ui.strings import text


def build(p: SimpleNamespace) -> None:
    """The card; its parts join `p` by name."""
    say = p.say
    with gr.Column(elem_classes="card", elem_id="shelf"):
        p.enrolled = say(
            gr.Radio, {"label": "enrolled", "choices": choices}, value=None, elem_id="enrolled", elem_classes="tiles"
        )
        p.none = say(gr.HTML, {"value": none_yet})
        with gr.Row(elem_id="shelf-actions"):
            p.use, p.remove = (
                say(
                    gr.Button, {"value": f"{verb}_portrait"}, interactive=False, elem_id=f"{verb}-portrait", size="md",
                    min_width=110,
                )
                for verb in ("use", "remove")
            )  # fmt: skip
        with gr.Row(elem_id="sure", visible=False) as p.sure:
            p.question = gr.HTML(elem_id="question")
            p.yes = say(
                gr.Button, {"value": "remove_yes"}, variant="stop", elem_id="remove-yes", size="md", min_width=110
            )
            p.no = say(gr.Button, {"value": "remove_no"}, elem_id="remove-no", size="md", min_width=110)


def choices(lang: str) -> list[tuple[str, str]]:
    """Every enrolled portrait: its name, score and date a line each."""
    made = []
    for row in portrait_handlers.listed():
        lines = [row["name"]]
        if "score" in row:
            lines += [text(lang, "score", n=row["score"]), str(row["added"]).partition("T")[0]]
        elif row.get("damaged"):
            lines.append(text(lang, "damaged"))
        made.append(("\n".join(lines), row["name"]))
    return made


def none_yet(lang: str) -> str:
    return "" if portrait_handlers.names() else note(text(lang, "enrolled_none"))


def shelved(lang: str, chosen: str | None, in_render: str) -> list[Any]:
    """The shelf as it is now, in the order of `_shelf`: `chosen` picked here, `in_render` there while it exists."""
    offered = picker.choices(lang)
    known = [value for _, value in offered]
    usable = gr.update(interactive=bool(chosen))
    return [
        gr.update(choices=choices(lang), value=chosen), none_yet(lang), usable, usable, gr.update(visible=False),
        picker.faces(), gr.update(choices=offered, value=in_render if in_render in known else known[0]),
    ]  # fmt: skip


def _shelf(p: SimpleNamespace, ui: SimpleNamespace) -> list[Any]:
    return [p.enrolled, p.none, p.use, p.remove, p.sure, ui.faces, ui.portrait]


def saved(lang: str, in_render: str, name: str, consent: str, *values: Any) -> Iterator[list[Any]]:
    """Keep the portrait: the line below the button, the button, name and consent, the shelf."""
    same = [gr.skip()] * 9
    yield [note(text(lang, "saving")), gr.update(interactive=False), *same]
    wish = Wish(*values)
    try:
        made = portrait_handlers.add(name, wish.file, wish.crop, wish.light, wish.denoise, consent)
    except Exception as error:
        words = html.unescape(str(toast(error, lang).message))
        yield [note(words, "bad"), gr.update(interactive=True), *same]
        return
    done = note(text(lang, "saved", name=made["name"]), "good")
    yield [done, gr.update(interactive=True), "", "", *shelved(lang, made["name"], in_render)]


def removed(lang: str, chosen: str, in_render: str) -> list[Any]:
    """Forget the chosen one; where Render had picked it, that goes back to a sample."""
    with toasts(lang):
        portrait_handlers.remove(chosen)
    done = [note(text(lang, "removed", name=chosen), "good"), *shelved(lang, None, in_render)]
    if chosen != in_render:
        return done + [gr.skip()] * 7
    first = picker.choices(lang)[0][1]
    return [*done, *_in_render(first, lang)]


def _in_render(name: str, lang: str) -> list[Any]:
    """What Render shows of a newly picked portrait, in the order of `_picked`."""
    return [*render.picked(name), *render.posed(name, None, None), picker.check_line(name, None, None, lang)]


def _picked(ui: SimpleNamespace) -> list[Any]:
    return [ui.photo, ui.clip, ui.crop, ui.poster, ui.still, ui.video, ui.check]


def used(lang: str, chosen: str) -> list[Any]:
    """Over to the Render tab, with this portrait."""
    return [gr.update(selected="render"), gr.update(value=chosen), *_in_render(chosen, lang)]


def wire(p: SimpleNamespace, ui: SimpleNamespace, tabs: Any) -> None:
    """What changes the shelf here and the picker of the Render tab, `ui`."""
    p.save.click(
        saved, [p.lang, ui.portrait, p.name, p.consent, *p.wish],
        [p.saved, p.save, p.name, p.consent, *_shelf(p, ui)], concurrency_limit=4, **PRIVATE,
    )  # fmt: skip
    buttons = [p.use, p.remove, p.sure]
    p.enrolled.input(_chosen, None, buttons, **PRIVATE)
    p.use.click(used, [p.lang, p.enrolled], [tabs, ui.portrait, *_picked(ui)], **PRIVATE)
    p.remove.click(_asked, [p.lang, p.enrolled], [p.sure, p.question], **PRIVATE)
    p.no.click(lambda: gr.update(visible=False), None, p.sure, **PRIVATE)
    p.yes.click(removed, [p.lang, p.enrolled, ui.portrait], [p.saved, *_shelf(p, ui), *_picked(ui)], **PRIVATE)


def _chosen() -> tuple[Any, Any, Any]:
    return gr.update(interactive=True), gr.update(interactive=True), gr.update(visible=False)


def _asked(lang: str, chosen: str) -> tuple[Any, str]:
    return gr.update(visible=True), note(text(lang, "remove_sure", name=chosen))
