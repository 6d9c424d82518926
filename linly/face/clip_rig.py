"""A film of a person, at one size, ready to speak: its pictures there and back, in each the mouth drawn anew."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping

import numpy as np

from linly.face.frame import CHIN, CORNERS, LOWER_INNER, UPPER_INNER, Array, MouthFrame
from linly.face.interior import Interior
from linly.face.mouth import Mouth
from linly.face.mouth_field import SHAPES, MouthField
from linly.face.tone import Tone, tone_of
from linly.face.track import mean_head
from linly.values import Floats, Image, Portrait

KEPT = 6
"""mouths kept ready to be drawn"""
FADE = 4
"""pictures over which the driven mouth gives way to the film's own, before one where there is no face to drive"""
BACK = tuple(SHAPES.index(name) for name in ("upper", "lower", "jaw", "round", "smile"))
"""shapes that take a speaking mouth back to rest"""
AROUND, LEAST_OPEN = 0.7, 0.25
"""A mouth at rest is that of the least open quarter of the pictures up to 0.7 seconds away."""
UPPER_GIVES = 0.3
"""part of the gap that the upper lip gives when the mouth is shut"""
CHIN_WEIGHT = 3
"""the chin is one point beside the many of the lips"""
LEAST = 0.02
"""weight, in squared mouth widths, that keeps a shape small which explains nothing"""


def there_and_back(i: int, n: int) -> int:
    """The picture to show as number `i` (from 0) of a film of `n` that runs forwards and backwards for ever.

    0 .. n-1 .. 0 .. n-1: neither end is shown twice in a row.
    """
    if n < 2:
        return 0
    place = i % (2 * n - 2)
    return min(place, 2 * n - 2 - place)


class ClipRig:
    """Draws pictures of one film; a picture depends on its pose and its number alone."""

    def __init__(self, portrait: Portrait, size: tuple[int, int]) -> None:
        if portrait.clip is None:
            raise ValueError("this portrait is no film")
        self._clip, self._size = portrait.clip, size
        h, w = portrait.image.shape[:2]
        self._points = self._clip.landmarks * np.array([size[0] / w, size[1] / h, size[0] / w], np.float32)
        self._speaks = bool(portrait.report.get("mouth_moves", True))
        seen = np.isfinite(self._points[:, 0, 0])
        self._share = _share(seen)
        self._rest, self._units = _at_rest(self._points, seen, self._clip.fps)
        best = portrait.landmarks * np.array([size[0] / w, size[1] / h, size[0] / w], np.float32)
        # Said once for the whole film: light judged anew in each picture would flicker on the teeth with every blink.
        self._tone = tone_of(best, MouthFrame(best).width, _scaled(portrait.image, size))
        self._mouths: OrderedDict[int, tuple[Image, Mouth]] = OrderedDict()
        self._lock = threading.Lock()

    def draw(self, pose: Mapping[str, float], head: Floats, number: int, fps: float) -> Image:
        """(h, w, 3) uint8, the caller's own: picture `number` of a talk at `fps` hertz, its mouth as `pose` says.

        The head moves and the eyes blink as they were filmed, whatever `head` and `pose` ask. A mouth that speaks in
        the film rests shut where nothing is said: it would say other words.
        """
        i = there_and_back(round(number * self._clip.fps / fps), len(self._clip))
        share = float(self._share[i])
        if share == 0:
            return self._image(i).copy()
        image, mouth = self._mouth(i)
        driven = {**pose, "talk": 1.0} if self._speaks else dict(pose)
        target = image.copy()
        mouth.draw(target, {name: share * value for name, value in driven.items()})
        return target

    def _image(self, i: int) -> Image:
        return _scaled(self._clip.image(i), self._size)

    def _mouth(self, i: int) -> tuple[Image, Mouth]:
        with self._lock:
            if i in self._mouths:
                self._mouths.move_to_end(i)
                return self._mouths[i]
        image = self._image(i)
        made = image, ClipMouth(image, self._points[i], self._rest[i], float(self._units[i]), self._tone)
        with self._lock:
            self._mouths[i] = made
            while len(self._mouths) > KEPT:
                self._mouths.popitem(last=False)
        return made


class ClipMouth(Mouth):
    """The mouth of one picture of a film, measured by the mouth at rest, so that all pictures open alike.

    `points`: the picture's mesh (478, 3) in pixels; `rest`: the same with the mouth shut as it is when nothing is said;
    `unit`: pixels to which a mouth width of the pose comes; `tone`: the film's light.
    """

    def __init__(self, image: Image, points: Array, rest: Array, unit: float, tone: Tone) -> None:
        super().__init__(image, points)
        frame, shut = self._frame, MouthFrame(rest)
        chin = frame.local(CHIN)
        seen, moves = [*self._lines, chin], [*self._line_bases, self._field.bases(chin, True)]
        self._field = _Driven(self._field, unit / frame.width, _way_back(seen, moves, frame, shut))
        self._interior = _Inside(frame, shut, image, tone)


