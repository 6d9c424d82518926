"""The journal of a folder of videos: what was asked for, what came of it, and which segment was made when.

What is done is known from the files alone, which are whole wherever they exist; the journal is what people read.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from linly import files
from linly.errors import InputError

NAME = "journal.sqlite"
STATES = ("waiting", "running", "done", "unchanged", "failed")


@dataclass
class Row:
    """One talk, or one source that could not be read."""

    name: str
    source: str
    state: str = "waiting"
    segments: int = 0
    made: int = 0
    """segments that this run made; the others were there"""
    seconds: float = 0.0
    took: float = 0.0
    """seconds of work"""
    video: str = ""
    error: str = ""
    warnings: str = ""


class Journal:
    """The journal in `folder`. Raises InputError where it cannot be written."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        with self._open() as base:
            base.execute("CREATE TABLE IF NOT EXISTS talks (position INTEGER, name TEXT PRIMARY KEY, row TEXT)")
            base.execute("CREATE TABLE IF NOT EXISTS made (key TEXT, talk TEXT, at REAL, took REAL)")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            base = sqlite3.connect(self._path, timeout=30)
            try:
                base.execute("PRAGMA journal_mode=WAL")
                with base:
                    yield base
            finally:
                base.close()
        except sqlite3.Error as error:
            raise InputError(
                f"The journal in {self._path.parent} cannot be written ({error}): is the disk full?"
            ) from error

    def asked(self, rows: Sequence[Row]) -> None:
        """These talks are to be made now; what was noted of others is forgotten."""
        with self._open() as base:
            base.execute("DELETE FROM talks")
            for position, row in enumerate(rows):
                base.execute("INSERT OR REPLACE INTO talks VALUES (?, ?, ?)", (position, row.name, _dump(row)))

    def note(self, row: Row) -> None:
        """How far a talk is."""
        with self._open() as base:
            base.execute("UPDATE talks SET row = ? WHERE name = ?", (_dump(row), row.name))

    def made(self, key: str, talk: str, took: float) -> None:
        """A segment was made."""
        with self._open() as base:
            base.execute("INSERT INTO made VALUES (?, ?, ?, ?)", (key, talk, time.time(), took))

    def rows(self) -> list[Row]:
        """All talks, in order."""
        with self._open() as base:
            found = base.execute("SELECT row FROM talks ORDER BY position").fetchall()
        return [Row(**json.loads(row)) for (row,) in found]

    def segments(self) -> list[str]:
        """The keys of all segments ever made here, in order, each as often as it was made."""
        with self._open() as base:
            return [str(key) for (key,) in base.execute("SELECT key FROM made ORDER BY rowid")]


def write(rows: Sequence[Row], folder: Path) -> None:
    """report.json and report.csv."""
    with files.replacing(folder / "report.json") as part:
        content: Any = {"talks": [asdict(row) for row in rows]}
        part.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow([one.name for one in fields(Row)])
    writer.writerows([[_plain(value) for value in asdict(row).values()] for row in rows])
    with files.replacing(folder / "report.csv") as part:
        part.write_text("\ufeff" + table.getvalue(), encoding="utf-8")  # so that Excel takes it for UTF-8


def _plain(value: Any) -> Any:
    """No cell is a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def _dump(row: Row) -> str:
    return json.dumps(asdict(row), ensure_ascii=False)
