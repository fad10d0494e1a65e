"""Published counts and plain enumeration on trained networks made by others."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from bnnverify import Becomes, EachClass, Everything, HammingBall, Network, Query, Region, Shell, Subcube, count, load, read_input
from bnnverify.model.arrays import Bits
from bnnverify.problem.budget import Budget
from tests.support.enumerated import enumerated
from tests.support.requirements import DATA, needs_data

pytestmark = needs_data

RIVAL = DATA / "bnnquanalyst-csv"
NPAQ = DATA / "npaq-models"


def rival(name: str) -> tuple[Network, Bits]:
    (path,) = (RIVAL / "models").glob(f"mnist*{name}")
    network = load(path)
    return network, read_input(str(RIVAL / "inputs" / f"instance_0_{network.inputs}.txt"), network)


def each(network: Network, region: Region, engine: str) -> list[int]:
    result = count(Query(network, region, EachClass()), engine=engine, budget=Budget(seconds=120))
    assert result.exact, result.reason
    return [k.low for k in result.counts]


RADIUS_3 = [150348, 0, 2773, 11, 1, 0, 8578, 0, 5040, 0]
RADIUS_5 = [63852008, 212, 3753642, 358922, 77675, 7309, 5169155, 320466, 5829731, 6376]
FREE_20 = [881287, 20, 35408, 27166, 2112, 27367, 23188, 1991, 50019, 18]
DEEP_16 = [0, 10017, 0, 1, 8, 52916, 206, 407, 0, 1981]
WHOLE_25 = [6487350, 1147397, 1018305, 7259795, 1136229, 3622398, 5399366, 344193, 6000665, 1138734]


@pytest.mark.parametrize("engine", ["bits", "bdd"])
def test_100_50_10_radius_3(engine: str) -> None:
    network, image = rival("100_50_10")
    assert each(network, HammingBall(image, 3), engine) == RADIUS_3


def test_100_50_10_radius_5() -> None:
    network, image = rival("100_50_10")
    assert each(network, HammingBall(image, 5), "bits") == RADIUS_5


@pytest.mark.parametrize("engine", ["bits", pytest.param("bdd", marks=pytest.mark.slow)])
def test_100_50_10_with_20_free_positions(engine: str) -> None:
    network, image = rival("100_50_10")
    free = np.loadtxt(RIVAL / "inputs" / "fixed_set_file_random_100_20.txt", dtype=int, delimiter=None).ravel()
    assert each(network, Subcube(image, free), engine) == FREE_20


@pytest.mark.parametrize("engine", ["bits", pytest.param("bdd", marks=pytest.mark.slow)])
def test_16_bits_and_four_blocks(engine: str) -> None:
    assert each(load(NPAQ / "mnist-16-bnn_16_4blk_1.pt"), Everything(16), engine) == DEEP_16


def test_25_bits_whole_space() -> None:
    assert each(load(NPAQ / "mnist-25-bnn_25_1blk_20.pt"), Everything(25), "bits") == WHOLE_25


def npaq(width: int) -> tuple[Network, Bits]:
    """Return the network and the image of the example in NPAQ's README."""
    network = load(NPAQ / f"mnist-100-bnn_1blk_{width}.pt")
    return network, read_input("mnist:6677", network, data_dir=DATA)


@cache
def npaq_enumerated(width: int, radius: int) -> list[int]:
    """Return the class counts by plain enumeration: one shell more than within the next smaller radius."""
    network, image = npaq(width)
    shell = enumerated(Query(network, Shell(image, radius), EachClass()))
    nearer = npaq_enumerated(width, radius - 1) if radius else [0] * network.classes
    return [a + b for a, b in zip(shell, nearer, strict=True)]


FAST = [(engine, width, radius) for engine in ("bits", "bdd", "sat") for width in (20, 50) for radius in (1, 2, 3)]
LONG = [(engine, width, 4) for engine in ("bdd", "sat") for width in (20, 50)]


@pytest.mark.parametrize(
    ("engine", "width", "radius"),
    [*FAST, *(pytest.param(*case, marks=pytest.mark.slow) for case in [("bits", 20, 4), ("bits", 50, 4), *LONG])],
)
def test_npaq_image_against_plain_enumeration(engine: str, width: int, radius: int) -> None:
    network, image = npaq(width)
    assert each(network, HammingBall(image, radius), engine) == npaq_enumerated(width, radius)


@pytest.mark.parametrize("engine", ["bits", "bdd", "sat"])
def test_a_free_set_without_position_0_while_bit_0_is_1(engine: str) -> None:
    """BNNQuanalyst counts this wrongly."""
    network, image = rival("100_50_10")
    image = image.copy()
    image[0] = 1
    query = Query(network, HammingBall(image, 2, free=range(40, 80)), EachClass())
    assert each(network, query.region, engine) == enumerated(query)


@pytest.mark.parametrize("engine", ["bits", "bdd", "sat"])
def test_a_subset_of_the_classes(engine: str) -> None:
    network, image = rival("100_50_10")
    query = Query(network, HammingBall(image, 2), Becomes(2, 8, 9))
    result = count(query, engine=engine)
    assert result.exact
    assert result.low == sum(enumerated(query)[c] for c in (2, 8, 9))
