"""The picker of portraits: samples, enrolled ones and one's own photo or video, as tiles; and what is said of each."""

from __future__ import annotations

from typing import Any

from linly import library
from linly.errors import LinlyError
from linly.ui import portrait_handlers, thumbs
from linly.ui.form import OWN, OWN_CLIP
from linly.ui.handlers import portrait_title
from linly.ui.parts import note, toast
from linly.ui.strings import text


def choices(lang: str) -> list[tuple[str, str]]:
    """Samples, enrolled portraits, then what the visitor brings."""
    titled = [(portrait_title(s.name, lang), s.name) for s in library.samples()]
    enrolled = [(name, name) for name in portrait_handlers.names()]
    return [*titled, *enrolled, *((text(lang, f"portrait_{own}"), own) for own in (OWN, OWN_CLIP))]


def faces(lang: str = "") -> str:
    """A style sheet with the faces of the enrolled portraits, for the picker here and in the Portrait tab."""
    pictures = [(name, portrait_handlers.thumbnail(name)) for name in portrait_handlers.names()]
    return "<style>" + "\n".join(thumbs.rules(at, pictures) for at in ("#portrait", "#enrolled")) + "</style>"


def poster(portrait: str, photo: str | None = None, clip: str | None = None) -> str:
    """The chosen portrait, large, where the video will be."""
    try:
        address = _address(portrait, photo, clip)
    except LinlyError:  # the check line says what is wrong with the file
        address = ""
    return f'<div class="poster">{f"""<img alt="" src="{address}">""" if address else ""}</div>'


def _address(portrait: str, photo: str | None, clip: str | None) -> str:
    if portrait == OWN:
        return thumbs.of_file(photo, 900) if photo else ""
    if portrait == OWN_CLIP:
        return portrait_handlers.first_picture(clip) if clip else ""
    sample = next((s for s in library.samples() if s.name == portrait), None)
    return thumbs.of_file(sample.path, 900) if sample else portrait_handlers.thumbnail(portrait, 900)


def check_line(portrait: str, photo: str | None, clip: str | None, lang: str) -> str:
    """What is to be said of the chosen portrait, in words."""
    if portrait not in (OWN, OWN_CLIP):
        sample = portrait in [s.name for s in library.samples()]
        return note(text(lang, "sample_good" if sample else "enrolled_good"), "good")
    file = photo if portrait == OWN else clip
    if not file:
        return note(text(lang, "photo_wanted" if portrait == OWN else "clip_wanted"))
    try:
        advice = portrait_handlers.check(file).get("advice", ())
    except Exception as error:
        return note(str(toast(error, lang).message), "bad")
    if not advice:
        return note(text(lang, "photo_good"), "good")
    return "".join(note(said(a, lang), "bad") for a in advice)


def said(advice: Any, lang: str) -> str:
    """One piece of a portrait report's advice in the page's language."""
    return str(advice.get(lang, advice["en"]) if isinstance(advice, dict) else advice)


def sample_faces() -> str:
    """Style rules with the faces of the samples."""
    return thumbs.rules("#portrait", ((s.name, thumbs.of_file(s.path, 200)) for s in library.samples()))
