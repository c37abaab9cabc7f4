"""The rows of a snapshot, file by file."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.table import FileScanTask, Table


class SnapshotError(ValueError):
    """There is no such snapshot."""


@dataclass(frozen=True)
class Snapshot:
    """A table as it was, or as it is now. `columns`: what is read of it."""

    table: Table
    id: int
    columns: Sequence[str]

    @property
    def schema(self) -> pa.Schema:
        return self._read([]).schema

    def files(self) -> list[FileScanTask]:
        return list(self.table.scan(snapshot_id=self.id).plan_files())

    def read(self, file: FileScanTask) -> pa.Table:
        """Its rows, with the columns and types of the table."""
        return self._read([file])

    def _read(self, files: list[FileScanTask]) -> pa.Table:
        scan = self.table.scan(snapshot_id=self.id, selected_fields=tuple(self.columns))
        reader = ArrowScan(self.table.metadata, self.table.io, scan.projection(), AlwaysTrue())
        return reader.to_table(files)


def snapshot_of(table: Table, wanted: int | None) -> int:
    """The id of the wanted snapshot, or of the newest. Raises SnapshotError."""
    if wanted is None and (current := table.current_snapshot()):
        return current.snapshot_id
    if wanted is not None and table.snapshot_by_id(wanted):
        return wanted
    kept = [str(one.snapshot_id) for one in sorted(table.snapshots(), key=lambda one: one.timestamp_ms)]
    listed = f"{len(kept)} are kept, the newest are {', '.join(kept[-5:])}" if kept else "it has none yet"
    raise SnapshotError(f"{'.'.join(table.name())} has no snapshot {wanted or ''}".rstrip() + f"; {listed}")
