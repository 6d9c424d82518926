"""`linly voice add|fit|list|test|rename|export|import|remove`: enrolled voices on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from linly.cli_actions import actions
from linly.values import Progress

Result = dict[str, Any]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The actions of `linly voice`."""
    action = actions(parser)
    add = action("add", "take a person's voice from recordings and keep it under a name")
    add.add_argument("name", metavar="NAME", help="in any language")
    add.add_argument("files", nargs="+", type=Path, metavar="FILE", help="recordings, or videos with sound")
    add.add_argument("--consent", required=True, metavar="TEXT", help="who agreed to be imitated, and to what")
    add.add_argument("--denoise", action="store_true", help="take steady noise out")
    add.add_argument("--text", default="", metavar="TEXT", help="what is said, where the recogniser would err")
    add.add_argument(
        "--tier", choices=("closest", "fitted"), default="closest",
        help="closest: the nearest stock voices, in seconds; fitted: the model adapted to the person, in minutes",
    )  # fmt: skip
    fit = action("fit", "adapt the model to a voice that is kept here, in minutes; after a stop it goes on")
    fit.add_argument("name", metavar="NAME")
    fit.add_argument("--minutes", type=float, default=11.0, metavar="N", help="about how long it may take (default 11)")
    action("list", "the voices kept here")
    test = action("test", "let a voice speak a sentence")
    test.add_argument("name", metavar="NAME")
    test.add_argument("--language", choices=("zh", "en"), default="", help="default: the person's own, else English")
    test.add_argument("-o", "--out", type=Path, default=None, metavar="OUT.wav")
    rename = action("rename", "give a voice another name")
    rename.add_argument("name", metavar="NAME")
    rename.add_argument("new", metavar="NEW")
    export = action("export", "write a voice to one file")
    export.add_argument("name", metavar="NAME")
    export.add_argument("file", type=Path, metavar="FILE.zip")
    taken = action("import", "take in a voice that was exported")
    taken.add_argument("file", type=Path, metavar="FILE.zip")
    taken.add_argument("--name", default="", metavar="NAME", help="under another name than its own")
    action("remove", "forget a voice, its recordings too").add_argument("name", metavar="NAME")


def run(a: argparse.Namespace, progress: Progress | None = None) -> Result:
    """What the action found or did. Raises InputError (one sentence) for recordings or a name that will not do."""
    from linly import voices

    if a.action == "add":
        voices.add(
            a.name, a.files, consent=a.consent, denoise=a.denoise, text=a.text, tier=a.tier, progress=progress,
        )  # fmt: skip
        return _flat(voices.info(a.name))
    if a.action == "fit":
        voices.fit(a.name, progress, a.minutes)
        return _flat(voices.info(a.name))
    if a.action == "test":
        return _test(a)
    if a.action == "rename":
        return {"renamed": a.name, "name": voices.rename(a.name, a.new)}
    if a.action == "export":
        return {"exported": a.name, "file": str(voices.export(a.name, a.file))}
    if a.action == "import":
        return {"imported": voices.import_(a.file, a.name)}
    if a.action == "remove":
        voices.remove(a.name)
        return {"removed": a.name}
    return {"voices": [_flat(voices.info(name)) for name in voices.names()]}


def _flat(info: Result) -> Result:
    """The figures of the check beside what is known of the voice."""
    return {**{key: value for key, value in info.items() if key != "report"}, **info["report"]}


def _test(a: argparse.Namespace) -> Result:
    from linly import audio, files, voices

    known = voices.info(a.name)
    out = files.check_writable(a.out or Path(f"{known['name']}.wav"))
    language = a.language or ("zh" if known["report"]["language"] == "zh" else "en")
    said = voices.preview(a.name, language)
    audio.write_wav(said, out)
    keys = ("name", "engine", "tier", "similarity")
    return {**{key: known[key] for key in keys}, "file": str(out), "seconds": round(said.seconds, 2)}


def lines(a: argparse.Namespace, result: Result) -> list[str]:
    """The result of `run` in words, for people."""
    if a.action == "list":
        rows = [
            f"{kept['name']:24} {kept['language']:3} {kept['tier']:8} likeness {kept['similarity']:.2f}"
            f"  {kept['speech_seconds']:5.1f} s  {kept['added'][:10]}"
            for kept in result["voices"]
        ]
        return rows or ["no voice is kept here yet: `python -m linly voice add NAME FILE --consent TEXT`"]
    if a.action == "fit":
        return [f"{result['name']}: {result['tier']}, likeness {result['similarity']:.2f}", result["why_en"]]
    if a.action == "add":
        found = (
            f"{result['speech_seconds']:.1f} s of speech, {result['snr_db']:.0f} dB over the noise;"
            f" {result['tier']}, likeness {result['similarity']:.2f}"
        )
        heard = f"heard ({result['language']}): {result['text']}" if result["text"] else ""
        advice = [f"- {one['en']}" for one in result["advice"]] or ["a good sample: nothing is in the way"]
        return [f"kept as {result['name']}", found, *([heard] if heard else []), result["why_en"], *advice]
    if a.action == "test":
        return [f"{result['file']}: {result['seconds']:.1f} s as {result['name']} ({result['tier']})"]
    if a.action == "rename":
        return [f"renamed: {result['renamed']} is {result['name']} now"]
    if a.action == "export":
        return [f"exported: {result['file']}"]
    return [f"{what}: {name}" for what, name in result.items()]
