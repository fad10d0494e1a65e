"""What a region already decides: inputs become flips around the centre, neurons it cannot move become constants.

Every engine starts from here. The result is again a Network and a Region, smaller ones: the inputs are flip bits (1 means
"differs from the centre"), one per free position; a neuron that no point of the region can move is gone, its constant folded
into the bounds behind it; equal and opposite neurons are one; classes that cannot win anywhere in the region are gone from the
head.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bnnverify.encoders.presolve.merge import Equivalence, Merged, merged
from bnnverify.model.arrays import Bits, Integers
from bnnverify.model.matrix import Matrix, fitting, reach
from bnnverify.model.network import Block, Head, Network
from bnnverify.problem.ball import Everything
from bnnverify.problem.budget import NO_LIMIT, Budget
from bnnverify.problem.region import Region


class Open(Protocol):
    """What a region leaves open of a network: all that estimates and enumerations need to know."""

    @property
    def network(self) -> Network:
        """Return the network over flips."""

    @property
    def region(self) -> Region:
        """Return the region of flips."""

    @property
    def live(self) -> tuple[int, ...]:
        """Return how many neurons of each block are open."""

    @property
    def decided(self) -> bool:
        """Return whether one class is left."""


@dataclass(frozen=True, eq=False)
class Presolved:
    """A network and a region over flip bits, and the way back.

    network: reads flips (freedom,); its classes are numbered 0..len(classes)-1 and mean classes[0], classes[1], ...
    Without a head it gives the code that the source gives: the last block keeps all of its neurons, and there are no classes.
    region: around the all-zero flips. source: the region over input bits that it stands for, that which was asked about; or the
    same points around a centre that is moved by what constraints force. shift: by how many flips: they are part of each distance.
    neurons: how many neurons each block had, live: how many of them the region can move and something behind them reads;
    open_neurons: which ones those are, in each block. represented: (neuron, k, opposite) for each neuron that live neuron k
    represents, itself and those merged into it, which are equal to it or opposite.
    """

    network: Network
    region: Region
    source: Region
    classes: tuple[int, ...]
    neurons: tuple[int, ...]
    live: tuple[int, ...]
    open_neurons: tuple[tuple[int, ...], ...]
    represented: tuple[tuple[tuple[int, int, bool], ...], ...]
    shift: int = 0

    @property
    def decided(self) -> bool:
        """Return whether one class is left, which then holds on the whole region."""
        return len(self.classes) == 1

    def points(self, flips: Bits) -> Bits:
        """Return the input bits that flips stand for: (..., freedom) to (..., n)."""
        points = np.broadcast_to(self.source.center, (*flips.shape[:-1], self.source.n)).copy()
        points[..., self.source.positions] ^= flips.astype(np.uint8)
        return points


def presolve(network: Network, region: Region, budget: Budget = NO_LIMIT) -> Presolved:
    """Return the part of the network that the region leaves open: what bounds leave, in a block no two neurons alike.

    Positions that constraints decide are not free any more. Raises OutOfBudget when the budget is spent.
    """
    left = region.propagated()
    solved = replace(bounded(network, left, budget), shift=int(region.distance(left.center)))
    while not solved.decided and (fewer := merged(solved.network)):
        solved = _joined(solved, fewer, bounded(fewer.network, solved.region, budget))
    return solved


def after_first_block(solved: Open, budget: Budget = NO_LIMIT) -> Presolved:
    """Return what follows the first block of solved.network, presolved over all codes that the block's neurons could have."""
    tail = solved.network.tail(1)
    return presolve(tail, Everything(tail.inputs), budget)


