"""Gradient steps that bring Kokoro's prosody and decoder near a person's own clips."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from linly.speak import fit_pitch
from linly.speak.fit_network import PER_FRAME, Decoder, Prosody, Tensor
from linly.speak.fit_reference import Clip
from linly.speak.fit_weights import DECODER, ENCODER, PREDICTOR, Arrays
from linly.speak.sessions import HOP
from linly.values import Floats

WINDOW = 56
"""frames that one step of the decoder hears (1.4 s)"""
_EDGE = 2400
"""samples at both ends of a window that the loss leaves out: what is beyond them is missing"""
_SIZES = (512, 1024, 2048)
"""of the transforms that compare sounds"""
_WEIGHTS, _BIASES = 1.3e-4, 1.5e-3
"""step sizes of the decoder's convolutions and biases"""
_HEADS, _STYLE = 1.2e-4, 0.02
"""step sizes of the predictor's heads and of the style's shift"""
_AT_ONCE = 800
"""frames, 20 s, after which one step of the prosody has heard enough clips"""
_UNVOICED = 40.0
"""hertz under which the predictor means no voice"""

Watch = Callable[[int, float], None]
"""Called after each step with how many were made, and the share done of all that there is to do."""


def trained_in_decoder(name: str) -> bool:
    """Whether fitting changes this weight: all convolutions and biases, those of the source signal's branch too.

    That branch is a third of the work; with it one speaker's likeness rose from 0.889 to 0.901 (docs/voices.md).
    """
    return name.startswith(DECODER) and name.endswith((".weight", ".bias")) and not name.endswith("/fc.weight")


def trained_in_prosody(name: str) -> bool:
    """The heads of pitch and energy, and the biases of all that follows the style."""
    head = name.startswith((ENCODER + "F0", ENCODER + "N")) and not name.endswith("/fc.weight")
    return head or (name.startswith((ENCODER, PREDICTOR)) and name.endswith("/fc.bias"))


def as_tensors(weights: Arrays, device: str) -> dict[str, Tensor]:
    """The weights on a device, none of them trained yet."""
    import torch

    return {name: torch.tensor(values, device=device) for name, values in weights.items()}


def fit_prosody(weights: dict[str, Tensor], clips: Sequence[Clip], styles: Tensor, steps: int, watch: Watch) -> Floats:
    """Durations, pitch and energy of the clips from their text; `weights` are changed in place.

    styles: (clips, 256). Gives the shift (128,) of the prosodic half of the style.
    """
    import torch

    device = styles.device
    names = [name for name in weights if trained_in_prosody(name)]
    for name in names:
        weights[name].requires_grad_(True)
    shift = torch.zeros(128, device=device, requires_grad=True)
    heads = [{"params": [weights[name] for name in names], "lr": _HEADS}, {"params": [shift], "lr": _STYLE}]
    optimiser, at = _optimiser(heads)
    network = Prosody(weights)
    aims = [_prosody_aim(clip, device) for clip in clips]
    sizes = [int(clip.frames.sum()) for clip in clips]
    turn: list[int] = []
    for step in range(steps):
        loss, heard = 0.02 * (shift / styles[:, 128:].std()).square().mean(), 0
        chosen: list[int] = []
        while len(chosen) < len(clips) and heard < _AT_ONCE:
            turn = turn or list(range(len(clips)))
            chosen.append(turn.pop(0))
            heard += sizes[chosen[-1]]
        for i in chosen:
            text, frames, pitch, energy = aims[i]
            style = styles[i, 128:] + shift
            lasting, seen = network.durations(text, style)
            curves = network.curves(seen, style, frames)
            loss = loss + _prosody_loss(lasting, curves, frames, pitch, energy) * sizes[i] / heard
        at(step, step / steps)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        watch(step + 1, (step + 1) / steps)
    for name in names:
        weights[name].requires_grad_(False)
    found: Floats = shift.detach().cpu().numpy()
    return found


def _prosody_aim(clip: Clip, device: Any) -> tuple[Tensor, ...]:
    import torch

    parts = (clip.for_prosody, clip.frames, clip.pitch[None], clip.energy[None])
    return tuple(torch.tensor(part, device=device) for part in parts)


def _prosody_loss(lasting: Tensor, curves: tuple[Tensor, Tensor], frames: Tensor, pitch: Tensor, energy: Tensor) -> Any:
    """Distance of the durations' logarithms, of the pitch where there is one, of its spread, and of the energy.

    Without the spread the curve would settle on the mean of what could be said, which sounds flat.
    """
    from torch.nn.functional import smooth_l1_loss

    inner = slice(1, -1)  # the pads are our own silence
    loss = smooth_l1_loss(lasting[inner].clamp(min=0.3).log(), frames[inner].float().log())
    voiced = (pitch > _UNVOICED) & (curves[0] > _UNVOICED)
    if voiced.sum() > 20:
        made, aim = curves[0][voiced].log2() * 12, pitch[voiced].log2() * 12
        loss = loss + 0.5 * smooth_l1_loss(made, aim) + 0.5 * (made.std() - aim.std()).abs()
    return loss + 0.5 * smooth_l1_loss(curves[1], energy)


def _optimiser(groups: list[dict[str, Any]]) -> tuple[Any, Callable[[int, float], None]]:
    """Adam, and what sets its step sizes by the steps made and the share done: a short warm-up, a decay to a fifth."""
    import torch

    optimiser = torch.optim.Adam(groups, betas=(0.9, 0.98), fused=True)
    sizes = [group["lr"] for group in groups]

    def at(step: int, share: float) -> None:
        for group, size in zip(optimiser.param_groups, sizes, strict=True):
            group["lr"] = size * min(1, (step + 1) / 8) * (1 - 0.8 * share)

    return optimiser, at


