"""The Models tab: what is here, what it is for, its licence, get and remove; and the fetching at first start."""

from __future__ import annotations

import functools
import html
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from linly import doctor, registry, settings, weights
from linly.errors import InputError
from linly.ui.parts import Wording, api, bar, toast, toasts
from linly.ui.strings import text


class Fetch:
    """One fetch of models in the background, watched by any number of pages."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.stage, self.fraction = "", 0.0
        self.error: BaseException | None = None

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, names: list[str]) -> None:
        """Begin, unless one is under way."""
        with self._lock:
            if not self.running:
                self.stage, self.fraction, self.error = "", 0.0, None
                self._thread = threading.Thread(target=self._run, args=(names,), daemon=True, name="linly-fetch")
                self._thread.start()

    def _run(self, names: list[str]) -> None:
        try:
            weights.pull(names, self._tell)
        except Exception as error:
            self.error = error

    def _tell(self, stage: str, fraction: float) -> None:
        self.stage, self.fraction = stage, fraction

    def watch(self) -> Iterator[tuple[str, float]]:
        """Stage and fraction whenever they changed, until the fetch is over; then raises what went wrong."""
        shown = None
        while self.running:
            seen = (self.stage, round(self.fraction, 3))
            if seen != shown:
                shown = seen
                yield self.stage, self.fraction
            time.sleep(0.2)
        if self.error:
            raise self.error


FETCH = Fetch()


def missing() -> list[str]:
    """Default models that are not here."""
    return [name for name in weights.default_names() if not weights.ready(name)]


def may_change() -> bool:
    """Whether visitors may: a shared Space shows what it has, and only its owner changes that."""
    return not os.environ.get("SPACE_ID")


def models() -> dict[str, Any]:
    """What is here and what this machine has."""
    return {"models": [{**row, "needed_by": needed_by(row["name"])} for row in weights.listing()], **machine()}


def machine() -> dict[str, Any]:
    return {"cores": settings.threads(), "memory_gb": doctor.memory_gb(), "gpu": doctor.gpu()}


def pull(name: str) -> dict[str, Any]:
    """Fetch one model (empty: the default set); returns when it is here."""
    allowed(name)
    weights.pull([name] if name else weights.default_names())
    return models()


def remove(name: str) -> dict[str, Any]:
    """Delete one model's files."""
    allowed(name)
    weights.remove(name)
    return models()


def allowed(name: str) -> None:
    """Raise InputError where visitors may not change what is here, or there is no such model."""
    if not may_change():
        raise InputError("On this shared page models can only be looked at.")
    if name and name not in [row["name"] for row in weights.listing()]:
        raise InputError(f"There is no model called {name!r}.")


def needed_by(name: str) -> list[str]:
    """Titles of the engines that work with a model."""
    cards = [registry.card(kind, n) for kind in registry.KINDS for n in registry.names(kind)]
    return [card.title for card in cards if name in card.weights]


def fetching(lang: str) -> Iterator[tuple[str, bool, bool]]:
    """Follow the first start: the banner's HTML, whether the page is usable, whether a retry is offered."""
    lacking = missing()
    if lacking:
        size = sum(row["bytes"] for row in weights.listing() if row["name"] in lacking)
        first = text(lang, "fetching", size=f"{size / 1e6:.0f} MB")
        FETCH.start(lacking)
        yield _banner(first, bar("…", 0.0)), False, False
        try:
            for stage, fraction in FETCH.watch():
                words = text(lang, "fetching_stage", stage=stage, p=round(100 * fraction))
                yield _banner(first, bar(words, fraction)), False, False
        except Exception as error:
            yield _banner(text(lang, "fetch_failed"), bar(str(toast(error, lang).message), 1.0, "failed")), False, True
            return
    yield "", True, False


def _banner(title: str, below: str) -> str:
    return f'<div class="banner"><strong>{html.escape(title)}</strong>{below}</div>'


