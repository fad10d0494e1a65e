"""What every export shares: a question built in some algebra, its event required, and its variables named in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from bnnverify.encoders.presolve.presolve import Presolved, presolve
from bnnverify.encoders.walk import Algebra, layers, wins
from bnnverify.errors import BadQuery
from bnnverify.problem.query import Query
from bnnverify.problem.region import Region

CONSTANT = 1  # the variable that is always 1


@dataclass(frozen=True)
class Export:
    """A kind of file. name: for --to. ending: of its files. help: what it is, and for which programs. lines: its content."""

    name: str
    ending: str
    help: str
    lines: Callable[[Query], Iterator[str]]


class Rules(Algebra[int], Protocol):
    """An algebra of literals that can also require that one of several is 1."""

    def add(self, clause: Sequence[int]) -> None:
        """Require that some literal is 1."""


Made = TypeVar("Made", bound=Rules)


def built(query: Query, algebra: Callable[[Region], Made], variable: str) -> tuple[Made, list[str]]:
    """Return the question in an algebra, with its event required, and sentences about the question and about each variable.

    algebra: from the region of flips. variable: how the file writes one, such as "x{}".
    """
    solved = presolve(query.decider, query.region)
    head = solved.network.head
    if head is None:
        raise BadQuery("encode: expected a network with classes, got one that ends in a latent code")
    rules = algebra(solved.region)
    every = layers(rules, solved.network, rules.inputs(solved.network.inputs))
    targets = [k for k, label in enumerate(solved.classes) if label in query.targets]
    answers = {c: wins(rules, head, c, every[-1]) for c in targets}
    rules.add(list(answers.values()))
    names = ((_named(variable, literal), description) for literal, description in _literals(solved, every, answers))
    return rules, [*_about(query, solved), *(f"{name}: {description}" for name, description in names)]


def _literals(solved: Presolved, every: Sequence[Sequence[int]], answers: dict[int, int]) -> Iterator[tuple[int, str]]:
    """Yield the literals of the constant, of flips, of neurons and of classes, and a description of each."""
    yield CONSTANT, "constant 1"
    for i, flip in zip(solved.source.positions, every[0], strict=True):
        yield flip, f"input bit {i} is flipped"
    for block, (names, bits) in enumerate(zip(solved.represented, every[1:], strict=True)):
        for neuron, k, opposite in names:
            yield -bits[k] if opposite else bits[k], f"neuron {neuron} of block {block}"
    for c, literal in answers.items():
        yield literal, f"class {solved.classes[c]} is the answer"


def _named(variable: str, literal: int) -> str:
    return ("" if literal > 0 else "not ") + variable.format(abs(literal))


def _about(query: Query, solved: Presolved) -> Iterator[str]:
    region = solved.source
    under = f", under {len(region.constraints)} constraints" if region.constraints else ""
    yield f"{query.event} within {region.inner} to {region.outer} flips of {region.freedom} input bits, of {region.n}{under}"
    yield "input " + "".join(map(str, region.center.tolist()))
    yield f"classes that can be the answer: {' '.join(map(str, solved.classes))}"
