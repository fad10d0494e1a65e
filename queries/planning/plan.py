"""Which engines answer a question: the one that was named, or those whose bids are the best."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from bnnverify.encoders.presolve.presolve import Open
from bnnverify.errors import BadQuery
from bnnverify.queries.engines.base import Bid
from bnnverify.queries.engines.registry import AUTO, Registered, choices, engines, named
from bnnverify.queries.execution.cores import cores

QUICK = 0.2  # seconds; an engine that answers as soon in this process needs no other beside it
FEWEST = 2  # engines of a portfolio, even on one core


PRESOLVE = "presolve"  # the name of what answers where no engine is needed


def in_words(engines: Iterable[str]) -> str:
    """Return engines as results show them: each once, joined by "+"; presolve only where it was alone."""
    return "+".join(dict.fromkeys(name for name in engines if name != PRESOLVE)) or PRESOLVE


@dataclass(frozen=True)
class Plan:
    """The engines that answer a question, and why: several make a portfolio.

    counts: whether counting is expected to end soon. seconds: how long it is expected to take; infinite where nobody knows.
    """

    engines: tuple[str, ...]
    reason: str
    counts: bool
    seconds: float = inf

    def __str__(self) -> str:
        return f"{in_words(self.engines)}: {self.reason}"

    @property
    def piece(self) -> int:
        """Return how many points the fastest of these engines usually counts within seconds."""
        return max(named(name).ability.piece for name in self.engines)


def plan(question: Open, engine: str = AUTO, *, counting: bool, jobs: int | None = None, slowness: float = 1.0) -> Plan:
    """Return the plan for this question: the named engine, or those that are expected to be fastest.

    jobs: how many cores it may use, so how many engines a portfolio may have; None: all there are.
    slowness: how many times as long this machine takes as the one where the constants were measured.
    """
    if engine != AUTO:
        return _named_plan(question, engine, counting=counting, slowness=slowness)
    offers = {name: each.bid(question, counting, slowness) for name, each in engines().items()}
    bids = {name: bid for name, bid in offers.items() if bid is not None}
    at_once = [name for name, bid in bids.items() if bid.seconds <= QUICK and named(name).ability.interruptible]
    alone = at_once or [name for name, bid in bids.items() if bid.alone]
    if alone:
        best = min(alone, key=lambda name: bids[name].seconds)
        return Plan((best,), bids[best].reason, named(best).ability.counts, _known_seconds(named(best), bids[best]))
    return _portfolio(bids, jobs)


def evidence_plan(question: Open) -> tuple[str, ...]:
    """Return the engines whose "nowhere" others can check for this question, the best bet first."""
    ranks = ((each.evidence(question), name) for name, each in engines().items())
    return tuple(name for _, name in sorted((rank, name) for rank, name in ranks if rank is not None))


def _named_plan(question: Open, engine: str, *, counting: bool, slowness: float) -> Plan:
    registered = named(engine)
    if counting and registered.ability.counted_by is None:
        others = [name for name in choices() if name == AUTO or named(name).ability.counted_by == ""]
        raise BadQuery(f"engine {engine} answers yes or no and does not count: expected one of {', '.join(others)}, to count")
    if counting and registered.ability.counted_by:
        return Plan((registered.ability.counted_by,), f"counts for {engine}, which does not", counts=False)
    bid = registered.bid(question, counting, slowness) if registered.ability.interruptible else None
    return Plan((engine,), "asked for", registered.ability.counts, _known_seconds(registered, bid))


def _known_seconds(registered: Registered, bid: Bid | None) -> float:
    """Return how long an engine takes; infinite where it calls a solver, whose time nobody knows, whatever the rest takes."""
    return bid.seconds if bid is not None and registered.ability.interruptible else inf


def _portfolio(bids: dict[str, Bid], jobs: int | None) -> Plan:
    """Return the engines with the best ranks, as many as there are cores."""
    ranked = sorted((bid.rank, name) for name, bid in bids.items() if bid.rank is not None)
    chosen = tuple(name for _, name in ranked[: jobs or max(FEWEST, cores())])
    size = next(bid.reason for bid in bids.values() if bid.reason)
    hopeless = not any(bid.seconds < inf and bid.rank is not None for bid in bids.values())
    words = "too many to look at each" if hopeless else "or less without looking at each"
    together = ": all at once" if len(chosen) > 1 else ""
    known = min(bids[name].seconds for name in chosen) if len(chosen) == 1 else inf
    return Plan(chosen, f"{size}, {words}{together}", False, known)
