"""The page's conversations: the routes beside Gradio's own, and what stands behind them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from linly.chat import persona as personas
from linly.chat.knowledge import Knowledge
from linly.chat.memory import Diary, Memory, default_path
from linly.chat.persona import Persona
from linly.chat.room import Room
from linly.chat.serving import logged_in, serve
from linly.ui import chat, jobs
from linly.ui.messages import translated


def converse(app: Any) -> Room:
    """Put conversations on Gradio's launched app."""
    from fastapi.responses import FileResponse

    memory = Memory(default_path())

    def diary(user: str, persona: str) -> Diary:
        return memory.diary(user, persona)

    room = Room(find, diary, lambda: jobs.folder(jobs.root()), translated)

    def script() -> FileResponse:
        return FileResponse(chat.SCRIPT, media_type="text/javascript")

    script.__annotations__.clear()  # else FastAPI takes the answer for data
    app.add_api_route("/live/chat.js", script, methods=["GET"], include_in_schema=False)
    serve(app, room, logged_in(app))
    return room


def find(user: str, name: str) -> tuple[Persona, Knowledge | None]:
    """A user's persona, and its documents. Raises InputError."""
    persona = personas.load(name)
    return persona, Knowledge(Path(persona.knowledge)) if persona.knowledge else None
