"""Curated rows as Parquet: one file for each partition value, sorted, with statistics."""

from __future__ import annotations

import io

import polars as pl
import pyarrow as pa

from causeway.contract import Contract

PARTS = {
    "year": lambda c: c.dt.year().cast(pl.String),
    "month": lambda c: c.dt.strftime("%Y-%m"),
    "day": lambda c: c.dt.strftime("%Y-%m-%d"),
    "identity": lambda c: c.cast(pl.String),
}
ROW_GROUP = 1 << 20


def write_parquet(table: pa.Table, contract: Contract) -> list[tuple[str | None, bytes]]:
    """(partition path, file) for each partition value; the path is Hive's spelling, None when not partitioned."""
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    if not frame.height:
        return []
    if contract.sort_order:
        frame = frame.sort(contract.sort_order, nulls_last=False)
    if not contract.partitioning:
        return [(None, _encode(frame, table.schema))]
    parts = {
        f"{name}_{transform}" if transform != "identity" else name: PARTS[transform](pl.col(name))
        for name, transform in contract.partitioning
    }
    keys = frame.select(**parts)
    labels = keys.select(
        pl.concat_str([pl.format(f"{k}={{}}", pl.col(k).fill_null("null")) for k in keys.columns], separator="/")
    ).to_series()
    groups = frame.with_columns(labels.alias("_path")).partition_by("_path", as_dict=True, include_key=False, maintain_order=True)
    return [(str(path), _encode(part, table.schema)) for (path,), part in groups.items()]


def _encode(frame: pl.DataFrame, schema: pa.Schema) -> bytes:
    sink = io.BytesIO()
    frame.write_parquet(sink, compression="zstd", compression_level=1, statistics=True, row_group_size=ROW_GROUP)
    return sink.getvalue()
