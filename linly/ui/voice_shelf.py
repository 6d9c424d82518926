"""The saved voices of the Voice tab: hear one beside its person, use, rename, take along, remove."""

from __future__ import annotations

import html
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr

from linly.ui import models, voice_card, voice_fitting, voice_handlers, voices
from linly.ui.parts import PRIVATE, note, toast, toasts
from linly.ui.strings import language_name, text
from linly.ui.voice_handlers import Wish

VERBS = ("use_voice", "hear_en", "hear_zh", "export_voice", "rename_voice", "remove_voice")


def build(v: SimpleNamespace) -> None:
    """The cards; their parts join `v` by name."""
    say = v.say
    with gr.Column(elem_classes="card", elem_id="voice-shelf"):
        v.tiles = say(gr.HTML, {"value": voice_card.tiles}, elem_classes="unseen", padding=False)
        v.enrolled = say(
            gr.Radio, {"label": "enrolled_voices", "choices": choices}, value=None, elem_id="enrolled-voices",
            elem_classes="tiles",
        )  # fmt: skip
        v.none = say(gr.HTML, {"value": none_yet})
        with gr.Column(visible=False, elem_id="kept-voice") as v.chosen:
            _chosen_parts(v)
        v.take = say(
            gr.UploadButton, {"label": "import_voice"}, file_types=[".zip"], size="sm", elem_id="import-voice",
            visible=models.may_change(),
        )  # fmt: skip
        v.said = gr.HTML(note(" "), elem_id="shelf-said")
    voice_fitting.build_offer(v)


def _chosen_parts(v: SimpleNamespace) -> None:
    """What is seen of the voice that was picked."""
    say = v.say
    v.facts = gr.HTML(elem_id="voice-facts")
    with gr.Row():
        v.person, v.sounds = (
            say(
                gr.Audio, {"label": key}, interactive=False, elem_id=f"shelf-{key}", min_width=160, buttons=[],
            )
            for key in ("own_sound", "clone_sound")
        )  # fmt: skip
    v.buttons = {}
    with gr.Row(elem_classes="verbs"):
        for key in VERBS[:4]:
            v.buttons[key] = say(gr.Button, {"value": key}, elem_id=key.replace("_", "-"), size="md", min_width=110)
        v.file = say(
            gr.DownloadButton, {"label": "export_ready"}, visible=False, elem_id="export-file", size="md", min_width=110
        )
    voice_fitting.build(v)
    with gr.Row(elem_classes="verbs", elem_id="rename-row"):
        v.new_name = say(
            gr.Textbox, {"label": "new_voice_name", "placeholder": "new_voice_name"}, max_length=60, show_label=False,
            container=False, elem_id="new-voice-name", min_width=160,
        )  # fmt: skip
        for key in VERBS[4:]:
            v.buttons[key] = say(gr.Button, {"value": key}, elem_id=key.replace("_", "-"), size="md", min_width=110)
    with gr.Row(visible=False, elem_classes="verbs") as v.sure:
        v.question = gr.HTML()
        v.yes = say(
            gr.Button, {"value": "remove_yes"}, variant="stop", elem_id="remove-voice-yes", size="md", min_width=110
        )
        v.no = say(gr.Button, {"value": "remove_no"}, elem_id="remove-voice-no", size="md", min_width=110)


def choices(lang: str) -> list[tuple[str, str]]:
    """Every saved voice: its name, likeness and way, language and date a line each."""
    made = []
    for row in voices.listed():
        lines = [row["name"]]
        if "tier" in row:
            lines += [
                text(lang, "likeness", x=row["similarity"]), text(lang, f"tier_{row['tier']}"),
                " · ".join([language_name(lang, row["language"]), str(row["added"]).partition("T")[0]]),
            ]  # fmt: skip
        elif row.get("damaged"):
            lines.append(text(lang, "damaged"))
        made.append(("\n".join(lines), row["name"]))
    return made


def none_yet(lang: str) -> str:
    return "" if voices.listed() else note(text(lang, "enrolled_voices_none"))


def shelved(lang: str, chosen: str | None, in_render: str, speak: str, playing: bool = False) -> list[Any]:
    """The shelf as it is now, in the order of `_shelf`: `chosen` picked here, `in_render` there while it exists;
    playing: leave the players alone."""
    offered = voices.choices(lang, speak)
    known = [value for _, value in offered]
    picker = gr.update(choices=offered, value=in_render if in_render in known else "")
    return [gr.update(choices=choices(lang), value=chosen), voice_card.tiles(), none_yet(lang), picker,
            *picked(lang, chosen, playing)]  # fmt: skip


def _shelf(v: SimpleNamespace, ui: SimpleNamespace) -> list[Any]:
    return [v.enrolled, v.tiles, v.none, ui.voice, *_picked(v)]


