"""What the Render tab does, as plain functions: what comes from the page in, values and words out."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from linly import library, pipeline, settings
from linly.errors import Cancelled
from linly.job import RenderJob, Report
from linly.ui import jobs
from linly.ui.form import Form
from linly.ui.strings import duration, language_name, text
from linly.values import BACKGROUNDS

RUNNER = jobs.Runner()


@dataclass
class Step:
    """What the page shows at one moment of a render."""

    busy: bool
    stage: str = "load"
    fraction: float = 0.0
    left: float | None = None
    before: int = 0
    stopping: bool = False
    report: Report | None = None
    error: BaseException | None = None
    still: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


_running: dict[str, jobs.Job] = {}


def render(form: Form, preview: str = "", session: str = "") -> Iterator[Step]:
    """Run the form's job in its turn; a Step whenever something changed, the last one with a report or an error."""
    try:
        described = form.job(preview)
    except Exception as error:
        yield Step(busy=False, error=error)
        return
    yield from run(described, session)


def run(described: RenderJob, session: str) -> Iterator[Step]:
    """The same for a job that is already described; a session has one at a time, the newer one stops the older."""
    if session in _running:
        _running[session].stop()
    job = RUNNER.submit(lambda tell: pipeline.render(described, tell))
    _running[session] = job
    try:
        yield from _watch(job)
        yield Step(busy=False, report=job.result, error=job.error, still=described.preview == "frame")
    finally:  # also when the visitor has left
        job.stop()
        if _running.get(session) is job:
            del _running[session]


def _watch(job: jobs.Job) -> Iterator[Step]:
    shown: Any = None
    while True:
        left = job.left
        step = Step(True, job.stage, job.fraction, left, RUNNER.before(job), job.stopping)
        seen = (step.stage, round(100 * step.fraction), left and round(left), step.before, step.stopping)
        if seen != shown:
            shown = seen
            yield step
        if job.wait(0.15) or (job.stopping and job.stage == "wait"):
            if job.stage == "wait" and job.error is None:
                job.error = Cancelled("Stopped; nothing half-made was left behind.")
            return


def stop(session: str) -> bool:
    """Stop the session's running render; False if there is none."""
    job = _running.get(session)
    if job:
        job.stop()
    return job is not None


def render_now(form: Form) -> Report:
    """The same job for scripts: wait for it and give the report. Raises what went wrong."""
    *_, last = render(form, session=f"api-{random.getrandbits(64)}")
    if last.error:
        raise last.error
    assert last.report
    return last.report


def count(script: str, rate: float, lang: str) -> tuple[str, bool]:
    """How long the script is, in words, and whether it can be rendered."""
    from linly.text.sentences import seconds

    characters, most = len(script.strip()), settings.load().max_characters
    if not characters:
        return text(lang, "count_none"), True
    if len(script) > most:
        return text(lang, "count_over", n=f"{len(script):,}", most=f"{most:,}"), False
    return text(lang, "count", n=f"{characters:,}", s=duration(lang, max(1.0, seconds(script) / rate))), True


def read_script(path: str) -> str:
    """The text of an opened .txt or .md file. Raises InputError."""
    from linly.text.files import read_text

    return read_text(Path(path))


def new_seed() -> int:
    """For a variation."""
    return random.randint(1, 99999)


def facts(report: Report, lang: str) -> list[tuple[str, str]]:
    """The report in words."""
    width, height = report.size
    total = report.timings.get("total", 0.0)
    picture = text(lang, "fact_picture_is", w=width, h=height, fps=f"{report.fps:g}")
    what = "fact_what_is" if report.marks.get("label") else "fact_what_plain"
    advice = report.portrait_report.get("advice", ())
    notes = [a[lang] if isinstance(a, dict) and lang in a else str(a) for a in advice] or list(report.warnings)
    framing = [text(lang, f"crop_{report.crop}")] if report.crop != "whole" else []
    framing += [report.frame] if report.frame != "photo" else []
    rows = [
        ("fact_length", duration(lang, report.seconds)),
        ("fact_picture", picture),
        ("fact_time", text(lang, "fact_time_is", t=duration(lang, total), x=f"{report.realtime_factor:.2f}")),
        ("fact_voice", report.voice),
        ("fact_language", language_name(lang, report.language)),
        ("fact_portrait", portrait_title(report.portrait, lang)),
        ("fact_emotion", emotions_played(report, lang)),
        ("fact_framing", ", ".join(framing)),
        ("fact_background", backdrop(report.background, lang)),
        ("fact_engines", ", ".join(f"{kind} {name}" for kind, name in report.engines.items())),
        ("fact_seed", str(report.seed)),
        ("fact_what", text(lang, what)),
        ("fact_notes", " ".join(notes)),
    ]
    return [(text(lang, key), value) for key, value in rows if value]


def emotions_played(report: Report, lang: str) -> str:
    """How many sentences were said with which emotion, for instance "happy 3, neutral 5"."""
    counted = Counter(str(played["emotion"]) for played in report.emotions if played.get("emotion"))
    return ", ".join(f"{text(lang, f'emotion_{name}').lower()} {many}" for name, many in counted.most_common())


def backdrop(background: str, lang: str) -> str:
    """What is behind the person, in words; empty if it is the photo's own."""
    if background == "keep":
        return ""
    if background in BACKGROUNDS:
        return text(lang, f"background_{background}")
    return background if background.startswith("#") else text(lang, "background_picture")


def portrait_title(name: str, lang: str) -> str:
    """What a sample is called on the page."""
    for sample in library.samples():
        if sample.name == name:
            return sample.title_zh if lang == "zh" else sample.title_en
    return name
