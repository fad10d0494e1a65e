"""Results in words: the same sentences on the terminal and in the HTML report."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from bnnverify.report import numbers
from bnnverify.result import AttackResult, Certification, CountResult, Distance, Verdict, Witness


def region_words(region: dict[str, Any]) -> str:
    """Return a region's kind and size, and its radius where it has one."""
    radius = f" of radius {region['outer']}" if region["kind"].startswith("ball") else ""
    return f"{region['kind']}{radius}: {numbers.whole(region['size'])} inputs"


def event_words(event: str, predicted: int) -> str:
    """Return what an event asks, as the end of "the answer ..."."""
    kind, _, classes = event.partition(":")
    if kind == "becomes":
        return f"becomes {' or '.join(classes.split(','))}"
    return f"leaves {classes or predicted}"


def count_sentences(result: CountResult) -> list[str]:
    """Return the answer, why it is open where it is, and who found it."""
    asked = f"the answer {event_words(result.event, result.predicted)} at {numbers.count(result.asked)} of these inputs"
    density = f"density {numbers.shares(result.asked, result.tally.size)}"
    closing = f"{'exact' if result.exact else 'not exact'}, by the {result.engine} engine in {numbers.seconds(result.seconds)}"
    return [f"{asked} ({density})", *_open(result.reason), closing]


def attack_sentence(result: AttackResult) -> str:
    """Return the verdict and what it rests on."""
    where, event = region_words(result.region), event_words(result.event, result.predicted)
    closing = f"{result.engine} engine, {numbers.seconds(result.seconds)}"
    verdict, witness = result.finding.verdict, result.finding.witness
    if witness:
        return f"{verdict}: {_turns(witness, result.predicted)} ({closing})"
    if verdict is Verdict.ROBUST:
        return f"{verdict}: at none of the inputs the answer {event}; {where} ({closing})"
    return f"{verdict}: {result.finding.reason}; {where} ({closing})"


def distance_sentence(result: Distance) -> str:
    """Return the minimal number of flips, or between what it lies."""
    event = event_words(result.event, result.predicted)
    if result.high is None:
        limit = f"at least {result.low}: with fewer flips the answer never {event}"
    elif result.exact:
        limit = f"{result.low} (exact): with fewer flips the answer never {event}"
    else:
        limit = f"between {result.low} and {result.high}: so many flips until the answer {event}"
    found = [_turns(result.witness, result.predicted)] if result.witness else []
    closing = f"({result.engine} engine, {numbers.seconds(result.seconds)})"
    return "\n".join([f"distance {limit} {closing}", *found, *_open(result.reason)])


def certify_sentences(result: Certification) -> list[str]:
    """Return the accuracies and verdicts; what is undecided or unfinished is said and counted."""
    total = len(result.rows)
    if not total:
        return [f"no sample finished, of {result.wanted}"]
    missing = result.wanted - total
    finished = [f"interrupted: {missing} of {result.wanted} samples are missing and not in the totals below"] if missing else []
    verdicts = ", ".join(f"{verdict.value} {sum(row.verdict is verdict for row in result.rows)}" for verdict in Verdict)
    reasons = sorted({row.reason for row in result.rows if row.verdict is Verdict.UNKNOWN and row.reason})
    return [*finished, *_accuracies(result), f"{verdicts}, of {total}", *(f"UNKNOWN: {reason}" for reason in reasons)]


def _accuracies(result: Certification) -> list[str]:
    clean, certified = result.clean_accuracy, result.certified_accuracy
    unknown = result.share(Verdict.UNKNOWN, correct_only=True)
    if clean is None or certified is None or unknown is None:
        return []
    total = len(result.rows)
    most = f", at most {numbers.of(certified + unknown, total)} if every UNKNOWN turns out ROBUST" if unknown else ""
    return [
        f"clean accuracy {numbers.of(clean, total)}",
        f"certified accuracy at radius {result.radius}: {numbers.of(certified, total)}{most}",
    ]


def trained_sentences(accuracies: dict[str, list[int]]) -> list[str]:
    """Return how well a network does on what it learnt from and on what it never saw, from [right, of] pairs."""
    shares = {part: numbers.of(Fraction(right, total), total) for part, (right, total) in accuracies.items()}
    return [f"accuracy on samples it learnt from: {shares['train_accuracy']}", f"on others: {shares['test_accuracy']}"]


def _turns(witness: Witness, predicted: int) -> str:
    if not witness.flips:
        return f"no flip is needed: the answer is {witness.label}"
    positions = ", ".join(map(str, witness.flips))
    some = "1 flip, position" if witness.distance == 1 else f"{witness.distance} flips, positions"
    return f"{some} {positions}: {predicted} becomes {witness.label}"


def _open(reason: str) -> list[str]:
    return [f"open: {reason}"] if reason else []
