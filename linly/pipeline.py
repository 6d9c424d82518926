"""The main road: text or sound, a portrait and a voice in; a finished video out. Read `render` from top to bottom."""

from __future__ import annotations

import contextlib
import resource
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from linly import audio as sound
from linly import library, recording, registry, settings, subtitles, video
from linly.ahead import ahead
from linly.clock import Clock
from linly.errors import InputError, LinlyError
from linly.job import RenderJob, Report
from linly.safety.label import NOTICE, Label
from linly.stage import crop_of, staged
from linly.text.language import detect
from linly.values import Audio, FaceMotion, Image, Portrait, Progress, Utterance, VideoFile, Voice

__all__ = ["RenderJob", "Report", "render"]

RATE = 24000
"""hertz of the sound track; a whole number of samples fills a frame at 24, 25, 30, 48, 50 and 60 fps"""
READ_FIRST = 100
"""characters of the text that are read while the models load: enough to need every dictionary"""
ANSWER = 120
"""characters that a text which is still being written is taken to have"""
SHORT_SECONDS = 3.0
"""length of the short preview"""


@dataclass(frozen=True)
class _Scene:
    """Everything that is settled before the first sentence."""

    job: RenderJob
    engines: Mapping[str, Any]
    portrait: Portrait
    voice: Voice | None
    language: str
    sound: Audio | None
    clock: Clock
    tell: Progress
    played: list[dict[str, Any]] = field(default_factory=list)
    """what the face played in each sentence; filled on the way"""

    @property
    def length(self) -> float:
        """How much there is to do: seconds of a recording, or characters of a text (a usual answer's, if unknown)."""
        return self.sound.seconds if self.sound else float(len(self.job.text) or ANSWER)

    def fraction(self, done: float) -> float:
        """How much of `length` has been done; the last bit is left for finishing the file."""
        return min(0.98, done / max(self.length, 1e-9))

    def share(self, utterance: Utterance) -> float:
        """How much of `length` one utterance is."""
        return utterance.audio.seconds if self.sound else float(len(utterance.text))


def render(job: RenderJob, progress: Progress | None = None) -> Report:
    """Make the video of `job`. The file appears under its name only when it is whole.

    `progress` is told a stage ("load", "hear", "face", "finish") and the fraction done; it may raise Cancelled.
    Raises InputError for what the user must change and EngineUnavailable for what is missing.
    """
    clock = Clock()
    with clock("total"):
        job.check()
        scene = _set(job, clock, progress or (lambda stage, fraction: None))
        utterances = _on_the_clock(_previewed(_spoken(scene), job.preview), job.style.fps)
        if job.preview == "frame":
            made, said = _still(scene, utterances)
        else:
            made, said = _film(scene, utterances)
        extra = _write_beside(job, said, made)
        scene.tell("finish", 1.0)
    return _report(scene, said, made, extra)


def _set(job: RenderJob, clock: Clock, tell: Progress) -> _Scene:
    """Open the engines, read the sound, find the voice, prepare the portrait."""
    tell("load", 0.0)
    language = detect(job.text) if job.text and job.style.language == "auto" else job.style.language
    with clock("load"), ThreadPoolExecutor(1, thread_name_prefix="linly-read") as reading:
        if job.text:
            reading.submit(_read, job.text, language)
        recorded = _load_sound(job.audio)
        engines = _open_engines(job)
        tell("load", 0.5)
        voice = None if recorded else library.find_voice(engines["speak"], job.voice, language)
        portrait = staged(engines["draw"], job.portrait, voice, job.style)
    tell("load", 1.0)
    return _Scene(job, engines, portrait, voice, language, recorded, clock, tell)


def _read(text: str, language: str) -> None:
    """Load the dictionaries that the text needs, beside the models; what is wrong with it is said when it is spoken."""
    from linly.text.g2p import phonemise

    with contextlib.suppress(LinlyError):
        phonemise(text[:READ_FIRST], language)


def _spoken(scene: _Scene) -> Iterator[Utterance]:
    """The talk, sentence by sentence."""
    if scene.sound is None:
        style = replace(scene.job.style, language=scene.language)
        speak, pieces = scene.engines["speak"], scene.job.pieces
        coming = (
            speak.speak(scene.job.text, scene.voice, style)
            if pieces is None
            else recording.spoken(pieces, speak, scene.voice, style)
        )
        said = scene.clock.each("speak", coming)
        yield from recording.timed(said, style, scene.engines["time"], scene.clock)
    else:
        yield from recording.utterances(scene.sound, scene.engines, scene.job.style, scene.clock, scene.tell)


