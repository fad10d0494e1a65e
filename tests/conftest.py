"""The engines under test, each opened once and asked many questions."""

from collections.abc import Iterator

import pytest

from bnnverify.queries.engine import Engine
from bnnverify.queries.plan import ENGINES, load_engine


@pytest.fixture(scope="session", params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Yield each engine in turn, in this process: what the child runs, without the pipe."""
    running = load_engine(ENGINES[request.param])()
    yield running
    running.close()
