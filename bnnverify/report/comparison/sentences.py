"""The findings of a comparison in sentences: nothing beyond its rows, and no conclusion about arms that collapsed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import groupby

from bnnverify.report import numbers
from bnnverify.report.comparison import estimates, tables
from bnnverify.results.comparison import ComparedModel, Comparison, Conclusion, PairedComparison, SeedTest
from bnnverify.results.finding import Verdict

NO_PAIRS = "No two arms were compared."


def scope(comparison: Comparison) -> str:
    """Return the arms, seeds and samples of the comparison, and how many rows are finished and UNKNOWN."""
    arms, seeds = _number(len(comparison.arms), "arm"), _number(len(comparison.seeds), "seed")
    design = f"{arms} with {seeds}, the same {_number(len(comparison.samples), 'sample')} of {comparison.data}"
    unknown = sum(row.verdict is Verdict.UNKNOWN for row in comparison.rows)
    rows = f"{len(comparison.rows)} of {_number(comparison.wanted, 'row')} finished, {unknown} of them UNKNOWN"
    return f"{design}, {_radii(comparison.radii)}: {rows}; this run took {numbers.seconds(comparison.seconds)}."


def verdicts(comparison: Comparison) -> list[str]:
    """Return a sentence per pair of arms: where it is better, worse, equivalent or undecided, and by how much."""
    groups = groupby(comparison.paired_comparisons, key=lambda pair: (pair.arm, pair.other))
    return [_verdict(comparison, arm, other, list(pairs)) for (arm, other), pairs in groups] or [NO_PAIRS]


def _verdict(comparison: Comparison, arm: str, other: str, pairs: Sequence[PairedComparison]) -> str:
    collapsed = [name for name in (arm, other) if comparison.collapsed(name)]
    if collapsed or any(pair.conclusion is Conclusion.COLLAPSED for pair in pairs):
        return f"{arm} against {other}: no conclusion, since {' and '.join(collapsed) or 'one of them'} collapsed."
    groups = {word: [pair for pair in pairs if pair.conclusion is word] for word in Conclusion}
    return f"{arm} against {other}: {'; '.join(f'{word.value} {_radii_of(group)}' for word, group in groups.items() if group)}."


def _radii_of(pairs: Sequence[PairedComparison]) -> str:
    return ", ".join(f"at radius {pair.radius} ({estimates.points(pair.difference)} points)" for pair in pairs)


def collapses(comparison: Comparison) -> list[str]:
    """Return a sentence for every network that has collapsed."""
    return [f"{arm}, {why}" for arm in comparison.arms for why in comparison.collapsed(arm)]


def rankings(comparison: Comparison) -> list[str]:
    """Return the order of the arms by exact distance, by attack, and whether the attack misleads."""
    exact, gradient = tables.ranks(comparison, "distance"), tables.ranks(comparison, "gradient")
    if len(exact) < 2 or set(exact) != set(gradient):
        return ["Fewer than two arms have both an exact distance and an attacked one, or one is open, so there is no order."]
    misled = "The attack misleads: by its distances alone, the order of the arms would change."
    return [
        f"By mean exact distance, largest first: {_order(exact)}.",
        f"By the gradient attack alone: {_order(gradient)}.",
        "Both orders are the same." if exact == gradient else misled,
        "With other seeds or samples, arms whose intervals overlap may change places.",
    ]


def _order(places: Mapping[str, int]) -> str:
    """Return arms in their order, equals joined: a, b = c."""
    groups = groupby(places, key=lambda arm: places[arm])
    return ", ".join(" = ".join(arms) for _, arms in groups)


def by_seed(pair: PairedComparison) -> dict[int, SeedTest]:
    """Return the McNemar tests of a paired comparison by their seed."""
    return {test.seed: test for test in pair.mcnemar}


def recorded_accuracy(model: ComparedModel, part: str) -> str:
    """Return the accuracy on a part of the data that the training recorded, or a dash."""
    accuracy = model.record.get("accuracy")
    known = accuracy.get(part) if isinstance(accuracy, Mapping) else None
    return numbers.of(Fraction(known[0], known[1]), known[1]) if known and known[1] else "–"


def recorded_peaks(model: ComparedModel) -> str:
    """Return how far apart the two peaks of the real-valued latent are, or a dash."""
    binarity = model.record.get("binarity")
    peaks = binarity.get("peaks_distance") if isinstance(binarity, Mapping) else None
    return f"{peaks:.2f}" if isinstance(peaks, (int, float)) else "–"


def _number(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def _radii(radii: Sequence[int]) -> str:
    return f"{'radius' if len(radii) == 1 else 'radii'} {', '.join(map(str, radii))}"
