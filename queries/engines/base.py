"""What an engine is: it answers presolved questions, declares what it can do, and stops when its budget is spent."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Protocol

from bnnverify.encoders.clauses.annotated import AnnotatedFormula
from bnnverify.encoders.presolve.presolve import Presolved
from bnnverify.encoders.presolve.question import Question
from bnnverify.model.arrays import Bits
from bnnverify.problem.budget import Budget
from bnnverify.results.counts import Tally
from bnnverify.results.progress import Report, silent


@dataclass(frozen=True)
class Ability:
    """What an engine declares, for the planner.

    interruptible: it looks at its budget often enough to run in this process; others run in a child, which can be ended.
    counts: it counts about as fast as it decides. counted_by: the engine that counts in its place, "" for itself, None where
    it is refused. cores: it uses several cores, and takes their number as `workers`.
    piece: how many points it usually counts within seconds, so that a count can be resumed without losing more.
    """

    interruptible: bool = False
    counts: bool = True
    counted_by: str | None = ""
    cores: bool = False
    piece: int = 2**22


@dataclass(frozen=True, eq=False)
class Found:
    """Whether the event happens: yes with flips (freedom,) of a point, no (proved), or None (open, for the reason).

    engine: the engine that answered, where that is not the one that was asked.
    """

    happens: bool | None
    flips: Bits | None = None
    reason: str = ""
    engine: str = ""


@dataclass(frozen=True)
class Bid:
    """What an engine expects of a question before any work is done; the planner compares bids.

    seconds: how long it takes alone, infinite where nobody knows. alone: whether that is short enough to try nothing beside it.
    rank: its place in a portfolio, the smallest is the best bet; None: it takes no part. reason: half a sentence.
    """

    seconds: float = inf
    alone: bool = False
    rank: int | None = None
    reason: str = ""


class Engine(Protocol):
    """Answers questions. Both methods return what is known when the budget is spent; they do not raise for that."""

    def count(self, question: Question, budget: Budget, report: Report = silent) -> Tally:
        """Return how many points of question.region fall to each class of question.network.

        The count over question.targets is exact unless the budget ran out; single classes may stay intervals when
        question.each is false.
        """

    def find(self, question: Question, budget: Budget) -> Found:
        """Return whether a class of question.targets is the answer anywhere in question.region."""

    def close(self) -> None:
        """Give back processes and memory; a later question opens what it needs again."""


@dataclass(frozen=True, eq=False)
class Refuted:
    """What an engine found, and what "nowhere" rests on, so that a checker can verify it without the engine.

    by: "codes" or "patterns" (looking at all of them again), "trace" (formula, and lemmas that refute it in the DRUP format, the
    last one empty), or "" where nothing is proved.
    """

    found: Found
    by: str = ""
    formula: AnnotatedFormula | None = None
    trace: tuple[str, ...] = ()


class Refuter(Engine, Protocol):
    """An engine whose "nowhere" others can check."""

    def refute(self, solved: Presolved, targets: frozenset[int], budget: Budget) -> Refuted:
        """Return whether a class of targets, all but one of solved.network's, is the answer anywhere, with what shows it."""


def opening(question: Question) -> Found | None:
    """Return the answer that is clear before any engine starts.

    No class is sought, the region is known to be empty, or the nearest point has a sought class.
    """
    if not question.targets or question.empty:
        return Found(False)
    nearest = question.nearest
    return Found(True, nearest) if nearest is not None and question.happens(nearest) else None
