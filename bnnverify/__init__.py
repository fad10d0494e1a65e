"""Exact counting and certification of binarized neural networks.

    from bnnverify import HammingBall, Leaves, Query, count, load, read_input

    network = load("model.npz")
    image = read_input("digits:17", network)
    count(Query(network, HammingBall(image, 3), Leaves(network(image)))).low

Nouns are imported at once; verbs and readers when they are first used, since they bring engines and file formats along.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bnnverify.checking import Checked, Checking, Proven
from bnnverify.code import ClassCodes
from bnnverify.comparison import Comparison
from bnnverify.cost import Cost, pixel_cost
from bnnverify.errors import BadInput, BadModel, BadQuery, BadSample, BnnVerifyError, Disagreement, MissingExtra, WitnessRejected
from bnnverify.latent import CodeShells, Latents
from bnnverify.network import Block, Head, InputCoding, Network
from bnnverify.pair import Confusion, pair
from bnnverify.query import Becomes, EachClass, Leaves, Query
from bnnverify.region import Everything, HammingBall, Region, Shell, Subcube
from bnnverify.result import AttackResult, Attempt, Certification, Codes, CountResult, Distance, Finding, Row, Verdict, Witness
from bnnverify.safe_radius import SafeRadius
from bnnverify.tally import Count, Shares, Tally

if TYPE_CHECKING:
    from bnnverify.fold import fold_block, fold_head
    from bnnverify.formats import load, save
    from bnnverify.queries.attack import attack
    from bnnverify.queries.attribution import attribution
    from bnnverify.queries.certify import certify
    from bnnverify.queries.check import check
    from bnnverify.queries.codes import class_codes, codes
    from bnnverify.queries.compare import compare
    from bnnverify.queries.count import count
    from bnnverify.queries.descent import descent
    from bnnverify.queries.differ import differ
    from bnnverify.queries.distance import distance
    from bnnverify.queries.engine import Budget
    from bnnverify.queries.entrants import Entrant, entrant
    from bnnverify.queries.latents import latents
    from bnnverify.queries.marginals import marginals
    from bnnverify.queries.prove import prove
    from bnnverify.queries.prove_distance import prove_distance
    from bnnverify.queries.tolerance import tolerance
    from bnnverify.queries.witnesses import witnesses
    from bnnverify.samples import Samples, read_input, read_pixels, read_positions, read_samples

__version__ = "0.1.0"

_LATER = {
    "Budget": "bnnverify.queries.engine",
    "Entrant": "bnnverify.queries.entrants",
    "Samples": "bnnverify.samples",
    "attack": "bnnverify.queries.attack",
    "attribution": "bnnverify.queries.attribution",
    "certify": "bnnverify.queries.certify",
    "check": "bnnverify.queries.check",
    "class_codes": "bnnverify.queries.codes",
    "codes": "bnnverify.queries.codes",
    "compare": "bnnverify.queries.compare",
    "count": "bnnverify.queries.count",
    "descent": "bnnverify.queries.descent",
    "differ": "bnnverify.queries.differ",
    "distance": "bnnverify.queries.distance",
    "entrant": "bnnverify.queries.entrants",
    "fold_block": "bnnverify.fold",
    "fold_head": "bnnverify.fold",
    "latents": "bnnverify.queries.latents",
    "load": "bnnverify.formats",
    "marginals": "bnnverify.queries.marginals",
    "prove": "bnnverify.queries.prove",
    "prove_distance": "bnnverify.queries.prove_distance",
    "read_input": "bnnverify.samples",
    "read_pixels": "bnnverify.samples",
    "read_positions": "bnnverify.samples",
    "read_samples": "bnnverify.samples",
    "save": "bnnverify.formats",
    "tolerance": "bnnverify.queries.tolerance",
    "witnesses": "bnnverify.queries.witnesses",
}

__all__ = [
    "AttackResult",
    "Attempt",
    "BadInput",
    "BadModel",
    "BadQuery",
    "BadSample",
    "Becomes",
    "Block",
    "BnnVerifyError",
    "Budget",
    "Certification",
    "Checked",
    "Checking",
    "ClassCodes",
    "CodeShells",
    "Codes",
    "Comparison",
    "Confusion",
    "Cost",
    "Count",
    "CountResult",
    "Disagreement",
    "Distance",
    "EachClass",
    "Entrant",
    "Everything",
    "Finding",
    "HammingBall",
    "Head",
    "InputCoding",
    "Latents",
    "Leaves",
    "MissingExtra",
    "Network",
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
    "attack",
    "attribution",
    "certify",
    "check",
    "class_codes",
    "codes",
    "compare",
    "count",
    "descent",
    "differ",
    "distance",
    "entrant",
    "fold_block",
    "fold_head",
    "latents",
    "load",
    "marginals",
    "pair",
    "pixel_cost",
    "prove",
    "prove_distance",
    "read_input",
    "read_pixels",
    "read_positions",
    "read_samples",
    "save",
    "tolerance",
    "witnesses",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
