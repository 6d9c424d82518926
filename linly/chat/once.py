"""One turn of a conversation as a video: a question in, text or recording, and the answer out as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from linly import audio as sound
from linly import registry, settings
from linly.chat.knowledge import Knowledge
from linly.chat.memory import Diary, Memory, default_path
from linly.chat.persona import Persona
from linly.chat.talk import Conversation, Question
from linly.errors import InputError
from linly.job import RenderJob
from linly.pipeline import render
from linly.text.language import detect
from linly.values import Progress, Style

QUICK = 30.0
"""seconds of a recording that an engine's quick way takes, where it has one"""


@dataclass(frozen=True)
class Asked:
    """A question, and who is to answer it."""

    out: Path
    """where the video goes"""
    text: str = ""
    audio: Path | None = None
    """the question as a recording, if there is no text"""
    persona: Persona = field(default_factory=Persona)
    portrait: str = ""
    """as RenderJob.portrait; empty: the persona's"""
    voice: str = ""
    user: str = ""
    """whose conversation goes on; empty: nothing is remembered"""
    language: str = "auto"
    size: str = "512"
    subtitles: str = "none"
    engines: Mapping[str, str] = field(default_factory=dict)
    """by kind: think, hear, speak, draw; else the first that is ready"""


def answer(asked: Asked, progress: Progress | None = None) -> dict[str, Any]:
    """heard, reply, sources, language, error (empty, or why the language model failed), first_text_s, first_token_s,
    first_clause_s, first_audio_s, first_frame_s (seconds from the end of the question, models loaded), and what
    `render` tells of the video. Raises InputError and EngineUnavailable."""
    persona, named = asked.persona, asked.engines
    brain = registry.open_engine("think", named.get("think") or registry.default("think", "answers"))
    question, heard_in = _question(asked)
    with _diary(asked.user, persona.name) as diary:
        knowledge = Knowledge(Path(persona.knowledge)) if persona.knowledge else None
        turn = Conversation(brain, persona, diary, knowledge, diary.latest()).ask(question)
        began, loaded = perf_counter(), 0.0

        def pieces() -> Iterator[str]:
            nonlocal loaded
            loaded = perf_counter() - began - heard_in  # reading models and photo is not the conversation's time
            turn.begin(heard_in)
            yield from turn.clauses()

        report = render(
            RenderJob(
                asked.out, pieces=pieces(), portrait=asked.portrait or persona.portrait,
                voice=asked.voice or persona.voice, style=Style(language=question.language, size=asked.size),
                subtitles=asked.subtitles, engines={kind: named[kind] for kind in ("speak", "draw") if kind in named},
            ),
            progress,
        )  # fmt: skip
        turn.finish()
    said = turn.report
    return {
        "heard": said.heard, "reply": said.reply, "language": said.language, "sources": said.sources,
        "error": said.error, "first_text_s": said.text_s, "first_token_s": said.token_s,
        "first_clause_s": said.clause_s, "first_audio_s": round(report.first["speak"] - loaded, 3),
        "first_frame_s": round(report.first["draw"] - loaded, 3), "think": registry.name_of(brain), **report.json(),
    }  # fmt: skip


def _question(asked: Asked) -> tuple[Question, float]:
    """What is asked, and the seconds that hearing it took."""
    wanted = asked.persona.language if asked.language == "auto" else asked.language
    if asked.audio is None:
        if not asked.text.strip():
            raise InputError("The question is empty: type one.")
        return Question(asked.text.strip(), wanted if wanted != "auto" else detect(asked.text)), 0.0
    recorded = sound.load(asked.audio, max_seconds=settings.load().max_sound_minutes * 60, rate=16000)
    hear = registry.open_engine("hear", asked.engines.get("hear") or registry.default("hear"))
    began = perf_counter()
    brief = recorded.seconds <= QUICK and hasattr(hear, "quick")
    heard = hear.quick(recorded, wanted) if brief else hear.hear(recorded, wanted)
    if not heard.text.strip():
        raise InputError(f"Nobody asks anything in {asked.audio.name}: record it again, closer to the microphone.")
    return Question(heard.text.strip(), heard.language or "en"), perf_counter() - began


@contextmanager
def _diary(user: str, persona: str) -> Iterator[Diary]:
    """What is remembered of a user; of nobody in particular only as long as this turn lasts."""
    with TemporaryDirectory(prefix="linly-chat-") as folder:
        memory = Memory(default_path() if user else Path(folder) / "memory.sqlite")
        try:
            yield memory.diary(user or "nobody", persona)
        finally:
            memory.close()
