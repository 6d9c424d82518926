"""Kokoro's prosody predictor and decoder in torch, for fitting only: gradients flow where ONNX Runtime has none.

The architecture is that of StyleTTS 2 (Li et al., 2023) with an iSTFTNet generator (Kaneko et al., 2022), AdaIN (Huang
and Belongie, 2017) and snake activations (Ziyin et al., 2020). Conventions are those of the exported graph, not of the
papers: weight norm is folded in, the source signal has no noise, and overlapping frames are added without dividing by
their window's sum. Weights are a dictionary by the graph's own names ("/encoder/F0.0/conv1" + ".weight", ".bias"), so
what was fitted is written back under the same names.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from linly.speak.fit_weights import BASIS, DECODER, DURATIONS, ENCODER, PREDICTOR

Tensor = Any
"""torch.Tensor; torch is loaded only where a network is made"""
PER_FRAME = 120
"""steps of the generator's short transform in one frame of 25 ms"""
_BINS = 11
"""its frequencies: 20 samples wide, every 5"""


@functools.cache
def _snake() -> Any:
    import torch

    class Snake(torch.autograd.Function):  # type: ignore[misc]
        """x + sin(a x)^2 / a in one pass each way; `a` stays as it is."""

        @staticmethod
        def forward(ctx: Any, x: Tensor, a: Tensor) -> Tensor:
            ctx.save_for_backward(x, a)
            return torch.cos(x * (2 * a)).sub_(1).mul_(-0.5 / a).add_(x)

        @staticmethod
        def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
            x, a = ctx.saved_tensors
            return torch.sin(x * (2 * a)).add_(1).mul_(grads[0]), None

    return Snake.apply


class _Layers:
    """What both networks are made of. A style is (128,): one voice at a time, whatever the batch."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        import torch

        self.weights = weights
        self.f = torch.nn.functional
        self.torch = torch

    def conv(self, name: str, x: Tensor, **how: Any) -> Tensor:
        return self.f.conv1d(x, self.weights[name + ".weight"], self.weights.get(name + ".bias"), **how)

    def widen(self, name: str, x: Tensor, **how: Any) -> Tensor:
        return self.f.conv_transpose1d(x, self.weights[name + ".weight"], self.weights[name + ".bias"], **how)

    def style(self, name: str, style: Tensor) -> tuple[Tensor, Tensor]:
        """Gain and shift of each channel."""
        gain, shift = self.f.linear(style, self.weights[name + ".weight"], self.weights[name + ".bias"]).chunk(2)
        return 1 + gain, shift

    def norm(self, name: str, x: Tensor, style: Tensor) -> Tensor:
        """AdaIN: each channel brought to the mean and spread that the style asks for."""
        gain, shift = self.style(name + "/fc", style)
        return self.f.instance_norm(x, weight=gain, bias=shift, eps=1e-5)

    def block(self, name: str, x: Tensor, style: Tensor) -> Tensor:
        """A residual block of the predictor and of the decoder's body; some give two steps for one."""
        y = self.f.leaky_relu(self.norm(name + "/norm1", x, style), 0.2)
        if name + "/pool.weight" in self.weights:
            y = self.widen(name + "/pool", y, stride=2, padding=1, output_padding=1, groups=y.shape[1])
            x = x.repeat_interleave(2, -1)
        y = self.conv(name + "/conv1", y, padding=1)
        y = self.f.leaky_relu(self.norm(name + "/norm2", y, style), 0.2)
        if name + "/conv1x1.weight" in self.weights:
            x = self.conv(name + "/conv1x1", x)
        return (self.conv(name + "/conv2", y, padding=1) + x) * 0.5**0.5


