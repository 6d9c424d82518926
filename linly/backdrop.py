"""What is behind the person: blurred, a colour, a picture or nothing at all, without a rim of the old background."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linly.errors import InputError
from linly.face.frame import OVAL
from linly.pictures import load_image
from linly.values import BACKGROUNDS, Floats, Image, Portrait

COLOURS = {"white": (255, 255, 255), "black": (0, 0, 0), "green": (0, 177, 64)}
"""Colours by name; the green is that of studio walls."""
WORKING = 900
"""The outline is found on a picture whose longer side has at most so many pixels, and then follows the full one."""
FOUND = 0.75
"""With less of the face than this in the matte, there is no outline to cut along."""
UNSURE = 0.08
"""With more of the picture than this half transparent, the outline is called uncertain."""
BLUR = 0.022
"""radius of the discs that a blurred background is made of, in longer sides"""
ADVICE = {
    "key": "outline_unsure",
    "en": "The outline of the person is uncertain: a photo before a plain, different background cuts out best.",
    "zh": "人物轮廓不够确定：背景单纯、与人物颜色不同的照片抠像效果最好。",
}


def check(background: str) -> None:
    """Raise InputError if `background` is neither a word of BACKGROUNDS, a colour, nor a picture that can be read."""
    if background not in BACKGROUNDS and _colour(background) is None:
        _picture(background)


def placed(portrait: Portrait, background: str) -> Portrait:
    """The person before another background; what is wholly person keeps its pixels.

    background: "keep", "blur", "transparent", a colour (#rrggbb, #rgb or a name of COLOURS) or the path of a picture,
    which covers the frame. The portrait's `plate` is the new background and its matte the finer outline found here.
    "transparent" gives the person on black, premultiplied: image = matte x colours, plate = 0.
    Raises InputError for anything else, a picture that cannot be read, a portrait that is a video, or one whose
    outline was not found.
    """
    if background == "keep":
        return portrait
    if portrait.clip is not None:
        raise InputError("A video portrait keeps its own background: choose the background keep, or use a photo.")
    h, w = portrait.image.shape[:2]
    colour, picture = _colour(background), None
    if background not in BACKGROUNDS and colour is None:
        picture = _covering(_picture(background), (w, h))
    matte, person = _cut_out(portrait)
    plate: Image
    if background == "blur":
        plate = _out_of_focus(portrait, matte)
    elif picture is not None:
        plate = picture
    else:
        plate = np.empty_like(portrait.image)
        plate[...] = colour or (0, 0, 0)
    report = dict(portrait.report)
    if float(((portrait.matte > 0.1) & (portrait.matte < 0.9)).mean()) > UNSURE:
        report["advice"] = [*report.get("advice", ()), ADVICE]
    return replace(portrait, image=_over(person, matte, plate), matte=matte, plate=plate, report=report)


def _colour(words: str) -> tuple[int, int, int] | None:
    """Red, green, blue; None if it is no colour."""
    words = words.strip().lower()
    if words in COLOURS:
        return COLOURS[words]
    if not re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})", words):
        return None
    digits = words[1:] if len(words) == 7 else "".join(2 * d for d in words[1:])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _picture(words: str) -> Image:
    if words.startswith("#") or not words.strip() or not (Path(words).suffix or Path(words).exists()):
        raise InputError(
            f"The background must be {', '.join(BACKGROUNDS)}, a colour as #rrggbb or a picture file, got {words!r}."
        )
    return load_image(words)


def _covering(picture: Image, size: tuple[int, int]) -> Image:
    """The middle of the picture, as large as it can be, at `size` (width, height)."""
    import cv2

    h, w = picture.shape[:2]
    scale = max(size[0] / w, size[1] / h)
    wide, tall = min(w, round(size[0] / scale)), min(h, round(size[1] / scale))
    x, y = (w - wide) // 2, (h - tall) // 2
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture[y : y + tall, x : x + wide], size, interpolation=way), np.uint8)


def _over(person: Image, matte: Floats, plate: Image) -> Image:
    """The person's colours over the plate; row by row in blocks, so that large photos take little memory."""
    made = np.empty_like(person)
    for y in range(0, len(made), 256):
        rows = slice(y, y + 256)
        share = matte[rows, :, None]
        made[rows] = np.rint(person[rows] * share + plate[rows] * (1 - share))
    return made


def _cut_out(portrait: Portrait) -> tuple[Floats, Image]:
    """A finer matte (h, w), and the person's colours (h, w, 3) where the old background shone through.

    Where the matte may err, colours decide (GrabCut, Rother et al. 2004); the line is softened along the picture's own
    edges (guided filter by colour, He et al. 2010, its coefficients enlarged as in He & Sun 2015).
    """
    import cv2

    image, matte = portrait.image, np.clip(portrait.matte, 0, 1)
    h, w = matte.shape
    oval = np.rint(portrait.landmarks[list(OVAL), :2]).astype(np.int32)
    face = cv2.fillPoly(np.zeros((h, w), np.uint8), [oval], 1) > 0
    if float(matte[face].mean() if face.any() else 0) < FOUND:
        raise InputError(
            "The person cannot be told from the background of this picture: keep the background, or use another photo."
        )
    matte = np.where(face, np.float32(1), matte)
    if matte.min() > 0.5:
        return matte, image
    scale = min(1.0, WORKING / max(h, w))
    size = max(2, round(w * scale)), max(2, round(h * scale))
    small: Image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    rough: Floats = cv2.resize(matte, size, interpolation=cv2.INTER_AREA)
    reach = _reach(rough, float(np.ptp(portrait.landmarks[list(OVAL), 0])) * scale)
    inside, outside = _shrunk(rough > 0.9, reach), _shrunk(rough < 0.1, 1.6 * reach)
    line = _by_colour(small, rough, inside, outside)
    tint: Floats = np.divide(small, 255, dtype=np.float32)
    slopes, offset = _guides(tint, line, max(2, round(reach / 2)), 1e-4)
    slopes, offset = (cv2.resize(c, (w, h), interpolation=cv2.INTER_LINEAR) for c in (slopes, offset))
    fine = np.clip((np.einsum("hwc,hwc->hw", slopes, image) / 255 + offset - 0.06) / 0.88, 0, 1).astype(np.float32)
    full = [cv2.resize(m.astype(np.uint8), (w, h), interpolation=cv2.INTER_NEAREST) for m in (inside, outside)]
    fine[full[0] > 0], fine[full[1] > 0] = 1, 0
    return fine, _unmixed(image, fine, tint, cv2.resize(fine, size, interpolation=cv2.INTER_AREA), reach)


def _reach(matte: Floats, face: float) -> float:
    """How far the outline may err, pixels: by the face's width, and by how soft the matte is."""
    soft = float(((matte > 0.1) & (matte < 0.9)).sum())
    person = (matte > 0.5).astype(np.int8)
    length = float(np.abs(np.diff(person, axis=0)).sum() + np.abs(np.diff(person, axis=1)).sum())
    return float(np.clip(max(face / 22, soft / max(length, 1.0)), 2, max(3.0, face / 8)))


def _shrunk(area: NDArray[Any], reach: float) -> NDArray[Any]:
    """What is left of the area at this distance from its border; the picture's edge is no border."""
    import cv2

    side = 2 * max(1, round(reach)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.erode(area.astype(np.uint8), kernel) > 0)


def _by_colour(image: Image, matte: Floats, inside: NDArray[Any], outside: NDArray[Any]) -> Floats:
    """(h, w) 0 or 1: person or not, by colour between what is surely inside and surely outside."""
    import cv2

    guess = np.where(matte > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    marks = np.where(inside, cv2.GC_FGD, np.where(outside, cv2.GC_BGD, guess)).astype(np.uint8)
    if inside.any() and outside.any():
        cv2.setRNGSeed(0)  # the same photo, the same outline
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), marks, None, *models, 3, cv2.GC_INIT_WITH_MASK)
    return np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)


