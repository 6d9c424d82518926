"""Time the whole road, stage by stage, on text of a wanted length."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from linly.pipeline import RenderJob, render
from linly.values import Progress, Style

TEXTS = {
    "zh": "春天来了，山坡上的花一夜之间都开了。老师带着孩子们走到河边，告诉他们水从哪里来，又往哪里去。",
    "en": "Spring has come, and the flowers on the hill opened overnight. The teacher walks the children to the river "
    "and tells them where the water comes from and where it goes.",
}
PER_SECOND = {"zh": 4.6, "en": 14.5}
"""characters spoken in one second, about"""


def run(languages: list[str], seconds: float, size: str, progress: Progress) -> list[dict[str, Any]]:
    """One row a language; the first render of each is warmed up by a short one, which is not counted."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="linly-bench-") as folder:
        out = Path(folder) / "bench.mp4"
        for language in languages:
            style = Style(language=language, size=size)
            text = TEXTS[language]
            render(RenderJob(out, text=text[: len(text) // 4], style=style))
            wanted = int(seconds * PER_SECOND[language])
            report = render(RenderJob(out, text=(text * (wanted // len(text) + 1))[:wanted], style=style), progress)
            rows.append({"language": language, **report.json()})
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as text: seconds of work for each stage, frames a second of the face, the realtime factor, memory."""
    stages = ("speak", "move", "draw", "mark", "encode", "total")
    lines = [f"{'':4}{'video s':>9}" + "".join(f"{s:>8}" for s in stages) + f"{'face fps':>10}{'RTF':>7}{'MB':>7}"]
    for row in rows:
        t = row["timings"]
        fps = row["frames"] / max(t["draw"], 1e-9)
        cells = "".join(f"{t.get(s, 0):8.1f}" for s in stages)
        rest = f"{fps:10.1f}{row['realtime_factor']:7.2f}{row['peak_rss_mb']:7.0f}"
        lines.append(f"{row['language']:4}{row['seconds']:9.1f}{cells}{rest}")
    return "\n".join(lines)
