"""`python -m bench.wide`: time and peak memory of the profile of a wide table, in one process.

50 columns: 20 doubles and 5 timestamps of which every value differs, 10 integers of a thousand values, 10
categories, 5 flags; every third column has nulls.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from bench.__main__ import BUILD, machine
from bench.run_one import peak_rss
from causeway.engine.profile.table import Rows, profile
from causeway.lake.rows import VALUES_AT_ONCE

RESULTS = Path(__file__).parent / "wide.json"
MADE = 500_000  # rows at once
COLUMNS = {"double": 20, "time": 5, "integer": 10, "category": 10, "flag": 5}
MEASURES = {"category": "category", "flag": "flag"}
START = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())


def rows(number: int, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    shared, columns = rng.normal(size=number), {}
    for kind, count in COLUMNS.items():
        for n in range(count):
            values = {
                "double": lambda: pl.Series(rng.normal(size=number) + shared),
                "time": lambda: pl.from_epoch(pl.Series(rng.integers(START, START + 10**8, number))),
                "integer": lambda: pl.Series(rng.integers(0, 1000, number)),
                "category": lambda: pl.Series(rng.integers(0, 50, number)).cast(pl.String),
                "flag": lambda: pl.Series(rng.random(number) < 0.3),
            }[kind]()
            there = pl.Series(rng.random(number) > (0.05 if n % 3 == 0 else 0))
            columns[f"{kind}{n}"] = pl.select(pl.when(there).then(values)).to_series()
    return pl.DataFrame(columns)


def make(number: int) -> Path:
    path = BUILD / f"wide-{number}.parquet"
    if not path.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        size, writer = VALUES_AT_ONCE // sum(COLUMNS.values()), None
        for seed, done in enumerate(range(0, number, MADE)):
            table = rows(min(MADE, number - done), seed).to_arrow()
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table, row_group_size=size)
        if writer:
            writer.close()
    return path


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.wide", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    options = parser.parse_args()
    path = make(options.rows)
    file = pq.ParquetFile(path)
    measures = {name: MEASURES.get(name.rstrip("0123456789"), "quantity") for name in file.schema_arrow.names}

    def read(group: int) -> Iterator[pl.DataFrame]:
        yield pl.DataFrame(file.read_row_group(group))

    before, started = peak_rss(), time.perf_counter()
    document = profile(Rows(range(file.num_row_groups), read, int), measures)
    result = {
        "machine": machine(),
        "rows": document["rows"],
        "columns": len(document["columns"]),
        "associations": len(document["associations"]),
        "seconds": round(time.perf_counter() - started, 1),
        "peak_rss": peak_rss(),
        "rss_before": before,
    }
    print(json.dumps(result))
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
