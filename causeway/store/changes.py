"""What changed between the snapshot that the store has and the one that it is to have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue, And, BooleanExpression, GreaterThanOrEqual, LessThanOrEqual
from pyiceberg.table import Table

from causeway.lake.rows import Snapshot
from causeway.store.database import quoted

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
        for file in self.table.scan(snapshot_id=self.snapshot, row_filter=self._where()).plan_files():
            for part in wanted.reader.read(file):
                yield self._of_keys(part.select(columns))

    def among(self, alias: str) -> str:
        """Limits a DELETE to these keys, which the temporary table `keys` has, unless all have changed."""
        equal = " AND ".join(f"{alias}.{quoted(name)} = k.{quoted(name)}" for name in self.key)
        return "" if self.keys is None else f"USING keys k WHERE {equal}"

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
    """Those in files that went or came; None if the earlier snapshot has expired, with its files."""
    sides = [Snapshot(table, one, key) for one in (before, snapshot)]
    old, new = ({task.file.file_path: task for task in side.files()} for side in sides)
    changed = ((sides[0], old, old.keys() - new.keys()), (sides[1], new, new.keys() - old.keys()))
    found = [pl.DataFrame(sides[1].reader.schema.empty_table().select([*key]))]
    try:
        for side, tasks, paths in changed:
            for path in sorted(paths):
                found += [
                    pl.DataFrame(part.select([*key])).unique() for part in side.reader.read(tasks[path])
                ]
    except FileNotFoundError:
        return None
    return pl.concat(found, how="vertical_relaxed").unique()  # the earlier may be of narrower types
