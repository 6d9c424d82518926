"""What the Voice tab does, as plain functions: check recordings, let the clone speak, keep, fit and export it."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from linly import audio, enrolment, library, registry, voices, weights
from linly.enrolment import Sample
from linly.errors import InputError
from linly.ui import jobs, models
from linly.ui import voices as voice_list
from linly.values import Audio, Style, Voice

MINUTES = 11.0
"""about how long fitting may take"""
EXAMPLE = (
    "This is a made up person who reads a few sentences aloud. The morning train crosses the river twice, and on"
    " clear days you can see the mountains behind the town. How long would you like to stay with us?"
)
"""what the sample says; a stock voice speaks it"""
_FITS = jobs.Runner()
_fits: dict[str, jobs.Job] = {}


@dataclass(frozen=True)
class Wish:
    """What the tab's controls hold, in their order."""

    medium: str = "record"
    """"record" or "files": which of the next two counts"""
    recording: str | None = None
    recordings: Sequence[str] | None = None
    denoise: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """The files that count; none yet: empty."""
        if self.medium == "files":
            return tuple(self.recordings or ())
        return (self.recording,) if self.recording else ()


def look(wish: Wish) -> Sample:
    """The wish's recordings, checked. Raises InputError with what is wrong with them."""
    if not wish.files:
        raise InputError("Record your voice or choose a recording first.")
    try:
        stamps = tuple(os.stat(path).st_mtime_ns for path in wish.files)
    except OSError as error:
        raise InputError("The recording is gone from this page: choose it again.") from error
    return _look(wish.files, stamps, bool(wish.denoise))


@functools.lru_cache(maxsize=4)
def _look(paths: tuple[str, ...], stamps: tuple[int, ...], denoise: bool) -> Sample:
    return enrolment.check(paths, denoise=denoise)


def wav(sound: Audio, name: str) -> str:
    """A WAV file in a private folder from which the page may hand it out."""
    return str(audio.write_wav(sound, jobs.folder(jobs.root()) / f"{jobs.safe_name(name)}.wav"))


def example() -> str:
    """A recording to try the tab with: a stock voice that speaks about twelve seconds."""
    engine = registry.open_engine("speak", voices.ENGINE)
    voice = library.find_voice(engine, "am_michael", "en")
    said = [one.audio for one in engine.speak(EXAMPLE, voice, Style(language="en"))]
    return wav(audio.concat(said), "sample")


def trial(wish: Wish, language: str) -> tuple[Voice, str]:
    """The closest voice to the recordings, though nothing is kept, and a sentence in it as a file."""
    sample = look(wish)
    voice = voices.from_sample(sample, "trial")
    engine = registry.open_engine("speak", voice.engine)
    said = engine.speak(voices.PREVIEWS[language], voice, Style(language=language))
    return voice, wav(audio.concat(one.audio for one in said), "clone")


def check(files: Sequence[str] | None, denoise: bool = False) -> dict[str, Any]:
    """What the speech check says of recordings."""
    return dict(look(Wish("files", None, list(files or ()), denoise)).report)


def add(
    name: str, files: Sequence[str] | None, denoise: bool = False, text: str = "", consent: str = ""
) -> dict[str, Any]:
    """Keep a person's voice under a name; what `about` says of it. Raises InputError for what will not do.

    text: what is said, where the recogniser erred; empty: as it was heard.
    """
    check_own()
    wish = Wish("files", None, list(files or ()), denoise)
    sample = look(wish)
    if len(consent.strip()) < 4:
        raise InputError("Write in a sentence whose voice it is and what they agreed to.")
    corrected = " ".join(text.split())
    if corrected and corrected != sample.transcript.text:
        transcript = enrolment.understood(sample.speech, corrected)
        report = {**sample.report, "text": transcript.text, "language": transcript.language}
        sample = replace(sample, transcript=transcript, report=report)
    voices.add(name, wish.files, consent=consent, denoise=bool(denoise), text=corrected, sample=sample)
    return about(voices.called(name))


def about(name: str) -> dict[str, Any]:
    """What is known of an enrolled voice; no path of this machine. Raises InputError."""
    return voices.info(name)


def test(name: str, language: str = "") -> str:
    """A sentence in an enrolled voice, as a WAV file. Raises InputError."""
    known = about(name)
    code = language or ("zh" if known["report"]["language"] == "zh" else "en")
    return wav(voices.preview(name, code), known["name"])


def own(name: str) -> str:
    """The person's own speech, as a WAV file. Raises InputError."""
    path = jobs.folder(jobs.root()) / "own.wav"
    shutil.copyfile(voices.reference(name), path)
    return str(path)


