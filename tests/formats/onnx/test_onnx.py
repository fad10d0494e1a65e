"""ONNX graphs of linear layers equal onnxruntime on every input; what is no network of signs is refused by its node."""

import re
import sys

import numpy as np
import pytest

from bnnverify.data.samples import read_samples
from bnnverify.errors import BadModel, MissingExtra
from bnnverify.formats import load
from bnnverify.model.matrix import as_rows
from tests.support.enumerated import every_input
from tests.support.onnx_graphs import Sketch, classes, onnx
from tests.support.requirements import DATA, needs_data

TFC = DATA / "finn-tfc" / "TFC_1W1A.onnx"


def equal(sketch, path):
    network = load(sketch.save(path))
    np.testing.assert_array_equal(network(every_input(network.inputs)), classes(sketch))
    assert "Sign(0) is 0 in ONNX" in network.notes[1]
    return network


def two_layers(seed=0, *, opset=15, shape=(1, 9)):
    sketch = Sketch(*shape, seed=seed, opset=opset).then("Sign")
    return sketch.dense(9, 8).norm(8).sign().dense(8, 6).norm(6).sign().dense(6, 4)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("opset", [9, 15])
def test_linear_layers_equal_onnxruntime(tmp_path, seed, opset):
    network = equal(two_layers(seed, opset=opset), tmp_path / "net")
    assert (network.widths, network.coding) == ((9, 8, 6, 4), None)
    assert "on 512 inputs" in network.notes[0]


@pytest.mark.parametrize("end", [["Softmax"], ["LogSoftmax"], ["ArgMax"], ["Softmax", "ArgMax"]])
def test_ends_with_many_exact_ties(tmp_path, end):
    sketch = Sketch("N", 8).then("Sign").dense(8, 5)
    for op in end:
        sketch.then(op, axis=1)
    network = equal(sketch, tmp_path / "net")
    scores = network.head.scores(every_input(8))
    assert (np.sort(scores, axis=1)[:, -1] == np.sort(scores, axis=1)[:, -2]).any()


def test_gemm_bias_and_layout(tmp_path):
    sketch = Sketch(1, 2, 3).then("Sign").then("Transpose", perm=[0, 2, 1]).then("Flatten")
    sketch.then("Gemm", sketch.signs(7, 6), np.float32([0.5, -3, 6, -7, 0, 0.25, 99]), transB=1).sign()
    sketch.then("Gemm", sketch.signs(7, 3), np.float32([0.3, 0.2, -0.6]))
    assert equal(sketch, tmp_path / "net").widths == (6, 7, 3)


def test_scalar_map_at_the_end_and_classes_in_another_order(tmp_path):
    sketch = two_layers().then("Sub", np.float32(0.4)).then("Div", np.float32([3])).then("Reshape", np.int64([1, 2, 2]))
    sketch.then("Transpose", perm=[0, 2, 1]).then("Reshape", np.int64([1, 4]))
    equal(sketch, tmp_path / "net")


@pytest.mark.parametrize("scale", [[1.0], [-1.0], [0.0]])
def test_exact_zero_before_sign_counts_as_plus_one_where_the_graph_says_so(tmp_path, scale):
    """8 inputs: sums are even, 0 among them; scale 0 and shift 0 make every sum 0, which is +1 for all inputs."""
    sketch = Sketch(1, 8).then("Sign").dense(8, 6)
    sketch.then("Mul", np.float32(scale)).sign().dense(6, 3)
    equal(sketch, tmp_path / "net")


def test_a_sign_of_zero_that_a_layer_would_read_is_refused(tmp_path):
    with pytest.raises(BadModel, match=re.escape("MatMul 'matmul3': expected only -1 and +1 from Sign 'sign2'")) as caught:
        load(Sketch(1, 8).then("Sign").dense(8, 5).then("Sign").dense(5, 3).save(tmp_path / "net"))
    assert "got values such as -1, 0, 1 (Sign(0) is 0 in ONNX)" in str(caught.value)


