"""Kokoro fitted to a person: its prosody and decoder adapted by gradient to their own few seconds of speech.

From the clips to the changes: lay the clips out, bring durations, pitch and energy near them, then the sound itself,
keep the strongest directions of what changed, and let the changes stand only where a judge that had no part in the
work finds the result nearer to the person than the voice it started from, and as easy to understand.
Torch is needed here and nowhere else; the fitted voice is spoken by ONNX Runtime.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from linly import audio as sound
from linly import files, heap, settings
from linly.errors import EngineUnavailable, InputError
from linly.speak import fit_check, fit_training
from linly.speak.fit_network import Prosody, Tensor
from linly.speak.fit_reference import Clip, Teacher, reference
from linly.speak.fit_store import PITCHES, STYLE, packed
from linly.speak.fit_weights import Arrays, readable
from linly.speak.graph import Graph
from linly.values import Audio, Floats, Progress

RANK = 64
"""directions of each weight's change that are kept: 17 MB a voice; 16, of 4.4 MB, cost 0.015 of the likeness"""
SHORTEST = 3.0
"""seconds of sound that fitting needs at least"""
LONGEST = 90.0
"""seconds that it lays out; more is not better in the time there is"""
_HELD = 0.08
"""share of the sound that the decoder never hears and that its loss is measured on"""
_PROSODY_STEPS, _STEPS, _FEWEST = 36, 220, 60
_SAVED, _LAYOUT = 25, b"3"
"""steps between two savings, and which arrangement of them this is"""
_CHECK = 0.22
"""share of the time that the check takes, as progress shows it"""

Sample = tuple[Audio, str, str]
"""a clip, what is said in it, and in which language (ISO 639-1)"""


@dataclass(frozen=True, eq=False)
class Fitted:
    """What came of it."""

    changes: Arrays
    """for Voice.changes; half precision"""
    better: bool
    """nearer to the person than before and as easy to understand: only then is the voice to be used"""
    reason: str
    """in one sentence, where it is not better"""
    scores: Mapping[str, float]
    """similarity and similarity_before in the person's language (English if it is not judged); for each language that
    was judged similarity_*, errors_* (share of characters heard wrongly, where it was measured), the same as
    *_before_*, and taken_* (share of the changed sound, 0 to 1); loss and loss_before (of the part that was held
    out), steps, seconds"""


def fit(
    clips: Sequence[Sample],
    base: Floats,
    model: Path,
    *,
    progress: Progress,
    similarity: Callable[[Audio, Audio], float],
    hear: Callable[[Audio, str], str] | None = None,
    folder: Path | None = None,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    minutes: float = 11.0,
) -> Fitted:
    """Kokoro's weights brought near to the person of the clips.

    clips: 3 s in all at least, each with its transcript and of at most about 30 s; base: (510, 1, 256) styles of the
    voice to start from; similarity: likeness of two sounds, 1 for the same person, had from a model that is not this
    one (its second sound is the same object each time); hear: what a listener understands, in a language; folder: the
    caller's own, where work is saved, to go on from after a crash or a stop; minutes: about how long it may take.
    `progress` hears the stage and the share of the time; it may raise Cancelled.
    Raises InputError for clips that cannot be used and EngineUnavailable without torch.
    """
    try:
        import torch
    except ImportError as error:
        raise EngineUnavailable("Fitting a voice needs torch: pip install -r requirements.txt.") from error
    began = time.monotonic()
    where = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    clips = _enough(clips)
    progress("fit: listen", 0.0)
    graph = Graph(model.read_bytes())
    table = base.reshape(-1, 256).astype(np.float32)
    with _torch_at_work(torch):
        work = _Work(graph, table, clips, where, _Saved(folder, clips, base))
        work.prosody(progress)
        work.decoder(progress, began + 60 * minutes * (1 - _CHECK))
        changes = work.changes()
    fitted = fit_check.judged(graph, table, changes, clips, similarity, hear, lambda done: progress("fit: check", done))
    work.saved.forget()
    progress("fit: check", 1.0)
    scores = {**work.scores, **fitted.scores, "seconds": time.monotonic() - began}
    return Fitted(fitted.changes, not fitted.reason, fitted.reason, scores)


