"""Counts that were stored add up as if they had been counted now."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.engine.profile import counts
from causeway.engine.profile.counts import count
from causeway.engine.profile.plan import plan
from causeway.engine.profile.state import fingerprint, from_bytes, to_bytes
from causeway.engine.profile.table import document
from tests.causeway.engine.profile.helpers import measure_of

INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
DTYPES: dict[Any, st.SearchStrategy[Any]] = {
    pl.Int32: st.integers(-5, 5),
    pl.Float64: st.floats(),
    pl.String: st.text(max_size=3),
    pl.Boolean: st.booleans(),
    pl.Date: st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    pl.Datetime("us", "UTC"): INSTANTS,
    pl.Time: st.times(),
    pl.Decimal(20, 4): st.decimals(-100, 100, places=4),
    pl.Binary: st.binary(max_size=3),
    pl.List(pl.Int64): st.lists(st.integers(0, 3)),
}


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    rows = draw(st.integers(0, 12))
    lists = [st.lists(st.none() | kind, min_size=rows, max_size=rows) for kind in DTYPES.values()]
    named = zip(DTYPES, lists, strict=True)
    return pl.DataFrame([pl.Series(f"c{n}", draw(of), dtype=d) for n, (d, of) in enumerate(named)])


@given(frames(), frames(), st.booleans())
def test_stored_counts_add_up_as_new_ones_do(one: pl.DataFrame, other: pl.DataFrame, few: bool) -> None:
    measures = {name: measure_of(dtype) for name, dtype in one.schema.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts, "EXACT", 3 if few else 1000)  # beyond, sketches stand for values
        a, b = count([one], measures, 1), count([other], measures, 2)
        now, stored = a + b, from_bytes(to_bytes(a)) + from_bytes(to_bytes(b))
    documents = [document(both, measures, plan(both, measures)) for both in (now, stored)]
    assert documents[0] == documents[1]
    assert [c.places for c in stored.columns.values()] == [c.places for c in now.columns.values()]


@pytest.mark.parametrize(
    ("measures", "schema"),
    [
        ({"x": "category"}, pl.Schema({"x": pl.Int32})),
        ({"x": "quantity"}, pl.Schema({"x": pl.Int64})),
        ({"x": "quantity", "y": "quantity"}, pl.Schema({"x": pl.Int32, "y": pl.Int32})),
    ],
)
def test_counts_of_other_columns_types_or_measures_are_not_taken_for_these(
    measures: dict[str, str], schema: pl.Schema
) -> None:
    other = pl.DataFrame(schema=schema).to_arrow().schema
    this = pl.DataFrame(schema={"x": pl.Int32}).to_arrow().schema
    assert fingerprint(measures, other) != fingerprint({"x": "quantity"}, this)


def test_rows_of_one_part_are_told_from_those_of_another() -> None:
    """Or columns that miss values in other rows would count as missing them in the same."""
    measures = {"x": "quantity", "y": "quantity"}
    nothing, something = pl.Series([None], dtype=pl.Int64), pl.Series([1])
    first = count([pl.DataFrame({"x": nothing, "y": something})], measures, 1)
    second = count([pl.DataFrame({"x": something, "y": nothing})], measures, 2)
    both = first + second
    assert both.columns["x"].places != both.columns["y"].places


def test_a_part_counts_the_same_in_however_many_frames_it_comes() -> None:
    frame = pl.DataFrame({"x": [None, 1, 2, None, 3], "s": ["a", None, "b", None, "c"]})
    measures = {"x": "quantity", "s": "category"}
    whole = count([frame], measures, 7)
    cut = count([frame[:2], frame[2:3], frame[3:]], measures, 7)
    assert [c.places for c in cut.columns.values()] == [c.places for c in whole.columns.values()]
    assert document(cut, measures, plan(cut, measures)) == document(whole, measures, plan(whole, measures))
