"""A page of nothing but the live picture, in a process of its own: what the browser test visits.

Its visitor's person answers each text with a tone; what the microphone sends is kept, and told as loudness.
"""

from __future__ import annotations

import sys
import threading

import fakes
import numpy as np
import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from linly import registry, stage
from linly.chat.person import Person
from linly.chat.signalling import add_routes
from linly.chat.webrtc import Sessions
from linly.errors import EngineUnavailable
from linly.values import Style

PAGE = """<!doctype html><title>Live</title><body style="margin:0;background:#222">
<video id="video" autoplay playsinline></video><script src="/live/live.js"></script>
<script src="/live/socket.js"></script>
<script>
window.told = []; window.failed = null;
const ask = window.fetch;
async function spoilt(...given) { // an answer with which no connection can come about
  const told = await (await ask(...given)).json();
  const sdp = told.sdp?.replace(/a=ice-pwd:.*/g, "a=ice-pwd:" + "x".repeat(22));
  return {ok: true, json: async () => ({...told, sdp})};
}
const options = Object.fromEntries(new URLSearchParams(location.search));
if (options.spoil) window.fetch = spoilt;
const way = options.socket ? (...given) => linlySocket(...given) : linlyLive;
way(document.querySelector("#video"), {options, on: (event) => told.push({...event, at: performance.now()})})
  .then((live) => { window.live = live; }, (error) => { window.failed = {why: error.why, text: error.message}; });
</script>"""


class Guest:
    """Stands behind one visitor."""

    def __init__(self, session, options) -> None:
        if options.get("refuse"):
            raise EngineUnavailable("Nobody is at home.")
        draw, move = registry.open_engine("draw", "warp"), registry.open_engine("move", "phonemes")
        style = Style(size=options.get("size", "256"))
        self.session = session
        self.person = Person(move, draw, stage.staged(draw, "", None, style), style)
        if options.get("grey"):  # a picture as bright as the mouth is open, to measure by
            portrait = fakes.FakeDraw().prepare(np.full((64, 64, 3), 9, np.uint8), "face")
            self.person.close()
            self.person = Person(move, fakes.FakeDraw(), portrait, style)
        self.sound: list[np.ndarray] = []

    def hear(self, audio) -> None:
        self.sound.append(audio.samples)

    def told(self, event) -> None:
        if event["type"] == "text":
            said = next(fakes.FakeSpeak().speak(event["text"], None, Style()))
            self.person.say(said)
        elif event["type"] == "stop":
            heard = self.person.stop()
            self.session.send({"type": "stopped", "seconds": heard.seconds, "text": heard.text})
        elif event["type"] == "loudness":
            samples = np.concatenate(self.sound)
            blocks = samples[: len(samples) // 1600 * 1600].reshape(-1, 1600)
            self.session.send({"type": "loudness", "rms": np.sqrt((blocks**2).mean(1)).round(4).tolist()})

    def seen(self, tick) -> None: ...

    def gone(self) -> None:
        self.person.close()


def main(port: int) -> None:
    app = FastAPI()
    sessions = Sessions(Guest)
    add_routes(app, sessions)
    app.add_api_route("/", lambda: HTMLResponse(PAGE), methods=["GET"])
    app.add_api_route("/count", lambda: {"open": len(sessions)}, methods=["GET"])
    Guest(None, {}).gone()  # the portrait is ready before anybody comes
    threading.Thread(target=lambda: (sys.stdin.read(), server.__setattr__("should_exit", True)), daemon=True).start()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    server.run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
