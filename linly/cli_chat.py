"""`linly chat`: one turn of a conversation, from a question to a video of the answer."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

from linly.errors import InputError
from linly.values import SIZES, Progress

if TYPE_CHECKING:
    from linly.chat.memory import Diary
    from linly.chat.talk import Question

Result = dict[str, Any]
QUICK = 30.0
"""seconds of a recording that an engine's quick way takes, where it has one"""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `linly chat`."""
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--text", help="the question")
    asked.add_argument("--audio", type=Path, metavar="FILE", help="the question as a recording")
    parser.add_argument("--persona", default="", metavar="FILE", help="who answers: a persona file, or a sample's name")
    parser.add_argument("--portrait", default="", metavar="NAME|FILE", help="as in render; default the persona's")
    parser.add_argument("--voice", default="", metavar="NAME|FILE", help="as in render; default the persona's")
    parser.add_argument(
        "--user", default="", metavar="NAME", help="go on with this user's conversation, and remember it (default: not)"
    )
    parser.add_argument("--language", default="auto", help="auto, zh, en, … (default auto)")
    parser.add_argument("--size", choices=SIZES, default="512")
    parser.add_argument("--subtitles", choices=("none", "srt", "vtt", "burn"), default="none")
    for kind in ("think", "hear", "speak", "draw"):
        parser.add_argument(f"--{kind}", default="", metavar="ENGINE", help=f"the {kind} engine")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="OUT.mp4")


def run(a: argparse.Namespace, progress: Progress | None = None) -> Result:
    """heard, reply, sources, language, error (empty, or why the language model failed), first_text_s, first_token_s,
    first_clause_s, first_audio_s, first_frame_s (seconds from the end of the question, models loaded), and what
    `render` tells of the video."""
    from linly import registry
    from linly.chat import persona as personas
    from linly.chat.knowledge import Knowledge
    from linly.chat.talk import Conversation
    from linly.job import RenderJob
    from linly.pipeline import render
    from linly.values import Style

    persona = personas.load(a.persona) if a.persona else personas.Persona()
    brain = registry.open_engine("think", a.think or registry.default("think", "answers"))
    question, heard_in = _question(a, persona.language)
    with _diary(a.user, persona.name) as diary:
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
                a.out, pieces=pieces(), portrait=a.portrait or persona.portrait, voice=a.voice or persona.voice,
                style=Style(language=question.language, size=a.size), subtitles=a.subtitles,
                engines={kind: getattr(a, kind) for kind in ("speak", "draw") if getattr(a, kind)},
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


def lines(result: Result) -> list[str]:
    """The result in words."""
    shown = [f"heard: {result['heard']}", f"reply: {result['reply']}"]
    shown += [f"note: {result['error']}"] if result["error"] else []
    shown += [f"from: {source}" for source in result["sources"]]
    times = ", ".join(
        f"{what} {result[f'first_{key}_s']:.1f} s"
        for what, key in (("text", "text"), ("word", "token"), ("sound", "audio"), ("picture", "frame"))
        if result[f"first_{key}_s"] is not None
    )
    return [*shown, f"after the question: {times}", f"{result['video']}: {result['seconds']:.1f} s of video"]


def _question(a: argparse.Namespace, usual: str) -> tuple[Question, float]:
    """What is asked, and the seconds that hearing it took."""
    from linly import audio as sound
    from linly import registry, settings
    from linly.chat.talk import Question
    from linly.text.language import detect

    wanted = usual if a.language == "auto" else a.language
    if a.text is not None:
        if not a.text.strip():
            raise InputError("The question is empty: type one.")
        return Question(a.text.strip(), wanted if wanted != "auto" else detect(a.text)), 0.0
    recorded = sound.load(a.audio, max_seconds=settings.load().max_sound_minutes * 60, rate=16000)
    hear = registry.open_engine("hear", a.hear or registry.default("hear"))
    began = perf_counter()
    brief = recorded.seconds <= QUICK and hasattr(hear, "quick")
    heard = hear.quick(recorded, wanted) if brief else hear.hear(recorded, wanted)
    if not heard.text.strip():
        raise InputError(f"Nobody asks anything in {a.audio.name}: record it again, closer to the microphone.")
    return Question(heard.text.strip(), heard.language or "en"), perf_counter() - began


@contextmanager
def _diary(user: str, persona: str) -> Iterator[Diary]:
    """What is remembered of a user; of nobody in particular only as long as this turn lasts."""
    from linly.chat.memory import Memory, default_path

    with TemporaryDirectory(prefix="linly-chat-") as folder:
        memory = Memory(default_path() if user else Path(folder) / "memory.sqlite")
        try:
            yield memory.diary(user or "nobody", persona)
        finally:
            memory.close()
