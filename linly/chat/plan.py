"""What the face does next: pieces of motion, joined without a step whatever is cut and wherever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from linly.values import Audio, FaceMotion, Floats, Image, Utterance

SLOW, QUICK = 0.48, 0.12
"""seconds in which what a joint would make jump finds its way: head, brows and smile; mouth, lids and eyes"""
SHUT = 0.16
"""seconds in which the mouth shuts when speech is stopped, which begins with the very next picture, at one speed"""
QUICK_CURVES = frozenset({"open", "jaw", "round", "spread", "tuck", "press", "tongue", "talk", "blink"})
QUICK_CURVES |= {"gaze_x", "gaze_y"}
FARTHEST = 6.0
"""degrees; the picture holds up to here"""
NOD, NOD_EVERY = 2.6, 3.0
"""degrees that a listener's nod dips, and seconds from one to the next on average"""
MANNERS = ("idle", "listening", "thinking", "pausing")
"""how a silent face lives: at rest, hearing the user, looking for an answer, or for its next words"""


class Pose(NamedTuple):
    """One picture's worth of motion."""

    curves: Floats
    head: Floats


@dataclass(frozen=True, eq=False)
class Piece:
    """A stretch of the stream: what is said in it, if anything, and how the face moves."""

    first: int
    """number of its first picture in the stream"""
    count: int
    """pictures of it that are shown; less than len(motion) where it was cut"""
    utterance: Utterance
    """its sound lasts as long as its motion, at the stream's rate; `start` is the stream's time"""
    motion: FaceMotion
    manner: str
    """"speaking" or one of MANNERS"""

    @property
    def end(self) -> int:
        return self.first + self.count

    def pose(self, number: int) -> Pose:
        """How the face is in picture `number`, or would have been, had the piece not been cut."""
        row = min(max(0, number - self.first), len(self.motion) - 1)
        return Pose(self.motion.curves[row], self.motion.head[row])

    def sound(self, number: int) -> Floats:
        """The samples that belong to picture `number`."""
        each = len(self.utterance.audio.samples) // len(self.motion)
        row = number - self.first
        return self.utterance.audio.samples[row * each : (row + 1) * each]

    def cut(self, end: int) -> Piece:
        """The same up to picture `end`, which is not of it."""
        return replace(self, count=min(self.count, end - self.first))

    def rest(self, number: int) -> tuple[Utterance, FaceMotion]:
        """From picture `number` on, for the engine that draws."""
        row = number - self.first
        motion, said = self.motion, self.utterance
        if row <= 0:
            return said, motion
        each = len(said.audio.samples) // len(motion)
        left = Audio(said.audio.samples[row * each :], said.audio.rate)
        later = said.start + row / motion.fps
        left_said = replace(said, audio=left, words=(), phonemes=(), timing="none", start=later)
        return left_said, replace(motion, curves=motion.curves[row:], head=motion.head[row:])


class Picture(NamedTuple):
    """A picture that waits to be shown."""

    number: int
    image: Image
    again: bool
    """the one before once more, since this one was left out"""


class Source:
    """Where pictures come from: one drawing of a piece, and the number of the picture that it gives next."""

    motion: FaceMotion | None = None
    number: int = -1
    images: Iterator[Image] = iter(())
    step: int = 1
    """every which picture is drawn: more than 1 where drawing could not keep up"""
    calm: int = 0
    """pictures in a row that were drawn well ahead"""


def every(step: int, motion: FaceMotion) -> FaceMotion:
    """Each `step`th picture of a motion."""
    return replace(motion, fps=motion.fps / step, curves=motion.curves[::step], head=motion.head[::step])


def joined(motion: FaceMotion, before: Pose | None, stopped: bool = False) -> FaceMotion:
    """`motion`, its beginning led over from the pose `before`, which the piece that it follows would have had there.

    What differs at the joint is added and fades: no step in any curve, whatever was cut. stopped: speech was, so that
    the mouth shuts as fast as it can.
    """
    if before is None:
        return motion
    curves, head = motion.curves.copy(), motion.head.copy()
    slow, quick = _fading(SLOW, motion), _shutting(motion) if stopped else _fading(QUICK, motion)
    for k, name in enumerate(motion.names):
        weights = quick if name in QUICK_CURVES else slow
        low = -1.0 if name in ("smile", "brow", "gaze_x", "gaze_y", "breath") else 0.0
        curves[: len(weights), k] += weights * (before.curves[k] - motion.curves[0, k])
        curves[:, k] = np.clip(curves[:, k], low, 1.4 if name == "open" else 1.0)
    head[: len(slow)] += np.outer(slow, before.head - motion.head[0])
    return replace(motion, curves=curves, head=np.clip(head, -FARTHEST, FARTHEST))


def _fading(seconds: float, motion: FaceMotion) -> Floats:
    """(n,) weights from 1 (the joint itself) to nearly 0 over `seconds`, no longer than the motion."""
    steps = max(1, round(seconds * motion.fps))
    x = np.arange(steps, dtype=np.float32) / steps
    return (1 - x * x * (3 - 2 * x))[: len(motion)].astype(np.float32)


def _shutting(motion: FaceMotion) -> Floats:
    """(n,) weights from just under 1 to 0 over SHUT."""
    steps = max(1, round(SHUT * motion.fps))
    return np.linspace(1, 0, steps + 1, dtype=np.float32)[1 : len(motion) + 1]


def mannered(motion: FaceMotion, manner: str, start: float, seed: int) -> FaceMotion:
    """A silent face's motion with what `manner` adds to it; start: seconds of the stream at its first picture."""
    if manner == "idle":
        return motion
    curves, head = motion.curves.copy(), motion.head.copy()
    at = {name: k for k, name in enumerate(motion.names)}
    if manner == "listening":
        t = start + (np.arange(len(motion)) + 0.5) / motion.fps
        head[:, 1] -= NOD * nods(t, seed)
        head[:, 2] += 1.0
        curves[:, at["brow"]] += 0.08
    else:  # the eyes leave the other one while words are looked for
        aside = -1.0 if manner == "thinking" else 1.0
        curves[:, at["gaze_x"]] += 0.22 * aside
        curves[:, at["gaze_y"]] += 0.16
        curves[:, at["brow"]] += 0.06
        head[:, 0] += 1.2 * aside
    for name in ("brow", "gaze_x", "gaze_y"):
        curves[:, at[name]] = np.clip(curves[:, at[name]], -1.0, 1.0)
    return replace(motion, curves=curves, head=np.clip(head, -FARTHEST, FARTHEST))


def nods(t: Floats, seed: int) -> Floats:
    """(n,) how far the head of a listener dips at the seconds `t` of the stream, 0..1: a nod, often with a second one.

    A function of time alone that costs the same however late it is.
    """
    dip = np.zeros(len(t))
    for window in range(int(t[0] // NOD_EVERY), int(t[-1] // NOD_EVERY) + 1):
        rng = np.random.default_rng((seed & 0xFFFFFFFF, 11, max(0, window)))
        moment, size, second = window * NOD_EVERY + rng.uniform(0.3, 1.6), rng.uniform(0.6, 1.0), rng.random() < 0.6
        for peak, height in ((moment, size), (moment + 0.55, 0.55 * size * second)):
            x = np.clip((t - peak) / 0.3, -1, 1)
            dip += height * (0.5 + 0.5 * np.cos(np.pi * x))
    return np.asarray(dip, np.float32)


def faded(samples: Floats, length: int) -> Floats:
    """The samples going out over the first `length` of them, then silence."""
    out = np.zeros_like(samples)
    out[:length] = samples[:length] * (0.5 + 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / length))
    return out
