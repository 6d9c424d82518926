"""What the Portrait tab does, as plain functions: check a photo, show it before and after, keep it, say hello."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linly import library, portraits, registry, stage
from linly.errors import EngineUnavailable, InputError
from linly.job import RenderJob
from linly.ui import handlers, jobs, models, thumbs
from linly.ui.form import OWN, OWN_CLIP
from linly.ui.strings import text
from linly.values import CROPS, Image, Style

CHECKS: Mapping[str, frozenset[str]] = {
    "frontal": frozenset({"turned", "looking_up", "looking_down", "tilted"}),
    "light": frozenset({"dark", "bright", "light_left", "light_right"}),
    "sharp": frozenset({"blurred", "small_face"}),
    "mouth": frozenset({"mouth_open"}),
    "eyes": frozenset({"eyes_closed", "sunglasses"}),
    "clear": frozenset({"cut_edge", "eye_hidden"}),
    "alone": frozenset({"several_faces"}),
}
"""the lines of the verdict, and the advice that speaks against each; what no line knows is in the way of the face"""
HOPELESS: Mapping[str, frozenset[str]] = {
    "frontal": frozenset({"side_face", "steep_face", "upside_down", "sideways", "too_tilted"}),
    "sharp": frozenset({"small_picture", "tiny_face"}),
    "clear": frozenset({"cut_off", "mouth_hidden"}),
}
"""the same for the reasons to refuse a photo"""
DAMAGED = (InputError, OSError, ValueError, KeyError)
"""what files that somebody has changed by hand may raise"""
UNREADY = (*DAMAGED, EngineUnavailable)
"""the same, or the models are not here yet and what an older version kept cannot be prepared anew"""
LEAST_CONSENT = 4
"""characters"""
SIDE = 720
"""pixels of the pictures before and after"""


@dataclass(frozen=True)
class Wish:
    """What the tab's controls hold, in their order."""

    medium: str = "photo"
    """"photo" or "clip": which of the next two counts"""
    photo: str | None = None
    clip: str | None = None
    crop: str = "whole"
    light: bool = False
    denoise: bool = False

    @property
    def file(self) -> str:
        """The file that counts; empty if there is none yet."""
        return (self.clip if self.medium == "clip" else self.photo) or ""


@dataclass(frozen=True, eq=False)
class Look:
    """A photo before and after, and what the check found in what comes out."""

    before: Image
    after: Image | None
    """None for one that was refused"""
    report: Mapping[str, Any]


def names() -> list[str]:
    """Names of the enrolled portraits, but for those that the picker could not tell from its other choices."""
    return [name for name in portraits.names() if name not in _reserved()]


def _reserved() -> list[str]:
    return [OWN, OWN_CLIP, *(s.name for s in library.samples())]


def check(photo: str | None, crop: str = "whole", light: bool = False, denoise: bool = False) -> dict[str, Any]:
    """What the draw engine says of a photo or video, `ok` and `advice` ({"en", "zh"} each) among it."""
    if not photo:
        raise InputError("Choose a photo first, or take one of the samples.")
    report = dict(look(Wish("photo", photo, None, crop, light, denoise)).report)
    return {"ok": not report.get("advice"), **report}


def look(wish: Wish) -> Look:
    """The wish's file before and after. Raises InputError with what is wrong with it."""
    if not wish.file:
        raise InputError("Choose a photo first, or take one of the samples.")
    if wish.crop not in CROPS:
        raise InputError(f"There is no crop {wish.crop!r}; choose one of {', '.join(CROPS)}.")
    try:
        stamp = os.stat(wish.file).st_mtime_ns
    except OSError as error:
        raise InputError("The photo is gone from this page: choose it again.") from error
    return _look(wish.file, stamp, wish.crop, bool(wish.light), bool(wish.denoise))


@functools.lru_cache(maxsize=4)
def _look(path: str, stamp: int, crop: str, light: bool, denoise: bool) -> Look:
    from linly.framing import framed

    engine = registry.open_engine("draw", registry.default("draw"))
    plain = stage.staged(engine, path, None, Style())
    if stage.is_video(Path(path)) or not (light or denoise):
        shown = stage.staged(engine, path, None, Style(crop=crop))
        return Look(plain.image, shown.image, plain.report)
    mended = portraits.mended(plain, light, denoise, engine)
    return Look(plain.image, framed(mended, crop, "photo").image, mended.report)


def first_picture(path: str) -> str:
    """The best picture of a video, as a data address. Raises InputError."""
    return thumbs.address(look(Wish("clip", None, path)).before, 900)


def score(report: Mapping[str, Any]) -> int:
    """How well a portrait will talk, 0 to 100."""
    value = float(report.get("score", 0.0))
    return max(0, min(100, round(100 * value if value <= 1 else value)))


def grade(points: int) -> str:
    """A score as a key of the string table: best, good, fair or poor."""
    return next(word for least, word in ((85, "best"), (70, "good"), (50, "fair"), (0, "poor")) if points >= least)


