"""Texts of any type and none, against a second reading: DuckDB's of the values, pandas' of the fields."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import duckdb
import pandas as pd  # type: ignore[import-untyped]
from hypothesis import strategies as st

from tests.causeway.engine.helpers import column, contract, run
from tests.fuzz.kinds import KINDS

SQL = {
    "int64": "BIGINT", "int32": "INTEGER", "double": "DOUBLE", "decimal": "DECIMAL(38, 9)",
    "date": "DATE", "instant": "TIMESTAMPTZ", "moment": "TIMESTAMP", "time": "TIME", "boolean": "BOOLEAN",
}  # fmt: skip
ODD = st.text(st.sampled_from("0123456789+-.,:eETZtrufalsn/ _'"), max_size=14)
KNOWN = st.sampled_from(
    """1e3|1.0|007|+5|-0|0x1F|1_000| 1|1 |inf|nan|1,5|2.5|1e400|١٢|True|yes|1|0|2024-02-29|2023-02-29|2024-1-2
|20240102|24-01-02|0024-01-02|2024-01-02T03:04:05Z|2024-01-02 03:04:05|2024-01-02T03:04:05.1234567
|2024-01-02T24:00:00|2024-06-30T23:59:60Z|2024-01-02T03:04:05+05:30|2024-01-02T03:04|25:00:00|12:34
|12:34:56.1234567""".replace("\n", "").split("|")
)
NUMBERS = st.integers().map(str) | st.floats().map(repr) | st.decimals(allow_nan=False).map(str)
DIRTY = ODD | KNOWN | NUMBERS | st.datetimes().map(str) | st.datetimes(timezones=st.timezones()).map(str)


def check_dirty(kind: str, texts: list[str]) -> None:
    """Raises AssertionError for a value that DuckDB reads otherwise, or a rejected text that is not whole."""
    columns = (
        replace(KINDS["int64"].column, name="n", field="n"),
        replace(KINDS[kind].column, name="v", field="v"),
    )
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([("n", "v"), *enumerate(texts)])
    data = out.getvalue().encode()
    result = run(contract(*columns), data)
    curated = dict(zip(result.rows["n"].to_pylist(), result.rows["v"].to_pylist(), strict=True))
    rejected = [row["raw"] for row in result.rejected.to_pylist()]
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for n, text in enumerate(texts):
        if n not in curated:
            assert f"{n},{text}" in rejected or f'{n},"{text}"' in rejected, (kind, text, rejected)
        elif curated[n] is None:
            assert not text, (kind, text, "null")
        else:
            query = f"SELECT TRY_CAST($1 AS {SQL[kind]}) AS v"
            (other,) = connection.sql(query, params=[text]).to_arrow_table()["v"].to_pylist()
            assert other is None or _same(other, curated[n]), (kind, text, curated[n], other)


def _same(other: Any, ours: Any) -> bool:
    if isinstance(ours, datetime) and ours.tzinfo:
        return bool(other.astimezone(UTC) == ours)
    return bool(other == ours)


def check_texts(delimiter: str, quoting: int, rows: list[tuple[str, ...]]) -> None:
    """Raises AssertionError unless pandas reads the same texts in the file."""
    out = io.StringIO(newline="")
    header = [f"c{i}" for i in range(len(rows[0]))]
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator="\n")  # type: ignore[arg-type]
    writer.writerows([header, *rows])
    data = out.getvalue().encode()
    result = run(contract(*(column(name) for name in header), delimiter=delimiter, nulls=()), data)
    frame = pd.read_csv(
        io.BytesIO(data), sep=delimiter, dtype=str, keep_default_na=False, lineterminator="\n"
    )
    ours = [tuple(row[name] for name in header) for row in result.rows.select(header).to_pylist()]
    assert ours == list(frame.itertuples(index=False, name=None)), (data, result.rejected.to_pylist())
