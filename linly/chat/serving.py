"""The conversation's routes on the page's own server: the live picture, and the videos that it leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from linly.chat import signalling
from linly.chat.room import Room
from linly.chat.webrtc import Sessions

PLACES = 4
"""conversations at a time; a small machine keeps up with one or two"""


def serve(app: Any, room: Room, guard: Callable[[Any], bool] | None = None, prefix: str = "/live") -> Sessions:
    """Put the conversations of `room` on a FastAPI app. guard: says whether a request may; else 401."""
    from fastapi import HTTPException, Request
    from fastapi.responses import FileResponse

    sessions = Sessions(room.welcome, PLACES)
    signalling.add_routes(app, sessions, prefix, guard)

    def video(request: Request, id: str, name: str) -> FileResponse:
        if guard is not None and not guard(request):
            raise HTTPException(401, "Log in on the page first.")
        path = room.file(id, name)
        if path is None:
            raise HTTPException(404, "This video is not there, or not any more.")
        return FileResponse(path, media_type="video/mp4", filename=name)

    video.__annotations__.update(request=Request, **{"return": None})
    app.add_api_route(prefix + "/{id}/{name}", video, methods=["GET"], include_in_schema=False, response_model=None)
    return sessions


def logged_in(app: Any) -> Callable[[Any], bool]:
    """Whether a request comes from somebody who is logged in on the page: `app` is gradio's, launched."""

    def guard(request: Any) -> bool:
        if app.auth is None:
            return True
        names = (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}")
        return any(request.cookies.get(name) in app.tokens for name in names)

    return guard
