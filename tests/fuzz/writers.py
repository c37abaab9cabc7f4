"""Bytes that other programs write of a table: by program, in any encoding, compressed or not."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import tempfile
import zipfile
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from tests.fuzz.kinds import NESTED

Writer = Callable[[Any], bytes]


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
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    if isinstance(value, dict):
        return {name: _json_value(part) for name, part in value.items()}
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
    "parquet of pandas": {"int64", "int32", *NESTED},  # integers beside nulls become doubles in lists too
    "csv of Polars": {"time"},  # nanoseconds, always
}


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data", data)
    return out.getvalue()


ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-be",
    "utf-32",
    "cp1252",
    "latin-1",
    "gb18030",
    "shift_jis",
)
COMPRESSIONS: tuple[Callable[[Any], bytes], ...] = (bytes, gzip.compress, bz2.compress, lzma.compress, zipped)
