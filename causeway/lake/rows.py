"""The rows of a snapshot, file by file."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import ArrowScan, _read_all_delete_files
from pyiceberg.table import FileScanTask, Table

VALUES_AT_ONCE = 16_000_000  # of all columns together: 128 MB of doubles


class SnapshotError(ValueError):
    """There is no such snapshot."""


@dataclass(frozen=True)
class Snapshot:
    """A table as it was, or as it is now. `columns`: what is read of it."""

    table: Table
    id: int
    columns: Sequence[str]

    def files(self) -> list[FileScanTask]:
        return list(self.table.scan(snapshot_id=self.id).plan_files())

    def parts(self) -> list[FileScanTask | None]:
        """Its files, the largest first; or nothing in place of one."""
        return [*sorted(self.files(), key=lambda file: -file.file.file_size_in_bytes)] or [None]

    @cached_property
    def reader(self) -> "FileReader":
        scan = self.table.scan(snapshot_id=self.id, selected_fields=tuple(self.columns))
        # The history is not needed, and may be long.
        metadata = self.table.metadata.model_copy(update={"snapshots": [], "snapshot_log": [], "refs": {}})
        return FileReader(ArrowScan(metadata, self.table.io, scan.projection(), AlwaysTrue()))


@dataclass(frozen=True)
class FileReader:
    """Reads files with the columns and types of the table; travels to where they are read."""

    scan: ArrowScan

    @property
    def schema(self) -> pa.Schema:
        return self.scan.to_table([]).schema

    def read(self, file: FileScanTask | None) -> Iterator[pa.Table]:
        """Its rows, some at a time; at least one table, which may be empty, as it is without a file."""
        files = [] if file is None else [file]
        deleted = _read_all_delete_files(self.scan._io, files)
        # ArrowScan.to_record_batches would hold all of the file at once.
        batches = self.scan._record_batches_from_scan_tasks_and_deletes(files, deleted)
        empty = self.schema.empty_table()
        gathered, rows, most = [empty], 0, VALUES_AT_ONCE // max(len(empty.schema), 1)
        for batch in batches:
            if rows and rows + batch.num_rows > most:
                yield pa.concat_tables(gathered, promote_options="permissive")
                gathered, rows = [empty], 0
            gathered.append(pa.Table.from_batches([batch]))
            rows += batch.num_rows
        yield pa.concat_tables(gathered, promote_options="permissive")


def number_of(file: FileScanTask | None) -> int:
    """The same in every run: what is counted of a file adds up with what other runs counted of others."""
    path = file.file.file_path if file else ""
    return int.from_bytes(hashlib.sha256(path.encode()).digest()[:8])


def snapshot_of(table: Table, wanted: int | None) -> int:
    """The id of the wanted snapshot, or of the newest. Raises SnapshotError."""
    if wanted is None and (current := table.current_snapshot()):
        return current.snapshot_id
    if wanted is not None and table.snapshot_by_id(wanted):
        return wanted
    kept = [str(one.snapshot_id) for one in sorted(table.snapshots(), key=lambda one: one.timestamp_ms)]
    listed = f"{len(kept)} are kept, the newest are {', '.join(kept[-5:])}" if kept else "it has none yet"
    raise SnapshotError(f"{'.'.join(table.name())} has no snapshot {wanted or ''}".rstrip() + f"; {listed}")
