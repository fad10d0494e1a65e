"""The definitions of a formula's variables, and whether those of neurons agree with the model.

A definition uses smaller variables only, so every point of the region gives every variable one value. No definition has to be
trusted: the clauses and the links to the model must follow from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from bnnverify.checker.files import lines, numbers
from bnnverify.checker.linear import Linear
from bnnverify.checker.margins import ReducedNetwork, ReducedRow
from bnnverify.errors import Rejected

NAME = "meanings.txt"
SHAPES = {"flip": 2, "var": 2, "ones": 2, "neuron": 3, "beats": 2, "holds": 2}  # numbers on such a line, or the fewest
ALWAYS = Linear({}, 0)
SHIFTS = 4  # of a row by the number of flips that are tried


class Annotations:
    """The lines of meanings.txt. flips: variable by input position; definitions: by variable, 1 exactly when it holds."""

    def __init__(self, path: Path, variables: int) -> None:
        self.flips: dict[int, int] = {}
        self.definitions: dict[int, Linear] = {}
        self.ones: dict[int, int] = {}
        self.neurons: dict[tuple[int, int], int] = {}
        self.beats: dict[int, int] = {}
        self.holds: dict[int, int] = {}
        self._variables = variables
        for line in lines(path):
            kind, _, words = line.partition(" ")
            row = numbers(words, NAME)
            fewest = SHAPES.get(kind, -1)
            if len(row) < fewest or fewest < 0 or (len(row) > fewest and kind != "var"):
                raise Rejected(f"{NAME}: expected lines of flip, var, ones, neuron, beats and holds, got {line[:40]!r}")
            self._add(kind, row)
        known = {*self.definitions, *self.flips.values()}  # at most as many as lines, whatever the formula's header
        if len(known) < variables:
            missing = next(v for v in range(1, variables + 1) if v not in known)
            raise Rejected(f"{NAME}: expected a definition of each variable, got none for {missing}")

    def _add(self, kind: str, row: list[int]) -> None:
        if kind == "flip":
            self._put(self.flips, row[1], row[0], lowest=1)
        elif kind == "var":
            variable, bound, *rest = row
            if len(rest) % 2 or any(not 0 < abs(literal) < variable for literal in rest[1::2]):
                raise Rejected(f"{NAME}: variable {variable}: expected weights and literals of smaller variables")
            if variable in self.definitions or not 0 < variable <= self._variables:
                raise Rejected(f"{NAME}: variable {variable}: expected one definition of each variable")
            self.definitions[variable] = Linear.of(zip(rest[::2], rest[1::2], strict=True), bound)
        elif kind == "neuron":
            if (row[0], row[1]) in self.neurons:
                raise Rejected(f"{NAME}: neuron {row[1]} of block {row[0]}: expected one literal")
            self.neurons[row[0], row[1]] = self._literal(row[2])
        else:
            literals = {"ones": self.ones, "beats": self.beats, "holds": self.holds}
            self._put(literals[kind], row[0], row[1], lowest=-self._variables)

    def _put(self, where: dict[int, int], key: int, literal: int, *, lowest: int) -> None:
        if key in where or literal < lowest:
            raise Rejected(f"{NAME}: {key}: expected one literal, got several or a negative variable")
        where[key] = self._literal(literal)

    def _literal(self, literal: int) -> int:
        if not 0 < abs(literal) <= self._variables:
            raise Rejected(f"{NAME}: expected literals of variables 1 to {self._variables}, got {literal}")
        return literal

    def defines(self, literal: int, statement: Linear) -> bool:
        """Return whether the literal is 1 exactly when statement holds."""
        if Linear.of([(1, literal)], 1).is_like(statement):
            return True
        definition = self.definitions.get(abs(literal))
        return definition is not None and (definition if literal > 0 else definition.opposite).is_like(statement)


class Links:
    """Literals that stand for flips, neurons and preferences, compared with the rows of the reduced network."""

    def __init__(self, annotations: Annotations, reduced: ReducedNetwork, free: Iterable[int], radius: int) -> None:
        self._annotations, self._reduced, self._radius = annotations, reduced, radius
        self._known: set[tuple[int, int]] = set()
        flips = [annotations.flips.get(position, 0) for position in free]
        if 0 in flips or len(set(flips)) < len(flips) or len(flips) < len(annotations.flips):
            raise Rejected(f"{NAME}: expected a variable of its own for the flip of each free position, and no other")
        if any(flip in annotations.definitions for flip in flips):
            raise Rejected(f"{NAME}: expected flips without a definition")
        self._flips = flips
        self._ones = self._counters()

    @cached_property
    def region(self) -> Linear:
        """Return the statement that at most radius positions are flipped."""
        return Linear.of(((-1, flip) for flip in self._flips), -self._radius)

    def _counters(self) -> list[int]:
        """Return literals of "at least j flips" for each j up to the radius: the sum of all is the number of flips."""
        if not self._annotations.ones:
            return []
        for j in range(1, self._radius + 1):
            literal = self._annotations.ones.get(j, 0)
            if not literal or not self._annotations.defines(literal, Linear.of(((1, flip) for flip in self._flips), j)):
                raise Rejected(f"{NAME}: ones {j}: expected a literal defined as: at least {j} flips")
        return [self._annotations.ones[j] for j in range(1, self._radius + 1)]

    def event(self, predicted: int, classes: Iterable[int]) -> frozenset[int]:
        """Return the literals of which one is true where a rival is preferred, after checking every neuron they rest on."""
        rivals = [k for k in classes if k != predicted]
        layer = len(self._reduced.network.blocks)
        for k in rivals:
            literal = self._annotations.beats.get(k)
            if literal is None or not self._is_defined_as(literal, self._reduced.preferred(predicted, k), layer):
                raise Rejected(f"{NAME}: beats {k}: expected a literal defined as: class {predicted} is preferred to class {k}")
        literals = (self._annotations.beats[k] for k in rivals)
        return frozenset(-literal for literal in literals if not self._annotations.defines(literal, ALWAYS))

    def constraints(self, count: int) -> list[frozenset[int]]:
        """Return for each constraint with a literal the clause that it holds, an empty one where it never does.

        Each literal is checked.
        """
        clauses = []
        for k, literal in self._annotations.holds.items():
            if not 0 <= k < count or not self._is_defined_as(literal, self._reduced.constraint(k), 0):
                raise Rejected(f"{NAME}: holds {k}: expected a literal defined as: constraint {k} of the claim holds")
            clauses.append(frozenset() if self._annotations.defines(-literal, ALWAYS) else frozenset({literal}))
        return clauses

    def _neuron(self, block: int, j: int) -> int:
        """Return the literal of a neuron that is no constant, after checking it."""
        literal = self._annotations.neurons.get((block, j))
        if literal is None:
            raise Rejected(f"block {block}, neuron {j}: expected a margin or a literal, got neither")
        if (block, j) not in self._known:
            if not self._is_defined_as(literal, self._reduced.neuron(block, j), block):
                raise Rejected(f"block {block}, neuron {j}: expected a literal defined by the row of the reduced network")
            self._known.add((block, j))
        return literal

    def _is_defined_as(self, literal: int, row: ReducedRow, layer: int) -> bool:
        """Return whether the literal is defined by row, which is over flips or over the neurons of the block before."""
        terms = [(w, self._neuron(layer - 1, i) if layer else self._annotations.flips[i]) for i, w in row.weights.items()]
        constant = sum(w for w, bit in terms if self._annotations.defines(bit, ALWAYS))
        terms = [
            (w, bit)
            for w, bit in terms
            if not self._annotations.defines(bit, ALWAYS) and not self._annotations.defines(-bit, ALWAYS)
        ]
        statement = Linear.of(terms, row.bound - constant)
        return any(self._annotations.defines(literal, shifted) for shifted in self._shifted(statement))

    def _shifted(self, statement: Linear) -> Iterator[Linear]:
        """Yield the statement, then the same with a weight taken off every flip and put on the number of flips."""
        yield statement
        usual = Counter(statement.weights.get(flip, 0) for flip in self._flips).most_common(SHIFTS if self._ones else 0)
        for shift, _ in usual:
            terms = [(w, v) for v, w in statement.weights.items()] + [(-shift, flip) for flip in self._flips]
            yield Linear.of([*terms, *((shift, one) for one in self._ones)], statement.bound)
