"""Spoilt portraits, made from a good one or from nothing: a mask, a hand, a turned head, a picture without a face."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from linly.face.frame import OVAL
from linly.face.view import EYE_LEFT, EYE_RIGHT
from linly.values import Image, Portrait

JAW = (323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93)


def face(p: Portrait) -> tuple[np.ndarray, float]:
    """Points (478, 2) and the face's width, pixels."""
    return p.landmarks[:, :2], float(np.ptp(p.landmarks[list(OVAL), 0]))


def laid(image: Image, colour, mask: np.ndarray, soft: float = 1.5) -> Image:
    """A cloth of one colour (or a picture) over part of the image, with folds and grain."""
    h, w = mask.shape
    cloth = np.ones((h, w, 3)) * np.asarray(colour, float)
    cloth = cloth * (1 + 0.08 * np.sin(np.arange(w) / w * 9))[None, :, None]
    cloth += np.random.default_rng(0).normal(0, 4, (h, w, 1))
    share = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), soft)[..., None]
    return np.clip(image * (1 - share) + cloth * share, 0, 255).astype(np.uint8)


def area(p: Portrait, corners) -> np.ndarray:
    mask = np.zeros(p.image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(np.asarray(corners)).astype(np.int32)], 1)
    return mask


def oval(p: Portrait, centre, axes, angle: float = 0) -> np.ndarray:
    mask = np.zeros(p.image.shape[:2], np.uint8)
    middle, size = tuple(int(c) for c in centre), tuple(int(a) for a in axes)
    cv2.ellipse(mask, middle, size, angle, 0, 360, 1, -1)
    return mask


def skin(p: Portrait) -> np.ndarray:
    places = face(p)[0][[50, 280, 205, 425, 117, 346]].astype(int)
    return np.median([p.image[y, x] for x, y in places], axis=0)


def masked(colour) -> Callable[[Portrait], Image]:
    def cover(p: Portrait) -> Image:
        points, _ = face(p)
        return laid(p.image, colour, area(p, [*points[list(JAW)], points[118], points[5], points[347]]))

    return cover


def hand(p: Portrait) -> Image:
    points, wide = face(p)
    image, centre = p.image, points[[13, 14]].mean(axis=0)
    for finger in range(4):
        at = np.add(centre, (0, (finger - 1.5) * 0.12 * wide))
        image = laid(image, skin(p) * (0.9 + 0.04 * finger), oval(p, at, (0.42 * wide, 0.075 * wide), 8))
        image = laid(image, skin(p) * 0.6, oval(p, np.add(at, (0, 0.07 * wide)), (0.4 * wide, 0.012 * wide), 8))
    return image


def hair(p: Portrait) -> Image:
    points, wide = face(p)
    strands = np.random.default_rng(1).normal(0, 1, p.image.shape[:2]).astype(np.float32)
    strands = cv2.blur(strands, (1, int(0.3 * wide)))
    colour = np.array((60, 42, 30)) + 14 * (strands / strands.std())[..., None]
    return laid(p.image, colour, oval(p, points[[13, 14]].mean(axis=0), (0.42 * wide, 0.3 * wide)), 2)


