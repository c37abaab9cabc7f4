"""The demo fails when what it shows does not hold."""

from typing import Any

import pytest

from local.demo.__main__ import wrong
from local.demo.partner import Outcome
from local.install import lacking

GOOD = {"landed": 10, "curated": 8, "quarantined": 2, "read_by_partner": 8}
REFUSED = [Outcome("read landing", "refused")]


def test_an_account_that_adds_up_has_nothing_wrong() -> None:
    assert wrong({"flights": GOOD}, REFUSED) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"landed": 11}, "flights: landed 11 ≠ curated 8 + quarantined 2"),
        ({"quarantined": 1}, "flights: landed 10 ≠ curated 8 + quarantined 1"),
        ({"read_by_partner": 7}, "flights: curated 8, but the partner read 7"),
    ],
)
def test_a_row_that_is_not_accounted_for_is_wrong(change: dict[str, int], said: str) -> None:
    account: dict[str, Any] = {"flights": {**GOOD, **change}}
    assert wrong(account, REFUSED) == [said]


@pytest.mark.parametrize("outcome", ["granted", "error: InternalError"])
def test_what_is_not_refused_is_wrong_and_an_error_is_no_refusal(outcome: str) -> None:
    assert wrong({"flights": GOOD}, [Outcome("read landing", outcome)]) == [
        f"not refused: read landing ({outcome})"
    ]


def test_an_old_python_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.version_info", (3, 9, 1))
    assert lacking() == (
        "Python 3.11 or newer is needed, found 3.9.1: name another, as in make PYTHON=python3.13 …"
    )