def _film(scene: _Scene, utterances: Iterator[Utterance]) -> tuple[VideoFile, list[Utterance]]:
    """Speech runs ahead in a thread of its own, faces are drawn here, and the writer encodes in a third."""
    job, clock, draw = scene.job, scene.clock, scene.engines["draw"]
    size = draw.size(scene.portrait, job.style)
    marked = _marker(scene, size)
    said: list[Utterance] = []
    done = 0.0
    with (
        video.Writer(job.out, size, job.style.fps, RATE, metadata={"comment": NOTICE}) as writer,
        ahead(utterances, depth=2, waiting=lambda: scene.tell("face", scene.fraction(done))) as coming,
    ):
        for utterance in coming:
            with clock("move"):
                motion = _move(scene, utterance)
            frames = draw.draw(scene.portrait, utterance, motion, job.style)
            images = _told(scene, clock.each("draw", frames), done, scene.share(utterance) / frames.count)
            writer.add(marked(images, utterance), utterance.audio)
            done += scene.share(utterance)
            said.append(replace(utterance, audio=_hollow(utterance.audio)))
        scene.tell("finish", 0.99)
        made = writer.finish()
    clock.add("encode", writer.encode_seconds)
    return made, said


def _still(scene: _Scene, utterances: Iterator[Utterance]) -> tuple[VideoFile, list[Utterance]]:
    """One picture: the frame of the first sentence in which the mouth is widest open."""
    utterance = next(utterances)
    motion = _move(scene, utterance)
    best = slice(peak := int(motion.curve("open").argmax()), peak + 1)
    one = FaceMotion(motion.fps, motion.curves[best], motion.head[best], motion.names)
    frames = scene.engines["draw"].draw(scene.portrait, utterance, one, scene.job.style)
    with scene.clock("draw"):
        image = next(_marker(scene, frames.size)(frames, utterance))
    path, seconds = video.write_png(image, scene.job.out), 1 / motion.fps
    return VideoFile(path, seconds, motion.fps, frames.size, 1, seconds), [utterance]


def _open_engines(job: RenderJob) -> dict[str, Any]:
    """Every engine of the road: the one the job names, or the first that is ready."""
    unknown = set(job.engines) - set(registry.KINDS)
    if unknown:
        raise InputError(f"There is no engine kind {min(unknown)!r}; there are {', '.join(registry.KINDS)}.")

    def opened(kind: str, capability: str | None = None) -> Any:
        return registry.open_engine(kind, job.engines.get(kind) or registry.default(kind, capability))

    engines = {"speak": opened("speak"), "draw": opened("draw")}
    engines["time"] = engines["speak"]
    if "timings" not in registry.card("speak", registry.name_of(engines["speak"])).can:
        engines["time"] = registry.open_engine("speak", registry.default("speak", "timings"))
    engines |= {"move": opened("move", "timings"), "move-any": opened("move", "any-audio")}
    return engines | {"hear": opened("hear")} if job.audio else engines


def _load_sound(path: Path | None) -> Audio | None:
    if path is None:
        return None
    loaded = sound.load(path, max_seconds=settings.load().max_sound_minutes * 60, rate=RATE)
    if sound.is_silent(loaded):
        raise InputError(f"There is only silence in {path.name}: record it again, closer to the microphone.")
    return loaded


def _previewed(utterances: Iterable[Utterance], preview: str) -> Iterator[Utterance]:
    """All of the talk, or for the short preview what fits into its first seconds."""
    left = SHORT_SECONDS if preview == "short" else float("inf")
    for utterance in utterances:
        yield utterance if utterance.audio.seconds <= left else recording.cut(utterance, left)
        left -= utterance.audio.seconds
        if left <= 0.1:
            return


def _on_the_clock(utterances: Iterable[Utterance], fps: int) -> Iterator[Utterance]:
    """Each utterance fills whole frames and knows when it starts, so that sound and picture never drift apart."""
    start = 0.0
    for utterance in utterances:
        whole = sound.pad_to_frames(sound.resample(utterance.audio, RATE), fps)
        yield replace(utterance, audio=whole, start=start)
        start += whole.seconds