def scarf(p: Portrait) -> Image:
    points, wide = face(p)
    y, x = np.mgrid[: p.image.shape[0], : p.image.shape[1]]
    stripes = np.where((((x + y) // int(0.06 * wide)) % 2)[..., None] > 0, (170, 30, 40), (220, 210, 190))
    return laid(
        p.image, stripes, area(p, [*(points[list(JAW)] + (0, 0.05 * wide)), points[50], points[4], points[280]])
    )


def sunglasses(p: Portrait, eyes=(EYE_LEFT, EYE_RIGHT)) -> Image:
    points, wide = face(p)
    image = p.image
    for eye in eyes:
        image = laid(image, (18, 18, 22), oval(p, points[list(eye)].mean(axis=0), (0.2 * wide, 0.14 * wide)), 1)
    return image


def plain_glasses(p: Portrait) -> Image:
    points, wide = face(p)
    frame = np.zeros(p.image.shape[:2], np.uint8)
    for eye in (EYE_LEFT, EYE_RIGHT):
        centre = tuple(int(c) for c in points[list(eye)].mean(axis=0))
        cv2.ellipse(frame, centre, (int(0.19 * wide), int(0.14 * wide)), 0, 0, 360, 1, max(2, int(0.02 * wide)))
    cv2.line(frame, points[133].astype(int).tolist(), points[362].astype(int).tolist(), 1, max(2, int(0.02 * wide)))
    return laid(p.image, (25, 20, 20), frame, 0.5)


def side(p: Portrait) -> Image:
    """The head turned by 65 degrees: the mesh with its skin, drawn from behind to front, before plain hair."""
    points, (h, w) = p.landmarks[:468].astype(np.float32), p.image.shape[:2]
    triangles = cv2.Subdiv2D((0, 0, w, h))
    number = {}
    for i, (x, y) in enumerate(points[:, :2].tolist()):
        number[x, y] = i
        triangles.insert((x, y))
    corners = [[number.get((t[i], t[i + 1])) for i in (0, 2, 4)] for t in triangles.getTriangleList().tolist()]
    middle, (_, wide), angle = points.mean(axis=0), face(p), np.radians(65)
    x, y, z = (points - middle - (0, 0, 0.45 * wide)).T
    there = np.column_stack([x * np.cos(angle) + z * np.sin(angle), y, z * np.cos(angle) - x * np.sin(angle)])
    there = (there + middle).astype(np.float32)
    head = oval(p, middle[:2] - (0, 0.12 * wide), (0.62 * wide, 0.78 * wide))
    image = laid(np.full_like(p.image, 150), (70, 50, 35), head)
    for of in sorted((c for c in corners if None not in c), key=lambda c: -there[c, 2].mean()):
        a, b = (np.diff(q[of, :2], axis=0) for q in (points, there))
        if np.linalg.det(a) * np.linalg.det(b) > 0:  # the others face away
            skin_there = cv2.warpAffine(p.image, cv2.getAffineTransform(points[of, :2], there[of, :2]), (w, h))
            seen = area(p, there[of, :2]) > 0
            image[seen] = skin_there[seen]
    return image


def turned(quarters: int) -> Callable[[Portrait], Image]:
    return lambda p: np.ascontiguousarray(np.rot90(p.image, quarters))


def leaning(p: Portrait) -> Image:
    h, w = p.image.shape[:2]
    turn = cv2.getRotationMatrix2D(tuple(map(float, face(p)[0][4])), 52, 0.8)
    return cv2.warpAffine(p.image, turn, (w, h), borderMode=cv2.BORDER_REFLECT)


def small(share: float) -> Callable[[Portrait], Image]:
    """The same photo from further away, on a grey wall."""

    def shrink(p: Portrait) -> Image:
        wall = np.full((700, 700, 3), 150, np.uint8)
        side = int(share * 512)
        wall[100 : 100 + side, 100 : 100 + side] = cv2.resize(p.image, (side, side), interpolation=cv2.INTER_AREA)
        return wall

    return shrink


def two(p: Portrait) -> Image:
    return np.ascontiguousarray(np.hstack([p.image, p.image[:, ::-1]]))


def cut(p: Portrait) -> Image:
    points, wide = face(p)
    return np.ascontiguousarray(p.image[:, int(points[4, 0] - 0.2 * wide) // 2 * 2 :])


def tight(p: Portrait) -> Image:
    bottom = int(face(p)[0][:, 1].max() + 3) // 2 * 2
    return np.ascontiguousarray(p.image[:bottom])


def shadow(right: bool) -> Callable[[Portrait], Image]:
    def fall(p: Portrait) -> Image:
        points, wide = face(p)
        across = np.clip((np.arange(p.image.shape[1]) - points[4, 0]) / wide * 1.5 + 0.5, 0, 1)
        light = 0.3 + 0.8 * (1 - across if right else across)
        return np.clip(p.image * light[None, :, None], 0, 255).astype(np.uint8)

    return fall


def scaled(factor: float) -> Callable[[Portrait], Image]:
    return lambda p: np.clip(p.image * factor, 0, 255).astype(np.uint8)


def blurred(p: Portrait) -> Image:
    return cv2.GaussianBlur(p.image, (0, 0), 0.02 * face(p)[1])


def bomb() -> bytes:
    """A PNG that says it is 40000 pixels wide and high."""
    head = struct.pack(">IIBBBBB", 40000, 40000, 8, 2, 0, 0, 0)
    chunks = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


def landscape() -> Image:
    y, x = np.mgrid[:300, :400]
    hill = y > 180 + 30 * np.sin(x / 60)
    return np.where(hill[..., None], (60, 120, 50), (120, 170, 230)).astype(np.uint8)


def house() -> Image:
    """A drawing without a face."""
    image = np.full((400, 400, 3), 255, np.uint8)
    cv2.rectangle(image, (80, 180), (320, 360), (200, 80, 60), -1)
    cv2.fillPoly(image, [np.array([(60, 180), (200, 60), (340, 180)], np.int32)], (120, 60, 40))
    for x in (120, 240):
        cv2.rectangle(image, (x, 220), (x + 50, 270), (180, 220, 250), -1)
    return image


def cat() -> Image:
    data = pytest.importorskip("skimage.data")
    return np.ascontiguousarray(data.chelsea()[:300, :450])
