"""A profile of local files: of the rows that their contract lets through."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from causeway.contract.model import Contract
from causeway.engine.curate import curated_schema
from causeway.engine.local import run
from causeway.engine.profile.measures import measures_of
from causeway.engine.profile.table import Rows, profile
from causeway.flow.report import Report


def profile_files(contract: Contract, files: Iterable[Path]) -> tuple[dict[str, Any], Report]:
    """The profile, and what became of each file. Raises ContractError for a file that is not there."""
    with tempfile.TemporaryDirectory(prefix="causeway-profile-") as folder:
        report, _ = run(contract, files, Path(folder))
        curated = sorted(Path(folder, "curated").rglob("*.parquet"))
        evolved = {name for path in curated for name in pq.read_schema(path).names}
        known = curated_schema(contract)
        schema = curated_schema(contract, sorted(evolved - set(known.names)))
        measures = measures_of(contract, schema.names)
        empty = pl.DataFrame(schema.empty_table()).select(list(measures))
        parts = [(path, n) for path in curated for n in range(pq.ParquetFile(path).num_row_groups)]

        def read(part: tuple[Path, int] | None) -> Iterator[pl.DataFrame]:
            if part is None:
                yield empty
                return
            path, group = part
            names = [name for name in measures if name in pq.read_schema(path).names]
            rows = pl.DataFrame(pq.ParquetFile(path).read_row_group(group, columns=names))
            yield pl.concat([empty, rows.cast({n: empty.schema[n] for n in names})], how="diagonal")

        every: list[tuple[Path, int] | None] = [*parts] or [None]
        return profile(Rows(every, read, every.index), measures), report
