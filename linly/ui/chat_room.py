"""The page's conversations: the routes beside Gradio's own, and what stands behind them."""

from __future__ import annotations

from typing import Any

from linly.chat import phrases_routes
from linly.chat.knowledge import Knowledge
from linly.chat.memory import shared
from linly.chat.mouthpiece import Mouthpiece
from linly.chat.persona import Persona
from linly.chat.phrases import Phrases
from linly.chat.room import Kept, Room, Told, Wish, whole
from linly.chat.serving import logged_in, serve
from linly.ui import chat, jobs
from linly.ui.messages import translated
from linly.ui.persona import cast


def converse(app: Any) -> Room:
    """Put conversations on Gradio's launched app."""
    from fastapi.responses import FileResponse

    memory = shared()
    room = Room(find, memory, lambda: jobs.folder(jobs.root()), translated)
    phrases = Phrases(memory)
    room.offer("speak", lambda at, session, wish: speaker(at, session, wish, phrases))

    def script() -> FileResponse:
        return FileResponse(chat.SCRIPT, media_type="text/javascript")

    script.__annotations__.clear()  # else FastAPI takes the answer for data
    app.add_api_route("/live/chat.js", script, methods=["GET"], include_in_schema=False)
    guard = logged_in(app)
    serve(app, room, guard)
    phrases_routes.add_routes(app, phrases, guard)
    return room


def speaker(room: Room, session: Told, wish: Wish, phrases: Phrases) -> Kept:
    """Who stands behind a connection that says what is typed, and nothing else."""
    language = wish.lang if wish.language == "auto" else wish.language
    person, say_as, pace = room.stage(wish, Persona(), language)

    def said(text: str) -> None:
        if wish.user:
            phrases.said(wish.user, text)

    try:
        mouth = Mouthpiece(person, say_as(language), session.send, said)
    except BaseException:
        person.close()
        raise
    size, fps = person.size, pace.style.fps
    session.send({
        "type": "ready", "name": "", "size": size, "fps": fps, "says": pace.says, "remembers": bool(wish.user),
        "whole": whole(session.id, wish),
    })  # fmt: skip
    return room.keep(session, person, mouth, wish.record)


def find(user: str, name: str) -> tuple[Persona, Knowledge | None]:
    """A user's persona, and its documents. Raises InputError."""
    return cast().load(user, name), cast().knowledge(user, name)