def _guides(image: Floats, mask: Floats, radius: int, epsilon: float) -> tuple[Floats, Floats]:
    """(h, w, 3) and (h, w): slopes . colour + offset is the mask, locally."""
    import cv2

    def mean(x: Any) -> Floats:
        return np.asarray(cv2.boxFilter(x, -1, (2 * radius + 1, 2 * radius + 1)), np.float32)

    colour, level = mean(image), mean(mask)
    with_mask = mean(image * mask[..., None]) - colour * level[..., None]
    spread = np.empty((*mask.shape, 3, 3), np.float32)
    for i in range(3):
        for j in range(i, 3):
            both = mean(image[..., i] * image[..., j]) - colour[..., i] * colour[..., j]
            spread[..., i, j] = spread[..., j, i] = both + epsilon * (i == j)
    slopes = np.linalg.solve(spread, with_mask[..., None])[..., 0]
    offset = level - np.einsum("hwc,hwc->hw", slopes, colour)
    return mean(slopes), mean(offset)


def _unmixed(image: Image, matte: Floats, tint: Floats, share: Floats, reach: float) -> Image:
    """The person's own colours where `matte` is partial (blur fusion, Forte 2021, on the small picture `tint`)."""
    import cv2

    person = behind = tint
    for radius in (8 * reach, max(3.0, reach / 2)):
        side = 2 * round(radius) + 1, 2 * round(radius) + 1
        level = cv2.blur(share, side)[..., None]
        front = cv2.blur(person * share[..., None], side) / (level + 1e-5)
        behind = cv2.blur(behind * (1 - share[..., None]), side) / (1 - level + 1e-5)
        person = np.clip(
            front + share[..., None] * (tint - share[..., None] * front - (1 - share[..., None]) * behind), 0, 1
        )
    size = image.shape[1::-1]
    edge = (matte > 0) & (matte < 1)
    front, behind = (cv2.resize(c, size, interpolation=cv2.INTER_LINEAR)[edge] for c in (front, behind))
    part = matte[edge][:, None]
    own = front + part * (image[edge] / 255 - part * front - (1 - part) * behind)
    made = image.copy()
    made[edge] = np.rint(255 * np.clip(own, 0, 1))
    return made


def _out_of_focus(portrait: Portrait, matte: Floats) -> Image:
    """(h, w, 3) uint8: the background as a lens with a wide aperture shows it: every light becomes a disc."""
    import cv2

    from linly.face.matte import background_plate

    h, w = matte.shape
    scale = min(1.0, 720 / max(h, w))
    size = max(2, round(w * scale)), max(2, round(h * scale))
    source = portrait.image if portrait.plate is None else portrait.plate
    small = cv2.resize(source, size, interpolation=cv2.INTER_AREA)
    if portrait.plate is None:
        covered = np.clip(cv2.resize(np.maximum(matte, portrait.matte), size, interpolation=cv2.INTER_AREA), 0, 1)
        small = np.clip(background_plate(small, covered), 0, 255)
    light = (small.astype(np.float32) / 255) ** 2.2  # light adds up in a lens, not the picture's numbers
    side = 2 * max(2, round(BLUR * max(size))) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)).astype(np.float32)
    light = cv2.filter2D(light, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT)
    light = cv2.resize(cv2.GaussianBlur(light, (0, 0), 0.12 * side), (w, h), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.rint(255 * np.clip(light, 0, 1) ** (1 / 2.2)), np.uint8)
