"""Bounds of precision are scipy's, and a threshold is the lowest whose bound holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from ml.judge.metrics import Flagged, exact_lower, lowest_threshold, needed_without_error, wilson

COUNTS = st.integers(1, 3000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))
SCORED = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9).map(lambda n: n / 10)), max_size=60)


@given(COUNTS, st.sampled_from([0.8, 0.95, 0.99]))
def test_bounds_are_those_of_scipy(counts: tuple[int, int], confidence: float) -> None:
    expected = binomtest(*counts).proportion_ci(confidence, "wilson")
    assert wilson(*counts, confidence) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(COUNTS)
def test_the_exact_lower_bound_is_scipys(counts: tuple[int, int]) -> None:
    expected = binomtest(*counts).proportion_ci().low
    assert exact_lower(*counts) == pytest.approx(float(expected), abs=1e-9)


def test_of_no_rows_nothing_is_known() -> None:
    assert (wilson(0, 0), exact_lower(0, 0)) == ((0.0, 1.0), 0.0)


@pytest.mark.parametrize(("bound", "needed"), [(0.95, 73), (0.99, 381)])
def test_so_many_rows_without_an_error_hold_a_bound(bound: float, needed: int) -> None:
    assert needed_without_error(bound) == needed
    assert binomtest(needed - 1, needed - 1).proportion_ci(method="wilson").low < bound


@given(SCORED, st.sampled_from([0.3, 0.5, 0.8]))
def test_the_threshold_is_the_lowest_whose_bound_holds(scored: list[tuple[int, float]], bound: float) -> None:
    labels, scores = [label for label, _ in scored], [score for _, score in scored]
    holds = [score for score in scores if Flagged.of(labels, scores, score).lower >= bound]
    assert lowest_threshold(labels, scores, bound) == min(holds, default=None)


def test_a_threshold_flags_rows_from_it_on() -> None:
    flagged = Flagged.of([1, 0, 1, 0, 1], [0.9, 0.5, 0.5, 0.4, 0.1], 0.5)
    assert flagged == Flagged(right=2, wrong=1, positives=3, negatives=2)
    assert (flagged.precision, flagged.recall) == pytest.approx((2 / 3, 2 / 3))


def test_precision_is_told_for_another_share_of_positives() -> None:
    precision, lower = Flagged(right=80, wrong=4, positives=100, negatives=400).precision_at(0.1)
    assert precision == pytest.approx(0.1 * 0.8 / (0.1 * 0.8 + 0.9 * 0.01))
    least = binomtest(80, 100).proportion_ci(method="wilson").low
    most = binomtest(4, 400).proportion_ci(method="wilson").high
    assert lower == pytest.approx(0.1 * least / (0.1 * least + 0.9 * most))


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_for_the_share_that_the_rows_have_it_is_their_precision(
    right: int, wrong: int, missed: int, passed: int
) -> None:
    flagged = Flagged(right, wrong, right + missed, wrong + passed)
    share = flagged.positives / (flagged.positives + flagged.negatives)
    assert flagged.precision_at(share)[0] == pytest.approx(flagged.precision)
