"""The columns of the tables that a contract makes, beside its own."""

from __future__ import annotations

import pyarrow as pa

FAULT = pa.struct([("column", pa.string()), ("code", pa.string()), ("message", pa.string())])


LINEAGE = pa.schema(
    [
        ("_source", pa.string()),
        ("_source_version", pa.string()),
        ("_contract", pa.string()),  # the version of the contract that curated the row
        ("_batch", pa.string()),
        ("_committed_at", pa.timestamp("us", tz="UTC")),
    ]
)


REJECTED_SCHEMA = pa.schema(
    [
        *LINEAGE,
        ("line", pa.int64()),  # in the object, from 1; the row of a Parquet file; null: the whole object
        ("offset", pa.int64()),  # of the record's first byte in the decompressed object
        ("raw", pa.string()),
        ("faults", pa.list_(FAULT)),
    ]
)
