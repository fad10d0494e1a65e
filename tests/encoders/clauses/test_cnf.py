"""The clauses against plain enumeration: the right inputs, and for each of them exactly one model over all variables."""

from itertools import product
from random import Random

import numpy as np
import pytest
from pysat.solvers import Solver

from bnnverify import Block, Head, Network, Region
from bnnverify.encoders.clauses.cardinality import ENCODINGS, FALSE, TRUE, WIDEST, by_width, gathered, normal
from bnnverify.encoders.clauses.cnf import Cnf, formula
from bnnverify.encoders.clauses.native_cardinality import LONGEST, native
from bnnverify.encoders.presolve.presolve import presolve
from bnnverify.problem.ball import Everything, HammingBall, Shell

EVERY = ENCODINGS | {"native": native}
every_encoding = pytest.mark.parametrize("encoding", EVERY.values(), ids=EVERY.keys())


def models_by_inputs(clauses, variables, inputs, at_mosts=()):
    """Return the set of true literals of each model, by its setting of the inputs; two models for one setting are an error."""
    found = {}
    with Solver("gluecard4" if at_mosts else "glucose4", bootstrap_with=clauses) as solver:
        for literals, most in at_mosts:
            solver.add_atmost(literals, most)
        solver.add_clause([variables, -variables])  # the models name every variable, mentioned or not
        for model in solver.enum_models():
            setting = tuple(int(x in model) for x in inputs)
            assert setting not in found, f"two models at {setting}"
            assert len(model) == variables
            found[setting] = set(model)
    return found


def settings(n, fewest=0, most=None):
    return [s for s in product((0, 1), repeat=n) if fewest <= sum(s) <= (n if most is None else most)]


def holds(weights, bits, bound, model):
    return sum(w for w, bit in zip(weights, bits, strict=True) if bit in model) >= bound


@every_encoding
@pytest.mark.parametrize("largest", [1, 2, 5, 1000, 10**30])
def test_random_thresholds(encoding, largest):
    random = Random(largest)
    for _ in range(12):
        n = random.randint(0, 7)
        most = random.choice([None, random.randint(0, n)])
        fewest = random.randint(0, n if most is None else most)
        cnf = Cnf(fewest=fewest, most=most, encoding=encoding)
        inputs = cnf.inputs(n)
        rows = []
        for _ in range(4):  # rows share gates
            bits = [random.choice([1, -1]) * random.choice([TRUE, *inputs]) for _ in range(random.randint(0, n + 2))]
            bits = random.choice([inputs, bits])  # repeated bits, a bit and its negation, constants
            weights = [random.randint(-largest, largest) for _ in bits]
            reach = sum(map(abs, weights)) + 1
            bound = random.randint(-reach, reach)
            rows.append((weights, bits, bound, cnf.at_least(weights, bits, bound)))
        found = models_by_inputs(cnf.clauses, cnf.variables, inputs, cnf.at_mosts)
        assert sorted(found) == settings(n, fewest, most)
        for model in found.values():
            for weights, bits, bound, literal in rows:
                assert (literal in model) == holds(weights, bits, bound, model), (weights, bits, bound)


@every_encoding
def test_wide_rows_of_one_sign_each_way(encoding):
    cnf = Cnf(fewest=1, most=2, encoding=encoding)
    inputs = cnf.inputs(12)
    weights = [1, -1] * 6
    literals = {bound: cnf.at_least(weights, inputs, bound) for bound in range(-3, 4)}
    found = models_by_inputs(cnf.clauses, cnf.variables, inputs, cnf.at_mosts)
    assert len(found) == 12 + 66
    for model in found.values():
        assert all((literal in model) == holds(weights, inputs, bound, model) for bound, literal in literals.items())


@every_encoding
def test_trivial_bounds_need_no_variables(encoding):
    cnf = Cnf(encoding=encoding)
    x, y = cnf.inputs(2)
    before = cnf.variables
    assert cnf.at_least([], [], 0) == TRUE
    assert cnf.at_least([], [], 1) == FALSE
    assert cnf.at_least([1, 1], [x, y], 0) == TRUE
    assert cnf.at_least([1, 1], [x, y], 3) == FALSE
    assert cnf.at_least([-1, 0], [x, y], -1) == TRUE
    assert cnf.at_least([1, 1], [x, -x], 1) == TRUE
    assert cnf.at_least([7, 0], [x, y], 5) == x
    assert cnf.at_least([-7, 3], [x, FALSE], 0) == -x
    assert cnf.variables == before