def test_a_sign_that_no_sum_makes_zero_is_read(tmp_path):
    """Sums of 9 and of 5 signs are odd."""
    equal(Sketch(1, 9).then("Sign").dense(9, 5).then("Sign").dense(5, 3), tmp_path / "net")


def test_zero_weights_are_no_connection(tmp_path):
    weights = np.float32([[1, 0, -1], [0, 0, 1], [-1, 0, 1]])  # sums of the first row of outputs: even; the second: always 0
    equal(Sketch(1, 3).then("Sign").then("MatMul", weights).sign().dense(3, 2), tmp_path / "net")


@pytest.mark.parametrize("domain", ["onnx.brevitas", "qonnx.custom_op.general"])
def test_bipolar_quantization_equals_its_definition(tmp_path, domain):
    one = np.float32(1)
    real = np.float32([[0.3, -2, 0], [1, 1, -1e-9], [-0.1, 5, 0.2], [0.5, -7, 1]])  # 0 is +1
    sketch = Sketch(1, 4).then("BipolarQuant", one, domain=domain).then("MatMul", np.where(real >= 0, one, -one))
    sketch.then("BipolarQuant", one, domain=domain).then("MatMul", np.float32([[1, -1], [1, 1], [-1, 1]]))
    x = 2 * every_input(4).astype(int) - 1
    hidden = np.where(x @ np.where(real >= 0, 1, -1) >= 0, 1, -1)
    network = load(sketch.save(tmp_path / "net"))
    np.testing.assert_array_equal(network(every_input(4)), np.argmax(hidden @ [[1, -1], [1, 1], [-1, 1]], axis=1))
    assert "2 BipolarQuant nodes" in network.notes[2]


@pytest.mark.parametrize(
    ("scale", "shift", "thresholds"),
    [(2, 1, 128), (2, 0.5, 64), (1, 100.5, 101), (1, 1000, None), (-2, -1, "off"), (1, 128, None), (1, 127.5, 128)],
)
def test_pixels_enter_as_shares_or_as_bytes(tmp_path, scale, shift, thresholds):
    """Shares v/255 where they meet the threshold, else bytes v; byte 128 - 128 = 0 has no sign in ONNX."""
    sketch = (
        Sketch(1, 1, 2, 3).then("Mul", np.float32(scale)).then("Sub", np.float32(shift)).then("Sign").then("Flatten").dense(6, 3)
    )
    if isinstance(thresholds, int):
        coding = load(sketch.save(tmp_path / "net")).coding
        assert (coding.thresholds.tolist(), coding.shape) == ([thresholds] * 6, (2, 3))
        return
    with pytest.raises(
        BadModel, match="that switch off" if thresholds else "expected -1 and [+]1 from Sign 'sign2', stepping up"
    ):
        load(sketch.save(tmp_path / "net"))


