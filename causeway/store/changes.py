"""What changed between the snapshot that the store has and the one that it is to have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue, And, BooleanExpression, GreaterThanOrEqual, LessThanOrEqual
from pyiceberg.table import FileScanTask, Table

from causeway.lake.rows import Snapshot

# Rows of one key may be in several batches: the one that was committed last is the row.
COMMITTED, BATCH = "_committed_at", "_batch"
RANGED = (int, str)  # types of a key whose bounds find its files


@dataclass(frozen=True)
class Changes:
    """`keys` may have changed, None stands for all. `rows()` are all of the snapshot that have such a key."""

    table: Table
    snapshot: int
    columns: Sequence[str]
    key: Sequence[str]
    keys: pl.DataFrame | None

    def rows(self) -> Iterator[pa.Table]:
        columns = [*self.columns, COMMITTED, BATCH]
        wanted = Snapshot(self.table, self.snapshot, columns)
        for file in _files(self.table, self.snapshot, self._where()):
            for part in wanted.reader.read(file):
                yield self._of_keys(part.select(columns))

    def _of_keys(self, part: pa.Table) -> pa.Table:
        if self.keys is None:
            return part
        frame = pl.DataFrame(part.select([*self.key])).with_row_index("at")
        at = frame.join(self.keys, on=[*self.key], how="semi", maintain_order="left")["at"]
        return part.take(pa.array(at.to_numpy()))

    def _where(self) -> BooleanExpression:
        """What the first column of the key lies between: files that have nothing of it are not read."""
        first = None if self.keys is None else self.keys[self.key[0]]
        if first is None or not isinstance(low := first.min(), RANGED) or isinstance(low, bool):
            return AlwaysTrue()
        name, high = self.key[0], first.max()
        return And(GreaterThanOrEqual(name, low), LessThanOrEqual(name, high))  # type: ignore[call-arg,arg-type]


def changes_between(
    table: Table, before: int | None, snapshot: int, columns: Sequence[str], key: Sequence[str]
) -> Changes:
    """All keys have changed if there is no snapshot before, or the table has none such any more."""
    keys = None
    if before is not None and table.snapshot_by_id(before) is not None:
        keys = _keys_between(table, before, snapshot, key)
    return Changes(table, snapshot, columns, key, keys)


def _keys_between(table: Table, before: int, snapshot: int, key: Sequence[str]) -> pl.DataFrame | None:
    old, new = ({f.file.file_path: f for f in _files(table, one)} for one in (before, snapshot))
    gone, come = old.keys() - new.keys(), new.keys() - old.keys()
    found = _Keys(table, key)
    try:
        for of, paths, files in ((before, gone, old), (snapshot, come, new)):
            for path in sorted(paths):
                found.add(of, files[path])
    except FileNotFoundError:
        return None  # a snapshot that has expired, with its files
    return found.frame


@dataclass
class _Keys:
    table: Table
    key: Sequence[str]
    frame: pl.DataFrame = field(init=False)

    def __post_init__(self) -> None:
        none = self.table.schema().as_arrow().empty_table()
        self.frame = pl.DataFrame(none.select([*self.key]))

    def add(self, snapshot: int, file: FileScanTask) -> None:
        for part in Snapshot(self.table, snapshot, self.key).reader.read(file):
            self.frame = pl.concat([self.frame, pl.DataFrame(part.select([*self.key]))]).unique()


def _files(table: Table, snapshot: int, where: BooleanExpression | None = None) -> list[FileScanTask]:
    scan = table.scan(snapshot_id=snapshot, row_filter=where or AlwaysTrue())
    return list(scan.plan_files())
