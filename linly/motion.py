"""Small pure operations on FaceMotion that the road needs; engines do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from linly.values import FaceMotion, Floats

EASE = 0.3
"""seconds in which a talk fades out of and into the untouched portrait"""
SHORTEST = 0.08
"""seconds that the fade takes at least"""


def ease_ends(motion: FaceMotion, first: bool, last: bool) -> FaceMotion:
    """The motion of one utterance with `talk` rising from 0 if it is the first of a talk, falling to 0 if the last.

    The fade is over before the mouth opens, and begins after it has shut, so no sound loses its shape.
    """
    moving = np.flatnonzero(motion.curve("open") > 0.02)
    before, after = (int(moving[0]), len(motion) - 1 - int(moving[-1])) if len(moving) else (len(motion), len(motion))
    gain = np.ones(len(motion), np.float32)
    if first:
        gain *= _rise(len(motion), motion.fps, before)
    if last:
        gain *= _rise(len(motion), motion.fps, after)[::-1]
    curves = motion.curves.copy()
    curves[:, motion.names.index("talk")] *= gain
    return replace(motion, curves=curves)


def _rise(count: int, fps: float, room: int) -> Floats:
    """(count,) an S from 0 to 1 over EASE seconds, or over the `room` in frames that there is."""
    frames = float(np.clip(room, SHORTEST * fps, EASE * fps))
    x = np.clip(np.arange(count) / max(1.0, frames), 0, 1)
    return (x * x * (3 - 2 * x)).astype(np.float32)


def concat(motions: Sequence[FaceMotion]) -> FaceMotion:
    """One motion after the other. Raises ValueError if there is none, or if rates or curves differ."""
    if len({(m.fps, m.names) for m in motions}) != 1:
        raise ValueError("motions to join must share one frame rate and one set of curves")
    first = motions[0]
    return FaceMotion(
        first.fps, np.concatenate([m.curves for m in motions]), np.concatenate([m.head for m in motions]), first.names
    )
