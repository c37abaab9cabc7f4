"""Curated rows as Parquet: one file for each partition value, sorted, with statistics."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from causeway.contract.model import Contract

Part = Callable[[pl.Expr], pl.Expr]
TEXTS: dict[str, Part] = {
    "identity": lambda column: column.cast(pl.String),
    "year": lambda column: column.dt.strftime("%Y"),
    "month": lambda column: column.dt.strftime("%Y-%m"),
    "day": lambda column: column.dt.strftime("%Y-%m-%d"),
}
# The same, told apart at less cost.
NUMBERS: dict[str, Part] = {
    "identity": lambda column: column,
    "year": lambda column: column.dt.year(),
    "month": lambda column: column.dt.year().cast(pl.Int32) * 12 + column.dt.month(),
    "day": lambda column: column.dt.date(),
}
MAX_SEGMENT = 100  # characters of a folder's name
ROW_GROUP = 1 << 19  # rows: small enough that readers skip by statistics, large enough to compress
FIELD_ID = b"PARQUET:field_id"
LEVEL = 1  # of zstd: level 3 costs a tenth more time for a hundredth of the size


@dataclass(frozen=True)
class FieldIds:
    """The tables' columns as Arrow fields that carry Iceberg's ids, by which readers know them."""

    curated: pa.Schema
    rejected: pa.Schema


def write_parquet(
    table: pa.Table | pl.DataFrame, contract: Contract, ids: pa.Schema | None = None
) -> list[tuple[str | None, bytes]]:
    """(partition path, file) for each partition value; the path is None when the table is not partitioned."""
    frame = table if isinstance(table, pl.DataFrame) else pl.DataFrame(table)
    if not frame.height:
        return []
    if contract.sort_order:
        frame = frame.sort(contract.sort_order)
    if not contract.partitioning:
        return [(None, _encode(frame, contract, ids))]
    groups = frame.with_columns(partition_keys(contract)).partition_by(
        *[f"_partition {i}" for i in range(len(contract.partitioning))],
        as_dict=True,
        include_key=False,
        maintain_order=True,
    )
    return [(_path(contract, values), _encode(part, contract, ids)) for values, part in groups.items()]


def partition_keys(contract: Contract, parts: Mapping[str, Part] = TEXTS) -> list[pl.Expr]:
    """What rows of one partition have in common: a value for each column of the partitioning."""
    return [
        parts[transform](pl.col(name)).alias(f"_partition {i}")
        for i, (name, transform) in enumerate(contract.partitioning)
    ]


def _path(contract: Contract, values: Iterable[Any]) -> str:
    """A folder of its own for each partition, which people can read; what is in it the table knows."""
    columns = [
        name if transform == "identity" else f"{name}_{transform}"
        for name, transform in contract.partitioning
    ]
    return "/".join(
        f"{quote(column, safe='')}={_segment(value)}" for column, value in zip(columns, values, strict=True)
    )


def _segment(value: str | None) -> str:
    if value is None:
        return "null"
    segment = quote(value, safe=" :")
    if len(segment) > MAX_SEGMENT:  # a key has 1,024 bytes
        return f"{segment[:MAX_SEGMENT]}~{hashlib.sha256(value.encode()).hexdigest()[:16]}"
    return "%6Eull" if segment == "null" else segment


def _encode(frame: pl.DataFrame, contract: Contract, ids: pa.Schema | None) -> bytes:
    sink = io.BytesIO()
    required = {column.name for column in contract.columns if column.required}
    fields = [field.with_nullable(field.name not in required) for field in frame.head(0).to_arrow().schema]
    if any(isinstance(dtype, pl.Time) for dtype in frame.dtypes):
        # Polars writes nanoseconds, Iceberg has microseconds.
        schema = pa.schema([_microseconds(field) for field in fields])
        sink.write(parquet(frame.to_arrow().cast(schema), ids))
        return sink.getvalue()
    frame.write_parquet(
        sink,
        compression="zstd",
        compression_level=LEVEL,
        statistics=True,
        row_group_size=ROW_GROUP,
        arrow_schema=_identified(pa.schema(fields), ids),
    )
    return sink.getvalue()


def _microseconds(field: pa.Field) -> pa.Field:
    return field.with_type(pa.time64("us")) if pa.types.is_time(field.type) else field


def _identified(schema: pa.Schema, ids: pa.Schema | None) -> pa.Schema:
    """The same columns with the ids that `ids` gives them: all, or none if the table does not have one yet.

    A reader that finds an id in a file looks for no column by its name.
    """
    if ids is None or not set(ids.names).issuperset(schema.names):
        return schema
    return pa.schema([_with_id(field, ids.field(field.name)) for field in schema])


def _with_id(field: pa.Field, like: pa.Field) -> pa.Field:
    if pa.types.is_struct(field.type):
        parts = [_with_id(part, like.type.field(part.name)) for part in field.type]
        field = field.with_type(pa.struct(parts))
    elif pa.types.is_list(field.type) or pa.types.is_large_list(field.type):
        item = _with_id(field.type.value_field, like.type.value_field)
        field = field.with_type(pa.list_(item) if pa.types.is_list(field.type) else pa.large_list(item))
    return field.with_metadata({FIELD_ID: like.metadata[FIELD_ID]})


def parquet(table: pa.Table, ids: pa.Schema | None = None) -> bytes:
    """A table as one Parquet file, for what needs no order and no partitions."""
    sink = io.BytesIO()
    table = table.cast(_identified(table.schema, ids))
    pq.write_table(table, sink, compression="zstd", compression_level=LEVEL, row_group_size=ROW_GROUP)
    return sink.getvalue()
