"""The file of the memory: its tables, how it is opened, and what becomes of a damaged one."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from linly.errors import InputError

WAIT = 15.0
"""Seconds to wait for another process's transaction."""
STEPS = (
    """
    CREATE TABLE conversation (
        id TEXT PRIMARY KEY, user TEXT NOT NULL, persona TEXT NOT NULL, title TEXT NOT NULL DEFAULT '',
        begun REAL NOT NULL, changed REAL NOT NULL,
        summary TEXT NOT NULL DEFAULT '', summed INTEGER NOT NULL DEFAULT 0);
    CREATE INDEX conversation_of ON conversation (user, persona, changed);
    CREATE TABLE turn (
        id INTEGER PRIMARY KEY AUTOINCREMENT, conversation TEXT NOT NULL REFERENCES conversation (id),
        role TEXT NOT NULL CHECK (role IN ('user', 'assistant')), text TEXT NOT NULL, language TEXT NOT NULL DEFAULT '',
        time REAL NOT NULL, sources TEXT NOT NULL DEFAULT '[]', heard INTEGER NOT NULL DEFAULT 1);
    CREATE INDEX turn_of ON turn (conversation);
    CREATE TABLE fact (
        id INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL, persona TEXT NOT NULL, slot TEXT NOT NULL,
        kind TEXT NOT NULL, text TEXT NOT NULL, time REAL NOT NULL, UNIQUE (user, persona, slot));
    """,
)
"""What leads from one version of the tables to the next; PRAGMA user_version tells how many were taken."""


class Broken(Exception):
    """The file is no whole database."""

    @classmethod
    def told(cls, path: Path, error: sqlite3.Error) -> Exception:
        """What to raise for an error of SQLite: Broken, or one sentence for the user."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return cls(str(error))
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return InputError(f"The memory {path} is in use by another program: close it and try again.")
        if code == sqlite3.SQLITE_FULL:
            return InputError(f"The disk is full: nothing more can be remembered in {path}.")
        return InputError(f"The memory {path} cannot be used ({error}): check folder and disk.")


def connect(path: Path) -> tuple[sqlite3.Connection, Path | None]:
    """The opened file, with today's tables, and where a damaged one was put. One process at a time.

    Raises InputError for a file of a later version, and where the file cannot be opened.
    """
    try:
        return _connect(path), None
    except Broken:
        aside = path.with_name(f"{path.name}.broken-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 10**6:06d}")
        os.replace(path, aside)
        with suppress(FileNotFoundError):
            os.replace(f"{path}-wal", f"{aside}-wal")
        Path(f"{path}-shm").unlink(missing_ok=True)
        return _connect(path), aside


def _connect(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # nobody else's to read
    db: sqlite3.Connection | None = None
    try:
        db = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
        for pragma in ("secure_delete = ON", "temp_store = MEMORY", "foreign_keys = ON", "journal_mode = WAL"):
            db.execute(f"PRAGMA {pragma}")
        with closing(db.execute("PRAGMA quick_check(1)")) as found:
            if (told := found.fetchone()[0]) != "ok":
                raise Broken(told)
        _update(db, path)
        return db
    except sqlite3.Error as error:
        if db is not None:
            db.close()
        raise Broken.told(path, error) from error
    except BaseException:
        if db is not None:
            db.close()
        raise


def _update(db: sqlite3.Connection, path: Path) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(STEPS):
        raise InputError(f"The memory {path} was written by a later Linly: update this one, or move the file away.")
    if version == 0 and db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise InputError(f"{path} is a database of another program: choose another place for the memory.")
    for number, step in enumerate(STEPS[version:], version + 1):
        db.executescript(f"BEGIN IMMEDIATE; {step}; PRAGMA user_version = {number}; COMMIT;")
