"""What a persona remembers of a user: conversations, a running summary, and what the user told. One SQLite file.

`Memory(path).diary(user, persona)` is the only way to anything that is kept, so nothing of one user is seen by another.
"""

from __future__ import annotations

import functools
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from linly import settings
from linly.chat.memory_diary import Diary
from linly.chat.memory_file import Broken, connect
from linly.chat.memory_values import Fact, History, Kept, Said, name
from linly.errors import InputError

__all__ = ["Diary", "Fact", "History", "Kept", "Memory", "Said", "default_path", "shared"]
_T = TypeVar("_T")


def default_path() -> Path:
    """Where the memory of this installation is."""
    return settings.load().library / "memory" / "memory.sqlite"


def shared() -> Memory:
    """The memory of this installation, opened once in a process."""
    return _opened(default_path())


class Memory:
    """The file. Threads may share one Memory, processes the file; a killed process loses nothing that it had added.

    A file that is damaged is set aside under another name and a new one begun: `notice` then says so in one sentence.
    Raises InputError where the file cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.notice = ""
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._open()

    def diary(self, user: str, persona: str) -> Diary:
        """All that this persona remembers of this user."""
        return Diary(self, name(user), name(persona))

    def erase(self, user: str) -> None:
        """Remove everything of a user, with every persona, from the file's bytes too.

        Files that were set aside are not touched: see `set_aside`.
        """
        user = name(user)

        def work(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM turn WHERE conversation IN (SELECT id FROM conversation WHERE user = ?)", (user,))
            db.execute("DELETE FROM conversation WHERE user = ?", (user,))
            db.execute("DELETE FROM fact WHERE user = ?", (user,))

        self.run(work)
        self.scrub()

    def scrub(self) -> None:
        """Leave no byte of what was deleted: the file is written anew and its log emptied."""

        def work(db: sqlite3.Connection) -> Any:
            db.execute("VACUUM")
            return db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

        if self.run(work, begin="")[0]:
            raise InputError("It is deleted, but another program still reads the memory: close it and erase again.")

    def set_aside(self) -> list[Path]:
        """Damaged files of earlier days; they may hold words of any user."""
        return sorted(self.path.parent.glob(f"{self.path.name}.broken-*"))

    def close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def run(self, work: Callable[[sqlite3.Connection], _T], begin: str = "BEGIN IMMEDIATE") -> _T:
        """Do `work` in one transaction; on a file that turns out damaged, once more on a new one."""
        with self._lock:
            try:
                if self._db is None or self._moved():
                    self._open()
                return self._transaction(work, begin)
            except Broken:
                self._open()
                return self._transaction(work, begin)

    def _transaction(self, work: Callable[[sqlite3.Connection], _T], begin: str) -> _T:
        db = self._db
        assert db is not None
        try:
            if not begin:
                return work(db)
            db.execute(begin)
            try:
                result = work(db)
                db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise
            return result
        except sqlite3.Error as error:
            raise Broken.told(self.path, error) from error

    def _moved(self) -> bool:
        """Whether another process has set the file aside, or somebody removed it."""
        try:
            return os.stat(self.path).st_ino != self._inode
        except OSError:
            return True

    def _open(self) -> None:
        self.close()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock", timeout=60):
                self._db, aside = connect(self.path)
                self._inode = os.stat(self.path).st_ino
        except OSError as error:
            reason = error.strerror or error
            raise InputError(f"The memory {self.path} cannot be opened ({reason}): check folder and disk.") from error
        if aside:
            self.notice = f"The memory was damaged and is kept as {aside.name}; a new one has begun."


@functools.cache
def _opened(path: Path) -> Memory:
    return Memory(path)
