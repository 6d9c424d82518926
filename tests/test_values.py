"""The values refuse what cannot be true, and time becomes frames in one way only."""

import numpy as np
import pytest

from linly.values import CURVES, Audio, FaceMotion, Portrait, Span, Style, Utterance, VideoFile, frame_count


@pytest.mark.parametrize(
    ("seconds", "fps", "frames"),
    [(1.0, 25, 25), (1.001, 25, 26), (0.0, 25, 1), (0.04, 25, 1), (2.5, 30, 75), (1 / 3, 60, 20)],
)
def test_frames_cover_the_sound(seconds, fps, frames):
    assert frame_count(seconds, fps) == frames


POINTS = np.zeros((478, 3), np.float32)


def silence(seconds: float = 1.0) -> Audio:
    return Audio(np.zeros(int(seconds * 24000), np.float32), 24000)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Audio(np.zeros((2, 10), np.float32), 24000),
        lambda: Audio(np.zeros(10), 24000),
        lambda: Audio(np.full(10, np.nan, np.float32), 24000),
        lambda: Audio(np.zeros(10, np.float32), 0),
        lambda: Span("a", 1.0, 0.5),
        lambda: Utterance("a", silence(), phonemes=(Span("a", 0, 0.5), Span("b", 0.4, 0.6))),
        lambda: Utterance("a", silence(), words=(Span("a", 0, 1.5),)),
        lambda: Portrait(
            "p",
            np.zeros((11, 10, 3), np.uint8),
            (0, 0, 5, 5),
            np.zeros((478, 3), np.float32),
            np.zeros((11, 10), np.float32),
        ),
        lambda: FaceMotion(25, np.zeros((4, len(CURVES)), np.float32), np.zeros((5, 3), np.float32)),
        lambda: VideoFile(None, 1.0, 25, (64, 64), 25, 1.05),
        lambda: Style(rate=3),
        lambda: Style(size="4k"),
        lambda: Style(emotion="angry"),
        lambda: Style(fps=1),
    ],
)
def test_impossible_values_are_refused(wrong):
    with pytest.raises(ValueError, match=r"\w"):
        wrong()


def test_motion_gives_its_curves_by_name():
    curves = np.zeros((3, len(CURVES)), np.float32)
    curves[:, CURVES.index("blink")] = (0, 1, 0)
    motion = FaceMotion(25, curves, np.zeros((3, 3), np.float32))
    assert motion.curve("blink").tolist() == [0, 1, 0] and motion.curve("open").sum() == 0 and len(motion) == 3
