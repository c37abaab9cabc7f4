"""The columns of the tables that a contract makes, beside its own."""

from __future__ import annotations

import pyarrow as pa

FAULT = pa.struct([("column", pa.string()), ("code", pa.string()), ("message", pa.string())])


def _field(name: str, dtype: pa.DataType, doc: str) -> pa.Field:
    return pa.field(name, dtype, metadata={"doc": doc})


LINEAGE = pa.schema(
    [
        _field("_source", pa.string(), "key of the landed object that the row came from"),
        _field("_source_version", pa.string(), "that object's version in S3"),
        _field("_contract", pa.string(), "version of the contract that curated the row"),
        _field("_batch", pa.string(), "batch that committed the row"),
        _field("_committed_at", pa.timestamp("us", tz="UTC"), "when that batch curated it"),
    ]
)


REJECTED_SCHEMA = pa.schema(
    [
        *LINEAGE,
        _field(
            "line", pa.int64(), "in the object, from 1; the row of a Parquet file; null: the whole object"
        ),
        _field("offset", pa.int64(), "of the record's first byte in the decompressed object"),
        _field("raw", pa.string(), "the record as it stood there"),
        _field("faults", pa.list_(FAULT), "every reason why it was rejected"),
    ]
)
