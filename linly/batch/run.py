"""The road of a batch: read, plan, make what is missing, join. Read `batch` from top to bottom."""

from __future__ import annotations

import threading
import zipfile
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from filelock import FileLock, Timeout

from linly import files
from linly.batch import join, journal, plan, readers, segment, workers
from linly.batch.journal import Journal, Row
from linly.batch.plan import Planned
from linly.batch.values import Made, Options, Talk, Unit
from linly.errors import Cancelled, InputError, LinlyError
from linly.text.sentences import seconds as spoken_seconds

SEGMENTS = "segments"
AHEAD = 2
"""units for each worker that wait or are under way"""


@dataclass(frozen=True)
class State:
    """How far a batch is, as it is told after each step."""

    rows: tuple[Row, ...]
    done: float
    """0..1 of all"""
    left: float | None
    """seconds, about; None where nobody can tell yet"""


@dataclass
class Control:
    """How a batch is steered while it runs, from any thread."""

    paused: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)
    wanted: deque[str] = field(default_factory=deque)
    """names of talks that are to be made before the others, the last first"""

    def check(self) -> None:
        """Wait while paused. Raises Cancelled."""
        while self.paused.is_set() and not self.cancelled.wait(0.2):
            pass
        if self.cancelled.is_set():
            raise Cancelled("Stopped; what is finished is kept: run again with --resume to go on.")


@dataclass(frozen=True)
class Report:
    """What came of a batch."""

    folder: Path
    rows: tuple[Row, ...]
    seconds: float
    """of work"""

    @property
    def failed(self) -> int:
        return sum(row.state == "failed" for row in self.rows)


Tell = Callable[[State], None]


def batch(
    paths: Sequence[Path], folder: Path, options: Options | None = None, *, resume: bool = False, count: int = 0,
    tell: Tell = lambda state: None, control: Control | None = None, made_by: workers.Workers | None = None,
    strangers: bool = False,
) -> Report:  # fmt: skip
    """Make a video of each talk in `paths` (files, folders, archives) into `folder`.

    resume: go on in a folder that holds a run; else that is an error, so that nobody's work is mixed. count: workers,
    0 for as many as help. made_by: other workers than processes of this machine. strangers: talks may name no file of
    this machine. What is there and unchanged is kept; one bad source or sentence fails its own talk.
    Raises InputError for what cannot be used, Cancelled.
    """
    began, control = perf_counter(), control or Control()
    _opened(folder, resume)
    with _alone(folder):
        for part in (*folder.glob(".linly-*.part"), *(folder / SEGMENTS).glob(".linly-*.part")):
            part.unlink(missing_ok=True)  # of a run that was killed
        talks, problems = readers.talks(paths, options or Options(), folder)
        rows = [Row(talk.name, talk.source, warnings=" ".join(talk.warnings)) for talk in talks]
        bad = [Row(one.source, one.source, "failed", error=one.says) for one in problems]
        if not rows and not bad:
            raise InputError("There is nothing to make: give files, folders or archives of scripts and decks.")
        log = Journal(folder)
        log.asked([*rows, *_named_apart(bad, rows)])
        work = _Work(folder, log, talks, rows, bad, tell, control, strangers)
        work.run(made_by, count)
        found = (*rows, *bad)
        journal.write(found, folder)
    return Report(folder, found, round(perf_counter() - began, 1))


def zipped(report: Report, out: Path) -> Path:
    """All finished files of a report in one archive."""
    with files.replacing(out) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for row in report.rows:
            if row.video:
                path = Path(row.video)
                for file in (path, *(path.with_suffix(end) for end in (".srt", ".vtt", ".jpg"))):
                    if file.is_file():
                        archive.write(file, file.name)
        for name in ("report.json", "report.csv"):
            if (report.folder / name).is_file():
                archive.write(report.folder / name, name)
    return out


