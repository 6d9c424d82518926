"""Is this a portrait that can talk? What was found, and plain advice in both languages."""

from __future__ import annotations

from typing import Any

import numpy as np

from linly.face.eyes import SIDES
from linly.face.frame import CHIN, OVAL, MouthFrame
from linly.face.light import BLOWN, DARK, measured
from linly.face.mesh import FaceMesh, Found
from linly.face.occlusion import covered, followed, frames_of_glasses
from linly.face.view import EYE_LEFT, EYE_RIGHT, LIPS, FaceView
from linly.face.words import ADVICE, advice, refused
from linly.values import Floats, Image

__all__ = ["ADVICE", "examine", "head_pose"]

SMALLEST_PICTURE, SMALLEST_FACE, SMALL_FACE = 128, 64, 120
"""pixels"""
MOST_TURNED, TURNED = 40.0, 22.0
MOST_STEEP, STEEP = 38.0, 24.0
MOST_TILTED, TILTED = 42.0, 24.0
"""degrees: refused beyond the first, advised against beyond the second"""
SURE, CERTAIN = 0.5, 0.7
"""scores: of the mesh, that it lies on a face; of the detector, that there is one"""
RIVAL = 0.4
"""a further face at least this wide, of the largest one's width, is worth a word"""
WEIGHT = {"several_faces": 0.1, "small_face": 0.3, "turned": 0.2, "blurred": 0.35, "dark": 0.3, "bright": 0.3,
          "sunglasses": 0.4, "eyes_closed": 0.4, "mouth_open": 0.15}  # fmt: skip
"""how much each advice takes from the score; what is not named: 0.15"""


def examine(image: Image, mesh: FaceMesh) -> tuple[Found, Floats, dict[str, Any]]:
    """The largest face, its 478 points (pixels) and the report of Portrait.report.

    The report: ok, faces, box, face_width (pixels), yaw, pitch, roll (degrees), mouth_open (mouth widths), eyes_open
    (height by width), sharpness (about 10 in a good photo, 1 in a blurred one), light (0..255), balance (-1..1, right
    minus left), glasses ("none", "glasses", "sunglasses"), covered (parts that are not to be seen), advice
    ({"key", "en", "zh"} each) and score (0..1).
    Raises InputError, one sentence with advice, if there is no face that can be animated.
    """
    h, w = image.shape[:2]
    if min(h, w) < SMALLEST_PICTURE:
        raise refused("small_picture", width=w, height=h, least=SMALLEST_PICTURE)
    faces, meshes = _faces(image, mesh)
    if not faces:
        raise _why_none(image, mesh)
    face, points = faces[0], meshes[0]
    view = FaceView.of(image, points)
    yaw, pitch, roll = head_pose(points, mesh.canonical)
    hidden = covered(view, mesh)
    _refuse_if_hopeless(image, mesh, points, (yaw, pitch, roll), hidden)
    light = measured(view)
    glasses = "sunglasses" if len(hidden) == 2 else "glasses" if frames_of_glasses(view) else "none"
    report: dict[str, Any] = {
        "ok": True,
        "faces": len(faces),
        "box": [round(float(c)) for c in face.box],
        "face_width": round(_width(points)),
        "yaw": round(yaw, 1),
        "pitch": round(pitch, 1),
        "roll": round(roll, 1),
        "mouth_open": round(max(0.0, MouthFrame(points).gap), 3),
        "eyes_open": round(_eyes_open(points), 3),
        "sharpness": round(_sharpness(view), 2),
        **light,
        "glasses": glasses,
        "covered": hidden,
    }
    room = (h - points[CHIN, 1]) / np.ptp(points[:, 1])
    touches = room < 0.05 or _outside(points, image, OVAL) > 0.03
    rival = any(_width(other) > RIVAL * _width(points) for other in meshes[1:])
    keys = _advice(report, touches, rival)
    report["advice"] = advice(keys)
    report["score"] = round(float(np.prod([1 - WEIGHT.get(key, 0.15) for key in keys])), 2)
    return face, points, report


def _faces(image: Image, mesh: FaceMesh) -> tuple[list[Found], list[Floats]]:
    """What the mesh agrees to be faces, largest first; far smaller ones in the background do not count."""
    faces, meshes = [], []
    found = mesh.detect(image)[:8]
    least = 0.3 * max((face.box[2] for face in found if face.score > CERTAIN), default=0.0)
    for face in found:
        points, sure = mesh.landmarks(image, face)
        if sure >= SURE and face.box[2] >= least:
            faces.append(face)
            meshes.append(points)
    order = sorted(range(len(faces)), key=lambda i: -_width(meshes[i]))
    return [faces[i] for i in order], [meshes[i] for i in order]