def _enough(clips: Sequence[Sample]) -> list[Sample]:
    """The clips up to LONGEST. Raises InputError for too little."""
    kept: list[Sample] = []
    for clip in clips:
        if not kept or sum(one.seconds for one, *_ in kept) + clip[0].seconds <= LONGEST:
            kept.append(clip)
    seconds = sum(audio.seconds for audio, *_ in kept)
    if seconds < SHORTEST:
        raise InputError(f"Fitting needs {SHORTEST:.0f} s of speech or more, this is {seconds:.1f} s: record more.")
    return kept


@contextmanager
def _torch_at_work(torch: Any) -> Any:
    """As many threads as the settings allow, numbers too small to matter taken as 0, and memory kept between steps."""
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, settings.threads()))
    torch.set_flush_denormal(True)
    try:
        with heap.kept():
            yield
    finally:
        torch.set_num_threads(threads)


class _Saved:
    """What was done before a crash, in one file; it fits only the same clips and the same start."""

    def __init__(self, folder: Path | None, clips: Sequence[Sample], base: Floats) -> None:
        seen = hashlib.sha256(_LAYOUT + np.ascontiguousarray(base, np.float32).tobytes())
        for audio, text, language in clips:
            seen.update(audio.samples.tobytes() + f"{audio.rate}{text}{language}".encode())
        self._path = folder / "fitting.npz" if folder else None
        self._of = seen.hexdigest()

    def read(self) -> dict[str, np.ndarray[Any, Any]]:
        """Arrays by name; nothing where nothing was saved or it belongs to other clips."""
        if not self._path or not self._path.is_file():
            return {}
        try:
            with np.load(self._path, allow_pickle=False) as held:
                found = {name: held[name] for name in held.files}
        except (OSError, ValueError, EOFError):  # a file that something else damaged: begin anew
            return {}
        return found if str(found.get("of")) == self._of else {}

    def write(self, **arrays: Any) -> None:
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with files.replacing(self._path) as part, part.open("wb") as file:
                np.savez(file, of=np.array(self._of), **arrays)

    def forget(self) -> None:
        if self._path:
            self._path.unlink(missing_ok=True)


