"""Columns of every type, and tables of their values as Hypothesis draws them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from causeway.contract.model import Column, Contract
from tests.causeway.engine.helpers import column, contract

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Kind:
    """A column of one type: its contract, its values, and how Arrow holds them."""

    column: Column
    values: st.SearchStrategy[Any]
    arrow: pa.DataType


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12) | st.text(
    st.sampled_from(",;\t|\"'\\ \n#x0"), max_size=6
)
FINITE = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)
DAYS = st.dates(date(1000, 1, 1), date(9999, 12, 31))
MOMENTS: Any = {"min_value": datetime(1000, 1, 1), "max_value": datetime(9999, 12, 30)}


KINDS = {
    "int64": Kind(column("", "integer"), st.integers(-(2**63), 2**63 - 1), pa.int64()),
    "int32": Kind(column("", "integer", bits=32), st.integers(-(2**31), 2**31 - 1), pa.int32()),
    "double": Kind(column("", "number"), FINITE, pa.float64()),
    "decimal": Kind(
        column("", "number", precision=18, scale=3),
        st.decimals(-(10**14), 10**14, places=3),
        pa.decimal128(18, 3),
    ),
    "boolean": Kind(column("", "boolean"), st.booleans(), pa.bool_()),
    "date": Kind(column("", "date"), DAYS, pa.date32()),
    "instant": Kind(
        column("", "timestamp", timezone="UTC"),
        st.datetimes(**MOMENTS, timezones=st.just(UTC)),
        pa.timestamp("us", "UTC"),
    ),
    "moment": Kind(column("", "timestamp"), st.datetimes(**MOMENTS), pa.timestamp("us")),
    "time": Kind(column("", "time"), st.times(), pa.time64("us")),
    "string": Kind(column("", "string"), TEXT, pa.string()),
    "integers": Kind(
        column("", "array", items=column("", "integer")),
        st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=3),
        pa.list_(pa.int64()),
    ),
    "object": Kind(
        column("", "object", properties=(column("a"), column("b", "number"))),
        st.fixed_dictionaries({"a": st.none() | TEXT, "b": st.none() | FINITE}),
        pa.struct([("a", pa.string()), ("b", pa.float64())]),
    ),
    "objects": Kind(
        column("", "array", items=column("", "object", properties=(column("day", "date"),))),
        st.lists(st.fixed_dictionaries({"day": st.none() | DAYS}), max_size=3),
        pa.list_(pa.struct([("day", pa.date32())])),
    ),
}
NESTED = {"integers", "object", "objects"}


@st.composite
def tables(draw: st.DrawFn) -> tuple[tuple[str, ...], Rows]:
    """Names of kinds, and rows of their values, some of them null; the first column is never null."""
    kinds = ("int64", *draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4)))
    cell = [KINDS[kind].values if not i else st.none() | KINDS[kind].values for i, kind in enumerate(kinds)]
    return kinds, draw(st.lists(st.tuples(*cell), min_size=1, max_size=6))


def names(kinds: tuple[str, ...]) -> list[str]:
    return [f"c{i}" for i in range(len(kinds))]


def rules(kinds: tuple[str, ...], **facts: Any) -> Contract:

    columns = [
        replace(KINDS[kind].column, name=n, field=n) for n, kind in zip(names(kinds), kinds, strict=True)
    ]
    return contract(*columns, **facts)


def arrow(kinds: tuple[str, ...], rows: Rows) -> pa.Table:
    columns = zip(*rows, strict=True)
    arrays = [pa.array(list(c), KINDS[kind].arrow) for c, kind in zip(columns, kinds, strict=True)]
    return pa.table(arrays, names(kinds))
