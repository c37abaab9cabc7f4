"""The fault matrix at the size of the tests, and each of its defences taken away."""

import pytest

from tests.faults.ablations import ABLATIONS
from tests.faults.rows import ROWS


@pytest.mark.parametrize("name", ROWS)
def test_the_promise_holds_under(name: str) -> None:
    inject, n, _ = ROWS[name]
    row = inject(n, 1)
    assert row.failures == 0, row.measured
    assert row.n > 0


@pytest.mark.parametrize("name", ABLATIONS)
def test_the_matrix_fails_without(name: str) -> None:
    take_away, row, n = ABLATIONS[name]
    with take_away():
        assert ROWS[row][0](n, 1).failures > 0
