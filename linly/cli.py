"""The command line: the same jobs as the page. One verb a function; heavy modules load inside the verb."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from linly import __version__, cli_audience, cli_batch, cli_chat, cli_portrait, cli_voice, heap, lexicon
from linly.cli_bar import Bar, clear_line, heed_interrupts
from linly.errors import Cancelled, InputError, LinlyError
from linly.values import CROPS, EMOTIONS, FRAMES, SIZES, Style

Result = dict[str, Any]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code: 0, 2 for bad input, 1 for a failure, 130 when interrupted."""
    arguments = _parser().parse_args(argv)
    level = logging.DEBUG if arguments.debug else logging.ERROR
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
    heap.few_arenas()
    heed_interrupts()
    try:
        result = arguments.run(arguments)
    except KeyboardInterrupt:
        return _fail(arguments, Cancelled("Stopped; nothing half-made was left behind."))
    except LinlyError as error:
        return _fail(arguments, error)
    except Exception as error:
        if arguments.debug:
            raise
        return _fail(
            arguments, LinlyError(f"Something broke inside ({type(error).__name__}: {error}); --debug shows where.")
        )
    if arguments.json:
        print(json.dumps(result, ensure_ascii=False, default=str))
    return int(result.get("exit", 0))


def _fail(arguments: argparse.Namespace, error: LinlyError) -> int:
    if arguments.debug and not isinstance(error, Cancelled):
        logging.getLogger(__name__).debug("the error in full", exc_info=error)
    clear_line()
    print(f"linly: {error}", file=sys.stderr)
    if arguments.json:
        print(json.dumps({"error": str(error), "kind": type(error).__name__}, ensure_ascii=False))
    return error.exit_code


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="last line of standard output: one JSON object")
    common.add_argument("--debug", action="store_true", help="show the log and, on failure, where it broke")
    parser = argparse.ArgumentParser(prog="linly", description="One portrait and a voice become a person who talks.")
    parser.add_argument("--version", action="version", version=f"linly {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, run: Callable[[argparse.Namespace], Result], help: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=help, description=help, parents=[common])
        added.set_defaults(run=run)
        return added

    _render_flags(verb("render", render, "make a video of a portrait that says a text or follows a recording"))
    cli_portrait.add_flags(verb("portrait", portrait, "check photos, and keep portraits under a name"))
    cli_voice.add_flags(verb("voice", voice, "take people's voices from recordings, and keep them under a name"))
    cli_chat.add_flags(verb("chat", chat, "answer a question: a video of a portrait that says what a model thinks"))
    cli_audience.add_flags(
        verb("audience", audience, "a portrait that answers an audience's questions, to a file or an RTMP server")
    )
    cli_batch.add_flags(verb("batch", batch, "lectures: a video of every script and deck, in one go"))
    weights = verb("weights", weights_verb, "the model files: list, pull or verify them")
    weights.add_argument("action", choices=("list", "pull", "verify"))
    weights.add_argument("names", nargs="*", metavar="NAME")
    weights.add_argument("--default", action="store_true", help="the default set")
    weights.add_argument("--all", action="store_true", help="every model of the manifest")
    verb("voices", voices, "the voices that can be spoken with")
    verb("doctor", doctor, "what works on this machine, and why not")
    bench = verb("bench", bench_verb, "time every stage and print a table")
    bench.add_argument("--seconds", type=float, default=30, help="length of the clip, about (default 30)")
    bench.add_argument("--size", choices=SIZES, default="512")
    bench.add_argument("--languages", default="zh,en", help="comma-separated (default zh,en)")
    bench.add_argument(
        "--voices",
        nargs="*",
        metavar="NAME[=FILE]|FILE",
        help="likeness (to another recording FILE of the person), errors and speed of voices instead (default: all)",
    )
    bench.add_argument(
        "--chat",
        type=int,
        metavar="TURNS",
        help="turns of a conversation a language instead: seconds to answer",
    )
    serve = verb("serve", serve_verb, "open the page")
    serve.add_argument("rest", nargs=argparse.REMAINDER, help="flags of app.py, for instance --port 7860")
    return parser


def _render_flags(p: argparse.ArgumentParser) -> None:
    source = p.add_mutually_exclusive_group(required=True)
    source.add_argument("--text", help="what to say")
    source.add_argument("--script", type=Path, metavar="FILE", help="a .txt or .md file with what to say")
    source.add_argument("--audio", type=Path, metavar="FILE", help="a recording (or a video's sound) to follow")
    p.add_argument(
        "--portrait", default="", metavar="NAME|FILE", help="an enrolled or a sample's name, a photo or a short video"
    )
    p.add_argument(
        "--voice", default="", metavar="NAME|FILE", help="see `python -m linly voices`, an enrolled name or a recording"
    )
    p.add_argument("--rate", type=float, default=1.0, help="speed of speech, 0.5..2 (default 1)")
    p.add_argument("--pitch", type=float, default=0.0, help="semitones up or down, -6..6 (default 0)")
    p.add_argument("--lexicon", type=Path, metavar="FILE", help="how words are read, one `word = reading` a line")
    p.add_argument("--expression", type=float, default=1.0, help="articulation and liveliness, 0..2 (default 1)")
    p.add_argument("--head", type=float, default=1.0, help="head movement, 0..2 (default 1)")
    p.add_argument("--emotion", choices=EMOTIONS, default="auto")
    p.add_argument("--size", choices=SIZES, default="512", help="longer side in pixels, with --frame the shorter one")
    p.add_argument("--crop", choices=("auto", *CROPS), default="auto", help="how much of the photo is shown")
    p.add_argument("--frame", choices=FRAMES, default="photo", help="shape of the picture (default the photo's own)")
    p.add_argument("--background", default="keep", metavar="keep|blur|transparent|#RRGGBB|FILE")
    p.add_argument("--fps", type=int, default=25, help="frames a second, 10..60 (default 25)")
    p.add_argument("--preview", choices=("frame", "short"), default="", help="one picture, or the first 3 seconds")
    p.add_argument("--subtitles", choices=("none", "srt", "vtt", "burn"), default="none")
    p.add_argument("--language", default="auto", help="auto, zh, en, … (default auto)")
    for kind in ("speak", "draw", "move", "hear"):
        p.add_argument(f"--{kind}", default="", metavar="ENGINE", help=f"the {kind} engine")
    p.add_argument("--seed", type=int, default=0, help="same seed, same video")
    p.add_argument("--sidecar", action="store_true", help="also write the timing of words and phonemes as OUT.json")
    p.add_argument("-o", "--out", type=Path, required=True, metavar="OUT.mp4")


def render(a: argparse.Namespace) -> Result:
    """The main job."""
    from linly.pipeline import RenderJob
    from linly.pipeline import render as run

    try:
        style = Style(
            language=a.language, rate=a.rate, pitch=a.pitch, lexicon=lexicon.load(a.lexicon) if a.lexicon else (),
            expression=a.expression, head=a.head, emotion=a.emotion, size=a.size, fps=a.fps, seed=a.seed, crop=a.crop,
            frame=a.frame, background=a.background,
        )  # fmt: skip
    except ValueError as error:
        raise InputError(f"{str(error)[0].upper()}{str(error)[1:]}.") from error
    job = RenderJob(
        out=a.out, text=_script(a.script) if a.script else a.text or "", audio=a.audio, portrait=a.portrait,
        voice=a.voice, style=style, subtitles=a.subtitles, sidecar=a.sidecar, preview=a.preview,
        engines={k: getattr(a, k) for k in ("speak", "draw", "move", "hear") if getattr(a, k)},
    )  # fmt: skip
    report = run(job, Bar())
    clear_line()
    for warning in report.warnings:
        print(f"note: {warning}", file=sys.stderr)
    if not a.json:
        t = report.timings
        stages = ", ".join(f"{k} {v:.1f}" for k, v in t.items() if k != "total" and v >= 0.05)
        print(f"{report.video}: {report.seconds:.1f} s of video in {t['total']:.1f} s ({stages})")
    return report.json()


def _script(path: Path) -> str:
    from linly.text.files import read_text

    return read_text(path)


def portrait(a: argparse.Namespace) -> Result:
    """Photos and enrolled portraits."""
    result = cli_portrait.run(a)
    if not a.json:
        print("\n".join(cli_portrait.lines(a, result)))
    return result


def voice(a: argparse.Namespace) -> Result:
    """Enrolled voices."""
    result = cli_voice.run(a, Bar())
    clear_line()
    if not a.json:
        print("\n".join(cli_voice.lines(a, result)))
    return result


def chat(a: argparse.Namespace) -> Result:
    """One turn of a conversation."""
    result = cli_chat.run(a, Bar())
    clear_line()
    if not a.json:
        print("\n".join(cli_chat.lines(result)))
    return result


def audience(a: argparse.Namespace) -> Result:
    """Questions of an audience, answered in turn."""
    result = cli_audience.run(a)
    if not a.json:
        print("\n".join(cli_audience.lines(result)))
    return result


def batch(a: argparse.Namespace) -> Result:
    """Lectures."""
    result = cli_batch.run(a)
    clear_line()
    if not a.json:
        print("\n".join(cli_batch.lines(result)))
    return result


def weights_verb(a: argparse.Namespace) -> Result:
    """List, pull or verify the model files."""
    from linly import weights

    rows = weights.listing()
    known = [row["name"] for row in rows]
    unknown = [name for name in a.names if name not in known]
    if unknown:
        raise InputError(f"There is no model called {unknown[0]!r}; the manifest has {', '.join(known)}.")
    if a.action == "list":
        if not a.json:
            for row in rows:
                state = "ready" if row["ready"] else "default, not here yet" if row["default"] else "not here"
                use = "" if row["commercial"] else ", not for commercial use"
                print(
                    f"{row['name']:22} {row['bytes'] / 1e6:7.1f} MB  {state:22} {row['licence']}{use} - {row['title']}"
                )
        return {"models": rows}
    chosen = a.names or (known if a.all else list(weights.default_names()))
    if a.action == "pull":
        weights.pull(chosen, Bar())
        clear_line()
        if not a.json:
            print(f"ready: {', '.join(chosen)}")
        return {"ready": chosen}
    if not a.names and not a.all:  # besides the default set, whatever else has been begun here
        chosen += [row["name"] for row in rows if not row["default"] and (row["ready"] or row["problem"])]
    problems = weights.verify(chosen)
    if not a.json:
        print("\n".join(str(p) for p in problems) or "every model file is as the manifest says")
    return {"problems": problems, "exit": 1 if problems else 0}


def voices(a: argparse.Namespace) -> Result:
    """The voices of every ready speak engine, those enrolled here first."""
    from linly import registry
    from linly import voices as enrolled

    kept = [v for v in map(enrolled.load, enrolled.names()) if v]
    rows = [
        {"id": v.id, "name": v.name, "engine": v.engine, "languages": v.languages, "gender": v.gender, "tier": v.tier}
        for v in kept
    ]
    for name in registry.names("speak"):
        if registry.why_not("speak", name):
            continue
        for v in registry.open_engine("speak", name).voices():
            rows.append({"id": v.id, "name": v.name, "engine": name, "languages": v.languages, "gender": v.gender})
    if not a.json:
        for row in rows:
            print(f"{row['id']:16} {row['name']:24} {','.join(row['languages']):6} {row['gender']:7} {row['engine']}")
    return {"voices": rows}


def doctor(a: argparse.Namespace) -> Result:
    """What works here and why not."""
    from linly.doctor import examine

    result = examine()
    if not a.json:
        print("\n".join(result["lines"]))
    return result


def bench_verb(a: argparse.Namespace) -> Result:
    """Stage-by-stage figures, or those of voices."""
    from linly import bench, bench_voices

    if a.chat:
        from linly import bench_chat

        rows, table = bench_chat.run(a.languages.split(","), a.chat, a.size, {}, Bar()), bench_chat.table
    elif a.voices is None:
        rows, table = bench.run(a.languages.split(","), a.seconds, a.size, Bar()), bench.table
    else:
        rows, table = bench_voices.run(a.voices, Bar()), bench_voices.table
    clear_line()
    if not a.json:
        print(table(rows))
    return {"rows": rows}


def serve_verb(a: argparse.Namespace) -> Result:
    """Open the page: the same as `python app.py`."""
    from linly.settings import ROOT

    os.execv(sys.executable, [sys.executable, str(ROOT / "app.py"), *a.rest])
