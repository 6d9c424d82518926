"""Voices judged, as HTML: the quality of a recording, the picture of its sound, what is known of a saved voice."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from linly.enrolment import Sample
from linly.ui import picker, thumbs, voice_handlers
from linly.ui.parts import note, table, toast
from linly.ui.portrait_handlers import grade
from linly.ui.strings import language_name, text
from linly.ui.voices import listed


def quality(seen: Sample | BaseException | str | None, lang: str) -> str:
    """Score and word, a bar with words for each line, advice; or why it cannot be used; or what to look out for."""
    if isinstance(seen, Sample):
        points = max(0, min(100, round(100 * seen.report["score"])))
        word = grade(points)
        head = (
            f'<div class="score {word}"><b>{points}</b><div><strong>{text(lang, f"score_{word}")}</strong>'
            f"<span>{text(lang, 'quality')}</span></div></div>"
        )
        lines, advice = _lines(seen.report, lang), [picker.said(a, lang) for a in seen.report["advice"]]
    elif isinstance(seen, BaseException):
        head = f'<div class="score refused"><b>–</b><div><strong>{text(lang, "quality_refused")}</strong></div></div>'
        lines, advice = _lines(None, lang), [html.unescape(str(toast(seen, lang).message))]
    else:
        words = text(lang, "quality_busy" if seen == "busy" else "quality_none")
        head = f'<div class="score none"><b>–</b><div><strong>{words}</strong></div></div>'
        lines, advice = _lines(None, lang), []
    said = "".join(f"<p>{html.escape(line, quote=False)}</p>" for line in advice)
    return f'<div class="verdict">{head}{lines}<div class="advice" aria-live="polite">{said}</div></div>'


def _lines(report: Mapping[str, Any] | None, lang: str) -> str:
    rows = voice_handlers.quality(report) if report else [(line, 0.0, True) for line in voice_handlers.LINES]
    made = []
    for line, filled, good in rows:
        state = ("good" if good else "bad") if report else "open"
        words = html.escape(_said(line, report, lang)) if report else ""
        made.append(
            f'<li class="{state}"><span>{text(lang, f"line_{line}")}</span>'
            f'<i aria-hidden="true"><b style="width:{round(100 * filled)}%"></b></i><em>{words}</em></li>'
        )
    return f'<ul class="meters">{"".join(made)}</ul>'


def _said(line: str, report: Mapping[str, Any], lang: str) -> str:
    """The figure of a line in words."""
    if line == "room" and report["music"]:
        return text(lang, "said_music")
    if line == "alone":
        return text(lang, "said_alone" if report["speakers"] == 1 else "said_several")
    values = {
        "length": {"s": report["speech_seconds"]},
        "noise": {"db": report["snr_db"]},
        "level": {"db": report["level_db"], "p": report["clipping"]},
        "band": {"khz": report["bandwidth_hz"] / 1000},
        "room": {"s": report["reverb_s"]},
    }
    return text(lang, f"said_{line}", **values[line])


def wave(seen: Sample | None, lang: str) -> str:
    """The picture of the sound, and the language that is spoken."""
    if seen is None:
        return '<div class="wave empty"></div>'
    from linly.sound_picture import draw

    said = language_name(lang, seen.transcript.language) if seen.transcript.language else ""
    return _wave(thumbs.address(draw(seen.before or seen.speech), 640), said, lang)


def _wave(address: str, said: str, lang: str) -> str:
    return (
        f'<figure class="wave"><img alt="{html.escape(text(lang, "sound_picture"))}" src="{address}">'
        f"<figcaption>{html.escape(said)}</figcaption></figure>"
    )


def likeness(value: float, lang: str) -> str:
    """A likeness with its meaning, one line."""
    word = next(key for least, key in ((0.92, "same"), (0.85, "near"), (0.75, "kin"), (-1.0, "far")) if value >= least)
    words = text(lang, "clone_like", x=value, words=text(lang, f"like_{word}"))
    return note(words, "good" if value >= 0.75 else "") + note(text(lang, "like_scale"))


def kept(name: str | None, lang: str) -> str:
    """What is known of a saved voice; empty for none."""
    if not name:
        return ""
    try:
        known = voice_handlers.about(name)
    except Exception as error:
        return note(html.unescape(str(toast(error, lang).message)), "bad")
    report = known["report"]
    spoken = " · ".join(
        [text(lang, "said_length", s=report["speech_seconds"]), text(lang, "said_noise", db=report["snr_db"])]
    )
    rows = [
        (text(lang, "fact_likeness"), f"{known['similarity']:.2f} · {known['why_zh' if lang == 'zh' else 'why_en']}"),
        (text(lang, "fact_tier"), f"{text(lang, 'tier_' + known['tier'])} · {known['engine']}"),
        (text(lang, "fact_speech"), " · ".join([language_name(lang, report["language"]), spoken])),
        (text(lang, "fact_said"), report["text"]),
        (text(lang, "fact_consent"), known["consent"]),
        (text(lang, "fact_added"), str(known["added"]).partition("T")[0]),
    ]
    return _wave(_picture(known["name"], known["added"]), "", lang) + table(rows)


@lru_cache(maxsize=64)
def _picture(name: str, stamp: str) -> str:
    from linly import voices

    return "data:image/png;base64," + base64.b64encode(voices.picture(name).read_bytes()).decode()


def tiles(lang: str = "") -> str:
    """A style sheet with the pictures of the saved voices' sounds, for the list in the Voice tab."""
    pictures = []
    for row in listed():
        if "added" in row:
            pictures.append((row["name"], _picture(row["name"], row["added"])))
    return "<style>" + thumbs.rules("#enrolled-voices", pictures) + "</style>"
