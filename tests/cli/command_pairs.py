"""For each option of each command two command lines, the second with the option: what they say or leave must differ."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bnnverify import Head, InputCoding, Network, save
from tests.support.random_networks import random_network
from tests.support.roof import POINT
from tests.support.zoo import majority, parity


@dataclass(frozen=True)
class Pair:
    """Words of two command lines.

    refused: whether the second is refused, with exit 2 and a sentence. spied: a function of the command's module, whose argument
    `jobs` counts as what the command says: the answers are the same with any number of jobs. needs: optional packages.
    slow: whether it takes many seconds.
    """

    base: tuple[str, ...]
    changed: tuple[str, ...]
    refused: bool = False
    spied: str = ""
    needs: tuple[str, ...] = ()
    slow: bool = False


def files(folder: Path) -> None:
    """Write the models, samples and tables that the command lines name."""
    save(majority(6), folder / "m.npz")
    save(parity(6), folder / "parity.npz")
    last = [0] * 6 + [1] * 6
    save(Network((), Head([[0] * 12, last], [2, 0])), folder / "late.npz")  # class 1 from three ones among the last six on
    (folder / "late.txt").write_text("exactly 0 of 6\nonehot 0,7,8\n")
    coding = InputCoding(np.array([100, 100, 100, 100, 0, 0]), (2, 3))
    save(Network(majority(6).blocks, majority(6).head, coding), folder / "pixels.npz")
    save(random_network(1, 64, (6,), 10), folder / "a.npz")
    save(random_network(2, 64, (6,), 10), folder / "b.npz")
    np.save(folder / "picture.npy", np.array([[95, 96, 97, 40, 7, 8]]))
    (folder / "rows.txt").write_text("111111\n111100\n000000\n")
    (folder / "rules.txt").write_text("at most 4 of 0-5\nordered 0,1\n")
    rows = [f"{'yes' if i % 4 > 1 else 'no'},{i % 4},{(i * 7) % 5}" for i in range(60)]
    (folder / "table.csv").write_text("class,a,b\n" + "\n".join(rows))
    (folder / "empty").mkdir()


JSON = ("--json",)
RADIUS = ("--radius", "2")


def regions(*start: str, end: tuple[str, ...] = JSON) -> dict[str, Pair]:
    """Return the pairs of INPUT and its region."""
    base = (*start, POINT, *RADIUS, *end)
    return {
        "--radius": Pair(base, (*start, POINT, "--radius", "1", *end)),
        "--free": Pair(base, (*start, POINT, "--free", "0,1", *end)),
        "--everything": Pair(base, (*start, POINT, "--everything", *end)),
        "--within": Pair(base, (*base, "--within", "0,4,5")),
        "--constraint": Pair(base, (*base, "--constraint", "rules.txt")),
        "--against": Pair((*base, "--event", "leaves:0"), (*base, "--event", "differ", "--against", "parity.npz")),
    }


def questions(*start: str, long: tuple[str, ...], data: tuple[str, ...]) -> dict[str, Pair]:
    """Return the pairs of the options of all questions.

    long: a command line of more than a moment's work. data: one that lacks only a folder of data sets: without any it is refused
    in other words than with an empty one.
    """
    base = (*start, *JSON)
    return {
        "--engine": Pair(base, (*base, "--engine", "bdd")),
        "--timeout": Pair((*long, *JSON), (*long, *JSON, "--timeout", "1e-9")),
        "--memory": Pair(base, (*base, "--memory", "1e-9")),
        "--json": Pair(start, base),
        "--data-dir": Pair(data, (*data, "--data-dir", "empty"), refused=True),
    }


LONG = ("a.npz", "digits:7", "--radius", "3")
COUNT = ("count", "m.npz", POINT, *RADIUS)
ATTACK = ("attack", "m.npz", POINT, *RADIUS)
DISTANCE = ("distance", "m.npz", "000000")
LATE = ("distance", "late.npz", "0" * 12)  # neither presolve nor the first flips decide it
CERTIFY = ("certify", "m.npz", "rows.txt", *RADIUS)
ENCODE = ("encode", "m.npz")
TO = ("--to", "cnf", "q.cnf")
LATENTS = ("latents", "m.npz", POINT, *RADIUS)
AGAINST = (*LATENTS, *JSON, "--against", "parity.npz")
COMPARE = ("compare", "a.npz", "b.npz", "--radii", "1", "--limit", "2")
FARTHER = ("compare", "a.npz", "b.npz", "--radii", "2", "--limit", "2", "--count", *JSON)
ARMS = ("compare", "--arms", "no_pen", "--radii", "1", "--limit", "2")  # trained by a stand-in
TRAIN = ("train", "--data", "table.csv", "--label", "class", "--recipe", "lin_pen", "--hidden", "4", "--epochs", "1")
OUT = ("--out", "out.npz")

COMMANDS: dict[str, dict[str, Pair]] = {
    "count": {
        **regions("count", "m.npz"),
        **questions(*COUNT, long=("count", *LONG), data=("count", "pixels.npz", "mnist:0", *RADIUS)),
        "--event": Pair((*COUNT, *JSON), (*COUNT, *JSON, "--event", "becomes:0")),
        "--resume": Pair((*COUNT, *JSON), (*COUNT, *JSON, "--resume", "pieces")),
        "--explain-plan": Pair(COUNT, (*COUNT, "--explain-plan")),
    },
    "attack": {
        **regions("attack", "m.npz"),
        "--radius": Pair((*ATTACK, *JSON), ("attack", "m.npz", POINT, "--radius", "0", *JSON)),
        **questions(*ATTACK, long=("attack", *LONG), data=("attack", "pixels.npz", "mnist:0", *RADIUS)),
        "--event": Pair((*ATTACK, *JSON), (*ATTACK, *JSON, "--event", "leaves:0")),
        "--jobs": Pair((*ATTACK, *JSON), (*ATTACK, *JSON, "--jobs", "1"), spied="attack"),
        "--explain-plan": Pair(ATTACK, (*ATTACK, "--explain-plan")),
    },
    "distance": {
        **questions(*LATE, long=(*LATE, "--engine", "sat"), data=("distance", "pixels.npz", "mnist:0")),
        "--max": Pair((*DISTANCE, *JSON), (*DISTANCE, *JSON, "--max", "2")),
        "--within": Pair((*DISTANCE, *JSON), (*DISTANCE, *JSON, "--within", "0,1")),
        "--constraint": Pair((*LATE, *JSON), (*LATE, *JSON, "--constraint", "late.txt")),
        "--event": Pair((*DISTANCE, *JSON), (*DISTANCE, *JSON, "--event", "becomes:0")),
        "--norm": Pair(
            ("distance", "pixels.npz", "picture.npy", *JSON), ("distance", "pixels.npz", "picture.npy", *JSON, "--norm", "1")
        ),
        "--tolerance": Pair((*DISTANCE, *JSON), (*DISTANCE, *JSON, "--tolerance", "1/10")),
        "--proof": Pair((*DISTANCE, *JSON), (*DISTANCE, *JSON, "--proof", "proof")),
        "--jobs": Pair((*DISTANCE, *JSON), (*DISTANCE, *JSON, "--jobs", "1"), spied="distance"),
    },
    "certify": {
        **questions(*CERTIFY, long=("certify", *LONG), data=("certify", "pixels.npz", "mnist:0", *RADIUS)),
        "--radius": Pair((*CERTIFY, *JSON), ("certify", "m.npz", "rows.txt", "--radius", "1", *JSON)),
        "--within": Pair((*CERTIFY, *JSON), (*CERTIFY, *JSON, "--within", "4,5")),
        "--constraint": Pair((*CERTIFY, *JSON), (*CERTIFY, *JSON, "--constraint", "rules.txt")),
        "--limit": Pair((*CERTIFY, *JSON), (*CERTIFY, *JSON, "--limit", "1")),
        "--jobs": Pair((*CERTIFY, *JSON), (*CERTIFY, *JSON, "--jobs", "2"), spied="certify"),
        "--resume": Pair((*CERTIFY, *JSON), (*CERTIFY, *JSON, "--resume", "kept")),
        "--count": Pair((*CERTIFY, *JSON), (*CERTIFY, *JSON, "--no-count")),
        "--proof": Pair((*CERTIFY, *JSON), (*CERTIFY, *JSON, "--proof", "proofs")),
        "--explain-plan": Pair(CERTIFY, (*CERTIFY, "--explain-plan")),
    },
    "check": {
        "--model": Pair(("check", "given"), ("check", "given", "--model", "parity.npz"), refused=True),
        "--json": Pair(("check", "given"), ("check", "given", "--json")),
    },
    "compare": {
        "--arms": Pair(("compare", *JSON), (*ARMS, *JSON)),
        "--seeds": Pair((*ARMS, *JSON), (*ARMS, *JSON, "--seeds", "2")),
        "--epochs": Pair((*ARMS, *JSON), (*ARMS, *JSON, "--epochs", "3")),
        "--models": Pair((*ARMS, *JSON), (*ARMS, *JSON, "--models", "trained")),
        **questions(*COMPARE, long=COMPARE, data=(*COMPARE, "--data", "mnist")),
        "--memory": Pair((*FARTHER, "--engine", "sat"), (*FARTHER, "--engine", "sat", "--memory", "1e-9")),
        "--data": Pair((*COMPARE, *JSON), (*COMPARE, *JSON, "--data", "digits:5-9")),
        "--radii": Pair((*COMPARE, *JSON), (*COMPARE, *JSON, "--radii", "1,2")),
        "--limit": Pair((*COMPARE, *JSON), (*COMPARE, *JSON, "--limit", "3")),
        "--against": Pair((*COMPARE, *JSON), (*COMPARE, *JSON, "--against", "b")),
        "--margin": Pair((*COMPARE, *JSON), (*COMPARE, *JSON, "--margin", "90")),
        "--count": Pair((*COMPARE, *JSON), (*COMPARE, *JSON, "--no-count")),
        "--jobs": Pair((*COMPARE, *JSON), (*COMPARE, *JSON, "--jobs", "2"), spied="compare"),
        "--store": Pair((*COMPARE, *JSON), (*COMPARE, *JSON, "--store", "rows.sqlite")),
        "--export": Pair((*COMPARE, *JSON), (*COMPARE, *JSON, "--export", "rows.csv")),
        "--report": Pair((*COMPARE, *JSON), (*COMPARE, *JSON, "--report", "r.html"), needs=("matplotlib", "jinja2"), slow=True),
    },
    "encode": {
        **regions("encode", "m.npz", end=(*TO, *JSON)),
        "--event": Pair((*ENCODE, POINT, *RADIUS, *TO), (*ENCODE, POINT, *RADIUS, *TO, "--event", "leaves:0")),
        "--to": Pair((*ENCODE, POINT, *RADIUS, *TO), (*ENCODE, POINT, *RADIUS, "--to", "opb", "q.cnf")),
        "--json": Pair((*ENCODE, POINT, *RADIUS, *TO), (*ENCODE, POINT, *RADIUS, *TO, *JSON)),
        "--data-dir": Pair(
            ("encode", "pixels.npz", "mnist:0", *RADIUS, *TO),
            ("encode", "pixels.npz", "mnist:0", *RADIUS, *TO, "--data-dir", "empty"),
            refused=True,
        ),
    },
    "latents": {
        **questions(*LATENTS, long=LATENTS, data=("latents", "pixels.npz", "mnist:0", *RADIUS)),
        "--engine": Pair(AGAINST, (*AGAINST, "--engine", "bdd")),
        "--memory": Pair((*AGAINST, "--engine", "bdd"), (*AGAINST, "--engine", "bdd", "--memory", "1e-9")),
        "--radius": Pair((*LATENTS, *JSON), ("latents", "m.npz", POINT, "--radius", "1", *JSON)),
        "--within": Pair((*LATENTS, *JSON), (*LATENTS, *JSON, "--within", "4,5")),
        "--constraint": Pair((*LATENTS, *JSON), (*LATENTS, *JSON, "--constraint", "rules.txt")),
        "--attribution": Pair((*LATENTS, *JSON), (*LATENTS, *JSON, "--attribution")),
        "--classes": Pair((*LATENTS, *JSON), (*LATENTS, *JSON, "--classes", "rows.txt")),
        "--against": Pair((*LATENTS, *JSON), AGAINST),
    },
    "info": {"--json": Pair(("info", "m.npz"), ("info", "m.npz", "--json"))},
    "train": {
        "--data": Pair((*TRAIN, *OUT), ("train", *OUT, "--data", "nothing.csv"), refused=True),
        "--data-dir": Pair(
            ("train", "--data", "mnist", *OUT), ("train", "--data", "mnist", *OUT, "--data-dir", "empty"), refused=True
        ),
        "--label": Pair((*TRAIN, *OUT, *JSON), (*TRAIN, *OUT, *JSON, "--label", "b")),
        "--no-header": Pair((*TRAIN, *OUT, *JSON, "--label", "0"), (*TRAIN, *OUT, *JSON, "--label", "0", "--no-header")),
        "--recipe": Pair((*TRAIN, *OUT, *JSON), (*TRAIN, *OUT, *JSON, "--recipe", "nonlin_pen")),
        "--hidden": Pair((*TRAIN, *OUT, *JSON), (*TRAIN, *OUT, *JSON, "--hidden", "5")),
        "--latent": Pair((*TRAIN, *OUT, *JSON), (*TRAIN, *OUT, *JSON, "--latent", "3")),
        "--epochs": Pair((*TRAIN, *OUT, *JSON), (*TRAIN, *OUT, *JSON, "--epochs", "2")),
        "--gamma-max": Pair(
            (*TRAIN, *OUT, *JSON, "--recipe", "bin_enc"), (*TRAIN, *OUT, *JSON, "--recipe", "bin_enc", "--gamma-max", "7")
        ),
        "--weights": Pair((*TRAIN, *OUT, *JSON), (*TRAIN, *OUT, *JSON, "--weights", "ternary")),
        "--deployment": Pair((*TRAIN, *OUT, *JSON), (*TRAIN, *OUT, *JSON, "--deployment", "D1")),
        "--out": Pair((*TRAIN, *OUT, *JSON), (*TRAIN, "--out", "elsewhere.npz", *JSON)),
        "--test-out": Pair((*TRAIN, *OUT, *JSON), (*TRAIN, *OUT, *JSON, "--test-out", "test.npz")),
        "--seed": Pair((*TRAIN, *OUT, *JSON), (*TRAIN, *OUT, *JSON, "--seed", "5")),
        "--json": Pair((*TRAIN, *OUT), (*TRAIN, *OUT, *JSON)),
    },
    "demo": {
        "--out": Pair(("demo",), ("demo", "--out", "elsewhere"), needs=("matplotlib", "jinja2"), slow=True),
        "--seed": Pair(("demo", *JSON), ("demo", *JSON, "--seed", "5"), needs=("matplotlib", "jinja2"), slow=True),
        "--json": Pair(("demo",), ("demo", *JSON), needs=("matplotlib", "jinja2"), slow=True),
    },
}
