"""Every pattern that the first block can give in the region, found at every point, and the class of each.

The neurons that are no constants share a few machine words, a field of bits each, so that one addition flips an input for all of
them: the top bit of a field is 1 exactly when the neuron's sum reaches its bound. Only additions have to be trusted; a region
of 50 million points takes seconds, or where most of its patterns differ up to a minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations, islice
from math import comb

import numpy as np
from numpy.typing import NDArray

from bnnverify.checker.claim import Claim
from bnnverify.checker.margins import ReducedNetwork, ReducedRow
from bnnverify.checker.rules import all_hold
from bnnverify.errors import Rejected
from bnnverify.model.network import Network

MOST = 2**27  # of the region
FEW = 2**18  # points up to which the network classifies each point
MOST_PATTERNS = 2**24
MOST_CODES = 2**24  # values of the open neurons, which the blocks behind classify
WORD = 64
BATCH = 2**16  # patterns that the network classifies at a time

Words = NDArray[np.uint64]


class Fields:
    """Neurons in fields of equal width. A key is one word: the top bits of all fields, each at a place of its own."""

    def __init__(self, rows: list[ReducedRow], flips: list[int], radius: int) -> None:
        sums = np.array([[row.weights.get(i, 0) for i in flips] for row in rows], dtype=np.int64).reshape(len(rows), len(flips))
        bounds = np.array([row.bound for row in rows], dtype=np.int64)
        ordered = np.sort(sums, axis=1)
        least = np.minimum(ordered[:, :radius], 0).sum(axis=1) - bounds
        most = np.maximum(ordered[:, len(flips) - radius :], 0).sum(axis=1) - bounds
        self.width = 1 + max((int(size).bit_length() for size in [*(-least - 1), *most] if size > 0), default=1)
        self.each = WORD // self.width
        if len(rows) > min(self.each * self.width, WORD):
            raise Rejected(f"patterns: expected at most {self.each * self.width} open neurons, got {len(rows)}")
        self.count = max(1, -(-len(rows) // self.each))
        self.rows = len(rows)
        packed = [self._packed(column) for column in sums.T]
        self.columns = np.stack(packed, axis=1) if packed else np.zeros((self.count, 0), dtype=np.uint64)
        self.start = self._packed((1 << (self.width - 1)) - bounds)
        self.tops = np.uint64(sum(1 << (self.width * (j + 1) - 1) for j in range(self.each)))

    def _packed(self, numbers: NDArray[np.int64]) -> Words:
        """Return the numbers as words; negative ones borrow from the next field until the sum is complete."""
        words = [0] * self.count
        for j, number in enumerate(numbers.tolist()):
            words[j // self.each] += number << (self.width * (j % self.each))
        return np.array([word % 2**WORD for word in words], dtype=np.uint64)

    def keys(self, words: Words) -> Words:
        """Return the keys of sums: (count, N) to (N,)."""
        keys: Words = words[0] & self.tops
        for k in range(1, self.count):
            keys |= (words[k] & self.tops) >> np.uint64(k)
        return keys

    def bits(self, keys: Words) -> NDArray[np.uint8]:
        """Return which neurons are 1: (N,) to (N, rows)."""
        places = [self.width * (j % self.each + 1) - 1 - j // self.each for j in range(self.rows)]
        return np.stack([(keys >> np.uint64(place)) & np.uint64(1) for place in places], axis=1).astype(np.uint8)


def keys_of(fields: Fields, flips: int, radius: int) -> Iterator[Words]:
    """Yield the keys of all points: at most radius of the flips. The last two flips of a point are all pairs at once."""
    columns, start = fields.columns, fields.start[:, None]
    yield fields.keys(start)
    if radius >= 1 and flips:
        yield fields.keys(start + columns)
    if radius < 2 or flips < 2:
        return
    first, second = np.triu_indices(flips, 1)
    pairs = columns[:, first] + columns[:, second]
    begins = np.searchsorted(first, np.arange(flips + 1))  # of the pairs whose first flip is this or a later one
    for size in range(radius - 1):
        for chosen in combinations(range(flips), size):
            after = begins[chosen[-1] + 1] if chosen else 0
            before = start + columns[:, list(chosen)].sum(axis=1, keepdims=True, dtype=np.uint64)
            yield fields.keys(pairs[:, after:] + before)


def check_patterns(reduced: ReducedNetwork, claim: Claim) -> int:
    """Return the number of patterns, or points; Rejected unless the network gives the predicted class to each.

    Constraints are further fields: patterns of points that break one are none.
    """
    points = sum(comb(len(claim.free), flips) for flips in range(claim.radius + 1))
    if points <= FEW:
        return _check_points(reduced.network, claim, points)
    if points > MOST or not reduced.network.blocks:
        raise Rejected(f"patterns: expected at most {MOST} points and a block, got {points} points")
    open_, rules = reduced.open(0), [reduced.constraint(k) for k in range(len(claim.constraints))]
    fields = Fields([*(reduced.neuron(0, j) for j in open_), *rules], list(claim.free), claim.radius)
    found = _patterns(fields, len(claim.free), claim.radius)
    tail = reduced.network.tail(1)
    for begin in range(0, len(found), BATCH):
        keys = found[begin : begin + BATCH]
        bits = np.tile(reduced.first(), (len(keys), 1))
        if fields.rows:
            values = fields.bits(keys)
            bits[:, open_] = values[:, : len(open_)]
            bits = bits[values[:, len(open_) :].all(axis=1)]
        _require_predicted(claim, tail(bits))
    return len(found)


def check_codes(reduced: ReducedNetwork, claim: Claim) -> int:
    """Return the number of codes of the first block's open neurons; Rejected unless the predicted class is that of each."""
    if not reduced.network.blocks:
        raise Rejected("codes: expected a network with a block, got a head alone")
    open_, tail = reduced.open(0), reduced.network.tail(1)
    if 2 ** len(open_) > MOST_CODES:
        raise Rejected(f"codes: expected at most {MOST_CODES.bit_length() - 1} open neurons, got {len(open_)}")
    for begin in range(0, 2 ** len(open_), BATCH):
        numbers = np.arange(begin, min(begin + BATCH, 2 ** len(open_)))
        bits = np.tile(reduced.first(), (len(numbers), 1))
        bits[:, open_] = numbers[:, None] >> np.arange(len(open_)) & 1
        _require_predicted(claim, tail(bits))
    return int(2 ** len(open_))