def rename(name: str, new: str) -> list[dict[str, Any]]:
    """Give a voice another name; all voices then. Raises InputError."""
    check_own()
    old = voices.called(name)
    kept = voices.rename(name, new)
    if old in _fits:
        _fits[kept] = _fits.pop(old)
    return voice_list.listed()


def remove(name: str) -> list[dict[str, Any]]:
    """Forget a voice; those that are left. Raises InputError."""
    check_own()
    voices.remove(name)
    return voice_list.listed()


def export(name: str) -> str:
    """A voice as one file. Raises InputError."""
    check_own()
    known = voices.called(name) or name
    return str(voices.export(known, jobs.folder(jobs.root()) / f"{jobs.safe_name(known)}.zip"))


def take(file: str | None, name: str = "") -> dict[str, Any]:
    """Take in an exported voice; what `about` says of it. Raises InputError."""
    check_own()
    if not file:
        raise InputError("Choose the .zip file of an exported voice first.")
    return about(voices.import_(file, name))


def fit(name: str) -> jobs.Job:
    """Put the fitting of a voice in line, one is done at a time; the job that it is in already, if it is."""
    check_own()
    known = about(name)["name"]
    if not fitting(known):
        _fits[known] = _FITS.submit(lambda tell: voices.fit(known, tell, MINUTES))
    return _fits[known]


def fit_of(name: str | None) -> jobs.Job | None:
    """The last fitting of a voice, if there was one since the app began."""
    return _fits.get(voices.called(name)) if name else None


def fitting(name: str | None) -> bool:
    """Whether it is in line or at work."""
    job = fit_of(name)
    return job is not None and not job.wait(0)


def before_fit(job: jobs.Job) -> int:
    """How many fittings are done first."""
    return _FITS.before(job)


def cancel_fit(name: str) -> bool:
    """Stop the fitting; False if there is none. It goes on from there when it is asked for again."""
    check_own()
    if not fitting(name):
        return False
    job = fit_of(name)
    assert job is not None
    job.stop()
    return True


def fit_now(name: str) -> dict[str, Any]:
    """For scripts: fit, and wait for it. Raises what went wrong."""
    job = fit(name)
    while not job.wait(1.0):
        pass
    if job.error:
        raise job.error
    return about(name)


def check_own() -> None:
    """Raise InputError on a shared Space: nothing that a visitor does may reach another's page."""
    if not models.may_change():
        raise InputError("On a shared Space no voice is kept: listen to yours here, and install Linly to keep it.")


LINES: Mapping[str, tuple[str, ...]] = {
    "length": ("short",),
    "noise": ("noisy",),
    "level": ("clipped", "quiet"),
    "band": ("narrow",),
    "room": ("echo", "music"),
    "alone": ("another_voice",),
}
"""the lines of the quality card, and the advice that speaks against each"""


def quality(report: Mapping[str, Any]) -> list[tuple[str, float, bool]]:
    """The lines: name, how full its bar is (0..1), and whether nothing speaks against it."""
    against = {str(one.get("key", "")) for one in report.get("advice", ())}
    filled = {
        "length": report["speech_seconds"] / 15,
        "noise": report["snr_db"] / 40,
        "level": 1 - 20 * report["clipping"] - max(0.0, -30 - report["level_db"]) / 20,
        "band": report["bandwidth_hz"] / 11000,
        "room": 1.05 - report["reverb_s"] / 1.2 - (0.5 if report["music"] else 0),
        "alone": 1.0 if report["speakers"] == 1 else 0.4,
    }
    return [(line, min(1.0, max(0.05, filled[line])), not against & set(keys)) for line, keys in LINES.items()]


def zero_shot() -> list[dict[str, Any]]:
    """The engines that speak from a short sample: name, title, why it is not ready (empty: it is), whether its package
    is here, its models that are not here, their bytes and licences."""
    rows = []
    for name in registry.names("speak"):
        card = registry.card("speak", name)
        if "clones" not in card.can:
            continue
        lacking = [row for row in weights.listing() if row["name"] in card.weights and not row["ready"]]
        rows.append({
            "name": name,
            "title": card.title,
            "why": registry.why_not("speak", name),
            "package": all(importable(package) for package in card.packages),
            "lacking": [row["name"] for row in lacking],
            "bytes": sum(row["bytes"] for row in lacking),
            "licences": list(dict.fromkeys(row["licence"] for row in lacking)) or [card.licence],
        })  # fmt: skip
    return rows


def importable(package: str) -> bool:
    """Whether a Python package is here, without loading it."""
    import importlib.util

    return importlib.util.find_spec(package) is not None
