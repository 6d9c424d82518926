"""The minutes-long side of the Voice tab: fitting a saved voice in the background, and fetching zero-shot engines."""

from __future__ import annotations

import functools
import html
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr

from linly.errors import Cancelled
from linly.ui import jobs, models, voice_handlers
from linly.ui.parts import PRIVATE, bar, progress_words, toast, toasts
from linly.ui.strings import duration, text

PARTS = ("bar", "go", "stop", "clock")


def build(v: SimpleNamespace) -> None:
    """The line of the fitting; its parts join `v` by name."""
    say = v.say
    with gr.Row(elem_classes="progress-row"):
        v.bar = gr.HTML(elem_classes="progress", elem_id="fit-bar")
        v.go = say(gr.Button, {"value": "fit_voice"}, elem_id="fit-voice", scale=0, min_width=180, size="md")
        v.stop = say(
            gr.Button, {"value": "stop"}, elem_id="fit-stop", elem_classes="stop", interactive=False, scale=0,
            min_width=84, size="md",
        )  # fmt: skip
    v.clock = gr.Timer(1.0, active=False)


def parts(v: SimpleNamespace) -> list[Any]:
    """The components that `now` speaks of."""
    return [getattr(v, name) for name in PARTS]


def now(lang: str, name: str | None) -> list[Any]:
    """Where the fitting of a voice stands: bar, both buttons, and whether to look again in a second."""
    job = voice_handlers.fit_of(name)
    busy = voice_handlers.fitting(name)
    go, stop = gr.update(interactive=not busy), gr.update(interactive=busy and not (job and job.stopping))
    return [line(job, lang), go, stop, gr.Timer(active=busy)]


def line(job: jobs.Job | None, lang: str) -> str:
    """The same as a bar with its words."""
    if job is None:
        return bar(text(lang, "fit_idle", m=f"{voice_handlers.MINUTES:.0f}"), 0, "idle")
    if not job.wait(0):
        if job.stopping:
            return bar(text(lang, "stopping"), job.fraction)
        if job.stage == "wait":
            return bar(text(lang, "fit_wait", n=voice_handlers.before_fit(job)), 0)
        return bar(progress_words(lang, job.stage, job.fraction, job.left), job.fraction)
    if isinstance(job.error, Cancelled):
        return bar(text(lang, "fit_stopped"), job.fraction, "idle")
    if job.error:
        return bar(html.unescape(str(toast(job.error, lang).message)), 1, "failed")
    tiers = voice_handlers.about(job.result.name)["tiers"]
    x, y = (tiers[tier]["similarity"] for tier in ("fitted", "closest"))
    return bar(text(lang, "fit_done", x=x, y=y), 1, "done")


def wire(v: SimpleNamespace, shelved: Callable[..., list[Any]], render: list[Any], shelf: list[Any]) -> None:
    """Start, stop, and the look at how far it is; when it is over the whole shelf is drawn again."""

    def begin(lang: str, chosen: str) -> list[Any]:
        with toasts(lang):
            voice_handlers.fit(chosen)
        return now(lang, chosen)

    def end(lang: str, chosen: str) -> list[Any]:
        with toasts(lang):
            voice_handlers.cancel_fit(chosen)
        return now(lang, chosen)

    def tick(lang: str, chosen: str, in_render: str, speak: str) -> list[Any]:
        if voice_handlers.fitting(chosen):
            return [*[gr.skip()] * (len(shelf) - len(PARTS)), *now(lang, chosen)]
        return shelved(lang, chosen, in_render, speak, playing=True)

    v.go.click(begin, [v.lang, v.enrolled], parts(v), **PRIVATE)
    v.stop.click(end, [v.lang, v.enrolled], parts(v), **PRIVATE)
    v.clock.tick(tick, [v.lang, v.enrolled, *render], shelf, **PRIVATE)


def build_offer(v: SimpleNamespace) -> None:
    """The engines that speak from a sample at once: what each needs, and a button that fetches it."""
    say = v.say
    with gr.Column(elem_classes="card", elem_id="zero-shot"):
        say(gr.HTML, {"value": _intro})
        for row in voice_handlers.zero_shot():
            with gr.Row(elem_classes="model-row"):
                card = say(gr.HTML, {"value": functools.partial(offer, row["name"])}, scale=1)
                button = say(
                    gr.Button, {"value": functools.partial(_get, row["title"])}, size="md", scale=0, min_width=150,
                    visible=models.may_change() and bool(row["lacking"]), elem_id=f"get-{row['name']}",
                )  # fmt: skip
            button.click(functools.partial(fetched, row["name"]), v.lang, [card, button], **PRIVATE)


def _intro(lang: str) -> str:
    return f'<div class="model"><h3>{text(lang, "zero_title")}</h3><p>{text(lang, "zero_note")}</p></div>'


def _get(title: str, lang: str) -> str:
    return text(lang, "zero_get", title=title)


def offer(name: str, lang: str) -> str:
    """One engine in words: ready, or how large it is, how long it takes, under which licence, what else it needs."""
    row = next(one for one in voice_handlers.zero_shot() if one["name"] == name)
    words = [] if row["why"] else [text(lang, "zero_ready")]
    if row["lacking"]:
        time = duration(lang, row["bytes"] * 8 / 20e6)
        words.append(text(lang, "zero_size", mb=round(row["bytes"] / 1e6), t=time))
    words += row["licences"]
    if not row["package"]:
        words.append(text(lang, "zero_package"))
    return f'<div class="model"><h3>{html.escape(row["title"])}</h3><p>{html.escape(" · ".join(words))}</p></div>'


def fetched(name: str, lang: str) -> Iterator[tuple[str, Any]]:
    """Get what an engine lacks, with progress."""
    row = next(one for one in voice_handlers.zero_shot() if one["name"] == name)
    with toasts(lang):
        models.allowed("")
        fetch = models.Fetch()
        fetch.start(row["lacking"])
        for _, fraction in fetch.watch():
            words = text(lang, "model_busy", name=row["title"], p=round(100 * fraction))
            yield offer(name, lang) + bar(words, fraction), gr.update(interactive=False)
    yield offer(name, lang), gr.update(visible=False, interactive=True)
