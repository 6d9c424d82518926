"""How a browser and this machine find together: the routes by which the page's script offers a connection."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from linly.chat import websocket
from linly.chat.session import Full
from linly.chat.webrtc import Sessions
from linly.errors import LinlyError

SCRIPTS = ("live.js", "socket.js")
"""the page's part: by WebRTC, and where that fails"""


def add_routes(app: Any, sessions: Sessions, prefix: str = "/live", guard: Callable[[Any], bool] | None = None) -> None:
    """Put the signalling on a FastAPI app, before the page is mounted: POST prefix, DELETE prefix/{id}, the websocket
    prefix/socket, and the page's scripts as GET prefix/live.js and prefix/socket.js. guard: told each request, says
    whether it may; else 401.
    """
    from fastapi import Depends, HTTPException, Request

    def admitted(request: Request) -> Request:
        if guard is not None and not guard(request):
            raise HTTPException(401, "Log in on the page first.")
        return request

    async def offered(request: Request, offer: dict[str, Any]) -> dict[str, str]:
        try:
            return await sessions.answer(offer, _reached(request.scope.get("server")))
        except Full as error:
            raise HTTPException(503, str(error)) from error
        except LinlyError as error:
            raise HTTPException(400, str(error)) from error

    async def left(id: str) -> dict[str, bool]:
        return {"closed": await sessions.close(id)}

    # The annotations above are strings by now; FastAPI reads these instead.
    offered.__annotations__.update(request=Request, offer=dict[str, Any])
    admitted.__annotations__.update(request=Request)
    only = [Depends(admitted)]
    app.add_api_route(prefix, offered, methods=["POST"], dependencies=only, include_in_schema=False)
    app.add_api_route(prefix + "/{id}", left, methods=["DELETE"], dependencies=only, include_in_schema=False)
    websocket.add_route(app, sessions, prefix + "/socket", guard)
    for name in SCRIPTS:
        app.add_api_route(f"{prefix}/{name}", script(name), methods=["GET"], include_in_schema=False)


def script(name: str) -> Callable[[], Any]:
    """A route that gives one of SCRIPTS."""
    from fastapi.responses import FileResponse

    return lambda: FileResponse(Path(__file__).with_name(name), media_type="text/javascript")


def _reached(server: Sequence[Any] | None) -> str | None:
    """The address of this machine in a request's scope, if it is one."""
    with suppress(ValueError, TypeError, IndexError):
        return str(ipaddress.ip_address(str((server or ())[0])))
    return None
