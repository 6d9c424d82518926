"""What a persona knows: the documents of its folder, found by their words; no model is needed for it."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from filelock import FileLock

from linly import documents, settings
from linly.chat.knowledge_words import passages, segmented, terms
from linly.errors import InputError
from linly.files import replacing, why

MAX_FILES = 2000
COVERED = 0.35
"""Share of the question's words, weighted by how rare they are here, that a passage must hold."""
WORSE = 0.25
"""A passage that scores less than this share of the best one is left out."""
_VERSION = 1
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_TABLES = f"""
    BEGIN IMMEDIATE;
    DROP TABLE IF EXISTS file;
    DROP TABLE IF EXISTS passage;
    DROP TABLE IF EXISTS words;
    CREATE TABLE file (path BLOB PRIMARY KEY, size INTEGER, changed INTEGER, digest TEXT, problem TEXT);
    CREATE TABLE passage (id INTEGER PRIMARY KEY, digest TEXT NOT NULL, place TEXT NOT NULL, text TEXT NOT NULL);
    CREATE INDEX passage_of ON passage (digest);
    CREATE VIRTUAL TABLE words USING fts5 (text, head, tokenize = 'porter unicode61');
    PRAGMA user_version = {_VERSION};
    COMMIT;
"""
_T = TypeVar("_T")


@dataclass(frozen=True)
class Found:
    """A passage that has to do with a question."""

    text: str
    """about 300 Chinese or 500 English characters"""
    source: str
    """the document's name within the folder"""
    where: str
    """as documents.Passage.where; may be empty"""
    score: float
    """share of the question's words that it holds, rare ones weighing more, 0..1"""


@dataclass(frozen=True)
class Listed:
    """A document in the folder."""

    name: str
    passages: int
    problem: str = ""
    """one sentence, if it could not be read"""


