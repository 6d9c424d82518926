"""The doors of an audience: what comes in, what is told, and who stays outside."""

import json

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from linly.chat.audience import Questions
from linly.chat.doors import MOST_BYTES, Doors
from linly.errors import InputError


@pytest.fixture
def doors():
    with Doors(Questions()) as opened:
        yield opened


def at(doors, path: str = "/questions", scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{doors.port}{path}"


def test_questions_come_in_one_or_many_and_can_be_looked_at(doors):
    one = httpx.post(at(doors), json={"text": "Where is Rome?", "name": "Anna"})
    assert one.json() == {"taken": True, "reason": "", "why": ""}
    many = httpx.post(at(doors), json=[{"text": "你好吗？"}, {"text": "666"}, {"text": "where is rome", "name": "Bo"}])
    assert [(v["taken"], v["reason"]) for v in many.json()] == [(True, ""), (False, "empty"), (True, "vote")]
    waiting = httpx.get(at(doors)).json()["waiting"]
    assert [(q["text"], q["name"], q["votes"]) for q in waiting] == [("Where is Rome?", "Anna", 2), ("你好吗？", "", 1)]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b'{"text": 5}', 400), (b'{"text": "a?", "weight": 1e9}', 400), (b"[" * 50_000, 400),
     (b'{"text": "a?", "name": 7}', 400), (b'"hello"', 400),
     (b'[{"text": "a?"},' + b'{"text": "b?"},' * 100 + b"0]", 400),
     (b"x" * (MOST_BYTES + 1), 413), (b'{"text": "\xff"}', 400), (b'{"text": "a?", "weight": NaN}', 400)],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_one_sentence(doors, body, status):
    answer = httpx.post(at(doors), content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status and answer.json()["error"].endswith((".", '"}.'))
    assert "Traceback" not in answer.text and httpx.get(at(doors)).json() == {"waiting": []}


def test_a_page_of_another_site_stays_outside(doors):
    asked = {"text": "Where is Rome?"}
    assert httpx.post(at(doors), content=json.dumps(asked), headers={"content-type": "text/plain"}).status_code == 415
    for headers in ({"origin": "https://evil.example"}, {"host": "evil.example"}, {"origin": "null"}):
        assert httpx.post(at(doors), json=asked, headers=headers).status_code == 403
    with connect(at(doors, scheme="ws"), origin="https://evil.example") as socket, pytest.raises(ConnectionClosed):
        socket.recv(timeout=10)
    assert httpx.get(at(doors)).json() == {"waiting": []}


def test_comments_stream_in_and_states_stream_out(doors):
    with connect(at(doors, scheme="ws")) as socket:
        socket.send(json.dumps({"text": "Where is Rome?", "name": "Anna"}))
        assert json.loads(socket.recv(timeout=10)) == {"type": "verdict", "taken": True, "reason": "", "why": ""}
        socket.send("{broken")
        assert json.loads(socket.recv(timeout=10))["type"] == "error"
        doors.told({"type": "state", "state": "speaking"})
        assert json.loads(socket.recv(timeout=10)) == {"type": "state", "state": "speaking"}


def test_a_token_is_asked_for_where_there_is_one():
    with Doors(Questions(), token="s3cret") as doors:
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "s"}):
            assert httpx.get(at(doors), headers=headers).status_code == 401
        assert httpx.get(at(doors), headers={"authorization": "Bearer s3cret"}).status_code == 200
        with connect(at(doors, "/questions?token=s3cret", "ws")) as socket:
            socket.send('{"text": "Where is Rome?"}')
            assert json.loads(socket.recv(timeout=10))["taken"]
        with connect(at(doors, "/questions?token=no", "ws")) as socket, pytest.raises(ConnectionClosed):
            socket.recv(timeout=10)
    with pytest.raises(InputError):
        Doors(Questions(), host="0.0.0.0")


def test_a_port_that_is_taken_is_said(doors):
    with pytest.raises(InputError, match="choose another"):
        Doors(Questions(), port=doors.port)
    with pytest.raises(InputError):
        Doors(Questions(), port=99999)