def bounded(network: Network, region: Region, budget: Budget = NO_LIMIT) -> Presolved:
    """Return what bounds leave open: each step is a margin of one neuron or class, which a proof can state.

    The first block is looked at however little time is left: it often decides. Raises OutOfBudget after that.
    """
    flips = region.over_flips()
    flips = flips if flips.constraints else flips.ball
    center = region.center.astype(np.int64)
    signs = 1 - 2 * center[region.free]
    ones = center  # input bits while all flips are 0: what the weights of the first layer already see
    keep: NDArray[np.bool_] = region.free
    moves: Region | None = flips  # how the live bits can move: the region for inputs, anything for hidden bits
    blocks: list[Block] = []
    open_neurons: list[NDArray[np.intp]] = []
    for i, block in enumerate(network.blocks):
        if i:
            budget.check()
        weights = block.matrix[:, keep] * signs
        bounds = block.bounds - block.matrix @ ones
        low, high = _reach(weights, moves)
        stays_one, live = low >= bounds, (low < bounds) & (high >= bounds)
        if network.head is None and i == len(network.blocks) - 1:
            bounds, live = np.clip(bounds, low, high + 1), np.ones_like(live)
        blocks.append(Block(fitting(weights[live]), bounds[live]))
        open_neurons.append(np.flatnonzero(live))
        ones, keep, moves, signs = stays_one.astype(np.int64), live, None, np.ones(int(live.sum()), dtype=np.int64)
    head, classes = network.head, np.empty(0, dtype=np.intp)
    if head is not None:
        head = Head(head.weights[:, keep] * signs, head.offsets + head.weights @ ones, head.ranks)
        classes = _possible(head, moves)
        head = _restricted(head, classes)
    presolved, read = _without_unread(Network(tuple(blocks), head))
    left = tuple(tuple(some[mine].tolist()) for some, mine in zip(open_neurons, read, strict=True))
    return Presolved(
        network=presolved,
        region=flips,
        source=region,
        classes=tuple(classes.tolist()),
        neurons=tuple(block.outputs for block in network.blocks),
        live=tuple(block.outputs for block in presolved.blocks),
        open_neurons=left,
        represented=tuple(tuple((neuron, k, False) for k, neuron in enumerate(some)) for some in left),
    )


def _joined(solved: Presolved, fewer: Merged, rest: Presolved) -> Presolved:
    """Return rest, which is what bounds leave of fewer, which has merged neurons of solved, in the terms of solved."""
    parts = list(zip(solved.open_neurons, solved.represented, fewer.equivalences, rest.open_neurons, strict=True))
    return replace(
        rest,
        source=solved.source,
        shift=solved.shift,
        classes=tuple(solved.classes[c] for c in rest.classes),
        neurons=solved.neurons,
        open_neurons=tuple(
            tuple(neurons[k] for k in found.representatives[list(left)].tolist()) for neurons, _, found, left in parts
        ),
        represented=tuple(_followed(names, found, left) for _, names, found, left in parts),
    )


def _followed(
    names: tuple[tuple[int, int, bool], ...], found: Equivalence, left: tuple[int, ...]
) -> tuple[tuple[int, int, bool], ...]:
    """Return what represents the named neurons after a merge of which these neurons are left; constants are not represented."""
    places = {int(found.representatives[k]): new for new, k in enumerate(left)}
    moved = ((i, places.get(int(found.representative[k])), opposite != bool(found.opposite[k])) for i, k, opposite in names)
    return tuple((neuron, new, opposite) for neuron, new, opposite in moved if new is not None)


def _reach(weights: Matrix, moves: Region | None) -> tuple[Integers, Integers]:
    return moves.reach(weights) if moves is not None else reach(weights)


def _possible(head: Head, moves: Region | None) -> NDArray[np.intp]:
    """Return the classes that no single rival beats everywhere."""
    possible = []
    for c in range(head.classes):
        _, high = _reach(head.leads(c), moves)
        if np.all(high >= head.lead_bounds(c)):
            possible.append(c)
    return np.array(possible, dtype=np.intp)


def _restricted(head: Head, classes: NDArray[np.intp]) -> Head:
    ranks = np.argsort(np.argsort(head.ranks[classes]))
    return replace(head, weights=head.weights[classes], offsets=head.offsets[classes], ranks=ranks)


def _without_unread(network: Network) -> tuple[Network, list[NDArray[np.bool_]]]:
    """Return the network without neurons that nothing reads, and which of each block are read.

    A head that gives each class the same weight for a neuron does not read it.
    """
    head, blocks = network.head, list(network.blocks)
    if head is None:
        return network, [np.ones(block.outputs, dtype=np.bool_) for block in blocks]
    read = (head.weights != head.weights[:1]).any(axis=0)
    head = replace(head, weights=head.weights[:, read] if blocks else head.weights)
    every: list[NDArray[np.bool_]] = []
    for i in reversed(range(len(blocks))):
        blocks[i] = Block(fitting(blocks[i].matrix[read]), blocks[i].bounds[read])
        every.insert(0, read)
        if i:
            read = blocks[i].matrix.any(axis=0)
            blocks[i] = Block(fitting(blocks[i].matrix[:, read]), blocks[i].bounds)
    return Network(tuple(blocks), head), every
