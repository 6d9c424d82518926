"""The segments of a talk as one video: pictures are copied, not encoded again, so that joining takes seconds; sound is
brought to one loudness, music put under it, and encoded once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from linly import audio as sound
from linly import subtitles, video
from linly.batch import segment
from linly.batch.loudness import Meter, Music, raised
from linly.batch.plan import Planned
from linly.batch.values import Made
from linly.errors import EngineFailed, InputError
from linly.files import replacing
from linly.safety.label import NOTICE
from linly.values import Audio, Utterance, VideoFile

MUSIC_MINUTES = 20
QUIETEST = -60.0
"""LUFS under which nothing is said, and nothing is raised"""
BITS = 128_000


def join(plan: Planned, made: Sequence[Made], folder: Path, out: Path, audible: bool = False) -> float:
    """Write out (.mp4, or .m4a if `audible`), its subtitles and its picture; gives its length in seconds.

    made: all segments in order, fillers too, whose files are in `folder`. Raises InputError where it cannot be written,
    EngineFailed if segments do not fit.
    """
    options = plan.talk.options
    meter = Meter(segment.RATE)
    for piece in _sounds(made, folder):
        meter.add(piece)
    lufs = meter.lufs
    sounds = raised(_sounds(made, folder), options.loudness - lufs if lufs > QUIETEST else 0.0)
    if options.music:
        music = sound.load(Path(options.music), max_seconds=MUSIC_MINUTES * 60, rate=segment.RATE)
        under = Music(music, options.loudness)
        sounds = (under.under(piece) for piece in sounds)
    chapters = _chapters(plan, made)
    with replacing(out) as part:
        _write(plan, made, folder, part, sounds, chapters, audible)
        seconds = _checked(part, made, options.fps, audible)
    _beside(plan, made, out, folder, audible)
    return seconds


def finished(out: Path, print: str) -> bool:
    """Whether this file is the talk of this print (see Planned.print)."""
    try:
        return bool(json.loads(video.read_metadata(out)["description"])["print"] == print)
    except (InputError, KeyError, ValueError, TypeError, OSError):
        return False


def _sounds(made: Sequence[Made], folder: Path) -> Iterator[Audio]:
    for one in made:
        yield segment.sound_of(folder / f"{one.key}.mov")


def _write(
    plan: Planned, made: Sequence[Made], folder: Path, part: Path, sounds: Iterator[Audio],
    chapters: list[dict[str, Any]], audible: bool,
) -> None:  # fmt: skip
    import av

    fps = plan.talk.options.fps
    options = {"movflags": "faststart"}
    with av.open(f"file:{part}", "w", format="ipod" if audible else "mp4", options=options) as container:
        out: Any = container
        told = {"print": plan.print, "made with": "Linly"}
        out.metadata.update({"title": plan.talk.title, "comment": NOTICE, "description": json.dumps(told)})
        pictures, voice = None, None
        at = 0
        for one, piece in zip(made, sounds, strict=True):
            with av.open(f"file:{folder / one.key}.mov") as opened:
                source: Any = opened
                track = source.streams.video[0]
                if voice is None:
                    if not audible:
                        pictures, extra = out.add_stream_from_template(track), track.codec_context.extradata
                    voice = out.add_stream("aac", rate=segment.RATE, layout="mono")
                    voice.bit_rate = BITS
                    if chapters:
                        out.set_chapters(chapters)
                if pictures is not None:
                    if track.codec_context.extradata != extra:
                        raise EngineFailed(f"The segments of {plan.talk.name} do not fit together: make them again.")
                    _copied(source, track, pictures, out, at, fps)
            for packet in _encoded(voice, piece, at, fps):
                out.mux(packet)
            at += one.frames
        if voice is None:
            raise InputError(f"{plan.talk.source} says nothing.")
        for packet in voice.encode(None):
            out.mux(packet)


def _copied(source: Any, track: Any, pictures: Any, out: Any, at: int, fps: int) -> None:
    """The pictures of one segment, `at` pictures from the beginning."""
    for packet in source.demux(track):
        if packet.size == 0:
            continue
        shift = round(Fraction(at, fps) / packet.time_base)
        packet.pts += shift
        packet.dts = None if packet.dts is None else packet.dts + shift
        packet.stream = pictures
        out.mux(packet)


def _encoded(voice: Any, piece: Audio, at: int, fps: int) -> Iterator[Any]:
    import av

    pcm = np.ascontiguousarray(piece.samples[None].astype(np.float32))
    frame = av.AudioFrame.from_ndarray(pcm, format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = piece.rate, at * piece.rate // fps, Fraction(1, piece.rate)
    yield from voice.encode(frame)


def _checked(part: Path, made: Sequence[Made], fps: int, audible: bool) -> float:
    """Seconds of what was written, once no picture is missing."""
    frames = sum(one.frames for one in made)
    if audible:
        return frames / fps
    found: VideoFile = video.probe(part)
    if found.frames != frames:
        raise EngineFailed(f"{found.frames} of {frames} pictures were joined: try again.")
    return found.seconds


def _chapters(plan: Planned, made: Sequence[Made]) -> list[dict[str, Any]]:
    """One for each slide as it is first shown; none where there are fewer than two."""
    starts: list[tuple[int, int]] = []
    at, shown, found = 0, 0, {unit.key: line.slide for unit, line in zip(plan.units, plan.lines, strict=True)}
    for one in made:
        slide = found.get(one.key, shown)
        if slide and slide != shown:
            starts.append((at, slide))
            shown = slide
        at += one.frames
    if len(starts) < 2:
        return []
    fps, heads, rows = plan.talk.options.fps, plan.talk.heads, []
    for number, (begin, slide) in enumerate(starts):
        end = starts[number + 1][0] if number + 1 < len(starts) else at
        title = heads[slide - 1] if slide <= len(heads) and heads[slide - 1] else f"{slide}"
        rows.append({
            "id": number + 1, "start": 0 if number == 0 else begin, "end": end, "time_base": Fraction(1, fps),
            "metadata": {"title": title[:100]},
        })  # fmt: skip
    return rows


def _beside(plan: Planned, made: Sequence[Made], out: Path, folder: Path, audible: bool) -> None:
    """Subtitles and a picture of the talk."""
    from PIL import Image

    options = plan.talk.options
    if options.subtitles:
        said, at = [], 0.0
        for one in made:
            seconds = one.frames / options.fps
            hollow = Audio(np.broadcast_to(np.zeros(1, np.float32), (round(seconds * 1000),)), 1000)
            if one.text:
                said.append(Utterance(one.text, hollow, one.language, one.words, timing="none", start=at))
            at += seconds
        for end in (".srt", ".vtt"):
            subtitles.write(said, out.with_suffix(end))
    if not audible:
        middle = max(made, key=lambda one: bool(one.text) * one.frames)
        image = next(video.read_frames(folder / f"{middle.key}.mov"))
        with replacing(out.with_suffix(".jpg")) as part:
            Image.fromarray(image).save(part, format="JPEG", quality=88)
