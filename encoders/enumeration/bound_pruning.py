"""Bound pruning: runs whose class interval bound propagation decides are counted without evaluating their points.

Along a run a first-layer neuron is always 1, never, or sometimes, as its row of suffix bits shows exactly. From there intervals
are propagated through the later blocks (interval arithmetic on 0/1 bits), and one class may beat all others on the run.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bnnverify.encoders.enumeration.layout import Runs
from bnnverify.encoders.netlist.backends.words import ONES, Words
from bnnverify.model.arrays import Integers
from bnnverify.model.matrix import reach_between
from bnnverify.model.network import Head, Network

UNDECIDED, NOWHERE = -1, -2


class BoundPruning:
    """Bounds over the runs of a first layer. rows: its words, (rows, words).

    network: whose first layer it is; None: bounds of classes take longer than evaluation. constraints: how many rows behind those
    of the neurons are constraints.
    """

    def __init__(self, rows: Words, network: Network | None, constraints: int = 0) -> None:
        self._rows, self._network, self._constraints = rows, network, constraints
        self._ones = np.zeros((len(rows), rows.shape[1] + 1), dtype=np.int64)  # in all words before
        np.cumsum(np.bitwise_count(rows), axis=1, out=self._ones[:, 1:])
        self._before: dict[int, Integers] = {}

    def classes(self, runs: Runs, choice: NDArray[np.int32]) -> NDArray[np.intp]:
        """Return for each run the class that all of its points have, or UNDECIDED. choice: (neurons and constraints, runs) rows.

        Where not all points obey the constraints it is UNDECIDED as well, and NOWHERE where none does.
        """
        low, high = self._first(runs, choice)
        if not self._constraints:
            return self._decided(low, high)
        bits = len(choice) - self._constraints
        all_obey, some_obey = low[:, bits:].all(axis=1), high[:, bits:].all(axis=1)
        classes = np.where(all_obey, self._decided(low[:, :bits], high[:, :bits]), UNDECIDED)
        return np.where(some_obey, classes, NOWHERE)

    def _decided(self, low: NDArray[np.bool_], high: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Return the class for all first-layer bits between low and high, or UNDECIDED."""
        if self._network is None or self._network.head is None:
            return np.full(len(low), UNDECIDED, dtype=np.intp)
        for block in self._network.blocks[1:]:
            least, most = reach_between(block.matrix, low, high)
            low, high = least >= block.bounds, most >= block.bounds
        return _winner(self._network.head, low, high)

    def _first(self, runs: Runs, choice: NDArray[np.int32]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which neurons are 1 on the run, and which somewhere on it: (runs, neurons) each."""
        always, ever = np.empty(choice.T.shape, dtype=np.bool_), np.empty(choice.T.shape, dtype=np.bool_)
        spans, which = np.unique(np.stack([runs.starts, runs.stops]), axis=1, return_inverse=True)
        for k, (start, stop) in enumerate(spans.T.tolist()):
            ones = self._ones_before(stop) - self._ones_before(start)
            mine = which.ravel() == k
            always[mine], ever[mine] = (ones == stop - start)[choice[:, mine].T], (ones > 0)[choice[:, mine].T]
        return always, ever

    def _ones_before(self, suffix: int) -> Integers:
        """Return for each row how many suffixes before this one give 1."""
        if suffix not in self._before:
            word, bit = divmod(suffix, 64)
            counts = self._ones[:, word]
            if bit:
                counts = counts + np.bitwise_count(self._rows[:, word] & (ONES >> np.uint64(64 - bit)))
            self._before[suffix] = counts
        return self._before[suffix]


def _winner(head: Head, low: NDArray[np.bool_], high: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the class that beats all others whatever the bits between low and high are, or UNDECIDED."""
    guess = np.asarray(head(low.astype(np.uint8)))  # if any class wins everywhere, it wins here
    for c in np.unique(guess).tolist():
        mine = guess == c
        least, _ = reach_between(head.leads(c), low[mine], high[mine])
        guess[mine] = np.where((least >= head.lead_bounds(c)).all(axis=1), c, UNDECIDED)
    return guess
