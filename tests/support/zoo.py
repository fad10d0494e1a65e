"""Networks small enough to reason about by hand, questions about them, their class counts, and why.

The answers come from the reasoning, never from a run of this program.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np

from bnnverify import Block, EachClass, Everything, HammingBall, Head, Network, Query, Region, Samples, Shell, Subcube


@dataclass(frozen=True, eq=False)
class Case:
    """A named question, how many points fall to each class, and the reason."""

    name: str
    network: Network
    region: Region
    counts: tuple[int, ...]
    why: str

    @property
    def query(self) -> Query:
        return Query(self.network, self.region, EachClass())


def majority(n: int) -> Network:
    """Return a network whose class is 1 exactly when more than half of its n bits are 1, and 0 on a tie."""
    counter = Block(np.ones((1, n)), [n // 2 + 1])
    return Network((counter,), Head([[0], [1]], [0, 0]), name=f"majority-{n}")


def parity(n: int) -> Network:
    """Return a network whose class is the parity of n bits: neuron k counts to k + 1, the head alternates signs."""
    counters = Block(np.ones((n, n)), np.arange(1, n + 1))
    signs = [1 - 2 * (k % 2) for k in range(n)]
    return Network((counters,), Head([[0] * n, [2 * s for s in signs]], [1, 0]), name=f"parity-{n}")


def _always(n: int, c: int) -> Network:
    return Network((), Head(np.zeros((2, n)), [1 - c, c]), name=f"always-{c}")


def tie(n: int) -> Network:
    """Return a network of three classes with equal scores everywhere: the lowest index wins."""
    return Network((), Head(np.ones((3, n)), [0, 0, 0]), name="tie")


def first_bit(n: int) -> Network:
    """Return a network that answers bit 0, through two blocks that copy (the second with a detour over negation)."""
    copy = np.eye(n, dtype=np.int64)
    return Network((Block(copy, np.ones(n)), Block(-copy, np.zeros(n))), Head([[1] + [0] * (n - 1), [0] * n], [0, 0], [1, 0]))


def _zeros(n: int) -> np.ndarray:
    return np.zeros(n, dtype=np.uint8)


def _ones_then_zeros(ones: int, n: int) -> np.ndarray:
    return (np.arange(n) < ones).astype(np.uint8)


def _more_than_half(n: int) -> int:
    return sum(comb(n, k) for k in range(n // 2 + 1, n + 1))


ZOO = [
    Case("majority, everything", majority(9), Everything(9), (2**8, 2**8), "odd width: half of all inputs, by symmetry"),
    Case("majority, even width", majority(8), Everything(8), (2**8 - _more_than_half(8), _more_than_half(8)), "ties go to 0"),
    Case("majority, far ball", majority(21), HammingBall(_zeros(21), 3), (1 + 21 + 210 + 1330, 0), "3 of 21 is no majority"),
    Case("majority, edge", majority(7), HammingBall(_ones_then_zeros(3, 7), 1), (4, 4), "centre and 3 losses; 4 gains"),
    Case("majority, one shell", majority(7), Shell(_ones_then_zeros(3, 7), 1), (3, 4), "as before without the centre"),
    Case("majority, fixed ones", majority(7), Subcube(_ones_then_zeros(3, 7), [5, 6]), (1, 3), "3 ones, 4 needed"),
    Case("parity, everything", parity(6), Everything(6), (32, 32), "flipping any bit changes the class"),
    Case("parity, ball", parity(7), HammingBall(_zeros(7), 3), (1 + 21, 7 + 35), "even and odd distances"),
    Case("parity, free set", parity(7), HammingBall(_zeros(7), 2, free=[2, 4, 6]), (1 + 3, 3), "three free positions"),
    Case("parity, radius 0", parity(5), HammingBall(_ones_then_zeros(3, 5), 0), (0, 1), "three ones"),
    Case("parity, empty free set", parity(5), HammingBall(_ones_then_zeros(2, 5), 0, free=[]), (1, 0), "two ones"),
    Case("tie", tie(4), Everything(4), (16, 0, 0), "equal scores: lowest class index"),
    Case("one class", Network((), Head([[1, 1, 1]], [0])), Everything(3), (8,), "nothing else can win"),
    Case("always 1", _always(5, 1), HammingBall(_zeros(5), 2), (0, 16), "constant scores"),
    Case("first bit", first_bit(6), HammingBall(_zeros(6), 2), (1 + 5 + 10, 1 + 5), "bit 0 flipped: at most one more"),
    Case("first bit fixed", first_bit(6), HammingBall(_ones_then_zeros(1, 6), 2, free=[3, 4]), (0, 4), "bit 0 is 1 and not free"),
    Case("one input", majority(1), Everything(1), (1, 1), "the bit itself"),
]

WIDE = [  # too many points to look at each
    Case("majority of 81", majority(81), Everything(81), (2**80, 2**80), "odd width: half; above 2^53 and 2^64"),
    Case(
        "first bit of 80",
        first_bit(80),
        HammingBall(_zeros(80), 40),
        (sum(comb(79, d) for d in range(41)), sum(comb(79, d) for d in range(40))),
        "bit 0 as it is: up to 40 flips among 79 others; flipped: up to 39",
    ),
]


def named(name: str) -> Case:
    """Return the question of this name."""
    return next(case for case in (*ZOO, *WIDE) if case.name == name)


NETWORK = majority(9)  # what the tests of the verbs ask about: class 1 from five ones on
SAMPLES = Samples(
    bits=np.array([[1] * k + [0] * (9 - k) for k in (0, 2, 3, 4, 5, 9)], dtype=np.uint8),
    labels=np.array([0, 0, 0, 1, 1, 1]),
    indices=(10, 12, 13, 14, 15, 19),
    name="ones",
)
