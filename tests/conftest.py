"""The engines under test, each opened once and asked many questions, in this process: what the child runs, without the pipe."""

from collections.abc import Iterator

import pytest

from bnnverify.queries.engines.registry import named
from tests.support.enumerated import Direct
from tests.support.requirements import COUNTING, FINDING, OWN


@pytest.fixture(scope="session", params=[name for name in OWN if not named(name).ability.counted_by] + [COUNTING])
def engine(request: pytest.FixtureRequest) -> Iterator[Direct]:
    """Yield each engine in turn that counts."""
    yield from opened(request.param)


@pytest.fixture(scope="session", params=[*OWN, FINDING])
def finder(request: pytest.FixtureRequest) -> Iterator[Direct]:
    """Yield each engine in turn: all of them answer yes or no."""
    yield from opened(request.param)


def opened(name: str) -> Iterator[Direct]:
    running = Direct(named(name).open, name=name)
    yield running
    running.close()
