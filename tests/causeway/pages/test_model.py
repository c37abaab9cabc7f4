"""A trained model's page, whatever the gate said."""

from typing import Any

import pytest

from causeway.pages.model import model_page

FLAGGED = {"right": 9, "wrong": 1, "positives": 12, "negatives": 30, "flagged": 10, "precision": 0.9}
HOLDOUT = {**FLAGGED, "recall": 0.75, "lower": 0.596, "at_share": 0.8, "lower_at_share": 0.4}
WINDOW = {
    "rows": 42,
    "positives": 12,
    "first": "2002-08-01T00:00:00+00:00",
    "last": "2002-08-31T00:00:00+00:00",
}
EMPTY = {"rows": 0, "positives": 0, "first": None, "last": None}
PIN: dict[str, Any] = {
    "dataset": "mail",
    "snapshot": "7",
    "rows": 50,
    "repeated_or_unlabelled": 8,
    "windows": {"train": WINDOW, "validate": WINDOW, "holdout": EMPTY},
    "drift": {"length": 0.3},
}
CANDIDATE = {"name": "tree-0", "round": 1, "train": 1.0, "same_period": 0.9, "later": 0.6, "seconds": 0.1}
SLICE = {
    "column": "structure",
    "value": "html",
    "rows": 9,
    "positives": 2,
    "right": 1,
    "wrong": 1,
    "negatives": 7,
}
REPORT: dict[str, Any] = {
    "model": "spam",
    "run": "20260101-000000-00000000",
    "best": "tree-0",
    "card": {"purpose": "For <b>tests</b>.", "limits": ["None of it is real."]},
    "certified": 0.5,
    "limits": {"structure": 0.1},
    "expected_share": 0.1,
    "threshold": 0.7,
    "average_precision": 0.8,
    "holdout": HOLDOUT,
    "rounds": [{"round": 1, "said": "tree-0 overfits"}],
    "candidates": [CANDIDATE, {**CANDIDATE, "name": "linear-l1-0", "weights": 3, "zero_weights": 2}],
    "slices": [SLICE],
    "calibration": [{"predicted": 0.1, "true": 0.2}],
    "learning_curve": [{"rows": 20, "later": 0.5}],
    "importances": [{"feature": "length", "lost": 0.25}],
    "words": {},
}  # fmt: skip
ABLATIONS = [{"trained_on": name, "rows": 20, "before": 0.83, "now": 0.94} for name in ("original", "both")]
LATER: dict[str, Any] = {
    **REPORT,
    "champion": {"run": "before", "average_precision": 0.61, "average_precision_before": 0.72},
    "ablations": [*ABLATIONS, {"trained_on": "new", "rows": 0}],
}
PASSED: dict[str, Any] = {"verdict": "passed", "reasons": []}


def test_the_page_says_the_gates_numbers_what_the_model_is_for_and_what_it_leans_on() -> None:
    page = model_page(REPORT, PASSED, PIN)
    for told in ("Model spam: passed", "9 of 10", "59.6%", "None of it is real", "2 of 3", "14.3%", "0.2500"):
        assert told in page
    assert "Beside the model in use" not in page


def test_no_text_of_a_report_is_taken_for_html() -> None:
    page = model_page(REPORT, PASSED, PIN)
    assert "&lt;b&gt;tests" in page
    assert "<b>tests" not in page


@pytest.mark.parametrize("verdict", ["failed", "not enough evidence"])
def test_a_model_without_a_threshold_has_a_page_that_says_why(verdict: str) -> None:
    refused = {"verdict": verdict, "reasons": ["no threshold has precision of 0.95"]}
    page = model_page({**REPORT, "threshold": None, "holdout": None, "slices": []}, refused, PIN)
    assert f"Model spam: {verdict}" in page
    assert "no threshold has precision of 0.95" in page


def test_a_later_model_stands_beside_the_one_in_use_and_its_own_ablations() -> None:
    page = model_page(LATER, PASSED, PIN)
    for told in ("in use (before)", "0.720", "0.610", "this model", "0.830", "0.940", "original", "new"):
        assert told in page
