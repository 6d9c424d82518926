"""The upper teeth as a picture fixed to the skull: the photo's own where it shows them, else a row in its light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linly.face.frame import LOWER_INNER, UPPER_CLOSES, UPPER_INNER, Array, MouthFrame, smooth
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
FINE = 112
"""samples in a mouth width in which teeth are looked for"""
GUM_FROM = 0.06
"""height above the teeth, in mouth widths, from which what is seen there is gum and no mere shadow of the lip"""


def parted(image: Image, points: Array) -> Array:
    """The mesh (478, 3) with the lips' inner edges about teeth that it took for a lip; as it is where there are none.

    Of lips that are barely parted, and of painted ones, the mesh says that they are shut: then the row of teeth is seen
    below its line, far less red than the lip underneath and no darker.
    """
    import cv2

    frame = MouthFrame(points)
    if frame.gap >= OWN_FROM:
        return points
    middle = (frame.lips[0] + frame.lips[1]) / 2
    us = np.linspace(-0.40, 0.40, 55).astype(np.float32)
    down = np.linspace(-0.03, 0.9 * frame.thickness[1], 28).astype(np.float32)
    line = np.interp(us, middle[:, 0], middle[:, 1])
    places = np.stack(np.broadcast_arrays(us[None], line + down[:, None]), axis=-1).astype(np.float32)
    seen = cv2.remap(image, frame.to_pixels(places), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    seen = np.asarray(seen, np.float32)
    red, light = (seen[..., 0] - seen[..., 1]) / np.maximum(seen.max(axis=-1), 1), seen.mean(axis=-1)
    lip = (slice(19, None), slice(18, 37))
    lip_red, lip_light = float(np.median(red[lip])), float(np.median(light[lip]))
    if lip_red < 0.15:  # a grey photo does not tell teeth from lips by their colour
        return points
    tooth = ((red < 0.45 * lip_red) & (light > 0.9 * lip_light)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(tooth, connectivity=8)
    if len(stats) < 2:
        return points
    row = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    known = row.any(axis=0)
    if known[18:37].mean() < 0.5 or known.mean() < 0.3 or row[-6:].any():
        return points
    ends = np.array([middle[0, 0], middle[-1, 0]])
    made = points.copy()
    out = 0.01 if np.median(row.sum(axis=0)[known]) * (down[1] - down[0]) > 0.05 else 0.022  # else still taken for shut
    for indices, found, beyond in (
        (UPPER_INNER, row.argmax(axis=0), -out),
        (LOWER_INNER, len(row) - 1 - row[::-1].argmax(axis=0), out),
    ):
        for index, (u, _) in zip(indices[1:-1], frame.local(*indices[1:-1]), strict=True):
            at = np.interp(u, middle[:, 0], middle[:, 1])
            offset = np.interp(u, [ends[0], *us[known], ends[1]], [0, *(down[found[known]] + beyond), 0])
            made[index, :2] = frame.to_pixels(np.array([u, at + offset], np.float32))
    return made


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
    own = _own_row(frame, image, tone.skin) if frame.gap > OWN_FROM else None
    if own is None:
        shut = rest + UPPER_CLOSES * (low - rest)  # where the lip hangs while talking, a smiling one too
        middle = float(np.interp(0.0, u[len(u) // 2], shut[len(u) // 2]))
        row = middle + 0.5 * (shut - middle)  # half as curved as the lip that hides it
        colour, cover = _row(u, v, row + BELOW * (1 - 0.9 * (u / 0.43) ** 2), tone.tooth)
        if tone.blur > 0.35:
            colour, cover = (cv2.GaussianBlur(a.astype(np.float32), (0, 0), tone.blur) for a in (colour, cover))
    else:
        colour, cover = _with_own(frame, (x0, y0), u, v, rest, patch, own, tone)
    colour = np.asarray(np.clip(colour + 0.5, 0, 255), np.uint8)
    return Teeth((x0, y0), colour, cover.astype(np.float32), own is not None)


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


@dataclass(frozen=True, eq=False)
class _Row:
    """The upper row as the photo shows it."""

    tooth: Array
    """(h, FINE) float32 in mouth units from `corner` on: 1 where a tooth is without doubt"""
    corner: tuple[float, float]
    colour: Array
    """(3,) median of the teeth"""
    edge: Array
    """(n, 2): u and v along the lower edge, from the first tooth to the last"""
    gum: bool
    """the lip is raised so far that gum shows above the teeth"""


def _own_row(frame: MouthFrame, image: Image, skin: Array) -> _Row | None:
    """The photo's own upper teeth: bright, neither colourful nor pink, and near the upper lip; None if too few.

    Looked for at one resolution, FINE samples in a mouth width, so that every size of a photo shows the same teeth.
    """
    import cv2

    top, bottom = frame.lips
    u0, v0 = -0.5, float(top[:, 1].min())
    size = FINE, max(8, round((float(bottom[:, 1].max()) - v0) * FINE))
    u, v = (a.astype(np.float32) for a in np.meshgrid(u0 + np.arange(size[0]) / FINE, v0 + np.arange(size[1]) / FINE))
    places = frame.to_pixels(np.stack([u, v], axis=-1))
    patch = cv2.GaussianBlur(
        cv2.remap(image, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), (3, 3), 0
    )
    rest, low = (np.interp(u, line[:, 0], line[:, 1]).astype(np.float32) for line in (top, bottom))
    depth = np.maximum(low - rest, 1e-3)
    t = (v - rest) / depth
    between = smooth(v - rest, 0.012, 0.022) * smooth(low - v, 0.018, 0.038) * smooth(0.46 - np.abs(u), 0.0, 0.05)
    inside = between > 0.5
    if inside.sum() < 24:
        return None
    high, least = patch.max(axis=-1).astype(np.float32), patch.min(axis=-1).astype(np.float32)
    bright = max(48.0, 0.42 * float(np.percentile(high[inside], 90)))
    red = (patch[..., 0].astype(np.float32) - patch[..., 1]) / np.maximum(high, 1)
    usual = float(np.median(red[inside & (least >= np.percentile(least[inside], 75))]))
    tooth = between * smooth(least, 0.8 * bright, 1.3 * bright) * (1 - smooth(red - usual, 0.09, 0.19))
    tooth *= 1 - smooth((high - least) / np.maximum(high, 1), 0.55, 0.75)
    tooth = np.where(t < _bite(u, t, tooth * high), tooth, 0).astype(np.float32)
    _, labels, stats, _ = cv2.connectedComponentsWithStats((tooth > 0.5).astype(np.uint8), connectivity=8)
    sizes = np.append(0, stats[1:, cv2.CC_STAT_AREA])
    keep = np.isin(labels, np.flatnonzero(sizes >= max(4, 0.12 * sizes.max())))
    if keep.sum() < 24 or not _tooth_like(np.median(patch[keep], axis=0), skin):
        return None
    left, right = (float(c) for c in np.percentile(u[keep], (0.4, 99.6)))
    bins = max(8, round((right - left) * FINE / 1.5))
    place = np.clip(((u[keep] - left) / (right - left) * bins).astype(int), 0, bins - 1)
    first, last = np.full(bins, 9.0), np.full(bins, -9.0)
    np.minimum.at(first, place, v[keep])
    np.maximum.at(last, place, v[keep])
    known = last > -9
    tall, start = np.median((last - first)[known]), np.median(t[keep])
    if right - left < 0.22 or not 0.03 < tall < 0.21 or known.mean() < 0.6 or start > 0.62:
        return None
    at = left + (np.arange(bins) + 0.5) * (right - left) / bins
    edge = np.interp(at, at[known], last[known])
    edge = np.convolve(np.pad(edge, 1, mode="edge"), (0.25, 0.5, 0.25), mode="valid")
    arch = np.polynomial.Polynomial.fit(at, edge, 2)(at)  # a tooth in shadow must not leave a gap in the row
    edge = np.clip(edge, arch - 0.014, arch + 0.010)
    tooth *= cv2.dilate(keep.astype(np.uint8), np.ones((3, 3), np.uint8))
    gum = np.interp(at, at[known], first[known]) - np.interp(at, frame.lips[0][:, 0], frame.lips[0][:, 1])
    colour = np.median(patch[tooth > 0.5], axis=0).astype(np.float32)
    return _Row(tooth, (u0, v0), colour, np.stack([at, edge], axis=1), bool(np.median(gum) > GUM_FROM))


def _tooth_like(colour: Array, skin: Array) -> bool:
    """Whether a colour is a tooth's beside this skin, and not a tongue's or palate's: neither far darker nor redder."""
    red, skin_red = ((c[0] - c[1]) / max(1.0, float(c.max())) for c in (colour, skin))
    return bool(colour.mean() > 0.62 * skin.mean() and red < skin_red + 0.06)


