"""The fault matrix at the size of the tests, and each of its defences taken away."""

import pytest

from tests.faults.ablations import ABLATIONS, inject_without
from tests.faults.rows import ROWS, inject


@pytest.mark.parametrize("name", ROWS)
def test_the_promise_holds_under(name: str) -> None:
    _, size, _ = ROWS[name]
    row = inject(name, size, 1)
    assert row.failures == 0, row.measured
    assert row.n > 0


@pytest.mark.parametrize("name", ABLATIONS)
def test_the_matrix_fails_without(name: str) -> None:
    assert inject_without(name, 1).failures > 0
