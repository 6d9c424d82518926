"""The section "Speak for me": a place that the script fills, and the script with its words."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr

from linly.ui.parts import PRIVATE, Wording
from linly.ui.speak_for_strings import SPEAK_FOR

SCRIPT = Path(__file__).with_suffix(".js")
CONFIGURE = "(user, lang) => { window.linlySpeakFor?.configure({user, lang}); return []; }"


def head(connect: str = "", prefix: str = "/phrases") -> str:
    """For the page's <head>: defines window.linlySpeakFor. prefix: of phrases_routes.

    connect: name of a function of the page (for instance "linlyConnectSpeakFor") that a press on Connect calls.
    """
    words = json.dumps(SPEAK_FOR, ensure_ascii=False).replace("</", "<\\/")
    given = (
        f"window.linlySpeakForGiven = {{words: {words}, prefix: {json.dumps(prefix)}, connect: {json.dumps(connect)}}};"
    )
    return f"<script>{given}\n{SCRIPT.read_text(encoding='utf-8')}</script>"


def build_speak_for(say: Wording, lang: Any, user: Any, connect: Any = None) -> SimpleNamespace:
    """The section, inside the Blocks that are being built.

    lang: the page's language; user: a textbox with the visitor's secret id, which may come later. connect: a button of
    the page that the section's own Connect presses; None where the page connects by itself. Needs `head` in the page.
    """
    pressed = getattr(connect, "elem_id", None) or ""
    with gr.Column(elem_id="speak-for-section") as section:
        place = say(
            gr.HTML,
            {},
            value=f'<div id="speak-for" data-connect="{pressed}"></div>',
            elem_id="speak-for-place",
        )
    for changed in (user.change, lang.change):
        changed(None, [user, lang], None, js=CONFIGURE, **PRIVATE)
    return SimpleNamespace(section=section, place=place, configure=CONFIGURE)
