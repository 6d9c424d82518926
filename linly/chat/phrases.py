"""What a user says often: a phrase book, what was said lately, and suggestions from both. Kept in a memory's file.

Everything belongs to one user id; nothing of one user is seen by another. The file, its safety and its scrubbing are
those of `memory.Memory`; the tables here are made when they are first needed.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from linly.chat.memory import Memory
from linly.chat.memory_values import line, name
from linly.chat.phrases_guess import Guess, Guesser
from linly.errors import InputError

STARTER = Path(__file__).with_suffix("").with_name("phrases_starter.toml")
LONGEST = 2000
"""characters of a phrase"""
LONGEST_CATEGORY = 60
MOST_BOOK = 2000
"""phrases in a user's book"""
MOST_SAID = 20_000
"""phrases of the history; the oldest are forgotten"""
MODELS = 32
"""users whose suggestions stay in memory"""
_TABLES = (
    """CREATE TABLE IF NOT EXISTS phrase (
        id INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL, language TEXT NOT NULL, category TEXT NOT NULL,
        text TEXT NOT NULL, place REAL NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS phrase_of ON phrase (user, language, place)",
    """CREATE TABLE IF NOT EXISTS phrase_said (
        id INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL, text TEXT NOT NULL, times INTEGER NOT NULL,
        time REAL NOT NULL, UNIQUE (user, text))""",
    "CREATE INDEX IF NOT EXISTS phrase_said_of ON phrase_said (user, time)",
    """CREATE TABLE IF NOT EXISTS phrase_user (
        user TEXT PRIMARY KEY, changes INTEGER NOT NULL DEFAULT 0, started TEXT NOT NULL DEFAULT '')""",
)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Phrase:
    """One of the phrase book."""

    id: int
    category: str
    text: str


@dataclass(frozen=True)
class Said:
    """Something that was said."""

    id: int
    text: str
    times: int
    time: float
    """seconds since 1970, of the last time"""


class Phrases:
    """The phrases of all users. Threads may share one. Methods raise InputError for what cannot be kept."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._lock = threading.RLock()
        self._models: dict[str, tuple[int, Guesser]] = {}

    def book(self, user: str, language: str = "en") -> list[Phrase]:
        """The phrase book in a language, in order; whoever opens it first finds the starter set."""
        language = "zh" if language == "zh" else "en"

        def work(db: sqlite3.Connection) -> list[Phrase]:
            started = db.execute("SELECT started FROM phrase_user WHERE user = ?", (user,)).fetchone()
            if language not in (started[0].split() if started else ()):
                rows = [(user, language, c, t) for c, texts in starter()[language].items() for t in texts]
                db.executemany(
                    "INSERT INTO phrase (user, language, category, text, place) VALUES (?, ?, ?, ?, ?)",
                    [(*row, place) for place, row in enumerate(rows)],
                )
                db.execute(
                    "INSERT INTO phrase_user (user, started) VALUES (?, ?) "
                    "ON CONFLICT (user) DO UPDATE SET started = started || ' ' || excluded.started",
                    (user, language),
                )
                self._changed(db, user)
            found = db.execute(
                "SELECT id, category, text FROM phrase WHERE user = ? AND language = ? ORDER BY place, id",
                (user, language),
            )
            return [Phrase(*row) for row in found]

        return self._run(user, work)

    def add(self, user: str, category: str, text: str, language: str = "en") -> Phrase:
        """A new phrase at the end of its category."""
        category, text = _line(category, LONGEST_CATEGORY, "A category"), _line(text, LONGEST, "A phrase")

        def work(db: sqlite3.Connection) -> Phrase:
            if db.execute("SELECT count(*) FROM phrase WHERE user = ?", (user,)).fetchone()[0] >= MOST_BOOK:
                raise InputError(f"The phrase book is full ({MOST_BOOK} phrases): remove some first.")
            place = db.execute("SELECT coalesce(max(place), 0) + 1 FROM phrase WHERE user = ?", (user,)).fetchone()[0]
            values = (user, "zh" if language == "zh" else "en", category, text, place)
            made = db.execute(
                "INSERT INTO phrase (user, language, category, text, place) VALUES (?, ?, ?, ?, ?)", values
            )
            self._changed(db, user, text, 1)
            return Phrase(int(made.lastrowid or 0), category, text)

        return self._run(user, work)

    def edit(self, user: str, id: int, text: str) -> None:
        """Other words for a phrase."""
        text = _line(text, LONGEST, "A phrase")

        def work(db: sqlite3.Connection) -> None:
            old = self._text(db, user, id)
            db.execute("UPDATE phrase SET text = ? WHERE user = ? AND id = ?", (text, user, id))
            self._changed(db, user, old, -1)
            self._changed(db, user, text, 1)

        self._run(user, work)

    def move(self, user: str, id: int, by: int) -> None:
        """Earlier (by = -1) or later (1) in its category."""

        def work(db: sqlite3.Connection) -> None:
            self._text(db, user, id)
            sign, order = ("<", "DESC") if by < 0 else (">", "ASC")
            place, category, language = db.execute(
                "SELECT place, category, language FROM phrase WHERE id = ?", (id,)
            ).fetchone()
            other = db.execute(
                f"SELECT id, place FROM phrase WHERE user = ? AND category = ? AND language = ? AND place {sign} ? "
                f"ORDER BY place {order} LIMIT 1",
                (user, category, language, place),
            ).fetchone()
            if other:
                db.execute("UPDATE phrase SET place = ? WHERE id = ?", (other[1], id))
                db.execute("UPDATE phrase SET place = ? WHERE id = ?", (place, other[0]))

        self._run(user, work)

    def remove(self, user: str, id: int) -> None:
        """Take a phrase out of the book."""

        def work(db: sqlite3.Connection) -> None:
            old = self._text(db, user, id)
            db.execute("DELETE FROM phrase WHERE user = ? AND id = ?", (user, id))
            self._changed(db, user, old, -1)

        self._run(user, work)

    def said(self, user: str, text: str) -> None:
        """Something was said: it becomes the newest of what was said lately, and is learnt from."""
        text = line(text, LONGEST)
        if not any(character.isalnum() for character in text):
            return

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO phrase_said (user, text, times, time) VALUES (?, ?, 1, ?) "
                "ON CONFLICT (user, text) DO UPDATE SET times = times + 1, time = excluded.time",
                (user, text, time.time()),
            )
            self._changed(db, user, text, 1)
            old = db.execute(
                "SELECT id, text, times FROM phrase_said WHERE user = ? ORDER BY time DESC, id DESC LIMIT -1 OFFSET ?",
                (user, MOST_SAID),
            ).fetchall()
            for id, forgotten, times in old:
                db.execute("DELETE FROM phrase_said WHERE id = ?", (id,))
                self._changed(db, user, forgotten, -times)

        self._run(user, work)

    def recent(self, user: str, most: int = 30) -> list[Said]:
        """What was said lately, each once, the newest first."""
        return self._run(
            user,
            lambda db: [
                Said(*row)
                for row in db.execute(
                    "SELECT id, text, times, time FROM phrase_said WHERE user = ? ORDER BY time DESC, id DESC LIMIT ?",
                    (user, most),
                )
            ],
        )

    def forget(self, user: str, id: int | None = None) -> None:
        """Erase one thing that was said, or all of them, from the file's bytes and from the suggestions too."""

        def work(db: sqlite3.Connection) -> None:
            one, values = ("", (user,)) if id is None else (" AND id = ?", (user, id))
            gone = db.execute(f"SELECT text, times FROM phrase_said WHERE user = ?{one}", values).fetchall()
            db.execute(f"DELETE FROM phrase_said WHERE user = ?{one}", values)
            for text, times in gone:
                self._changed(db, user, text, -times)

        self._run(user, work)
        self._memory.scrub()

    def erase(self, user: str) -> None:
        """Everything of a user: book, history, suggestions."""

        def work(db: sqlite3.Connection) -> None:
            for table in ("phrase", "phrase_said", "phrase_user"):
                db.execute(f"DELETE FROM {table} WHERE user = ?", (user,))
            self._models.pop(user, None)

        self._run(user, work)
        self._memory.scrub()

    def suggest(self, user: str, text: str, language: str = "en") -> list[Guess]:
        """At most phrases_guess.MOST suggestions for what stands before the caret."""
        with self._lock:
            return self._run(user, lambda db: self._model(db, user)).guess(text, language)

    def _run(self, user: str, work: Callable[[sqlite3.Connection], _T]) -> _T:
        name(user)

        def whole(db: sqlite3.Connection) -> _T:
            for table in _TABLES:
                db.execute(table)
            return work(db)

        with self._lock:
            try:
                return self._memory.run(whole)
            except BaseException:
                self._models.pop(user, None)  # it may have learnt what was not kept
                raise

    def _text(self, db: sqlite3.Connection, user: str, id: int) -> str:
        found = db.execute("SELECT text FROM phrase WHERE user = ? AND id = ?", (user, id)).fetchone()
        if not found:
            raise InputError("That phrase is no longer in the phrase book: open the book again.")
        return str(found[0])

    def _changed(self, db: sqlite3.Connection, user: str, text: str = "", times: int = 0) -> None:
        """The user's phrases are others now; suggestions made in this process learn the difference."""
        db.execute(
            "INSERT INTO phrase_user (user, changes) VALUES (?, 1) "
            "ON CONFLICT (user) DO UPDATE SET changes = changes + 1",
            (user,),
        )
        changes, model = self._models.get(user, (-1, None))
        if model is not None and text and changes == self._changes(db, user) - 1:
            model.learn(text, times)
            self._models[user] = (changes + 1, model)

    def _changes(self, db: sqlite3.Connection, user: str) -> int:
        found = db.execute("SELECT changes FROM phrase_user WHERE user = ?", (user,)).fetchone()
        return int(found[0]) if found else 0

    def _model(self, db: sqlite3.Connection, user: str) -> Guesser:
        """The user's suggestions; made anew where another process has changed the phrases."""
        changes = self._changes(db, user)
        known = self._models.get(user)
        if known and known[0] == changes:
            return known[1]
        model = Guesser()
        for text, times in db.execute("SELECT text, times FROM phrase_said WHERE user = ? ORDER BY time", (user,)):
            model.learn(text, times)
        for (text,) in db.execute("SELECT text FROM phrase WHERE user = ? ORDER BY place", (user,)):
            model.learn(text)
        self._models.pop(user, None)
        self._models[user] = (changes, model)
        while len(self._models) > MODELS:
            del self._models[next(iter(self._models))]
        return model


@cache
def starter() -> dict[str, dict[str, list[str]]]:
    """The starter set: language -> category -> phrases."""
    return tomllib.loads(STARTER.read_text(encoding="utf-8"))


def _line(text: str, longest: int, what: str) -> str:
    """Text on one line. Raises InputError for none, and for too much."""
    kept = line(text, longest + 1)
    if not kept or len(kept) > longest:
        raise InputError(f"{what} has 1 to {longest} characters.")
    return kept
