"""What the Lectures tab does, as plain functions. A visitor's lectures lie in a private folder, and go on there."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from linly.batch import run
from linly.batch.journal import Row
from linly.batch.values import Options
from linly.errors import Cancelled, InputError
from linly.ui import jobs
from linly.ui.handlers import RUNNER
from linly.ui.messages import translated
from linly.ui.strings import duration, text


@dataclass
class Moment:
    """What the tab shows at one moment."""

    busy: bool
    state: run.State | None = None
    report: run.Report | None = None
    error: BaseException | None = None
    paused: bool = False
    before: int = 0


@dataclass
class _Running:
    job: jobs.Job
    control: run.Control = field(default_factory=run.Control)


_running: dict[str, _Running] = {}
_folders: dict[str, Path] = {}


def folder(session: str) -> Path:
    """Where the session's lectures lie: the same as long as it lasts, so that what is finished is not made again."""
    if session not in _folders or not _folders[session].is_dir():
        _folders[session] = jobs.folder(jobs.root())
    return _folders[session]


def make(paths: Sequence[str], wishes: Mapping[str, Any], session: str) -> Iterator[Moment]:
    """Make them in their turn; a Moment whenever something changed, the last one with a report or an error."""
    stop(session)
    try:
        files = [Path(path) for path in paths or ()]
        if not files:
            raise InputError("There is nothing to make yet: drop scripts or decks first.")
        options = Options().given(wishes)
        target, control = folder(session), run.Control()
        states: list[run.State] = []
    except Exception as error:
        yield Moment(False, error=error)
        return
    job = RUNNER.submit(
        lambda tell: run.batch(files, target, options, resume=True, tell=states.append, control=control, strangers=True)
    )
    _running[session] = own = _Running(job, control)
    try:
        shown: Any = None
        while True:
            over = job.wait(0.3)
            state = states[-1] if states else None
            seen = (state and round(1000 * state.done), control.paused.is_set(), RUNNER.before(job))
            if seen != shown and not over:
                shown = seen
                yield Moment(True, state, paused=control.paused.is_set(), before=RUNNER.before(job))
            if over or (control.cancelled.is_set() and job.stage == "wait"):
                break
        yield Moment(False, state, job.result, job.error or (None if job.result else Cancelled("Stopped.")))
    finally:  # also when the visitor has left
        control.cancelled.set()
        job.stop()
        if _running.get(session) is own:
            del _running[session]


def stop(session: str) -> bool:
    """Stop the session's lectures; False if none are made."""
    own = _running.get(session)
    if own:
        own.control.cancelled.set()
    return own is not None


def pause(session: str) -> bool:
    """Pause, or go on; gives whether they are paused now."""
    own = _running.get(session)
    if own is None:
        return False
    paused = own.control.paused
    if paused.is_set():
        paused.clear()
    else:
        paused.set()
    return paused.is_set()


def first(session: str, name: str) -> None:
    """Make this lecture before the others that wait."""
    own = _running.get(session)
    if own and name:
        own.control.wanted.append(name)


def waiting(moment: Moment) -> list[str]:
    """The lectures that are not finished."""
    rows = moment.state.rows if moment.busy and moment.state else ()
    return [row.name for row in rows if row.state in ("waiting", "running")]


def table(rows: Sequence[Row], lang: str) -> str:
    """The lectures, a row each."""
    heads = ("name", "state", "parts", "length", "said")
    head = "".join(f"<th>{html.escape(text(lang, f'lectures_head_{one}'))}</th>" for one in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in _cells(row, lang)) + "</tr>" for row in rows
    )
    return f'<table class="facts lectures"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cells(row: Row, lang: str) -> tuple[str, ...]:
    length = duration(lang, row.seconds) if row.seconds else ""
    parts = f"{row.made} / {row.segments}" if row.segments else ""
    says = translated(row.error, lang) if row.error else row.warnings
    return row.name, text(lang, f"state_{row.state}"), parts, length, says


def words(moment: Moment, lang: str) -> tuple[str, float, str]:
    """The line under the bar, how full the bar is, and its state."""
    rows = moment.state.rows if moment.state else moment.report.rows if moment.report else ()
    done, all = sum(row.state in ("done", "unchanged") for row in rows), len(rows)
    fraction = moment.state.done if moment.state else 0.0
    if moment.busy and moment.paused:
        return text(lang, "lectures_paused"), fraction, "busy"
    if moment.busy and moment.before:
        return text(lang, "stage_wait", n=moment.before), 0.0, "busy"
    if moment.busy:
        said = [text(lang, "lectures_busy", n=done, all=all), f"{round(100 * fraction)} %"]
        left = moment.state.left if moment.state else None
        return " · ".join([*said, *([text(lang, "left", t=duration(lang, left))] if left else [])]), fraction, "busy"
    if isinstance(moment.error, Cancelled):
        return text(lang, "lectures_stopped"), fraction, "idle"
    if moment.error or moment.report is None:
        return text(lang, "failed"), 1.0, "failed"
    took = duration(lang, moment.report.seconds)
    failed = moment.report.failed == all
    return text(lang, "lectures_done", n=done, all=all, t=took), 1.0, "failed" if failed else "done"


def finished(report: run.Report) -> list[str]:
    """The files that may be fetched."""
    return [row.video for row in report.rows if row.video]


def archive(report: run.Report) -> str:
    """All of them in one."""
    return str(run.zipped(report, report.folder / "lectures.zip"))
