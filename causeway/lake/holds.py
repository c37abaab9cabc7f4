"""Holds: snapshots kept beyond their time, so that a training set can be read again. Each is an Iceberg tag.

Whoever expires snapshots by Iceberg's rules leaves what a tag names, until the tag itself is too old.
A hold keeps rows readable that were removed from the table since: whoever must erase them releases it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table
from pyiceberg.table.update.snapshot import ManageSnapshots

from causeway.flow.nearest import did_you_mean
from causeway.lake.rows import SnapshotError, snapshot_of
from causeway.lake.tables import TRIES

NAME = re.compile(r"[a-z][a-z0-9._-]{0,62}")


@dataclass(frozen=True)
class Hold:
    """On a snapshot, until the end of that day; None: until it is released."""

    table: str
    name: str
    snapshot: int
    committed: datetime
    until: date | None

    @property
    def over(self) -> bool:
        return self.until is not None and self.until < datetime.now(UTC).date()


def holds_of(table: Table) -> Iterator[Hold]:
    for name, ref in sorted(table.refs().items()):
        snapshot = table.snapshot_by_id(ref.snapshot_id)
        if ref.snapshot_ref_type == "tag" and snapshot:
            at = datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC)
            age = ref.max_ref_age_ms
            until = None if age is None else (at + timedelta(milliseconds=age)).date()
            yield Hold(table.name()[-1], name, ref.snapshot_id, at, until)


def hold(catalog: Catalog, table: tuple[str, str], snapshot: int, name: str, until: date) -> Hold:
    """Put a hold on a snapshot. Raises SnapshotError if there is no such snapshot, or the name is taken."""
    if not NAME.fullmatch(name) or name == "main":
        allowed = "allowed are up to 63 small letters, digits and ._-, a letter first, but not main"
        raise SnapshotError(f"--name: found {name!r}; {allowed}")
    if until <= datetime.now(UTC).date():
        raise SnapshotError(f"--until: found {until}, which is not after today; name a later day")

    def tag(found: Table) -> ManageSnapshots:
        for other in holds_of(found):
            if other.name == name:
                raise SnapshotError(
                    f"{table[1]} has a hold {name} already, on {other.snapshot}; name it otherwise"
                )
        one = found.snapshot_by_id(snapshot_of(found, snapshot))
        assert one
        end = datetime.combine(until, time.max, UTC).timestamp() * 1000
        return found.manage_snapshots().create_tag(one.snapshot_id, name, int(end) - one.timestamp_ms)

    held = _change(catalog, table, tag)
    return next(one for one in holds_of(held) if one.name == name)


def release(catalog: Catalog, table: tuple[str, str], name: str) -> Hold:
    """Take a hold off its snapshot, which then expires as others do. Raises SnapshotError."""
    released: list[Hold] = []

    def untag(found: Table) -> ManageSnapshots:
        there = {one.name: one for one in holds_of(found)}
        if name not in there:
            known = f"holds: {', '.join(there) or 'none'}{did_you_mean(name, there)}"
            raise SnapshotError(f"{table[1]} has no hold {name!r}; {known}")
        released.append(there[name])
        return found.manage_snapshots().remove_tag(name)

    _change(catalog, table, untag)
    return released[-1]


def _change(catalog: Catalog, name: tuple[str, str], change: Callable[[Table], ManageSnapshots]) -> Table:
    """Changes the table's references; again, when a batch committed meanwhile."""
    for _ in range(TRIES):
        table = catalog.load_table(name)
        try:
            change(table).commit()
        except CommitFailedException:
            continue
        return table
    raise CommitFailedException(f"{'.'.join(name)} kept changing; run it again")
