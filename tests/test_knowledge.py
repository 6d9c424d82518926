"""What a persona's documents say is found by words, in Chinese and English, and given to the model with its source."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from itertools import pairwise

import pytest

from linly.chat import context
from linly.chat.knowledge import Found, Knowledge
from linly.chat.knowledge_words import passages, terms
from linly.chat.memory import Fact, History, Said
from linly.documents import Document, Passage
from linly.errors import InputError

PLANTS = """# Plants

Plants turn light, water and carbon dioxide into sugar and oxygen. This is called photosynthesis, and it happens in the
chloroplasts of the leaves.

## Roots

Roots drink water from the soil and hold the plant in place. An oak's roots can reach four metres deep.

## Flowers

Bees carry pollen from flower to flower. Without bees there would be few apples.
"""
SCHOOL = """学校简介

阳光小学成立于1956年，位于杭州市西湖区，现有学生一千二百人，教师八十名。校长是陈静老师。

图书馆每天下午三点到五点半开放，学生每次可以借三本书，两周之内归还。

食堂在体育馆旁边，午餐时间是十一点半。过敏的同学请提前告诉班主任。
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "plants.md").write_text(PLANTS)
    (folder / "学校.txt").write_bytes(SCHOOL.encode("gb18030"))
    return folder


@pytest.fixture
def knowledge(folder, tmp_path):
    return Knowledge(folder, tmp_path / "index.sqlite")


@pytest.mark.parametrize(
    ("question", "source", "where", "holds"),
    [
        ("What is photosynthesis?", "plants.md", "Plants", "chloroplasts"),
        ("How deep do the roots of an oak go?", "plants.md", "Plants > Roots", "four metres"),
        ("what do bees carry", "plants.md", "Plants > Flowers", "pollen"),
        ("图书馆几点开门？", "学校.txt", "lines 1-7", "三点到五点半"),
        ("校长是谁？", "学校.txt", "lines 1-7", "陈静"),
        ("陈静是什么人？", "学校.txt", "lines 1-7", "陈静"),
        ("学生一次能借几本书", "学校.txt", "lines 1-7", "三本书"),
        ("请问食堂在哪里", "学校.txt", "lines 1-7", "体育馆旁边"),
    ],
)
def test_questions_find_their_passage(knowledge, question, source, where, holds):
    best = knowledge.search(question)[0]
    assert (best.source, best.where) == (source, where) and holds in best.text and 0 < best.score <= 1


@pytest.mark.parametrize(
    "question",
    [
        "你好", "您好，很高兴认识你", "how are you", "Hello!", "Thank you very much.", "What can you do?", "谢谢你",
        "你叫什么名字？", "今天天气怎么样？", "Who won the football match in Madrid last night?", 
        "介绍一下量子计算机的原理", "我想听你唱歌", "Tell me a joke", "", "   ", "?!", "😀", "的", "a",
    ],
)  # fmt: skip
def test_what_has_nothing_to_do_with_the_documents_finds_nothing(knowledge, question):
    assert knowledge.search(question) == []


@pytest.mark.parametrize(
    "query",
    [
        '"', "'", "roots OR", "NEAR(roots", "roots*", "text:roots", "-roots", "^roots", "(((", "roots AND NOT",
        "{a b}:c", '"roots" "', "roots\0deep", "roots'; --", "*", "a:b:c", "\udc80roots",
        "roots " * 5000, "根" * 5000,
    ],
)  # fmt: skip
def test_hostile_queries_break_nothing(knowledge, query):
    found = knowledge.search(query)
    assert all(one.source in ("plants.md", "学校.txt") for one in found)
    if "roots" in query:
        assert found[0].where == "Plants > Roots"


def test_most_is_respected_and_the_best_is_first(folder, knowledge):
    for i in range(8):
        (folder / f"extra{i}.txt").write_text(f"Bees are mentioned here in passing, number {i}.")
    assert len(knowledge.search("bees", most=2)) == 2
    assert "pollen" in knowledge.search("Do bees carry pollen between flowers?", most=1)[0].text