class DecoderFit:
    """The decoder taught to say the clips as they were said, window by window."""

    def __init__(
        self, weights: dict[str, Tensor], clips: Sequence[Clip], style: Tensor, harmonics: Floats, held: float,
        bandwidth: float,
    ) -> None:  # fmt: skip
        """style: (128,); harmonics: those of all clips' pitch in a row; held: share of the sound that is never heard;
        bandwidth: hertz up to which the recordings hold sound.
        """
        import torch

        self.weights, self._style = weights, style
        self._network = Decoder(weights)

        def on_device(parts: Sequence[Any]) -> Tensor:
            return torch.tensor(np.concatenate(parts, -1), device=style.device)

        self._text = on_device([np.repeat(clip.for_decoder, clip.frames, axis=2) for clip in clips])
        self._pitch = on_device([clip.pitch for clip in clips])[None]
        self._energy = on_device([clip.energy for clip in clips])[None]
        self._samples = on_device([clip.samples for clip in clips])[None]
        self._loss = Likeness(style.device, bandwidth)
        self.frames = self._text.shape[2]
        self._heard = max(WINDOW, self.frames - max(0, round(held * self.frames)))
        self._harmonics = torch.tensor(harmonics, device=style.device)

    def run(self, steps: int, watch: Watch, done: int = 0, until: float = math.inf, fewest: int = 0) -> int:
        """How many steps were made in all: `steps`, of which `done` were made before; or as many as there was time for
        until time.monotonic() is `until`, but the `fewest` in any case."""
        names = [name for name in self.weights if trained_in_decoder(name)]
        for name in names:
            self.weights[name].requires_grad_(True)
        groups = [
            {"params": [self.weights[name] for name in names if name.endswith(kind)], "lr": size}
            for kind, size in ((".weight", _WEIGHTS), (".bias", _BIASES))
        ]
        optimiser, at = _optimiser(groups)
        began, first, before = time.monotonic(), done, done / steps
        draw = np.random.default_rng(done)
        starts: list[int] = []
        for step in range(done, steps):
            late = max(0.0, time.monotonic() - began) / max(1e-6, until - began)
            share = min(1.0, max(step / steps, before + (1 - before) * late))
            if share == 1 and step >= fewest:
                break
            at(step - first, share)
            if not starts:  # every part of the sound comes up equally often
                spread = np.arange(0, max(1, self._heard - WINDOW), WINDOW // 2) + draw.integers(0, WINDOW // 2)
                starts = list(draw.permutation(np.minimum(spread, self._heard - WINDOW)))
            loss = self._window(int(starts.pop()))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            done = step + 1
            watch(done, share)
        for name in names:
            self.weights[name].requires_grad_(False)
        return done

    def _window(self, start: int) -> Tensor:
        end = start + WINDOW
        harmonics = self._harmonics[..., start * PER_FRAME : end * PER_FRAME + 1]
        made = self._network(
            self._text[..., start:end], self._pitch[:, 2 * start : 2 * end], self._energy[:, 2 * start : 2 * end],
            self._style, self._network.source(harmonics, self._style),
        )  # fmt: skip
        inner = slice(_EDGE, -_EDGE)
        return self._loss(made[:, inner], self._samples[:, start * HOP : end * HOP][:, inner])

    def _held(self) -> list[int]:
        last = self.frames - WINDOW
        return list(range(last, max(-1, min(last, self._heard) - WINDOW // 4 - 1), -WINDOW))

    def held_out(self) -> float:
        """The loss of the end of the sound, most of which no step heard."""
        import torch

        with torch.no_grad():
            return float(np.mean([float(self._window(start)) for start in self._held()]))


class Likeness:
    """How far two sounds are apart in spectrograms of three sizes, up to the frequency that both hold.

    Multi-resolution STFT loss (Yamamoto, Song and Kim, 2020) with a mel term.
    """

    def __init__(self, device: Any, bandwidth: float) -> None:
        import torch

        self._torch = torch
        self._parts = []
        for size in _SIZES:
            bins = int(bandwidth / fit_pitch.RATE * size)
            bank = fit_pitch.bank(80 if size > 512 else 40, size)[:, :bins]
            bank = bank[bank.sum(1) > 0]
            self._parts.append(
                (
                    size,
                    bins,
                    torch.hann_window(size, device=device),
                    torch.tensor(bank, dtype=torch.float32, device=device),
                )
            )

    def __call__(self, made: Tensor, aim: Tensor) -> Tensor:
        total: Any = 0.0
        for size, bins, window, bank in self._parts:
            one, other = (self._spectrum(sound, size, window)[:, :bins] for sound in (made, aim))
            mel = ((bank @ one + 1e-3).log() - (bank @ other + 1e-3).log()).abs().mean()
            far = (one - other).norm() / (other.norm() + 1e-4)
            fine = ((one + 1e-2).log() - (other + 1e-2).log()).abs().mean()
            total = total + mel + 0.5 * far + 0.3 * fine
        return total / len(self._parts)

    def _spectrum(self, sound: Tensor, size: int, window: Tensor) -> Tensor:
        whole = self._torch.stft(sound, size, size // 4, window=window, return_complex=True)
        return (whole.real.square() + whole.imag.square() + 1e-9).sqrt()
