"""What a comparison found, in plain words: never more than its rows say, and no praise for what collapsed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import groupby

from bnnverify.report import numbers
from bnnverify.report.comparison import estimates, tables
from bnnverify.results.comparison import Comparison, Contender, Judgement, PairedComparison, Seedwise
from bnnverify.results.finding import Verdict

NOTHING_JUDGED = "No two arms were compared."


def scope(comparison: Comparison) -> str:
    """Return who took part, on what, and how much of it is open."""
    arms, seeds = _some(len(comparison.arms), "arm"), _some(len(comparison.seeds), "seed")
    asked = f"{arms} with {seeds}, the same {_some(len(comparison.samples), 'sample')} of {comparison.data}"
    unknown = sum(row.verdict is Verdict.UNKNOWN for row in comparison.rows)
    rows = f"{len(comparison.rows)} of {_some(comparison.wanted, 'row')} finished, {unknown} of them UNKNOWN"
    return f"{asked}, {_radii(comparison.radii)}: {rows}; this run took {numbers.seconds(comparison.seconds)}."


def verdicts(comparison: Comparison) -> list[str]:
    """Return a sentence per pair of arms: where it is better, worse, equivalent or undecided, and by how much."""
    pairs = groupby(comparison.duels, key=lambda duel: (duel.arm, duel.other))
    return [_pair(comparison, arm, other, list(duels)) for (arm, other), duels in pairs] or [NOTHING_JUDGED]


def _pair(comparison: Comparison, arm: str, other: str, duels: Sequence[PairedComparison]) -> str:
    dead = [name for name in (arm, other) if comparison.collapsed(name)]
    if dead or any(duel.judgement is Judgement.COLLAPSED for duel in duels):
        return f"{arm} against {other}: not judged, since {' and '.join(dead) or 'one of them'} collapsed."
    groups = {word: [duel for duel in duels if duel.judgement is word] for word in Judgement}
    return f"{arm} against {other}: {'; '.join(f'{word.value} {_where(group)}' for word, group in groups.items() if group)}."


def _where(duels: Sequence[PairedComparison]) -> str:
    return ", ".join(f"at radius {duel.radius} ({estimates.points(duel.difference)} points)" for duel in duels)


def collapses(comparison: Comparison) -> list[str]:
    """Return a sentence for every network that hardly looks at its input."""
    return [f"{arm}, {why}" for arm in comparison.arms for why in comparison.collapsed(arm)]


def rankings(comparison: Comparison) -> list[str]:
    """Return the order of the arms by exact distance, by attack, and whether the attack misleads."""
    exact, gradient = tables.ranks(comparison, "distance"), tables.ranks(comparison, "gradient")
    if len(exact) < 2 or set(exact) != set(gradient):
        return ["Fewer than two arms have both an exact distance and an attacked one, or one is open, so there is no order."]
    misled = "The attack misleads: judged by it alone, arms would change places."
    return [
        f"By mean exact distance, largest first: {_order(exact)}.",
        f"By the gradient attack alone: {_order(gradient)}.",
        "Both orders are the same." if exact == gradient else misled,
        "Arms whose intervals overlap may well change places with other seeds or samples.",
    ]


def _order(places: Mapping[str, int]) -> str:
    """Return arms in their order, equals joined: a, b = c."""
    groups = groupby(places, key=lambda arm: places[arm])
    return ", ".join(" = ".join(arms) for _, arms in groups)


def by_seed(duel: PairedComparison) -> dict[int, Seedwise]:
    """Return the tests of a duel by their seed."""
    return {test.seed: test for test in duel.mcnemar}


def recorded_accuracy(contender: Contender, part: str) -> str:
    """Return what the training wrote down of its accuracy on a part of the data, or a dash."""
    accuracy = contender.record.get("accuracy")
    known = accuracy.get(part) if isinstance(accuracy, Mapping) else None
    return numbers.of(Fraction(known[0], known[1]), known[1]) if known and known[1] else "–"


def recorded_peaks(contender: Contender) -> str:
    """Return how far apart the two peaks of the real-valued latent are, or a dash."""
    binarity = contender.record.get("binarity")
    peaks = binarity.get("peaks_distance") if isinstance(binarity, Mapping) else None
    return f"{peaks:.2f}" if isinstance(peaks, (int, float)) else "–"


def _some(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _radii(radii: Sequence[int]) -> str:
    return f"{'radius' if len(radii) == 1 else 'radii'} {', '.join(map(str, radii))}"
