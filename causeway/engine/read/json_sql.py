"""Questions to DuckDB about lines of JSON."""

from __future__ import annotations

from functools import cache

import duckdb
import polars as pl
import pyarrow as pa

from causeway.contract.model import Column


@cache
def _duck() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": pl.thread_pool_size()})


def query(sql: str, lines: pa.Array) -> pl.DataFrame:
    cursor = _duck().cursor()
    cursor.register("lines", pa.table({"l": lines}))
    try:
        return pl.DataFrame(cursor.sql(sql).to_arrow_table())
    except UnicodeDecodeError as error:  # its message quotes the line, and may end inside a character
        raise duckdb.InvalidInputException(str(error)) from error


def pointer(column: Column) -> str:
    return quoted("/" + column.field.replace("~", "~0").replace("/", "~1"))


def quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
