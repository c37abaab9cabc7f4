"""Guarantees over data nobody wrote by hand."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from causeway.engine.read import json_rows as json_lines
from tests.causeway.engine.helpers import column, contract, csv_bytes, run

COLUMNS = (
    column("i", "integer"),
    column("n", "number"),
    column("d", "number", precision=20, scale=4),
    column("b", "boolean"),
    column("day", "date"),
    column("at", "timestamp", timezone="UTC"),
    column("s"),
)
PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
ROW = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.decimals(-(10**15), 10**15, places=4),
    st.none() | st.booleans(),
    st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)),
    st.none() | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),
    st.none() | PLAIN.filter(bool),
)
NAMES = [c.name for c in COLUMNS]


def written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_json(value: Any) -> Any:
    return (
        value
        if isinstance(value, int | float | str | None)
        else float(value)
        if isinstance(value, Decimal)
        else written(value)
    )


def same(result: Any, rows: list[tuple[Any, ...]]) -> bool:
    assert result.rejected.to_pylist() == []
    return [tuple(row[name] for name in NAMES) for row in result.rows.to_pylist()] == rows


@given(st.lists(ROW, min_size=1, max_size=8), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
@settings(max_examples=150, deadline=None)
def test_any_table_that_satisfies_its_contract_survives_csv(
    rows: list[tuple[Any, ...]], quoting: int
) -> None:
    table = [[written(v) for v in row] for row in rows]
    if any("\r" in value for row in table for value in row):
        quoting = csv.QUOTE_ALL  # bare, it would end the line; Python's older writers leave it so
    data = csv_bytes(NAMES, table, quoting=quoting)
    assert same(run(contract(*COLUMNS), data), rows)


@given(st.lists(ROW, min_size=1, max_size=8), st.booleans())
@settings(max_examples=100, deadline=None)
def test_any_table_that_satisfies_its_contract_survives_json_lines(
    rows: list[tuple[Any, ...]], ascii: bool
) -> None:
    texts = [
        {
            name: written(v) if isinstance(v, Decimal) else as_json(v)
            for name, v in zip(NAMES, row, strict=True)
        }
        for row in rows
    ]
    data = "\n".join(json.dumps(text, ensure_ascii=ascii) for text in texts).encode()
    assert same(run(contract(*COLUMNS, format="jsonl"), data), rows)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text('": ,{}\\aé', max_size=6),
    lambda values: st.lists(values, max_size=2) | st.dictionaries(st.sampled_from(["a", "z:", '"']), values),
    max_leaves=3,
)
OBJECTS = st.lists(
    st.fixed_dictionaries({"a": JSON, "b:": JSON}, optional={"z": JSON, "A": JSON, "": JSON}),
    min_size=1,
    max_size=4,
)


@given(
    OBJECTS, st.sampled_from([(",", ":"), (", ", ": "), (" ,", "\t: ")]), st.sampled_from(["", "[1]", '{"a"'])
)
@settings(max_examples=300, deadline=None)
def test_lines_that_are_read_at_once_come_out_as_lines_that_are_looked_at_first(
    objects: list[dict[str, Any]], separators: tuple[str, str], odd: str
) -> None:
    rules = contract(column("a"), column("b", field="b:"), format="jsonl")
    data = "\n".join([*(json.dumps(o, separators=separators) for o in objects), odd]).encode()
    at_once = run(rules, data)
    with patch.object(json_lines, "_uniform", lambda *_: None):
        looked_at = run(rules, data)
    assert at_once.rows == looked_at.rows
    assert at_once.rejected == looked_at.rejected


ANY = contract(column("a"), column("b"), column("c"), nulls=())


@given(
    st.lists(st.sampled_from(['"', ",", "\n", "\r\n", "a", "é", "\t", '""', "\r"]), max_size=40).map("".join)
)
@settings(max_examples=400, deadline=None)
def test_whatever_the_punctuation_every_line_is_accounted_for(body: str) -> None:
    result = run(ANY, ("a,b,c\n" + body).encode())
    (count,) = result.counts
    assert count.rows == count.curated + count.rejected == result.rows.num_rows + result.rejected.num_rows
    kept = "".join("".join(row[n] for n in "abc") for row in result.rows.to_pylist())
    rejected = "".join(result.rejected["raw"].to_pylist())
    for letter in "aé":
        assert Counter(kept + rejected)[letter] == Counter(body)[letter]


SAMPLE = b"a,b,c\n" + b"".join(b'%d,"x, %d",2024-01-%02d\n' % (i, i, i % 28 + 1) for i in range(30))
CHECKED = contract(
    column("a", "integer", required=True, minimum=0, maximum=29),
    column("b", required=True, pattern=r"^x, [0-9]+$"),
    column("c", "date", required=True),
)


@given(st.integers(6, len(SAMPLE) - 1), st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_a_changed_byte_costs_no_row_but_its_own(position: int, byte: int) -> None:
    changed = SAMPLE[:position] + bytes([byte]) + SAMPLE[position + 1 :]
    before = {tuple(row[n] for n in "abc") for row in run(CHECKED, SAMPLE).rows.to_pylist()}
    result = run(CHECKED, changed)
    after = {tuple(row[n] for n in "abc") for row in result.rows.to_pylist()}
    assert len(before - after) <= 2  # two when the byte was a line end
    assert all(count.rows == count.curated + count.rejected for count in result.counts)
