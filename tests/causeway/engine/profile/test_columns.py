"""What a profile says of a column: the numbers of pandas, and a line for what is not computed."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.engine.profile import counts
from causeway.engine.profile.columns import BINS, QUANTILES
from tests.causeway.engine.profile.helpers import profiled

NUMBERS = st.none() | st.integers(-50, 50) | st.floats(-1e6, 1e6)


@given(st.lists(NUMBERS, min_size=1, max_size=40), st.integers(1, 3))
def test_a_quantity_has_the_numbers_of_pandas(values: list[float | None], parts: int) -> None:
    frame = pl.DataFrame({"x": values}, schema={"x": pl.Float64}, strict=False)
    column, expected = profiled(frame, parts)["columns"]["x"], frame["x"].drop_nulls().to_pandas()
    assert column["nulls"] == frame["x"].null_count()
    if not len(expected):
        assert column["notes"][0] == "it has no values"
        return
    assert column["distinct"] == {"count": expected.nunique(), "method": "exact"}
    assert (column["minimum"], column["maximum"]) == (expected.min(), expected.max())
    assert column["mean"] == pytest.approx(expected.mean(), rel=1e-9, abs=1e-9)
    if len(expected) > 1:
        assert column["deviation"] == pytest.approx(expected.std(), rel=1e-9, abs=1e-9)
    shown = [quantile["value"] for quantile in column["quantiles"]["values"]]
    assert shown == pytest.approx(expected.quantile(list(QUANTILES)).tolist(), rel=1e-9, abs=1e-9)
    if "histogram" in column:
        heights, edges = np.histogram(expected, BINS)
        assert (column["histogram"]["counts"], len(edges)) == (heights.tolist(), BINS + 1)


def test_dates_times_and_decimals_are_shown_as_they_are_written() -> None:
    frame = pl.DataFrame(
        {
            "day": [date(2024, 1, 1), date(2024, 1, 3)],
            "at": [datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)],
            "clock": [time(1, 30), time(2, 30)],
            "price": [Decimal("1.10"), Decimal("3.30")],
        }
    )
    columns = profiled(frame)["columns"]
    assert (columns["day"]["minimum"], columns["day"]["mean"]) == ("2024-01-01", "2024-01-02")
    assert (columns["day"]["deviation"], columns["day"]["unit"]) == (pytest.approx(2**0.5), "days")
    assert columns["at"]["mean"] == "2024-01-01T12:00:00+00:00"
    assert columns["at"]["frequent"]["values"][0]["value"].startswith("2024-01-01T00:00:00")
    assert (columns["clock"]["maximum"], columns["clock"]["mean"]) == ("02:30:00", "02:00:00")
    assert (columns["price"]["maximum"], columns["price"]["mean"]) == (3.3, pytest.approx(2.2))


def test_texts_have_lengths_patterns_and_what_is_frequent() -> None:
    column = profiled(pl.DataFrame({"x": ["N1", "N2", "N2", "abc", None]}))["columns"]["x"]
    assert column["lengths"] == {"minimum": 2, "maximum": 3, "mean": 2.25}
    assert column["patterns"] == [{"pattern": "A9", "count": 3}, {"pattern": "aaa", "count": 1}]
    assert column["frequent"]["values"][0] == {"value": "N2", "count": 2}


def test_many_values_are_estimated_within_the_error_that_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "EXACT", 1000)
    rng = np.random.default_rng(1)
    values = rng.normal(size=30_000)
    often = ["often"] * 5_000 + [f"{n}" for n in range(25_000)]
    frame = pl.DataFrame({"x": values, "s": often})
    columns = profiled(frame, parts=4)["columns"]
    distinct = columns["x"]["distinct"]
    assert distinct["method"] == "k minimum values"
    assert abs(distinct["count"] / 30_000 - 1) < 2 * distinct["relative_error"]
    quantiles = columns["x"]["quantiles"]
    for quantile in quantiles["values"]:
        rank = (values <= quantile["value"]).mean()
        assert abs(rank - quantile["share"]) < 2 * quantiles["rank_error"]
    assert columns["x"]["mean"] == pytest.approx(values.mean(), abs=1e-12)
    assert columns["s"]["frequent"]["values"][0]["value"] == "often"
    assert columns["s"]["frequent"]["values"][0]["count"] <= 5_000
    assert columns["x"]["notes"][0].startswith("more than")


def test_numbers_that_are_not_finite_are_counted_and_left_out() -> None:
    odd = [1.0, 2.0, 4.0, math.inf, -math.inf, math.nan, None]
    document = profiled(pl.DataFrame({"x": odd, "y": [1.0, 2, 4, 5, 6, 7, 8]}))
    column = document["columns"]["x"]
    assert (column["not_finite"], column["nulls"], column["maximum"]) == (3, 1, 4)
    assert column["mean"] == pytest.approx(7 / 3)
    assert "3 values are no finite numbers" in column["notes"][0]
    (pair,) = document["associations"]
    assert (pair["n"], pair["pearson"]) == (3, pytest.approx(1))


ODD: dict[str, tuple[pl.Series, str]] = {
    "constant": (pl.Series([7, 7, 7]), "constant: it has one value"),
    "all null": (pl.Series([None, None, None], dtype=pl.Int64), "it has no values"),
    "null type": (pl.Series([None, None, None], dtype=pl.String), "it has no values"),
    "lists": (pl.Series([[1], [2], []]), "nested: only nulls are counted"),
    "structs": (pl.Series([{"a": 1}, {"a": 2}, {"a": 3}]), "nested: only nulls are counted"),
    "each once": (pl.Series(["a", "b", "c"]), "each value occurs once"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_is_said_and_fails_nothing(name: str) -> None:
    series, note = ODD[name]
    column = profiled(pl.DataFrame({"x": series, "y": [1, 2, 3]}), parts=2)["columns"]["x"]
    assert note in column["notes"]


@pytest.mark.parametrize("rows", [0, 1])
def test_a_table_of_hardly_any_rows_has_a_profile(rows: int) -> None:
    frame = pl.DataFrame({"n": [1], "s": ["a"], "f": [True], "d": [date(2024, 1, 1)]})[:rows]
    document = profiled(frame)
    assert (document["rows"], document["associations"]) == (rows, [])
    assert all(column["notes"] for column in document["columns"].values())


def test_an_identifier_is_compared_with_nothing() -> None:
    frame = pl.DataFrame({"id": [1, 2, 3, 4], "n": [1, 2, 3, 5]})
    document = profiled(frame, id="identifier")
    assert document["associations"] == []
    assert "mean" not in document["columns"]["id"]


def test_columns_of_too_many_values_say_what_they_are_not_compared_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counts, "EXACT", 10)
    frame = pl.DataFrame({"x": [float(n) for n in range(20)], "y": [n % 5 for n in range(20)]})
    document: Any = profiled(frame)
    (pair,) = document["associations"]
    assert pair["spearman"] is None
    assert pair["caveats"] == ["no ranks: Pearson's alone, which outliers can make"]
    assert any("no ranks" in note for note in document["columns"]["x"]["notes"])


def test_a_thousand_columns_have_a_profile_and_the_first_of_them_are_compared() -> None:
    rng = np.random.default_rng(5)
    frame = pl.DataFrame({f"c{n}": rng.normal(size=50) for n in range(1000)})
    document = profiled(frame)
    assert len(document["columns"]) == 1000
    assert len(document["associations"]) == 200 * 199 // 2
    assert document["columns"]["c199"]["notes"] == ["each value occurs once"]
    assert "compared with no column: it comes after 200 others" in document["columns"]["c200"]["notes"][-1]


@given(st.lists(st.tuples(st.floats(), st.floats()), min_size=1, max_size=8), st.integers(1, 3))
def test_doubles_of_any_size_make_a_profile_without_a_nan(
    values: list[tuple[float, float]], parts: int
) -> None:
    frame = pl.DataFrame(values, schema={"x": pl.Float64, "y": pl.Float64}, orient="row")
    profiled(frame, parts)  # which is read as JSON, and by its schema


@pytest.mark.parametrize("far", [1e308, 1e-300])
def test_values_too_far_apart_or_too_close_are_not_compared_and_say_so(far: float) -> None:
    document = profiled(pl.DataFrame({"x": [0.0, far, -far], "y": [1.0, 2.0, 4.0]}))
    assert document["associations"] == []
    assert "doubles cannot hold how far its values are apart" in document["columns"]["x"]["notes"][-1]
    assert (document["columns"]["x"]["minimum"], document["columns"]["x"]["maximum"]) == (-far, far)


def test_a_number_that_is_a_category_may_be_infinite_or_minus_zero() -> None:
    frame = pl.DataFrame({"x": [0.0, -0.0, 1.0, 1.0, math.inf, math.nan], "y": [1, 2, 5, 6, 7, 8]})
    document = profiled(frame, x="category")
    assert document["columns"]["x"]["distinct"]["count"] == 2
    (pair,) = document["associations"]
    assert (pair["kind"], pair["n"], pair["groups"]) == ("quantity-category", 4, 2)
