"""The head turns, the shoulders breathe, the background stays: one smooth field, one resampling, an exact matte."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from linly.face.frame import CHIN, OVAL, Array, smooth
from linly.face.matte import background_plate
from linly.values import Image

MOVES = ("yaw", "pitch", "roll", "breath", "brow", "frown")
CELLS = 26
"""field samples in one face width"""
TILE = 6
"""cells in a tile's side"""
STILL = 1 / 64
"""pixels: a shift smaller than this is none"""
UNSURE = 0.08
"""with more of the picture than this half transparent, the matte is not trusted and everything moves together"""
BROWS = (46, 53, 52, 65, 55, 285, 295, 282, 283, 276)
ROWS = 2
"""rows of tiles that are drawn at once, from the first to the last column that moves there"""

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Area:
    """A part of the picture that is redrawn, and what it needs."""

    tiles: tuple[slice, slice]
    rows: slice
    columns: slice
    sharp: tuple[slice, slice] | None
    """the pixels in it that are resampled by bicubic"""
    edge: bool
    """the background shows through"""


class Head:
    """Moves the person of one still image.

    The picture is kept as two things that move with the person: its own light, and how far the background shows
    through. So a pixel that does not move comes back exactly, however wrong the matte may be there.
    """

    def __init__(
        self,
        image: Image,
        points: Array,
        matte: Array,
        plate: Image | None = None,
        changing: Sequence[Box] = (),
        alpha: bool = False,
    ) -> None:
        """`plate`: what is behind the person, if known; `changing`: x0, y0, x1, y1 of what `draw` may find redrawn.

        alpha: pictures are drawn as RGBA, straight; the image is the person on black, premultiplied, the plate black.
        """
        import cv2

        h, w = self._size = image.shape[:2]
        if plate is None and float(((matte > 0.1) & (matte < 0.9)).mean()) >= UNSURE:
            matte = np.ones((h, w), np.float32)
        self._plate = background_plate(image, matte) if plate is None else plate
        through = _through(image, matte, self._plate)
        self._plate = _no_brighter(self._plate, image, through)
        own = cv2.subtract(image, cv2.multiply(cv2.merge([through] * 3), self._plate, scale=1 / 255))
        self._packed = cv2.merge([own, through])
        self._alpha = alpha
        self._bare = straight(self._packed) if alpha else None
        boxes = [(slice(y0, y1), slice(x0, x1)) for x0, y0, x1, y1 in changing]
        # What to take out of the picture there: nothing where nothing of the background shows.
        self._changing = [(at, cv2.subtract(image, own)[at] if through[at].any() else None) for at in boxes]
        self._local = threading.local()
        oval = points[list(OVAL), :2]
        self._face = float(oval[:, 0].max() - oval[:, 0].min())
        self._step = max(4, round(self._face / CELLS))
        self._lay(points)
        columns, rows = TILE * self._far.shape[2] + 2, TILE * self._far.shape[1] + 2
        self._cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).astype(np.float32)
        # One cell of margin on each side; a cell's value is that of its middle, which is how cv2.resize spreads it.
        self._middles = (self._cells - 0.5) * self._step - 0.5 + np.array(self._corner, np.float32)
        self._bases = np.ascontiguousarray((self._fields(self._middles, points) / self._step).reshape(len(MOVES), -1))

    def draw(self, still: Image, pose: Mapping[str, float], turn: Array) -> Image:
        """A new picture: `still` with its head at `turn` (yaw, pitch, roll, degrees), breathing as `pose` says.

        `still` is the image itself but for the boxes that may change. (h, w, 3), or (h, w, 4) with alpha.
        """
        if self._bare is None:
            moved = still.copy()
        else:
            moved = self._bare.copy()
            mixed = self._mixed(still)
            for at, _ in self._changing:
                moved[at] = straight(mixed[at])
        amounts = np.array([*np.radians(turn), pose["breath"], pose["brow"], max(0.0, -pose["brow"])], np.float32)
        if np.abs(amounts).max() > 1e-4:
            self._move(self._mixed(still), amounts, moved)
        return moved

    def _move(self, packed: Image, amounts: Array, moved: Image) -> None:
        """Redraw in `moved` all that moves."""
        import cv2

        shift = self._inverse((amounts @ self._bases).reshape(self._cells.shape))
        for area in self._areas(shift):
            map_ = self._map(shift, area)
            part = cv2.remap(packed, map_, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            if area.sharp:
                # Bicubic keeps the face sharp; elsewhere nobody can tell it from bilinear, which is six times as fast.
                way = cv2.INTER_CUBIC
                cv2.remap(packed, map_[area.sharp], None, way, dst=part[area.sharp], borderMode=cv2.BORDER_REPLICATE)
            target = moved[area.rows, area.columns]
            if self._alpha:
                target[:] = straight(part)
                continue
            cv2.cvtColor(part, cv2.COLOR_RGBA2RGB, dst=target)
            if area.edge:
                behind = cv2.cvtColor(cv2.extractChannel(part, 3), cv2.COLOR_GRAY2RGB)
                cv2.add(target, cv2.multiply(behind, self._plate[area.rows, area.columns], scale=1 / 255), dst=target)

    def _inverse(self, move: Array) -> Array:
        """By how much each cell's source lies beside it, in cells, for a forward displacement."""
        import cv2

        shift = -move
        for _ in range(2):
            shift = -cv2.remap(move, self._cells + shift, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return shift

    def _map(self, shift: Array, area: Area) -> Array:
        """(h, w, 2): where in the picture the source of each pixel of an area lies."""
        import cv2

        rows, columns = (slice(part.start * TILE, part.stop * TILE + 2) for part in area.tiles)
        cells = cv2.scaleAdd(shift[rows, columns], self._step, self._middles[rows, columns])
        wide: Array = cv2.resize(cells, None, fx=self._step, fy=self._step, interpolation=cv2.INTER_LINEAR)
        h, w = area.rows.stop - area.rows.start, area.columns.stop - area.columns.start
        return wide[self._step : self._step + h, self._step : self._step + w]

    def _mixed(self, still: Image) -> Image:
        """`still` as it moves: this thread's own buffer, (h, w, 4)."""
        import cv2

        if not hasattr(self._local, "packed"):
            self._local.packed = self._packed.copy()
        packed: Image = self._local.packed
        for at, veil in self._changing:
            own = still[at] if veil is None else cv2.subtract(still[at], veil)
            cv2.mixChannels([own], [packed[at]], (0, 0, 1, 1, 2, 2))
        return packed

    def _areas(self, shift: Array) -> Iterator[Area]:
        """All that moves, in a few wide areas: many small ones cost more than they save."""
        import cv2

        most = cv2.max(*cv2.split(cv2.absdiff(shift, (0.0, 0.0, 0.0, 0.0))))
        # The most in a tile and one cell around it.
        reach = cv2.dilate(most, np.ones((TILE + 2, TILE + 2), np.uint8), anchor=(0, 0))[::TILE, ::TILE]
        down, across = self._far.shape[1:]
        reach = reach[:down, :across]
        person, see_through = reach + 1 >= self._far
        moves = (person & (reach * self._step > STILL)).view(np.uint8)
        sharp, edge = moves & self._sharp, see_through.view(np.uint8)
        for top in range(0, down, ROWS):
            strip = slice(top, top + ROWS)
            x, y, w, h = cv2.boundingRect(moves[strip])
            if w:
                tiles = slice(top + y, top + y + h), slice(x, x + w)
                yield self._area(tiles, cv2.boundingRect(sharp[tiles]), cv2.countNonZero(edge[tiles]) > 0)

    def _area(self, tiles: tuple[slice, slice], sharp: Sequence[int], edge: bool) -> Area:
        side = TILE * self._step
        ends = zip(tiles, self._corner[::-1], self._size, strict=True)
        rows, columns = (slice(at + t.start * side, min(at + t.stop * side, size)) for t, at, size in ends)
        x, y, w, h = (side * n for n in sharp)
        return Area(tiles, rows, columns, (slice(y, y + h), slice(x, x + w)) if w else None, edge)

    def _lay(self, points: Array) -> None:
        """Tiles over the box in which anything can move, and for each how far it is from what it might need."""
        import cv2

        h, w = self._size
        through, reach = self._packed[..., 3], int(np.ceil(0.14 * self._face))
        person = through < 255
        ys, xs = np.flatnonzero(person.any(axis=1)), np.flatnonzero(person.any(axis=0))
        x0, y0 = self._corner = max(0, int(xs[0]) - reach), max(0, int(ys[0]) - reach)
        x1, y1 = min(w, int(xs[-1]) + reach), min(h, int(ys[-1]) + reach)
        side = TILE * self._step
        across, down = -(-(x1 - x0) // side), -(-(y1 - y0) // side)

        def far(seen: Array) -> Array:
            """(down, across) cells from each tile to the nearest pixel of `seen`."""
            area = np.zeros((down * side, across * side), np.uint8)
            part = seen[y0 : y0 + down * side, x0 : x0 + across * side]
            area[: part.shape[0], : part.shape[1]] = part
            cells = area.reshape(down * TILE, self._step, across * TILE, self._step).max(axis=(1, 3))
            away = cv2.distanceTransform(1 - cells, cv2.DIST_C, 3) if cells.any() else np.full(cells.shape, 1e6)
            return np.asarray(away.reshape(down, TILE, across, TILE).min(axis=(1, 3)), np.float32)

        self._far = np.stack([far(person), far(through > 0)])
        face = cv2.fillConvexPoly(
            np.zeros((h, w), np.uint8), cv2.convexHull(np.rint(points[:, :2]).astype(np.int32)), 1
        )
        self._sharp = (far(face) < 1).view(np.uint8)

    def _fields(self, at: Array, points: Array) -> Array:
        """(len(MOVES), rows, columns, 2): pixels that the picture moves per radian (yaw, pitch, roll) or per unit."""
        h, w = self._size
        oval = points[list(OVAL)]
        chin, top = points[CHIN, :2], points[10, :2]
        tall = float(np.hypot(*(chin - top)))
        x, y = at[..., 0], at[..., 1]
        # The head moves whole; its neck less and less; shoulders and the edges of the picture not at all.
        weight = 1 - smooth(y, float(chin[1]) - 0.05 * tall, float(chin[1]) + 0.62 * tall)
        # The way to the edge is long enough that nothing folds over there, unless the face itself is close to it.
        left, right = float(oval[:, 0].min()), float(w - 1 - oval[:, 0].max())
        for away, room, side in ((x, left, w), (w - 1 - x, right, w), (y, float(oval[:, 1].min()), h)):
            weight = weight * smooth(away, 0.0, float(np.clip(0.9 * room, 0.05 * side, 0.45 * self._face)))
        depth = self._depth(at, points, oval)
        made = np.zeros((len(MOVES), *at.shape), np.float32)
        made[0, ..., 0] = weight * (0.22 * self._face + depth)
        made[1, ..., 1] = -weight * (0.16 * self._face + depth)
        made[2, ..., 0] = -weight * (y - (chin[1] + 0.25 * tall))
        made[2, ..., 1] = weight * (x - chin[0])
        low = smooth(y, float(chin[1]) - 0.1 * tall, float(chin[1]) + 0.7 * tall)
        made[3, ..., 1] = -0.012 * self._face * (0.25 + 0.75 * low) * smooth(h - 1 - y, -0.5 * tall, 0.25 * tall)
        made[4:] = self._brows(x, y, points)
        return made

    def _brows(self, x: Array, y: Array, points: Array) -> Array:
        """(2, rows, columns, 2): brows up, with the forehead above them; brows drawn together."""
        made = np.zeros((2, *x.shape, 2), np.float32)
        across = points[263, :2] - points[33, :2]
        across = across / np.hypot(*across)
        nose = points[168, :2]
        for side, lid in ((BROWS[:5], 159), (BROWS[5:], 386)):
            brow = points[list(side), :2]
            centre = brow.mean(axis=0)
            u, v = (
                (x - centre[0]) * across[0] + (y - centre[1]) * across[1],
                (y - centre[1]) * across[0] - (x - centre[0]) * across[1],
            )
            wide = float(np.ptp(brow @ across))
            # Above, the forehead follows far up; below, lids and the rims of glasses do not.
            gap = float((points[lid, :2] - centre) @ np.array([-across[1], across[0]]))
            tall = np.where(v < 0, 0.2 * self._face, np.clip(0.75 * gap, 0.075 * self._face, 0.16 * self._face))
            bump = np.exp(-((u / (0.75 * wide)) ** 4) - (v / tall) ** 2)[..., None]
            bump = np.maximum(bump - 0.03, 0) / 0.97  # nothing at all beyond the forehead: pixels there stay exactly
            inner = 1 / (1 + np.exp(-(np.sign((nose - centre) @ across) * u) / (0.15 * wide)))[..., None]
            up = np.array([across[1], -across[0]])
            together = np.sign((nose - centre) @ across) * across - 0.5 * up
            made[0] += 0.035 * self._face * bump * up
            made[1] += 0.014 * self._face * bump * inner * together
        return made

    def _depth(self, at: Array, points: Array, oval: Array) -> Array:
        """How far in front of the head's axis each place is, in pixels: the mesh inside the face, 0 at the outline."""
        level = float(np.median(oval[:, 2]))
        near = np.clip(level - points[:, 2], -0.1 * self._face, 0.55 * self._face) + 0.42 * self._face
        reach = 0.075 * self._face
        # A Gaussian around each point is separable: two small matrices instead of all places times all points.
        across, down = (
            np.exp(-((places[:, None] - points[None, :, axis]) ** 2) / (2 * reach**2)).astype(np.float32)
            for axis, places in enumerate((at[0, :, 0], at[:, 0, 1]))
        )
        return np.asarray((down * near) @ across.T / (down @ across.T + 0.6), np.float32)


def _through(image: Image, matte: Array, plate: Image) -> Image:
    """(h, w) uint8: how far the background shows through; nowhere so far that it alone would be too bright."""
    import cv2

    def held(seen: Image) -> Image:
        quotient = cv2.divide(seen, plate, scale=255)
        quotient[plate == 0] = 255  # black adds nothing
        return np.asarray(cv2.min(cv2.min(quotient[..., 0], quotient[..., 1]), quotient[..., 2]), np.uint8)

    through = cv2.convertScaleAbs(matte, alpha=-255, beta=255)
    # Where mostly background is seen, its grain may be darker than the plate, which then gives way by a few levels;
    # where mostly the person is seen, nothing but a plate of quite another colour could.
    noisy = held(cv2.add(image, (2, 2, 2, 0)))
    return np.asarray(np.minimum(through, np.where(noisy >= 128, noisy, held(image))), np.uint8)


def _no_brighter(plate: Image, image: Image, through: Image) -> Image:
    """The plate, darkened where alone it would be brighter than the image: else such a pixel could not come back."""
    import cv2

    over = cv2.multiply(cv2.merge([through] * 3), plate, scale=1 / 255) > image
    if not over.any():
        return plate
    made = plate.copy()
    seen = np.broadcast_to(through[..., None], image.shape)[over].astype(np.int32)
    made[over] = image[over].astype(np.int32) * 255 // seen
    return made


def straight(packed: Image) -> Image:
    """RGBA, not premultiplied, from premultiplied colours and how far the background shows through."""
    import cv2

    alpha = cv2.bitwise_not(packed[..., 3])
    colours = np.ascontiguousarray(packed[..., :3])
    if alpha.min() < 255:
        colours = cv2.divide(colours, cv2.cvtColor(alpha, cv2.COLOR_GRAY2RGB), scale=255)
    return np.asarray(cv2.merge([colours, alpha]), np.uint8)
