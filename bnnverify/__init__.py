"""Exact counting and certification of binarized neural networks.

    from bnnverify import HammingBall, Leaves, Query, count, load, read_input

    network = load("model.npz")
    image = read_input("digits:17", network)
    count(Query(network, HammingBall(image, 3), Leaves(network(image)))).low

Nouns are imported at once; verbs and readers when they are first used, since they bring engines and file formats along.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any
from warnings import warn

from bnnverify._version import __version__
from bnnverify.errors import BadInput, BadModel, BadQuery, BadSample, BnnVerifyError, Disagreement, MissingExtra, WitnessRejected
from bnnverify.model.coding import InputCoding
from bnnverify.model.combine import pair
from bnnverify.model.network import Block, Head, Network
from bnnverify.problem.ball import Ball, Everything, HammingBall, Shell, Subcube
from bnnverify.problem.constrained import Constrained
from bnnverify.problem.constraint_file import read_constraints
from bnnverify.problem.constraints import at_least, at_most, exactly, one_hot, ordered, weighted
from bnnverify.problem.cost import Cost, pixel_cost
from bnnverify.problem.events.becomes import Becomes
from bnnverify.problem.events.code_flips import CodeFlips
from bnnverify.problem.events.differ import Differ
from bnnverify.problem.events.each_class import EachClass
from bnnverify.problem.events.leaves import Leaves
from bnnverify.problem.query import Query
from bnnverify.problem.region import Region
from bnnverify.results.answers import AttackResult, Attempt, CountResult, Distance
from bnnverify.results.certification import Certification, Row
from bnnverify.results.codes import ClassCodes, Codes
from bnnverify.results.comparison import Comparison
from bnnverify.results.confusion import Confusion
from bnnverify.results.counts import Count, Shares, Tally
from bnnverify.results.finding import Finding, Verdict, Witness
from bnnverify.results.latent import CodeShells, Latents
from bnnverify.results.proofs import Checked, Checking, Proven
from bnnverify.results.tolerance import SafeRadius

if TYPE_CHECKING:
    from bnnverify.data.samples import Samples, read_input, read_pixels, read_positions, read_samples
    from bnnverify.formats import load, save
    from bnnverify.model.fold import fold_block, fold_head
    from bnnverify.problem.budget import Budget
    from bnnverify.queries.attacks.local_search import local_search
    from bnnverify.queries.comparison.compare import compare
    from bnnverify.queries.comparison.participants import Participant, participant
    from bnnverify.queries.proofs.check import check
    from bnnverify.queries.proofs.prove import prove
    from bnnverify.queries.proofs.prove_distance import prove_distance
    from bnnverify.queries.verbs.attack import attack
    from bnnverify.queries.verbs.certify import certify
    from bnnverify.queries.verbs.count import count
    from bnnverify.queries.verbs.differ import differ
    from bnnverify.queries.verbs.distance import distance
    from bnnverify.queries.verbs.latent.attribution import attribution
    from bnnverify.queries.verbs.latent.codes import class_codes, codes
    from bnnverify.queries.verbs.latent.latents import latents
    from bnnverify.queries.verbs.marginals import marginals
    from bnnverify.queries.verbs.tolerance import tolerance
    from bnnverify.queries.verbs.witnesses import witnesses


_LATER = {
    "Budget": "bnnverify.problem.budget",
    "Participant": "bnnverify.queries.comparison.participants",
    "Samples": "bnnverify.data.samples",
    "attack": "bnnverify.queries.verbs.attack",
    "attribution": "bnnverify.queries.verbs.latent.attribution",
    "certify": "bnnverify.queries.verbs.certify",
    "check": "bnnverify.queries.proofs.check",
    "class_codes": "bnnverify.queries.verbs.latent.codes",
    "codes": "bnnverify.queries.verbs.latent.codes",
    "compare": "bnnverify.queries.comparison.compare",
    "count": "bnnverify.queries.verbs.count",
    "local_search": "bnnverify.queries.attacks.local_search",
    "differ": "bnnverify.queries.verbs.differ",
    "distance": "bnnverify.queries.verbs.distance",
    "participant": "bnnverify.queries.comparison.participants",
    "fold_block": "bnnverify.model.fold",
    "fold_head": "bnnverify.model.fold",
    "latents": "bnnverify.queries.verbs.latent.latents",
    "load": "bnnverify.formats",
    "marginals": "bnnverify.queries.verbs.marginals",
    "prove": "bnnverify.queries.proofs.prove",
    "prove_distance": "bnnverify.queries.proofs.prove_distance",
    "read_input": "bnnverify.data.samples",
    "read_pixels": "bnnverify.data.samples",
    "read_positions": "bnnverify.data.samples",
    "read_samples": "bnnverify.data.samples",
    "save": "bnnverify.formats",
    "tolerance": "bnnverify.queries.verbs.tolerance",
    "witnesses": "bnnverify.queries.verbs.witnesses",
}

__all__ = [
    "AttackResult",
    "Attempt",
    "BadInput",
    "BadModel",
    "BadQuery",
    "BadSample",
    "Ball",
    "Becomes",
    "Block",
    "BnnVerifyError",
    "Budget",
    "Certification",
    "Checked",
    "Checking",
    "ClassCodes",
    "CodeFlips",
    "CodeShells",
    "Codes",
    "Comparison",
    "Confusion",
    "Constrained",
    "Cost",
    "Count",
    "CountResult",
    "Differ",
    "Disagreement",
    "Distance",
    "EachClass",
    "Everything",
    "Finding",
    "HammingBall",
    "Head",
    "InputCoding",
    "Latents",
    "Leaves",
    "MissingExtra",
    "Network",
    "Participant",
    "Proven",
    "Query",
    "Region",
    "Row",
    "SafeRadius",
    "Samples",
    "Shares",
    "Shell",
    "Subcube",
    "Tally",
    "Verdict",
    "Witness",
    "WitnessRejected",
    "__version__",
    "at_least",
    "at_most",
    "attack",
    "attribution",
    "certify",
    "check",
    "class_codes",
    "codes",
    "compare",
    "count",
    "differ",
    "distance",
    "exactly",
    "fold_block",
    "fold_head",
    "latents",
    "load",
    "local_search",
    "marginals",
    "one_hot",
    "ordered",
    "pair",
    "participant",
    "pixel_cost",
    "prove",
    "prove_distance",
    "read_constraints",
    "read_input",
    "read_pixels",
    "read_positions",
    "read_samples",
    "save",
    "tolerance",
    "weighted",
    "witnesses",
]


_RENAMED = {"Entrant": "Participant", "descent": "local_search", "entrant": "participant"}


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        warn(f"bnnverify.{name} is now bnnverify.{_RENAMED[name]}", DeprecationWarning, stacklevel=2)
        name = _RENAMED[name]
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