def test_documents_that_change_come_and_go(folder, knowledge):
    assert knowledge.search("volcano") == []
    (folder / "sub").mkdir()
    (folder / "sub" / "volcano.txt").write_text("A volcano spits lava.")
    assert knowledge.search("volcano")[0].source == os.path.join("sub", "volcano.txt")
    (folder / "sub" / "volcano.txt").write_text("A glacier is a river of ice.")
    assert knowledge.search("lava") == [] and knowledge.search("glacier")
    (folder / "sub" / "volcano.txt").rename(folder / "ice.txt")
    assert knowledge.search("glacier")[0].source == "ice.txt"
    (folder / "ice.txt").unlink()
    assert knowledge.search("glacier") == []
    assert [(d.name, d.problem) for d in knowledge.documents()] == [("plants.md", ""), ("学校.txt", "")]


def test_a_document_is_read_once_whatever_its_name(folder, knowledge, monkeypatch):
    read = []
    from linly import documents

    whole = documents.read
    monkeypatch.setattr(documents, "read", lambda path: (read.append(path.name), whole(path))[1])
    knowledge.refresh()
    knowledge.search("bees")
    shutil.copy(folder / "plants.md", folder / "copy.md")
    assert len(knowledge.search("pollen")) == 1
    Knowledge(folder, knowledge._index).search("bees")
    assert sorted(read) == ["plants.md", "学校.txt"]


def test_broken_documents_are_told_and_the_others_found(folder, knowledge):
    (folder / "broken.pdf").write_text("no pdf")
    (folder / "empty.docx").write_bytes(b"")
    (folder / ".hidden.txt").write_text("bees bees bees")
    (folder / "~$plants.docx").write_bytes(b"lock")
    (folder / "link.txt").symlink_to("/etc/hostname")
    told = knowledge.problems()
    assert len(told) == 2 and all("\n" not in one and one.endswith(".") for one in told)
    assert "broken.pdf" in told[0] and "empty.docx" in told[1]
    assert [one.source for one in knowledge.search("bees")] == ["plants.md"]
    (folder / "broken.pdf").unlink()
    (folder / "empty.docx").unlink()
    assert knowledge.problems() == []


def test_documents_are_put_in_and_taken_out(folder, knowledge, tmp_path):
    given = tmp_path / "..two\nlines: volcano?.txt"
    given.write_text("A volcano spits lava.")
    name = knowledge.put(given)
    assert (folder / name).is_file() and name.isprintable() and not name.startswith(".") and ":" not in name
    assert knowledge.search("volcano")[0].source == name
    bad = tmp_path / "bad.pdf"
    bad.write_text("no pdf")
    with pytest.raises(InputError):
        knowledge.put(bad)
    for wrong in ("../index.sqlite", "bad.pdf", str(given), ""):
        with pytest.raises(InputError, match="no document"):
            knowledge.remove(wrong)
    knowledge.remove(name)
    assert knowledge.search("volcano") == [] and len(knowledge.documents()) == 2
    assert not list(folder.glob(".*"))
    new = Knowledge(tmp_path / "new" / "persona", knowledge._index.with_name("new.sqlite"))
    assert new.put(given) == name and new.search("lava")


@pytest.mark.parametrize("how", ["gone", "garbage", "torn", "older"])
def test_an_index_that_is_lost_is_made_again(knowledge, how):
    knowledge.refresh()
    index = knowledge._index
    if how == "gone":
        index.unlink()
    elif how == "garbage":
        index.write_bytes(b"no index" * 999)
    elif how == "torn":
        data = index.read_bytes()
        index.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    else:
        with sqlite3.connect(index) as db:
            db.execute("PRAGMA user_version = 77")
    assert knowledge.search("photosynthesis")[0].source == "plants.md"


def test_no_folder_no_documents_and_no_place_for_the_index(tmp_path):
    nothing = Knowledge(tmp_path / "nothing")
    assert nothing.search("photosynthesis") == [] and nothing.documents() == []
    (tmp_path / "file").write_text("x")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.txt").write_text("bees")
    with pytest.raises(InputError, match="cannot be used"):
        Knowledge(tmp_path / "d", tmp_path / "file" / "index.sqlite").search("bees")


