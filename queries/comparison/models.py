"""The models of a comparison: their records, whether they have collapsed, and how far apart their class codes are."""

from __future__ import annotations

from collections.abc import Sequence

from scipy import stats

from bnnverify.data.samples import Samples
from bnnverify.queries.comparison.participants import Participant
from bnnverify.queries.verbs.latent.codes import class_codes
from bnnverify.results.comparison import ComparedModel, Terms
from bnnverify.results.latent import WIDEST


def compared_model(participant: Participant, untouched: Samples, terms: Terms) -> ComparedModel:
    """Return the model with its record, its collapse, if any, and the distances between its class codes."""
    network = participant.network
    record = {name: value for name, value in network.record.items() if name != "split"}  # long, and visible in the samples
    collapsed = str(record.get("collapsed") or "") or _collapse(participant, untouched, terms)
    separation = _separation(participant, untouched)
    return ComparedModel(participant.arm, participant.seed, network.sha256, network.widths, record, collapsed, separation)


def _separation(participant: Participant, untouched: Samples) -> tuple[tuple[int, ...], ...] | None:
    """Return how far apart the class codes of the model are; None without codes."""
    network = participant.network
    if not network.blocks or network.widths[-2] > WIDEST:
        return None
    rows = class_codes(network, untouched).separation
    return tuple(tuple(-1 if distance is None else distance for distance in row) for row in rows)


def _collapse(participant: Participant, untouched: Samples, terms: Terms) -> str:
    network = participant.network
    labels = [] if untouched.labels is None else untouched.labels.tolist()
    bits = network.check(untouched.bits)
    codes = network.prefix(len(network.blocks))(bits).tolist() if network.blocks else ()
    return collapse_of(network(bits).tolist(), labels, network.classes, terms, codes=codes)


def collapse_of(
    predicted: Sequence[int], labels: Sequence[int], classes: int, terms: Terms, *, codes: Sequence[Sequence[int]] = ()
) -> str:
    """Return a sentence why the answer of a model hardly depends on its input, or "".

    predicted: its answers to samples of these labels; codes: its latent codes, one per sample. It is constant in either, or at
    chance level: no better than always answering the commonest class. `training.record` defines collapse alike.
    """
    samples = f"all {len(predicted)} samples that no training touched"
    if len(set(predicted)) == 1 and len(set(labels)) > 1:
        return f"constant: the answer is {predicted[0]} on {samples}"
    if len(codes) > 1 and len(set(map(tuple, codes))) == 1:
        return f"constant: one latent code on {samples}"
    right, most = sum(p == q for p, q in zip(predicted, labels, strict=True)), max(map(labels.count, set(labels)), default=0)
    chance = most / len(labels) if labels else 1.0
    enough = chance ** len(predicted) < terms.alpha  # with very few samples even no mistake proves nothing
    if enough and stats.binomtest(right, len(predicted), chance, alternative="greater").pvalue >= terms.alpha:
        share = f"{right} of {len(predicted)} right on samples that no training touched"
        return f"chance level: {share}, no better than one class for all ({most}, among {classes} classes)"
    return ""
