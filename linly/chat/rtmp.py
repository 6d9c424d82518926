"""The process that talks to an RTMP server: `python -m linly.chat.rtmp`, with the address in the first line of its
input and FLV after it. It ends with its input; what went wrong is its last line of output.

A process of its own, because ffmpeg's libraries wait for a silent server without end and hold up every thread beside.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from typing import Any, BinaryIO


def publish(address: str, source: BinaryIO) -> None:
    """Pass FLV on to the server as it comes. Raises what PyAV raises."""
    import av

    given: Any
    with av.open(source, format="flv", options={"fpsprobesize": "0"}, buffer_size=4096) as given:
        taken: Any = av.open(address, "w", format="flv", options={"flvflags": "no_duration_filesize"})
        try:
            streams = {
                s.index: taken.add_stream_from_template(s) for s in given.streams if s.type in ("video", "audio")
            }
            for packet in given.demux():
                if packet.dts is not None and packet.stream.index in streams:
                    packet.stream = streams[packet.stream.index]
                    taken.mux_one(packet)
        finally:
            with suppress(OSError, av.FFmpegError):  # the other end may be gone
                taken.close()


def main() -> int:
    """The whole life of the process; gives its exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends what feeds it, which then ends it in order
    address = sys.stdin.buffer.readline().decode().strip()
    try:
        publish(address, sys.stdin.buffer)
    except Exception as error:  # the error's own text holds the address, and so the stream's key
        sys.stdout.write(str(getattr(error, "strerror", "") or type(error).__name__))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
