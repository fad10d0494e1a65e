"""The cost model of enumeration: estimated seconds for all points of a region, on one core of the machine it was measured on.

Measured on 100-50-10 (500 weights behind the first layer), on the six-layer pixel network (41,000) and on 784-1024-1024-1024-10.
"""

from __future__ import annotations

from itertools import pairwise
from math import inf

from bnnverify.encoders.presolve.presolve import Open, after_first_block
from bnnverify.model.network import Network

POINT, WEIGHT = 1e-6, 5e-11  # the network's own matrix products: per point, and per point and weight
LISTED = 2e-8  # per bit of a point that constraints leave, to list it
MAKING = 5e-3  # to make the first layer and the smallest netlist
# Netlists: to make them, then per point; both per weight behind the first layer: by numpy, the interpreter, code of their own.
NETLISTS = (2e-5, 3.2e-11), (5e-5, 4e-12), (3.4e-4, 2.2e-12)

WIDE = 4_000  # weights between open neurons behind the first block
NARROW = 12  # open first-layer neurons, up to which many points are alike
HOPELESS = 1e5  # seconds above which enumeration is no option


def product_seconds(solved: Open) -> float:
    """Return the seconds for putting every point through the network itself."""
    network, region = solved.network, solved.region
    work = sum(block.matrix.work for block in network.blocks) + _head(network)
    return _float(region.size_bound) * (POINT + LISTED * region.n * bool(region.constraints) + WEIGHT * work)


def netlist_seconds(solved: Open) -> float:
    """Return the seconds for making a netlist and running it on every point of the ball, the best way there is."""
    behind = sum(block.matrix.size for block in solved.network.blocks[1:]) + _head(solved.network)
    points = _float(solved.region.ball.size)
    return MAKING + behind * min(making + points * each for making, each in NETLISTS)


def evaluation_seconds(solved: Open) -> float:
    """Return the seconds for evaluating every point, by whichever way takes less."""
    return 0.0 if solved.decided else min(product_seconds(solved), netlist_seconds(solved))


def code_seconds(solved: Open) -> float:
    """Return the seconds for evaluating every code of the first block instead; infinite without one."""
    return evaluation_seconds(after_first_block(solved)) if solved.network.blocks else inf


def is_wide(solved: Open) -> bool:
    """Return whether so many weights join open neurons behind the first block that solvers are slow."""
    return sum(a * b for a, b in pairwise(solved.live)) > WIDE


def is_narrow(solved: Open) -> bool:
    """Return whether so few first-layer neurons are open that many points are alike, so that a diagram is small."""
    return bool(solved.live) and solved.live[0] <= NARROW


def points_in_words(solved: Open) -> str:
    """Return how many points the region has, roughly."""
    return f"{_float(solved.region.size_bound):.3g} points"


def _head(network: Network) -> int:
    return network.head.weights.size if network.head else 0


def _float(size: int) -> float:
    return float(min(size, 10**30))  # sizes beyond a float's range are as hopeless as this
