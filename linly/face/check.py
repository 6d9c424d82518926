"""Is this a portrait that can talk? What was found, and plain advice in both languages."""

from __future__ import annotations

from typing import Any

import numpy as np

from linly.errors import InputError
from linly.face.eyes import SIDES
from linly.face.frame import OVAL, MouthFrame
from linly.face.mesh import FaceMesh, Found
from linly.values import Floats, Image

SMALLEST_PICTURE, SMALLEST_FACE, SMALL_FACE = 128, 64, 120
"""pixels"""
MOST_TURNED, TURNED = 40.0, 22.0
"""degrees"""
ADVICE = {
    "several_faces": (
        "There are several faces; the largest one is used.",
        "照片里有多张脸，使用最大的一张。",
    ),
    "small_face": ("The face is small: a closer photo will look sharper.", "脸偏小：用更近的照片会更清晰。"),
    "turned": ("The head is turned: facing the camera works best.", "头转向一侧：正对镜头效果最好。"),
    "blurred": ("The face is blurred: use a sharper photo.", "脸部模糊：请用更清晰的照片。"),
    "dark": ("The face is dark: more light from the front will help.", "脸部偏暗：正面多一些光会更好。"),
    "bright": ("The face is overexposed: use softer light.", "脸部过亮：请用柔和一些的光。"),
    "light_left": ("One side is in shadow: more light from the picture's left.", "一侧有阴影：画面左侧需要更多光。"),
    "light_right": ("One side is in shadow: more light from the picture's right.", "一侧有阴影：画面右侧需要更多光。"),
    "mouth_open": ("The mouth is open: a closed mouth animates best.", "嘴是张开的：闭嘴的照片效果最好。"),
    "eyes_closed": ("The eyes are closed: open eyes look alive.", "眼睛闭着：睁眼的照片更生动。"),
}


def examine(image: Image, mesh: FaceMesh) -> tuple[Found, Floats, dict[str, Any]]:
    """The largest face, its 478 points (pixels) and the report of Portrait.report.

    Raises InputError, one sentence with advice, if there is no face that can be animated.
    """
    h, w = image.shape[:2]
    if min(h, w) < SMALLEST_PICTURE:
        raise InputError(f"The picture is only {w}x{h} pixels: use one of at least {SMALLEST_PICTURE} on each side.")
    faces = mesh.detect(image)
    if not faces:
        raise InputError("No face was found in the picture: use a photo of one face from the front, well lit.")
    points, sure = mesh.landmarks(image, faces[0])
    if sure < 0.5:
        raise InputError("No face was found clearly enough: use a photo of one face from the front, well lit.")
    wide = float(np.ptp(points[list(OVAL), 0]))
    if wide < SMALLEST_FACE:
        raise InputError(f"The face is only {wide:.0f} pixels wide: use a closer photo ({SMALLEST_FACE} or more).")
    yaw, pitch, roll = head_pose(points, mesh.canonical)
    if abs(yaw) > MOST_TURNED:
        raise InputError(f"The head is turned by {abs(yaw):.0f} degrees: use a photo that faces the camera.")
    report = {
        "faces": len(faces),
        "box": [round(float(c)) for c in faces[0].box],
        "face_width": round(wide),
        "yaw": round(yaw, 1),
        "pitch": round(pitch, 1),
        "roll": round(roll, 1),
        "mouth_open": round(max(0.0, MouthFrame(points).gap), 3),
        "eyes_open": round(_eyes_open(points), 3),
        **_picture_quality(image, points, wide),
    }
    keys = list(_advice(report))
    report["advice"] = [{"key": key, "en": ADVICE[key][0], "zh": ADVICE[key][1]} for key in keys]
    report["score"] = round(max(0.1, 1 - 0.15 * len(keys)), 2)
    report["ok"] = True
    return faces[0], points, report


def head_pose(points: Floats, canonical: Floats) -> tuple[float, float, float]:
    """Yaw (+ to the picture's right), pitch (+ up), roll (+ clockwise) in degrees, by the best rotation of the
    canonical face onto the mesh (Kabsch 1976)."""
    seen = points[:468] * (1, -1, -1)
    a, b = canonical - canonical.mean(axis=0), seen - seen.mean(axis=0)
    u, _, vt = np.linalg.svd(a.T @ b)
    flip = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    turn = (u @ flip @ vt).T
    forward, across = turn @ (0, 0, 1), turn @ (1, 0, 0)
    yaw = np.degrees(np.arctan2(forward[0], forward[2]))
    pitch = np.degrees(np.arctan2(forward[1], np.hypot(forward[0], forward[2])))
    return float(yaw), float(pitch), float(-np.degrees(np.arctan2(across[1], across[0])))


def _eyes_open(points: Floats) -> float:
    """Height by width of the eyes' opening, the more open of the two."""
    ratios = []
    for side in SIDES:
        upper, lower = points[list(side.upper), :2], points[list(side.lower), :2]
        width = np.hypot(*(points[side.corners[1], :2] - points[side.corners[0], :2]))
        ratios.append(float(np.hypot(*(upper[4] - lower[4])) / width))
    return max(ratios)


def _picture_quality(image: Image, points: Floats, wide: float) -> dict[str, float]:
    import cv2

    h, w = image.shape[:2]
    low = np.clip(points[:, :2].min(axis=0), 0, (w - 2, h - 2)).astype(int)
    high = np.clip(points[:, :2].max(axis=0), 2, (w, h)).astype(int)
    face = cv2.cvtColor(image[low[1] : high[1], low[0] : high[0]], cv2.COLOR_RGB2GRAY)
    scale = 160 / wide  # sharpness is judged at one face size
    same = cv2.resize(face, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    half = face.shape[1] // 2
    left, right = float(face[:, :half].mean()), float(face[:, half:].mean())
    return {
        "sharpness": round(float(cv2.Laplacian(same, cv2.CV_32F).var()), 1),
        "light": round(float(face.mean()), 1),
        "balance": round((right - left) / max(1.0, right + left), 3),
    }


def _advice(report: dict[str, Any]) -> list[str]:
    """Keys of ADVICE that apply."""
    found = {
        "several_faces": report["faces"] > 1,
        "small_face": report["face_width"] < SMALL_FACE,
        "turned": max(abs(report["yaw"]), abs(report["pitch"])) > TURNED,
        "blurred": report["sharpness"] < 25,
        "dark": report["light"] < 55,
        "bright": report["light"] > 225,
        "light_left": report["balance"] > 0.22,
        "light_right": report["balance"] < -0.22,
        "mouth_open": report["mouth_open"] > 0.12,
        "eyes_closed": report["eyes_open"] < 0.12,
    }
    return [key for key, true in found.items() if true]