class _Work:
    """One run."""

    def __init__(
        self, folder: Path, log: Journal, talks: Sequence[Talk], rows: list[Row], bad: list[Row], tell: Tell,
        control: Control, strangers: bool,
    ) -> None:  # fmt: skip
        self.folder, self.log, self.talks, self.rows, self.bad = folder, log, talks, rows, bad
        self.tell, self.control, self.strangers = tell, control, strangers
        self.segments = folder / SEGMENTS
        self.here: dict[str, Made] = {}
        self.ready: dict[int, Planned] = {}
        """talks that are not finished, by number"""
        self.missing: Counter[int] = Counter()
        """how many units each lacks"""
        self.waiting: deque[Unit] = deque()
        self.wants: dict[str, list[int]] = {}
        """which talks wait for a unit"""
        self.length = sum(_length(unit.text) for talk in talks for unit in talk.lines) or 1.0
        self.past = 0.0
        """of `length`, what is done"""
        self.worked = self.spent = 0.0
        """of `length`, what was really made, and the seconds that it took"""
        self.began = perf_counter()

    def run(self, made_by: workers.Workers | None, count: int) -> None:
        """All talks, in order; the makers go on with the next while one is joined."""
        makers = made_by
        under_way: dict[Future[Made], Unit] = {}
        try:
            for number, planned in enumerate(self._plans()):
                if planned is not None:
                    self.ready[number] = planned
                    self._ask(number, [unit for unit in _once(planned.units) if self._lacks(unit)])
                self._tell()
            while self.waiting or under_way or self.ready:
                for number in [n for n in self.ready if not self.missing[n]]:
                    self._finish(number, self.ready.pop(number))
                if self.waiting or under_way:
                    self.control.check()
                    makers = makers or workers.opened(min(count or workers.helpful(), len(self.waiting)), self.segments)
                    self._begin(makers, under_way)
                    done, _ = wait(under_way, timeout=0.5, return_when=FIRST_COMPLETED)
                    for future in done:
                        self._came(future, under_way.pop(future))
                self._tell()
        finally:
            for future in under_way:
                future.cancel()
            if makers:
                makers.close()

    def _reorder(self) -> None:
        """What somebody wants first goes to the front."""
        while self.control.wanted:
            name = self.control.wanted.popleft()
            numbers = {number for number, row in enumerate(self.rows) if row.name == name}
            first = [unit for unit in self.waiting if numbers & set(self.wants[unit.key])]
            rest = [unit for unit in self.waiting if not numbers & set(self.wants[unit.key])]
            self.waiting = deque([*first, *rest])

    def _begin(self, makers: workers.Workers, under_way: dict[Future[Made], Unit]) -> None:
        self._reorder()
        while self.waiting and len(under_way) < AHEAD * makers.count:
            unit = self.waiting.popleft()
            if any(number in self.ready for number in self.wants[unit.key]):
                under_way[makers.submit(unit)] = unit
            else:  # its talks have failed; whoever wants it later asks anew
                del self.wants[unit.key]

    def _ask(self, number: int, units: Sequence[Unit], first: bool = False) -> None:
        """This talk lacks these units; what another talk has asked for is not made twice."""
        self.missing[number] = len(units)
        fresh = [unit for unit in units if unit.key not in self.wants]
        for unit in units:
            self.wants.setdefault(unit.key, []).append(number)
        if first:
            self.waiting.extendleft(reversed(fresh))
        else:
            self.waiting.extend(fresh)

    def _plans(self) -> Iterator[Planned | None]:
        for talk, row in zip(self.talks, self.rows, strict=True):
            self.control.check()
            try:
                planned = plan.planned(talk, self.strangers)
                row.segments, row.state = len(planned.units), "running"
                if join.finished(self._out(planned), planned.print):
                    row.state, row.video = "unchanged", str(self._out(planned))
                    self.past += sum(_length(line.text) for line in talk.lines)
                yield planned if row.state == "running" else None
            except LinlyError as error:
                self._failed(row, str(error))
                yield None
            self.log.note(row)

    def _out(self, planned: Planned) -> Path:
        audible = planned.talk.options.layout == "audio"
        return (self.folder / planned.talk.name).with_name(f"{planned.talk.name}{'.m4a' if audible else '.mp4'}")

    def _lacks(self, unit: Unit) -> bool:
        if unit.key not in self.here:
            found = segment.read(self.segments / f"{unit.key}.mov")
            if found is None:
                return True
            self.here[unit.key] = found
            self.past += _length(unit.text)
        return False

    def _came(self, future: Future[Made], unit: Unit) -> None:
        """A segment is there, or it failed and with it the talks that want it."""
        numbers = self.wants.pop(unit.key)
        self.past += _length(unit.text)
        try:
            made = future.result()
        except Exception as error:
            broke = f"{unit.text[:30]!r} broke ({type(error).__name__}: {error})."
            for number in numbers:
                self.ready.pop(number, None)
                self._failed(self.rows[number], str(error) if isinstance(error, LinlyError) else broke)
            return
        row = self.rows[numbers[0]]
        self.here[unit.key] = made
        self.log.made(unit.key, row.name, made.took)
        row.made, row.took = row.made + 1, round(row.took + made.took, 2)
        self.worked, self.spent = self.worked + _length(unit.text), perf_counter() - self.began
        for number in numbers:
            self.missing[number] -= 1

    def _finish(self, number: int, planned: Planned) -> None:
        """Join a talk whose segments are there; where silences between them are missing, ask for those first."""
        row = self.rows[number]
        try:
            made = [self.here[unit.key] for unit in planned.units]
            gaps, late = plan.filled(planned, made)
            lacking = [unit for unit in _once([gap for gap in gaps if gap]) if self._lacks(unit)]
            if lacking:
                self.ready[number] = planned
                self._ask(number, lacking, first=True)
                return
            whole = []
            for gap, own in zip(gaps, made, strict=True):
                whole += [self.here[gap.key], own] if gap else [own]
            out = self._out(planned)
            seconds = join.join(planned, whole, self.segments, out, out.suffix == ".m4a")
            row.state, row.video, row.seconds = "done", str(out), round(seconds, 3)
            row.warnings = " ".join(filter(None, [row.warnings, *late]))
        except LinlyError as error:
            self._failed(row, str(error))
        self.log.note(row)

    def _failed(self, row: Row, says: str) -> None:
        row.state, row.error = "failed", says
        self.log.note(row)

    def _tell(self) -> None:
        left = self.spent / self.worked * (self.length - self.past) if self.worked > 20 else None
        self.tell(State((*self.rows, *self.bad), min(1.0, self.past / self.length), left))


def _length(text: str) -> float:
    """About how much work a unit is, in seconds of speech."""
    return 1.0 + spoken_seconds(text) if text else 0.5


def _once(units: Sequence[Unit]) -> list[Unit]:
    return list({unit.key: unit for unit in units}.values())


def _named_apart(bad: Sequence[Row], rows: Sequence[Row]) -> list[Row]:
    """The journal knows rows by name."""
    taken = {row.name for row in rows}
    for number, row in enumerate(bad):
        if row.name in taken:
            row.name = f"{row.name} !{number + 1}"
        taken.add(row.name)
    return list(bad)


def _opened(folder: Path, resume: bool) -> None:
    if (folder / journal.NAME).is_file() and not resume:
        raise InputError(f"{folder} holds a run already: add --resume to go on with it, or choose another folder.")
    try:
        (folder / SEGMENTS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be written to ({error.strerror}): choose another folder.") from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else makes videos in this folder meanwhile."""
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(f"Another run is at work in {folder}: wait until it has ended.") from error
    except OSError as error:
        raise InputError(f"{folder} cannot be written to ({error.strerror}): choose another folder.") from error
    try:
        yield
    finally:
        lock.release()
