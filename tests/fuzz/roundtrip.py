"""Round trips: values of every type, written by others' programs, curated, read back by another reader."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from hypothesis import strategies as st

from causeway.contract.model import Column, Contract
from causeway.engine.write import write_parquet
from tests.causeway.engine.helpers import column, contract, run

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
MOMENTS: Any = {"min_value": datetime(1000, 1, 1), "max_value": datetime(9999, 12, 30)}
KINDS = {
    "int64": Kind(column("", "integer"), st.integers(-(2**63), 2**63 - 1), pa.int64()),
    "int32": Kind(column("", "integer", bits=32), st.integers(-(2**31), 2**31 - 1), pa.int32()),
    "double": Kind(
        column("", "number"),
        st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False),
        pa.float64(),
    ),
    "decimal": Kind(
        column("", "number", precision=18, scale=3),
        st.decimals(-(10**14), 10**14, places=3),
        pa.decimal128(18, 3),
    ),
    "boolean": Kind(column("", "boolean"), st.booleans(), pa.bool_()),
    "date": Kind(column("", "date"), st.dates(date(1000, 1, 1), date(9999, 12, 31)), pa.date32()),
    "instant": Kind(
        column("", "timestamp", timezone="UTC"),
        st.datetimes(**MOMENTS, timezones=st.just(UTC)),
        pa.timestamp("us", "UTC"),
    ),
    "moment": Kind(column("", "timestamp"), st.datetimes(**MOMENTS), pa.timestamp("us")),
    "time": Kind(column("", "time"), st.times(), pa.time64("us")),
    "string": Kind(column("", "string"), TEXT, pa.string()),
}


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


# Writers: bytes that other programs write of a table.

Writer = Callable[[pa.Table], bytes]


def _python_csv(**dialect: Any) -> Writer:
    def write(table: pa.Table) -> bytes:
        out = io.StringIO(newline="")
        writer = csv.writer(out, **dialect)
        writer.writerow(table.column_names)
        writer.writerows(zip(*(map(_text, c.to_pylist()) for c in table.columns), strict=True))
        return out.getvalue().encode()

    return write


def _text(value: Any) -> str:
    return "" if value is None else value.isoformat() if isinstance(value, date | time) else str(value)


def _json_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, date | time) else value


def _json(dump: Callable[[list[dict[str, Any]]], str]) -> Writer:
    return lambda table: dump(
        [{name: _json_value(value) for name, value in row.items()} for row in table.to_pylist()]
    ).encode()


def _duckdb(options: str) -> Writer:
    def write(table: pa.Table) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "out")
            connection = duckdb.connect()
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("t", table).execute(f"COPY t TO '{path}' ({options})")
            return path.read_bytes()

    return write


def _into(write: Callable[[pa.Table, io.BytesIO], Any]) -> Writer:
    def wrapped(table: pa.Table) -> bytes:
        sink = io.BytesIO()
        write(table, sink)
        return sink.getvalue()

    return wrapped


# By program: its bytes, the format, the dialect to be named in the contract.
ALL = csv.QUOTE_ALL
WRITERS: dict[str, tuple[Writer, str, dict[str, Any]]] = {
    "csv of Excel": (_python_csv(dialect="excel", quoting=ALL), "csv", {}),
    "csv with semicolons": (
        _python_csv(delimiter=";", quoting=ALL, lineterminator="\n"),
        "csv",
        {"delimiter": ";"},
    ),
    "csv with tabs": (_python_csv(dialect="excel-tab", quoting=ALL), "csv", {"delimiter": "\t"}),
    "csv with an escape": (
        _python_csv(escapechar="\\", doublequote=False, quoting=ALL, lineterminator="\n"),
        "csv",
        {"escape": "\\"},
    ),
    "csv of Polars": (
        lambda table: pl.DataFrame(table).write_csv(quote_style="non_numeric").encode(),
        "csv",
        {},
    ),
    "csv of pandas": (lambda table: table.to_pandas().to_csv(index=False, quoting=ALL).encode(), "csv", {}),
    "csv of DuckDB": (_duckdb("FORMAT csv, HEADER, FORCE_QUOTE *"), "csv", {}),
    "csv of Arrow": (_into(pyarrow.csv.write_csv), "csv", {}),
    "json lines": (_json(lambda rows: "\n".join(map(json.dumps, rows))), "jsonl", {}),
    "json array": (_json(lambda rows: json.dumps(rows, ensure_ascii=False)), "jsonl", {}),
    "json indented": (_json(lambda rows: json.dumps(rows, indent=1)), "jsonl", {}),
    "json of DuckDB": (_duckdb("FORMAT json"), "jsonl", {}),
    "parquet of Arrow": (_into(pq.write_table), "parquet", {}),
    "parquet of Polars": (_into(lambda table, sink: pl.DataFrame(table).write_parquet(sink)), "parquet", {}),
    "parquet of DuckDB": (_duckdb("FORMAT parquet"), "parquet", {}),
    "parquet of pandas": (_into(lambda table, sink: table.to_pandas().to_parquet(sink)), "parquet", {}),
}
# What a program does to a value before this project sees it, by program.
LOSSY: dict[str, set[str]] = {
    "csv of pandas": {
        "int64",
        "int32",
        "instant",
        "moment",
    },  # integers with nulls become doubles; nanoseconds
    "parquet of pandas": {"int64", "int32"},
    "csv of Polars": {"time"},  # nanoseconds, always
}


def check(writer: str, kinds: tuple[str, ...], rows: Rows) -> None:
    """Raises AssertionError unless the rows come back equal from the curated file, read by DuckDB."""
    kept = [i for i, kind in enumerate(kinds) if not i or kind not in LOSSY.get(writer, ())]
    kinds, rows = tuple(kinds[i] for i in kept), [tuple(row[i] for i in kept) for row in rows]
    write, format, dialect = WRITERS[writer]
    data = write(arrow(kinds, rows))
    contract_ = rules(kinds, format=format, **dialect)
    result = run(contract_, data)
    rejected = result.rejected.to_pylist()
    assert not rejected, (writer, data[:300], rejected[0]["faults"])
    parts = [part for _, part in write_parquet(result.frame, contract_)]
    back = sorted((row for part in parts for row in _read(part, kinds)), key=repr)
    truth = sorted(([_plain(v, format) for v in row] for row in rows), key=repr)
    assert back == truth, (writer, data[:300], back, truth)


def _read(data: bytes, kinds: tuple[str, ...]) -> list[list[Any]]:
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        Path(file.name).write_bytes(data)
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")
        selected = ", ".join(names(kinds))
        table = connection.sql(f"SELECT {selected} FROM '{file.name}'").to_arrow_table()
    return [list(row.values()) for row in table.to_pylist()]


def _plain(value: Any, format: str) -> Any:
    if value == "" and format == "csv":
        return None  # an empty field and an empty text are the same there
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC)
    return 0.0 if isinstance(value, float) and value == 0 else value