class _Driven(MouthField):
    """A picture's field: from the mouth as filmed to the mouth at rest, and from there as the pose asks."""

    def __init__(self, field: MouthField, ratio: float, back: Array) -> None:
        self.__dict__.update(field.__dict__)
        self._ratio, self._back = np.full(len(SHAPES), ratio, np.float32), back
        self._ratio[SHAPES.index("close")] = 1  # closes what the picture itself shows open

    def amounts(self, pose: Mapping[str, float]) -> Array:
        return np.asarray(self._ratio * super().amounts(pose) + pose["talk"] * self._back, np.float32)


class _Inside(Interior):
    """Teeth and tongue where the skull has them, and as large: by the mouth at rest, not by what the picture's does."""

    def __init__(self, frame: MouthFrame, rest: MouthFrame, image: Image, tone: Tone) -> None:
        super().__init__(rest, image, tone)
        ends = rest.to_local(frame.to_pixels(np.array([(0, 0), (0, 1)], np.float32)))[:, 1]
        self._from, self._scale = float(ends[0]), float(ends[1] - ends[0])

    def paint(self, corner: tuple[int, int], top: Array, bottom: Array, pose: Mapping[str, float]) -> Image:
        top, bottom = (self._from + self._scale * v for v in (top, bottom))
        return super().paint(corner, top, bottom, pose)


def _way_back(seen: list[Array], moves: list[Array], frame: MouthFrame, rest: MouthFrame) -> Array:
    """(len(SHAPES),) amounts that, the photo's own gap once closed, bring both lips and the chin to where they rest.

    seen: inner contours of upper and lower lip and the chin, (n, 2) each in mouth units; moves: the bases there.
    Linear least squares; what shapes cannot reach stays as filmed.
    """
    middle = frame.to_local(rest.to_pixels((rest.lips[0] + rest.lips[1]) / 2))
    goals = [middle, middle, frame.to_local(rest.points[[CHIN], :2])]
    weights = (1, 1, CHIN_WEIGHT)
    misses = [
        w * (goal - line - move[SHAPES.index("close")])
        for w, goal, line, move in zip(weights, goals, seen, moves, strict=True)
    ]
    rows = [w * move[list(BACK)].reshape(len(BACK), -1) for w, move in zip(weights, moves, strict=True)]
    matrix, miss = np.concatenate(rows, axis=1), np.concatenate([m.ravel() for m in misses])
    made = np.zeros(len(SHAPES), np.float32)
    made[list(BACK)] = np.linalg.solve(matrix @ matrix.T + LEAST * np.eye(len(BACK)), matrix @ miss)
    return made


def _at_rest(points: Array, seen: Array, fps: float) -> tuple[Array, Array]:
    """Every picture's mesh (n, 478, 3) with the mouth at rest and its lips together, and the width (n,) of a mouth at
    rest there, in pixels; NaN where nothing was `seen` (n,).

    At rest it is as in those pictures around where it is least open: speech goes, a smile that stays is kept. The
    width is one for the whole film, carried by the head.
    """
    rest, units = np.full_like(points, np.nan), np.full(len(points), np.nan, np.float32)
    if not seen.any():
        return rest, units
    _, fit = mean_head(points[seen].astype(np.float64))
    heads = fit.head(points[seen])
    gap = np.linalg.norm(heads[:, 14] - heads[:, 13], axis=-1)
    reach = max(1, round(AROUND * fps))
    still = np.empty_like(heads)
    for i in range(len(heads)):
        near = slice(max(0, i - reach), i + reach + 1)
        still[i] = heads[near][gap[near] <= np.quantile(gap[near], LEAST_OPEN)].mean(axis=0)
    still = _eased(still, reach / 2)
    upper, lower = list(UPPER_INNER), list(LOWER_INNER)
    still[:, upper] = still[:, lower] = still[:, upper] + UPPER_GIVES * (still[:, lower] - still[:, upper])
    rest[seen] = fit.pixels(still)
    shut = heads[gap <= np.quantile(gap, LEAST_OPEN)].mean(axis=0)
    corners = fit.pixels(shut[list(CORNERS)])[..., :2]
    units[seen] = np.hypot(*(corners[:, 1] - corners[:, 0]).T)
    return rest, units


def _eased(paths: Array, sigma: float) -> Array:
    """Points (n, k, 3) over time through a Gaussian of `sigma` pictures."""
    import cv2

    flat = np.ascontiguousarray(paths.reshape(len(paths), -1))
    eased = cv2.GaussianBlur(flat, (1, 2 * round(3 * sigma) + 1), 0.01, sigmaY=sigma, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(eased).reshape(paths.shape)


def _scaled(image: Image, size: tuple[int, int]) -> Image:
    import cv2

    if size == image.shape[1::-1]:
        return image
    way = cv2.INTER_AREA if size[0] < image.shape[1] else cv2.INTER_CUBIC
    scaled: Image = cv2.resize(image, size, interpolation=way)
    return scaled


def _share(seen: Array) -> Array:
    """(n,) how much of the drive each picture takes: 0 where there is no face, 1 from FADE pictures away on."""
    lost = np.flatnonzero(~seen)
    if not len(lost):
        return np.ones(len(seen))
    away = np.abs(np.arange(len(seen))[:, None] - lost).min(axis=1)
    return np.asarray(np.clip(away / FADE, 0, 1))
