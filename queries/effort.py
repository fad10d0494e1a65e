"""About how long it takes to look at every point of a region, on one core of the machine that `speed` compares with.

Measured on 100-50-10 (500 weights behind the first layer), on the six-layer pixel network (41,000) and on 784-1024-1024-1024-10.
"""

from __future__ import annotations

from itertools import pairwise

from bnnverify.encoders.presolve import Presolved

POINT, WEIGHT = 1e-6, 5e-11  # the network's own matrix products: per point, and per point and weight
TABLE = 5e-3  # to make the first layer's table and the smallest netlist
# Netlists: to make them, then per point; both per weight behind the first layer: in numpy, step by step, by code of their own.
NETLISTS = (2e-5, 3.2e-11), (5e-5, 4e-12), (3.4e-4, 2.2e-12)


def products(solved: Presolved) -> float:
    """Return the seconds for putting every point through the network itself."""
    weights = sum(a * b for a, b in pairwise(solved.network.widths))
    return _points(solved) * (POINT + WEIGHT * weights)


def netlist(solved: Presolved) -> float:
    """Return the seconds for making a netlist and running it on every point, the best way there is."""
    behind = sum(a * b for a, b in pairwise(solved.network.widths[1:]))
    return TABLE + behind * min(making + _points(solved) * each for making, each in NETLISTS)


def looking(solved: Presolved) -> float:
    """Return the seconds for looking at every point, whichever way takes less."""
    return 0.0 if solved.decided else min(products(solved), netlist(solved))


def _points(solved: Presolved) -> float:
    return float(min(solved.region.size, 10**30))  # sizes beyond a float's range are as hopeless as this
