"""`linly portrait check|add|list|remove`: the portrait check and the enrolled portraits on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from linly.cli_actions import actions
from linly.values import CROPS


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The actions of `linly portrait`."""
    action = actions(parser)
    check = action("check", "is this photo a portrait that can talk?")
    check.add_argument("file", type=Path, metavar="FILE")
    add = action("add", "keep a photo under a name, ready to talk")
    add.add_argument("name", metavar="NAME", help="in any language")
    add.add_argument("file", type=Path, metavar="FILE")
    add.add_argument("--crop", choices=CROPS, default="whole", help="how much of the photo to show (default whole)")
    add.add_argument("--light", action="store_true", help="level shadow and darkness on the face")
    add.add_argument("--denoise", action="store_true", help="clean the grain")
    add.add_argument("--consent", default="", metavar="TEXT", help="who agreed to be shown talking, and to what")
    action("list", "the portraits kept here")
    action("remove", "forget a portrait, its photo too").add_argument("name", metavar="NAME")


def run(a: argparse.Namespace) -> dict[str, Any]:
    """What the action found or did. Raises InputError (one sentence) for a picture or a name that will not do."""
    from linly import portraits, registry

    if a.action == "check":
        from linly.pictures import load_image

        engine = registry.open_engine("draw", registry.default("draw"))
        return dict(engine.prepare(load_image(a.file), a.file.stem).report)
    if a.action == "add":
        added = portraits.add(
            a.name, a.file, crop=a.crop, light=a.light, denoise=a.denoise, consent=a.consent,
        )  # fmt: skip
        return {"name": added.id, **added.report}
    if a.action == "remove":
        portraits.remove(a.name)
        return {"removed": a.name}
    return {"portraits": [portraits.info(name) for name in portraits.names()]}


def lines(a: argparse.Namespace, result: dict[str, Any]) -> list[str]:
    """The result of `run` in words, for people."""
    if a.action == "remove":
        return [f"removed: {result['removed']}"]
    if a.action == "list":
        rows = []
        for kept in result["portraits"]:
            size, score = "x".join(map(str, kept["size"])), kept["report"].get("score", 0)
            rows.append(f"{kept['name']:24} {size:10} score {score:.2f}  {kept['added'][:10]}")
        return rows or ["no portrait is kept here yet: `python -m linly portrait add NAME FILE`"]
    said = [f"kept as {result['name']}"] if a.action == "add" else []
    found = [
        f"face {result['face_width']} pixels wide, turned {round(result['yaw'])}, tipped {round(result['pitch'])},"
        f" leaning {round(result['roll'])} degrees; score {result['score']:.2f}"
    ]
    return said + found + ([f"- {a['en']}" for a in result["advice"]] or ["a good portrait: nothing is in the way"])
