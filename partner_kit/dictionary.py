"""What a table's columns are: as the company's contract says it, and the table itself keeps it."""

import json
from collections.abc import Iterable
from typing import Any

import polars as pl
from pyiceberg.table import Table

from partner_kit.errors import NoTableError
from partner_kit.snapshots import rows_of

# Properties of the tables, as causeway/lake/properties.py writes them.
DESCRIPTION, REFERENCES, HASHED = "Description", "causeway.references", "causeway.hashed"
HASH = "hashed: equal values are equal here"
COLUMNS: dict[str, Any] = {
    "column": pl.String,
    "type": pl.String,
    "nullable": pl.Boolean,
    "key": pl.Boolean,
    "references": pl.String,  # the column of another table that it points to: what to join by
    "values": pl.String,
    "description": pl.String,
}
TABLES: dict[str, Any] = {
    "table": pl.String,
    "rows": pl.Int64,
    "columns": pl.Int64,
    "snapshot": pl.Int64,
    "description": pl.String,
}


def dictionary_of(table: Table) -> pl.DataFrame:
    """A row for each column, and for each part of a nested one: a.b, or a.element of a list."""
    schema, references = table.schema(), _references(table)
    keys, hashed = schema.identifier_field_names(), set(json.loads(table.properties.get(HASHED, "[]")))
    rows = []
    for name in schema.column_names:
        field = schema.find_field(name)
        rows.append({
            "column": name,
            "type": str(field.field_type).partition("<")[0],
            "nullable": field.optional,
            "key": name in keys,
            "references": ", ".join(references.get(name, [])),
            "values": HASH if name in hashed else "",
            "description": field.doc or "",
        })  # fmt: skip
    return pl.DataFrame(rows, COLUMNS)


def tables_of(opened: Iterable[tuple[str, Table | NoTableError]]) -> pl.DataFrame:
    """A row for each table: how many rows and columns it has now, and what it is."""
    rows = []
    for name, table in opened:
        if isinstance(table, NoTableError):
            rows.append({"table": name, "rows": 0, "columns": 0, "description": f"not there yet: {table}"})
            continue
        newest = table.current_snapshot()
        rows.append({
            "table": name,
            "rows": rows_of(newest),
            "columns": len(table.schema().fields),
            "snapshot": newest and newest.snapshot_id,
            "description": described(table),
        })  # fmt: skip
    return pl.DataFrame(rows, TABLES)


def described(table: Table) -> str:
    return table.properties.get(DESCRIPTION, "")


def _references(table: Table) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for reference in json.loads(table.properties.get(REFERENCES, "[]")):
        for column, other in zip(reference["columns"], reference["to"], strict=True):
            found.setdefault(column, []).append(f"{reference['dataset']}.{other}")
    return found
