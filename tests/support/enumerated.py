"""All inputs of a width, and what plain enumeration finds: the yardstick of every engine."""

from __future__ import annotations

import numpy as np

from bnnverify import Network, Query, Tally
from bnnverify.model.arrays import Bits
from bnnverify.model.latent_code import bits_of


def every_input(n: int) -> Bits:
    """Return all inputs, or codes, of so many bits: (2^n, n)."""
    return ((np.arange(2**n)[:, None] >> np.arange(n)) & 1).astype(np.uint8)


def enumerated(query: Query) -> list[int]:
    """Return the class counts by asking the network about every point."""
    counts = np.zeros(query.network.classes, dtype=np.int64)
    for points in query.region.points():
        counts += np.bincount(query.network(points), minlength=query.network.classes)
    return [int(k) for k in counts]


def lows(tally: Tally) -> list[int]:
    assert all(count.exact for count in tally.counts), tally
    return [count.low for count in tally.counts]


def tau(network: Network, code: tuple[int, ...], cut: int) -> int:
    """Return the tail margin by the table of all 2^d codes."""
    width, tail = len(code), network.tail(cut)
    table = bits_of(list(range(2**width)), width)
    others = table[tail(table) != tail(np.array(code))]
    return int((others != np.array(code)).sum(axis=1).min()) - 1 if len(others) else width