def picked(lang: str, chosen: str | None, playing: bool = False) -> list[Any]:
    """What is seen of the picked voice, in the order of `_picked`."""
    hidden = gr.update(visible=False)
    if not chosen:
        return [hidden, "", None, None, "", hidden, hidden, *voice_fitting.now(lang, None)]
    try:
        person = voice_handlers.own(chosen)
    except Exception:  # the card says that it is damaged
        person = None
    players = [gr.skip(), gr.skip()] if playing else [person, None]
    shown = [gr.update(visible=True), voice_card.kept(chosen, lang), *players, "", hidden, hidden]
    return [*shown, *voice_fitting.now(lang, chosen)]


def _picked(v: SimpleNamespace) -> list[Any]:
    return [v.chosen, v.facts, v.person, v.sounds, v.new_name, v.file, v.sure, *voice_fitting.parts(v)]


def saved(
    lang: str, in_render: str, speak: str, name: str, consent: str, transcript: str, *values: Any
) -> Iterator[list[Any]]:
    """Keep the voice: the line below the button, the button, name and consent, the shelf."""
    same = [gr.skip()] * (6 + len(voice_fitting.PARTS) + 7)
    yield [note(text(lang, "voice_saving")), gr.update(interactive=False), *same]
    wish = Wish(*values)
    try:
        made = voice_handlers.add(name, wish.files, wish.denoise, transcript, consent)
    except Exception as error:
        yield [_refused(error, lang), gr.update(interactive=True), *same]
        return
    done = note(text(lang, "voice_saved", name=made["name"]), "good")
    yield [done, gr.update(interactive=True), "", "", *shelved(lang, made["name"], in_render, speak)]


def _refused(error: BaseException, lang: str) -> str:
    return note(html.unescape(str(toast(error, lang).message)), "bad")


def heard(lang: str, chosen: str, language: str) -> Any:
    """A sentence in the picked voice, which begins at once."""
    with toasts(lang):
        return gr.update(value=voice_handlers.test(chosen, language), autoplay=True)


def renamed(lang: str, chosen: str, new: str, in_render: str, speak: str) -> list[Any]:
    with toasts(lang):
        rows = voice_handlers.rename(chosen, new)
    name = next(row["name"] for row in rows if row["name"] == " ".join(new.split()) or row["name"] == new)
    done = note(text(lang, "renamed_voice", old=chosen, new=name), "good")
    return [done, *shelved(lang, name, name if in_render == chosen else in_render, speak)]


def removed(lang: str, chosen: str, in_render: str, speak: str) -> list[Any]:
    with toasts(lang):
        voice_handlers.remove(chosen)
    return [note(text(lang, "removed", name=chosen), "good"), *shelved(lang, None, in_render, speak)]


def taken(lang: str, file: str, in_render: str, speak: str) -> list[Any]:
    with toasts(lang):
        name = voice_handlers.take(file)["name"]
    return [note(text(lang, "imported_voice", name=name), "good"), *shelved(lang, name, in_render, speak)]


def exported(lang: str, chosen: str) -> Any:
    with toasts(lang):
        return gr.update(value=voice_handlers.export(chosen), visible=True)


def wire(v: SimpleNamespace, ui: SimpleNamespace, tabs: Any) -> None:
    """What changes the shelf here and the voices of the Render tab, `ui`."""
    render = [ui.voice, ui.speak]
    v.save.click(
        saved, [v.lang, *render, v.name, v.consent, v.transcript, *v.wish],
        [v.saved, v.save, v.name, v.consent, *_shelf(v, ui)], concurrency_limit=4, **PRIVATE,
    )  # fmt: skip
    v.enrolled.input(picked, [v.lang, v.enrolled], _picked(v), **PRIVATE)
    for key, language in (("hear_en", "en"), ("hear_zh", "zh")):
        v.buttons[key].click(
            lambda lang, chosen, language=language: heard(lang, chosen, language), [v.lang, v.enrolled], v.sounds,
            concurrency_limit=2, **PRIVATE,
        )  # fmt: skip
    v.buttons["use_voice"].click(
        lambda lang, chosen, speak: (
            gr.update(selected="render"), gr.update(choices=voices.choices(lang, speak), value=chosen),
        ),
        [v.lang, v.enrolled, ui.speak], [tabs, ui.voice], **PRIVATE,
    )  # fmt: skip
    v.buttons["export_voice"].click(exported, [v.lang, v.enrolled], v.file, **PRIVATE)
    v.buttons["rename_voice"].click(
        renamed, [v.lang, v.enrolled, v.new_name, *render], [v.said, *_shelf(v, ui)], **PRIVATE
    )
    v.buttons["remove_voice"].click(
        lambda lang, chosen: (gr.update(visible=True), note(text(lang, "remove_voice_sure", name=chosen))),
        [v.lang, v.enrolled], [v.sure, v.question], **PRIVATE,
    )  # fmt: skip
    v.no.click(lambda: gr.update(visible=False), None, v.sure, **PRIVATE)
    v.yes.click(removed, [v.lang, v.enrolled, *render], [v.said, *_shelf(v, ui)], **PRIVATE)
    v.take.upload(taken, [v.lang, v.take, *render], [v.said, *_shelf(v, ui)], **PRIVATE)
    voice_fitting.wire(v, shelved, render, _shelf(v, ui))