class _Work:
    """The steps of one fitting and what they share."""

    def __init__(self, graph: Graph, table: Floats, clips: Sequence[Sample], device: str, saved: _Saved) -> None:
        import torch

        self.saved = saved
        self.scores: dict[str, float] = {}
        self._teacher = Teacher(graph, table)
        self._clips = reference(clips, self._teacher)
        self._stock = readable(graph)
        self._weights: dict[str, Tensor] = fit_training.as_tensors(self._stock, device)
        self._styles = torch.tensor(np.stack([self._style(clip) for clip in self._clips]), device=device)
        self._bandwidth = min(_bandwidth(audio) for audio, *_ in clips)
        self._shift: Floats = np.zeros(128, np.float32)
        self._pitches: list[tuple[float, float]] = []

    def _style(self, clip: Clip) -> Floats:
        table = self._teacher.table
        style: Floats = table[min(len(clip.symbols), len(table) - 1)]
        return style

    def prosody(self, progress: Progress) -> None:
        """Durations, pitch and energy; then where the pitch still has to be moved, by sentences of no clip."""
        import torch

        held = self.saved.read()
        if held:
            self._shift, self._pitches = held["shift"], [(gain, factor) for gain, factor in held["pitch"].tolist()]
            for name in held:
                if name in self._weights:
                    change = torch.tensor(held[name].astype(np.float32), device=self._styles.device)
                    self._weights[name] = self._weights[name] + change
            return
        watch: fit_training.Watch = lambda step, share: progress("fit: manner", 0.05 + 0.1 * share)  # noqa: E731
        stock = {
            name: values.clone() for name, values in self._weights.items() if fit_training.trained_in_prosody(name)
        }
        shift = fit_training.fit_prosody(self._weights, self._clips, self._styles, _PROSODY_STEPS, watch)
        fitted, before = self._weights, self._weights | stock
        self._pitches = [self._pitch_map(*one) for one in ((before, self._shift), (before, shift), (fitted, shift))]
        self._shift = shift
        self._save(0)

    def _pitch_map(self, weights: dict[str, Tensor], shifted_by: Floats) -> tuple[float, float]:
        """Gain and factor that give the pitch of new sentences the person's median and, in part, their spread."""
        import torch

        network, made = Prosody(weights), []
        shift = torch.tensor(shifted_by, device=self._styles.device)
        with torch.no_grad():
            for symbols in fit_check.unheard():
                text = torch.tensor(self._teacher.text(symbols)[0], device=self._styles.device)
                style = torch.tensor(self._teacher.table[len(symbols)][128:], device=self._styles.device) + shift
                lasting, seen = network.durations(text, style)
                curve, _ = network.curves(seen, style, lasting.round().clamp(min=1).long())
                made.append(curve[0].cpu().numpy())
        return matched(np.concatenate(made), np.concatenate([clip.pitch for clip in self._clips]))

    def decoder(self, progress: Progress, until: float) -> None:
        """The sound, in as many steps as the time allows."""
        held = self.saved.read()
        done = int(held["done"]) if held else 0
        harmonics = self._teacher.harmonics(np.concatenate([clip.pitch for clip in self._clips]))
        work = fit_training.DecoderFit(
            self._weights, self._clips, self._styles.mean(0)[:128], harmonics, _HELD, self._bandwidth
        )
        before = work.held_out()

        def watch(step: int, share: float) -> None:
            if step % _SAVED == 0:
                self._save(step)
            progress("fit: sound", 0.15 + (1 - _CHECK - 0.15) * share)

        steps = work.run(_STEPS, watch, done, until, _FEWEST)
        self.scores |= {"loss_before": before, "loss": work.held_out(), "steps": float(steps)}

    def _delta(self) -> Arrays:
        trained = [n for n in self._stock if fit_training.trained_in_decoder(n) or fit_training.trained_in_prosody(n)]
        return {name: self._weights[name].detach().cpu().numpy() - self._stock[name] for name in trained}

    def _save(self, done: int) -> None:
        change = {name: values.astype(np.float16) for name, values in self._delta().items()}
        self.saved.write(shift=self._shift, done=np.array(done), pitch=np.array(self._pitches), **change)

    def changes(self) -> Arrays:
        """What changed, as a voice keeps it."""
        small = packed(self._delta(), RANK)
        small[STYLE] = np.concatenate([np.zeros(128), self._shift]).astype(np.float16)
        small |= {name: np.array(map_, np.float32) for name, map_ in zip(PITCHES, self._pitches, strict=True)}
        return small


def matched(made: Floats, aim: Floats) -> tuple[float, float]:
    """Gain and factor with which factor x f ** gain has the median of another pitch curve, and in part its spread."""
    made, aim = np.log(made[made > 50]), np.log(aim[aim > 50])
    if min(len(made), len(aim)) < 40:
        return 1.0, 1.0
    low, middle, high = np.percentile(made, [15, 50, 85])
    low_aim, middle_aim, high_aim = np.percentile(aim, [15, 50, 85])
    spread = (high_aim - low_aim) / max(high - low, 0.02)
    if abs(middle_aim - middle) < np.log(2) / 12 and 0.75 < spread < 1.35:
        return 1.0, 1.0  # near enough: moving it more does not make it more like the person
    gain = float(np.clip(spread**0.7, 0.9, 1.5))
    return gain, float(np.exp(middle_aim - gain * middle))


def _bandwidth(audio: Audio) -> float:
    """Hertz up to which a recording holds sound: what a codec or a telephone cut off cannot be learnt."""
    samples = sound.resample(audio, 24000).samples
    pieces = np.lib.stride_tricks.sliding_window_view(np.pad(samples, (0, 1024)), 1024)[::512] * np.hanning(1024)
    power = (np.abs(np.fft.rfft(pieces)) ** 2).mean(0)
    smooth = np.convolve(power, np.ones(9) / 9, "same")
    held = np.flatnonzero(smooth > smooth.max() * 1e-7)
    return float(np.clip(held[-1] * 24000 / 1024 - 300, 3000, min(11000, 0.465 * audio.rate)))
