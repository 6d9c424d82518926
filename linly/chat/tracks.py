"""A person's stream as WebRTC tracks, and a microphone's track as sound."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from fractions import Fraction
from typing import Any

import numpy as np

from linly.values import Audio, Floats, Image

VIDEO_CLOCK = 90000
"""hertz of a picture's time stamps, as RTP has them"""
PACKET = 0.02
"""seconds of sound in one packet"""
LENIENT = 0.025
"""seconds by which pictures are reported earlier than they are: browsers put up with pictures that come up to 30 ms
after their sound, and so, in half an hour of looks, they came 27 ms after it; told that they are later still, they
hurry"""
CUSHION = 0.02
"""seconds that sound waits before it leaves, so that a picture pulled late does not make its packets late too: a
browser answers packets that come unevenly by playing everything later"""
MOST_PICTURES = 2
"""pictures that wait for the encoder; an older one is dropped, never queued"""
EARS_RATE = 16000
"""hertz of the microphone's sound as it is handed on"""


def track(source: Pictures | Sound) -> Any:
    """The track of a peer connection that sends what is put into `source`."""
    from aiortc import MediaStreamTrack
    from aiortc.mediastreams import MediaStreamError

    class Track(MediaStreamTrack):
        kind = source.kind

        async def recv(self) -> Any:
            frame = await source.next()
            if frame is None:
                raise MediaStreamError
            return frame

        def stop(self) -> None:
            super().stop()
            source.end()

    return Track()


def timed(sender: Any, source: Pictures | Sound, zero: int) -> None:
    """Let the sender of a track report of which second of the stream a packet is, instead of when it left the encoder.

    Browsers put sound and picture together by these reports, and the two encoders take unequal times. zero: NTP time
    of the stream's second 0, the same for both tracks.
    """

    class Timed(type(sender)):  # type: ignore[misc]
        @property
        def _RTCRtpSender__ntp_timestamp(self) -> int:  # aiortc has no setting for it
            return self._ntp

        @_RTCRtpSender__ntp_timestamp.setter
        def _RTCRtpSender__ntp_timestamp(self, now: int) -> None:
            self._ntp = zero + round(source.seconds * (1 << 32))

    zero -= round(LENIENT * (1 << 32)) if source.kind == "video" else 0
    sender._ntp = zero
    sender.__class__ = Timed


class Pictures:
    """The outgoing pictures, put in at the person's pace."""

    kind = "video"
    seconds = 0.0
    """of the stream, at which the frame that left last belongs"""

    def __init__(self) -> None:
        self._images: deque[tuple[int, Image]] = deque(maxlen=MOST_PICTURES)
        self._come, self._over = asyncio.Event(), False

    def put(self, image: Image, seconds: float) -> None:
        """The picture of this second of the stream."""
        self._images.append((round(seconds * VIDEO_CLOCK), image))
        self._come.set()

    async def next(self) -> Any:
        """The next frame at its time; None at the end."""
        from av import VideoFrame

        while not self._images:
            self._come.clear()
            if self._over:
                return None
            await self._come.wait()
        stamp, image = self._images.popleft()
        self.seconds = stamp / VIDEO_CLOCK
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts, frame.time_base = stamp, Fraction(1, VIDEO_CLOCK)
        return frame

    def end(self) -> None:
        """Nothing more will be sent."""
        self._over = True
        self._come.set()


class Sound:
    """The outgoing sound: what is put in leaves in packets of 20 ms, each at its time."""

    kind = "audio"
    seconds = 0.0
    """of the stream, at which the frame that left last begins"""

    def __init__(self, rate: int) -> None:
        self._rate, self._packet = rate, round(PACKET * rate)
        self._samples: Floats = np.zeros(0, np.float32)
        self._come, self._over = asyncio.Event(), False
        self._sent = self._end = 0
        self._began: float | None = None

    def put(self, samples: Floats, seconds: float | None = None) -> None:
        """The samples, float32 in [-1, 1], of this second of the stream; what was left out before it is silence."""
        gap = 0 if seconds is None else max(0, round(seconds * self._rate) - self._end)
        self._samples = np.concatenate([self._samples, np.zeros(gap, np.float32), samples])
        self._end += gap + len(samples)
        self._come.set()

    def hush(self) -> None:
        """What has not left yet will be silent."""
        self._samples = np.zeros_like(self._samples)

    async def next(self) -> Any:
        """The next frame at its time; None at the end."""
        from av import AudioFrame

        while len(self._samples) < self._packet:
            self._come.clear()
            if self._over:
                return None
            await self._come.wait()
        await self._on_time()
        piece, self._samples = self._samples[: self._packet], self._samples[self._packet :]
        pcm = np.round(np.clip(piece, -1, 1) * 32767).astype(np.int16)
        frame = AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._sent, Fraction(1, self._rate)
        self.seconds = self._sent / self._rate
        self._sent += self._packet
        return frame

    async def _on_time(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._began is None:
            self._began = now + CUSHION
        wait = self._began + self._sent / self._rate - now
        if wait > 0:
            await asyncio.sleep(wait)

    def end(self) -> None:
        """Nothing more will be sent."""
        self._over = True
        self._come.set()


async def listened(microphone: Any) -> AsyncIterator[Audio]:
    """The sound of a microphone's track, in pieces of about 20 ms at EARS_RATE, until the track ends."""
    from aiortc.mediastreams import MediaStreamError
    from av import AudioResampler

    resampler = AudioResampler("fltp", "mono", EARS_RATE)
    while True:
        try:
            frame = await microphone.recv()
        except MediaStreamError:
            return
        frame.pts = None
        for out in resampler.resample(frame):
            yield Audio(out.to_ndarray()[0].astype(np.float32), EARS_RATE)
