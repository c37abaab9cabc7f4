"""Rows on their way: CSV as PostgreSQL's COPY reads it, in S3, whence the store imports it."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from causeway.store.database import Transaction, listed, text
from causeway.store.schemas import REASON

AT_ONCE = 100_000  # rows of a file: an import must end within the Data API's 45 s
NUL = "\0"
NUL_SHOWN = "␀"


@dataclass
class Staging:
    """A place in S3 for one load. What it holds is removed at the end, and expires if that never comes."""

    s3: Any
    bucket: str
    region: str
    prefix: str = field(default_factory=lambda: f"loads/{uuid.uuid4().hex}")
    keys: list[str] = field(default_factory=list)

    def put(self, rows: Iterable[pa.Table]) -> list[str]:
        """Write the rows; the keys of the files, each with its header's columns."""
        keys = []
        for part in rows:
            for start in range(0, part.num_rows, AT_ONCE):
                key = f"{self.prefix}/{len(self.keys):06}.csv"
                body = to_csv(part.slice(start, AT_ONCE))
                self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
                self.keys.append(key)
                keys.append(key)
        return keys

    def import_into(
        self, transaction: Transaction, table: str, columns: Sequence[str], keys: Iterable[str]
    ) -> None:
        options = text("(FORMAT csv, HEADER true)")
        for key in keys:
            uri = f"aws_commons.create_s3_uri({text(self.bucket)}, {text(key)}, {text(self.region)})"
            into = f"{text(table)}, {text(listed(columns))}, {options}"
            transaction.query(f"SELECT aws_s3.table_import_from_s3({into}, {uri})")

    def remove(self) -> None:
        for key in self.keys:
            self.s3.delete_object(Bucket=self.bucket, Key=key)
        self.keys.clear()


def to_csv(rows: pa.Table) -> bytes:
    """With a header. Text is quoted, so that what is empty is no null."""
    stream = io.BytesIO()
    csv.write_csv(rows, stream)
    return stream.getvalue()


def as_text(rows: pa.Table) -> pa.Table:
    """The rows as PostgreSQL takes them, with a column that says why one cannot be taken."""
    columns, reasons = {}, pa.nulls(rows.num_rows, pa.string())
    for name in rows.column_names:
        column = rows[name].combine_chunks()
        if pa.types.is_nested(column.type):
            column = pa.array([_json(value) for value in column.to_pylist()], pa.string())
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            bad = pc.fill_null(pc.match_substring(column, NUL), False)
            if pc.any(bad).as_py():
                reason = f"{name}: PostgreSQL's text cannot hold the character NUL, shown as {NUL_SHOWN}"
                reasons = pc.if_else(bad, pa.scalar(reason), reasons)
                column = pc.replace_substring(column, NUL, NUL_SHOWN)
        columns[name] = column
    return pa.table({**columns, REASON: reasons})


def _json(value: Any) -> str | None:
    """NUL is left for what looks for it: jsonb does not take its escape either."""
    if value is None:
        return None
    return json.dumps(value, default=str, ensure_ascii=False).replace("\\u0000", NUL)
