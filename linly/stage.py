"""The person, ready to be drawn: found by name or file, prepared or loaded, cropped, framed, before a background."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

from linly import backdrop, framing, library, portraits, registry
from linly.errors import InputError
from linly.pictures import load_image
from linly.values import Portrait, Style, Voice

KEPT = 12
"""portraits kept ready in each stage of preparation, so that a second render of the same face starts at once"""
VIDEOS = frozenset({".mp4", ".mov", ".webm", ".mkv", ".m4v", ".avi"})
"""suffixes of files that are taken as a video of the person"""

_kept: OrderedDict[Hashable, Portrait] = OrderedDict()
_lock = threading.RLock()


def staged(draw: Any, wish: str, voice: Voice | None, style: Style) -> Portrait:
    """The portrait `wish` (see library.find_portrait) as `style` wants it shown; draw: the opened draw engine.

    What was staged once is the same object again, so that engines know it.
    Raises InputError for a name, picture or background that will not do.
    """
    path, name = library.find_portrait(wish, voice)
    enrolled, crop = bool(wish) and portraits.called(wish) == name, crop_of(wish, style)
    made = (id(draw), *_stamp(path))
    scenery = (style.background, *_stamp(Path(style.background)))
    placed = ("placed", made, crop, style.frame, scenery)
    with _lock:
        if placed not in _kept:
            backdrop.check(style.background)  # before the long work, not after it
        found = _once(("found", made), lambda: _found(draw, path, name, enrolled))
        framed = _once(("framed", made, crop, style.frame), lambda: framing.framed(found, crop, style.frame))
        return _once(placed, lambda: backdrop.placed(framed, style.background))


def crop_of(wish: str, style: Style) -> str:
    """One of CROPS: what `style` asks for, else as the portrait was enrolled, else the whole photo."""
    if style.crop != "auto":
        return style.crop
    return str(portraits.info(wish)["crop"]) if wish and portraits.called(wish) else "whole"


def is_video(path: Path) -> bool:
    """Whether a portrait file is a video, by its suffix."""
    return path.suffix.lower() in VIDEOS


def _found(draw: Any, path: Path, name: str, enrolled: bool) -> Portrait:
    if enrolled:
        loaded = portraits.load(name, draw)
        assert loaded is not None
        return loaded
    engine = registry.name_of(draw)
    if not is_video(path):
        photo: Portrait = draw.prepare(load_image(path), name)
        return photo
    if "clip" not in registry.card("draw", engine).can:
        raise InputError(f"{path.name} is a video, and the draw engine {engine!r} animates photos only: give a photo.")
    clip: Portrait = draw.prepare_clip(path, name)
    return clip


def _once(key: Hashable, make: Callable[[], Portrait]) -> Portrait:
    """What was made under this key, or made now."""
    if key not in _kept:
        _kept[key] = make()
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    _kept.move_to_end(key)
    return _kept[key]


def _stamp(path: Path) -> tuple[str, int]:
    """A file as it is now; a changed file is another one."""
    try:
        return str(path), path.stat().st_mtime_ns
    except (OSError, ValueError):  # no file of this name: a word
        return str(path), 0
