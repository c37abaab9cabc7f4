"""A model passes where later rows prove it good, and only there."""

from typing import Any

import pytest

from ml.judge.gate import judge
from ml.judge.metrics import Flagged

LIMITS = {"structure": 0.10, "collection": 1.0}


def report(right: int, wrong: int, **changed: Any) -> dict[str, Any]:
    """Of a model that flags so many of 1,000 later rows."""
    holdout = Flagged(right, wrong, 500, 500).document(0.1)
    return {
        "threshold": 0.8,
        "chosen": 0.95,
        "holdout": holdout,
        "slices": [],
        "average_precision": 0.95,
    } | changed


def sliced(wrong: int, negatives: int, column: str = "structure") -> list[dict[str, Any]]:
    return [{"column": column, "value": "html", "wrong": wrong, "negatives": negatives}]


def verdict(report: dict[str, Any], certified: float = 0.90) -> tuple[str, str]:
    found = judge(report, certified=certified, limits=LIMITS)
    return found["verdict"], "; ".join(found["reasons"])


def test_a_model_whose_lower_bound_holds_passes_without_a_reason() -> None:
    assert verdict(report(95, 3)) == ("passed", "")


def test_a_model_whose_lower_bound_is_too_low_fails_whatever_its_precision() -> None:
    assert 93 / 100 > 0.90
    assert verdict(report(93, 7)) == ("failed", "precision 93/100, lower bound 0.863, and 0.9 is wanted")


@pytest.mark.parametrize(("flagged", "found"), [(72, "not enough evidence"), (73, "passed")])
def test_few_flagged_rows_are_no_evidence_even_without_an_error(flagged: int, found: str) -> None:
    told, why = verdict(report(flagged, 0), certified=0.95)
    assert told == found
    assert told == "passed" or "0.95 needs 73 flagged rows without an error" in why


def test_few_flagged_rows_that_cannot_be_good_enough_are_a_failure() -> None:
    told, why = verdict(report(10, 55), certified=0.95)
    assert (told, why) == ("failed", "precision 10/65, lower bound 0.086, and 0.95 is wanted")


def test_one_row_is_no_evidence_against_a_slice() -> None:
    assert verdict(report(95, 3, slices=sliced(1, 1)))[0] == "passed"


def test_without_a_threshold_there_is_no_evidence() -> None:
    told, why = verdict(report(0, 0, threshold=None, holdout=None))
    assert told == "not enough evidence"
    assert "0.95 on the validation rows" in why


@pytest.mark.parametrize(
    ("wrong", "negatives", "found"), [(3, 20, "passed"), (30, 200, "failed"), (20, 200, "passed")]
)
def test_a_slice_fails_where_even_its_lower_bound_is_beyond_the_limit(
    wrong: int, negatives: int, found: str
) -> None:
    told, why = verdict(report(95, 3, slices=sliced(wrong, negatives)))
    assert told == found
    assert told == "passed" or "structure html: 30 of 200 negatives are flagged" in why


def test_a_slice_that_is_told_and_not_limited_never_fails() -> None:
    assert verdict(report(95, 3, slices=sliced(200, 200, "collection")))[0] == "passed"


@pytest.mark.parametrize(("in_use", "found"), [(0.954, "passed"), (0.956, "failed")])
def test_a_model_that_is_worse_than_the_one_in_use_fails(in_use: float, found: str) -> None:
    assert verdict(report(95, 3, champion={"average_precision": in_use}))[0] == found


def test_what_failed_is_not_called_a_lack_of_evidence_and_both_are_told() -> None:
    told, why = verdict(report(9, 0, slices=sliced(150, 200)))
    assert told == "failed"
    assert "negatives are flagged" in why
    assert "needs" in why
