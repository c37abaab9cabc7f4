"""The contract's SQL over its rows, by DuckDB: what cannot be computed of a row costs that row alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from textwrap import shorten
from typing import Any

import duckdb
import polars as pl

EXPLAINED = 20  # rows of a block whose reason is asked for one by one; of the others the values are shown
SHOWN = 200  # characters of an expression or a value in a message
# What a row's values cause, not the expression.
OF_VALUES = (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException)


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """A database that sees the rows and nothing else, and in which dividing by zero is an error."""
    settings = {"enable_external_access": "false", "ieee_floating_point_ops": "false"}
    database = duckdb.connect(config={"threads": pl.thread_pool_size(), **settings})
    database.execute("SET GLOBAL TimeZone = 'UTC'")
    return database


class ExpressionError(ValueError):
    """SQL that suits no rows of the contract."""


def compute(rows: pl.DataFrame, sql: Sequence[str]) -> list[tuple[pl.Series, pl.Series]]:
    """For each expression its value in each row, and why it has none there where it cannot be computed.

    Raises ExpressionError for what suits no rows with these columns.
    """
    if not sql:
        return []
    alone = [_alone(one) for one in sql]
    if rows.height:  # with none there is no value to fail, and TRY refuses what speaks of several rows
        try:
            values = _query(", ".join(f"({one}\n) AS c{i}" for i, one in enumerate(alone)), rows)
        except OF_VALUES:
            pass
        else:
            return [(value, _nothing(rows)) for value in values]
    return [_compute_each(rows, one) for one in alone]


def _compute_each(rows: pl.DataFrame, sql: str) -> tuple[pl.Series, pl.Series]:
    # TRY has no value only where the struct in it cannot be made; a null in that is a value.
    try:
        computed = _query(f"TRY({{'v': ({sql}\n)}}) AS c", rows)["c"]
    except duckdb.Error as error:
        raise ExpressionError(f"{sql!r}: {_first_line(error)}") from error
    failed, reasons = computed.is_null().arg_true(), _nothing(rows)
    if len(failed):
        reasons = reasons.scatter(failed, pl.Series(list(_reasons(rows[failed], sql)), dtype=pl.String))
    return computed.struct.field("v"), reasons


def _nothing(rows: pl.DataFrame) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, rows.height)


def _query(selected: str, rows: pl.DataFrame) -> pl.DataFrame:
    cursor = _database().cursor()
    cursor.register("rows", rows.to_arrow(compat_level=pl.CompatLevel.newest()))
    return pl.DataFrame(cursor.sql(f"SELECT {selected} FROM rows").to_arrow_table())  # noqa: S608


@cache
def _parsed(sql: str) -> Any:
    answer = _database().cursor().execute("SELECT json_serialize_sql(?)", [f"SELECT ({sql}\n) FROM rows"])  # noqa: S608
    return json.loads(answer.fetchall()[0][0])


@cache
def _alone(sql: str) -> str:
    """The expression, if it is one and asks nothing but the row. Raises ExpressionError otherwise."""
    parsed = _parsed(sql)
    if parsed["error"]:
        raise ExpressionError(f"{sql!r}: {parsed['error_message']}")
    select = [statement["node"] for statement in parsed["statements"]]
    parts = list(_parts(parsed))
    if len(select) != 1 or len(select[0].get("select_list", ())) != 1 or select[0]["where_clause"]:
        raise ExpressionError(f"{sql!r}: expected one expression over the columns")
    if any(part.get("class") in ("SUBQUERY", "STAR", "PARAMETER") for part in parts):
        raise ExpressionError(f"{sql!r}: only the row's own columns can be asked, by their names")
    return sql


def asked_columns(sql: str, rows: pl.DataFrame) -> list[str]:
    """The columns that the expression asks."""
    names = {
        name.lower()
        for part in _parts(_parsed(sql))
        for name in (part["column_names"] if part.get("class") == "COLUMN_REF" else ())
    }
    return [name for name in rows.columns if name.lower() in names]


def _parts(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _parts(inner)


def _reasons(rows: pl.DataFrame, sql: str) -> Iterator[str]:
    """Why the expression cannot be computed of these rows, with the values that it asked."""
    columns = asked_columns(sql, rows)
    shown = shorten(sql, SHOWN, placeholder=" …")
    for i, row in enumerate(rows.select(columns).iter_rows(named=True)):
        values = ", ".join(f"{name} = {str(value)[:SHOWN]!r}" for name, value in row.items())
        reason = f": {_reason(rows[i], sql)}" if i < EXPLAINED else ""
        yield f"{shown} cannot be computed with {values}{reason}"


def _reason(row: pl.DataFrame, sql: str) -> str:
    try:
        _query(f"({sql}\n)", row)
    except duckdb.Error as error:
        return _first_line(error)
    return "no value"


def _first_line(error: duckdb.Error) -> str:
    return str(error).split("\n", 1)[0].partition("Error: ")[2].partition(". Use TRY")[0]
