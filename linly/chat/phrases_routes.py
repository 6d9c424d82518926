"""Where the page's script asks for suggestions and keeps its phrase book: quick enough for every key.

Each route is a POST with a JSON object; the user id comes in the header X-Linly-User, never in an address. What cannot
be done is a 400 with one sentence.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from linly.chat.phrases import LONGEST, Phrases
from linly.errors import InputError, LinlyError

USER = "X-Linly-User"
MOST_BODY = 16_384
"""bytes of a request"""


def add_routes(
    app: Any, phrases: Phrases, guard: Callable[[Any], bool] | None = None, prefix: str = "/phrases"
) -> None:
    """Put the routes on a FastAPI app, before the page is mounted: POST prefix/{what}, `what` one of ACTIONS.

    guard: told each request, says whether it may; else 401.
    """
    from fastapi import HTTPException, Request
    from fastapi.concurrency import run_in_threadpool

    async def asked(request: Request, what: str) -> Any:
        if guard is not None and not guard(request):
            raise HTTPException(401, "Log in on the page first.")
        if what not in ACTIONS:
            raise HTTPException(404, "There is nothing of that name here.")
        try:
            body = _object(await _body(request))
            return await run_in_threadpool(ACTIONS[what], phrases, _user(request), body)
        except LinlyError as error:
            raise HTTPException(400, str(error)) from error

    asked.__annotations__.update(request=Request, what=str)
    app.add_api_route(prefix + "/{what}", asked, methods=["POST"], include_in_schema=False)


def _suggest(phrases: Phrases, user: str, body: dict[str, Any]) -> Any:
    text = _text(body, "text")
    return {"suggestions": [asdict(guess) for guess in phrases.suggest(user, text, _language(body))]}


def _book(phrases: Phrases, user: str, body: dict[str, Any]) -> Any:
    return {"phrases": [asdict(phrase) for phrase in phrases.book(user, _language(body))]}


def _add(phrases: Phrases, user: str, body: dict[str, Any]) -> Any:
    return asdict(phrases.add(user, _text(body, "category"), _text(body, "text"), _language(body)))


def _edit(phrases: Phrases, user: str, body: dict[str, Any]) -> Any:
    phrases.edit(user, _number(body, "id"), _text(body, "text"))
    return {}


def _move(phrases: Phrases, user: str, body: dict[str, Any]) -> Any:
    phrases.move(user, _number(body, "id"), _number(body, "by"))
    return {}


def _remove(phrases: Phrases, user: str, body: dict[str, Any]) -> Any:
    phrases.remove(user, _number(body, "id"))
    return {}


def _recent(phrases: Phrases, user: str, body: dict[str, Any]) -> Any:
    return {"recent": [asdict(said) for said in phrases.recent(user)]}


def _forget(phrases: Phrases, user: str, body: dict[str, Any]) -> Any:
    phrases.forget(user, None if body.get("all") is True else _number(body, "id"))
    return {}


ACTIONS: dict[str, Callable[[Phrases, str, dict[str, Any]], Any]] = {
    "suggest": _suggest, "book": _book, "add": _add, "edit": _edit, "move": _move, "remove": _remove,
    "recent": _recent, "forget": _forget,
}  # fmt: skip


async def _body(request: Any) -> bytes:
    whole = b""
    async for piece in request.stream():
        whole += piece
        if len(whole) > MOST_BODY:
            raise InputError(f"A request may have {MOST_BODY} bytes at most: shorten the text.")
    return whole


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise InputError("The request is no JSON object.") from error
    if not isinstance(found, dict):
        raise InputError("The request is no JSON object.")
    return found


def _user(request: Any) -> str:
    user = str(request.headers.get(USER, ""))
    if not user:
        raise InputError("Nobody is named: load the page again.")
    return user


def _text(body: dict[str, Any], key: str) -> str:
    found = body.get(key)
    if not isinstance(found, str) or len(found) > 2 * LONGEST:
        raise InputError(f"The request needs a {key} of at most {2 * LONGEST} characters.")
    return found.encode("utf-8", "replace").decode()


def _number(body: dict[str, Any], key: str) -> int:
    found = body.get(key)
    if not isinstance(found, int) or isinstance(found, bool) or abs(found) > 2**62:
        raise InputError(f"The request needs a whole number as {key}.")
    return found


def _language(body: dict[str, Any]) -> str:
    return "zh" if body.get("language") == "zh" else "en"
