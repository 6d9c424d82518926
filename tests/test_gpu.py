"""The GPU's warp draws the processor's pictures. Without a GPU torch's processor stands in: it runs the same code."""

import numpy as np
import pytest

from linly import library, registry
from linly.face.rig import Rig
from linly.values import CURVES, Style

pytestmark = pytest.mark.full
POSES = (
    ({"talk": 1.0, "open": 0.7, "jaw": 0.6}, (4.0, -2.5, 3.0)),
    ({"talk": 1.0, "press": 1.0, "blink": 1.0, "brow": 1.0, "smile": 1.0}, (-5.0, 3.0, -2.0)),
    ({"breath": 1.0, "brow": -1.0, "gaze_x": 0.6}, (0.0, 0.0, 0.0)),
    ({}, (0.0, 0.0, 0.0)),
)


def seen(picture):
    """What a viewer gets: a transparent picture on grey, for colours hardly there count hardly."""
    if picture.shape[-1] == 3:
        return picture
    share = picture[..., 3:].astype(float) / 255
    return np.rint(share * picture[..., :3] + (1 - share) * 128).astype(np.uint8)


@pytest.mark.parametrize("sample", [s.name for s in library.samples()])
@pytest.mark.parametrize("background", ["keep", "transparent"])
def test_the_gpu_draws_the_same_picture(models, sample, background):
    torch = pytest.importorskip("torch", reason="the full set of packages has it")
    from linly.stage import staged

    engine = registry.open_engine("draw", "warp", "cpu")
    portrait = staged(engine, sample, None, Style(background=background))
    alpha, size = background == "transparent", engine.size(portrait, Style(size="512"))
    device = "cuda" if torch.cuda.is_available() else "cpu:0"
    rigs = [Rig(portrait, size, alpha, where) for where in ("cpu", device)]
    for pose, head in POSES:
        values = dict.fromkeys(CURVES, 0.0) | pose
        a, b = (seen(rig.draw(values, np.array(head))) for rig in rigs)
        off = np.abs(a.astype(int) - b)
        assert a.shape == b.shape and off.max() <= 2 and (off > 1).mean() < 1e-5, (off.max(), (off > 1).sum())