def _bite(u: Array, t: Array, light: Array) -> float:
    """How far down the opening (0 upper lip, 1 lower lip) the upper row ends where the lower one shows too; else 1."""
    middle = (np.abs(u) < 0.22) & (t > 0) & (t < 1)
    bins = 20
    place = (t[middle] * bins).astype(int)
    profile = np.bincount(place, light[middle], bins) / np.maximum(np.bincount(place, minlength=bins), 1)
    above, below = np.maximum.accumulate(profile), np.maximum.accumulate(profile[::-1])[::-1]
    dip = np.minimum(above, below) - profile
    deepest = int(dip.argmax())
    return (deepest + 0.5) / bins if dip[deepest] > 0.08 * profile.max() else 1.0


def _with_own(
    frame: MouthFrame, corner: tuple[int, int], u: Array, v: Array, rest: Array, patch: Image, own: _Row, tone: Tone
) -> tuple[Array, Array]:
    """The photo's own teeth, carried on upwards behind the lip, with darker ones where the photo's row ends."""
    at, edge = own.edge.T
    arch = np.polynomial.Polynomial.fit(at, edge, 2)
    beyond = np.maximum(u - at[-1], at[0] - u)
    beside, cover = _row(u, v, arch(np.clip(u, at[0], at[-1])).astype(np.float32), own.colour)
    cover *= smooth(beyond, -0.14, -0.10) * (1 - smooth(beyond, 0.03, 0.16))
    lower = np.interp(u, at, edge).astype(np.float32)
    share = smooth(lower - v, -0.004, 0.010) * (1 - smooth(beyond, -0.08, -0.01))
    inside = smooth(lower - v, 0.0, 0.02) * (beyond < 0) * smooth(v - rest, 0.02, 0.04)
    colour = _carried_up(frame, corner, u, v, rest, patch, inside if own.gum else _sampled(own, u, v), own.gum)
    colour *= (1 - 0.35 * smooth(beyond, -0.10, 0.0))[..., None]
    beside *= 0.64**tone.shaded
    return beside + share[..., None] * (colour - beside), np.maximum(share, cover)


