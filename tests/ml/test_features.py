"""A row's features: those of a training set and those of a question are the same numbers."""

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.features import BUCKETS, WORDS_OF, column_names, numbers, table
from ml.spec import Feature, load_spec

SPAM, LATE = load_spec("spam"), load_spec("late")
TEXTS = st.none() | st.text(max_size=80) | st.sampled_from(["FREE money! $$$", "re: [list] hi\n> wrote\n"])
MAILS = st.fixed_dictionaries(
    {"subject": TEXTS, "body": TEXTS, "structure": st.sampled_from(["plain", "html", "multipart"])}
)


def feature(take: str, **more: Any) -> Feature:
    return Feature.model_validate({"name": "x", "of": "x", "take": take, **more})


@pytest.mark.parametrize(
    ("one", "value", "expected"),
    [
        (feature("number"), 7, 7.0),
        (feature("length"), "abc", math.log(4)),
        (feature("lines"), "a\nb\n", math.log(3)),
        (feature("count", pattern="a|b"), "abcab", math.log(5)),
        (feature("share", pattern="[A-Z]"), "ABcd", 0.5),
        (feature("has", pattern="^re"), "re: re", 1.0),
        (feature("has", pattern="^re"), "a re", 0.0),
        (feature("weekday"), datetime(2002, 9, 16, tzinfo=UTC), 0.0),
        (feature("weekday"), "2002-09-22T23:59:59Z", 6.0),
        (feature("number", least=0), -3, 0.0),
        (feature("number", most=10), 11.5, 10.0),
        (feature("share", pattern="!", most=0.05), "!!", 0.05),
        (feature("share", pattern="!"), "", 0.0),
        (feature("length"), None, 0.0),
        (feature("has", pattern="None"), None, 0.0),
    ],
)
def test_a_feature_is_this_number(one: Feature, value: Any, expected: float) -> None:
    assert numbers(one, value) == pytest.approx([expected])


def test_of_several_values_each_is_a_number() -> None:
    one = feature("one_of", values=["a", "b"])
    assert one.columns == ["x: a", "x: b"]
    assert [numbers(one, value) for value in ("a", "b", "c", None)] == [[1, 0], [0, 1], [0, 0], [0, 0]]


@pytest.mark.parametrize("take", ["number", "weekday"])
def test_a_number_that_is_missing_is_not_one(take: str) -> None:
    (found,) = numbers(feature(take, least=0, most=1), None)
    assert math.isnan(found)


def test_a_missing_number_is_still_missing_in_the_table() -> None:
    row: dict[str, Any] = dict.fromkeys(LATE.columns()) | {"hour": 5}
    found = dict(zip(column_names(LATE), table(LATE, [row]).toarray()[0], strict=False))
    assert found["hour"] == 5
    assert math.isnan(found["distance"])


@given(st.lists(MAILS, min_size=1, max_size=6))
def test_a_row_has_the_same_features_alone_and_in_a_table(rows: list[dict[str, Any]]) -> None:
    together = table(SPAM, rows)
    assert together.shape == (len(rows), len(column_names(SPAM)) + BUCKETS)
    for place, row in enumerate(rows):
        assert np.array_equal(together[[place]].toarray(), table(SPAM, [row]).toarray(), equal_nan=True)


def test_words_are_counted_whatever_their_case_and_no_further_than_they_count() -> None:
    row = {"subject": "Money", "body": "money x " + " " * WORDS_OF + "beyond", "structure": "plain"}
    words = table(SPAM, [row])[:, len(column_names(SPAM)) :]
    assert sorted(words.data) == [1, 2]


def test_a_table_has_no_words_but_numbers_of_columns_alone() -> None:
    made = table(SPAM, [{"subject": "secret", "body": "secret words", "structure": "plain"}])
    assert made.dtype == np.float64
    assert all(array.dtype.kind in "if" for array in (made.data, made.indices, made.indptr))


def test_a_tier_has_the_numbers_of_those_before_it_first() -> None:
    every = column_names(SPAM)
    assert column_names(SPAM, 0) == every[:1] == ["length"]
    assert column_names(SPAM, 1) == column_names(SPAM, 2) == every
