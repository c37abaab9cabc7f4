"""A table's snapshots: which there are, until when, and which one is meant."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from pyiceberg.table import Table
from pyiceberg.table.refs import SnapshotRef
from pyiceberg.table.snapshots import Snapshot

from partner_kit.errors import KitError, nearest

KEPT_FOR = "history.expire.max-snapshot-age-ms"  # a property of the table, as Iceberg names it
NAMED = 3  # snapshots in a message
COLUMNS: dict[str, Any] = {
    "snapshot": pl.Int64,
    "committed": pl.Datetime("ms", "UTC"),
    "age_days": pl.Int64,
    "rows": pl.Int64,
    "expires": pl.Date,  # at the earliest; null: while it is the newest, or a hold without an end is on it
    "hold": pl.String,
}


def snapshot_of(table: Table, wanted: int | str | None = None) -> Snapshot | None:
    """The snapshot of this id or hold, or the newest, if the table has one. Raises KitError."""
    if wanted is None:
        return table.current_snapshot()
    number = str(wanted).isdecimal()
    if found := table.snapshot_by_id(int(wanted)) if number else table.snapshot_by_name(str(wanted)):
        return found
    name = ".".join(table.name()[-2:])
    if not number:
        known = nearest(str(wanted), _holds(table)) or "there is none"
        raise KitError(f"{name} has no hold {str(wanted)!r}", known, "name a hold, or a snapshot by its id")
    kept = sorted(table.snapshots(), key=lambda one: one.timestamp_ms)
    if not kept:
        raise KitError(f"{name} has no snapshot {wanted}", "it has none yet", "name none")
    why = f"{name} has no snapshot {wanted}: it expired, or never was"
    oldest = [f"{one.snapshot_id} of {_at(one):%F %R} UTC" for one in kept]
    named = ", ".join(oldest if len(kept) <= NAMED + 1 else [*oldest[:NAMED], "…", oldest[-1]])
    do = "name another (--snapshots lists all), and ask the company for a hold on what must stay"
    raise KitError(f"{why}; {_rule(table)}", f"there are {named}", do)


def snapshots_of(table: Table) -> pl.DataFrame:
    """The table's snapshots, oldest first: when each was made, and the day from which it may be gone."""
    now, newest, holds = datetime.now(UTC), table.current_snapshot(), _holds(table)
    rows = []
    for one in sorted(table.snapshots(), key=lambda one: one.timestamp_ms):
        own = {name: ref for name, ref in holds.items() if ref.snapshot_id == one.snapshot_id}
        spans = [_kept_for(table), *(_span(ref.max_ref_age_ms) for ref in own.values())]
        forever = one == newest or None in spans
        rows.append({
            "snapshot": one.snapshot_id,
            "committed": _at(one),
            "age_days": (now - _at(one)).days,
            "rows": rows_of(one),
            "expires": None if forever else (_at(one) + max(span for span in spans if span)).date(),
            "hold": ", ".join(sorted(own)),
        })  # fmt: skip
    return pl.DataFrame(rows, COLUMNS)


def rows_of(snapshot: Snapshot | None) -> int:
    """How many rows the table has there; none before its first snapshot."""
    summary: Any = snapshot and snapshot.summary
    return int(summary["total-records"] or 0) if summary else 0


def retention(table: Table) -> str:
    """How long a snapshot is kept, and what to do about it, in words."""
    return f"{_rule(table)}; to keep one longer, ask the company for a hold on it before it expires"


def _rule(table: Table) -> str:
    kept = _kept_for(table)
    return f"the company keeps a snapshot for {kept.days if kept else 'some'} days, and always the newest"


def _kept_for(table: Table) -> timedelta | None:
    value = table.properties.get(KEPT_FOR)
    return _span(int(value)) if value else None


def _span(milliseconds: int | None) -> timedelta | None:
    return None if milliseconds is None else timedelta(milliseconds=milliseconds)


def _holds(table: Table) -> dict[str, SnapshotRef]:
    return {name: ref for name, ref in table.refs().items() if ref.snapshot_ref_type == "tag"}


def _at(snapshot: Snapshot) -> datetime:
    return datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC)
