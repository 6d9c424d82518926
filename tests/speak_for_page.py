"""A page of "Speak for me" and the live picture, in a process of its own: what its browser test visits."""

from __future__ import annotations

import sys
import tempfile
import threading
from pathlib import Path

import fakes
import gradio as gr
import numpy as np
import uvicorn
from fastapi import FastAPI

from linly import registry, stage
from linly.chat import phrases_routes, signalling
from linly.chat.memory import Memory
from linly.chat.mouthpiece import Mouthpiece
from linly.chat.person import Person
from linly.chat.phrases import Phrases
from linly.chat.webrtc import Sessions
from linly.ui.parts import Wording
from linly.ui.speak_for import build_speak_for, head
from linly.ui.theme import css, theme
from linly.values import Style

USER = "a secret of the test"
CONNECT = """<script src="/live/live.js"></script><script>
window.told = [];
window.connectHere = () => linlyLive(document.querySelector("#film"), {microphone: false,
  on: (event) => { told.push(event); linlySpeakFor.onEvent(event); }})
  .then((live) => { window.live = live; linlySpeakFor.attach(live); });
</script>"""


def blocks(lang: str) -> gr.Blocks:
    with gr.Blocks(title="Speak for me") as made:
        language = gr.Radio(["en", "zh"], value=lang, elem_id="tongue", label="Language")
        user = gr.Textbox(USER, visible=False)
        with gr.Row(elem_classes="columns"):
            with gr.Column(elem_classes=["column", "card"], scale=2):
                section = build_speak_for(Wording(lang), language, user)
            with gr.Column(elem_classes=["column", "card"]):
                gr.HTML('<video id="film" autoplay playsinline style="width:100%"></video>')
        made.load(None, [user, language], None, js=section.configure)
    return made


def main(port: int) -> None:
    phrases = Phrases(Memory(Path(tempfile.mkdtemp()) / "memory.sqlite"))
    draw, move = registry.open_engine("draw", "warp"), registry.open_engine("move", "phonemes")
    style, speak = Style(size="256"), fakes.FakeSpeak()

    def welcome(session, options) -> Mouthpiece:
        portrait = fakes.FakeDraw().prepare(np.full((64, 64, 3), 9, np.uint8), "face")
        person = Person(move, fakes.FakeDraw(), portrait, style)
        if options.get("face"):
            person.close()
            person = Person(move, draw, stage.staged(draw, "", None, style), style)
        say_as = (speak, speak.voices()[0], style)
        return Mouthpiece(person, say_as, session.send, lambda text: phrases.said(USER, text))

    app = FastAPI()
    signalling.add_routes(app, Sessions(welcome))
    phrases_routes.add_routes(app, phrases)
    app = gr.mount_gradio_app(app, blocks("en"), path="/", theme=theme(), css=css(), head=head("connectHere") + CONNECT)
    threading.Thread(target=lambda: (sys.stdin.read(), server.__setattr__("should_exit", True)), daemon=True).start()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    server.run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
