"""Which engine: by name, or "auto" by declared ability and estimated cost, with the reason in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from bnnverify.encoders.presolve import presolve
from bnnverify.errors import BadQuery
from bnnverify.queries.child import InChild, load_engine
from bnnverify.queries.engine import Engine
from bnnverify.query import Query

ENGINES = {
    "bits": "bnnverify.queries.by_bits:BitsEngine",
    "bdd": "bnnverify.queries.by_bdd:BddEngine",
    "sat": "bnnverify.queries.by_sat:SatEngine",
}

PIECES = {"bits": 2**30, "bdd": 2**18, "sat": 2**22}  # points that an engine usually counts within seconds

# Nanoseconds that enumeration spends per point: per neuron of the first layer, and per weight behind it.
# Measured on one core: 21 ns per point of 100-50-10, whose first layer has 50 neurons and whose head has 500 weights.
PER_NEURON, PER_WEIGHT = 0.1, 0.03
PATIENCE_COUNT = 120.0  # seconds of enumeration above which a diagram may be the faster way to a count
PATIENCE_FIND = 1.0  # seconds of enumeration above which a solver may be the faster way to yes or no


@dataclass(frozen=True)
class Choice:
    """An engine's name and why it was chosen. counts: whether counting is expected to end soon."""

    engine: str
    why: str
    counts: bool


def choose(query: Query, engine: str = "auto", *, counting: bool) -> Choice:
    """Return the engine for this question: the named one, or the one that is expected to be fastest."""
    if engine != "auto":
        if engine not in ENGINES:
            raise BadQuery(f"engine must be one of auto, {', '.join(ENGINES)}, got {engine!r}")
        return Choice(engine, "asked for", counts=load_engine(ENGINES[engine]).ability.counts)
    seconds = enumeration_seconds(query)
    size = f"{min(query.region.size, 10**30):.3g} points, about {seconds:.2g} s of enumeration"
    if seconds <= PATIENCE_FIND or (counting and seconds <= PATIENCE_COUNT):
        return Choice("bits", f"{size}: look at each", counts=True)
    if counting:
        return Choice("bdd", f"{size}: too many to look at each", counts=True)
    return Choice("sat", f"{size}: a solver needs not look at each", counts=False)


def enumeration_seconds(query: Query) -> float:
    """Return about how long looking at every point takes, after the region has decided what it can."""
    solved = presolve(query.network, query.region)
    if solved.decided:
        return 0.0
    widths = solved.network.widths
    behind = sum(a * b for a, b in pairwise(widths[1:]))
    points = float(min(query.region.size, 10**30))  # sizes beyond a float's range are as hopeless as this
    return 1e-9 * points * (PER_NEURON * widths[1] + PER_WEIGHT * behind)


def opened(engine: str, *, memory: int | None = None, in_child: bool = False) -> Engine:
    """Return a running engine; a native one, or any on request, in a child process that can be stopped.

    memory: bytes the child may use. The caller closes it.
    """
    path = ENGINES[engine]
    kind = load_engine(path)
    if in_child or kind.ability.native:
        return cast(Engine, InChild(path, memory))
    return cast(Engine, kind())
