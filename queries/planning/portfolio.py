"""Several engines on one question at the same time: the first that is done answers, the others are stopped.

Where nobody can tell beforehand which engine is the right one, this takes at most as many times longer than the best as there
are engines on a core, and what a stopped one knew still counts: intervals are cut with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from typing import TypeVar

from bnnverify.errors import Disagreement
from bnnverify.problem.budget import Budget
from bnnverify.problem.query import Query
from bnnverify.queries.engines.base import Ability
from bnnverify.queries.planning.subprocess_engine import SubprocessEngine
from bnnverify.results.counts import Count, Tally
from bnnverify.results.finding import Finding
from bnnverify.results.progress import Progress, Report, silent

Answer = TypeVar("Answer")


class Portfolio:
    """An Engine made of others, each in its child process. name: of all, then of the one that answered last."""

    def __init__(self, runners: Sequence[SubprocessEngine]) -> None:
        self._runners = tuple(runners)
        self.name = "+".join(runner.name for runner in runners)
        self.ability = Ability(native=True, counts=any(runner.ability.counts for runner in runners))

    def count(self, query: Query, budget: Budget, report: Report = silent) -> Tally:
        """Return the first finished tally; if all are stopped, what they know together."""
        furthest = 0

        def heard(progress: Progress) -> None:
            nonlocal furthest
            if progress.done >= furthest:
                furthest = progress.done
                report(progress)

        answers = self._run(lambda runner: runner.count(query, budget, heard), lambda tally: not tally.reason)
        return answers[-1] if not answers[-1].reason else _together(answers)

    def find(self, query: Query, budget: Budget) -> Finding:
        """Return the first decided finding."""
        answers = self._run(lambda runner: runner.find(query, budget), lambda finding: finding.happens is not None)
        decided = answers[-1].happens is not None
        return answers[-1] if decided else replace(answers[-1], reason=_reasons(answers))

    def close(self) -> None:
        for runner in self._runners:
            runner.close()

    def _run(self, ask: Callable[[SubprocessEngine], Answer], is_done: Callable[[Answer], bool]) -> list[Answer]:
        """Return the answers up to the first that is done, and stop the runners that have not answered."""
        answers = []
        with ThreadPoolExecutor(len(self._runners)) as pool:
            futures = {pool.submit(ask, runner): runner for runner in self._runners}
            try:
                for future in as_completed(futures):
                    answers.append(future.result())
                    if is_done(answers[-1]):
                        self.name = futures[future].name
                        break
            finally:
                for future, runner in futures.items():
                    if not future.done():
                        runner.stop()
        return answers


def _reasons(answers: Sequence[Tally] | Sequence[Finding]) -> str:
    """Return why the answers are open, each reason once."""
    return "; ".join(dict.fromkeys(answer.reason for answer in answers))


def _together(tallies: Sequence[Tally]) -> Tally:
    """Return the counts that all tallies allow."""
    counts = []
    for column in zip(*(tally.counts for tally in tallies), strict=True):
        low, high = max(count.low for count in column), min(count.high for count in column)
        if low > high:
            raise Disagreement(f"engines: expected counts that agree, got {column}")
        counts.append(Count(low, high))
    return Tally(tallies[0].size, tuple(counts), _reasons(tallies), max((tally.shells for tally in tallies), key=len))
