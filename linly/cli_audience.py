"""`linly audience`: a person before an audience, to a window, a file or an RTMP server."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from linly.errors import InputError
from linly.values import SIZES

if TYPE_CHECKING:
    from linly.chat.audience import Questions
    from linly.chat.host import Host, Report
    from linly.chat.persona import Persona

Result = dict[str, Any]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `linly audience`."""
    parser.add_argument("--questions", type=Path, metavar="FILE", help=".txt, .csv (name,text) or .jsonl")
    parser.add_argument("--block", type=Path, metavar="FILE", help="words that are not wanted, one a line")
    parser.add_argument("--port", type=int, metavar="N", help="questions by HTTP and websocket, and a window to watch")
    parser.add_argument("--listen", nargs="?", const="0.0.0.0", default="127.0.0.1", metavar="HOST",
                        help="take them from beyond this machine; demands --token")  # fmt: skip
    parser.add_argument("--token", default="", help="password of the port; or LINLY_TOKEN")
    parser.add_argument("--forever", action="store_true", help="go on when the file's questions are answered")
    parser.add_argument("--minutes", type=float, metavar="M", help="end after so long")
    parser.add_argument("--persona", default="", metavar="FILE", help="who answers: a persona file, or a sample's name")
    parser.add_argument("--portrait", default="", metavar="NAME|FILE", help="as in render; default the persona's")
    parser.add_argument("--voice", default="", metavar="NAME|FILE", help="as in render; default the persona's")
    parser.add_argument("--language", default="auto", help="auto (each question's), zh, en, …")
    parser.add_argument("--size", choices=SIZES, default="512")
    for kind in ("think", "speak", "draw"):
        parser.add_argument(f"--{kind}", default="", metavar="ENGINE", help=f"the {kind} engine")
    parser.add_argument("--rtmp", default="", metavar="URL", help="publish to rtmp://server/app/key")
    parser.add_argument("-o", "--out", type=Path, metavar="OUT.mp4", help="keep it as a video")


def run(a: argparse.Namespace) -> Result:
    """answered, failed (of these, by the language model), taken, refused (by reason), seconds, late (pictures), size,
    fps, note, video (path or empty), rtmp (calls, dropped, says; or empty)."""
    from linly.chat.sinks import checked

    if a.out is None and not a.rtmp and a.port is None:
        raise InputError("Say where the stream goes: -o OUT.mp4, --rtmp URL, or --port N for a window in the browser.")
    if a.questions is None and a.port is None:
        raise InputError("Say where questions come from: --questions FILE, or --port N.")
    if a.minutes is not None and not 0 < a.minutes <= 60 * 24 * 7:
        raise InputError("--minutes must be more than 0, and a week at most.")
    if a.rtmp:
        checked(a.rtmp)
    if a.out is not None:
        if a.out.suffix.lower() != ".mp4":
            raise InputError(f"{a.out.name}: the video is an MP4, give it a name that ends in .mp4.")
        from linly.video import check_writable

        check_writable(a.out)
    questions = _questions(a)
    with ExitStack() as stack:
        return _shown(a, questions, stack)


def lines(result: Result) -> list[str]:
    """The result in words."""
    refused = ", ".join(f"{count} {why}" for why, count in result["refused"].items())
    shown = [f"note: {result['note']}"] if result["note"] else []
    shown.append(
        f"{result['answered']} answered, {result['taken']} taken" + (f", not taken: {refused}" * bool(refused))
    )
    shown += [f"note: {result['rtmp']['says']}"] if result["rtmp"] and result["rtmp"]["says"] else []
    return [*shown, f"{result['video'] or 'the stream'}: {result['seconds']:.1f} s, {result['late']} late pictures"]


def _questions(a: argparse.Namespace) -> Questions:
    from linly.chat.audience import Questions, Rules, read, words_of

    listed = read(a.questions) if a.questions else []
    rules = Rules(block=words_of(a.block) if a.block else ())
    questions = Questions(Rules(block=rules.block, most=max(rules.most, len(listed))))
    for text, name in listed:
        questions.add(text, name, listed=True)
    return questions


