"""Contact sheets to look at: `sheet.py OUT.png` shows every sample portrait in every pose, `--of visemes` the mouth of
every group of sounds, `--of moods` emotions and sliders in mid-sentence, `sheet.py VIDEO OUT.png` frames of a video.
`--zoom mouth` (or eyes) crops to it at full resolution; `--portrait FILE` takes a photo of your own.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from linly import library, registry, video
from linly.move.visemes import VISEMES
from linly.pictures import load_image
from linly.values import CURVES, EMOTIONS, Audio, FaceMotion, Image, Portrait, Span, Style, Utterance

POSES: dict[str, dict[str, float]] = {
    "photo": {},
    "shut": {"talk": 1},
    "open 0.3": {"talk": 1, "open": 0.3, "jaw": 0.3},
    "open 0.6": {"talk": 1, "open": 0.6, "jaw": 0.6},
    "open 1": {"talk": 1, "open": 1, "jaw": 0.95},
    "round": {"talk": 1, "open": 0.28, "jaw": 0.25, "round": 1},
    "spread": {"talk": 1, "open": 0.3, "jaw": 0.15, "spread": 1},
    "tuck": {"talk": 1, "open": 0.1, "jaw": 0.12, "tuck": 1},
    "press": {"talk": 1, "jaw": 0.12, "press": 1},
    "tongue": {"talk": 1, "open": 0.35, "jaw": 0.3, "tongue": 1},
    "smile +1": {"talk": 1, "smile": 1},
    "smile -1": {"talk": 1, "smile": -1},
    "blink 0.5": {"blink": 0.5},
    "blink 1": {"blink": 1},
    "brow +1": {"brow": 1},
    "brow -1": {"brow": -1},
    "gaze": {"gaze_x": 0.6, "gaze_y": 0.3},
    "breath": {"breath": 1},
    "yaw +5": {"head yaw": 5},
    "yaw -5": {"head yaw": -5},
    "pitch +4": {"head pitch": 4},
    "pitch -4": {"head pitch": -4},
    "roll +4": {"head roll": 4},
    "roll -4": {"head roll": -4},
}
SOUNDS = "p f θ t l s ʃ ɹ k w i ɪ e ɛ æ a ɑ ʌ ɔ o ʊ u y ə"
MOODS = {
    **{name: Style(emotion=name) for name in EMOTIONS if name != "auto"},
    **{f"expression {x:g}": Style(expression=x) for x in (0, 0.5, 1, 1.5, 2)},
    "happy x2": Style(emotion="happy", expression=2),
    "sad x2": Style(emotion="sad", expression=2),
}
ACROSS = 6
CELL = 300
LINE = 18
"""height of the caption, pixels"""


def motion(poses: dict[str, dict[str, float]], fps: float = 25.0) -> FaceMotion:
    """One row a pose."""
    curves, head = np.zeros((len(poses), len(CURVES)), np.float32), np.zeros((len(poses), 3), np.float32)
    for row, pose in enumerate(poses.values()):
        for name, value in pose.items():
            if name.startswith("head "):
                head[row, ("yaw", "pitch", "roll").index(name[5:])] = value
            else:
                curves[row, CURVES.index(name)] = value
    return FaceMotion(fps, curves, head)


def visemes() -> dict[str, dict[str, float]]:
    """The target of one sound of every group."""
    poses = {}
    for sound in SOUNDS.split():
        v = VISEMES[sound]
        lips, teeth = float(v.contact == "lips"), float(v.contact == "teeth")
        shape = {"open": v.open, "jaw": v.jaw, "round": v.round, "spread": v.spread, "tongue": v.tongue}
        poses[sound] = {"talk": 1.0, **shape, "press": lips, "tuck": teeth}
    return poses


def moods() -> dict[str, dict[str, float]]:
    """What the face does 1.2 s into a sentence (its widest frame around there), for every emotion and slider."""
    rng, poses = np.random.default_rng(0), {}
    sounds = [Span("aɪmu"[i % 4], 0.2 + 0.1 * i, 0.3 + 0.1 * i) for i in range(20)]
    noise = (0.1 * rng.standard_normal(24000 * 5 // 2)).astype(np.float32)
    said = Utterance("It is as it is.", Audio(noise, 24000), "en", phonemes=tuple(sounds), timing="exact")
    move = registry.open_engine("move", "phonemes")
    for name, style in MOODS.items():
        moved = move.move(said, style)
        row = 25 + int(moved.curve("open")[25:40].argmax())
        poses[name] = dict(zip(moved.names, moved.curves[row].tolist(), strict=True))
        poses[name] |= {
            f"head {axis}": float(x) for axis, x in zip(("yaw", "pitch", "roll"), moved.head[row], strict=True)
        }
    return poses


KINDS = {"poses": lambda: POSES, "visemes": visemes, "moods": moods}


def poses_of(path: Path, size: str, zoom: str, poses: dict[str, dict[str, float]]) -> list[Image]:
    """Every pose of one photo, cropped to its head (or its mouth or eyes)."""
    draw = registry.open_engine("draw", "warp")
    portrait = draw.prepare(load_image(path), path.stem)
    moves = motion(poses)
    silence = Utterance("", Audio(np.zeros(len(moves), np.float32), 25))
    frames = draw.draw(portrait, silence, moves, Style(size=size))
    x0, y0, x1, y1 = crop(portrait, frames.size, zoom)
    return [frame[y0:y1, x0:x1].copy() for frame in frames]


def crop(portrait: Portrait, size: tuple[int, int], zoom: str) -> tuple[int, int, int, int]:
    """The square to show, inside the picture: x0, y0, x1, y1."""
    points = portrait.landmarks[:, :2] * size[0] / portrait.image.shape[1]
    where = {"head": points, "mouth": points[[61, 291, 0, 17]], "eyes": points[[33, 263, 66, 296]]}[zoom]
    low, high = where.min(axis=0), where.max(axis=0)
    side = min(int({"head": 1.9, "mouth": 1.7, "eyes": 1.3}[zoom] * (high - low).max()), *size)
    corner = np.clip((low + high) / 2 - side / 2, 0, np.array(size) - side).astype(int)
    return int(corner[0]), int(corner[1]), int(corner[0]) + side, int(corner[1]) + side


def frames_of(path: Path, count: int = 24) -> list[Image]:
    """Frames of a video, evenly spread."""
    wanted = set(np.linspace(0, video.probe(path).frames - 1, count).astype(int).tolist())
    return [frame for number, frame in enumerate(video.read_frames(path)) if number in wanted]


def tile(cells: list[Image], names: list[str]) -> Image:
    """The cells in rows, each with its caption."""
    from PIL import Image as Pictures
    from PIL import ImageDraw

    rows = -(-len(cells) // ACROSS)
    sheet = Pictures.new("RGB", (ACROSS * CELL, rows * (CELL + LINE)), "white")
    pen = ImageDraw.Draw(sheet)
    for number, (cell, name) in enumerate(zip(cells, names, strict=True)):
        x, y = number % ACROSS * CELL, number // ACROSS * (CELL + LINE)
        picture = Pictures.fromarray(cell)
        scale = min(CELL / picture.width, CELL / picture.height)
        shape = (round(picture.width * scale), round(picture.height * scale))
        sheet.paste(picture.resize(shape, Pictures.Resampling.BICUBIC), (x, y + LINE))
        pen.text((x + 4, y + 3), name, fill="black")
    return np.asarray(sheet)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, metavar="[VIDEO] OUT.png")
    parser.add_argument("--portrait", type=Path, action="append", help="a photo instead of the samples")
    parser.add_argument("--size", default="512", help="longer side in pixels")
    parser.add_argument("--zoom", choices=("head", "mouth", "eyes"), default="head")
    parser.add_argument("--of", choices=tuple(KINDS), default="poses")
    args = parser.parse_args()
    *source, out = args.paths
    if source:
        cells = frames_of(source[0])
        sheets = [tile(cells, [""] * len(cells))]
    else:
        photos = args.portrait or [sample.path for sample in library.samples()]
        poses = KINDS[args.of]()
        sheets = [tile(poses_of(path, args.size, args.zoom, poses), list(poses)) for path in photos]
    video.write_png(np.vstack(sheets), out)


if __name__ == "__main__":
    main()
