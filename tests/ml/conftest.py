"""One thread: boosting's wait for each other by spinning, on machines that others use too."""

from collections.abc import Iterator

import pytest
import threadpoolctl  # type: ignore[import-untyped]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    with threadpoolctl.threadpool_limits(1):
        yield
