"""The brain: servers that fail in every way, prepared answers, and a real model on this machine."""

import re

import pytest
from llm_standin import WORDS, standin

from linly import registry, weights
from linly.errors import EngineFailed, EngineUnavailable, InputError
from linly.think import local, server
from linly.think.script import Script

ASK = [{"role": "user", "content": "Hello?"}]


@pytest.fixture
def brain(monkeypatch):
    monkeypatch.setattr(server, "FIRST", 1.0)
    monkeypatch.setattr(server, "BETWEEN", 0.5)
    monkeypatch.setattr(server, "CONNECT", 0.5)
    opened = []

    def make(url, model="m", key="sesame"):
        monkeypatch.setenv("LINLY_OPENAI_URL", url)
        monkeypatch.setenv("LINLY_OPENAI_MODEL", model)
        monkeypatch.setenv("LINLY_OPENAI_KEY", key)
        opened.append(server.Server())
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def test_a_server_streams_and_gets_model_key_and_turns(brain):
    with standin("good") as there:
        assert tuple(brain(there.url).think(ASK)) == WORDS
        path, body, key = there.asked[0]
    assert path == "/v1/chat/completions" and body["model"] == "m" and body["messages"] == ASK
    assert body["stream"] and key == "Bearer sesame"


def test_without_a_model_the_first_that_is_offered_is_asked(brain):
    with standin("good") as there:
        list(brain(there.url, model="").think(ASK))
        assert there.asked[0][1]["model"] == "first-model"


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ((401,), "refuses the key"),
        ((404,), "no model 'm'"),
        ((429, [("Retry-After", "60")]), "wait 60 seconds"),
        ((503,), "status 503"),
        ((400,), "status 400"),
        ("silent", "did not begin"),
        ("garbage", "nothing that can be read"),
    ],
)
def test_every_failure_is_one_sentence_without_key_and_without_the_servers_words(brain, how, words):
    with standin(how) as there, pytest.raises(EngineFailed, match=words) as failed:
        list(brain(there.url).think(ASK))
    assert "sesame" not in str(failed.value) and "secret" not in str(failed.value) and "\n" not in str(failed.value)


def test_a_server_that_is_gone(brain):
    with standin("good") as there:
        url = there.url
    with pytest.raises(EngineFailed, match="cannot be reached"):
        list(brain(url).think(ASK))


@pytest.mark.parametrize(
    ("how", "words"),
    [("cut", "broke off"), ("quiet end", "broke off"), ("broken", "broke off"), ("stall", "stopped in the")],
)
def test_what_was_said_before_a_break_stays_said(brain, how, words):
    said = []
    with standin(how) as there, pytest.raises(EngineFailed, match=words):
        said.extend(iter_into(brain(there.url).think(ASK), said))
    assert said == list(WORDS[:2])


def iter_into(pieces, said):
    for piece in pieces:
        said.append(piece)
    return ()


def test_a_short_retry_after_is_waited_for_once(brain):
    with standin((429, [("Retry-After", "0.1")]), "good") as there:
        assert tuple(brain(there.url).think(ASK)) == WORDS
        assert len(there.asked) == 2
    with standin((429, [("Retry-After", "0.1")])) as there, pytest.raises(EngineFailed, match="too many"):
        list(brain(there.url).think(ASK))
    assert len(there.asked) == 2


def test_closing_ends_the_request_and_the_next_one_is_answered(brain):
    with standin("endless", "good") as there:
        engine = brain(there.url)
        answer = engine.think(ASK)
        next(answer)
        answer.close()
        assert there.hung_up.wait(5), "the server was left writing"
        assert tuple(engine.think(ASK)) == WORDS


def test_no_address_names_the_variable(brain):
    for url in ("", "somewhere"):
        with pytest.raises(EngineUnavailable, match="LINLY_OPENAI_URL"):
            brain(url)


