"""An ONNX file read, changed and cut as bytes: enough for one known model, without the `onnx` package.

Protocol Buffers write a message as fields (number << 3 | kind, then a number or a length and bytes) and merge a message
that comes twice. So weights are changed where they lie, and nodes, inputs and outputs are added by writing a second
ModelProto behind the first: no need to rewrite 92 MB.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_GRAPH, _NODE, _TENSOR, _INPUT, _OUTPUT = 7, 1, 5, 11, 12
_RAW, _FLOATS, _INTS, _LONGS = 9, 4, 5, 7
_TYPES = {1: "<f4", 2: "u1", 3: "i1", 6: "<i4", 7: "<i8"}
"""ONNX's numbers of the element types that such models use."""


@dataclass(frozen=True)
class Node:
    """One operation of the graph."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    place: tuple[int, int]
    """first byte of its message and the byte behind it"""


@dataclass(frozen=True)
class Tensor:
    """One array of constants."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    place: tuple[int, int]
    """first byte of its message and the byte behind it"""
    values: tuple[int, int]
    """first byte of its values and the byte behind them"""
    field: int
    """which field of the message holds them"""


class Graph:
    """What is in a model file, by name."""

    def __init__(self, model: bytes) -> None:
        self.model = model
        self.nodes: dict[str, Node] = {}
        self.tensors: dict[str, Tensor] = {}
        self._inputs: dict[str, bytes] = {}
        self._head = b""
        for number, value, begin, end in _fields(model, 0, len(model)):
            if number == _GRAPH:
                self._read(begin, end)
            elif number in (1, 8):  # the format's version, the operators' versions
                self._head += _number(number, value) if number == 1 else field(number, model[begin:end])

    def _read(self, begin: int, end: int) -> None:
        for number, _, a, b in _fields(self.model, begin, end):
            if number == _NODE:
                names: dict[int, list[str]] = {1: [], 2: [], 3: []}
                for part, _, c, d in _fields(self.model, a, b):
                    if part in names:
                        names[part].append(self.model[c:d].decode())
                name = names[3][0] if names[3] else names[2][0]
                self.nodes[name] = Node(name, tuple(names[1]), tuple(names[2]), (a, b))
            elif number == _TENSOR:
                tensor = self._tensor(a, b)
                self.tensors[tensor.name] = tensor
            elif number == _INPUT:
                c, d = next((c, d) for part, _, c, d in _fields(self.model, a, b) if part == 1)
                self._inputs[self.model[c:d].decode()] = self.model[a:b]

    def _tensor(self, a: int, b: int) -> Tensor:
        shape: list[int] = []
        kind, name, values, held = 1, "", (b, b), _RAW
        for number, value, c, d in _fields(self.model, a, b):
            if number == 1:
                shape.extend([value] if d == c else _varints(self.model[c:d]))
            elif number == 2:
                kind = value
            elif number == 8:
                name = self.model[c:d].decode()
            elif number in (_RAW, _FLOATS, _INTS, _LONGS):
                values, held = (c, d), number
        return Tensor(name, _TYPES.get(kind, ""), tuple(shape), (a, b), values, held)

    def array(self, name: str) -> NDArray[Any]:
        """A copy of the constants of this name."""
        tensor = self.tensors[name]
        data = self.model[slice(*tensor.values)]
        if tensor.field in (_RAW, _FLOATS):
            return np.frombuffer(data, tensor.dtype).reshape(tensor.shape).copy()
        return np.array(list(_varints(data)), tensor.dtype).reshape(tensor.shape)

    def patched(self, changes: Mapping[str, NDArray[Any]]) -> bytes:
        """The model with other values, of the same shape and type, for the constants of these names."""
        model, behind = bytearray(self.model), b""
        for name, array in changes.items():
            tensor = self.tensors[name]
            if array.shape != tensor.shape:
                raise ValueError(f"the constants {name} are {tensor.shape}, not {array.shape}")
            data = np.ascontiguousarray(array, tensor.dtype).tobytes()
            if tensor.field in (_RAW, _FLOATS):
                model[slice(*tensor.values)] = data
            else:  # numbers of any length: the old tensor gets another name, a new one is written behind
                at = model.index(field(8, name), *tensor.place) + 2
                model[at] = ord("~")
                kind = next(number for number, dtype in _TYPES.items() if dtype == tensor.dtype)
                shape = b"".join(_number(1, size) for size in tensor.shape)
                behind += field(_TENSOR, shape + _number(2, kind) + field(8, name) + field(_RAW, data))
        return bytes(model) + (field(_GRAPH, behind) if behind else b"")

    def renamed(self, node: str, name: str, to: str) -> tuple[int, bytes]:
        """Where in the model a node names one of its inputs or outputs, and the bytes that name another one there."""
        this = self.nodes[node]
        a = next(a for number, _, a, b in _fields(self.model, *this.place) if self.model[a:b] == name.encode())
        if len(to) != len(name):
            raise ValueError(f"the new name must be as long as {name!r}")
        return a, to.encode()

    def part(self, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
        """A model of its own that computes `outputs` from `inputs` (float tensors, or inputs of the whole model)."""
        made_by = {output: node for node in self.nodes.values() for output in node.outputs}
        wanted, nodes, tensors = list(outputs), dict[str, Node](), dict[str, Tensor]()
        while wanted:
            name = wanted.pop()
            if name in self.tensors:
                tensors[name] = self.tensors[name]
            elif name and name not in inputs:
                node = made_by[name]
                if node.name not in nodes:
                    nodes[node.name] = node
                    wanted.extend(node.inputs)
        body = b"".join(field(_NODE, self.model[slice(*n.place)]) for n in self.nodes.values() if n.name in nodes)
        body += b"".join(field(_TENSOR, self.model[slice(*tensor.place)]) for tensor in tensors.values())
        body += b"".join(field(_INPUT, self._inputs.get(name) or float_input(name)) for name in inputs)
        body += b"".join(field(_OUTPUT, field(1, name)) for name in outputs)
        return self._head + field(_GRAPH, field(2, "part") + body)


def addition(
    nodes: Sequence[bytes] = (),
    constants: Sequence[bytes] = (),
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
) -> bytes:
    """What, written behind a model, adds nodes, constants, inputs (float tensors) and outputs to its graph."""
    body = b"".join(field(_NODE, one) for one in nodes)
    body += b"".join(field(_TENSOR, one) for one in constants)
    body += b"".join(field(_INPUT, float_input(name)) for name in inputs)
    body += b"".join(field(_OUTPUT, field(1, name)) for name in outputs)
    return field(_GRAPH, body)


def constant(name: str, value: float) -> bytes:
    """A number."""
    return _number(2, 1) + field(8, name) + field(_RAW, np.float32(value).tobytes())


def node(operator: str, inputs: Sequence[str], output: str) -> bytes:
    """An operation without attributes."""
    named = b"".join(field(1, name) for name in inputs)
    return named + field(2, output) + field(3, output) + field(4, operator)


def float_input(name: str) -> bytes:
    """An input of any shape."""
    return field(1, name) + field(2, field(1, _number(1, 1)))


def field(number: int, content: bytes | str) -> bytes:
    """One field of a message: its number, the length of what it holds, and that."""
    data = content.encode() if isinstance(content, str) else content
    return bytes([number << 3 | 2]) + _varint(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return bytes([number << 3]) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _varints(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _read_varint(data, at)
        yield value if value < 1 << 63 else value - (1 << 64)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Number, value (of a number) and place (of anything else) of each field of a message."""
    while at < end:
        key, at = _read_varint(data, at)
        kind, value, begin = key & 7, 0, at
        if kind == 0:
            value, at = _read_varint(data, at)
            begin = at
        elif kind == 2:
            length, begin = _read_varint(data, at)
            at = begin + length
        else:
            at += {1: 8, 5: 4}[kind]
        yield key >> 3, value, begin, at
