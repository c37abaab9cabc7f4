"""Commits: what changes a table, in one snapshot or not at all."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.expressions import In
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import (
    StatsAggregator,
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Snapshot, SnapshotLogEntry
from pyiceberg.types import StringType

from causeway.lake.tables import Design, fit

NO_BOUNDS = partial(StatsAggregator, StringType(), "BYTE_ARRAY", 16)  # characters of a bound that are kept

# A commit of pyiceberg's copies the table's metadata a dozen times, snapshot by snapshot, of which there
# are thousands. Snapshots are frozen: with 10,000 of them, sharing them makes a commit 20 times faster.
for frozen in (Snapshot, SnapshotLogEntry):
    frozen.__deepcopy__ = lambda self, _=None: self  # type: ignore[method-assign,assignment]


@dataclass(frozen=True)
class Commit:
    """A snapshot: its table's uuid, its id, its place in the order of commits, from 1, and what it says."""

    table: str
    id: int
    sequence: int
    properties: Mapping[str, str]


def commits(table: Table) -> Iterator[Commit]:
    """The table's history, newest first, as far back as it is kept."""
    snapshot = table.current_snapshot()
    while snapshot is not None:
        properties = snapshot.summary.additional_properties if snapshot.summary else {}
        yield Commit(
            str(table.metadata.table_uuid), snapshot.snapshot_id, snapshot.sequence_number or 0, properties
        )
        parent = snapshot.parent_snapshot_id
        snapshot = table.snapshot_by_id(parent) if parent is not None else None


def change_table(
    table: Table,
    design: Design | None = None,
    *,
    add: Iterable[str],
    replace: Iterable[str],
    properties: dict[str, str],
    state: Mapping[str, str] | None = None,
) -> int:
    """In one snapshot: remove every row of the sources `replace`, add the Parquet files `add`.

    With `design`, the columns and the table's properties are brought up to it in the same commit.
    `properties` are the snapshot's, `state` is set among the table's own, which outlive its snapshots.

    Succeeds only if the table is still as `table` last saw it; CommitFailedException otherwise.
    Returns the new snapshot's id.
    """
    sources = sorted(set(replace))
    with table.transaction() as transaction:
        if design:
            with transaction.update_schema() as columns:
                fit(columns, table.schema(), design)
        metadata = transaction.table_metadata
        update = transaction.update_snapshot(snapshot_properties=properties)
        with update.overwrite() if sources else update.merge_append() as snapshot:
            for removed, rest in _files_of(table, sources) if sources else ():
                snapshot.delete_data_file(removed)
                if rest is not None:
                    snapshot.append_data_file(_data_file(table.io, metadata, rest))
            for path in add:
                snapshot.append_data_file(_data_file(table.io, metadata, path))
        own = {**(design.properties if design else {}), **(state or {})}
        if own.items() - table.properties.items():
            transaction.set_properties(own)
    current = table.current_snapshot()
    assert current is not None
    return current.snapshot_id


def _data_file(io: FileIO, metadata: TableMetadata, path: str) -> DataFile:
    """The file as the table's metadata names it, with its partition; Parquet's statistics may cut texts."""
    schema, stored = metadata.schema(), io.new_input(path)
    with stored.open() as stream:
        file = pq.ParquetFile(stream)
        statistics = data_file_statistics_from_parquet_metadata(
            file.metadata,
            compute_statistics_plan(schema, metadata.properties),
            parquet_path_to_id_mapping(schema),
        )
        for field in metadata.spec().fields:
            source = schema.find_field(field.source_id)
            if source.field_type == StringType():
                first = next(file.iter_batches(1, columns=[source.name]))[0][0].as_py()
                bounds = statistics.column_aggregates.setdefault(source.field_id, NO_BOUNDS())
                bounds.current_min = bounds.current_max = first
    return DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=statistics.partition(metadata.spec(), schema),
        file_size_in_bytes=len(stored),
        spec_id=metadata.default_spec_id,
        **statistics.to_serialized_dict(),
    )


def _files_of(table: Table, sources: list[str]) -> Iterable[tuple[DataFile, str | None]]:
    """Each file that holds rows of the sources, and a new file with the rest of its rows, if any."""
    held_by = In("_source", sources)  # type: ignore[call-arg,arg-type]  # as pyiceberg documents it
    for task in table.scan(row_filter=held_by).plan_files():
        with table.io.new_input(task.file.file_path).open() as stream:
            parquet = pq.ParquetFile(stream)
            held = parquet.read(columns=["_source"])["_source"]
            leaving = pc.sum(pc.is_in(held, pa.array(sources))).as_py() or 0
            if leaving == 0:
                continue
            rest = (
                None if leaving == len(held) else _copy_without(table, parquet, task.file.file_path, sources)
            )
        yield task.file, rest


def _copy_without(table: Table, parquet: pq.ParquetFile, path: str, sources: list[str]) -> str:
    copy = f"{path.rpartition('/')[0]}/{uuid.uuid4()}.parquet"
    leaving = pa.array(sources)
    with (
        table.io.new_output(copy).create() as stream,
        pq.ParquetWriter(stream, parquet.schema_arrow, compression="zstd") as writer,
    ):
        for rows in parquet.iter_batches():
            stays = pc.invert(pc.is_in(rows.column("_source"), leaving))
            writer.write_batch(rows.filter(stays))
    return copy
