"""Whether a profile's numbers are what a contract says: yes, no, or that the profile does not tell."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.contract.bound import OPERATORS, Bound
from causeway.engine.profile import counts
from causeway.engine.profile.bounds import judge
from tests.causeway.engine.profile.helpers import VALIDATOR, profiled

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
FRAME = pl.DataFrame(
    {
        "x": [1.0, 2.0, 2.0, 7.0, None],
        "s": ["a", "b", "b", None, None],
        "day": [date(2024, 3, 1), date(2024, 3, 9), None, None, None],
        "seen": [datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 9, 12, tzinfo=UTC), None, None, None],
        "local": [datetime(2024, 3, 10, 6), None, None, None, None],
        "clock": [time(23, 30), None, None, None, None],
        "none": pl.Series([None] * 5, dtype=pl.Float64),
        "tags": [["a"], None, [], [], []],
    }
)


def found(document: dict[str, Any], metric: str, column: str = "", **said: Any) -> dict[str, Any]:
    """What is said of one bound; the document is still one that the schema describes."""
    fields = {"operator": "mustBeLessOrEqualTo", "limits": (5,), **said}
    (result,) = judge(document, [Bound("b", metric, column=column, **fields)], NOW)
    VALIDATOR.validate({**document, "quality": json.loads(json.dumps([result], allow_nan=False))})
    return result


@pytest.mark.parametrize(
    ("metric", "column", "unit", "value"),
    [
        ("rowCount", "", "rows", 5),
        ("nullValues", "x", "rows", 1),
        ("nullValues", "x", "percent", 20.0),
        ("nullValues", "tags", "percent", 20.0),
        ("nullValues", "none", "percent", 100.0),
        ("distinct", "x", "values", 3),
        ("distinct", "s", "values", 2),
        ("duplicateValues", "x", "rows", 1),
        ("duplicateValues", "x", "percent", 20.0),
        ("minimum", "x", "", 1.0),
        ("maximum", "x", "", 7.0),
        ("mean", "x", "", 3.0),
        ("deviation", "x", "", FRAME["x"].std()),
        ("deviation", "day", "days", math.sqrt(32)),
        ("distinct", "none", "values", 0),
        ("duplicateValues", "none", "rows", 0),
    ],
)
def test_each_number_is_the_profiles(metric: str, column: str, unit: str, value: float) -> None:
    result = found(profiled(FRAME), metric, column, unit=unit)
    assert result["value"] == pytest.approx(value)
    assert (result["column"], result["metric"]) == (column or None, metric)
    assert result["holds"] == (value <= 5)
    assert "note" not in result


TRUTHS = {
    "mustBe": (False, True, False, False, False),
    "mustNotBe": (True, False, True, True, True),
    "mustBeGreaterThan": (False, False, True, True, True),
    "mustBeGreaterOrEqualTo": (False, True, True, True, True),
    "mustBeLessThan": (True, False, False, False, False),
    "mustBeLessOrEqualTo": (True, True, False, False, False),
    "mustBeBetween": (False, False, True, False, False),
    "mustNotBeBetween": (True, True, False, True, True),
}


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_operator_is_what_the_standard_says_with_its_ends(operator: str) -> None:
    limits = (3, 5) if operator.endswith("Between") else (3,)
    told = [
        found({**profiled(FRAME), "rows": rows}, "rowCount", operator=operator, limits=limits)["holds"]
        for rows in (2, 3, 4, 5, 6)
    ]
    assert tuple(told) == TRUTHS[operator]


@given(st.integers(1, 10**6), st.data())
def test_a_percentage_equal_to_its_limit_is_equal(rows: int, data: st.DataObject) -> None:
    nulls = data.draw(st.integers(0, rows))
    document = {"rows": rows, "columns": {"x": {"nulls": nulls}}}
    limit = 100 * nulls / rows
    bound = Bound("b", "nullValues", "mustBeLessOrEqualTo", (limit,), "x", "percent")
    below = Bound("b", "nullValues", "mustBeLessThan", (limit,), "x", "percent")
    assert [one["holds"] for one in judge(document, [bound, below], NOW)] == [True, False]


@pytest.mark.parametrize(
    ("column", "metric", "text"),
    [
        ("day", "minimum", "2024-03-01"),
        ("seen", "maximum", "2024-03-09T12:00:00+00:00"),
        ("local", "maximum", "2024-03-10T06:00:00"),
        ("clock", "minimum", "23:30:00"),
    ],
)
def test_dates_and_times_are_compared_as_a_profile_writes_them(column: str, metric: str, text: str) -> None:
    document = profiled(FRAME)
    same, other = (
        found(document, metric, column, operator="mustBe", limits=(t,)) for t in (text, "2000-01-01")
    )
    assert (same["value"], same["holds"], other["holds"]) == (text, True, False)
    assert found(document, metric, column, operator="mustNotBe", limits=(text,))["holds"] is False


@pytest.mark.parametrize(
    ("metric", "column", "unit", "note"),
    [
        ("minimum", "none", "", "it has no values"),
        ("mean", "none", "", "it has no values"),
        ("latency", "none", "h", "it has no values"),
        ("deviation", "clock", "seconds", "one value has no deviation"),
        ("distinct", "tags", "values", "another type"),
        ("mean", "gone", "", "the table does not have this column"),
        ("minimum", "day", "", "another type"),
        ("latency", "x", "h", "another type"),
    ],
)
def test_what_a_profile_does_not_tell_neither_holds_nor_breaks(
    metric: str, column: str, unit: str, note: str
) -> None:
    result = found(profiled(FRAME), metric, column, unit=unit)
    assert (result["value"], result["holds"]) == (None, None)
    assert note in result["note"]


@pytest.mark.parametrize(
    ("metric", "column", "unit", "holds"),
    [
        ("rowCount", "", "rows", True),
        ("nullValues", "x", "rows", True),
        ("nullValues", "x", "percent", None),
        ("duplicateValues", "x", "percent", None),
        ("distinct", "x", "values", True),
        ("minimum", "x", "", None),
        ("mean", "x", "", None),
    ],
)
def test_a_table_without_rows_has_counts_and_no_shares(
    metric: str, column: str, unit: str, holds: bool | None
) -> None:
    result = found(profiled(FRAME.clear()), metric, column, unit=unit)
    assert result["holds"] is holds
    assert result.get("note") == (None if holds else "there are no rows")


def test_a_mean_beyond_what_doubles_hold_is_open() -> None:
    result = found(profiled(pl.DataFrame({"x": [1e308, 1.5e308, 1.7e308] * 3})), "deviation", "x")
    assert (result["value"], result["holds"]) == (None, None)
    assert "huge ones" in result["note"]


@pytest.mark.parametrize(
    ("column", "unit", "age"),
    [
        ("seen", "h", 24),
        ("seen", "d", 1),
        ("seen", "m", 1440),
        ("local", "h", 6),
        ("day", "d", 1),
        ("day", "h", 24),
    ],
)
def test_latency_is_the_age_of_the_newest_value(column: str, unit: str, age: float) -> None:
    document = profiled(FRAME)
    kept = found(document, "latency", column, unit=unit, limits=(age,))
    assert (kept["value"], kept["holds"]) == (age, True)
    assert found(document, "latency", column, unit=unit, limits=(age * 0.99,))["holds"] is False
    assert kept.get("note") == ("it has no time zone, and is taken for UTC" if column == "local" else None)


@pytest.mark.parametrize("hour", [0, 12, 23])
@pytest.mark.parametrize("offset", [-12, 0, 14])
def test_a_date_is_as_old_as_the_days_since_at_any_time_of_day_and_anywhere(hour: int, offset: int) -> None:
    at = datetime(2024, 3, 10, hour, tzinfo=UTC).astimezone(timezone(timedelta(hours=offset)))
    bound = Bound("b", "latency", "mustBeLessOrEqualTo", (1,), "day", "d")
    assert judge(profiled(FRAME), [bound], at)[0]["value"] == 1


def test_a_newest_value_in_the_future_is_said() -> None:
    document = profiled(pl.DataFrame({"seen": [NOW + timedelta(hours=3)]}))
    result = found(document, "latency", "seen", unit="h")
    assert (result["value"], result["holds"]) == (-3, True)
    assert result["note"] == "its newest value is in the future"


def test_values_that_are_no_finite_numbers_repeat_nothing() -> None:
    document = profiled(pl.DataFrame({"x": [1.0, 2.0, math.nan, math.nan, math.inf]}))
    assert found(document, "duplicateValues", "x")["value"] == 0


@pytest.mark.parametrize(
    ("metric", "unit"), [("distinct", "values"), ("duplicateValues", "rows"), ("duplicateValues", "percent")]
)
def test_an_estimate_decides_only_what_its_error_leaves_no_doubt_of(
    monkeypatch: pytest.MonkeyPatch, metric: str, unit: str
) -> None:
    monkeypatch.setattr(counts, "EXACT", 1000)
    document = profiled(pl.DataFrame({"x": [*range(20_000), *range(10_000)]}))
    assert document["columns"]["x"]["distinct"]["method"] == "k minimum values"
    estimate = found(document, metric, "x", unit=unit)["value"]
    told = [
        found(document, metric, "x", operator=operator, limits=(estimate * factor,), unit=unit)
        for operator in ("mustBeLessOrEqualTo", "mustBe")
        for factor in (0.8, 1, 1.2)
    ]
    assert [one["holds"] for one in told] == [False, None, True, False, None, False]
    assert all(one["note"].startswith("an estimate, from ") for one in told)
    assert [one["note"].endswith("that leaves it open") for one in told] == [False, True, False] * 2


def test_an_estimate_of_values_that_never_repeat_is_of_no_more_than_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counts, "EXACT", 1000)
    document = profiled(pl.DataFrame({"x": range(5_000)}))
    assert found(document, "distinct", "x", limits=(5_000,))["holds"] is True
    assert (
        found(document, "duplicateValues", "x", operator="mustBeGreaterOrEqualTo", limits=(0,))["holds"]
        is True
    )


@pytest.mark.parametrize(
    ("operator", "limits", "holds"),
    [
        ("mustBe", (900,), None),
        ("mustBe", (899,), False),
        ("mustBeGreaterOrEqualTo", (900,), True),
        ("mustBeGreaterThan", (900,), None),
        ("mustBeLessOrEqualTo", (1000,), True),
        ("mustBeLessThan", (1000,), None),
        ("mustBeBetween", (899, 1001), True),
        ("mustBeBetween", (900, 1001), None),
        ("mustNotBeBetween", (800, 900), True),
        ("mustNotBeBetween", (800, 901), None),
    ],
)
def test_the_whole_range_of_an_estimate_decides(
    operator: str, limits: tuple[int, ...], holds: bool | None
) -> None:
    distinct = {"count": 1010, "method": "k minimum values", "relative_error": 0.1}
    column = {"measure": "quantity", "nulls": 200, "null_share": 1 / 6, "notes": [], "distinct": distinct}
    document = {"format": 1, "rows": 1200, "columns": {"x": column}, "associations": []}
    result = found(document, "distinct", "x", operator=operator, limits=limits)
    assert (result["value"], result["holds"]) == (1000, holds)
    assert result["note"].startswith("an estimate, from 900 to 1,000 values")
