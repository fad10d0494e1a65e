"""Exact counting and certification of binarized neural networks.

    from bnnverify import HammingBall, Leaves, Query, count, load, read_input

    network = load("model.npz")
    image = read_input("digits:17", network)
    count(Query(network, HammingBall(image, 3), Leaves(network(image)))).low

Nouns are imported at once; verbs and readers when they are first used, since they bring engines and file formats along.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bnnverify.errors import BadInput, BadModel, BadQuery, BadSample, BnnVerifyError, Disagreement, MissingExtra, WitnessRejected
from bnnverify.network import Block, Head, InputCoding, Network
from bnnverify.query import Becomes, EachClass, Leaves, Query
from bnnverify.region import Everything, HammingBall, Region, Shell, Subcube
from bnnverify.result import AttackResult, Certification, Codes, CountResult, Distance, Finding, Row, Verdict, Witness
from bnnverify.tally import Count, Shares, Tally

if TYPE_CHECKING:
    from bnnverify.fold import fold_block, fold_head
    from bnnverify.formats import load, save
    from bnnverify.queries.attack import attack
    from bnnverify.queries.certify import certify
    from bnnverify.queries.codes import codes
    from bnnverify.queries.count import count
    from bnnverify.queries.distance import distance
    from bnnverify.queries.engine import Budget
    from bnnverify.queries.marginals import marginals
    from bnnverify.queries.witnesses import witnesses
    from bnnverify.samples import Samples, read_input, read_positions, read_samples

__version__ = "0.1.0"

_LATER = {
    "Budget": "bnnverify.queries.engine",
    "Samples": "bnnverify.samples",
    "attack": "bnnverify.queries.attack",
    "certify": "bnnverify.queries.certify",
    "codes": "bnnverify.queries.codes",
    "count": "bnnverify.queries.count",
    "distance": "bnnverify.queries.distance",
    "fold_block": "bnnverify.fold",
    "fold_head": "bnnverify.fold",
    "load": "bnnverify.formats",
    "marginals": "bnnverify.queries.marginals",
    "read_input": "bnnverify.samples",
    "read_positions": "bnnverify.samples",
    "read_samples": "bnnverify.samples",
    "save": "bnnverify.formats",
    "witnesses": "bnnverify.queries.witnesses",
}

__all__ = [
    "AttackResult",
    "BadInput",
    "BadModel",
    "BadQuery",
    "BadSample",
    "Becomes",
    "Block",
    "BnnVerifyError",
    "Budget",
    "Certification",
    "Codes",
    "Count",
    "CountResult",
    "Disagreement",
    "Distance",
    "EachClass",
    "Everything",
    "Finding",
    "HammingBall",
    "Head",
    "InputCoding",
    "Leaves",
    "MissingExtra",
    "Network",
    "Query",
    "Region",
    "Row",
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
    "certify",
    "codes",
    "count",
    "distance",
    "fold_block",
    "fold_head",
    "load",
    "marginals",
    "read_input",
    "read_positions",
    "read_samples",
    "save",
    "witnesses",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
