"""The memory: nothing lost, nothing of one user shown to another, nothing left of what is erased."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT

from linly.chat.memory import Memory
from linly.chat.memory_facts import told
from linly.errors import InputError


@pytest.fixture
def memory(tmp_path):
    memory = Memory(tmp_path / "deep" / "memory.sqlite")
    yield memory
    memory.close()


@pytest.fixture
def diary(memory):
    return memory.diary("li", "teacher")


def talk(diary, conversation, pairs):
    for asked, answered in pairs:
        diary.add(conversation, "user", asked)
        diary.add(conversation, "assistant", answered)


def test_turns_are_kept_in_order_and_across_openings(memory, diary):
    here = diary.start()
    diary.add(here, "user", "光合作用是什么？", "zh")
    diary.add(here, "assistant", "把光变成糖。", "zh", ["a.pdf, page 3"])
    memory.close()
    again = Memory(memory.path).diary("li", "teacher")
    asked, answered = again.turns(here)
    assert (asked.role, asked.text, asked.language) == ("user", "光合作用是什么？", "zh")
    assert answered.sources == ("a.pdf, page 3",) and answered.heard and abs(answered.time - time.time()) < 60
    assert again.latest() == here
    assert os.stat(memory.path).st_mode & 0o077 == 0


def test_conversations_are_listed_renamed_and_deleted(diary):
    first, second = diary.start(), diary.start("Lesson 2")
    talk(diary, first, [("Hello there, how do plants grow?", "With light.")])
    listed = diary.conversations()
    assert [(c.id, c.title, c.turns) for c in listed] == [
        (first, "Hello there, how do plants grow?", 2),
        (second, "Lesson 2", 0),
    ]
    diary.rename(first, "Plants")
    diary.delete(second)
    assert [c.title for c in diary.conversations()] == ["Plants"]
    with pytest.raises(InputError, match="no such conversation"):
        diary.turns(second)
    with pytest.raises(InputError, match="no such conversation"):
        diary.add(second, "user", "hello")


def test_export(diary):
    here = diary.start()
    talk(diary, here, [("我叫小李", "你好，小李！")])
    diary.heard(here, "你好，")
    said = json.loads(diary.export(here))
    assert said["persona"] == "teacher" and [t["text"] for t in said["turns"]] == ["我叫小李", "你好，"]
    assert [t["heard"] for t in said["turns"]] == [True, False]
    plain = diary.export(here, "txt")
    assert "li: 我叫小李" in plain and "teacher: 你好， …" in plain
    with pytest.raises(InputError):
        diary.export(here, "exe")


def test_no_user_and_no_persona_sees_anothers(memory, diary):
    here = diary.start()
    talk(diary, here, [("My name is Li. Remember that the safe is 4711.", "I will.")])
    fact = diary.facts()[0].id
    for user, persona in (("wang", "teacher"), ("li", "doctor"), ("l%", "teacher"), ("LI", "teacher")):
        other = memory.diary(user, persona)
        assert other.conversations() == [] and other.facts() == []
        for act in (
            lambda o=other: o.turns(here),
            lambda o=other: o.export(here),
            lambda o=other: o.history(here, 1000),
            lambda o=other: o.summarise(here, 0),
            lambda o=other: o.add(here, "user", "me too"),
            lambda o=other: o.heard(here, "x"),
            lambda o=other: o.rename(here, "x"),
            lambda o=other: o.delete(here),
            lambda o=other: o.edit(fact, "x"),
            lambda o=other: o.forget(fact),
        ):
            with pytest.raises(InputError, match="no such"):
                act()
    assert len(diary.turns(here)) == 2 and len(diary.facts()) == 2


@pytest.mark.parametrize("name", ["", "  ", "a" * 201, "a\0b", "a\udc80", " li"])
def test_names_that_cannot_be_kept(memory, name):
    with pytest.raises(InputError):
        memory.diary(name, "teacher")


def test_an_interrupted_reply_keeps_what_was_heard(diary):
    here = diary.start()
    talk(diary, here, [("one", "First answer, long."), ("two", "Second answer, long.")])
    diary.heard(here, "Second")
    assert [(t.text, t.heard) for t in diary.turns(here)][1::2] == [("First answer, long.", True), ("Second", False)]
    diary.heard(here, "")
    assert [t.text for t in diary.turns(here)] == ["one", "First answer, long.", "two"]
    with pytest.raises(InputError, match="Nothing was answered"):
        diary.heard(diary.start(), "x")


def test_history_gives_the_newest_that_fit(diary):
    here = diary.start()
    talk(diary, here, [(f"question {i}", f"answer {i}") for i in range(10)])
    kept = diary.history(here, 45)
    assert [t.text for t in kept.turns] == ["question 8", "answer 8", "question 9", "answer 9"]
    assert "question 7" in kept.summary and len(kept.summary) <= 600
    whole = diary.history(here, 10_000)
    assert len(whole.turns) == 20 and whole.summary == ""
    assert diary.history(here, 0).turns == ()
    assert diary.history(here, 10).turns == ()  # an answer without its question is no beginning


def test_the_history_keeps_its_beginning_for_a_while(diary):
    """What the model has read already it need not read again, as long as the text begins the same way."""
    here = diary.start()
    begins = []
    for i in range(40):
        talk(diary, here, [(f"question {i:02}", f"answer {i:02}")])
        begins.append(diary.history(here, 200).turns[0].text)
    assert begins[:9] == ["question 00"] * 9 and len(set(begins)) < 20


def test_the_summary_runs_on(diary):
    here = diary.start()
    talk(diary, here, [("I have a dog.", "How nice!"), ("He is called Rex.", "Hello Rex.")])
    asked = []

    def think(text):
        asked.append(text)
        return f"Summary {len(asked)}"

    assert not diary.summarise(here, 0, think) and not asked  # only four turns are out
    talk(diary, here, [("And a cat.", "Wonderful."), ("New one", "New answer")])
    assert diary.summarise(here, 20, think)
    assert "He is called Rex." in asked[0] and "New one" not in asked[0]
    kept = diary.history(here, 20)
    assert kept.summary == "Summary 1" and [t.text for t in kept.turns] == ["New one", "New answer"]
    talk(diary, here, [(f"q{i}", f"a{i}") for i in range(4)])
    assert diary.summarise(here, 5, think)
    assert "Summary 1" in asked[1] and "New one" in asked[1] and "Rex" not in asked[1]
    assert diary.history(here, 5).summary == "Summary 2"


def test_without_a_model_an_extract_is_kept(diary):
    here = diary.start()
    talk(diary, here, [(f"第{i}个问题是什么？还有别的。", f"这是第{i}个回答。" * 9) for i in range(40)])
    assert diary.summarise(here, 100)
    summary = diary.history(here, 100).summary
    assert 100 < len(summary) <= 600 and "第38个问题是什么？" in summary and "还有别的" not in summary


def test_a_model_that_fails_changes_nothing(diary):
    here = diary.start()
    talk(diary, here, [(f"q{i}", f"a{i}") for i in range(9)])

    def think(text):
        raise InputError("no model")

    with pytest.raises(InputError):
        diary.summarise(here, 5, think)
    assert "q1" in diary.history(here, 5).summary


@pytest.mark.parametrize(
    ("said", "facts"),
    [
        ("My name is Li.", [("name", "Li")]),
        ("my name is li and I live in Hangzhou", [("name", "li"), ("place", "Hangzhou")]),
        ("Hi, I’m Sarah and I'm from New York.", [("name", "Sarah"), ("origin", "New York")]),
        ("I am a primary school teacher.", [("job", "primary school teacher")]),
        ("I love hiking, but I don't like spiders.", [("likes", "hiking"), ("dislikes", "spiders")]),
        ("My favourite colour is blue.", [("likes", "favourite colour is blue")]),
        ("Please remember: the exam is on Friday.", [("note", "the exam is on Friday")]),
        ("Can you remember that I am allergic to nuts?", [("note", "I am allergic to nuts")]),
        ("Remember that my name is Wang Wei", [("name", "Wang Wei")]),
        ("我叫李明，住在杭州。", [("name", "李明"), ("place", "杭州")]),
        ("你可以叫我小李吧", [("name", "小李")]),
        ("我住在杭州西湖区，是一名老师。", [("place", "杭州西湖区"), ("job", "老师")]),
        ("我是北京人，我在医院工作", [("origin", "北京"), ("job", "在医院工作")]),
        ("我喜歡爬山，不喜欢下雨天。", [("likes", "爬山"), ("dislikes", "下雨天")]),
        ("请记住，我对花生过敏。", [("note", "我对花生过敏")]),
        ("別忘了我的生日是五月三號", [("note", "我的生日是五月三號")]),
    ],
)
def test_facts_are_found(said, facts):
    assert [(kind, text) for kind, text, _ in told(said)] == facts


@pytest.mark.parametrize(
    "said",
    [
        "What is my name?", "My name is not important.", "My dog's name is Rex", "I'm a bit tired", "I love you",
        "I live in a small house", "I'd like a coffee", "Do you remember me?", "remember when we talked?", "I like it",
        "If my name is Bob, what then", "He said my name is Bob", "How do plants grow?", "我叫什么名字？", "我叫你帮忙",
        "我叫了外卖", "老师叫我回答问题", "我住在哪里", "我是个好人", "我爱你", "我喜欢这个", "你记得我吗？",
        "记住了吗", "如果我叫李明", "今天天气真好，我们聊聊天吧", "我喜欢看书吗？", "",
    ],
)  # fmt: skip
def test_what_is_no_fact_is_not_kept(said):
    assert told(said) == []


def test_facts_are_shown_replaced_edited_added_and_erased(diary):
    here = diary.start()
    new = diary.add(here, "user", "我叫李明，住在杭州。")
    assert [(f.kind, f.text) for f in new] == [("name", "李明"), ("place", "杭州")]
    assert diary.add(here, "user", "我叫李明") == []  # known
    diary.add(here, "assistant", "My name is Linly.")  # what the persona says of itself is no fact of the user
    diary.add(here, "user", "我叫王芳。我喜欢爬山")
    diary.add(here, "user", "我不喜欢爬山")
    diary.remember("likes short answers")
    assert [(f.kind, f.text) for f in diary.facts()] == [
        ("name", "王芳"), ("place", "杭州"), ("dislikes", "爬山"), ("note", "likes short answers"),
    ]  # fmt: skip
    diary.edit(diary.facts()[1].id, "上海\n")
    diary.forget(diary.facts()[0].id)
    diary.remember("Nurse", "job")
    diary.remember("Doctor", "job")
    assert [f.text for f in diary.facts()] == ["上海", "Doctor", "爬山", "likes short answers"]
    with pytest.raises(InputError):
        diary.remember("x", "password")
    with pytest.raises(InputError):
        diary.remember(" \n")


def bytes_of(memory):
    return b"".join(p.read_bytes() for p in memory.path.parent.iterdir() if p.suffix != ".lock")


def test_erasing_a_user_leaves_no_bytes(memory, diary):
    other = memory.diary("wang", "teacher")
    kept, here = other.start(), diary.start()
    for i in range(300):
        talk(diary, here, [(f"SECRETWORD{i} " + "filler " * 30, "ok")])
        talk(other, kept, [(f"other {i}", "stays")])
    diary.remember("SECRETWORD as a fact")
    assert b"SECRETWORD" in bytes_of(memory)
    memory.erase("li")
    assert b"SECRETWORD" not in bytes_of(memory)
    assert diary.conversations() == [] and diary.facts() == [] and len(other.turns(kept)) == 600


def test_deleting_a_conversation_or_fact_leaves_no_bytes(memory, diary):
    here = diary.start()
    talk(diary, here, [("PLANTWORD", "CLEARWORD " * 500)])
    diary.delete(here)
    fact = diary.remember("FACTWORD")
    diary.edit(fact.id, "NEWWORD")
    assert not any(word in bytes_of(memory) for word in (b"PLANTWORD", b"CLEARWORD", b"FACTWORD"))
    diary.forget(fact.id)
    assert b"NEWWORD" not in bytes_of(memory)


def test_threads_and_two_memories_share_the_file(memory):
    second = Memory(memory.path)
    diaries = [m.diary(f"user {i}", "teacher") for i, m in enumerate([memory, second] * 3)]
    heres = [d.start() for d in diaries]
    failed = []

    def work(diary, here):
        try:
            talk(diary, here, [(f"q{i}", f"a{i}") for i in range(15)])
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(diaries, heres, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second.close()
    assert not failed
    for diary, here in zip(diaries, heres, strict=True):
        own = memory.diary(diary.user, "teacher")
        assert [t.text for t in own.turns(here)] == [f"{c}{i}" for i in range(15) for c in "qa"]


WRITER = """
import sys
from pathlib import Path
from linly.chat.memory import Memory
diary = Memory(Path(sys.argv[1])).diary("li", "teacher")
here = diary.latest()
for i in range(100000):
    diary.add(here, "user", f"turn {sys.argv[2]}-{i} " + "x" * 500)
    sys.stdout.write(f"{sys.argv[2]}-{i}\\n")
    sys.stdout.flush()
