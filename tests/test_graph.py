"""Models read and changed as bytes: what comes out is what ONNX itself would read."""

from __future__ import annotations

import numpy as np
import pytest

from linly.speak.graph import Graph, addition, constant, node

onnx = pytest.importorskip("onnx")


def _model() -> bytes:
    """z = -(x + a) * b, with a as raw bytes, b as numbers in a list."""
    make = onnx.helper
    graph = make.make_graph(
        [
            make.make_node("Add", ["x", "a"], ["y"], name="add"),
            make.make_node("Neg", ["y"], ["minus"], name="neg"),
            make.make_node("Cast", ["b"], ["c"], name="cast", to=1),
            make.make_node("Mul", ["minus", "c"], ["z"], name="mul"),
        ],
        "g",
        [make.make_tensor_value_info("x", 1, [3])],
        [make.make_tensor_value_info("z", 1, [3])],
        [
            onnx.numpy_helper.from_array(np.array([1, 2, 3], np.float32), "a"),
            make.make_tensor("b", 2, [1], [100]),
        ],
    )
    return make.make_model(graph, opset_imports=[make.make_opsetid("", 13)], ir_version=9).SerializeToString()


def _run(model: bytes, **feed: object) -> list[np.ndarray]:
    import onnxruntime

    feeds = {name: np.asarray(value, np.float32) for name, value in feed.items()}
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, feeds)


def test_names_and_constants() -> None:
    graph = Graph(_model())
    assert list(graph.nodes) == ["add", "neg", "cast", "mul"]
    assert graph.nodes["mul"].inputs == ("minus", "c")
    np.testing.assert_array_equal(graph.array("a"), np.array([1, 2, 3], np.float32))
    np.testing.assert_array_equal(graph.array("b"), np.array([100], np.uint8))


def test_other_constants_of_any_encoding() -> None:
    graph = Graph(_model())
    other = graph.patched({"a": np.array([5, 5, 5], np.float32), "b": np.array([200], np.uint8)})
    np.testing.assert_array_equal(_run(other, x=[1, 1, 1])[0], [-1200, -1200, -1200])
    np.testing.assert_array_equal(_run(graph.model, x=[1, 1, 1])[0], [-200, -300, -400])
    with pytest.raises(ValueError, match="the constants a are"):
        graph.patched({"a": np.ones(4, np.float32)})


def test_a_tensor_is_turned_aside_and_given_out() -> None:
    graph = Graph(_model())
    model = bytearray(graph.model)
    at, name = graph.renamed("add", "y", "~")
    model[at : at + 1] = name
    model += addition([node("Mul", ["~", "twice"], "y")], [constant("twice", 2)], outputs=["minus"])
    z, minus = _run(bytes(model), x=[0, 0, 0])
    np.testing.assert_array_equal(z, [-200, -400, -600])
    np.testing.assert_array_equal(minus, [-2, -4, -6])
    with pytest.raises(ValueError, match="as long as 'y'"):
        graph.renamed("add", "y", "yy")


def test_a_part_is_a_model_of_its_own() -> None:
    graph = Graph(_model())
    np.testing.assert_array_equal(_run(graph.part(["y"], ["minus"]), y=[1, 2, 3])[0], [-1, -2, -3])
    assert set(Graph(graph.part(["x"], ["minus"])).tensors) == {"a"}
