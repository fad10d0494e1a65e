"""State dicts equal torch itself, log-softmax included; no code in them is run; bad ones are refused in one sentence."""

import re
import sys
from itertools import pairwise

import numpy as np
import pytest

from bnnverify.data.samples import read_samples
from bnnverify.errors import BadModel, MissingExtra
from bnnverify.formats import load
from bnnverify.formats.pytorch_dict import NORM
from tests.support.enumerated import every_input
from tests.support.misbehaving import Trap
from tests.support.requirements import DATA, needs_data

NPAQ = DATA / "npaq-models"


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="needs the optional package torch")


def state_of(torch, scheme, seed=0, n=9, hidden=(8, 6)):
    """A random state dict in one of the two naming schemes, with scales of both signs, zero and tiny."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator)

    state, widths = {}, [n, *hidden]
    for k, (before, after) in enumerate(pairwise(widths)):
        linear, norm = (f"fc{k + 1}", f"bn{k + 1}") if scheme == "fc" else (f"mod_list.{3 * k}", f"mod_list.{3 * k + 1}")
        state |= {f"{linear}.weight": draw(after, before), f"{linear}.bias": draw(after), f"{norm}.weight": draw(after)}
        state[f"{norm}.weight"][:2] = torch.tensor([0.0, 1e-38])
        state |= {f"{norm}.bias": draw(after) / 3, f"{norm}.running_mean": draw(after)}
        state[f"{norm}.running_var"] = draw(after).abs() * 9
        state[f"{norm}.num_batches_tracked"] = torch.tensor(7)
    linear = "fc5" if scheme == "fc" else f"mod_list.{3 * len(hidden)}"
    return state | {f"{linear}.weight": draw(4, widths[-1]), f"{linear}.bias": draw(4)}


def torch_class(torch, state, bits):
    """The published model as torch modules, log-softmax included; activations of exactly 0 are left to sign(0) = +1."""
    kinds = [key.removesuffix(".weight") for key in state if key.endswith(".weight")]
    kinds.sort(key=lambda name: (int(re.search(r"\d+$", name)[0]), name.startswith("bn")))
    x = torch.from_numpy(2 * bits.astype(np.float32) - 1)
    with torch.no_grad():
        for name in kinds:
            if state[f"{name}.weight"].ndim == 2:
                x = torch.where(x >= 0, 1.0, -1.0)
                x = torch.nn.functional.linear(x, state[f"{name}.weight"].sign()) + state[f"{name}.bias"]
                continue
            norm = torch.nn.BatchNorm1d(len(state[f"{name}.weight"])).eval()
            norm.load_state_dict({k: v for k in norm.state_dict() for v in [state.get(f"{name}.{k}", torch.tensor(0))]})
            x = torch.nn.functional.hardtanh(norm(x))
        return torch.argmax(torch.log_softmax(x, dim=1), dim=1).numpy()


@pytest.mark.parametrize("scheme", ["fc", "mod_list"])
@pytest.mark.parametrize("new", [True, False])
def test_state_dicts_equal_torch(tmp_path, torch, scheme, new):
    for seed in range(3):
        state = state_of(torch, scheme, seed)
        torch.save(state, tmp_path / "net.pt", _use_new_zipfile_serialization=new)
        network = load(tmp_path / "net.pt")
        assert network.widths == (9, 8, 6, 4)
        np.testing.assert_array_equal(network(every_input(9)), torch_class(torch, state, every_input(9)))


def test_sparse_weights_and_no_hidden_layer(tmp_path, torch):
    state = {"fc5.weight": torch.tensor([[0.0, -0.3], [1.0, -0.0]]), "fc5.bias": torch.tensor([0.5, 0.5])}
    torch.save(state, tmp_path / "net.pt")
    network = load(tmp_path / "net.pt")
    # scores -s1 + 0.5 and s0 + 0.5: class 1 only for s0 = s1 = +1; ties go to class 0
    assert [network([0, 0]), network([0, 1]), network([1, 0]), network([1, 1])] == [0, 0, 0, 1]
    assert network.coding is None


def test_scores_that_float32_merges_are_noted(tmp_path, torch):
    state = {"fc5.weight": torch.tensor([[1.0], [1.0]]), "fc5.bias": torch.tensor([0.0, 2.0**-40])}
    torch.save(state, tmp_path / "net.pt")
    network = load(tmp_path / "net.pt")
    assert network([1]) == 1
    assert "exact arithmetic decides" in network.notes[2]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"fc1.bias": None}, "expected the key fc1.bias, which is missing"),
        ({"bn2.running_var": None}, "expected the key bn2.running_var, which is missing"),
        ({"fc5.weight": None, "fc5.bias": None}, "got linear, batch norm, linear, batch norm"),
        ({f"bn1.{field}": None for field in (*NORM, "num_batches_tracked")}, "in turn"),
        ({"fc1.weight": "nan"}, "fc1.weight: expected finite numbers, got NaN"),
        ({"fc1.weight": "double"}, "expected a float32 tensor, got torch.float64"),
        ({"fc1.weight": "flat"}, "fc1.weight: expected 2 dimensions"),
        ({"fc1.bias": "long"}, "fc1.bias: expected 8 numbers, got 16"),
        ({"fc2.weight": "wide"}, "layer 1: expected 8 inputs, one per neuron before it, got 16"),
        ({"bn1.running_var": "minus"}, "expected variances of at least 0"),
        ({"conv1.kernel": "flat"}, "expected keys like fc1.weight"),
    ],
)
def test_bad_state_dicts(tmp_path, torch, change, sentence):
    state = state_of(torch, "fc")
    changes = {
        "nan": lambda t: t * float("nan"),
        "double": lambda t: t.double(),
        "flat": lambda t: t.ravel(),
        "long": lambda t: torch.cat([t, t]),
        "wide": lambda t: torch.cat([t, t], dim=1),
        "minus": lambda t: -t,
    }
    for key, how in change.items():
        old = state.pop(key, torch.zeros(2, 2))
        if how is not None:
            state[key] = changes[how](old)
    torch.save(state, tmp_path / "net.pt")
    with pytest.raises(BadModel, match=re.escape(sentence)):
        load(tmp_path / "net.pt")


@pytest.mark.parametrize("new", [True, False])
def test_code_in_a_model_file_is_not_run(tmp_path, torch, new):
    torch.save({"fc5.weight": Trap(tmp_path / "sprung")}, tmp_path / "net.pt", _use_new_zipfile_serialization=new)
    with pytest.raises(BadModel, match="refused") as caught:
        load(tmp_path / "net.pt")
    assert not (tmp_path / "sprung").exists()
    assert "\n" not in str(caught.value)


def test_values_that_are_no_state_dict(tmp_path, torch):
    for value in ([1, 2], {}, torch.zeros(3), {"fc5.weight": 3}, {5: torch.zeros(1)}):
        torch.save(value, tmp_path / "net.pt")
        with pytest.raises(BadModel, match="expected"):
            load(tmp_path / "net.pt")


@pytest.mark.parametrize("new", [True, False])
def test_truncated_state_dicts(tmp_path, torch, new):
    file = tmp_path / "net.pt"
    torch.save(state_of(torch, "fc"), file, _use_new_zipfile_serialization=new)
    data = file.read_bytes()
    for length in range(1, len(data) - 1, 97):
        file.write_bytes(data[:length])
        with pytest.raises(BadModel, match="expected") as caught:
            load(file)
        assert "\n" not in str(caught.value)


def test_without_torch_the_sentence_names_the_package_to_install(tmp_path, monkeypatch):
    (tmp_path / "net.pt").write_bytes(b"\x80\x02")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=re.escape("pip install 'bnnverify[train]'")):
        load(tmp_path / "net.pt")


def accuracies(file):
    return {name: float(share) for name, share in re.findall(r"\| (\S+\.pt) \| [\d-]+ \| ([\d.]+) \|", file.read_text("utf-8"))}


@needs_data
@pytest.mark.parametrize("file", sorted(NPAQ.glob("*.pt")), ids=lambda file: file.stem)
def test_npaq_networks(torch, file):
    """Every file loads, equals torch on its test images and its README's accuracy."""
    network = load(file)
    samples = read_samples("mnist", network, data_dir=DATA, limit=None if network.inputs == 100 else 2000)
    classes = network(samples.bits)
    state = torch.load(file, map_location="cpu", weights_only=True)
    np.testing.assert_array_equal(classes, torch_class(torch, state, samples.bits))
    if len(samples) == 10_000:
        assert (classes == samples.labels).mean() == pytest.approx(accuracies(NPAQ / "README.md")[file.name], abs=1e-12)
    assert "exact arithmetic does" in network.notes[2]
    assert "no hidden neuron" in network.notes[1]


