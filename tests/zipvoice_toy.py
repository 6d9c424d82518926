"""Models of a few kilobytes with ZipVoice's inputs and outputs, so that sherpa-onnx itself can be run on them.

Its encoder gives each token FRAMES frames (speed shortens them), its decoder carries the sample's features and the
mean of the tokens along, its vocoder turns them into some sound: what comes out depends on all that goes in.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

FRAMES = 8
HOP = 256
MELS, BINS = 100, 513
TOKENS = [
    *"_^$ !'(),-.:;?abcdefhijklmnopqrstuvwxyzæçðŋœɐɑɒɔəɚɛɜɡɪɬɹɾʃʊʌʒʔˈˌːθᵻ",
    "n0",
    "h0",
    "sh0",
    "i2",
    "ao3",
    "i4",
    "ie4",
]


def write(folder: Path) -> None:
    """encoder.int8.onnx, decoder.int8.onnx, vocos_24khz.onnx and tokens.txt."""
    (folder / "tokens.txt").write_text("".join(f"{t}\t{i}\n" for i, t in enumerate(TOKENS)), encoding="utf-8")
    _encoder(folder / "encoder.int8.onnx")
    _decoder(folder / "decoder.int8.onnx")
    _vocoder(folder / "vocos_24khz.onnx")


def _save(path: Path, steps, inputs, outputs, constants, **about) -> None:
    import onnx
    from onnx import helper, numpy_helper

    nodes = [helper.make_node(op, takes.split(), [gives], **more) for op, takes, gives, more in steps]
    values = [[helper.make_tensor_value_info(name, *kind) for name, kind in side.items()] for side in (inputs, outputs)]
    given = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "toy", *values, given)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {key: str(value) for key, value in about.items()})
    onnx.save(model, str(path))


def _encoder(path: Path) -> None:
    from onnx import TensorProto as T

    steps = [
        ("Size", "tokens", "count", {}),
        ("Cast", "count", "many", {"to": T.FLOAT}),
        ("Mul", "many each", "slow", {}),
        ("Div", "slow speed", "long", {}),
        ("Ceil", "long", "whole", {}),
        ("Cast", "whole", "new", {"to": T.INT64}),
        ("Add", "new prompt_features_len", "frames", {}),
        ("Concat", "one frames mels", "shape", {"axis": 0}),
        ("Cast", "tokens", "a", {"to": T.FLOAT}),
        ("Cast", "prompt_tokens", "b", {"to": T.FLOAT}),
        ("ReduceMean", "a", "c", {"keepdims": 0}),
        ("ReduceMean", "b", "d", {"keepdims": 0}),
        ("Add", "c d", "e", {}),
        ("Expand", "e shape", "text_condition", {}),
    ]
    inputs = {
        "tokens": (T.INT64, [1, "T"]),
        "prompt_tokens": (T.INT64, [1, "P"]),
        "prompt_features_len": (T.INT64, [1]),
        "speed": (T.FLOAT, [1]),
    }
    constants = {"each": np.float32([FRAMES]), "one": np.int64([1]), "mels": np.int64([MELS])}
    _save(path, steps, inputs, {"text_condition": (T.FLOAT, [1, "N", MELS])}, constants, use_espeak=1)


def _decoder(path: Path) -> None:
    from onnx import TensorProto as T

    frames = (T.FLOAT, [1, "N", MELS])
    steps = [
        ("Sub", "speech_condition x", "toward", {}),
        ("Mul", "text_condition little", "said", {}),
        ("Add", "toward said", "v", {}),
    ]
    inputs = {
        "t": (T.FLOAT, [1]),
        "x": frames,
        "text_condition": frames,
        "speech_condition": frames,
        "guidance_scale": (T.FLOAT, [1]),
    }
    about = {"version": 1, "feat_dim": MELS, "sample_rate": 24000, "n_fft": 1024, "hop_length": HOP, "num_mels": MELS}
    _save(path, steps, inputs, {"v": frames}, {"little": np.float32(1e-3)}, window_length=1024, **about)


def _vocoder(path: Path) -> None:
    from onnx import TensorProto as T

    spread = np.zeros((BINS, MELS), np.float32)
    spread[np.arange(BINS), np.arange(BINS) * MELS // BINS] = 1
    steps = [
        ("MatMul", "spread mels", "bins", {}),
        ("Sigmoid", "bins", "size", {}),
        ("Mul", "size gain", "mag", {}),
        ("Cos", "bins", "x", {}),
        ("Sin", "bins", "y", {}),
    ]
    outputs = {name: (T.FLOAT, [1, BINS, "N"]) for name in ("mag", "x", "y")}
    about = {"model_type": "vocos", "n_fft": 1024, "hop_length": HOP, "win_length": 1024, "sample_rate": 24000}
    constants = {"spread": spread, "gain": np.float32(3.0)}
    _save(path, steps, {"mels": (T.FLOAT, [1, MELS, "N"])}, outputs, constants, **about)
