"""A formula together with the definition of each of its variables, so that others can check it without this encoder.

A variable is a flip, or it is 1 exactly when a weighted sum of literals of smaller variables reaches a bound. Whoever gives
every variable that value at some point of the region makes every clause true there: a checker has to show this of each clause.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from math import prod

from bnnverify.encoders.clauses.cardinality import TRUE, Clauses, Terms, totalizer
from bnnverify.encoders.clauses.cnf import Cnf, dimacs
from bnnverify.encoders.presolve.presolve import Presolved
from bnnverify.encoders.walk import layers, threshold_bit
from bnnverify.errors import BadQuery
from bnnverify.problem.constrained import Constrained

WIDEST = 2**14  # different sums that a totalizer may be given: each is a variable


@dataclass(frozen=True)
class AnnotatedFormula:
    """Clauses that no model satisfies exactly when `predicted` is the answer everywhere in the region, and their definitions.

    Numbers of inputs, neurons and classes are those of the network before presolve. inputs: flip variable of each free position.
    thresholds: per other variable (terms, bound): 1 exactly when the sum of weight * literal reaches the bound.
    neurons: literal of each neuron in the formula, by (block, neuron). ones: literal j of "at least j flips".
    beats: per rival, the literal of "the predicted class is preferred to it". holds: literal of each constraint that not every
    point of the ball obeys, by its number.
    """

    clauses: list[tuple[int, ...]]
    variables: int
    inputs: dict[int, int]
    thresholds: dict[int, tuple[Terms, int]]
    neurons: dict[tuple[int, int], int]
    ones: dict[int, int]
    beats: dict[int, int]
    holds: dict[int, int] = field(default_factory=dict)

    def dimacs(self) -> Iterator[str]:
        """Yield the lines of the formula in the DIMACS format."""
        return dimacs(self.variables, self.clauses)

    def lines(self) -> Iterator[str]:
        """Yield the definitions as text, in the format that docs/proofs.md describes."""
        for position, variable in self.inputs.items():
            yield f"flip {variable} {position}"
        for variable, (terms, bound) in sorted(self.thresholds.items()):
            yield " ".join(map(str, ("var", variable, bound, *(number for term in terms for number in term))))
        for j, literal in self.ones.items():
            yield f"ones {j} {literal}"
        for (block, neuron), literal in self.neurons.items():
            yield f"neuron {block} {neuron} {literal}"
        for rival, literal in self.beats.items():
            yield f"beats {rival} {literal}"
        for number, literal in self.holds.items():
            yield f"holds {number} {literal}"


def annotated(question: Presolved, predicted: int) -> AnnotatedFormula:
    """Return the formula of "some class is preferred to predicted" over the flips of question, a ball, with its definitions.

    Its constraints are required too.
    """
    network = question.network
    if network.head is None:
        raise BadQuery("proof: expected a network with classes, got one that ends in a latent code")
    cnf = Cnf.of(question.region, checkable)
    inputs, *behind = every = layers(cnf, network, cnf.inputs(network.inputs))
    own = question.classes.index(predicted)
    rivals = {label: k for k, label in enumerate(question.classes) if k != own}
    beats = {label: threshold_bit(cnf, network.head.beats(own, k), every[-1]) for label, k in rivals.items()}
    cnf.add([-literal for literal in beats.values()])
    few = question.region.outer < network.inputs
    return AnnotatedFormula(
        clauses=cnf.clauses,
        variables=cnf.variables,
        inputs=dict(zip(question.source.positions.tolist(), inputs, strict=True)),
        thresholds={TRUE: ((), 0)} | {variable: _threshold(key) for key, variable in cnf.gates.items() if _defines(key)},
        neurons={
            (i, neuron): literal
            for i, (neurons, bits) in enumerate(zip(question.open_neurons, behind, strict=True))
            for neuron, literal in zip(neurons, bits, strict=True)
        },
        ones={j: cnf.ones(j) for j in range(1, question.region.outer + 1)} if few else {},
        beats=beats,
        holds=_held(question, cnf),
    )


def _held(question: Presolved, cnf: Cnf) -> dict[int, int]:
    """Return the literal of each constraint of the source, by its number; those that read the same over flips share one."""
    if not isinstance(question.source, Constrained):
        return {}
    literals = dict(zip(question.region.constraints, cnf.held, strict=True))
    return {k: literals[row] for k, row in enumerate(question.source.flip_rows) if row in literals}


def checkable(clauses: Clauses, terms: Terms, bound: int) -> int:
    """Return the literal of terms >= bound from a totalizer, the encoding whose variables all are thresholds themselves."""
    weights = [weight for weight, _ in terms]
    if min(prod(weights.count(weight) + 1 for weight in set(weights)), bound) > WIDEST:
        raise BadQuery(f"proof: expected rows of at most {WIDEST} different sums, got one of more")
    return totalizer(clauses, terms, bound)


def _defines(key: Hashable) -> bool:
    return isinstance(key, tuple) and key[0] != "reached"  # that key only finds a threshold again


def _threshold(key: Hashable) -> tuple[Terms, int]:
    """Return the threshold that defines the variable of a gate."""
    match key:
        case ("all", *bits):
            return tuple((1, bit) for bit in bits if isinstance(bit, int)), len(bits)
        case ("sum", tuple(terms), int(bound)):
            return terms, bound
    raise BadQuery(f"proof: expected gates that are thresholds, got {str(key)[:40]}")
