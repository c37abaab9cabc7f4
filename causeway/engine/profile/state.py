"""Counts as bytes: what was counted of a file once is not counted again."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import datasketches as ds
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from causeway.engine.profile.counts import EXACT, ColumnCounts, Counts, Sketches, Sums

FORMAT = 1
COUNTS = b"counts"


def fingerprint(measures: Mapping[str, str], schema: pa.Schema) -> str:
    """Of all that counts of one file must share with those of another to add up; Polars' hash is its own."""
    columns = [(name, measure, str(schema.field(name).type)) for name, measure in measures.items()]
    made_by = [FORMAT, EXACT, pl.__version__]
    return hashlib.sha256(json.dumps([made_by, columns]).encode()).hexdigest()[:16]


def to_bytes(counts: Counts) -> bytes:
    """A Parquet file of one row. Each column has its values and their counts; the metadata says the rest."""
    columns = {name: _ends_and_values(column) for name, column in counts.columns.items()}
    facts = {"rows": counts.rows, "columns": {n: _facts(c) for n, c in counts.columns.items()}}
    table = pl.DataFrame(columns).to_arrow().replace_schema_metadata({COUNTS: json.dumps(facts)})
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def from_bytes(stored: bytes) -> Counts:
    table = pq.read_table(io.BytesIO(stored))
    facts = json.loads(table.schema.metadata[COUNTS])
    frame = pl.DataFrame(table)
    columns = {name: _column(frame[name], of) for name, of in facts["columns"].items()}
    return Counts(facts["rows"], columns)


def _ends_and_values(column: ColumnCounts) -> pl.Series:
    dtype = pl.Null() if column.dtype.is_nested() else column.dtype
    ends = {name: pl.Series([getattr(column, name)], dtype=dtype) for name in ("lowest", "highest")}
    values = column.values
    if values is None:
        values = pl.DataFrame(schema={"value": dtype, "count": pl.Int64})
    return pl.DataFrame({**ends, "values": pl.Series([values.to_struct()])}).to_struct()


def _facts(column: ColumnCounts) -> dict[str, Any]:
    sketches = column.sketches
    return {
        "quantity": column.quantity,
        "counts": {name: getattr(column, name) for name in ("nulls", "not_finite", "places")},
        "sums": asdict(column.sums),
        "lengths": asdict(column.lengths),
        "passed_over": sketches.passed_over if sketches else 0,
        "exact": column.values is not None,
        "sketches": [base64.b64encode(part).decode() for part in _parts(sketches)] if sketches else None,
    }


def _parts(sketches: Sketches) -> tuple[bytes, bytes, bytes]:
    return sketches.smallest.tobytes(), sketches.frequent.serialize(), sketches.quantiles.serialize()


def _column(stored: pl.Series, facts: Mapping[str, Any]) -> ColumnCounts:
    row = stored.struct.unnest()
    column = ColumnCounts(
        row["lowest"].dtype,
        facts["quantity"],
        **facts["counts"],
        lowest=row["lowest"][0],
        highest=row["highest"][0],
        sums=Sums(**facts["sums"]),
        lengths=Sums(**facts["lengths"]),
    )
    if facts["exact"]:
        column.values = row["values"][0].struct.unnest()
    if facts["sketches"]:
        smallest, frequent, quantiles = map(base64.b64decode, facts["sketches"])
        column.sketches = Sketches(
            np.frombuffer(smallest, np.uint64),
            ds.frequent_strings_sketch.deserialize(frequent),
            ds.kll_doubles_sketch.deserialize(quantiles),
            facts["passed_over"],
        )
    return column
