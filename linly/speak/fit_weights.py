"""Kokoro's weights by the names of its graph: read as plain numbers, and written back with what fitting changed.

The file holds most weights as 7 of the 8 bits of a byte. A fitted voice uses the eighth: its steps are half as wide, so
the stock weights are kept exactly and the change is rounded half as coarsely.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linly.speak.graph import Graph

Arrays = dict[str, NDArray[Any]]

DECODER = "/decoder/decoder/"
ENCODER = "/encoder/"
PREDICTOR = "/encoder/predictor/"
DURATIONS = tuple(f"{PREDICTOR}text_encoder/lstms.{i}" for i in range(6))
"""Of the duration encoder: even ones are recurrent, odd ones normalise."""
BASIS = "decoder.decoder.generator.stft.istft.stft.inverse_basis"
PITCH, ENERGY = ENCODER + "Reshape_output_0", ENCODER + "Reshape_1_output_0"
FRAMES = ENCODER + "Clip_output_0"
"""How many frames each symbol lasts."""
HARMONICS = DECODER + "generator/Concat_3_output_0"
"""The short transform of the source signal, made of the pitch alone."""
FOR_PROSODY, FOR_DECODER = "/encoder/bert_encoder/Add_output_0", "/encoder/text_encoder/Transpose_2_output_0"
"""The text as the predictor sees it (1, symbols, 512) and as the decoder does (1, 512, symbols)."""
_LATER = ("encoder.F0", "encoder.N")
"""Parts of the predictor that the exporter moved up."""
_CONV, _FC, _LSTM = "/Conv_quant", "/fc/Gemm_MatMul_quant", "/LSTM_quant"


def readable(graph: Graph) -> Arrays:
    """All weights of predictor and decoder as float32, by the names that `fit_network` uses."""
    found: Arrays = {BASIS: graph.array(BASIS)}
    for node in graph.nodes.values():
        if not node.name.startswith((DECODER, ENCODER)) or "/bert/" in node.name:
            continue
        where = weight_of(node.name)
        if node.name.endswith(_CONV):
            found[where + ".weight"] = _plain(graph, node.inputs[1], node.inputs[3])
        elif node.name.endswith((_FC, "/MatMul_quant")) and _dotted(where) + ".bias" in graph.tensors:
            found[where + ".weight"] = _plain(graph, node.inputs[1], node.inputs[3]).T.copy()
        elif node.name.endswith(_LSTM):
            found.update({f"{where}.{part}": values for part, values in _recurrent(graph, node.inputs).items()})
        elif node.name.endswith(("/ConvTranspose", "/conv_post/Conv")) and len(node.inputs) == 3:
            found[where + ".weight"] = graph.array(node.inputs[1])
        else:
            continue
        if _dotted(where) + ".bias" in graph.tensors:
            found[where + ".bias"] = graph.array(_dotted(where) + ".bias")
    for name in graph.tensors:
        head, alpha, tail = name.partition(".alpha")
        if alpha and head.startswith("decoder."):
            found[_slashed(head) + "/alpha" + tail] = graph.array(name)
    return found


def weight_of(node: str) -> str:
    """The name of a node's weights: the node's own without what it does with them."""
    for ending, kept in ((_CONV, ""), (_FC, "/fc"), (_LSTM, ""), ("/MatMul_quant", ""), ("/ConvTranspose", "")):
        if node.endswith(ending):
            return node.removesuffix(ending) + kept
    return node.removesuffix("/Conv")


def _dotted(name: str) -> str:
    """The name under which the exporter kept a weight that it did not fold."""
    name = name.removeprefix("/").replace("/", ".").replace("asr_res.asr_res", "asr_res")
    return name.replace("encoder.", "encoder.predictor.", 1) if name.startswith(_LATER) else name


def _slashed(name: str) -> str:
    """decoder.decoder.generator.noise_res.0 as /decoder/decoder/generator/noise_res.0."""
    parts: list[str] = []
    for part in name.split("."):
        if part.isdigit():
            parts[-1] += "." + part
        else:
            parts.append(part)
    return "/" + "/".join(parts)


def _scale(weights: str) -> str:
    return weights.removesuffix("_quantized") + "_scale"


def _plain(graph: Graph, weights: str, zero: str) -> NDArray[np.float32]:
    numbers = graph.array(weights).astype(np.float32) - graph.array(zero).astype(np.float32)
    return numbers * graph.array(_scale(weights)).astype(np.float32)


def _recurrent(graph: Graph, inputs: tuple[str, ...]) -> Arrays:
    """Weights of both directions as torch has them: gates in the order input, forget, cell, output."""
    order = np.concatenate([np.arange(256) + 256 * gate for gate in (0, 2, 3, 1)])
    bias = graph.array(inputs[3])
    made: Arrays = {}
    for direction, suffix in enumerate(("", "_reverse")):
        for part, name, zero in (("ih", inputs[1], inputs[9]), ("hh", inputs[2], inputs[11])):
            numbers = graph.array(name)[direction].astype(np.float32) - float(graph.array(zero)[direction])
            values = numbers * float(graph.array(_scale(name))[direction])
            made[f"weight_{part}_l0{suffix}"] = values.T[order].copy()
            offset = 0 if part == "ih" else 1024
            made[f"bias_{part}_l0{suffix}"] = bias[direction, offset : offset + 1024][order].copy()
    return made


def written(graph: Graph, delta: Mapping[str, NDArray[Any]]) -> bytes:
    """The model with `delta` added to the weights of these names, as bytes for ONNX Runtime."""
    patches: Arrays = {}
    for node in graph.nodes.values():
        name = weight_of(node.name) + ".weight"
        if node.name.endswith(_CONV):
            weights, zero = node.inputs[1], node.inputs[3]
            step = graph.array(_scale(weights)) / 2
            numbers = 2.0 * graph.array(weights)
            if name in delta:
                numbers = np.rint(numbers + delta[name].reshape(numbers.shape) / step)
            patches[weights], patches[_scale(weights)] = np.clip(numbers, 0, 255), step
            patches[zero] = 2 * graph.array(zero)
        elif name in delta:
            stock = graph.array(node.inputs[1])
            patches[node.inputs[1]] = stock + delta[name].reshape(stock.shape)
    for name, change in delta.items():
        if name.endswith(".bias"):
            patches[_dotted(name)] = graph.array(_dotted(name)) + change
    return graph.patched(patches)
