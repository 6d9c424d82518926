"""What the Render tab does, as plain functions: what comes from the page in, values and words out."""

from __future__ import annotations

import base64
import functools
import io
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from linly import library, pipeline, registry, settings
from linly.errors import Cancelled, InputError
from linly.job import RenderJob, Report
from linly.ui import jobs
from linly.ui.strings import duration, language_name, text
from linly.values import Style, Voice

OWN = "own"
"""the portrait choice that stands for an uploaded photo"""
VOICE_LANGUAGES = ("zh", "en", "es", "fr", "hi", "it", "ja", "pt")
RUNNER = jobs.Runner()


@dataclass(frozen=True)
class Form:
    """What the page's controls hold, in their order."""

    portrait: str = ""
    """name of a sample, OWN, or empty for one that fits the voice"""
    photo: str | None = None
    """uploaded picture"""
    voice: str = ""
    source: str = "text"
    """"text" or "sound": which of the next two counts"""
    script: str = ""
    sound: str | None = None
    rate: float = 1.0
    expression: float = 1.0
    head: float = 1.0
    language: str = "auto"
    emotion: str = "auto"
    size: str = "512"
    fps: float = 25
    subtitles: str = "none"
    speak: str = ""
    draw: str = ""
    seed: float = 0

    def style(self) -> Style:
        """Raises InputError with the limits for a number outside them."""
        try:
            return Style(
                self.language, float(self.rate), float(self.expression), float(self.head), self.emotion, self.size,
                int(self.fps or 25), int(self.seed or 0),
            )  # fmt: skip
        except ValueError as error:
            raise InputError(f"{error}.") from error

    def job(self, preview: str = "") -> RenderJob:
        """The job in a private folder of its own. Raises InputError for what the user must change."""
        style, spoken = self.style(), self.source == "text"
        if spoken and not self.script.strip():
            raise InputError("There is nothing to say: give a text or a sound file.")
        if not spoken and not self.sound:
            raise InputError("Record or choose a sound first.")
        portrait = self._portrait()
        voice = self._voice(style) if spoken else ""
        name = jobs.safe_name(self.script.strip()[:24] if spoken else Path(str(self.sound)).stem)
        folder = jobs.folder(job_root())
        return RenderJob(
            out=folder / f"{name}{'.png' if preview == 'frame' else '.mp4'}",
            text=self.script if spoken else "",
            audio=None if spoken else Path(str(self.sound)),
            portrait=portrait,
            voice=voice,
            style=style,
            subtitles=self.subtitles,
            preview=preview,
            engines={kind: name for kind, name in (("speak", self.speak), ("draw", self.draw)) if name},
        )

    def _portrait(self) -> str:
        """Never a path that a visitor typed: a sample's name, or the file that the page itself took in."""
        if self.portrait == OWN or (self.photo and not self.portrait):
            if not self.photo:
                raise InputError("Choose a photo first, or take one of the samples.")
            return self.photo
        if self.portrait and self.portrait not in [s.name for s in library.samples()]:
            raise InputError(f"There is no sample portrait called {self.portrait!r}.")
        return self.portrait

    def _voice(self, style: Style) -> str:
        """The voice asked for; for a sample portrait without one, a voice of its gender that speaks the language."""
        gender = next((s.gender for s in library.samples() if s.name == self.portrait), "")
        if self.voice or not gender:
            return self.voice
        from linly.text.language import detect

        language = detect(self.script) if style.language == "auto" else style.language
        fitting = [v for v in voices(self.speak) if language in v.languages and v.gender == gender]
        return fitting[0].id if fitting else ""


def job_root() -> Path:
    """Where jobs lie: in the folder from which the page may hand out files."""
    from gradio.utils import get_upload_folder

    return Path(get_upload_folder())


@dataclass
class Step:
    """What the page shows at one moment of a render."""

    busy: bool
    stage: str = "load"
    fraction: float = 0.0
    left: float | None = None
    before: int = 0
    stopping: bool = False
    report: Report | None = None
    error: BaseException | None = None
    still: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


_running: dict[str, jobs.Job] = {}
_voices_known = False


def render(form: Form, preview: str = "", session: str = "") -> Iterator[Step]:
    """Run the form's job in its turn; a Step whenever something changed, the last one with a report or an error."""
    try:
        described = form.job(preview)
    except Exception as error:
        yield Step(busy=False, error=error)
        return
    if session in _running:
        _running[session].stop()
    job = RUNNER.submit(lambda tell: pipeline.render(described, tell))
    _running[session] = job
    try:
        yield from _watch(job)
        yield Step(busy=False, report=job.result, error=job.error, still=preview == "frame")
    finally:  # also when the visitor has left
        job.stop()
        if _running.get(session) is job:
            del _running[session]


def _watch(job: jobs.Job) -> Iterator[Step]:
    shown: Any = None
    while True:
        left = job.left
        step = Step(True, job.stage, job.fraction, left, RUNNER.before(job), job.stopping)
        seen = (step.stage, round(100 * step.fraction), left and round(left), step.before, step.stopping)
        if seen != shown:
            shown = seen
            yield step
        if job.wait(0.15) or (job.stopping and job.stage == "wait"):
            if job.stage == "wait" and job.error is None:
                job.error = Cancelled("Stopped; nothing half-made was left behind.")
            return


def stop(session: str) -> bool:
    """Stop the session's running render; False if there is none."""
    job = _running.get(session)
    if job:
        job.stop()
    return job is not None


