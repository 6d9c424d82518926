"""The voices to choose from, and how they sound."""

from __future__ import annotations

from linly import library, registry
from linly.ui import jobs
from linly.ui.strings import language_name, text
from linly.values import Style, Voice

LANGUAGES = ("zh", "en", "es", "fr", "hi", "it", "ja", "pt")
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

    return [(text(lang, "voice_auto"), ""), *((label(v), v.id) for v in sorted(found, key=place))]


def known_choices(lang: str) -> list[tuple[str, str]]:
    """The same without loading anything: only the automatic choice until the page has opened the engine."""
    return choices(lang) if _known else [(text(lang, "voice_auto"), "")]


def sample(chosen: str, speak: str, rate: float, lang: str) -> bytes:
    """A short sentence in the chosen voice, as the bytes of a WAV file."""
    from linly import audio
    from linly.ui.greetings import GREETINGS

    named = {v.id: v for v in voices(speak)}
    code = named[chosen].languages[0] if chosen in named and named[chosen].languages else lang
    engine = registry.open_engine("speak", speak or registry.default("speak"))
    voice = library.find_voice(engine, chosen, code)
    said = engine.speak(GREETINGS.get(code, GREETINGS["en"]), voice, Style(language=code, rate=float(rate)))
    path = jobs.folder(jobs.root()) / "voice.wav"
    audio.write_wav(audio.concat(u.audio for u in said), path)
    try:
        return path.read_bytes()
    finally:
        path.unlink()
        path.parent.rmdir()
