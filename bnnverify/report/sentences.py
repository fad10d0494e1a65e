"""Results in sentences, the same on the terminal and in the HTML report."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from bnnverify.problem.events.words import clause
from bnnverify.report import numbers
from bnnverify.results.answers import AttackResult, CountResult, Distance
from bnnverify.results.certification import Certification
from bnnverify.results.finding import Verdict, Witness
from bnnverify.results.proofs import Proven
from bnnverify.results.tolerance import SafeRadius


def region_words(region: dict[str, Any]) -> str:
    """Return a region's kind and size, and its radius where it has one; a size that nobody has counted is not said."""
    kind, under, _ = region["kind"].partition(" under constraints")
    radius = f" of radius {region['outer']}" if kind.startswith("ball") else ""
    size = "inputs that were not counted" if region["size"] is None else f"{numbers.integer(region['size'])} inputs"
    return f"{kind}{radius}{under}: {size}"


def count_sentences(result: CountResult) -> list[str]:
    """Return the count, the reason why it is open, and the engine that counted."""
    answer = f"{' '.join(clause(result.event, result.predicted))} at {numbers.count(result.event_count)} of these inputs"
    density = f"density {numbers.shares(result.event_count, result.tally.size)}"
    closing = f"{'exact' if result.exact else 'not exact'}, by {result.engine} in {numbers.seconds(result.seconds)}"
    return [f"{answer} ({density})", *_open(result.reason), closing]


def attack_sentence(result: AttackResult) -> str:
    """Return the verdict with its witness or proof, and the engine that found it."""
    region, event = region_words(result.region), " ".join(clause(result.event, result.predicted))
    closing = f"{result.engine}, {numbers.seconds(result.seconds)}"
    verdict, witness = result.finding.verdict, result.finding.witness
    if witness:
        return f"{verdict}: {_flips_of(witness, result.predicted)} ({closing})"
    if verdict is Verdict.ROBUST:
        return f"{verdict}: at none of the inputs {event}; {region} ({closing})"
    return f"{verdict}: {result.finding.reason}; {region} ({closing})"


def proof_sentence(proof: Proven, predicted: int) -> str:
    """Return the bound of the distance that is proved and how to check the proof, or why there is none."""
    within = f"within {proof.radius} flip{'' if proof.radius == 1 else 's'}"
    if proof.verdict is not Verdict.ROBUST:
        return f"no proof that the answer stays {predicted} {within}: {proof.reason}"
    seconds = numbers.seconds(proof.seconds)
    return f"proof that the answer stays {predicted} {within}, written in {seconds}: bnnverify check {proof.folder}"


NORMS = {
    "0": "distance",
    "1": "L1 distance (sum of pixel changes)",
    "2": "squared L2 distance (sum of squared pixel changes)",
    "inf": "L-infinity distance (largest pixel change)",
}


def distance_sentence(result: Distance) -> str:
    """Return the minimal number or cost of flips, or the bounds of it, and the engines that proved the lower bound."""
    subject, event = clause(result.event, result.predicted)
    fewer, needed = ("with fewer flips", "flips") if result.norm == "0" else ("below", "of change")
    if result.high is None:
        limit = f"at least {result.low}: {fewer} {subject} never {event}"
    elif result.exact:
        limit = f"{result.low} (exact): {fewer} {subject} never {event}"
    else:
        limit = f"between {result.low} and {result.high}: {needed} until {subject} {event}"
    witness = [_flips_of(result.witness, result.predicted)] if result.witness else []
    pixels = [f"pixels changed: {', '.join(f'{i} by {step:+d}' for i, step in result.changes)}"] if result.changes else []
    closing = f"({result.engine}, {numbers.seconds(result.seconds)})"
    return "\n".join([f"{NORMS[result.norm]} {limit} {closing}", *witness, *pixels, *_proofs(result), *_open(result.reason)])