def _shown(a: argparse.Namespace, questions: Questions, stack: ExitStack) -> Result:
    from linly import registry, settings
    from linly.chat import persona as personas
    from linly.chat.doors import Doors
    from linly.chat.host import Host
    from linly.chat.pace import affordable
    from linly.chat.person import Person
    from linly.chat.record import Recording
    from linly.chat.sinks import Broadcast
    from linly.chat.window import Window
    from linly.library import find_voice
    from linly.stage import staged
    from linly.values import Style, Voice

    who = personas.load(a.persona) if a.persona else personas.Persona()
    wishes = {"think": "answers", "speak": "timings", "move": "timings", "draw": None}
    opened = {
        kind: registry.open_engine(kind, getattr(a, kind, "") or registry.default(kind, capability))
        for kind, capability in wishes.items()
    }
    fixed = a.language if a.language != "auto" else who.language if who.language != "auto" else ""
    asked = [q.text for q in questions.waiting()[:1]]
    language = fixed or _first(asked)
    wish, kept = a.voice or who.voice, dict[str, Voice]()

    def voice(of: str) -> Voice:
        if of not in kept:
            kept[of] = find_voice(opened["speak"], wish, of)
        return kept[of]

    style = Style(language=language, size=a.size)
    portrait = staged(opened["draw"], a.portrait or who.portrait, voice(language), style)
    pace = affordable(opened["move"], opened["draw"], portrait, style)
    person = stack.enter_context(Person(opened["move"], opened["draw"], portrait, pace.style, language=language))
    converse = stack.enter_context(_conversations(opened["think"], who, fixed))
    as_shown = (person.size, pace.style.fps, person.rate)
    doors = window = None
    if a.port is not None:
        window = stack.enter_context(closing(Window(*as_shown)))
        doors = Doors(questions, a.port, a.listen, a.token or settings.load().token, window)
        stack.enter_context(doors)
    kept_file = Recording(a.out, *as_shown) if a.out is not None else None
    cast = Broadcast(a.rtmp, *as_shown) if a.rtmp else None
    host = Host(
        person, questions, converse, lambda of: (opened["speak"], voice(of), pace.style),
        [sink for sink in (kept_file, cast, window) if sink], forever=a.forever or doors is not None,
        told=doors.told if doors else None,
    )  # fmt: skip
    report, video = _run(host, a.minutes, kept_file, cast)
    sent = {"calls": cast.calls, "dropped": cast.dropped, "says": cast.says} if cast else {}
    return {
        **report.json(), "size": person.size, "fps": pace.style.fps, "note": pace.says, "video": video, "rtmp": sent,
    }  # fmt: skip


def _run(host: Host, minutes: float | None, kept: Any, cast: Any) -> tuple[Report, str]:
    """The show until its end; Ctrl-C ends it in order. The report, and the video's path."""
    try:
        try:
            report = host.run(minutes and 60 * minutes)
        except KeyboardInterrupt:
            report = host.report
    except BaseException:
        if kept:
            kept.abort()
        if cast:
            cast.close()
        raise
    if cast:
        cast.close()
    return report, str(kept.finish().path) if kept else ""


@contextmanager
def _conversations(brain: Any, who: Persona, language: str) -> Iterator[Any]:
    """Each asker's own conversation by their name, remembered as long as the show lasts; the nameless get a new one."""
    from dataclasses import replace

    from linly.chat.knowledge import Knowledge
    from linly.chat.memory import Memory
    from linly.chat.talk import Conversation

    persona = replace(who, language=language) if language else who
    knowledge = Knowledge(Path(persona.knowledge)) if persona.knowledge else None
    with TemporaryDirectory(prefix="linly-audience-") as folder:
        memory = Memory(Path(folder) / "memory.sqlite")
        nameless = 0

        def converse(name: str) -> Conversation:
            nonlocal nameless
            nameless += not name
            diary = memory.diary(name or f"viewer {nameless}", persona.name)
            return Conversation(brain, persona, diary, knowledge, diary.latest())

        try:
            yield converse
        finally:
            memory.close()


def _first(asked: list[str]) -> str:
    from linly.text.language import detect

    return detect(asked[0]) if asked else "en"
