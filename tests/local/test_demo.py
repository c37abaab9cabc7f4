"""The demo fails when what it shows does not hold."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.demo.accounts import problems_of

ROOT = Path(__file__).resolve().parents[2]
GOOD = {"landed": 10, "curated": 8, "quarantined": 2, "read_by_partner": 8}
REFUSED = {"read landing": "refused"}


def test_an_account_that_adds_up_has_nothing_wrong() -> None:
    assert problems_of({"flights": GOOD}, REFUSED) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"landed": 11}, "flights: landed 11 ≠ curated 8 + quarantined 2"),
        ({"quarantined": 1}, "flights: landed 10 ≠ curated 8 + quarantined 1"),
        ({"read_by_partner": 7}, "flights: curated 8, but the partner read 7"),
    ],
)
def test_a_row_that_is_not_accounted_for_is_wrong(change: dict[str, int], problem: str) -> None:
    account: dict[str, Any] = {"flights": {**GOOD, **change}}
    assert problems_of(account, REFUSED) == [problem]


@pytest.mark.parametrize("outcome", ["granted", "error: InternalError"])
def test_what_is_not_refused_is_wrong_and_an_error_is_no_refusal(outcome: str) -> None:
    problems = problems_of({"flights": GOOD}, {"read landing": outcome})
    assert problems == [f"not refused: read landing ({outcome})"]


def test_an_old_python_is_named_with_what_to_do(tmp_path: Path) -> None:
    old = tmp_path / "python"
    pretend = "import sys; sys.version_info, sys.version = (3, 9, 1), '3.9.1'; exec(sys.argv[1])"
    old.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{pretend}" "$2"\n')
    old.chmod(0o755)
    done = subprocess.run(
        ["make", "install", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    expected = "Python 3.11 or newer is needed, found 3.9.1: name another, as in make PYTHON=python3.13 …"
    assert f"make: {expected}" in done.stderr
    assert not (tmp_path / "venv").exists()