def _proofs(result: Distance) -> list[str]:
    """Return what proved which part of the lower bound."""
    spans = [(str(part.first) if part.first == part.last else f"{part.first} to {part.last}", part) for part in result.proved]
    parts = [f"{span} by {part.engine} in {numbers.seconds(part.seconds)}" for span, part in spans]
    return [f"excluded: {'; '.join(parts)}"] if parts else []


def safe_radius_sentences(result: SafeRadius) -> list[str]:
    """Return both safe radii with their definitions; where counting was stopped they are bounds."""
    event, least = " ".join(clause(result.event, result.predicted)), "" if result.exact else "at least "
    tolerated = f"tolerated: {event} at {numbers.share(result.tolerance)} of the inputs"
    success = "none" if result.largest_success is None else f"{least}radius {result.largest_success}"
    closing = f"{'exact' if result.exact else 'not finished'} up to radius {result.searched}, by {result.engine}"
    largest = f"largest success: {success}, the largest radius within tolerance, whatever happens below it"
    return [tolerated, _first_failure(result), largest, *_open(result.reason), f"{closing} in {numbers.seconds(result.seconds)}"]


def _first_failure(result: SafeRadius) -> str:
    """Return the first radius that exceeds the tolerance, or the bounds of it."""
    at, counted = result.fails_at, len(result.shares)
    if at is not None:
        share = numbers.share(result.shares[at]) if at < counted else f"more than {numbers.share(result.tolerance)}"
        return f"first failure: at radius {at} ({share}); every radius below it is within tolerance"
    last = f", at radius {result.failing} at the latest" if result.failing is not None else ""
    return f"first failure: none up to radius {counted - 1}{last}" if counted else f"first failure: nothing is counted yet{last}"


def certify_sentences(result: Certification) -> list[str]:
    """Return the accuracies and verdicts, with the numbers of undecided and unfinished samples."""
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
    """Return the accuracies of a network on its training samples and on others, from [right, of] pairs."""
    shares = {part: numbers.of(Fraction(right, total), total) for part, (right, total) in accuracies.items()}
    return [f"accuracy on training samples: {shares['train_accuracy']}", f"on test samples: {shares['test_accuracy']}"]


def trained_rows(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the arm, data, seed and accuracies of a record as rows (name, text); none without a record."""
    arm = record.get("arm")
    rows = [("trained", f"{arm} on {record.get('data', '?')}, seed {record.get('seed', '?')}")] if arm else []
    accuracies = record.get("accuracy")
    if isinstance(accuracies, Mapping):
        shares = [f"{part} {numbers.of(Fraction(right, of), of)}" for part, (right, of) in accuracies.items() if of]
        rows.append(("accuracy", ", ".join(shares)))
    return rows


def record_sentences(record: Mapping[str, Any]) -> list[str]:
    """Return what a training's record holds beyond accuracies, a collapse first."""
    binarity, collapsed = record.get("binarity"), record.get("collapsed")
    sentences = [f"COLLAPSED, {collapsed}: its stability is no merit"] if collapsed else []
    if isinstance(binarity, Mapping):
        peaks, score = binarity.get("peaks_distance", 0), binarity.get("gmm_score", 0)
        sentences += [f"real-valued latent on test samples: peaks distance {peaks:.2f}, score of two Gaussians {score:.2f}"]
    share = record.get("exact_code_share")
    if share:
        sentences.append(
            f"the code of the last block is the most frequent one of its class on {100 * share:.1f}% of test samples"
        )
    return sentences


def _flips_of(witness: Witness, predicted: int) -> str:
    if not witness.flips:
        return f"no flip is needed: the answer is {witness.label}"
    positions = ", ".join(map(str, witness.flips))
    number = "1 flip, position" if witness.distance == 1 else f"{witness.distance} flips, positions"
    becomes = f"{predicted} becomes {witness.label}" if witness.label != predicted else f"the answer stays {predicted}"
    return f"{number} {positions}: {becomes}"


def _open(reason: str) -> list[str]:
    return [f"open: {reason}"] if reason else []