@needs_data
def test_all_npaq_files_are_there():
    assert len(list(NPAQ.glob("*.pt"))) == 24


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize("file", sorted(NPAQ.glob("*.pt")), ids=lambda file: file.stem)
def test_npaq_accuracy_on_all_test_images(torch, file):  # noqa: ARG001 - reading needs torch
    network = load(file)
    samples = read_samples("mnist", network, data_dir=DATA)
    share = (network(samples.bits) == samples.labels).mean()
    assert share == pytest.approx(accuracies(NPAQ / "README.md")[file.name], abs=1e-12)


@needs_data
def test_counts_over_all_inputs_of_a_small_network(torch):  # noqa: ARG001 - reading needs torch
    """Published: the class counts of 16_4blk_1 over all 65536 inputs."""
    network = load(NPAQ / "mnist-16-bnn_16_4blk_1.pt")
    counts = np.bincount(network(every_input(16)), minlength=10)
    assert counts.tolist() == [0, 10017, 0, 1, 8, 52916, 206, 407, 0, 1981]


@needs_data
def test_one_network_in_two_formats(torch):  # noqa: ARG001 - reading needs torch
    """100-50-10 of the CSV folders has the weights of the 1blk_50 state dict: same thresholds, so same classes."""
    one, other = load(DATA / "bnnquanalyst-csv" / "models" / "mnist_bnn_1_blk_100_50_10"), load(NPAQ / "mnist-100-bnn_1blk_50.pt")
    samples = read_samples("mnist", one, data_dir=DATA)
    np.testing.assert_array_equal(one(samples.bits), other(samples.bits))
    assert one.sha256 == other.sha256
