"""Whether somebody speaks, frame by frame while the sound comes in: Silero VAD in ONNX Runtime, one thread, no torch.

The model (Silero Team, 2021, MIT) is the one that faster-whisper carries: it sees 32 ms at 16 kHz together with the
last 4 ms before them, and remembers.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from linly.errors import EngineUnavailable
from linly.values import Audio, Floats

RATE = 16000
FRAME = 512
"""samples that one probability stands for"""
SECONDS = FRAME / RATE
_CONTEXT = 64
"""samples before a frame that the model sees with it"""
_STATE = (1, 1, 128)


class Vad:
    """One listener's voice detector; the model is shared, the memory is its own."""

    def __init__(self) -> None:
        """Raises EngineUnavailable if the model is not there."""
        self._session = _session()
        self.reset()

    def reset(self) -> None:
        """Forget everything that was heard."""
        self._rest: Floats = np.zeros(0, np.float32)
        self._before: Floats = np.zeros(_CONTEXT, np.float32)
        self._h, self._c = np.zeros(_STATE, np.float32), np.zeros(_STATE, np.float32)

    def push(self, samples: Floats) -> Floats:
        """(n,) probabilities 0..1 that somebody speaks, one for each frame that these samples (16 kHz) made whole."""
        sound = np.concatenate([self._rest, samples])
        count = len(sound) // FRAME
        self._rest = sound[count * FRAME :]
        if not count:
            return np.zeros(0, np.float32)
        frames = sound[: count * FRAME].reshape(count, FRAME)
        before = np.concatenate([self._before[None], frames[:-1, -_CONTEXT:]])
        self._before = frames[-1, -_CONTEXT:]
        given = {"input": np.concatenate([before, frames], axis=1), "h": self._h, "c": self._c}
        found, self._h, self._c = self._session.run(None, given)
        probabilities: Floats = found.reshape(-1)
        return probabilities


class To16k:
    """Pieces of sound at any rate, one after the other, as one stream at 16 kHz."""

    def __init__(self) -> None:
        self._rate = 0
        self._resampler: Any = None

    def __call__(self, audio: Audio) -> Floats:
        """(n,) what of the stream is ready with this piece."""
        if audio.rate == RATE or not len(audio.samples):
            return audio.samples
        import av

        if audio.rate != self._rate:
            self._rate, self._resampler = audio.rate, av.AudioResampler("fltp", "mono", RATE)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(audio.samples[None]), format="fltp", layout="mono")
        frame.sample_rate = audio.rate
        out = [piece.to_ndarray()[0] for piece in self._resampler.resample(frame)]
        return np.concatenate(out) if out else np.zeros(0, np.float32)


@functools.cache
def _session() -> Any:
    found = importlib.util.find_spec("faster_whisper")
    model = sorted(Path(found.origin).parent.glob("assets/silero_vad*.onnx")) if found and found.origin else []
    if not model:
        raise EngineUnavailable("The voice detector comes with faster-whisper: run `pip install -r requirements.txt`.")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model[-1]), options, providers=["CPUExecutionProvider"])