def _sampled(own: _Row, u: Array, v: Array) -> Array:
    """(h, w): the mask of the teeth at places in mouth units."""
    import cv2

    x, y = ((a - b) * FINE for a, b in zip((u, v), own.corner, strict=True))
    mask: Array = cv2.remap(own.tooth, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    return mask


def _carried_up(
    frame: MouthFrame, corner: tuple[int, int], u: Array, v: Array, rest: Array, patch: Image, shown: Array, gum: bool
) -> Array:
    """The photo with what is just below the upper lip carried on above it: seen when the lip is raised."""
    import cv2

    rise = np.maximum(0, rest + (0.035 if gum else GUM_FROM) - v)
    places = frame.to_pixels(np.stack([u, v + rise], axis=-1)) - np.array(corner, np.float32)
    photo, shown = patch.astype(np.float32), shown.astype(np.float32)
    reach = max(3, round(0.12 * frame.width)) | 1
    weight = np.maximum(cv2.blur(shown, (reach, reach)), 0.01)[..., None]
    even = cv2.blur(photo * shown[..., None], (reach, reach)) / weight
    # tips of gum between the teeth would become stripes
    clean = photo if gum else 0.88 * even + shown[..., None] * (photo - 0.88 * even)
    carried, smeared = (
        cv2.remap(layer, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for layer in (clean, even)
    )
    carried += (1 - smooth(rise, 0.0, 0.02))[..., None] * (photo - carried)
    far = smooth(rise, 0.02, 0.09)[..., None]  # and so would the gaps themselves
    hidden = 1 - 0.35 * smooth(rise, 0.06, 0.15)  # never seen in the photo: in the lip's shadow
    return np.asarray((carried + far * (smeared - carried)) * hidden[..., None])