def _check_points(network: Network, claim: Claim, points: int) -> int:
    """Return points, their number; Rejected unless the network gives each the predicted class."""
    flips = chain.from_iterable(combinations(claim.free, size) for size in range(claim.radius + 1))
    while chosen := list(islice(flips, BATCH)):
        bits = np.tile(claim.bits, (len(chosen), 1))
        rows = np.repeat(np.arange(len(chosen)), [len(positions) for positions in chosen])
        bits[rows, list(chain.from_iterable(chosen))] ^= 1
        _require_predicted(claim, network(bits[all_hold(claim.constraints, bits)]))
    return points


def _require_predicted(claim: Claim, labels: NDArray[np.int64]) -> None:
    """Raise unless all labels are the predicted one."""
    others = [label for label in np.unique(labels).tolist() if label != claim.predicted]
    if others:
        raise Rejected(f"patterns: expected class {claim.predicted} for each, got class {others[0]}")


def _patterns(fields: Fields, flips: int, radius: int) -> Words:
    """Return the different keys of all points."""
    found: Words = np.zeros(0, dtype=np.uint64)
    batch: list[Words] = []
    for keys in keys_of(fields, flips, radius):
        batch.append(_distinct(keys))
        if sum(map(len, batch)) > MOST_PATTERNS // 4:
            found, batch = _distinct(np.concatenate([found, *batch])), []
        if len(found) > MOST_PATTERNS:
            raise Rejected(f"patterns: expected at most {MOST_PATTERNS}, got more")
    return _distinct(np.concatenate([found, *batch]))


def _distinct(keys: Words) -> Words:
    """Return each key once, ascending; sorting is much faster than np.unique."""
    ordered = np.sort(keys)
    different: Words = ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)]]
    return different
