"""A bit is a literal of a CNF formula; every auxiliary variable is defined in both directions.

So each setting of the inputs extends to at most one model: counting models over the inputs is counting inputs. Gates are
hashed: each is built once. Variable 1 is the constant true, the inputs follow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bnnverify.encoders.clauses.cardinality import FALSE, TRUE, Clause, Encoding, Terms, by_width, gathered, normal
from bnnverify.encoders.presolve.presolve import Open
from bnnverify.encoders.walk import encode, threshold_bit
from bnnverify.model.threshold import Threshold
from bnnverify.problem.region import Region


class Cnf:
    """The algebra of literals. fewest, most: how many of the inputs may be 1; constraints: what else must hold of them.

    The clauses allow no other settings of the inputs.

    Knowing that few inputs are 1 makes rows over many inputs short: a row with the weight -1 at half of its inputs is the
    same row with every weight raised by 1, less the number of ones, which all rows share. See `_shortened`.
    """

    def __init__(
        self,
        *,
        fewest: int = 0,
        most: int | None = None,
        constraints: Sequence[Threshold] = (),
        encoding: Encoding = by_width,
    ) -> None:
        self.clauses: list[tuple[int, ...]] = [(TRUE,)]
        self.at_mosts: list[tuple[list[int], int]] = []  # which only some solvers read; most encodings make none
        self.variables = 1
        self.gates: dict[Hashable, int] = {}  # by their definitions, which `annotated` reads
        self._encoding = encoding
        self._fewest, self._most, self._constraints = fewest, most, constraints
        self.held: list[int] = []  # the literal of each constraint, all required
        self._inputs: list[int] = []
        self._ones: list[int] = []  # literal j: at least fewest + 1 + j inputs are 1; empty: not known to be few

    @classmethod
    def of(cls, region: Region, encoding: Encoding = by_width) -> Cnf:
        """Return the algebra whose inputs are flips of a region."""
        return cls(fewest=region.inner, most=region.outer, constraints=region.constraints, encoding=encoding)

    def fresh(self) -> int:
        """Return a new variable."""
        self.variables += 1
        return self.variables

    def add(self, clause: Clause) -> None:
        """Require clause, constants folded."""
        if TRUE not in clause:
            self.clauses.append(tuple(literal for literal in clause if literal != FALSE))

    def dimacs(self) -> Iterator[str]:
        """Yield the lines of the clauses in the DIMACS format."""
        return dimacs(self.variables, self.clauses)

    def at_most(self, literals: Sequence[int], most: int) -> None:
        """Require that at most so many of these literals are 1; a literal that is listed twice counts twice."""
        self.at_mosts.append((list(literals), most))

    def gate(self, key: Hashable, clauses: Callable[[int], Iterable[Clause]]) -> int:
        """Return the literal of this key; clauses(literal) defines it the first time."""
        if key not in self.gates:
            self.gates[key] = out = self.fresh()
            for clause in clauses(out):
                self.add(clause)
        return self.gates[key]

    def inputs(self, n: int) -> list[int]:
        """Return n input literals, confined to fewest..most ones and to the constraints."""
        self._inputs = [self.fresh() for _ in range(n)]
        most = n if self._most is None else self._most
        self.add([self.ones(self._fewest)])
        self.add([-self.ones(most + 1)])
        if most < n:
            self._ones = [self.ones(j) for j in range(self._fewest + 1, most + 1)]
        self.held = [threshold_bit(self, row, self._inputs) for row in self._constraints]
        for literal in self.held:
            self.add([literal])
        return list(self._inputs)

    def ones(self, j: int) -> int:
        """Return a literal that is 1 exactly when at least j inputs are."""
        return self._threshold(*gathered(((1, x) for x in self._inputs), j))

    def negate(self, bit: int) -> int:
        """Return the opposite literal."""
        return -bit

    def all(self, bits: Sequence[int]) -> int:
        """Return a literal that is 1 exactly when all bits are; of none, the constant true."""
        distinct = sorted(set(bits) - {TRUE})
        if FALSE in distinct or any(-bit in distinct for bit in distinct if bit > 0):
            return FALSE
        if len(distinct) < 2:
            return distinct[0] if distinct else TRUE
        return self.gate(("all", *distinct), lambda out: [*((bit, -out) for bit in distinct), (*(-bit for bit in distinct), out)])

    def any(self, bits: Sequence[int]) -> int:
        """Return a literal that is 1 exactly when some bit is; of none, the constant false."""
        return -self.all([-bit for bit in bits])

    def at_least(self, weights: Sequence[int], bits: Sequence[int], bound: int) -> int:
        """Return a literal that is 1 exactly when the weighted sum of bits reaches bound, where the inputs are as allowed."""
        terms, bound = gathered(zip(weights, bits, strict=True), bound)
        return self._threshold(*self._shortened(terms, bound))

    def _shortened(self, terms: Terms, bound: int) -> tuple[Terms, int]:
        """Return the same threshold, the commonest weight taken off all inputs and put on their number, if that is shorter."""
        if not self._ones:
            return terms, bound
        signed = {abs(v): w if v > 0 else -w for w, v in terms}
        (common, _), *_ = Counter(signed.get(x, 0) for x in self._inputs).most_common(1)
        rest = [*terms, *((-common, x) for x in self._inputs), *((common, one) for one in self._ones)]
        shorter = gathered(rest, bound - common * self._fewest)
        return shorter if len(shorter[0]) < len(terms) else (terms, bound)

    def _threshold(self, terms: Terms, bound: int) -> int:
        terms, bound, negated = normal(terms, bound)
        literal = self._reached(terms, bound)
        return -literal if negated else literal

    def _reached(self, terms: Terms, bound: int) -> int:
        if bound <= 0:
            return TRUE
        if sum(w for w, _ in terms) < bound:
            return FALSE
        if bound == 1:
            return self.any([literal for _, literal in terms])
        key = ("reached", terms, bound)
        if key not in self.gates:
            self.gates[key] = self._encoding(self, terms, bound)
        return self.gates[key]


def dimacs(variables: int, clauses: Sequence[Clause]) -> Iterator[str]:
    """Yield the lines of clauses in the DIMACS format."""
    yield f"p cnf {variables} {len(clauses)}"
    for clause in clauses:
        yield " ".join(map(str, (*clause, 0)))


@dataclass(frozen=True)
class Formula:
    """Clauses over variables 1..variables. Settings of the inputs inside the region extend to exactly one model, others to none.

    inputs: the literals of the flip bits. wins: for the encoded classes, the literal that the class is the answer.
    event: clauses that, added, leave the models in which one of the targets is the answer.
    at_mosts: literals and how many of them may be 1, beside the clauses; none unless the encoding is native.
    """

    clauses: list[tuple[int, ...]]
    variables: int
    inputs: list[int]
    wins: dict[int, int]
    event: list[tuple[int, ...]]
    at_mosts: list[tuple[list[int], int]] = field(default_factory=list)


def formula(question: Open, targets: frozenset[int], *, encoding: Encoding = by_width) -> Formula:
    """Return question over its flip bits in clauses; targets are class numbers of question.network.

    The smaller side is encoded: "a target is the answer" or "none of the others is".
    """
    cnf = Cnf.of(question.region, encoding)
    others = frozenset(range(question.network.classes)) - targets
    few = len(targets) <= len(others)
    inputs, wins = encode(cnf, question.network, sorted(targets if few else others))
    event: list[tuple[int, ...]] = [tuple(wins.values())] if few else [(-literal,) for literal in wins.values()]
    return Formula(cnf.clauses, cnf.variables, inputs, wins, event, cnf.at_mosts)