def machine_line(lang: str) -> str:
    """For instance "This machine: 2 cores, 8 GB memory, no GPU (none is needed)"."""
    has = machine()
    gpu = text(lang, "machine_no_gpu") if has["gpu"] == "none" else text(lang, "machine_gpu", name=has["gpu"])
    words = text(lang, "machine_is", cores=has["cores"], memory=f"{has['memory_gb'] or 0:.0f}", gpu=gpu)
    closed = "" if may_change() else f" {text(lang, 'models_closed')}"
    intro = html.escape(text(lang, "models_intro") + closed)
    return f'<div class="model"><h3>{text(lang, "machine")}</h3><p>{html.escape(words)}</p><p>{intro}</p></div>'


def model_card(row: dict[str, Any], lang: str) -> str:
    """One model in words."""
    state = "ready" if row["ready"] else "broken" if row["problem"] and _started(row) else "absent"
    use = text(lang, "model_commercial" if row["commercial"] else "model_not_commercial")
    who = needed_by(row["name"])
    line = [f"{row['bytes'] / 1e6:.1f} MB", row["licence"], use]
    line += [text(lang, "model_needed_by", who=", ".join(who))] if who else []
    line += [text(lang, "model_default")] if row["default"] else []
    return (
        f'<div class="model"><h3>{html.escape(row["title"])}<span class="state {state}">{text(lang, "model_" + state)}'
        f"</span></h3><p>{html.escape(' · '.join(line))}</p></div>"
    )


def _started(row: dict[str, Any]) -> bool:
    return weights.folder(row["name"]).is_dir() and any(weights.folder(row["name"]).iterdir())


def row_of(name: str) -> dict[str, Any]:
    return next(row for row in weights.listing() if row["name"] == name)


def toggled(name: str, lang: str) -> Iterator[tuple[str, Any]]:
    """Get a model that is not here, with progress, or remove one that is: card and button."""
    if row_of(name)["ready"]:
        with toasts(lang):
            remove(name)
    else:
        with toasts(lang):
            allowed(name)
            fetch = Fetch()
            fetch.start([name])
            for _, fraction in fetch.watch():
                words = text(lang, "model_busy", name=row_of(name)["title"], p=round(100 * fraction))
                yield model_card(row_of(name), lang) + bar(words, fraction), gr.update(interactive=False)
    yield model_card(row_of(name), lang), _button(name, lang)


def _button(name: str, lang: str) -> Any:
    ready = row_of(name)["ready"]
    return gr.update(
        value=text(lang, "model_remove" if ready else "model_get"), interactive=True,
        variant="secondary" if ready else "primary",
    )  # fmt: skip


def build_models(say: Wording, lang: Any) -> None:
    """The tab. `lang`: the component that holds the page's language."""
    with gr.Column(elem_classes="card"):
        say(gr.HTML, {"value": machine_line})
    for row in weights.listing():
        name = row["name"]
        with gr.Row(elem_classes=["card", "model-row"]):
            card = say(gr.HTML, {"value": functools.partial(_card_of, name)}, scale=1)
            button = say(
                gr.Button, {"value": functools.partial(_verb_of, name)}, size="md", scale=0, visible=may_change(),
                variant="secondary" if row["ready"] else "primary", elem_classes="model-button",
            )  # fmt: skip
        button.click(
            functools.partial(toggled, name), [lang], [card, button], show_progress="hidden",
            api_visibility="private", concurrency_limit=4,
        ).failure(
            lambda language, name=name: (_card_of(name, language), _button(name, language)), [lang], [card, button],
            show_progress="hidden", api_visibility="private",
        )  # fmt: skip
    with gr.Group(visible=False):
        asked, told, ask = gr.Textbox("", label="name"), gr.JSON(label="models"), gr.Button()
    gr.on([ask.click], api(models), None, told, api_name="models")
    gr.on([ask.click], api(pull), asked, told, api_name="pull")
    gr.on([ask.click], api(remove), asked, told, api_name="remove")


def _card_of(name: str, lang: str) -> str:
    return model_card(row_of(name), lang)


def _verb_of(name: str, lang: str) -> str:
    return text(lang, "model_remove" if row_of(name)["ready"] else "model_get")
