"""One sample's proof: the claim against the model, the formula against its annotations, the trace against the formula."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bnnverify.checker.annotations import Annotations, Links
from bnnverify.checker.claim import Claim, claim_of
from bnnverify.checker.clauses import follows
from bnnverify.checker.files import formula, lines, record
from bnnverify.checker.margins import ReducedNetwork
from bnnverify.checker.patterns import check_codes, check_patterns
from bnnverify.checker.rules import all_hold
from bnnverify.checker.trace import lemmas
from bnnverify.errors import Rejected
from bnnverify.model.arrays import Bits
from bnnverify.model.network import Network


@dataclass(frozen=True)
class CheckedClaim:
    """A claim that holds, and the size of its proof; 0 where a proof has no such part."""

    claim: Claim
    variables: int = 0
    clauses: int = 0
    lemmas: int = 0
    patterns: int = 0


def checked_claim(folder: Path, network: Network) -> CheckedClaim:
    """Return the claim of the proof in this folder about the network; Rejected, with the reason, where it does not hold."""
    claim = claim_of(record(folder / "claim.json"), network)
    if claim.witness is not None:
        _replay(claim, claim.witness, network)
    if claim.by == "witness":
        return CheckedClaim(claim)
    reduced = ReducedNetwork(network, claim)
    if claim.by == "trace":
        return _traced(folder, claim, reduced)
    if claim.by == "patterns":
        return CheckedClaim(claim, patterns=check_patterns(reduced, claim))
    if claim.by == "codes":
        return CheckedClaim(claim, patterns=check_codes(reduced, claim))
    if claim.classes != (claim.predicted,):
        raise Rejected(f"claim.json: expected margins that leave class {claim.predicted} alone, got {list(claim.classes)[:20]}")
    return CheckedClaim(claim)


def _traced(folder: Path, claim: Claim, reduced: ReducedNetwork) -> CheckedClaim:
    """Return the claim and the sizes of its formula, which follows from the model and is refuted."""
    variables, clauses = formula(folder / "formula.cnf")
    annotations = Annotations(folder / "meanings.txt", variables)
    links = Links(annotations, reduced, claim.free, claim.radius)
    given = [links.event(claim.predicted, claim.classes), *links.constraints(len(claim.constraints))]
    for number, clause in enumerate(clauses, start=1):
        is_given = any(part.issubset(clause) for part in given)
        if not is_given and not follows(clause, annotations.definitions, links.region):
            raise Rejected(
                f"formula.cnf: clause {number} does not follow from the definitions of its variables: {str(clause)[:60]}"
            )
    return CheckedClaim(claim, variables, len(clauses), lemmas(clauses, variables, lines(folder / "trace.drup")))


def _replay(claim: Claim, witness: Bits, network: Network) -> None:
    """Raise unless the network gives the witness another class, and it lies in the region, or beyond it where that is ROBUST."""
    within, most = claim.by == "witness", "at most" if claim.by == "witness" else "more than"
    if (len(claim.flips) <= claim.radius) != within or not set(claim.flips) <= set(claim.free):
        raise Rejected(f"witness: expected {most} {claim.radius} flips of free positions, got {list(claim.flips)[:20]}")
    if not all_hold(claim.constraints, witness[None])[0]:
        raise Rejected("witness: expected a point at which every constraint of the claim holds, got another one")
    if network(witness) == claim.predicted:
        raise Rejected(f"witness: expected another class than {claim.predicted}, which the model gives it")