class Knowledge:
    """The documents of a folder and the index that finds them. Threads and processes may share both.

    The index (`index`, by default beside the memory) holds nothing of its own: a missing, old or damaged one is made
    again. A folder that is not there holds no documents. Reading documents takes time: call `refresh` when some were
    added, and no question has to wait for it.
    """

    def __init__(self, folder: Path, index: Path | None = None) -> None:
        self.folder = Path(folder)
        name = hashlib.sha256(os.fsencode(self.folder.resolve())).hexdigest()[:16]
        self._index = index or settings.load().library / "memory" / f"knowledge-{name}.sqlite"
        self._lock = threading.Lock()
        self._guard = FileLock(f"{self._index}.lock", timeout=600)

    def search(self, question: str, most: int = 3) -> list[Found]:
        """The passages that have to do with `question`, best first (BM25); none for small talk and for what the
        documents say nothing about. Files that changed are read again first. Raises InputError as `refresh` does.
        """
        wanted = terms(question)
        return self._run(lambda db: _find(db, wanted))[:most] if wanted and self._scan() else []

    def documents(self) -> list[Listed]:
        """What is in the folder, by name."""

        def work(db: sqlite3.Connection) -> list[Listed]:
            counted = dict(db.execute("SELECT digest, count(*) FROM passage GROUP BY digest").fetchall())
            return [Listed(name, counted.get(digest, 0), problem) for name, digest, problem in _files(db)]

        return self._run(work)

    def problems(self) -> list[str]:
        """One sentence for each document that cannot be read; the others are found all the same."""
        return [listed.problem for listed in self.documents() if listed.problem]

    def refresh(self) -> None:
        """Read what is new or changed since the last time, by size and time, and load what cuts Chinese into words: the
        first question after it waits for nothing.

        Raises InputError if the index cannot be written, or the folder holds more than MAX_FILES files.
        """
        self._run(lambda db: None)
        if self._scan():
            segmented("词")

    def put(self, file: Path) -> str:
        """Copy a document into the folder, over one of the same name; its name there.

        Raises InputError if it cannot be read as a document: then the folder stays as it was.
        """
        documents.read(file)
        name = "".join(c if c.isprintable() and c not in '<>:"/\\|?*' else "_" for c in Path(file).name).lstrip(". ~")
        stem, suffix = os.path.splitext(name)
        target = self.folder / f"{stem[:60] or 'document'}{suffix}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise why(target, error) from error
        with replacing(target) as part:
            shutil.copyfile(file, part)
        self.refresh()
        return target.name

    def remove(self, name: str) -> None:
        """Take a document out of the folder, and out of the index. Raises InputError for one that is not listed."""
        if name not in {listed.name for listed in self.documents()}:
            raise InputError(f"There is no document {documents.shown(Path(name))!r} here.")
        target = self.folder / name
        try:
            target.unlink(missing_ok=True)
        except OSError as error:
            raise why(target, error) from error
        self.refresh()

    def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Do `work` on an index that is up to date; on one that turns out damaged, once more on a new one."""
        with self._lock:
            try:
                try:
                    return self._work(work)
                except sqlite3.DatabaseError as error:
                    if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGED:
                        raise
                    with self._guard:
                        for end in ("", "-wal", "-shm"):
                            Path(f"{self._index}{end}").unlink(missing_ok=True)
                    return self._work(work)
            except (sqlite3.Error, OSError) as error:
                reason = getattr(error, "strerror", None) or error
                raise InputError(
                    f"The index {self._index} cannot be used ({reason}): check folder and disk."
                ) from error

    def _work(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        self._index.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._index, timeout=60, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = WAL").close()
            now = self._scan()
            if _version(db) != _VERSION or _known(db) != {path: stamp for path, (_, stamp) in now.items()}:
                with self._guard:
                    self._update(db, now)
            return work(db)

    def _update(self, db: sqlite3.Connection, now: dict[bytes, tuple[Path, tuple[int, int]]]) -> None:
        if _version(db) != _VERSION:
            db.executescript(_TABLES)
        known = _known(db)  # another process may have been quicker
        for path in set(known) - set(now):
            db.execute("DELETE FROM file WHERE path = ?", (path,))
        for path, (file, stamp) in now.items():
            if known.get(path) != stamp:
                self._read(db, path, file, stamp)
        _sweep(db)

    def _read(self, db: sqlite3.Connection, path: bytes, file: Path, stamp: tuple[int, int]) -> None:
        digest, problem = "", ""
        try:
            if stamp[0] <= documents.MAX_BYTES:
                with file.open("rb") as data:
                    digest = hashlib.file_digest(data, "sha256").hexdigest() + file.suffix.lower()
            read: list[tuple[str, str, str]] = []
            if not digest or not db.execute("SELECT 1 FROM passage WHERE digest = ?", (digest,)).fetchone():
                document = documents.read(file)
                read = [(document.title, where, text) for where, text in passages(document)]
        except InputError as error:
            problem = str(error)
        except OSError as error:
            problem = f"{documents.shown(file)} cannot be read ({error.strerror}): check that it may be opened."
        db.execute("BEGIN IMMEDIATE")
        with db:
            db.execute("REPLACE INTO file VALUES (?, ?, ?, ?, ?)", (path, *stamp, "" if problem else digest, problem))
            for title, where, text in [] if problem else read:
                row = db.execute("INSERT INTO passage (digest, place, text) VALUES (?, ?, ?)", (digest, where, text))
                head = segmented(f"{title} {where}")
                db.execute(
                    "INSERT INTO words (rowid, text, head) VALUES (?, ?, ?)", (row.lastrowid, segmented(text), head)
                )

    def _scan(self) -> dict[bytes, tuple[Path, tuple[int, int]]]:
        """The folder's files with size and time; no hidden ones, no Office lock files, no links that lead outside."""
        root = self.folder.resolve()
        found: dict[bytes, tuple[Path, tuple[int, int]]] = {}
        for here, folders, files in os.walk(root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                path = Path(here, name)
                if name.startswith((".", "~$")) or path.suffix == ".toml" or not path.resolve().is_relative_to(root):
                    continue
                with suppress(OSError):  # gone in this moment
                    stat = path.stat()
                    found[os.fsencode(path.relative_to(root))] = path, (stat.st_size, stat.st_mtime_ns)
                if len(found) > MAX_FILES:
                    raise InputError(f"{self.folder.name} holds more than {MAX_FILES} files: take some out.")
        return found


def _find(db: sqlite3.Connection, wanted: list[str]) -> list[Found]:
    names = {digest: name for name, digest, _ in reversed(_files(db))}
    holding = {term: {row[0] for row in db.execute("SELECT rowid FROM words(?)", (term,))} for term in wanted}
    total = db.execute("SELECT count(*) FROM passage").fetchone()[0]
    weight = {term: math.log(1 + (total + 1) / (len(rows) + 0.5)) for term, rows in holding.items()}
    rows = db.execute(
        "SELECT p.id, p.digest, p.place, p.text, -bm25(words, 1.0, 0.5) FROM words JOIN passage p "
        "ON p.id = words.rowid WHERE words MATCH ? ORDER BY bm25(words, 1.0, 0.5), p.id LIMIT 50",
        (" OR ".join(wanted),),
    ).fetchall()
    found = []
    for number, digest, place, text, points in rows:
        covered = sum(weight[t] for t in wanted if number in holding[t]) / sum(weight.values())
        if covered >= COVERED and points >= WORSE * rows[0][4]:
            found.append(Found(text, names[digest], place, round(covered, 3)))
    return found


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _known(db: sqlite3.Connection) -> dict[bytes, tuple[int, int]]:
    """Size and time of the files as they were read."""
    return {path: (size, changed) for path, size, changed in db.execute("SELECT path, size, changed FROM file")}


def _files(db: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Name, digest and problem of each."""
    rows = db.execute("SELECT path, digest, problem FROM file ORDER BY path").fetchall()
    return [(os.fsdecode(path).encode("utf-8", "replace").decode(), digest, problem) for path, digest, problem in rows]


def _sweep(db: sqlite3.Connection) -> None:
    """Drop the passages of contents that no file has any more."""
    gone = "SELECT id FROM passage WHERE digest NOT IN (SELECT digest FROM file)"
    db.execute("BEGIN IMMEDIATE")
    with db:
        db.execute(f"DELETE FROM words WHERE rowid IN ({gone})")
        db.execute(f"DELETE FROM passage WHERE id IN ({gone})")
