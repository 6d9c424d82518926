"""A stream encoded while it is made, H.264 and AAC, in a container that is written piece by piece: FLV for an RTMP
server, fragmented MP4 for a browser's Media Source Extensions.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from linly.values import Floats, Image

KEYFRAME = 2.0
"""seconds between pictures that one can begin with"""
CONTAINERS = {
    "flv": {"flvflags": "no_duration_filesize"},
    # A fragment for every picture; without an edit list, which a browser would not look at.
    "mp4": {"movflags": "empty_moov+default_base_moof+frag_every_frame", "use_editlist": "0", "flush_packets": "1"},
}
PRESETS = {"flv": "veryfast", "mp4": "ultrafast"}
"""platforms encode anew what they are given; a visitor's own machine only shows it"""


class Out(Protocol):
    """Where the bytes go."""

    def write(self, data: bytes) -> int: ...


class Feed:
    """One stream, from its first picture on. Raises what `out.write` raises.

    size: width, height, even. fps, rate: hertz. container: one of CONTAINERS.
    """

    def __init__(self, out: Out, size: tuple[int, int], fps: int, rate: int, container: str) -> None:
        import av

        self._fps, self._rate, self._heard = fps, rate, 0
        self._open: Any = av.open(out, "w", format=container, options=dict(CONTAINERS[container]))
        video: Any = self._open.add_stream("libx264", rate=fps)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.options = {"preset": PRESETS[container], "tune": "zerolatency", "crf": "23", "sc_threshold": "0"}
        video.options |= _bits(size, fps)
        video.codec_context.gop_size = round(KEYFRAME * fps)
        video.codec_context.time_base = Fraction(1, fps)
        sound: Any = self._open.add_stream("aac", rate=rate, layout="mono")
        sound.bit_rate = 128_000
        self._video, self._sound = video, sound

    def send(self, image: Image, samples: Floats, number: int) -> None:
        """Picture `number` and the sound that goes with it; what was left out before it is silence.

        image: (h, w, 3) RGB uint8. samples: (rate / fps,) float32.
        """
        import av

        frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
            format="yuv420p", dst_colorspace="ITU709", src_color_range="JPEG", dst_color_range="MPEG"
        )
        frame.pts, frame.time_base = number, self._video.codec_context.time_base
        self._open.mux(self._video.encode(frame))
        silent = max(0, round(number * self._rate / self._fps) - self._heard)
        piece = np.pad(samples, (silent, 0))[None]
        said = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="fltp", layout="mono")
        said.sample_rate, said.pts, said.time_base = self._rate, self._heard, Fraction(1, self._rate)
        self._heard += piece.shape[1]
        self._open.mux(self._sound.encode(said))

    def finish(self) -> None:
        """The encoders' last packets."""
        self._open.mux(self._video.encode(None))
        self._open.mux(self._sound.encode(None))
        self.close()

    def close(self) -> None:
        """Nothing more will be sent, not even what the encoders still hold."""
        self._open.close()


class Fragments:
    """A stream as fragmented MP4, for a browser: each picture's bytes as soon as it is encoded.

    size: width, height, even. fps, rate: hertz.
    """

    def __init__(self, size: tuple[int, int], fps: int, rate: int) -> None:
        self._pieces = _Pieces()
        self._feed = Feed(self._pieces, size, fps, rate, "mp4")

    def add(self, image: Image, samples: Floats, number: int) -> bytes:
        """What there is to send once this picture and its sound are in; now and then nothing. See Feed.send."""
        self._feed.send(image, samples, number)
        return self._pieces.taken()

    def close(self) -> None:
        """Let the encoders go; nothing more is to be sent."""
        self._feed.close()


class _Pieces:
    """What PyAV writes, until it is asked for."""

    def __init__(self) -> None:
        self._made: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._made.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        made, self._made = b"".join(self._made), []
        return made


def mime(fragments: bytes) -> str:
    """How a browser is told what these bytes are; they hold the stream's beginning."""
    at = fragments.index(b"avcC") + 5  # the box's version is left out: profile, constraints and level follow
    return f'video/mp4; codecs="avc1.{fragments[at : at + 3].hex()}, mp4a.40.2"'


def _bits(size: tuple[int, int], fps: int) -> dict[str, str]:
    """At most what platforms recommend for a picture of this size: about 0.1 bits a pixel, 0.8 Mbit/s at least."""
    most = max(800_000, round(0.11 * size[0] * size[1] * fps))
    return {"maxrate": str(most), "bufsize": str(2 * most)}
