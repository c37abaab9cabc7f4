"""What is in quarantine and why, grouped, with an example of each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl
import pyarrow as pa
from pyiceberg.catalog import Catalog

from causeway.contract.schema import REJECTED_SCHEMA
from causeway.lake.tables import find_table

COLUMNS = ("_source", "line", "raw", "faults")


def of_dataset(catalog: Catalog, database: str, dataset: str) -> list[dict[str, Any]]:
    """The reasons for which the dataset's rows are quarantined; none if it never had one."""
    if not (table := find_table(catalog, (database, dataset))):
        return []
    rejected = table.scan(selected_fields=COLUMNS).to_arrow_batch_reader()
    return [{"dataset": dataset, **group} for group in reasons(rejected)]


def reasons(rejected: Iterable[pa.RecordBatch]) -> list[dict[str, Any]]:
    """Quarantined rows by reason code and column: how many, of how many sources, and the first of them."""
    groups = (
        pl.concat([_grouped(pl.DataFrame(batch.select(COLUMNS))) for batch in rejected] or [_NOTHING])
        .group_by("code", "column")
        .agg(
            pl.col("rows").sum(),
            pl.col("sources").explode().n_unique(),
            pl.col("example").sort().first(),
        )
    )
    return groups.sort("rows", "code", "column", descending=[True, False, False]).to_dicts()


def _grouped(rows: pl.DataFrame) -> pl.DataFrame:
    """So much of a batch is kept in memory: the quarantine may hold all of what landed."""
    faults = rows.with_row_index("row").explode("faults").unnest("faults")
    return faults.group_by("code", "column").agg(
        rows=pl.col("row").n_unique().cast(pl.Int64),
        sources=pl.col("_source").unique(),
        example=pl.struct(pl.col("_source").alias("source"), "line", "raw", "message")
        .sort_by("_source", "line")
        .first(),
    )


_NOTHING = _grouped(pl.DataFrame(REJECTED_SCHEMA.empty_table().select(COLUMNS)))
