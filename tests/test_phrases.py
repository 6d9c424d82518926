"""Phrases: they are kept, found by few keys, each user's own, and what is erased is gone."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from linly.chat.memory import Memory
from linly.chat.phrases import Phrases, starter
from linly.chat.phrases_guess import MOST, Guesser
from linly.chat.phrases_routes import MOST_BODY, add_routes
from linly.errors import InputError


@pytest.fixture
def phrases(tmp_path):
    memory = Memory(tmp_path / "memory.sqlite")
    yield Phrases(memory)
    memory.close()


def values(phrases: Phrases, text: str, user: str = "li", language: str = "en") -> list[str]:
    return [guess.value for guess in phrases.suggest(user, text, language)]


def test_the_book_begins_with_a_starter_set_and_is_the_users_to_change(phrases):
    book = phrases.book("li")
    assert list(dict.fromkeys(one.category for one in book)) == list(starter()["en"])
    assert {len(texts) > 4 for one in starter().values() for texts in one.values()} == {True}
    first, second = book[:2]
    phrases.move("li", second.id, -1)
    phrases.edit("li", first.id, "Yes indeed.")
    phrases.remove("li", book[2].id)
    mine = phrases.add("li", "Dog", "Where is  Bello?\n")
    after = phrases.book("li")
    assert [one.text for one in after[:2]] == [second.text, "Yes indeed."]
    assert book[2].id not in {one.id for one in after} and after[-1] == mine
    assert mine.text == "Where is Bello?" and phrases.book("li") == after  # the starter set comes once
    assert phrases.book("bo") != after and "你好！" in [one.text for one in phrases.book("bo", "zh")]


def test_what_was_said_is_suggested_word_by_word_and_whole(phrases):
    for _ in range(3):
        phrases.said("li", "The physiotherapist comes on Tuesday.")
    assert values(phrases, "the PHY")[0] == "The physiotherapist comes on Tuesday."
    assert "Tomorrow the physiotherapist " in values(phrases, "Tomorrow the ")
    assert "Yes. The physiotherapist comes on Tuesday." in values(phrases, "Yes. Th")
    assert all(len(values(phrases, text)) <= MOST for text in ("", "t", "the "))


def test_capitals_are_those_of_the_place(phrases):
    for text in ("Thank Bello.", "I'm here.", "Bello is here."):
        phrases.said("li", text)
    assert "i thank " in values(phrases, "i th") and "Thank " in values(phrases, "th")
    assert "i thank Bello " in values(phrases, "i thank b") and "so I'm " in values(phrases, "so i")


@pytest.mark.parametrize("typed", ["nh", "nihao", "NiHao", "nih"])
def test_chinese_is_found_by_pinyin(phrases, typed):
    phrases.book("li", "zh")
    assert values(phrases, typed, language="zh")[0] == "你好"


def test_chinese_goes_on_after_what_stands_there(phrases):
    phrases.said("li", "我想喝绿茶。")
    assert "我想喝" in values(phrases, "我想h", language="zh")
    assert "我想喝绿茶。" in values(phrases, "wxhlc", language="zh")
    assert "我想喝绿茶。" in values(phrases, "我想", language="zh")


def test_users_are_apart(phrases):
    phrases.said("li", "My secret is safe.")
    assert not phrases.recent("bo") and not values(phrases, "my s", "bo")
    kept = phrases.recent("li")[0]
    phrases.forget("bo", kept.id)
    mine = phrases.add("li", "Mine", "Hush.")
    for act in (lambda: phrases.remove("bo", mine.id), lambda: phrases.edit("bo", mine.id, "x")):
        with pytest.raises(InputError, match="no longer"):
            act()
    assert phrases.recent("li") == [kept]


def test_recent_is_newest_first_each_once_and_what_is_erased_is_nowhere(phrases, tmp_path):
    for text in ("One apple.", "Two pears.", "One apple.", "Xylophone."):
        phrases.said("li", text)
    assert [(one.text, one.times) for one in phrases.recent("li")] == [
        ("Xylophone.", 1), ("One apple.", 2), ("Two pears.", 1),
    ]  # fmt: skip
    assert values(phrases, "xyl")
    phrases.forget("li", phrases.recent("li")[0].id)
    assert not values(phrases, "xyl") and values(phrases, "one ")
    assert all(b"Xylophone" not in file.read_bytes() for file in tmp_path.iterdir())
    phrases.forget("li")
    assert not phrases.recent("li") and not values(phrases, "one ")


def test_nothing_learnt_is_left_when_all_is_taken_back():
    guesser = Guesser()
    texts = ("I want tea, and you?", "我想喝水。", "I want tea", "a a a a")
    for sign in (2, -2):
        for text in texts:
            guesser.learn(text, sign)
    assert not any(guesser.guess(text, language) for text in ("", "i", "w", "我", "a ") for language in ("en", "zh"))
    assert not guesser._after and not guesser._forms


def test_a_killed_process_loses_nothing_and_others_see_it_at_once(phrases, tmp_path):
    assert not values(phrases, "kil")
    code = (
        "import os, signal, sys; from pathlib import Path; from linly.chat.memory import Memory;"
        "from linly.chat.phrases import Phrases; p = Phrases(Memory(Path(sys.argv[1])));"
        "p.said('li', 'Killed at once.'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "memory.sqlite")], check=False).returncode == -9
    assert values(phrases, "kil")[0] == "Killed at once."


def test_a_damaged_file_is_set_aside_and_a_new_book_begins(tmp_path):
    path = tmp_path / "memory.sqlite"
    path.write_bytes(b"this is no database" * 500)
    phrases = Phrases(Memory(path))
    phrases.said("li", "Here again.")
    assert phrases.recent("li")[0].text == "Here again." and list(tmp_path.glob("*.broken-*"))


def test_threads_share_one(phrases):
    def work(number: int) -> None:
        for k in range(20):
            phrases.said("li", f"number {number} says {k}")
            phrases.suggest("li", "number ")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(phrases.recent("li", 100)) == 80


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE phrase; --", "\0a\ud800b", "<b>x</b>", "()[]*+?x", "a" * 5000, "\u202eabc", "😀 ok"]
)
def test_hostile_text_is_only_text(phrases, text):
    phrases.book("li")
    phrases.said("li", text)
    assert len(phrases.recent("li")) == 1 and isinstance(values(phrases, text), list)
    assert len(phrases.book("li")) > 20


@pytest.mark.parametrize("user", ["", " ", "a" * 300, " li"])
def test_a_user_needs_a_name(phrases, user):
    with pytest.raises(InputError):
        phrases.book(user)


@pytest.fixture
def client(phrases):
    app = FastAPI()
    add_routes(app, phrases, lambda request: request.headers.get("pass") != "no")
    return TestClient(app, headers={"X-Linly-User": "li"})


def test_the_routes_serve_the_page(client):
    assert len(client.post("/phrases/book", json={}).json()["phrases"]) > 40
    made = client.post("/phrases/add", json={"category": "Dog", "text": "Where is Bello?"}).json()
    found = client.post("/phrases/suggest", json={"text": "where is"}).json()["suggestions"]
    assert found[0] == {"text": "Where is Bello?", "value": "Where is Bello?", "kind": "phrase"}
    assert client.post("/phrases/remove", json={"id": made["id"]}).status_code == 200
    assert client.post("/phrases/recent", json={}).json() == {"recent": []}


@pytest.mark.parametrize(("what", "body"), [
    ("add", {}), ("add", {"category": "x", "text": " "}), ("suggest", {"text": 5}), ("edit", {"id": "1", "text": "x"}),
    ("remove", {"id": 12345}), ("remove", {"id": 10**30}), ("move", {"id": True, "by": 1}), ("forget", {}),
])  # fmt: skip
def test_bad_requests_are_told_in_one_sentence(client, what, body):
    answer = client.post(f"/phrases/{what}", json=body)
    assert answer.status_code == 400 and answer.json()["detail"].endswith(".")


def test_strangers_and_floods_are_refused(client):
    assert client.post("/phrases/book", json={}, headers={"pass": "no"}).status_code == 401
    assert client.post("/phrases/book", json={}, headers={"X-Linly-User": ""}).status_code == 400
    assert client.post("/phrases/suggest", content=b"[" * 5000).status_code == 400
    assert client.post("/phrases/suggest", content=b"x" * (MOST_BODY + 1)).status_code == 400
    assert client.post("/phrases/nothing", json={}).status_code == 404
