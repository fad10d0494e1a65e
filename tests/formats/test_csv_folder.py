"""CSV folders equal the published formula in exact fractions; bad ones are refused in one sentence."""

import csv
import re
import shutil
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from bnnverify.data.samples import read_samples
from bnnverify.errors import BadModel
from bnnverify.formats import load
from bnnverify.model.network import Block, Head
from tests.support.enumerated import every_input
from tests.support.requirements import DATA, needs_data

CSV = DATA / "bnnquanalyst-csv" / "models"


def write_csv(folder, name, rows):
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w", newline="") as file:
        csv.writer(file).writerows(np.atleast_2d(rows).tolist())


def csv_model(folder, seed=0, n=9, hidden=(7, 5)):
    """A random trained network as a folder: real biases, scales of both signs and one of zero."""
    random = np.random.default_rng(seed)
    widths = [n, *hidden]
    for k, (before, after) in enumerate(pairwise(widths), start=1):
        gamma = random.choice([-1, 1], after) * random.random(after)
        gamma[0] = 0
        write_csv(folder / f"blk{k}", "lin_weight.csv", random.choice([-1.0, 1.0], (after, before)))
        for name, row in (
            ("lin_bias", random.normal(0, 1, after)),
            ("bn_weight", gamma),
            ("bn_bias", random.normal(0, 0.3, after)),
            ("bn_mean", random.normal(0, 2, after)),
            ("bn_var", random.random(after) * 20 + 1e-3),
        ):
            write_csv(folder / f"blk{k}", f"{name}.csv", row)
    write_csv(folder / "out_blk", "lin_weight.csv", random.choice([-1.0, 0.0, 1.0], (3, widths[-1])))
    write_csv(folder / "out_blk", "lin_bias.csv", random.choice([-1, 0.5, 0.25, 0.0], 3))
    return folder


def table(folder, name):
    with (folder / f"{name}.csv").open() as file:
        return [[Fraction(float(cell)) for cell in row] for row in csv.reader(file)]


def exact_class(folder, bits):
    """The published formula in exact fractions; sqrt(var) is avoided by comparing squares."""
    signs = [2 * int(bit) - 1 for bit in bits]
    for block in sorted(folder.glob("blk*")):
        rows, parts = table(block, "lin_weight"), ["lin_bias", "bn_mean", "bn_weight", "bn_bias", "bn_var"]
        out = []
        for row, bias, mean, gamma, beta, var in zip(rows, *(table(block, part)[0] for part in parts), strict=True):
            scaled = (sum(w * s for w, s in zip(row, signs, strict=True)) + bias - mean) * gamma
            # scaled / sqrt(var) + beta >= 0
            out.append(1 if scaled * abs(scaled) >= -beta * abs(beta) * var else -1)
        signs = out
    biases = table(folder / "out_blk", "lin_bias")[0]
    rows = table(folder / "out_blk", "lin_weight")
    scores = [sum(w * s for w, s in zip(row, signs, strict=True)) + b for row, b in zip(rows, biases, strict=True)]
    return scores.index(max(scores))


@pytest.mark.parametrize("seed", range(4))
def test_csv_folder_equals_the_exact_formula(tmp_path, seed):
    folder = csv_model(tmp_path / "net", seed)
    network = load(folder)
    assert (network.widths, network.name) == ((9, 7, 5, 3), "net")
    inputs = every_input(9)
    assert network(inputs).tolist() == [exact_class(folder, bits) for bits in inputs]
    assert "all 512 inputs" in network.notes[0]