"""


def test_a_killed_process_loses_nothing_it_had_added(memory, diary):
    here, acknowledged = diary.latest(), []
    for run in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(memory.path), str(run)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        first = writer.stdout.readline()
        diary.add(here, "assistant", f"meanwhile {run}")  # this process goes on beside it
        time.sleep(0.02 + 0.07 * run)
        writer.send_signal(signal.SIGKILL)
        acknowledged += (first + writer.stdout.read()).split()
        writer.wait()
    again = Memory(memory.path)
    assert again.notice == "" and again.set_aside() == []
    kept = [t.text.split()[1] for t in again.diary("li", "teacher").turns(here)]
    written = [one for one in kept if "-" in one]
    assert set(acknowledged) <= set(written) and len(written) - len(acknowledged) <= 4
    assert len(acknowledged) > 20 and len(kept) - len(written) == 4


@pytest.mark.parametrize("how", ["garbage", "head", "middle", "short"])
def test_a_damaged_file_is_set_aside(memory, diary, how):
    talk(diary, diary.start(), [("q" * 900, "a" * 900)] * 60)
    memory.close()
    data = bytearray(memory.path.read_bytes())
    if how == "garbage":
        data[:] = b"not a database at all " * 500
    elif how == "head":
        data[:60] = bytes(60)
    elif how == "middle":
        data[4096 : 4096 * 20] = b"\xff" * (4096 * 19)
    else:
        del data[len(data) // 2 :]
    memory.path.write_bytes(data)
    new = Memory(memory.path)
    assert "damaged" in new.notice and new.notice.endswith(".") and len(new.set_aside()) == 1
    assert new.set_aside()[0].read_bytes() == bytes(data)
    assert new.diary("li", "teacher").conversations() == []
    new.close()
    assert Memory(memory.path).notice == ""


def test_a_file_damaged_while_in_use_does_not_end_the_conversation(memory, diary):
    here = diary.start()
    talk(diary, here, [("q" * 900, "a" * 900)] * 60)
    memory.scrub()  # all of it is in the file, none in the log
    memory.run(lambda db: db.execute("PRAGMA shrink_memory").close(), begin="")  # nor in its cache
    memory.path.write_bytes(b"\xff" * memory.path.stat().st_size)
    diary.add(here, "user", "are you still there?")
    diary.add(here, "assistant", "I am.")
    assert [t.text for t in diary.turns(here)] == ["are you still there?", "I am."]
    assert "damaged" in memory.notice


def test_files_of_others_are_left_alone(tmp_path):
    later = tmp_path / "later.sqlite"
    Memory(later).close()
    with sqlite3.connect(later) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(InputError, match="later Linly"):
        Memory(later)
    foreign = tmp_path / "foreign.sqlite"
    with sqlite3.connect(foreign) as db:
        db.execute("CREATE TABLE other (x)")
    with pytest.raises(InputError, match="another program"):
        Memory(foreign)
    with pytest.raises(InputError, match="cannot be"):
        Memory(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be"):
        Memory(tmp_path / "file" / "memory.sqlite")


def test_odd_text_is_kept(diary):
    here = diary.start()
    diary.add(here, "user", "'; DROP TABLE turn; -- \0 \udc80 😀 \u202e")
    assert "DROP TABLE" in diary.turns(here)[0].text and "😀" in diary.turns(here)[0].text
    with pytest.raises(InputError):
        diary.add(here, "system", "x")
