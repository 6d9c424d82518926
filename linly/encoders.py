"""The three kinds of video that are written: H.264 in MP4, and with transparency ProRes 4444 in MOV or VP9 in WebM.

Encoding is PyAV's, in this process: the encoders run in native threads without Python's lock.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from linly.values import Floats, Image

COMMON_TAGS = frozenset({"title", "artist", "album", "comment", "date", "genre", "copyright", "description"})
"""Tags that every player knows; any other name makes the file use QuickTime's open list of tags for all of them."""
THREADS = 2
BT709 = 1
"""The code that H.264 uses for BT.709 primaries, transfer and matrix alike."""
LIMITED = 1
"""The code for 16..235 luma, what players expect."""
QUALITY = 118 * 6
"""ProRes: the quantiser 6 in ffmpeg's unit; finer than eyes can tell, and a fixed one needs no slow search"""


@dataclass(frozen=True)
class Kind:
    """A container with its codecs."""

    container: str
    codec: str
    pixels: str
    sound: str
    rates: tuple[int, ...]
    """hertz that the sound's codec takes; empty: any"""
    alpha: bool
    """pictures are (h, w, 4) RGBA, straight, instead of (h, w, 3) RGB"""
    options: dict[str, str] = field(default_factory=dict)


AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
MP4 = Kind("mp4", "libx264", "yuv420p", "aac", AAC_RATES, False)
MOV = Kind(
    "mov",
    "prores_ks",
    "yuva444p10le",
    "pcm_s16le",
    (),
    True,
    {"profile": "4444", "alpha_bits": "8", "vendor": "apl0", "flags": "+qscale", "global_quality": str(QUALITY)},
)
# Alternate reference frames know no transparency; the two settings of speed are those for calls, at their finer end.
WEBM = Kind(
    "webm",
    "libvpx-vp9",
    "yuva420p",
    "libopus",
    OPUS_RATES,
    True,
    {"crf": "16", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1", "tile-columns": "1"}
    | {"auto-alt-ref": "0", "lag-in-frames": "0"},
)

SEGMENT = Kind("mov", "libx264", "yuv420p", "pcm_s16le", (), False)
"""a part of a longer video: the same pictures as MP4, the sound as it is, so that parts join without a loss"""


def kind_of(path: Path) -> Kind:
    """By the name's ending: .mov and .webm are transparent, everything else is MP4."""
    return {".mov": MOV, ".webm": WEBM}.get(path.suffix.lower(), MP4)


class Encoder:
    """The container with its two streams; used by one thread.

    crf, preset: x264's. The file can be read from the front (`faststart`) or while it is written (`fragmented`, MP4).
    """

    def __init__(
        self,
        path: Path,
        kind: Kind,
        size: tuple[int, int],
        fps: Fraction,
        rate: int,
        *,
        crf: int,
        preset: str,
        metadata: dict[str, str],
        faststart: bool,
        fragmented: bool,
    ) -> None:
        import av

        self.kind, self.rate, self.tick = kind, rate, 1 / fps
        options = {"fflags": "bitexact"}  # no random numbers and no date in a WebM file
        if kind is not WEBM:
            flags = "frag_keyframe+delay_moov+default_base_moof" if fragmented else "faststart" if faststart else ""
            own = "use_metadata_tags" if set(metadata) - COMMON_TAGS else ""
            options = {"movflags": "+".join(filter(None, (flags, own)))} if flags or own else {}
        self.container: Any = av.open(f"file:{path}", "w", format=kind.container, options=options)
        self.container.metadata.update(metadata)
        video: Any = self.container.add_stream(kind.codec, rate=fps)
        video.width, video.height = size
        video.pix_fmt = kind.pixels
        video.options = dict(kind.options)
        if kind.codec == "libx264":
            # With the macroblock tree, which costs little, the fast preset makes files as small as the next slower one.
            tree = {"x264-params": "mbtree=1:rc-lookahead=10"}
            video.options = {"crf": str(crf), "preset": preset} | tree | ({"bf": "0"} if fragmented else {})
        if kind is WEBM:
            video.metadata["alpha_mode"] = "1"  # what tells browsers to look for transparency
        context = video.codec_context
        context.time_base = self.tick
        # One thread keeps up with H.264, and each further one makes it work more for the same picture.
        context.thread_count, context.thread_type = 1 if kind.codec == "libx264" else THREADS, "AUTO"
        context.gop_size = round(fps if fragmented else 4 * fps)
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED
        audio: Any = self.container.add_stream(kind.sound, rate=rate, layout="mono")
        if kind.sound != "pcm_s16le":
            audio.bit_rate = min(128_000, 4 * rate)
        self.video, self.audio = video, audio
        self.shown = self.heard = 0

    def picture(self, image: Image) -> Any:
        """A frame of its own, so that the caller may draw the next picture into the same memory."""
        import av

        if self.kind.alpha:
            return av.VideoFrame.from_ndarray(_bled(image), format="rgba")
        return av.VideoFrame.from_ndarray(image, format="rgb24")

    def encode(self, picture: Any, sound: Floats) -> None:
        """Write what `picture` gave, with the sound (float32 mono) that lasts as long."""
        import av
        from av.video.reformatter import Interpolation

        frame = picture.reformat(
            format=self.kind.pixels,
            dst_colorspace="ITU709",
            src_color_range="JPEG",
            dst_color_range="MPEG",
            dst_color_trc=BT709,
            dst_color_primaries=BT709,
            interpolation=Interpolation.AREA | Interpolation.FULL_CHR_H_INP,
            threads=1,
        )
        frame.pts, frame.time_base = self.shown, self.tick
        self.shown += 1
        self.container.mux(self.video.encode(frame))
        if len(sound):
            piece = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[None]), format="fltp", layout="mono")
            piece.sample_rate, piece.pts, piece.time_base = self.rate, self.heard, Fraction(1, self.rate)
            self.heard += len(sound)
            self.container.mux(self.audio.encode(piece))

    def close(self, whole: bool) -> None:
        """Write what is still held and the end of the file, or (`whole` false) just let go of it."""
        import av

        if whole:
            self.container.mux(self.video.encode(None))
            self.container.mux(self.audio.encode(None))
            self.container.close()
            return
        with contextlib.suppress(OSError, av.FFmpegError):  # the file is thrown away
            self.container.close()


def _bled(image: Image) -> Image:
    """RGBA whose wholly transparent pixels beside the person take the person's colours.

    Codecs blend the colours of neighbours; without this a dark rim would come back at the outline.
    """
    import cv2

    h, w = image.shape[:2]
    size = max(1, w // 4), max(1, h // 4)
    alpha = image[..., 3]
    solid = cv2.multiply(image, cv2.merge([alpha] * 4), scale=1 / 255)
    small = cv2.blur(cv2.resize(solid, size, interpolation=cv2.INTER_AREA).astype(np.float32), (5, 5))
    small[..., :3] *= 255 / np.maximum(small[..., 3:], 0.5)
    wide: Image = cv2.resize(np.clip(small, 0, 255).astype(np.uint8), (w, h), interpolation=cv2.INTER_LINEAR)
    wide[..., 3] = 0
    cv2.copyTo(image, np.asarray(alpha > 0, np.uint8), wide)
    return wide