def checks(report: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """The lines of the verdict: name of the check, and whether it is passed."""
    against = {str(a.get("key", "")) for a in report.get("advice", ()) if isinstance(a, Mapping)}
    known = frozenset().union(*CHECKS.values())
    failed = {name for name, keys in CHECKS.items() if keys & against}
    failed |= {"clear"} if against - known else set()
    return [(name, name not in failed) for name in CHECKS]


def failed(refusal: BaseException) -> list[tuple[str, bool]]:
    """The line of the verdict that speaks against a refused photo, if it is known."""
    from linly.face.words import REFUSED

    beginnings = {key: english.partition("{")[0] for key, (english, _) in REFUSED.items()}
    key = next((key for key, begins in beginnings.items() if str(refusal).startswith(begins)), "")
    return [(name, False) for name, keys in HOPELESS.items() if key in keys]


def hello(wish: Wish, session: str, lang: str) -> Iterator[handlers.Step]:
    """A short video of this portrait as it would be kept, in the page's language, with no need to keep it."""
    try:
        seen, folder = look(wish), jobs.folder(jobs.root())
        portrait, crop = wish.file, wish.crop
        if wish.medium == "photo" and seen.after is not None:  # what is shown as "after" is what talks
            from linly.video import write_png

            portrait, crop = str(write_png(seen.after, folder / "portrait.png")), "whole"
        style = Style(language=lang, emotion="happy", crop=crop)
        job = RenderJob(folder / "hello.mp4", text=text(lang, "hello_script"), portrait=portrait, style=style)
    except Exception as error:
        yield handlers.Step(busy=False, error=error)
        return
    yield from handlers.run(job, f"{session}-hello")


def stop_hello(session: str) -> bool:
    """Stop the session's hello; False if there is none."""
    return handlers.stop(f"{session}-hello")


def add(
    name: str, photo: str | None, crop: str = "whole", light: bool = False, denoise: bool = False, consent: str = ""
) -> dict[str, Any]:
    """Keep a photo under a name; what `about` says of it. Raises InputError for what is missing or will not do."""
    _check_own()
    if not photo:
        raise InputError("Choose a photo first, or take one of the samples.")
    if len(consent.strip()) < LEAST_CONSENT:
        raise InputError("Write in a sentence who is in the picture and what they agreed to.")
    if stage.is_video(Path(photo)):
        raise InputError("Only photos can be saved: choose the video in the Render tab each time.")
    tidy = " ".join(name.split())
    if tidy.casefold() in [reserved.casefold() for reserved in _reserved()]:
        raise InputError(f"The name {tidy!r} belongs to a sample: choose another.")
    portraits.add(name, photo, crop=crop, light=bool(light), denoise=bool(denoise), consent=consent)
    return about(portraits.called(name))


def about(name: str) -> dict[str, Any]:
    """Name, date, score, crop and report of an enrolled portrait; no path of this machine. Raises InputError."""
    known = portraits.info(name)
    shown = ("name", "added", "crop", "light", "denoise", "consent", "size", "report")
    return {"score": score(known["report"]), **{key: known[key] for key in shown if key in known}}


def listed() -> list[dict[str, Any]]:
    """Every enrolled portrait, without its report; of one that is damaged only its name, and that it is."""
    rows = []
    for name in portraits.names():
        try:
            rows.append({key: value for key, value in about(name).items() if key != "report"})
        except DAMAGED:
            rows.append({"name": name, "damaged": True})
        except EngineUnavailable:
            rows.append({"name": name})
    return rows


def remove(name: str) -> list[dict[str, Any]]:
    """Forget an enrolled portrait; those that are left. Raises InputError if there is none of that name."""
    _check_own()
    portraits.remove(name)
    return listed()


def _check_own() -> None:
    """Raise InputError on a shared Space: nothing that a visitor does may reach another's page."""
    if not models.may_change():
        raise InputError("On a shared Space nothing is kept: choose your photo in the Render tab each time.")


def crop_of(name: str) -> str:
    """The crop that an enrolled portrait was kept with; of all others the whole photo."""
    try:
        return str(portraits.info(name)["crop"]) if name in names() else "whole"
    except UNREADY:
        return "whole"


def thumbnail(name: str, side: int = 240) -> str:
    """The face of an enrolled portrait, square; above 300 pixels the portrait as it will be shown. A data address."""
    try:
        return _thumbnail(name, portraits.picture(name).stat().st_mtime_ns, side)
    except UNREADY:  # or removed a moment ago: no picture
        return ""


@functools.lru_cache(maxsize=128)
def _thumbnail(name: str, stamp: int, side: int) -> str:
    from linly.framing import framed

    portrait = portraits.load(name)
    if portrait is None:
        return ""
    crop, frame = ("head", "1:1") if side <= 300 else (crop_of(name), "photo")
    return thumbs.address(framed(portrait, crop, frame).image, side)


def changed(seen: Look) -> bool:
    """Whether there is a difference between before and after."""
    import numpy as np

    return seen.after is not None and not np.array_equal(seen.before, seen.after)