def render_now(form: Form) -> Report:
    """The same job for scripts: wait for it and give the report. Raises what went wrong."""
    *_, last = render(form, session=f"api-{random.getrandbits(64)}")
    if last.error:
        raise last.error
    assert last.report
    return last.report


def check_portrait(path: str | None, draw: str = "") -> dict[str, Any]:
    """What the draw engine says of a photo, `ok` and `advice` ({"en", "zh"} each) among it."""
    if not path:
        raise InputError("Choose a photo first, or take one of the samples.")
    from linly.pictures import load_image

    engine = registry.open_engine("draw", draw or registry.default("draw"))
    report = dict(engine.prepare(load_image(path), "photo").report)
    return {"ok": not report.get("advice"), **report}


def voices(speak: str = "") -> list[Voice]:
    """The voices of a speak engine (empty: the default one)."""
    global _voices_known
    found = list(registry.open_engine("speak", speak or registry.default("speak")).voices())
    _voices_known = True
    return found


def voice_choices(lang: str, speak: str = "") -> list[tuple[str, str]]:
    """Labels and ids of all voices: the page's language first, then the others, women and men apart."""
    try:
        found = voices(speak)
    except Exception:  # no models yet: the page says so elsewhere
        found = []
    order = sorted(VOICE_LANGUAGES, key=lambda code: code != lang)

    def place(voice: Voice) -> tuple[int, str]:
        spoken = [order.index(code) for code in voice.languages if code in order]
        return (min(spoken, default=len(order)), voice.gender)

    def label(voice: Voice) -> str:
        parts = [voice.name, *(language_name(lang, code) for code in voice.languages)]
        return " · ".join(parts + ([text(lang, voice.gender)] if voice.gender else []))

    return [(text(lang, "voice_auto"), ""), *((label(v), v.id) for v in sorted(found, key=place))]


def known_voice_choices(lang: str) -> list[tuple[str, str]]:
    """The same without loading anything: only the automatic choice until the page has opened the engine."""
    return voice_choices(lang) if _voices_known else [(text(lang, "voice_auto"), "")]


def voice_sample(form: Form, lang: str) -> bytes:
    """A short sentence in the chosen voice, as the bytes of a WAV file."""
    from linly import audio
    from linly.ui.greetings import GREETINGS

    named = {v.id: v for v in voices(form.speak)}
    chosen = form.voice or form._voice(form.style())
    code = named[chosen].languages[0] if chosen in named and named[chosen].languages else lang
    engine = registry.open_engine("speak", form.speak or registry.default("speak"))
    voice = library.find_voice(engine, chosen, code)
    said = engine.speak(GREETINGS.get(code, GREETINGS["en"]), voice, Style(language=code, rate=float(form.rate)))
    path = jobs.folder(job_root()) / "voice.wav"
    audio.write_wav(audio.concat(u.audio for u in said), path)
    try:
        return path.read_bytes()
    finally:
        path.unlink()
        path.parent.rmdir()


def count(script: str, rate: float, lang: str) -> tuple[str, bool]:
    """How long the script is, in words, and whether it can be rendered."""
    from linly.text.sentences import seconds

    characters, most = len(script.strip()), settings.load().max_characters
    if not characters:
        return text(lang, "count_none"), True
    if len(script) > most:
        return text(lang, "count_over", n=f"{len(script):,}", most=f"{most:,}"), False
    return text(lang, "count", n=f"{characters:,}", s=duration(lang, max(1.0, seconds(script) / rate))), True


def read_script(path: str) -> str:
    """The text of an opened .txt or .md file. Raises InputError."""
    from linly.text.files import read_text

    return read_text(Path(path))


def new_seed() -> int:
    """For a variation."""
    return random.randint(1, 99999)


@functools.lru_cache(maxsize=64)
def _thumbnail(path: str, stamp: int, side: int) -> str:
    from PIL import Image

    from linly.pictures import load_image

    picture = Image.fromarray(load_image(path, max_side=side))
    picture.thumbnail((side, side))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=84)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def thumbnail(path: str | os.PathLike[str], side: int) -> str:
    """A small JPEG of a picture as a data address, so that the page needs no path of this machine."""
    return _thumbnail(str(path), os.stat(path).st_mtime_ns, side)


def facts(report: Report, lang: str) -> list[tuple[str, str]]:
    """The report in words."""
    width, height = report.size
    total = report.timings.get("total", 0.0)
    picture = text(lang, "fact_picture_is", w=width, h=height, fps=f"{report.fps:g}")
    what = "fact_what_is" if report.marks.get("label") else "fact_what_plain"
    advice = report.portrait_report.get("advice", ())
    notes = [a[lang] if isinstance(a, dict) and lang in a else str(a) for a in advice] or list(report.warnings)
    rows = [
        ("fact_length", duration(lang, report.seconds)),
        ("fact_picture", picture),
        ("fact_time", text(lang, "fact_time_is", t=duration(lang, total), x=f"{report.realtime_factor:.2f}")),
        ("fact_voice", report.voice),
        ("fact_language", language_name(lang, report.language)),
        ("fact_portrait", portrait_title(report.portrait, lang)),
        ("fact_engines", ", ".join(f"{kind} {name}" for kind, name in report.engines.items())),
        ("fact_seed", str(report.seed)),
        ("fact_what", text(lang, what)),
        ("fact_notes", " ".join(notes)),
    ]
    return [(text(lang, key), value) for key, value in rows if value]


def portrait_title(name: str, lang: str) -> str:
    """What a sample is called on the page."""
    for sample in library.samples():
        if sample.name == name:
            return sample.title_zh if lang == "zh" else sample.title_en
    return name
