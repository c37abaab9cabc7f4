"""Whether the world has changed, and whether that, or anything else, is worth a training."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.judge.drift import FEW, counts, decide, edges, stability_index

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200)
TWO = st.integers(1, 11).flatmap(
    lambda bins: st.tuples(*[st.lists(st.integers(0, 500), min_size=bins, max_size=bins)] * 2)
)
OLD = {"run": "a", "until": "2002-09-15"}


@given(NUMBERS)
def test_numbers_are_as_far_as_nothing_from_themselves(numbers: list[float]) -> None:
    found = counts(numbers, edges(numbers))
    assert sum(found) == len(numbers)
    assert stability_index(found, found) == 0


@given(TWO)
def test_the_index_is_never_negative_and_the_same_both_ways(two: tuple[list[int], list[int]]) -> None:
    before, after = two
    assert stability_index(before, after) >= 0
    assert stability_index(before, after) == pytest.approx(stability_index(after, before))


def test_the_index_tells_numbers_that_moved_from_others_like_them() -> None:
    before = [float(n % 100) for n in range(1000)]
    ends = edges(before)
    like = counts([float(n * 7 % 100) for n in range(300)], ends)
    moved = counts([number + 30 for number in before], ends)
    assert stability_index(counts(before, ends), like) < 0.1
    assert stability_index(counts(before, ends), moved) > 0.25


@pytest.mark.parametrize("usual", [0.0, 1.0])
@pytest.mark.parametrize("others", [0, 5])
def test_a_number_that_nearly_every_row_had_is_told_from_others(usual: float, others: int) -> None:
    before = [usual] * (100 - others) + [1 - usual] * others
    ends = edges(before)
    moved = counts([usual] * 40 + [1 - usual] * 60, ends)
    assert stability_index(counts(before, ends), moved) > 0.25


def test_a_bin_that_neither_has_says_nothing_however_few_the_rows() -> None:
    assert stability_index([500, 0, 0], [3, 0, 0]) == 0


@given(st.integers(0, 2**32))
def test_rows_that_are_enough_to_tell_do_not_differ_by_chance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before, after = rng.normal(size=2000).tolist(), rng.normal(size=FEW).tolist()
    ends = edges(before)
    assert stability_index(counts(before, ends), counts(after, ends)) < 0.25


def test_bins_have_about_equal_numbers_of_rows() -> None:
    numbers = [n**2 / 7 for n in range(1000)]
    assert set(counts(numbers, edges(numbers))) == {100}


def decided(
    fresh: int,
    moved: float = 0.0,
    *,
    champion: bool = True,
    asked: bool = False,
    judged: tuple[str, int] | None = None,
) -> dict[str, Any]:
    """`judged`: the run that last came to the gate, and how many rows fewer it had."""
    windows = {"holdout": {"rows": fresh}}
    pin = {"rows": 5000, "windows": windows, "drift": {"length": moved, "links": 0.0}}
    last = {"run": judged[0], "rows": 5000 - judged[1]} if judged else None
    return decide(pin, OLD if champion else None, last, new_rows=500, drift=0.25, asked=asked)


@pytest.mark.parametrize(
    ("found", "action", "why"),
    [
        (decided(10, champion=False), "train", "the first model"),
        (
            decided(0, asked=True),
            "skip",
            "no row is newer than the model in use, which saw rows until 2002-09-15",
        ),
        (decided(500), "train", "500 new rows, and 500 are enough"),
        (decided(499), "skip", "499 new rows are not yet 500, and nothing has moved by 0.25"),
        (decided(499, 0.25), "train", "length has moved: its stability index is 0.25, and 0.25 is much"),
        (decided(499, 0.24), "skip", "499 new rows are not yet 500, and nothing has moved by 0.25"),
        (
            decided(149, 2.0),
            "skip",
            "149 new rows are not yet 500, and too few to tell whether anything has moved",
        ),
        (decided(1, asked=True), "train", "asked for"),
        (
            decided(10, champion=False, judged=("b", 499)),
            "skip",
            "499 rows more than run b had, which is not in use; 500 are enough",
        ),
        (decided(10, champion=False, judged=("b", 500)), "train", "the first model"),
        (decided(10, champion=False, judged=("b", 1), asked=True), "train", "the first model"),
        (
            decided(900, 2.0, judged=("b", 400)),
            "skip",
            "400 rows more than run b had, which is not in use; 500 are enough",
        ),
        (decided(900, judged=("b", 500)), "train", "900 new rows, and 500 are enough"),
        (
            decided(499, 0.25, judged=("a", 1)),
            "train",
            "length has moved: its stability index is 0.25, and 0.25 is much",
        ),
    ],
)
def test_a_training_has_a_reason_and_so_has_none(found: dict[str, Any], action: str, why: str) -> None:
    assert (found["action"], found["why"]) == (action, why)
