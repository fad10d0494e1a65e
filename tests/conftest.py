"""The engines under test, each opened once and asked many questions, in this process: what the child runs, without the pipe."""

from collections.abc import Iterator

import pytest

from bnnverify.queries.engines.base import Engine
from bnnverify.queries.planning.plan import ENGINES, load_engine
from tests.support.requirements import COUNTING, FINDING, OWN


@pytest.fixture(scope="session", params=[*OWN, COUNTING])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Yield each engine in turn that counts."""
    yield from opened(request.param)


@pytest.fixture(scope="session", params=[*OWN, FINDING])
def finder(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Yield each engine in turn: all of them answer yes or no."""
    yield from opened(request.param)


def opened(name: str) -> Iterator[Engine]:
    running = load_engine(ENGINES[name])()
    yield running
    running.close()
