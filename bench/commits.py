"""`python -m bench.commits`: what a commit costs as its table grows, in seconds and in files touched."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import polars as pl
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io import FileIO, InputFile, OutputFile
from pyiceberg.io.pyarrow import parquet_file_to_data_file
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from bench.__main__ import machine
from causeway.contract.model import Column, Contract
from causeway.engine.curate import curated_schema
from causeway.engine.write import write_parquet
from causeway.lake.commit import change_table
from causeway.lake.tables import Design, open_table

RESULTS = Path(__file__).parent / "commits.json"
SIZES = (10, 1_000, 10_000)
RUNS = 5
ROWS = 100  # of a file; commits handle names and statistics, not rows
CONTRACT = Contract("orders", "1.0.0", (Column("id", "id", "integer"), Column("note", "note", "string")))


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.commits", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), metavar="FILES")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    results = []
    for files, snapshots in [(size, 1) for size in options.sizes] + [(10, size) for size in options.sizes]:
        with tempfile.TemporaryDirectory(prefix="causeway-bench-") as folder:
            for result in measure(Path(folder), files, options.runs, snapshots):
                print(line(result), flush=True)
                results.append(result)
    options.out.write_text(json.dumps({"machine": machine(), "results": results}, indent=1) + "\n")
    print(f"Done. RESULTS={options.out}")
    return 0


def line(result: dict[str, Any]) -> str:
    return (
        f"{result['files']:>7,} files {result['snapshots']:>7,} snapshots  {result['commit']:8} "
        f"{result['seconds']:7.3f} s  reads {result['reads']}, writes {result['writes']}"
    )


def measure(folder: Path, size: int, runs: int, snapshots: int = 1) -> Iterator[dict[str, Any]]:
    """Medians of commits that append one file, and of commits that replace one source by another version."""
    catalog = SqlCatalog("bench", uri=f"sqlite:///{folder}/catalog.db", warehouse=folder.as_uri())
    real = {source_name(n) for n in range(runs)}
    table = build(catalog, folder, size, real)
    if snapshots > 1:
        _age(catalog, table, snapshots)
    for commit in ("append", "replace"):
        seconds, touched = [], Touched()
        for n in range(runs):
            new = write_file(folder, source_name(n) if commit == "replace" else f"new/{n}")
            table = catalog.load_table(("bench", "orders"))
            touched = Touched()
            watch(table, touched)
            started = time.perf_counter()
            replace = [source_name(n)] if commit == "replace" else []
            change_table(table, add=[new], replace=replace, properties={})
            seconds.append(time.perf_counter() - started)
        yield {
            "files": size,
            "snapshots": snapshots,
            "commit": commit,
            "seconds": round(statistics.median(seconds), 4),
            "runs": runs,
            "reads": dict(touched.reads),
            "writes": dict(touched.writes),
        }
    catalog.close()


def source_name(n: int) -> str:
    return f"landing/orders/{n:06}.csv"


def build(catalog: Catalog, folder: Path, size: int, real: set[str]) -> Table:
    """A table of `size` files, each of a source of its own; only those of the sources `real` exist."""
    catalog.create_namespace("bench")
    table = open_table(
        catalog, Design(("bench", "orders"), curated_schema(CONTRACT), (folder / "t").as_uri())
    )
    model = parquet_file_to_data_file(table.io, table.metadata, write_file(folder, source_name(0)))
    with table.transaction() as change, change.update_snapshot().fast_append() as snapshot:
        for n in range(size):
            source = source_name(n)
            if source in real:
                path = write_file(folder, source)
                snapshot.append_data_file(parquet_file_to_data_file(table.io, table.metadata, path))
            else:
                snapshot.append_data_file(_like(model, table, source))
    return table


def _age(catalog: Catalog, table: Table, snapshots: int) -> None:
    """Give the table so long a history: its one snapshot again and again, each the next one's parent."""
    metadata = json.loads(table.metadata.model_dump_json())
    (first,) = metadata["snapshots"]
    first["summary"] |= {"causeway.batch": "0" * 32, "causeway.report": "batches/orders/" + "0" * 64}
    ids = [first["snapshot-id"] + n for n in range(snapshots)]
    metadata["snapshots"] = [
        {**first, "snapshot-id": id, "parent-snapshot-id": parent}
        for id, parent in zip(ids, [None, *ids], strict=False)
    ]
    metadata["snapshot-log"] = [{**metadata["snapshot-log"][0], "snapshot-id": id} for id in ids]
    metadata["current-snapshot-id"] = metadata["refs"]["main"]["snapshot-id"] = ids[-1]
    aged = Path(unquote(urlsplit(table.metadata_location).path)).with_name("00009-aged.metadata.json")
    aged.write_text(json.dumps(metadata))
    catalog.drop_table(table.name())
    catalog.register_table(table.name(), aged.as_uri())


def _like(model: DataFile, table: Table, source: str) -> DataFile:
    """A file as the model, but of another source."""
    facts = {name: getattr(model, name) for name in model.__class__.__dict__ if name in _FACTS}
    at = table.schema().find_field("_source").field_id
    facts["file_path"] = f"{model.file_path.rpartition('/')[0]}/{source.replace('/', '-')}.parquet"
    for bounds in ("lower_bounds", "upper_bounds"):
        facts[bounds] = {**facts[bounds], at: source.encode()}
    return DataFile.from_args(**facts)


_FACTS = {
    "content", "file_path", "file_format", "partition", "record_count", "file_size_in_bytes", "column_sizes",
    "value_counts", "null_value_counts", "nan_value_counts", "lower_bounds", "upper_bounds", "split_offsets",
}  # fmt: skip


def write_file(folder: Path, source: str) -> str:
    """A small curated file of one source, as its URI."""
    schema = curated_schema(CONTRACT)
    frame = (
        pl.DataFrame(schema.empty_table())
        .clear(ROWS)
        .with_columns(pl.int_range(ROWS, dtype=pl.Int64).alias("id"), pl.lit(source).alias("_source"))
    )
    ((_, data),) = write_parquet(frame.select(schema.names), CONTRACT)
    path = folder / f"{source.replace('/', '-')}-{time.monotonic_ns()}.parquet"
    path.write_bytes(data)
    return path.as_uri()


class Touched:
    """Files opened and written, by kind."""

    def __init__(self) -> None:
        self.reads: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()


def watch(table: Table, touched: Touched) -> None:
    """Count what the table's commits read and write from here on."""
    inner: Any = table.io

    class Watched(type(inner)):  # type: ignore[misc]
        def new_input(self, location: str) -> InputFile:
            touched.reads[kind(location)] += 1
            found: InputFile = super().new_input(location)
            return found

        def new_output(self, location: str) -> OutputFile:
            touched.writes[kind(location)] += 1
            made: OutputFile = super().new_output(location)
            return made

    io: FileIO = Watched(inner.properties)
    table.io = io


def kind(location: str) -> str:
    name = location.rpartition("/")[2]
    if name.startswith("snap-"):
        return "lists"
    return "manifests" if name.endswith(".avro") else "metadata" if name.endswith(".json") else "data"


if __name__ == "__main__":
    sys.exit(main())