def test_script_says_what_was_asked_or_what_was_prepared(tmp_path, monkeypatch):
    assert "".join(Script().think([{"role": "user", "content": "今天 is fine."}])) == "今天 is fine."
    lines = tmp_path / "a.txt"
    lines.write_text("One.\n\n二。\n", encoding="utf-8")
    monkeypatch.setenv("LINLY_ANSWERS", str(lines))
    assert "".join(Script().think(ASK)) == "One."
    assert "".join(Script().think([*ASK, {"role": "assistant", "content": "One."}, *ASK])) == "二。"
    table = tmp_path / "a.csv"
    table.write_text("What does it cost?,Ten euros.\n你们几点开门？,九点。\n", encoding="utf-8")
    monkeypatch.setenv("LINLY_ANSWERS", str(table))
    assert "".join(Script().think([{"role": "user", "content": "几点开门"}])) == "九点。"
    assert "".join(Script().think([{"role": "user", "content": "What would it cost?"}])) == "Ten euros."
    with pytest.raises(InputError, match="No prepared answer"):
        list(Script().think([{"role": "user", "content": "Sing!"}]))


@pytest.mark.parametrize(
    ("name", "text"), [("a.json", "{"), ("a.json", "[1]"), ("a.csv", "one"), ("a.txt", "\n"), ("a.md", "x")]
)
def test_prepared_answers_that_cannot_be_used(tmp_path, monkeypatch, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("LINLY_ANSWERS", str(tmp_path / name))
    with pytest.raises(InputError, match=name):
        Script()


def test_a_model_file_is_chosen_and_checked(tmp_path, monkeypatch):
    monkeypatch.setenv("LINLY_WEIGHTS", str(tmp_path))
    with pytest.raises(EngineUnavailable, match=r"weights pull qwen2\.5-coder-0\.5b"):
        local.Local({})
    (tmp_path / "gguf").mkdir()
    (tmp_path / "gguf" / "b.gguf").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="no GGUF file"):
        local.chosen()
    (tmp_path / "gguf" / "b.gguf").write_bytes(b"GGUF")
    (tmp_path / "gguf" / "a.gguf").write_bytes(b"GGUF")
    with pytest.raises(InputError, match="LINLY_GGUF"):
        local.chosen()
    monkeypatch.setenv("LINLY_GGUF", "a.gguf")
    assert local.chosen() == tmp_path / "gguf" / "a.gguf"
    with pytest.raises(EngineFailed, match=r"cannot read the language model a\.gguf"):
        local.Local({})
    monkeypatch.setenv("LINLY_GGUF", "c.gguf")
    with pytest.raises(InputError, match=r"c\.gguf"):
        local.chosen()


def test_too_long_a_conversation_loses_its_oldest_turns_first():
    turns = [{"role": "system", "content": "Be Lin."}]
    for i in range(9):
        turns += [{"role": "user", "content": f"{i} " * 50}, {"role": "assistant", "content": "word " * 100}]
    kept = local.fitting([*turns, {"role": "user", "content": "last"}], 600)
    assert kept[0]["content"] == "Be Lin." and kept[-1]["content"] == "last" and 3 <= len(kept) < len(turns)
    assert kept[1]["role"] == "user" and kept[1]["content"].startswith(("7", "8"))
    kept = local.fitting([{"role": "system", "content": "x" * 9000}, {"role": "user", "content": "好" * 9000}], 600)
    assert [turn["role"] for turn in kept] == ["system", "user"] and all(turn["content"] for turn in kept)
    for nothing in ([], [{"role": "user", "content": "  "}], [{"role": "assistant", "content": "Hi"}]):
        with pytest.raises(InputError, match="nothing to answer"):
            local.fitting(nothing)


@pytest.fixture(scope="module")
def real():
    if not weights.ready("qwen2.5-coder-0.5b"):
        pytest.skip("the model qwen2.5-coder-0.5b is not here: python -m linly weights pull qwen2.5-coder-0.5b")
    return registry.open_engine("think", "local")


def test_a_real_model_rests_between_pieces_and_goes_on_after_being_closed(real):
    answer = real.think([{"role": "user", "content": "Count from one to fifty in words."}])
    next(answer)
    answer.close()
    assert "paris" in "".join(real.think([{"role": "user", "content": "Name the capital of France."}])).lower()


@pytest.mark.slow
def test_a_real_model_answers_in_chinese_and_keeps_whole_characters(real):
    question = {"role": "user", "content": "中国的首都是哪里？只用一句话回答。"}
    said = ["".join(real.think([question])) for _ in range(4)]  # half a billion weights are wrong now and then
    assert any("北京" in answer for answer in said)
    assert all("\ufffd" not in answer and re.search("[\u4e00-\u9fff]", answer) for answer in said)
