"""The voices to choose from, and how they sound."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from linly import library, registry
from linly import voices as kept
from linly.errors import EngineUnavailable, InputError
from linly.ui import jobs
from linly.ui.strings import language_name, text
from linly.values import Style, Voice

LANGUAGES = ("zh", "en", "es", "fr", "hi", "it", "ja", "pt")
DAMAGED = (InputError, OSError, ValueError, KeyError)
"""what files that somebody has changed by hand may raise"""
_known = False


def voices(speak: str = "") -> list[Voice]:
    """The voices of a speak engine (empty: the default one)."""
    global _known
    found = list(registry.open_engine("speak", speak or registry.default("speak")).voices())
    _known = True
    return found


def choices(lang: str, speak: str = "") -> list[tuple[str, str]]:
    """Labels and ids of all voices: the page's language first, then the others, women and men apart."""
    try:
        found = voices(speak)
    except Exception:  # no models yet: the page says so elsewhere
        found = []
    order = sorted(LANGUAGES, key=lambda code: code != lang)

    def place(voice: Voice) -> tuple[int, str]:
        spoken = [order.index(code) for code in voice.languages if code in order]
        return (min(spoken, default=len(order)), voice.gender)

    def label(voice: Voice) -> str:
        parts = [voice.name, *(language_name(lang, code) for code in voice.languages)]
        return " · ".join(parts + ([text(lang, voice.gender)] if voice.gender else []))

    return [(text(lang, "voice_auto"), ""), *enrolled(lang), *((label(v), v.id) for v in sorted(found, key=place))]


def listed() -> list[dict[str, Any]]:
    """Every saved voice, without the check's report; of one that is damaged only its name, and that it is."""
    rows: list[dict[str, Any]] = []
    for name in kept.names():
        try:
            known = kept.info(name)
            rows.append({"language": known["report"]["language"], **{k: v for k, v in known.items() if k != "report"}})
        except DAMAGED:
            rows.append({"name": name, "damaged": True})
        except EngineUnavailable:
            rows.append({"name": name})
    return rows


def enrolled(lang: str) -> list[tuple[str, str]]:
    """Labels and names of the saved voices, with the way each is made and how like the person it is."""
    made = []
    for row in listed():
        if "tier" in row:
            words = [row["name"], text(lang, f"tier_{row['tier']}"), text(lang, "likeness", x=row["similarity"])]
            made.append((" · ".join(words), row["name"]))
    return made


def known_choices(lang: str) -> list[tuple[str, str]]:
    """The same without loading anything: only the automatic choice until the page has opened the engine."""
    return choices(lang) if _known else [(text(lang, "voice_auto"), ""), *enrolled(lang)]


def sample(chosen: str, speak: str, style: Style, lang: str) -> bytes:
    """A short sentence in the chosen voice at the style's rate and pitch, as the bytes of a WAV file."""
    from linly import audio
    from linly.ui.greetings import GREETINGS

    named = {v.id: v for v in voices(speak)}
    known = next((row for row in listed() if row["name"] == chosen), None)
    code = named[chosen].languages[0] if chosen in named and named[chosen].languages else lang
    code = known["language"] if known and known.get("language") in GREETINGS else code
    engine = registry.open_engine("speak", speak or registry.default("speak"))
    voice = library.find_voice(engine, chosen, code)
    said = engine.speak(GREETINGS.get(code, GREETINGS["en"]), voice, replace(style, language=code))
    path = jobs.folder(jobs.root()) / "voice.wav"
    audio.write_wav(audio.concat(u.audio for u in said), path)
    try:
        return path.read_bytes()
    finally:
        path.unlink()
        path.parent.rmdir()