def _move(scene: _Scene, utterance: Utterance) -> FaceMotion:
    kind = "move-any" if utterance.timing == "none" else "move"
    motion: FaceMotion = scene.engines[kind].move(utterance, scene.job.style)
    if motion.emotion:
        start, end = round(utterance.start, 3), round(utterance.start + utterance.audio.seconds, 3)
        played = {"start": start, "end": end, "emotion": motion.emotion, "strength": round(motion.strength, 2)}
        scene.played.append(played)
    return motion


def _told(scene: _Scene, images: Iterable[Image], done: float, step: float) -> Iterator[Image]:
    """Pass the pictures on and tell how far the whole is; every few frames, which is also when it can be stopped."""
    for number, image in enumerate(images):
        if number % 5 == 0:
            scene.tell("face", scene.fraction(done + step * number))
        yield image


def _marker(scene: _Scene, size: tuple[int, int]) -> Any:
    """What draws the visible label and, where wanted, the subtitles over every picture of an utterance."""
    burner = subtitles.Burner(size) if scene.job.subtitles == "burn" else None
    label: Label | None = None

    def marked(images: Iterable[Image], utterance: Utterance) -> Iterator[Image]:
        nonlocal label
        if label is None and settings.load().label:
            label = Label(size, utterance.language or scene.language)
        lines = subtitles.lines([replace(utterance, start=0.0)]) if burner else []
        for number, image in enumerate(images):
            with scene.clock("mark"):
                if burner:
                    burner.apply(image, lines, number / scene.job.style.fps)
                if label:
                    label.apply(image)
            yield image

    return marked


def _hollow(audio: Audio) -> Audio:
    """A sound of the same length that takes no memory: what was written need not be kept, however long the talk."""
    return Audio(np.broadcast_to(np.zeros(1, np.float32), audio.samples.shape), audio.rate)


def _write_beside(job: RenderJob, said: list[Utterance], made: VideoFile) -> dict[str, str]:
    """Subtitles and timing, beside the finished video."""
    extra = {"subtitles": "burnt" if job.subtitles == "burn" else "", "sidecar": ""}
    if job.subtitles in ("srt", "vtt"):
        extra["subtitles"] = str(subtitles.write(said, job.out.with_suffix(f".{job.subtitles}")))
    if job.sidecar:
        extra["sidecar"] = str(subtitles.write_sidecar(said, made, job.out.with_suffix(".json")))
    return extra


def _untimed(said: Sequence[Utterance]) -> list[str]:
    """One sentence if in some of the talk nobody knows when which sound is said."""
    count = sum(bool(u.text.strip()) and u.timing == "none" for u in said)
    if not count:
        return []
    where = f"In {count} of {len(said)} sentences the mouth follows loudness only"
    return [f"{where}: no engine here tells when their sounds are said."]


def _report(scene: _Scene, said: list[Utterance], made: VideoFile, extra: Mapping[str, str]) -> Report:
    timings = {stage: round(seconds, 3) for stage, seconds in scene.clock.so_far().items()}
    advice = scene.portrait.report.get("advice", ())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    return Report(
        video=str(made.path),
        seconds=round(made.seconds, 3),
        frames=made.frames,
        fps=made.fps,
        size=made.size,
        timings=timings,
        first={stage: round(seconds, 3) for stage, seconds in scene.clock.firsts().items()},
        realtime_factor=round(timings["total"] / made.seconds, 3),
        peak_rss_mb=round(peak, 1),
        engines={kind: registry.name_of(e) for kind, e in scene.engines.items() if kind in registry.KINDS},
        portrait=scene.portrait.id,
        voice=scene.voice.id if scene.voice else "",
        language=said[0].language or scene.language,
        sentences=len(said),
        seed=scene.job.style.seed,
        subtitles=extra["subtitles"],
        sidecar=extra["sidecar"],
        marks={
            "label": settings.load().label,
            "metadata": made.path.suffix != ".png",
            "sound": False,
            "picture": False,
            "manifest": False,
        },
        warnings=(*(a["en"] for a in advice), *_untimed(said)),
        portrait_report=scene.portrait.report,
        emotions=tuple(scene.played),
        crop=crop_of(scene.job.portrait, scene.job.style),
        frame=scene.job.style.frame,
        background=Path(scene.job.style.background).name,
    )
