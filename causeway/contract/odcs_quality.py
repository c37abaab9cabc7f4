"""Compiles a contract's quality: rules that each row keeps, and bounds that a profile of the table keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator

from open_data_contract_standard.model import DataQuality, SchemaObject

from causeway.contract.bound import DEVIATION, DISTINCT, DUPLICATES, HIGHEST, LOWEST, MEAN, NULLS, ROWS, Bound
from causeway.contract.model import Column, Contract, Rule
from causeway.contract.odcs_bounds import column_of, compile_bound, tables_of
from causeway.contract.place import Place, not_one_of
from causeway.contract.possible import refuse_contradictions

TABLE = r"[\w.\"$`{}]+"
# A rule in SQL that speaks of single rows: it counts those that break it.
COUNT = re.compile(
    rf"\s*SELECT\s+COUNT\s*\(\s*(?:\*|1)\s*\)(?:\s+AS\s+\w+)?\s+FROM\s+{TABLE}\s+WHERE\s+(.+?)\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
# One number of one column.
NUMBER = re.compile(
    r"\s*SELECT\s+(?:(AVG|MIN|MAX|STDDEV)\s*\(|COUNT\s*\(\s*DISTINCT\b)"
    r"\s*(\"(?:[^\"]|\"\")+\"|`[^`]+`|\$?\{\w+\}|\w+)\s*\)"
    rf"(?:\s+AS\s+\w+)?\s*\bFROM\s+({TABLE})\s*;?\s*",
    re.IGNORECASE,
)
METRICS = {"AVG": MEAN, "MIN": LOWEST, "MAX": HIGHEST, "STDDEV": DEVIATION, "": DISTINCT}
PROPERTY = re.compile(r"\$?\{(property|column)\}", re.IGNORECASE)
OBJECT = re.compile(r"\$?\{(object|table)\}", re.IGNORECASE)
ROW_METRICS = ("nullValues", "missingValues", "duplicateValues", "invalidValues")
RULES = (
    "expected a column's metric, or the schema's rowCount;"
    " or type: custom, engine: causeway, implementation: <SQL, true of good rows>;"
    " or type: sql, query: SELECT COUNT(*) FROM <table> WHERE <SQL, true of bad rows>, mustBe: 0;"
    " or type: sql, query: SELECT AVG(<column>) FROM <table> (or MIN, MAX, STDDEV, COUNT(DISTINCT <column>)),"
    " mustBeLessThan: <number> (or another operator)"
)


def compile_quality(
    schema: SchemaObject, contract: Contract, place: Place
) -> tuple[tuple[Rule, ...], tuple[Bound, ...]]:
    made = list(_each(schema, contract, place))
    bounds = [(one, at) for one, at in made if isinstance(one, Bound)]
    refuse_contradictions(bounds, contract.columns)
    return tuple(one for one, _ in made if isinstance(one, Rule)), tuple(bound for bound, _ in bounds)


def _each(schema: SchemaObject, contract: Contract, place: Place) -> Iterator[tuple[Rule | Bound, Place]]:
    owners: list[tuple[Column | None, list[DataQuality], Place]] = [(None, schema.quality or [], place)]
    for i, (p, column) in enumerate(zip(schema.properties or [], contract.columns, strict=True)):
        owners.append((column, p.quality or [], place / f"properties[{i}] ({p.name})"))
    for owner, qualities, there in owners:
        for i, quality in enumerate(qualities):
            at = there / f"quality[{i}]"
            if quality.type == "text" or (owner and is_of_rows(quality)):
                continue  # for people; or the column has it
            if quality.metric or quality.rule:
                yield _library(quality, owner, at), at
            elif sql := _expression(quality, owner.name if owner else ""):
                yield Rule(quality.name or quality.id or sql, sql, owner.name if owner else ""), at
            else:
                yield _number(quality, owner, schema, contract, at), at


def is_of_rows(quality: DataQuality) -> bool:
    """Whether it is a rule of the standard's library that each row keeps."""
    return bool(quality.metric or quality.rule) and bool(quality.mustBe == 0)


def _library(quality: DataQuality, column: Column | None, place: Place) -> Bound:
    metric, at = quality.metric or quality.rule or "", place / "metric"
    if column is None:
        if metric in ROW_METRICS:
            also = "; of several columns, primaryKey says it" if metric == DUPLICATES else ""
            raise at.wrong(f"{metric} goes with a column, rowCount with the schema{also}")
        if metric != ROWS:
            raise at.wrong(not_one_of(metric, (ROWS,)))
    elif metric == ROWS:
        raise at.wrong(f"rowCount goes with the schema; with a column go {', '.join(ROW_METRICS)}")
    elif metric not in ROW_METRICS:
        raise at.wrong(not_one_of(metric, ROW_METRICS))
    elif metric not in (NULLS, DUPLICATES):
        raise place.wrong(
            f"{metric}: only mustBe: 0 can be kept, row by row; nullValues and duplicateValues take a bound"
        )
    return compile_bound(quality, metric, column, place)


def _expression(quality: DataQuality, column: str) -> str | None:
    """What the rule says of a row, true of good ones."""
    if quality.type == "custom" and quality.engine == "causeway" and isinstance(quality.implementation, str):
        return quality.implementation
    count = COUNT.fullmatch(quality.query or "")
    if quality.type != "sql" or quality.mustBe != 0 or not count:
        return None
    bad = PROPERTY.sub(f'"{column}"', count[1])
    return f"NOT ({bad})"


def _number(
    quality: DataQuality, owner: Column | None, schema: SchemaObject, contract: Contract, place: Place
) -> Bound:
    match, at = NUMBER.fullmatch(quality.query or ""), place / "query"
    if quality.type != "sql" or not match:
        raise place.wrong(RULES)
    function, name, table = (match[1] or "").upper(), _unquoted(match[2]), _unquoted(match[3].split(".")[-1])
    tables = tables_of(schema, contract)
    if not OBJECT.fullmatch(table) and table.casefold() not in map(str.casefold, tables):
        raise at.wrong(f"table {not_one_of(table, (*tables, '{object}'))}")
    if not PROPERTY.fullmatch(name):
        column = column_of(name, contract, at)
    elif owner:
        column = owner
    else:
        raise at.wrong(f"{name} stands for a column, and the schema is none; expected the column's name")
    if owner and column != owner:
        raise at.wrong(f"asks of {column.name}; expected {owner.name}, or put it under the schema")
    return compile_bound(quality, METRICS[function], column, place)


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name[:1] in ('"', "`") else name
