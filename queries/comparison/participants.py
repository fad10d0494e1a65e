"""The participants of a comparison, the samples that none of them was trained on, and the pairs of arms to compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bnnverify.data.samples import Samples
from bnnverify.errors import BadModel, BadQuery, BadSample
from bnnverify.model.network import Network


@dataclass(frozen=True, eq=False)
class Participant:
    """A network of a comparison, with its arm and seed."""

    network: Network
    arm: str
    seed: int

    def __str__(self) -> str:
        return f"{self.arm} seed {self.seed}"


def participant(network: Network, name: str) -> Participant:
    """Return network with the arm and seed of its record; without a record its arm is name, and its seed 0."""
    arm, seed = network.record.get("arm", name), network.record.get("seed", 0)
    if not isinstance(arm, str) or not isinstance(seed, int):
        raise BadModel(f"{name}: expected a record with an arm in words and a whole-number seed, got {arm!r} and {seed!r}")
    return Participant(network, arm, seed)


def checked(participants: Iterable[Participant]) -> tuple[Participant, ...]:
    """Return participants that can be compared; raise BadModel where they cannot."""
    participants = tuple(participants)
    if not participants:
        raise BadModel("expected at least one model to compare, got none")
    first = participants[0].network
    for other in participants:
        if (other.network.inputs, other.network.classes) != (first.inputs, first.classes):
            raise BadModel(
                f"expected models of {first.inputs} bits and {first.classes} classes, as {participants[0]}, "
                f"got {other.network.inputs} and {other.network.classes} of {other}"
            )
    twice = [name for name, times in Counter(map(str, participants)).items() if times > 1]
    if twice:
        raise BadModel(f"expected one model per arm and seed, got {twice[0]} more than once")
    return participants


def untouched(samples: Samples, participants: Sequence[Participant]) -> tuple[Samples, str]:
    """Return the samples that no participant was trained on, and a warning where a record does not name its training samples.

    A model's record names the samples that its training never used, of the data of that name. Copies of these in a file are
    known by their origin.
    """
    name, indices = samples.origin or (samples.name, samples.indices)
    unseen = [_unseen(each, name) for each in participants]
    common = set(indices).intersection(*(test for test in unseen if test is not None))
    places = [place for place, index in enumerate(indices) if index in common]
    if not places:
        raise BadSample(f"{samples.name}: expected samples that no model was trained on, got none among {len(samples)}")
    labels = None if samples.labels is None else samples.labels[places]
    chosen, origin = (tuple(every[place] for place in places) for every in (samples.indices, indices))
    part = replace(samples, bits=samples.bits[places], labels=labels, indices=chosen, origin=(name, origin))
    return part, _warning([str(each) for each, test in zip(participants, unseen, strict=True) if test is None], name)


def _unseen(participant: Participant, name: str) -> set[int] | None:
    """Return the indices of the samples that training never used, None where the record does not name them."""
    record = participant.network.record
    split = record.get("split")
    test = split.get("test") if isinstance(split, dict) and record.get("data") == name else None
    return set(test) if isinstance(test, (list, tuple)) else None


def _warning(unrecorded: Sequence[str], name: str) -> str:
    if not unrecorded:
        return ""
    models = unrecorded[0] if len(unrecorded) == 1 else f"{unrecorded[0]} and {len(unrecorded) - 1} more"
    return f"{models}: no record names the samples of {name} that training used; it may have used samples of this comparison"


REFERENCES = ("no_pen", "nonlin_pen")  # arms that others are compared with by default


def pairs_of(arms: Sequence[str], against: Sequence[str]) -> list[tuple[str, str]]:
    """Return pairs (arm, other), each pair of arms at most once: every arm with those it is compared with."""
    for name in against:
        if name not in arms:
            raise BadQuery(f"against: expected one of the arms {', '.join(arms)}, got {name}")
    others = tuple(against) or tuple(name for name in REFERENCES if name in arms) or (arms[0],)
    controls = {arm: "lin_pen" + arm.removeprefix("bin_enc") for arm in arms if arm.startswith("bin_enc")}
    pairs = [(arm, other) for k, other in enumerate(others) for arm in arms if arm != other and arm not in others[:k]]
    pairs += [(arm, control) for arm, control in controls.items() if control in arms and (arm, control) not in pairs]
    return pairs
