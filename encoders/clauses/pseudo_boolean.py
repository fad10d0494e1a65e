"""A bit is a literal of a system of linear rows over 0/1 variables, which pseudo-Boolean solvers read.

Every variable is defined in both directions, each by one row: "out is 1 exactly when the sum reaches the bound" is
sum >= bound * out, and sum <= bound - 1 where out is 0. So each setting of the inputs inside the region extends to exactly
one solution.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bnnverify.encoders.clauses.cardinality import FALSE, TRUE, Terms, gathered
from bnnverify.model.threshold import Threshold
from bnnverify.problem.region import Region

Row = tuple[Terms, int]  # sum of weight * literal >= bound


class Rows:
    """The algebra of linear rows. Variable 1 is the constant true, the inputs follow.

    fewest, most: how many inputs may be 1; constraints: what else must hold of them: rows as they are.
    """

    def __init__(self, *, fewest: int = 0, most: int | None = None, constraints: Sequence[Threshold] = ()) -> None:
        self.rows: list[Row] = [(((1, TRUE),), 1)]
        self.variables = 1
        self._fewest, self._most, self._constraints = fewest, most, constraints
        self._known: dict[Row, int] = {}

    @classmethod
    def of(cls, region: Region) -> Rows:
        """Return the algebra whose inputs are flips of a region."""
        return cls(fewest=region.inner, most=region.outer, constraints=region.constraints)

    def inputs(self, n: int) -> list[int]:
        """Return n input literals, confined to fewest..most ones and to the constraints."""
        inputs = list(range(self.variables + 1, self.variables + n + 1))
        self.variables += n
        most = n if self._most is None else self._most
        if self._fewest > 0:
            self.rows.append((tuple((1, x) for x in inputs), self._fewest))
        if most < n:
            self.rows.append((tuple((1, -x) for x in inputs), n - most))
        for row in self._constraints:
            self.rows.append(gathered(((w, inputs[i]) for i, w in zip(row.positions, row.weights, strict=True)), row.bound))
        return inputs

    def negate(self, bit: int) -> int:
        """Return the opposite literal."""
        return -bit

    def add(self, clause: Sequence[int]) -> None:
        """Require that some literal is 1."""
        self.rows.append((tuple((1, literal) for literal in clause), 1))

    def all(self, bits: Sequence[int]) -> int:
        """Return a literal that is 1 exactly when all bits are; of none, the constant true."""
        return self.at_least([1] * len(bits), bits, len(bits))

    def at_least(self, weights: Sequence[int], bits: Sequence[int], bound: int) -> int:
        """Return a literal that is 1 exactly when the weighted sum of bits reaches bound."""
        terms, bound = gathered(zip(weights, bits, strict=True), bound)
        total = sum(weight for weight, _ in terms)
        if bound <= 0 or bound > total:
            return TRUE if bound <= 0 else FALSE
        if len(terms) == 1:
            return terms[0][1]
        if (terms, bound) not in self._known:
            self.variables += 1
            self._known[terms, bound] = out = self.variables
            self.rows.append(((*terms, (bound, -out)), bound))
            missing = total - bound + 1  # zeros, weighted, that keep the sum below the bound
            self.rows.append(((*((weight, -literal) for weight, literal in terms), (missing, out)), missing))
        return self._known[terms, bound]

    def plain(self) -> Iterator[Row]:
        """Yield the rows over variables alone: a negated literal is 1 minus its variable."""
        for terms, bound in self.rows:
            signed = tuple((weight if literal > 0 else -weight, abs(literal)) for weight, literal in terms)
            yield signed, bound - sum(weight for weight, literal in terms if literal < 0)

    def opb(self) -> Iterator[str]:
        """Yield the rows in the OPB format of the pseudo-Boolean competitions; variable v is called xv."""
        yield f"* #variable= {self.variables} #constraint= {len(self.rows)}"
        for terms, bound in self.plain():
            yield " ".join(f"{weight:+d} x{variable}" for weight, variable in terms or [(0, TRUE)]) + f" >= {bound} ;"
