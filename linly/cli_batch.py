"""`linly batch`: lectures from scripts and decks."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from linly.batch import readers
from linly.batch.values import CORNERS, LAYOUTS, SHAPES, SIZES, Options
from linly.cli_bar import Bar
from linly.errors import InputError
from linly.values import EMOTIONS

Result = dict[str, Any]
CHOICES = {"layout": LAYOUTS, "corner": CORNERS, "shape": SHAPES, "size": tuple(SIZES), "emotion": EMOTIONS}
HELP = {
    "portrait": "as in render", "voice": "as in render", "language": "auto (by the text), zh, en, …",
    "rate": "speed of speech, 0.5..2", "size": "height of the video", "fps": "frames a second",
    "layout": "auto: in a corner of the slides, where there are any", "corner": "of the slide",
    "shape": "in the corner", "inset": "height in the corner, 0.15..0.6 of the slide's",
    "intro": "picture shown before", "outro": "picture after",
    "music": "sound that plays softly under the talk", "loudness": "LUFS, by EBU R128", "seed": "same seed, same video",
}  # fmt: skip


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `linly batch`: what is made, where, and each of batch.Options."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH",
                        help="scripts (.txt .md .docx), decks (.pptx, .pdf with a script beside it), subtitles (.srt"
                             " .vtt), tables (.csv .xlsx), folders or .zip of these")  # fmt: skip
    parser.add_argument("-o", "--out", type=Path, metavar="DIR", help="folder of the videos and of the journal")
    parser.add_argument("--resume", action="store_true", help="go on in a folder that was begun; what is there is kept")
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="processes (default: as many as help)")
    parser.add_argument("--cluster", default="", metavar="auto|ADDRESS", help="work on the machines of a Ray cluster")
    parser.add_argument("--zip", type=Path, metavar="FILE", help="also put what was made into one archive")
    parser.add_argument("--preview", action="store_true", help="only show what the scripts will do")
    parser.add_argument("--no-subtitles", action="store_true", help="no .srt and .vtt beside the videos")
    usual = Options()
    for one in fields(Options):
        if one.name == "subtitles":
            continue
        value = getattr(usual, one.name)
        help = f"{HELP.get(one.name, one.name)} (default {value})" if value != "" else HELP.get(one.name, one.name)
        parser.add_argument(
            f"--{one.name}", type=type(value), default=value, choices=CHOICES.get(one.name), help=help,
            metavar=None if one.name in CHOICES else one.name.upper(),
        )  # fmt: skip


def run(a: argparse.Namespace) -> Result:
    """talks (rows of the journal), folder, seconds, failed, zip; exit 1 where some failed. --preview: lines."""
    from linly.batch import run as batches

    options = Options(**{one.name: getattr(a, one.name) for one in fields(Options) if one.name != "subtitles"})
    options = options.given({"subtitles": not a.no_subtitles})
    if a.preview:
        return {"lines": preview(a.paths, options)}
    if a.out is None:
        raise InputError("Say where the videos go: -o DIR.")
    if a.workers < 0:
        raise InputError("--workers must be 0 (as many as help) or more.")
    bar = Bar()
    made_by = None
    if a.cluster:
        from linly.batch import cluster

        made_by = cluster.opened(a.cluster, a.out / batches.SEGMENTS)
    report = batches.batch(
        a.paths, a.out, options, resume=a.resume, count=a.workers, made_by=made_by,
        tell=lambda state: bar(_said(state), state.done),
    )  # fmt: skip
    archive = str(batches.zipped(report, a.zip)) if a.zip else ""
    rows = [asdict(row) for row in report.rows]
    return {
        "talks": rows, "folder": str(report.folder), "seconds": report.seconds, "failed": report.failed, "zip": archive,
        "exit": 1 if report.failed else 0,
    }  # fmt: skip


def lines(result: Result) -> list[str]:
    """For people."""
    if "lines" in result:
        return list(result["lines"])
    out = []
    for row in result["talks"]:
        what = (
            row["error"]
            if row["state"] == "failed"
            else f"{row['seconds']:.1f} s, {row['made']} of {row['segments']} segments made"
        )
        out.append(
            f"{row['state']:10} {row['video'] or row['source']}: {what if row['state'] != 'unchanged' else 'as it was'}"
        )
        out += [f"           note: {row['warnings']}"] if row["warnings"] else []
    summary = f"{len(result['talks'])} in {result['seconds']:.0f} s, {result['failed']} failed"
    return [*out, f"{summary}; see {result['folder']}/report.csv"]


def _said(state: Any) -> str:
    done = sum(row.state in ("done", "unchanged", "failed") for row in state.rows)
    return f"lectures ({done} of {len(state.rows)})"


def preview(paths: Sequence[Path], options: Options | None = None) -> list[str]:
    """What these scripts will do, for people to look at before the work begins."""
    with tempfile.TemporaryDirectory() as folder:
        talks, problems = readers.talks(paths, options or Options(), Path(folder))
    out = []
    for talk in talks:
        out.append(f"# {talk.title} ({talk.source})")
        for line in talk.lines:
            marks = [f"slide {line.slide}" if line.slide else "", line.emotion, line.language, line.voice]
            notes = ", ".join(filter(None, marks))
            out.append(f"{line.text or f'({line.pause:g} s)'}{f'  [{notes}]' if notes else ''}")
        out += [f"! {warning}" for warning in talk.warnings]
    return [*out, *(f"! {problem.says}" for problem in problems)]
