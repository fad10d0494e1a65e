"""Which engine: by name, or "auto" by declared ability and estimated cost, with the reason in one sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bnnverify.encoders.enumeration.cost import codes, is_wide, looking
from bnnverify.encoders.presolve.presolve import Presolved, presolve
from bnnverify.errors import BadQuery
from bnnverify.problem.budget import Budget
from bnnverify.problem.query import Query
from bnnverify.queries.engines.base import Engine
from bnnverify.queries.execution.cores import cores
from bnnverify.queries.planning.attack_first import AttackFirst
from bnnverify.queries.planning.calibration import slowness
from bnnverify.queries.planning.portfolio import Portfolio
from bnnverify.queries.planning.subprocess_engine import SubprocessEngine, load_engine

ENGINES = {
    "bits": "bnnverify.queries.engines.enumeration:BitsEngine",
    "bdd": "bnnverify.queries.engines.diagrams:BddEngine",
    "codes": "bnnverify.queries.engines.first_layer_codes:CodesEngine",
    "sat": "bnnverify.queries.engines.sat:SatEngine",
    "sat:diagram": "bnnverify.queries.engines.sat:DIAGRAM",
    "sat:adder": "bnnverify.queries.engines.sat:ADDER",
    "sat:native": "bnnverify.queries.engines.sat:NATIVE",
    "exact": "bnnverify.queries.engines.pseudo_boolean:ExactEngine",
}

PIECES = {"bits": 2**30, "bdd": 2**34, "codes": 2**30, "sat": 2**22, "exact": 2**22}  # points counted in seconds

PATIENCE_COUNT = 60.0  # seconds of enumeration above which a diagram may be the faster way to a count
NARROW, PATIENCE_NARROW = 12, 3.0  # the same where so few first-layer neurons are open that many points are alike
FEW = 2**12  # points up to which looking at each is as quick as an attack
PATIENCE_FIND = 1.0  # seconds of enumeration above which a solver may be the faster way to yes or no
QUICK, PATIENCE_CODES = 0.2, 100.0  # seconds from which on codes may be faster than points; up to which, than solvers
HOPELESS = 1e5  # seconds above which nobody waits for enumeration


@dataclass(frozen=True)
class Choice:
    """An engine's name, or several joined by "+" that race, and why.

    counts: whether counting is expected to end soon. seconds: how long it is expected to take; infinite where nobody knows.
    """

    engine: str
    why: str
    counts: bool
    seconds: float = math.inf


def choose(query: Query, engine: str = "auto", *, counting: bool, jobs: int | None = None) -> Choice:
    """Return the engine for this question: the named one, or the one that is expected to be fastest.

    jobs: how many cores it may use, so how many engines may race; None: all there are, and two engines even on one.
    """
    if engine != "auto":
        if engine not in ENGINES:
            raise BadQuery(f"engine must be one of auto, {', '.join(ENGINES)}, got {engine!r}")
        ability = load_engine(ENGINES[engine]).ability
        seconds = math.inf if ability.native else enumeration_seconds(presolve(query.network, query.region))
        return Choice(engine, f"{engine}: asked for", counts=ability.counts, seconds=seconds)
    solved = presolve(query.network, query.region)
    seconds = enumeration_seconds(solved)
    if not counting and seconds > QUICK:
        by_codes = slowness() * codes(solved)
        if by_codes < seconds and by_codes < (PATIENCE_CODES if is_wide(solved) else QUICK):
            number = 2 ** solved.live[0]
            why = f"codes: {number:.3g} codes of the first block for {_points(query)}, about {by_codes:.2g} s"
            return Choice("codes", why, counts=False)
    size = f"{_points(query)}, about {seconds:.2g} s of enumeration"
    narrow = bool(solved.live) and solved.live[0] <= NARROW
    if seconds <= ((PATIENCE_NARROW if narrow else PATIENCE_COUNT) if counting else PATIENCE_FIND):
        return Choice("bits", f"bits: {size}", counts=True, seconds=seconds)
    hopeless = seconds > HOPELESS
    field = _counters(hopeless, narrow) if counting else _finders(hopeless, is_wide(solved))
    runners = "+".join(field[: jobs or max(2, cores())])
    words = "too many to look at each" if hopeless else "or less without looking at each"
    together = ": all at once" if "+" in runners else ""
    known = seconds if runners == "bits" else math.inf
    return Choice(runners, f"{runners}: {size}, {words}{together}", counts=False, seconds=known)


def _points(query: Query) -> str:
    return f"{min(query.region.size, 10**30):.3g} points"


def _counters(hopeless: bool, narrow: bool) -> tuple[str, ...]:
    """Return who may be the fastest to count, the best bet first."""
    if hopeless:
        return ("bdd",)
    return ("bdd", "bits") if narrow else ("bits", "bdd")


def _finders(hopeless: bool, wide: bool) -> tuple[str, ...]:
    """Return who may be the fastest to say yes or no, the best bet first; docs/cnf.md has the measurements ("Who races")."""
    if wide and not hopeless:
        return ("bits", "bdd", "sat:native", "sat")
    solvers = ("sat", "sat:native", "bdd")  # which encoding has the shorter proof, nobody knows
    return solvers if hopeless else (*solvers, "bits")


def enumeration_seconds(solved: Presolved) -> float:
    """Return about how long looking at every point takes on one core, after the region has decided what it can."""
    return slowness() * looking(solved)


def piece(engine: str) -> int:
    """Return how many points this engine, or the fastest of a race, usually counts within seconds."""
    return max(PIECES[name.split(":")[0]] for name in engine.split("+"))


def opened(choice: Choice, budget: Budget, *, jobs: int | None = None, sessions: int = 1) -> Engine:
    """Return a running engine, which the caller closes; `apart` says whether in a child process of its own."""
    names = choice.engine.split("+")
    share = max(1, cores() // sessions) if jobs is None else max(1, jobs - len(names) + 1)  # for one that can use several
    if len(names) > 1:
        return Portfolio([SubprocessEngine(ENGINES[name], budget.memory, share) for name in names])
    if apart(choice, budget, sessions=sessions):
        return SubprocessEngine(ENGINES[choice.engine], budget.memory, share)
    kind = load_engine(ENGINES[choice.engine])
    engine: Engine = kind(workers=share) if kind.ability.threads else kind()
    return engine


def apart(choice: Choice, budget: Budget, *, sessions: int = 1) -> bool:
    """Return whether the engine needs a child process: to be stopped, to keep a limit, or to work beside others."""
    late = budget.seconds is not None and choice.seconds > budget.seconds / 4
    return late or budget.memory is not None or sessions > 1 or load_engine(ENGINES[choice.engine]).ability.native


class Session:
    """Engines that stay open from one question to the next; each question gets the one that suits it.

    engine: "auto" or a name. jobs: how many cores one question may use, None for all. crews: how many crews share the cores.
    seed: of the attack that "auto" begins yes or no questions with, unless there are few points.
    """

    def __init__(self, engine: str, budget: Budget, *, jobs: int | None = None, sessions: int = 1, seed: int = 0) -> None:
        if jobs is not None and jobs < 1:
            raise BadQuery(f"jobs must be at least 1, got {jobs}")
        self._engine, self._budget, self._jobs, self._crews, self._seed = engine, budget, jobs, sessions, seed
        self._open: dict[tuple[str, bool], Engine] = {}

    def member(self, query: Query, *, counting: bool) -> tuple[Engine, Choice]:
        """Return a running engine for this question, and why it was chosen."""
        hands = self._jobs if self._crews == 1 else max(2, cores() // self._crews)
        choice = choose(query, self._engine, counting=counting, jobs=hands)
        key = choice.engine, "+" in choice.engine or apart(choice, self._budget, sessions=self._crews)
        if key not in self._open:
            self._open[key] = opened(choice, self._budget, jobs=self._jobs, sessions=self._crews)
        running = self._open[key]
        cheap = self._engine == "auto" and not counting and query.region.size > FEW
        return AttackFirst(running, self._seed) if cheap else running, choice

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    def close(self) -> None:
        """End all engines; from another thread, this ends the questions they are busy with."""
        for engine in list(self._open.values()):
            engine.close()
