"""Every verb keeps its time limit, on the largest networks there are: it ends soon after, with what is known by then."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from bnnverify import (
    Budget,
    EachClass,
    Everything,
    HammingBall,
    Leaves,
    Network,
    Query,
    attack,
    attribution,
    certify,
    count,
    differ,
    distance,
    latents,
    load,
    local_search,
    marginals,
    pixel_cost,
    read_input,
    read_pixels,
    tolerance,
    witnesses,
)
from bnnverify.model.arrays import Bits
from tests.support.requirements import DATA, needs_data

LIMIT = Budget(1.0)
LATE = 2.5  # seconds at which a verb must have ended on a busy machine
MODELS = {
    "LFC-W1A1": "finn-lfc-packed/lfcW1A1-mnist.tar.gz",
    "400-200-100-100-10": "npaq-models/mnist-400-bnn_3blk_200_100.pt",
    "784 pixels": "msakai-bnn/mnist.npz",
}
Asked = Callable[[Network, Bits], Any]


@cache
def model(name: str) -> tuple[Network, Bits]:
    network = load(DATA / MODELS[name])
    return network, read_input("mnist:3", network, data_dir=DATA)


def leaves(network: Network, bits: Bits, radius: int) -> Query:
    return Query(network, HammingBall(bits, radius), Leaves(network(bits)))


def by_pixels(network: Network, bits: Bits) -> Any:
    pixels = read_pixels("mnist:3", network, data_dir=DATA)
    return distance(network, bits, cost=pixel_cost(network.coding, pixels, "1"), budget=LIMIT)


VERBS: dict[str, Asked] = {
    "attack": lambda network, bits: attack(leaves(network, bits, 5), budget=LIMIT),
    "attack sat": lambda network, bits: attack(leaves(network, bits, 6), engine="sat", budget=LIMIT),
    "attribution": lambda network, bits: attribution(network, bits, radius=3, budget=LIMIT),
    "certify": lambda network, bits: certify(network, bits[None], radius=4, budget=LIMIT),
    "certify --count": lambda network, bits: certify(network, bits[None], radius=4, counting=True, budget=LIMIT),
    "count": lambda network, bits: count(leaves(network, bits, 4), budget=LIMIT),
    "count --everything": lambda network, _: count(Query(network, Everything(network.inputs), EachClass()), budget=LIMIT),
    "differ": lambda network, bits: differ(network, network, HammingBall(bits, 3), budget=LIMIT),
    "distance": lambda network, bits: distance(network, bits, budget=LIMIT),
    "distance --max 3": lambda network, bits: distance(network, bits, largest=3, budget=LIMIT),
    "distance --norm 1": by_pixels,
    "latents": lambda network, bits: latents(network, bits, radius=3, budget=LIMIT),
    "local_search": lambda network, bits: local_search(network, bits, budget=LIMIT),
    "marginals": lambda network, bits: marginals(leaves(network, bits, 3), budget=LIMIT),
    "tolerance": lambda network, bits: tolerance(network, bits, share=Fraction(1, 1000), budget=LIMIT),
    "witnesses": lambda network, bits: witnesses(leaves(network, bits, 5), budget=LIMIT),
}
NARROW = ("attribution", "latents")  # only of codes of at most 62 bits


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", MODELS)
def test_a_time_limit_is_kept(name: str, verb: str) -> None:
    network, bits = model(name)
    if verb in NARROW and network.widths[-2] > 62:
        pytest.skip("its latent code is too wide for this verb")
    started = time.monotonic()
    assert VERBS[verb](network, bits) is not None
    assert time.monotonic() - started < LATE


@needs_data
@pytest.mark.slow
def test_a_distance_that_is_stopped_has_its_interval() -> None:
    network, bits = model("LFC-W1A1")
    known = distance(network, bits, largest=3, budget=LIMIT)
    assert not known.exact
    assert 1 <= known.low <= 3
    assert known.reason == "stopped after 1 s"
