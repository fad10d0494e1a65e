"""A question as a file for other solvers: clauses or linear rows, with what each variable means in comments."""

from __future__ import annotations

from collections.abc import Iterator

from bnnverify.encoders.clauses.cnf import Cnf
from bnnverify.encoders.clauses.pseudo_boolean import Rows
from bnnverify.encoders.presolve.presolve import Presolved, presolve
from bnnverify.encoders.walk import layers, wins
from bnnverify.errors import BadQuery
from bnnverify.problem.query import Query

COMMENT = {"cnf": "c", "opb": "*"}


def lines(query: Query, to: str) -> Iterator[str]:
    """Yield the lines of a file that has a solution exactly when query.event happens somewhere in query.region.

    to: "cnf" (DIMACS) or "opb". Each point where it happens is exactly one solution, in its flip variables. What presolve decides
    has no variables: a constant neuron is no part of the file.
    """
    if to not in COMMENT:
        raise BadQuery(f"format must be one of {', '.join(COMMENT)}, got {to!r}")
    solved = presolve(query.network, query.region)
    inner, outer = solved.region.inner, solved.region.outer
    made = Cnf(fewest=inner, most=outer) if to == "cnf" else Rows(fewest=inner, most=outer)
    meanings = _required(made, solved, [k for k, label in enumerate(solved.classes) if label in query.targets])
    head, *body = _dimacs(made) if isinstance(made, Cnf) else made.opb()
    comments = (*_question(query, solved), *meanings)
    front = [head] if to == "opb" else []  # the first line of an OPB file states its size, comments come before that of a CNF
    yield from front
    yield from (f"{COMMENT[to]} {words}" for words in comments)
    yield from body if front else (head, *body)


def _required(made: Cnf | Rows, solved: Presolved, targets: list[int]) -> list[str]:
    """Build the question, require its event, and return in words what its variables mean."""
    name = "{}" if isinstance(made, Cnf) else "x{}"
    inputs, *behind = every = layers(made, solved.network, made.inputs(solved.network.inputs))
    head = solved.network.head
    if head is None:
        raise BadQuery("encode: expected a network with classes, got one that ends in a latent code")
    answers = {c: wins(made, head, c, every[-1]) for c in targets}
    made.add(list(answers.values()))
    words = [f"{name.format(1)}: constant 1"]
    words += [f"{_named(name, x)}: input bit {i} is flipped" for i, x in zip(solved.source.positions, inputs, strict=True)]
    for block, (stands, bits) in enumerate(zip(solved.stands, behind, strict=True)):
        literals = ((j, -bits[k] if opposite else bits[k]) for j, k, opposite in stands)
        words += [f"{_named(name, literal)}: neuron {j} of block {block}" for j, literal in literals]
    return words + [f"{_named(name, bit)}: class {solved.classes[c]} is the answer" for c, bit in answers.items()]


def _named(name: str, literal: int) -> str:
    return ("" if literal > 0 else "not ") + name.format(abs(literal))


def _question(query: Query, solved: Presolved) -> Iterator[str]:
    region = query.region
    yield f"{query.event} within {region.inner} to {region.outer} flips of {region.freedom} input bits, of {region.n}"
    yield "input " + "".join(map(str, region.center.tolist()))
    yield f"classes that can be the answer: {' '.join(map(str, solved.classes))}"


def _dimacs(made: Cnf) -> Iterator[str]:
    yield f"p cnf {made.variables} {len(made.clauses)}"
    for clause in made.clauses:
        yield " ".join(map(str, (*clause, 0)))