REFUSED = {
    "real input": (lambda s: s.dense(9, 3), "MatMul 'matmul0': expected -1 and +1 from a Sign before it, got the graph's own"),
    "real layer": (
        lambda s: s.then("Sign").dense(9, 4).dense(4, 2),
        "MatMul 'matmul2': expected only -1 and +1 from MatMul 'matmul1'",
    ),
    "relu": (lambda s: s.then("Sign").dense(9, 4).then("Relu"), "Relu 'relu2': expected an operation that becomes thresholds"),
    "real weights": (
        lambda s: s.then("Sign").then("MatMul", np.full((9, 2), 0.5, np.float32)),
        "MatMul 'matmul1': weights: expected whole",
    ),
    "nan": (lambda s: s.then("Sign").then("MatMul", np.full((9, 2), np.nan, np.float32)), "expected finite numbers"),
    "shapes": (lambda s: s.then("Sign").dense(8, 2), "MatMul 'matmul1': expected a plain product of (1, 8)"),
    "alpha": (lambda s: s.then("Sign").then("Gemm", s.signs(9, 2), alpha=2.0), "Gemm 'gemm1': expected a plain product"),
    "scaled classes": (
        lambda s: s.then("Sign").dense(9, 2).norm(2),
        "BatchNormalization 'batchnormalization2': expected scores that",
    ),
    "unequal classes": (
        lambda s: s.then("Sign").dense(9, 2).then("Mul", np.float32([1, 2])),
        "Mul 'mul2': expected scores that treat all classes alike, or one bias per class",
    ),
    "falling scores": (lambda s: s.then("Sign").dense(9, 2).then("Neg"), "Neg 'neg2': expected scores that grow"),
    "last index": (
        lambda s: s.then("Sign").dense(9, 2).then("ArgMax", axis=1, select_last_index=1),
        "that prefers the lowest class",
    ),
    "batch axis": (lambda s: s.then("Sign").dense(9, 2).then("ArgMax", axis=0), "expected classes on the last axis"),
    "after class": (lambda s: s.then("Sign").dense(9, 2).then("ArgMax", axis=1).then("Neg"), "nothing but ArgMax"),
    "no layer": (lambda s: s.then("Sign"), "Sign 'sign0': expected the scores of a linear layer"),
    "two bits": (
        lambda s: s.then("Sign").dense(9, 3).then("Div", np.float32(3)).then("Clip", np.float32(-2), np.float32(1)).dense(3, 2),
        "expected only -1 and +1 from Clip 'clip3', got values such as -2",
    ),
    "unknown domain": (lambda s: s.then("Sign", domain="evil.ops"), "Sign 'sign0': expected a standard operation"),
    "old opset": (lambda s: setattr(s, "opset", 6) or s.then("Sign").dense(9, 2), "expected one ONNX opset from 7"),
    "batch": (lambda s: setattr(s, "shape", (2, 9)) or s.then("Sign").dense(9, 2), "expected float32 of shape (1, n, ...)"),
    "moved batch": (
        lambda s: s.then("Sign").then("Transpose", perm=[1, 0]),
        "Transpose 'transpose1': expected a layout that keeps",
    ),
    "wide add": (
        lambda s: s.then("Sign").dense(9, 1).then("Add", np.zeros((1, 4), np.float32)),
        "Add 'add2': expected constants that fit",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_graphs_that_are_refused_by_their_node(tmp_path, name):
    draw, sentence = REFUSED[name]
    sketch = Sketch(1, 9)
    draw(sketch)
    with pytest.raises(BadModel, match=re.escape(sentence)) as caught:
        load(sketch.save(tmp_path / "net"))
    assert "\n" not in str(caught.value)


def test_residual_connections_and_branches_are_refused(tmp_path):
    sketch = Sketch(1, 9).then("Sign").dense(9, 9).sign()
    sketch.nodes.append(onnx.helper.make_node("Add", ["t0", sketch.last], ["sum"], name="join"))
    sketch.last = "sum"
    with pytest.raises(
        BadModel, match=r"Add 'join': expected one computed tensor and constants, got 2 that meet [(]as in a residual"
    ):
        load(sketch.save(tmp_path / "net"))
    branch = two_layers()
    branch.last = "t0"  # the signs that the first layer has read already
    with pytest.raises(BadModel, match="MatMul 'matmul12': expected the newest layer, got Sign 'sign0'"):
        load(branch.dense(9, 2).save(tmp_path / "net"))


def changed(sketch, change):
    model = sketch.model()
    change(model)
    return model.SerializeToString()


def elsewhere(model):
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/hostname")


HOSTILE = {
    "a huge tensor": (lambda m: m.graph.initializer[0].dims.append(2**40), "expected at most 67108864 numbers, got shape"),
    "too few numbers": (lambda m: m.graph.initializer[0].dims.append(5), "got damaged ones"),
    "another file": (elsewhere, "expected its numbers in the file itself"),
    "a missing tensor": (
        lambda m: m.graph.initializer.pop(),
        "MatMul 'matmul11': expected the tensor 'c12' before it, which is missing",
    ),
    "two inputs": (lambda m: m.graph.input.add(name="y"), "expected nodes, one input and one output, got 12, 2 and 1"),
    "no nodes": (lambda m: m.graph.ClearField("node"), "expected nodes, one input and one output"),
    "a function": (lambda m: m.functions.add(name="Sign"), "got functions"),
    "a second tensor": (lambda m: m.graph.node.append(m.graph.node[0]), "Sign 'sign0': expected a new tensor"),
    "another output": (
        lambda m: setattr(m.graph.output[0], "name", "c0"),
        "output 'c0': expected a tensor that depends on the input",
    ),
    "a subgraph": (lambda m: setattr(m.graph.node[1], "op_type", "If"), "If 'matmul1': expected an operation that becomes"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(tmp_path, name):
    change, sentence = HOSTILE[name]
    (tmp_path / "net").write_bytes(changed(two_layers(), change))
    with pytest.raises(BadModel, match=re.escape(sentence)) as caught:
        load(tmp_path / "net")
    assert "\n" not in str(caught.value)


def test_constants_that_would_grow_without_end_are_refused(tmp_path):
    sketch = Sketch(1, 9).then("Sign")
    nodes = [onnx.helper.make_node("Concat", [f"d{k}"] * 8, [f"d{k + 1}"], axis=0, name=f"grow{k}") for k in range(40)]
    sketch.constants["d0"] = np.ones((9, 1), np.float32)
    sketch.nodes += nodes
    with pytest.raises(BadModel, match=r"Concat 'grow\d+': expected at most 67108864 numbers"):
        load(sketch.save(tmp_path / "net"))


def test_truncated_files(tmp_path):
    data = two_layers().model().SerializeToString()
    for length in range(2, len(data) - 1, 41):
        (tmp_path / "net").write_bytes(data[:length])
        with pytest.raises(BadModel, match="expected") as caught:
            load(tmp_path / "net")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_without_the_packages_the_sentence_names_the_package_to_install(tmp_path, monkeypatch, package):
    two_layers().save(tmp_path / "net")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=re.escape(f"needs {package}, which is not installed: pip install 'bnnverify[onnx]'")):
        load(tmp_path / "net")


def test_a_wrong_fold_is_refused_by_a_run_of_the_graph(tmp_path, monkeypatch):
    """One row's weights are swapped while reading: only onnxruntime can know."""
    from bnnverify.formats.onnx import graph as onnx_graph

    def swapped(graph, wires, weights, reader):
        return layers_of(graph, wires, as_rows(np.roll(weights.dense(), 1, axis=1), "weights"), reader)

    layers_of = onnx_graph.layers_of
    monkeypatch.setattr(onnx_graph, "layers_of", swapped)
    with pytest.raises(BadModel, match="1 blocks in: expected the folded network to equal onnxruntime"):
        load(two_layers().save(tmp_path / "net"))


@needs_data
def test_tfc_on_mnist():
    """Its README: 92.96 % with the lowest index on ties, byte 128 as the threshold of all pixels."""
    network = load(TFC)
    assert network.widths == (784, 64, 64, 64, 10)
    assert (network.coding.shape, set(network.coding.thresholds.tolist())) == ((28, 28), {128})
    samples = read_samples("mnist", network, data_dir=DATA)
    assert (network(samples.bits) == samples.labels).mean() == pytest.approx(0.9296, abs=1e-12)
    scores = np.sort(network.head.scores(network.tail(0).prefix(3)(samples.bits)), axis=1)
    assert (scores[:, -1] == scores[:, -2]).sum() == 32


@needs_data
def test_traffic_signs_are_refused_at_the_convolution_that_sees_pixels():
    with pytest.raises(BadModel, match=r"Conv 'sequential_10/quant_conv2d_20/QuantConv2D': .* real numbers"):
        load(next((DATA / "vnncomp-traffic-signs").glob("*.onnx")))
