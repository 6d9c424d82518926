"""What one persona remembers of one user: the only door to the tables of the memory."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

from linly.chat import memory_facts
from linly.chat.memory_values import SUMMARY, Fact, History, Kept, Said, cut, extract, line, utc, whole
from linly.errors import InputError
from linly.text.language import detect

if TYPE_CHECKING:
    from linly.chat.memory import Memory

ENOUGH = 6
"""turns that must have fallen out of the history before they are summed up"""
STEP = 4
"""Turns fall out of the history so many at a time: between, it begins the same way, and no model reads it again"""
_ASK = {
    "en": "Sum up this conversation in at most five short sentences. Keep names, numbers, wishes and promises. Write "
    "nothing else.\n\n",
    "zh": "请用最多五个短句概括下面的对话，保留人名、数字、愿望和约定，不要写别的内容。\n\n",
}


class Diary:
    """What one persona remembers of one user. Raises InputError for a conversation or fact that is not theirs."""

    def __init__(self, memory: Memory, user: str, persona: str) -> None:
        self._memory, self.user, self.persona = memory, user, persona

    # conversations

    def start(self, title: str = "") -> str:
        """Begin a conversation; its id. Without a title it takes the user's first words."""
        conversation = secrets.token_hex(8)
        self._memory.run(lambda db: self._begin(db, conversation, line(title, 80)))
        return conversation

    def conversations(self) -> list[Kept]:
        """The newest first."""
        rows = self._memory.run(
            lambda db: db.execute(
                "SELECT c.id, c.title, c.begun, c.changed, (SELECT count(*) FROM turn WHERE conversation = c.id) "
                "FROM conversation c WHERE c.user = ? AND c.persona = ? ORDER BY c.changed DESC, c.rowid DESC",
                (self.user, self.persona),
            ).fetchall()
        )
        return [Kept(*row) for row in rows]

    def latest(self) -> str:
        """Id of the conversation that was spoken in last; begun if there is none."""
        kept = self.conversations()
        return kept[0].id if kept else self.start()

    def rename(self, conversation: str, title: str) -> None:
        self._memory.run(
            lambda db: db.execute(
                "UPDATE conversation SET title = ? WHERE id = ?", (line(title, 80), self._own(db, conversation))
            )
        )

    def delete(self, conversation: str) -> None:
        """Remove a conversation for good; facts that were told in it stay until they are erased."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM turn WHERE conversation = ?", (self._own(db, conversation),))
            db.execute("DELETE FROM conversation WHERE id = ?", (conversation,))

        self._memory.run(work)
        self._memory.scrub()

    def export(self, conversation: str, kind: Literal["json", "txt"] = "json") -> str:
        """The whole conversation as JSON or as plain text; times are UTC."""
        if kind not in ("json", "txt"):
            raise InputError(f"A conversation is exported as json or txt, not as {kind!r}.")
        turns = self.turns(conversation)
        kept = next(one for one in self.conversations() if one.id == conversation)
        if kind == "json":
            about = {"title": kept.title, "user": self.user, "persona": self.persona, "begun": utc(kept.begun)}
            said = [{**asdict(turn), "time": utc(turn.time)} for turn in turns]
            return json.dumps({**about, "turns": said}, ensure_ascii=False, indent=1)
        lines = [kept.title, ""]
        for turn in turns:
            who = self.user if turn.role == "user" else self.persona
            lines.append(f"[{utc(turn.time)}] {who}: {turn.text}{'' if turn.heard else ' …'}")
            lines += [f"    [{source}]" for source in turn.sources]
        return "\n".join(lines) + "\n"

    # turns

    def add(
        self, conversation: str, role: Literal["user", "assistant"], text: str, language: str = "",
        sources: Iterable[str] = (),
    ) -> list[Fact]:  # fmt: skip
        """Keep a turn. What a user's turn tells of the user is kept too: the facts that are new."""
        if role not in ("user", "assistant"):
            raise InputError(f"A turn is the user's or the assistant's, not {role!r}.")
        text = whole(text)
        now = time.time()

        def work(db: sqlite3.Connection) -> list[Fact]:
            self._own(db, conversation, revive=True)
            db.execute(
                "INSERT INTO turn (conversation, role, text, language, time, sources) VALUES (?, ?, ?, ?, ?, ?)",
                (conversation, role, text, language, now, json.dumps([whole(s) for s in sources])),
            )
            title = line(text, 40) if role == "user" else ""
            db.execute(
                "UPDATE conversation SET changed = ?, title = CASE title WHEN '' THEN ? ELSE title END WHERE id = ?",
                (now, title, conversation),
            )
            told = memory_facts.told(text) if role == "user" else []
            return [fact for one in told if (fact := self._keep(db, *one)) is not None]

        return self._memory.run(work)

    def heard(self, conversation: str, text: str) -> None:
        """The user interrupted: of the last reply only this was heard. Nothing heard leaves no reply at all."""

        def work(db: sqlite3.Connection) -> None:
            last = db.execute(
                "SELECT id FROM turn WHERE conversation = ? AND role = 'assistant' ORDER BY id DESC LIMIT 1",
                (self._own(db, conversation),),
            ).fetchone()
            if last is None:
                raise InputError("Nothing was answered yet in this conversation.")
            if text.strip():
                db.execute("UPDATE turn SET text = ?, heard = 0 WHERE id = ?", (whole(text), last[0]))
            else:
                db.execute("DELETE FROM turn WHERE id = ?", last)

        self._memory.run(work)

    def turns(self, conversation: str) -> list[Said]:
        """All of them, oldest first."""
        return [said for _, said in self._memory.run(lambda db: self._turns(db, self._own(db, conversation)))]

    def history(self, conversation: str, budget: int) -> History:
        """The newest turns that fit into `budget` characters, and a summary of those that don't.

        Turns that fell out and are not summed up yet stand in the summary as an extract (see `summarise`).
        """
        summary, out, kept, _ = self._parted(conversation, budget)
        return History(extract(summary, out), tuple(kept))

    def summarise(self, conversation: str, budget: int, think: Callable[[str], str] | None = None) -> bool:
        """Sum up what no longer fits into `budget`, if ENOUGH turns have fallen out since; whether it was done.

        `think` answers a text with a text (the language model); it may take long and nothing waits for it here.
        Without it an extract is kept: the first sentence of each turn, the oldest given up first above SUMMARY
        characters. What `think` raises comes through, and nothing is changed.
        """
        summary, out, _, last = self._parted(conversation, budget)
        if len(out) < ENOUGH:
            return False
        short = ""
        if think is not None:
            said = "\n".join(f"{self.user if s.role == 'user' else self.persona}: {s.text}" for s in out)
            ask = _ASK["zh" if detect(said) == "zh" else "en"]
            short = cut(think(f"{ask}{summary}\n{said}".strip()), SUMMARY)
        short = short or extract(summary, out)

        def work(db: sqlite3.Connection) -> int:
            return db.execute(
                "UPDATE conversation SET summary = ?, summed = ? WHERE id = ? AND summary = ? AND summed < ?",
                (short, last, self._own(db, conversation), summary, last),
            ).rowcount

        return self._memory.run(work) > 0

    # facts

    def facts(self) -> list[Fact]:
        """What is remembered, in the order of memory_facts.KINDS."""
        rows = self._memory.run(
            lambda db: db.execute(
                "SELECT id, kind, text, time FROM fact WHERE user = ? AND persona = ? ORDER BY id",
                (self.user, self.persona),
            ).fetchall()
        )
        return sorted((Fact(*row) for row in rows), key=lambda fact: memory_facts.KINDS.index(fact.kind))

    def remember(self, text: str, kind: str = "note") -> Fact:
        """Add a fact by hand; a new name, place or work takes the old one's place."""
        if kind not in memory_facts.KINDS:
            raise InputError(f"A fact is one of {', '.join(memory_facts.KINDS)}, not {kind!r}.")
        text = _fact(text)
        self._memory.run(lambda db: self._keep(db, kind, text, memory_facts.slot(kind, text)))
        return next(f for f in self.facts() if f.kind == kind and f.text.casefold() == text.casefold())

    def edit(self, fact: int, text: str) -> None:
        """Change what a fact says."""
        text = _fact(text)

        def work(db: sqlite3.Connection) -> None:
            kind = self._fact(db, fact)
            place = memory_facts.slot(kind, text)
            db.execute(
                "DELETE FROM fact WHERE user = ? AND persona = ? AND slot = ? AND id != ?",
                (self.user, self.persona, place, fact),
            )
            db.execute("UPDATE fact SET text = ?, slot = ?, time = ? WHERE id = ?", (text, place, time.time(), fact))

        self._memory.run(work)
        self._memory.scrub()

    def forget(self, fact: int) -> None:
        """Erase a fact. The turn in which it was told stays in its conversation."""

        def work(db: sqlite3.Connection) -> None:
            self._fact(db, fact)
            db.execute("DELETE FROM fact WHERE id = ?", (fact,))

        self._memory.run(work)
        self._memory.scrub()

    # within a transaction

    def _begin(self, db: sqlite3.Connection, conversation: str, title: str) -> None:
        now = time.time()
        db.execute(
            "INSERT INTO conversation (id, user, persona, title, begun, changed) VALUES (?, ?, ?, ?, ?, ?)",
            (conversation, self.user, self.persona, title, now, now),
        )

    def _own(self, db: sqlite3.Connection, conversation: str, revive: bool = False) -> str:
        """The conversation's id, once it is sure that it is this user's with this persona."""
        row = db.execute("SELECT user, persona FROM conversation WHERE id = ?", (conversation,)).fetchone()
        if row is None and revive and self._memory.notice:  # lost with a damaged file while it was going on
            self._begin(db, conversation, "")
        elif row != (self.user, self.persona):
            raise InputError("There is no such conversation: it may have been deleted.")
        return conversation

    def _fact(self, db: sqlite3.Connection, fact: int) -> str:
        row = db.execute(
            "SELECT kind FROM fact WHERE id = ? AND user = ? AND persona = ?", (fact, self.user, self.persona)
        ).fetchone()
        if row is None:
            raise InputError("There is no such fact: it may have been erased.")
        return str(row[0])

    def _keep(self, db: sqlite3.Connection, kind: str, text: str, slot: str) -> Fact | None:
        """Put a fact into its slot; None if it was known."""
        where = (self.user, self.persona, slot)
        old = db.execute("SELECT kind, text FROM fact WHERE user = ? AND persona = ? AND slot = ?", where).fetchone()
        if old is not None and old == (kind, text):
            return None
        db.execute("DELETE FROM fact WHERE user = ? AND persona = ? AND slot = ?", where)
        now = time.time()
        made = db.execute(
            "INSERT INTO fact (user, persona, slot, kind, text, time) VALUES (?, ?, ?, ?, ?, ?)",
            (*where, kind, text, now),
        )
        return Fact(made.lastrowid or 0, kind, text, now)

    def _turns(self, db: sqlite3.Connection, conversation: str) -> list[tuple[int, Said]]:
        rows = db.execute(
            "SELECT id, role, text, language, time, sources, heard FROM turn WHERE conversation = ? ORDER BY id",
            (conversation,),
        )
        return [
            (i, Said(role, text, lang, at, tuple(json.loads(s)), bool(h))) for i, role, text, lang, at, s, h in rows
        ]

    def _parted(self, conversation: str, budget: int) -> tuple[str, list[Said], list[Said], int]:
        """Summary; turns that neither it nor the budget holds; turns within the budget; id of the last one outside."""

        def work(db: sqlite3.Connection) -> tuple[str, int, list[tuple[int, Said]]]:
            row = db.execute(
                "SELECT summary, summed FROM conversation WHERE id = ?", (self._own(db, conversation),)
            ).fetchone()
            return row[0], row[1], self._turns(db, conversation)

        summary, summed, turns = self._memory.run(work)
        begin, left = len(turns), budget
        while begin and len(turns[begin - 1][1].text) <= left:
            begin -= 1
            left -= len(turns[begin][1].text)
        if len(turns) - (even := -(-begin // STEP) * STEP) >= STEP:
            begin = even
        while begin < len(turns) and turns[begin][1].role != "user":
            begin += 1
        out = [said for i, said in turns[:begin] if i > summed]
        return summary, out, [said for _, said in turns[begin:]], max((i for i, _ in turns[:begin]), default=0)


def _fact(text: str) -> str:
    text = line(text, memory_facts.LONGEST)
    if not text:
        raise InputError("A fact must say something.")
    return text
