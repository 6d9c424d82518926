"""What the tabs share: words that follow the language, errors as toasts, progress as HTML."""

from __future__ import annotations

import functools
import html
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr

from linly.errors import Cancelled, LinlyError
from linly.ui.handlers import Step
from linly.ui.messages import translated
from linly.ui.strings import duration, text

log = logging.getLogger(__name__)
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
Words = str | Callable[[str], Any]
"""A key of the string table, or a function from the page's language to a property's value."""


class Wording:
    """Makes components whose words come from the string table, and turns them all when the language changes."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self._bound: list[tuple[Any, dict[str, Words]]] = []

    def __call__(self, kind: Callable[..., Any], words: dict[str, Words], **properties: Any) -> Any:
        """`kind(**properties)` with every property of `words` in the page's language."""
        made = kind(**{name: self._say(key, self.lang) for name, key in words.items()}, **properties)
        self._bound.append((made, words))
        return made

    @property
    def components(self) -> list[Any]:
        return [made for made, _ in self._bound]

    def turned(self, lang: str) -> list[Any]:
        """One update for each of `components`."""
        return [gr.update(**{name: self._say(key, lang) for name, key in words.items()}) for _, words in self._bound]

    @staticmethod
    def _say(key: Words, lang: str) -> Any:
        return key(lang) if callable(key) else text(lang, key)


def untouched(component: Any) -> Any:
    """Its files reach the handler as they are: our own readers honour rotation and say in words what is wrong."""
    component.preprocess = lambda payload: payload.path if payload else None
    return component


def toast(error: BaseException, lang: str) -> gr.Error:
    """The error as one sentence for the corner of the page; what nobody foresaw goes to the log in full."""
    if isinstance(error, LinlyError):
        message = translated(str(error), lang)
    else:
        log.error("a handler broke", exc_info=error)
        message = text(lang, "broke", what=type(error).__name__)
    return gr.Error(html.escape(message, quote=False), title=text(lang, "error"), print_exception=False, duration=12)


@contextmanager
def toasts(lang: str) -> Iterator[None]:
    """Errors inside become toasts."""
    try:
        yield
    except gr.Error:
        raise
    except Exception as error:
        raise toast(error, lang) from error


def api(handler: Callable[..., Any]) -> Callable[..., Any]:
    """For handlers that scripts call: errors in English, as one sentence."""

    @functools.wraps(handler)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        with toasts("en"):
            return handler(*args, **kwargs)

    return guarded


def bar(words: str, fraction: float | None = None, state: str = "busy") -> str:
    """A progress bar with its line of words. `fraction` None: an empty bar. `state`: idle, busy, done or failed."""
    percent = round(100 * (fraction or 0.0))
    return (
        f'<div class="bar {state}" role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent}"'
        f' aria-label="{html.escape(words)}"><i style="width:{percent}%"></i></div>'
        f'<div class="bar-words {state}" aria-live="polite">{html.escape(words)}</div>'
    )


def progress_words(lang: str, stage: str, fraction: float, left: float | None) -> str:
    """For instance "Voice and face · 62 % · 14 s left"."""
    parts = [text(lang, f"stage_{stage}"), f"{round(100 * fraction)} %"]
    if left is not None and stage != "finish":
        parts.append(text(lang, "left", t=duration(lang, max(1.0, round(left)))))
    return " · ".join(parts)


def status(step: Step, lang: str, done: str) -> str:
    """Where a render stands, as a bar with its words; `done`: the words for a finished one."""
    if step.busy:
        if step.stopping:
            return bar(text(lang, "stopping"), step.fraction)
        if step.stage == "wait":
            return bar(text(lang, "stage_wait", n=step.before), 0)
        return bar(progress_words(lang, step.stage, step.fraction, step.left), step.fraction)
    if isinstance(step.error, Cancelled):
        return bar(text(lang, "stopped"), 0, "idle")
    if step.error or step.report is None:
        return bar(text(lang, "failed"), 1, "failed")
    return bar(done, 1, "done")


def note(words: str, state: str = "") -> str:
    """One small line under a control. `state`: good, bad or nothing."""
    return f'<div class="note {state}">{html.escape(words)}</div>'


def table(rows: list[tuple[str, str]]) -> str:
    """Two columns: what, and its value."""
    cells = "".join(f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in rows)
    return f'<table class="facts"><tbody>{cells}</tbody></table>'
