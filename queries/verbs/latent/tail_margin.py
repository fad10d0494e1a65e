"""How many latent bits can flip, whichever they are, before the class changes?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from bnnverify.model.arrays import Bits
from bnnverify.model.network import Head, Network
from bnnverify.model.threshold import Threshold
from bnnverify.problem.budget import Budget
from bnnverify.queries.verbs.distance import distance


def tail_margin(tail: Network, code: Bits, *, budget: Budget | None = None) -> tuple[int, bool]:
    """Return tau, and whether it is exact: no tau flips of the code (m,) change the class of the tail, some tau + 1 do.

    Where nothing changes it, tau = m. For a head alone it is a sum of the largest gains per rival; blocks are put to `distance`,
    which may be stopped: tau is then what it proved.
    """
    if not tail.blocks and tail.head is not None:
        return _head_margin(tail.head, code, tail(code)), True
    answer = distance(tail, code, budget=budget)
    return max(0, answer.low - 1), answer.exact


def _head_margin(head: Head, code: Bits, label: int) -> int:
    rivals = (head.beats(k, label) for k in range(head.classes) if k != label)
    return min((_flips_to(rival, code.tolist()) for rival in rivals), default=len(code) + 1) - 1


def _flips_to(rival: Threshold, code: Sequence[int]) -> int:
    """Return the smallest number of flips after which the threshold can hold, one more than there are bits if none."""
    bits = [code[i] for i in rival.positions]
    gains = sorted((w * (1 - 2 * bit) for w, bit in zip(rival.weights, bits, strict=True)), reverse=True)
    reached = sum(w * bit for w, bit in zip(rival.weights, bits, strict=True))
    for flips, total in enumerate(accumulate(gains, initial=reached)):
        if total >= rival.bound:
            return flips
    return len(code) + 1
