"""Small ONNX graphs for tests, and what onnxruntime says about all of their inputs."""

import numpy as np
import pytest

from tests.support.enumerated import every_input

onnx = pytest.importorskip("onnx", reason="needs the optional package onnx")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs the optional package onnxruntime")


class Sketch:
    """A graph in the making: each call adds a node after the last one and returns the sketch."""

    def __init__(self, *shape, seed=0, opset=15):
        self.random = np.random.default_rng(seed)
        self.shape, self.opset, self.nodes, self.constants, self.last = shape, opset, [], {}, "x"
        self.domains = set()

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(array)
        return name

    def then(self, op, *arrays, first=(), domain="", **attributes):
        """Add op(first..., last, arrays...); arrays become constants."""
        inputs = [*(self.constant(array) for array in first), self.last, *(self.constant(array) for array in arrays)]
        self.last = f"t{len(self.nodes)}"
        node = onnx.helper.make_node(op, inputs, [self.last], name=f"{op.lower()}{len(self.nodes)}", domain=domain, **attributes)
        self.nodes.append(node)
        return self

    def signs(self, *shape):
        return self.random.choice(np.array([-1, 1], dtype=np.float32), shape)

    def dense(self, n, m):
        return self.then("MatMul", self.signs(n, m))

    def conv(self, out, into, *kernel, **attributes):
        return self.then("Conv", self.signs(out, into, *kernel), **attributes)

    def norm(self, m, *, scale=None, shift=None):
        """Add a batch norm: scales of both signs, and variances far from 1."""
        draw = self.random.normal
        scale = np.resize(np.float32([1.5, -0.7, 1e-3, -2, 0.3]) if scale is None else np.float32(scale), m)
        shift = draw(size=m).astype(np.float32) if shift is None else np.resize(np.float32(shift), m)
        mean, variance = draw(size=m).astype(np.float32), np.abs(draw(size=m)).astype(np.float32) * 9 + np.float32(0.1)
        return self.then("BatchNormalization", scale, shift, mean, variance)

    def sign(self):
        """Add Sign, Add 0.1, Sign: how exports write a sign of 0 that is +1."""
        return self.then("Sign").then("Add", np.float32(0.1)).then("Sign")

    def model(self):
        make = onnx.helper
        value = make.make_tensor_value_info("x", onnx.TensorProto.FLOAT, self.shape)
        answer = onnx.ValueInfoProto(name=self.last)
        held = [onnx.numpy_helper.from_array(array, name) for name, array in self.constants.items()]
        graph = make.make_graph(self.nodes, "sketch", [value], [answer], held)
        return make.make_model(graph, opset_imports=[make.make_opsetid("", self.opset)], ir_version=8)

    def save(self, path):
        path.write_bytes(self.model().SerializeToString())
        return path


def classes(sketch):
    """What onnxruntime, with all of its optimisations, says of every ±1 input: the classes, lowest on ties."""
    session = onnxruntime.InferenceSession(sketch.model().SerializeToString(), providers=["CPUExecutionProvider"])
    shape = [1, *sketch.shape[1:]]
    inputs = 2 * every_input(int(np.prod(shape))).astype(np.float32) - 1
    found = [session.run(None, {"x": row.reshape(shape)})[0].ravel() for row in inputs]
    return np.array([int(row[0]) if row.dtype == np.int64 else int(np.argmax(row)) for row in found])
