"""A portrait judged, as HTML: before and after side by side; score, checks and advice in the page's language."""

from __future__ import annotations

import html

from linly.ui import picker, portrait_handlers, thumbs
from linly.ui.parts import toast
from linly.ui.portrait_handlers import SIDE, Look
from linly.ui.strings import text


def pair(seen: Look | None, lang: str) -> str:
    """The photo before and after, side by side."""
    if seen is None:
        return f'<div class="pair empty"><p>{html.escape(text(lang, "stage_empty"))}</p></div>'
    after = "after" if portrait_handlers.changed(seen) else "after_same"
    sides = [(text(lang, "before"), seen.before)]
    sides += [(text(lang, after), seen.after)] if seen.after is not None else []
    figures = "".join(
        f'<figure><img alt="{html.escape(words)}" src="{thumbs.address(image, SIDE)}">'
        f"<figcaption>{html.escape(words)}</figcaption></figure>"
        for words, image in sides
    )
    return f'<div class="pair{" single" if seen.after is None else ""}">{figures}</div>'


def verdict(seen: Look | BaseException | str | None, lang: str) -> str:
    """How well a portrait will talk: score and word, the checks, advice; or why it cannot be used; or what to look
    out for while there is none."""
    if isinstance(seen, Look):
        points = portrait_handlers.score(seen.report)
        grade = portrait_handlers.grade(points)
        head = (
            f'<div class="score {grade}"><b>{points}</b><div><strong>{text(lang, f"score_{grade}")}</strong>'
            f"<span>{text(lang, 'verdict')}</span></div></div>"
        )
        lines = _checks(lang, dict(portrait_handlers.checks(seen.report)))
        advice = [picker.said(a, lang) for a in seen.report.get("advice", ())]
    elif isinstance(seen, BaseException):
        head = f'<div class="score refused"><b>–</b><div><strong>{text(lang, "verdict_refused")}</strong></div></div>'
        lines, advice = _checks(lang, dict(portrait_handlers.failed(seen))), [str(toast(seen, lang).message)]
    else:
        words = text(lang, "verdict_busy" if seen == "busy" else "verdict_none")
        head = f'<div class="score none"><b>–</b><div><strong>{words}</strong></div></div>'
        lines, advice = _checks(lang, {}), []
    said = "".join(f"<p>{html.escape(line, quote=False)}</p>" for line in advice)
    return f'<div class="verdict">{head}{lines}<div class="advice" aria-live="polite">{said}</div></div>'


def _checks(lang: str, passed: dict[str, bool]) -> str:
    """The lines of the verdict; those that nobody has looked at yet are neither ticked nor crossed."""
    marks = {True: ("yes", "✓", "check_yes"), False: ("no", "✗", "check_no")}
    lines = []
    for name in portrait_handlers.CHECKS:
        state, mark, meaning = marks[passed[name]] if name in passed else ("open", "·", "")
        label = f' aria-label="{text(lang, meaning)}"' if meaning else ""
        lines.append(f'<li class="{state}"><i role="img"{label}>{mark}</i>{text(lang, f"check_{name}")}</li>')
    return f'<ul class="checks">{"".join(lines)}</ul>'
