"""The upper teeth as a picture fixed to the skull: the photo's own where it shows them, else a row in its light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linly.face.frame import UPPER_CLOSES, Array, MouthFrame, smooth
from linly.face.tone import Tone
from linly.values import Image

BELOW = 0.032
"""how far the upper front teeth reach below the resting upper lip, in mouth widths (about 1.5 mm)"""
EDGES = (0.0, 0.135, 0.245, 0.335, 0.405, 0.46)
"""edges of the upper teeth from the mid-line outwards, in mouth widths"""
SHORTER = (0.0, 0.010, 0.003, 0.016, 0.022)
"""by how much each of them is shorter than the first"""
ROW_END = 0.45
OWN_FROM = 0.06
"""inner-lip gap of the photo from which its own teeth are looked for"""


@dataclass(frozen=True, eq=False)
class Teeth:
    """A picture of the upper row, lit from the front; `corner` is the pixel of the image where it begins (x, y)."""

    corner: tuple[int, int]
    colour: Image
    """(h, w, 3) uint8"""
    cover: Array
    """(h, w) float32: 1 where a tooth is"""
    own: bool
    """the photo's own"""


def upper_teeth(frame: MouthFrame, image: Image, tone: Tone) -> Teeth:
    """The upper teeth of one portrait."""
    import cv2

    top, bottom = frame.lips
    ends = [(u, v) for u in (-0.52, 0.52) for v in (top[:, 1].min() - 0.2, bottom[:, 1].max() + 0.1)]
    pixels = frame.to_pixels(np.array(ends, np.float32))
    h, w = image.shape[:2]
    x0, y0 = (int(c) for c in np.clip(np.floor(pixels.min(axis=0)), 0, (w - 2, h - 2)))
    x1, y1 = (int(c) for c in np.clip(np.ceil(pixels.max(axis=0)), (x0 + 2, y0 + 2), (w, h)))
    u, v = frame.grid(x0, y0, x1 - x0, y1 - y0)
    patch = np.ascontiguousarray(image[y0:y1, x0:x1])
    rest, low = (np.interp(u, line[:, 0], line[:, 1]).astype(np.float32) for line in (top, bottom))
    masks = _own_masks(u, v, rest, low, patch) if frame.gap > OWN_FROM else None
    if masks is None:
        shut = rest + UPPER_CLOSES * (low - rest)  # where the lip hangs while talking, a smiling one too
        middle = float(np.interp(0.0, u[len(u) // 2], shut[len(u) // 2]))
        row = middle + 0.5 * (shut - middle)  # half as curved as the lip that hides it
        colour, cover = _row(u, v, row + BELOW * (1 - 0.9 * (u / 0.43) ** 2), tone.tooth)
        if tone.blur > 0.35:
            colour, cover = (cv2.GaussianBlur(a.astype(np.float32), (0, 0), tone.blur) for a in (colour, cover))
        own = False
    else:
        colour, cover = _with_own(u, v, rest, patch, masks)
        own = True
    return Teeth((x0, y0), np.asarray(np.clip(colour + 0.5, 0, 255), np.uint8), cover.astype(np.float32), own)


def _row(u: Array, v: Array, edge: Array, tooth: Array) -> tuple[Array, Array]:
    """Colour (h, w, 3) and cover (h, w) of an arch of rounded teeth whose lower edge is at v = `edge`."""
    across = np.abs(u)
    edges = np.array(EDGES)
    number = np.clip(np.searchsorted(edges, across, side="right") - 1, 0, len(edges) - 2)
    half = (edges[1:] - edges[:-1])[number] / 2
    x = np.clip((across - edges[number]) / half - 1, -1, 1)
    pointed = number == 2
    rounding = np.where(pointed, 0.016 * np.abs(x) ** 1.6, 0.009 * x**4 + 0.006 * np.maximum(x, 0) ** 3)
    edge = edge - np.array(SHORTER)[number] - rounding
    up = edge - v
    cover = smooth(up, -0.007, 0.007) * smooth(ROW_END - across, 0.0, 0.10)
    between = np.exp(-(((1 - np.abs(x)) * half / 0.007) ** 2))
    shade = (1 - 0.07 * x**2) * (1 - 0.22 * between) * (1 - 0.66 * np.clip(across / ROW_END, 0, 1) ** 1.7)
    shade *= 1 + 0.05 * np.exp(-(((x + 0.25) / 0.35) ** 2)) * np.exp(-(((up - 0.05) / 0.03) ** 2))  # a wet highlight
    warm = np.array([0.0, -0.02, -0.07], np.float32) * smooth(up, 0.03, 0.14)[..., None]  # towards the gum
    clear = 1 - 0.08 * (1 - smooth(up, 0.0, 0.022))  # the biting edge lets the dark behind it through
    light = (shade * clear)[..., None] ** np.array([0.85, 1.0, 1.12], np.float32)
    return tooth * light * (1 + warm), cover


def _with_own(u: Array, v: Array, rest: Array, patch: Image, masks: tuple[Array, Array]) -> tuple[Array, Array]:
    """The photo's own teeth, carried on upwards behind the lip, with darker ones where the photo's row ends."""
    teeth, mask = masks
    shown = mask > 0.5
    tooth = np.median(patch[teeth > 0.5], axis=0).astype(np.float32)
    columns = u[shown]
    left, right = float(np.percentile(columns, 0.4)), float(np.percentile(columns, 99.6))
    fit = _lower_edge(u, v, shown)
    beside, cover = _row(u, v, np.minimum(fit(np.clip(u, left, right)), rest + 0.2).astype(np.float32), tooth)
    beyond = np.maximum(u - right, left - u)
    fading = 1 - smooth(beyond, -0.04, 0.01)
    beside *= 0.6
    cover *= smooth(beyond, -0.10, -0.06) * (1 - smooth(beyond, 0.03, 0.16))
    carried, known = _carried_up(v, rest, patch, teeth, mask)
    own = carried * (1 - 0.35 * smooth(beyond, -0.10, 0.0))[..., None]
    share = (known * fading)[..., None]
    whole = np.maximum(share[..., 0], cover)
    return beside + share * (own - beside), whole


def _lower_edge(u: Array, v: Array, shown: Array) -> np.polynomial.Polynomial:
    """v of the lower edge of the shown teeth as a parabola over u."""
    ends = np.where(shown, v, -9.0).max(axis=0)
    found = ends > -9
    at = u[len(u) // 2][found]
    return np.polynomial.Polynomial.fit(at, ends[found], 2)


def _carried_up(v: Array, rest: Array, patch: Image, teeth: Array, mask: Array) -> tuple[Array, Array]:
    """Colour and mask of the teeth, with what is just below the upper lip carried on above it."""
    import cv2

    step = max(1e-6, float(v[-1, 0] - v[0, 0]) / max(1, len(v) - 1))
    rise = np.maximum(0, rest + 0.055 - v)
    rows = (np.arange(len(v), dtype=np.float32)[:, None] + rise / step).astype(np.float32)
    columns = np.ascontiguousarray(np.broadcast_to(np.arange(v.shape[1], dtype=np.float32), v.shape))
    # Only teeth may be smeared about: lip and gum between them would come along as stripes.
    sure = teeth * smooth(v - rest, 0.03, 0.05)
    reach = (max(3, round(0.12 / step)) | 1, max(3, round(0.08 / step)) | 1)
    even = (
        cv2.blur(patch.astype(np.float32) * sure[..., None], reach) / np.maximum(cv2.blur(sure, reach), 0.01)[..., None]
    )
    clean = 0.86 * even + teeth[..., None] * (patch - 0.86 * even)
    carried, smeared, known = (
        cv2.remap(layer, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for layer in (clean, even, mask)
    )
    carried += (1 - smooth(rise, 0.0, 0.02))[..., None] * (patch - carried)
    far = smooth(rise, 0.035, 0.09)[..., None]
    hidden = 1 - 0.35 * smooth(rise, 0.05, 0.13)  # never seen in the photo: in the lip's shadow
    return (carried + far * (smeared - carried)) * hidden[..., None], known


def _own_masks(u: Array, v: Array, rest: Array, low: Array, patch: Image) -> tuple[Array, Array] | None:
    """Where the photo shows teeth, bright and unsaturated between its lips; (h, w) float32 without and with the
    gaps between them. None if there are too few."""
    import cv2

    between = smooth(v - rest, 0.012, 0.022) * smooth(low - v, 0.018, 0.038) * smooth(0.46 - np.abs(u), 0.0, 0.05)
    high, least = patch.max(axis=-1).astype(np.float32), patch.min(axis=-1).astype(np.float32)
    inside = between > 0.5
    if inside.sum() < 12:
        return None
    bright = max(60.0, 0.42 * float(np.percentile(high[inside], 90)))
    pale = 1 - smooth((high - least) / np.maximum(high, 1), 0.5, 0.7)
    red = (patch[..., 0].astype(np.float32) - patch[..., 1]) / np.maximum(high, 1)
    usual = float(np.median(red[inside & (least >= np.percentile(least[inside], 70))]))
    pale *= 1 - smooth(red - usual, 0.05, 0.13)  # wet lips are bright too, but pink
    tooth = between * smooth(least, bright, 1.5 * bright) * pale
    found = (tooth > 0.5).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(found, connectivity=8)
    if count < 2:
        return None
    sizes = stats[1:, cv2.CC_STAT_AREA]
    keep = np.isin(labels, 1 + np.flatnonzero(sizes >= 0.12 * sizes.max()))
    if keep.sum() < 0.25 * inside.sum():
        return None
    wide = max(3, round(0.06 * len(u[0]))) | 1
    closed = cv2.morphologyEx(keep.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, wide), np.uint8))
    closed &= np.maximum.accumulate(keep[::-1])[::-1]  # but not the lower lip between two teeth's ends
    tooth = tooth * cv2.dilate(keep.astype(np.uint8), np.ones((3, 3), np.uint8))
    whole = np.maximum(tooth, cv2.blur(closed.astype(np.float32), (3, 3)) * between)
    return tooth.astype(np.float32), whole.astype(np.float32)