def _why_none(image: Image, mesh: FaceMesh) -> Exception:
    """The most helpful sentence for a picture in which no face is sure."""
    if turn := _turned(image, mesh):
        return turn
    for face in mesh.detect(image)[:1]:
        points, _ = mesh.landmarks(image, face)
        yaw = head_pose(points, mesh.canonical)[0]
        if face.score > CERTAIN and abs(yaw) > 0.7 * MOST_TURNED:
            return refused("side_face", degrees=f"{max(abs(yaw), MOST_TURNED):.0f}")
        if face.score > CERTAIN:
            return refused("unclear")
    return refused("no_face")


def _refuse_if_hopeless(
    image: Image, mesh: FaceMesh, points: Floats, pose: tuple[float, float, float], hidden: list[str]
) -> None:
    """Raise for a face that the engine cannot make talk."""
    yaw, pitch, roll = pose
    if "mouth" in hidden and (turn := _turned(image, mesh)):
        raise turn
    if len(hidden) == 3:
        raise refused("unclear")
    if abs(roll) > MOST_TILTED:
        raise _tilt(roll)
    if _width(points) < SMALLEST_FACE:
        raise refused("tiny_face", wide=f"{_width(points):.0f}", least=SMALLEST_FACE)
    if _outside(points, image, (*LIPS, *EYE_LEFT, *EYE_RIGHT, CHIN)) > 0 or _outside(points, image, OVAL) > 0.2:
        raise refused("cut_off")
    if abs(yaw) > MOST_TURNED:
        raise refused("side_face", degrees=f"{abs(yaw):.0f}")
    if abs(pitch) > MOST_STEEP:
        raise refused("steep_face", whence="below" if pitch > 0 else "above", degrees=f"{abs(pitch):.0f}")
    if "mouth" in hidden:
        raise refused("mouth_hidden")


def _turned(image: Image, mesh: FaceMesh) -> Exception | None:
    """The sentence for a picture that shows a whole, upright face only once it is turned."""
    import cv2

    h, w = image.shape[:2]
    scale = min(1.0, 640 / max(h, w))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for quarters in (2, 1, 3):
        tried = np.ascontiguousarray(np.rot90(small, -quarters))
        for face in mesh.detect(tried)[:2]:
            points, sure = mesh.landmarks(tried, face)
            roll = head_pose(points, mesh.canonical)[2]
            if sure < 0.9 or abs(roll) > 32:
                continue
            shares = list(followed(FaceView.of(tried, points), mesh).values())
            if min(shares) > 0.2 and np.mean(shares) > 0.34:  # a mask held the wrong way up can look like a face too
                return _tilt({1: -90, 2: 180, 3: 90}[quarters])
    return None


def _tilt(roll: float) -> Exception:
    """roll: how far the head leans clockwise, degrees."""
    if abs(roll) > 135:
        return refused("upside_down")
    if abs(roll) > 60:
        return refused("sideways", way="counter-clockwise" if roll > 0 else "clockwise")
    return refused("too_tilted", degrees=f"{abs(roll):.0f}")


def _width(points: Floats) -> float:
    """Of the face along the line of its eyes, pixels."""
    across = points[263, :2] - points[33, :2]
    return float(np.ptp(points[list(OVAL), :2] @ across / np.hypot(*across)))


def _outside(points: Floats, image: Image, which: tuple[int, ...]) -> float:
    """Share of some points that lie beyond the picture."""
    h, w = image.shape[:2]
    x, y = points[list(which), 0], points[list(which), 1]
    return float(((x < 0) | (y < 0) | (x > w - 1) | (y > h - 1)).mean())


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


def _sharpness(view: FaceView) -> float:
    """Fine detail by all contrast of the face, percent: the same for dark and bright skin, dim and full light."""
    import cv2

    face = view.polygon(OVAL) & view.inside
    return 100 * float(cv2.Laplacian(view.grey, cv2.CV_32F)[face].var() / max(1.0, view.grey[face].var()))


def _advice(report: dict[str, Any], touches: bool, rival: bool) -> list[str]:
    """Keys of ADVICE that apply."""
    eyes_seen = report["glasses"] != "sunglasses"
    found = {
        "several_faces": rival,
        "small_face": report["face_width"] < SMALL_FACE,
        "cut_edge": touches,
        "turned": abs(report["yaw"]) > TURNED,
        "looking_up": report["pitch"] > STEEP,
        "looking_down": report["pitch"] < -STEEP,
        "tilted": abs(report["roll"]) > TILTED,
        "blurred": report["sharpness"] < 1.3,
        "dark": report["highlights"] < DARK,
        "bright": report["blown"] > BLOWN,
        "light_left": report["balance"] > 0.22,
        "light_right": report["balance"] < -0.22,
        "mouth_open": report["mouth_open"] > 0.3,
        "eyes_closed": eyes_seen and report["eyes_open"] < 0.185,
        "eye_hidden": len(report["covered"]) == 1,
        "sunglasses": not eyes_seen,
    }
    return [key for key, true in found.items() if true]