class Decoder(_Layers):
    """Text features, pitch and energy to sound at 24 kHz."""

    def __call__(self, text: Tensor, pitch: Tensor, energy: Tensor, style: Tensor, source: Sequence[Tensor]) -> Tensor:
        """(n, 600 x frames) sound of text (n, 512, frames), pitch and energy (n, 2 x frames), and `source` of them."""
        curves = self.torch.cat(
            [
                self.conv(DECODER + "F0_conv", pitch[:, None], stride=2, padding=1),
                self.conv(DECODER + "N_conv", energy[:, None], stride=2, padding=1),
            ],
            1,
        )
        x = self.block(DECODER + "encode", self.torch.cat([text, curves], 1), style)
        beside = self.torch.cat([self.conv(DECODER + "asr_res/asr_res.0", text), curves], 1)
        for i in range(4):
            x = self.block(f"{DECODER}decode.{i}", self.torch.cat([x, beside], 1), style)
        return self._generate(x, style, source)

    def source(self, harmonics: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
        """What the harmonics (n, 22, PER_FRAME x frames + 1) add at each of the generator's two levels."""
        name = DECODER + "generator/noise_"
        coarse = self.conv(name + "convs.0", harmonics, stride=6, padding=3)
        fine = self.conv(name + "convs.1", harmonics)
        return self._snakes(name + "res.0", coarse, style), self._snakes(name + "res.1", fine, style)

    def _snakes(self, name: str, x: Tensor, style: Tensor) -> Tensor:
        """Three pairs of convolutions, the first of each pair reaching wider from pair to pair."""
        for i, reach in enumerate((1, 3, 5)):
            y = x
            for part, wide in ((1, reach), (2, 1)):
                y = self.norm(f"{name}/adain{part}.{i}", y, style)
                y = _snake()(y, self.weights[f"{name}/alpha{part}.{i}"])
                conv = f"{name}/convs{part}.{i}"
                half = self.weights[conv + ".weight"].shape[-1] // 2
                y = self.conv(conv, y, padding=wide * half, dilation=wide)
            x = x + y
        return x

    def _generate(self, x: Tensor, style: Tensor, source: Sequence[Tensor]) -> Tensor:
        """From 80 steps a second to sound."""
        name = DECODER + "generator/"
        for level, (stride, padding) in enumerate(((10, 5), (6, 3))):
            x = self.widen(f"{name}ups.{level}", self.f.leaky_relu(x, 0.1), stride=stride, padding=padding)
            if level == 1:
                x = self.f.pad(x, (1, 0), mode="reflect")
            x = x + source[level]
            x = sum(self._snakes(f"{name}resblocks.{3 * level + i}", x, style) for i in range(3)) / 3
        x = self.conv(name + "conv_post", self.f.leaky_relu(x, 0.01), padding=3)
        size, angle = x[:, :_BINS].exp(), x[:, _BINS:].sin()
        frames = self.torch.cat([size * angle.cos(), size * angle.sin()], 1)
        return 4 * self.f.conv_transpose1d(frames, self.weights[BASIS], stride=5)[:, 0, 10:-10]


class Prosody(_Layers):
    """How long each symbol lasts, and the curves of pitch and energy."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__(weights)
        self._lstms = {name: self._lstm(name) for name in (*DURATIONS[::2], PREDICTOR + "lstm", ENCODER + "shared")}

    def _lstm(self, name: str) -> Any:
        module = self.torch.nn.LSTM(640, 256, batch_first=True, bidirectional=True)
        for part, value in module.named_parameters():
            value.data = self.weights[f"{name}.{part}"]
            value.requires_grad_(False)
        return module

    def durations(self, text: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
        """Frames of each symbol (symbols,) at rate 1, and what the curves are made from; text: (1, symbols, 512)."""
        beside = style.expand(*text.shape[:2], -1)
        for recurrent, norm in zip(DURATIONS[::2], DURATIONS[1::2], strict=True):
            text, _ = self._lstms[recurrent](self.torch.cat([text, beside], -1))
            text = self.f.layer_norm(text, text.shape[-1:], *self.style(norm + "/fc", style))
        seen = self.torch.cat([text, beside], -1)
        name = PREDICTOR + "duration_proj/linear_layer"
        last = self.f.linear(
            self._lstms[PREDICTOR + "lstm"](seen)[0], self.weights[name + ".weight"], self.weights[name + ".bias"]
        )
        return self.torch.sigmoid(last).sum(-1)[0], seen

    def curves(self, seen: Tensor, style: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Pitch in hertz and energy, (1, 2 x frames) each, where the symbols last `frames` (symbols,)."""
        shared = self._lstms[ENCODER + "shared"](seen.repeat_interleave(frames, 1))[0].transpose(1, 2)
        made = []
        for curve in ("F0", "N"):
            x = shared
            for i in range(3):
                x = self.block(f"{ENCODER}{curve}.{i}", x, style)
            made.append(self.conv(f"{ENCODER}{curve}_proj", x)[:, 0])
        return made[0], made[1]