def test_csv_folder_with_a_head_only_and_zero_counts_as_plus(tmp_path):
    folder = csv_model(tmp_path / "flat", n=4, hidden=())
    assert load(folder).widths == (4, 3)
    zero = tmp_path / "zero"
    write_csv(zero / "blk1", "lin_weight.csv", [[1, -1]])
    for name, value in (("lin_bias", 0.0), ("bn_weight", 2.0), ("bn_bias", 0.0), ("bn_mean", 0.0), ("bn_var", 1.0)):
        write_csv(zero / "blk1", f"{name}.csv", [value])
    write_csv(zero / "out_blk", "lin_weight.csv", [[-1], [1]])
    write_csv(zero / "out_blk", "lin_bias.csv", [0.0, 0.0])
    network = load(zero)
    assert [network([0, 0]), network([0, 1]), network([1, 0]), network([1, 1])] == [1, 0, 1, 1]
    assert "1 hidden neurons can reach it" in network.notes[1]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("blk1/bn_var.csv", None, "expected the file blk1/bn_var.csv, which is missing"),
        ("out_blk/lin_weight.csv", None, "expected the file out_blk/lin_weight.csv, which is missing"),
        ("blk2/lin_bias.csv", "nan," * 4 + "1", "expected finite numbers, got NaN"),
        ("blk1/lin_weight.csv", "1,x\n", "expected comma separated numbers"),
        ("blk1/lin_weight.csv", "1,1\n1\n", "expected rows of equal length"),
        ("blk1/lin_weight.csv", "", "expected rows of equal length, got no rows"),
        ("blk1/lin_weight.csv", "1,0.5\n", "expected weights -1, 0 and 1, got 0.5"),
        ("blk1/lin_bias.csv", "1,2", "expected one row of 7 numbers"),
        ("blk1/bn_var.csv", "1,1,1,1,1,1,-3", "expected variances above 0"),
        ("blk1/bn_var.csv", "1,1,1,1,1,1,0", "expected variances above 0"),
        ("blk2/lin_weight.csv", "1,1\n" * 5, "layer 1: expected 7 inputs, one per neuron before it, got 2"),
        ("out_blk/lin_bias.csv", "1,2,1e300", "2^62"),
        ("out_blk/lin_bias.csv", "\xff", "expected comma separated numbers"),
    ],
)
def test_bad_csv_folders(tmp_path, name, text, sentence):
    folder = csv_model(tmp_path / "net")
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_text(text, encoding="latin-1")
    with pytest.raises(BadModel, match=re.escape(sentence)):
        load(folder)


def test_a_csv_folder_with_a_gap(tmp_path):
    folder = csv_model(tmp_path / "net")
    shutil.rmtree(folder / "blk1")
    with pytest.raises(BadModel, match="expected the folder blk1, which is missing"):
        load(folder)


def test_an_importer_that_folds_wrongly_refuses(tmp_path, monkeypatch):
    def wrong(weights, _fires):
        return Block(weights, np.zeros(len(weights)))

    monkeypatch.setattr("bnnverify.formats.trained.fold_block", wrong)
    with pytest.raises(BadModel, match="block 0: expected the folded network to equal its source"):
        load(csv_model(tmp_path / "net"))


def test_an_importer_with_a_wrong_head_refuses(tmp_path, monkeypatch):
    monkeypatch.setattr("bnnverify.formats.trained.fold_head", lambda weights, _biases: Head(-weights, np.zeros(len(weights))))
    with pytest.raises(BadModel, match="class: expected the folded network to equal its source"):
        load(csv_model(tmp_path / "net"))


@needs_data
@pytest.mark.parametrize(
    ("name", "share"),
    [("mnist_bnn_1_blk_64_10_10", 0.5973), ("mnist_bnn_2_blk_100_50_20_10", 0.7887), ("mnist_bnn_2_blk_36_15_10_10", 0.3231)],
)
def test_csv_networks(name, share):
    network = load(CSV / name)
    samples = read_samples("mnist", network, data_dir=DATA)
    assert (network(samples.bits) == samples.labels).mean() == pytest.approx(share, abs=1e-12)
    for bits in samples.bits[:5]:
        assert network(bits) == exact_class(CSV / name, bits)


@needs_data
def test_the_wide_csv_network_equals_the_exact_formula():
    network = load(CSV / "mnist_bnn_1_blk_784_100_10")
    samples = read_samples("mnist", network, data_dir=DATA)
    assert (network(samples.bits) == samples.labels).mean() == pytest.approx(0.8911, abs=1e-12)
    assert network(samples.bits[0]) == exact_class(CSV / "mnist_bnn_1_blk_784_100_10", samples.bits[0])