def test_threads_share_it(folder, knowledge):
    found, others = [], Knowledge(folder, knowledge._index)
    threads = [
        threading.Thread(target=lambda k=k: found.append(k.search("photosynthesis"))) for k in (knowledge, others) * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6 and all(one and one[0].source == "plants.md" for one in found)


def test_passages_are_short_whole_sentences_and_overlap():
    english = " ".join(f"Sentence number {i} tells something about gardens." for i in range(60))
    chinese = "".join(f"第{i}句话讲的是花园里的事情，大家都喜欢听。" for i in range(60))
    for text, end in ((english, "."), (chinese, "。")):
        pieces = [piece for _, piece in passages(Document("t", "text", (Passage(text, "page 1"),)))]
        assert len(pieces) > 3 and all(150 < len(piece) <= 500 for piece in pieces[:-1])
        assert all(piece.endswith(end) for piece in pieces)
        for one, following in pairwise(pieces):
            last = one.rstrip(end).rpartition(end)[2].strip()
            assert following.startswith(last)
    endless = [piece for _, piece in passages(Document("t", "text", (Passage("无" * 3000, ""),)))]
    assert "".join(endless).count("无") >= 3000 and all(len(piece) <= 500 for piece in endless)


def test_speaker_notes_are_found(tmp_path):
    deck = Document("d", "pptx", (Passage("Title", "slide 1", "Tell the joke about penguins."),))
    assert "penguins" in next(passages(deck))[1]


def test_terms_of_a_question():
    assert terms("What is photosynthesis?") == ['"photosynthesis"']
    assert '"图书馆"' in terms("请问图书馆几点开门？") and '"请问"' not in terms("请问图书馆几点开门？")
    assert terms("根是什么") == ['"根"*']


# what the model is given


FOUND = [Found("Roots drink water.", "plants.pdf", "page 3", 0.9), Found("根会喝水。", "学校.txt", "lines 1-7", 0.5)]


def test_the_model_is_told_what_stays_first_and_the_question_last():
    history = History("They spoke of bees.", (Said("user", "Hi"), Said("assistant", "Hello, I am", heard=False)))
    given = context.turns("You are Lin.", history, [Fact(1, "name", "Li")], FOUND[:1], "What do roots do?")
    assert [turn["role"] for turn in given] == ["system", "user", "assistant", "user"]
    assert given[0]["content"].startswith("You are Lin.") and "name: Li" in given[0]["content"]
    assert "bees" in given[0]["content"] and "Roots" not in given[0]["content"]
    assert given[2]["content"] == "Hello, I am …"
    assert "[plants.pdf, page 3] Roots drink water." in given[3]["content"]
    assert "say so" in given[3]["content"] and given[3]["content"].endswith("What do roots do?")
    again = context.turns("You are Lin.", history, [Fact(1, "name", "Li")], FOUND[1:], "Why?")
    assert again[:-1] == given[:-1]  # whatever is asked and found, what went before is the same


def test_in_chinese_everything_is_chinese():
    given = context.turns("你是小林。", History("谈过蜜蜂。"), [Fact(1, "place", "杭州")], FOUND[1:], "根做什么？")
    assert "住在: 杭州" in given[0]["content"] and "之前的对话" in given[0]["content"]
    assert "资料" in given[1]["content"] and "第1-7行" in given[1]["content"]
    assert context.sources(FOUND + FOUND, "zh") == ["plants.pdf，第3页", "学校.txt，第1-7行"]
    assert context.sources(FOUND) == ["plants.pdf, page 3", "学校.txt, lines 1-7"]


def test_without_anything_it_is_the_question_alone():
    assert context.turns("", History(), [], [], "Hello") == [
        {"role": "system", "content": ""},
        {"role": "user", "content": "Hello"},
    ]


def test_the_budget_holds_and_roles_take_turns():
    said = tuple(Said(role, f"{role} {i} " + "x" * 90) for i in range(20) for role in ("user", "assistant"))
    facts = [Fact(i, "note", f"note {i} " + "y" * 90, float(i)) for i in range(20)]
    found = [Found("z" * 480, "a.pdf", f"page {i}", 1.0) for i in range(5)]
    for budget in (200, 1000, 2000, 4000):
        given = context.turns("I" * 50, History("s" * 600, said), facts, found, "Q" * 100, budget)
        assert sum(len(turn["content"]) for turn in given) < budget + 300
        assert [t["role"] for t in given[1:]] == ["user", "assistant"] * (len(given) // 2 - 1) + ["user"]
        assert given[-1]["content"].endswith("Q" * 100)
    assert "note 19" in given[0]["content"] and "note 0 " not in given[0]["content"]
    assert said[-1].text == given[-2]["content"]


def test_a_question_in_the_memory_already_is_not_asked_twice():
    history = History("", (Said("user", "Hi"), Said("user", "What do roots do?")))
    given = context.turns("You are Lin.", history, [], [], "What do roots do?")
    assert [turn["content"] for turn in given[1:]] == ["Hi\nWhat do roots do?"]