def test_all_folds_constants_and_finds_gates_again():
    cnf = Cnf()
    x, y, z = cnf.inputs(3)
    assert cnf.all([]) == TRUE
    assert cnf.all([TRUE, x, x]) == x
    assert cnf.all([x, FALSE]) == FALSE
    assert cnf.all([x, y, -x]) == FALSE
    assert cnf.all([x, y, TRUE]) == cnf.all([y, x, y])
    assert cnf.any([]) == FALSE
    assert cnf.any([x, -x]) == TRUE
    assert cnf.at_least([3, 2, 2], [x, y, z], 3) == -cnf.at_least([-3, -2, -2], [x, y, z], -2)
    size = len(cnf.clauses)
    assert cnf.at_least([6, 4, 4], [x, y, z], 5) == cnf.at_least([3, 2, 2], [x, y, z], 3)
    assert len(cnf.clauses) == size


def test_normal_form():
    assert gathered([(2, 5), (3, -5), (-4, 6), (9, TRUE), (9, FALSE)], 10) == (((1, -5), (4, -6)), 3)
    assert normal(((4, 2), (6, 3), (9, 5)), 4) == (((1, 2), (1, 3), (1, 5)), 1, False)
    assert normal(((1, 2), (1, 3), (1, 5)), 3) == (((1, -2), (1, -3), (1, -5)), 1, True)


def test_too_many_sums_go_to_the_adder():
    cnf = Cnf(encoding=by_width)
    inputs = cnf.inputs(30)
    cnf.at_least([3**i for i in range(30)], inputs, 3**29 + 3**20 + 5)  # a totalizer would have 2^30 sums
    assert cnf.variables < 20_000
    assert WIDEST < 2**30


def test_few_ones_make_rows_short():
    weights = np.where(np.arange(200) % 2, 1, -1).tolist()
    sizes = []
    for most in (None, 2):
        cnf = Cnf(most=most)
        cnf.at_least(weights, cnf.inputs(200), 1)
        sizes.append(len(cnf.clauses))
    assert 5 * sizes[1] < sizes[0]


REGIONS = [
    HammingBall(np.array([1, 0, 1, 1, 0, 0, 1, 0]), 2),
    Shell(np.array([1, 0, 1, 1, 0, 0, 1, 0]), 1, 3, free=[0, 1, 2, 4, 6, 7]),
    Everything(8),
]


@every_encoding
@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.kind)
@pytest.mark.parametrize("seed", range(4))
def test_projected_counts_of_networks(encoding, region: Region, seed):
    """Each set of targets, from either side: the models of clauses and event are the points of those classes, once each."""
    random = np.random.default_rng(seed)
    network = Network(
        (Block(random.integers(-1, 2, (6, 8)), random.integers(-1, 2, 6)), Block(random.choice([-1, 1], (5, 6)), [0] * 5)),
        Head(random.choice([-1, 1], (4, 5)), [0] * 4, random.permutation(4)),  # ties on purpose
    )
    question = presolve(network, region)
    points = np.concatenate(list(question.region.points()))
    labels = question.network(points)
    for size in range(len(question.classes) + 1):
        targets = frozenset(range(size))
        made = formula(question, targets, encoding=encoding)
        found = models_by_inputs(made.clauses + made.event, made.variables, made.inputs, made.at_mosts)
        assert sorted(found) == sorted(tuple(p) for p, label in zip(points.tolist(), labels, strict=True) if label in targets)
        everywhere = models_by_inputs(made.clauses, made.variables, made.inputs, made.at_mosts)
        for point, label in zip(points.tolist(), labels, strict=True):
            assert {c for c, literal in made.wins.items() if literal in everywhere[tuple(point)]} == {label} & set(made.wins)


def test_a_region_of_one_point_and_of_no_bits():
    network = Network((), Head([[1, 1], [0, 0]], [0, 1]))
    for free in ([0, 1], []):
        question = presolve(network, HammingBall(np.array([1, 1]), 0, free=free))
        assert question.decided
        made = formula(question, frozenset([0]))
        assert len(models_by_inputs(made.clauses + made.event, made.variables, made.inputs, made.at_mosts)) == 1
        nothing = formula(question, frozenset())
        assert not models_by_inputs(nothing.clauses + nothing.event, nothing.variables, nothing.inputs)


def test_native_rows_need_one_variable_and_no_clauses():
    cnf = Cnf(most=3, encoding=native)
    inputs = cnf.inputs(300)
    clauses, variables = len(cnf.clauses), cnf.variables
    cnf.at_least(np.where(np.arange(300) % 2, 1, -1).tolist(), inputs, 1)
    assert (len(cnf.clauses), cnf.variables) == (clauses, variables + 1)
    cnf.at_least([LONGEST] * 299 + [1], inputs, LONGEST + 1)  # too long to write out
    assert len(cnf.clauses) > clauses
