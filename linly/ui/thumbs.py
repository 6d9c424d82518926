"""Pictures as data addresses, so that the page needs no path of this machine; tiles that show them."""

from __future__ import annotations

import base64
import functools
import io
import json
import os
from collections.abc import Iterable

from linly.values import Image


def address(image: Image, side: int) -> str:
    """A small JPEG of (h, w, 3) RGB uint8, its longer side at most `side` pixels, as a data address."""
    from PIL import Image as Pillow

    picture = Pillow.fromarray(image)
    picture.thumbnail((side, side))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=86)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


@functools.lru_cache(maxsize=64)
def _of_file(path: str, stamp: int, side: int) -> str:
    from linly.pictures import load_image

    return address(load_image(path, max_side=side), side)


def of_file(path: str | os.PathLike[str], side: int) -> str:
    """The same for a picture file. Raises InputError."""
    return _of_file(str(path), os.stat(path).st_mtime_ns, side)


def rules(picker: str, pictures: Iterable[tuple[str, str]]) -> str:
    """Style rules that put pictures (value, data address) on the tiles of the radio `picker`."""
    made = []
    for value, where in pictures:
        quoted = json.dumps(value, ensure_ascii=False).replace("<", "\\3c ")
        made.append(f"{picker} label:has(input[value={quoted}])::before{{background-image:url({where})}}")
    return "\n".join(made)
