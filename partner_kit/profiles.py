"""What the company says of a table's columns: the profile of a snapshot, or of the nearest one before it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import polars as pl
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from partner_kit.errors import KitError, advised
from partner_kit.snapshots import snapshot_of
from partner_kit.tables import RenewingFileIO

FORMAT = 1  # of the documents that this kit reads
NAMED = 5  # snapshots with a profile, in a message
HOUR = timedelta(hours=1)

NULLS = {"column": pl.String, "measure": pl.String, "nulls": pl.Int64, "null_share": pl.Float64}
ASSOCIATIONS = {
    "x": pl.String,
    "y": pl.String,
    "kind": pl.String,
    "n": pl.Int64,
    "effect": pl.Float64,
    "p_adjusted": pl.Float64,
    "caveats": pl.String,
}


@dataclass(frozen=True)
class Profile:
    """`document` is all of it, as profile.schema.json describes; the rest says how well it fits."""

    document: dict[str, Any]
    snapshot: int  # the one that was profiled
    asked: int  # the one that it was asked for
    commits_older: int  # by which it is behind the one asked for
    older: timedelta

    @property
    def age(self) -> str:
        """In words, or nothing if it is of the very snapshot."""
        if not self.commits_older:
            return ""
        hours = self.older // HOUR
        time = _counted(hours, "hour") if hours else "less than an hour"
        return f"{_counted(self.commits_older, 'commit')} and {time} older"

    def nulls(self) -> pl.DataFrame:
        """The columns that have nulls, the most often null first."""
        columns = [{"column": name, **column} for name, column in self.document["columns"].items()]
        found = _frame(columns, NULLS).filter(pl.col("nulls") > 0)
        return found.sort("nulls", descending=True, maintain_order=True)

    def associations(self) -> pl.DataFrame:
        """How columns relate, the strongest effect first."""
        pairs = self.document["associations"]
        return _frame([{**pair, "caveats": "; ".join(pair["caveats"])} for pair in pairs], ASSOCIATIONS)


@advised()
def profile_of(table: Table, snapshot: int | str | None = None) -> Profile:
    """The profile of this snapshot, or of the table as it is now; if it has none, of the nearest ancestor
    that has one. Raises KitError.
    """
    if not isinstance(table.io, RenewingFileIO):
        raise KitError("the table is not opened with your role", "open it with partner_kit.tables.open_table")
    name = ".".join(table.name()[-2:])
    asked = snapshot_of(table, snapshot)
    if asked is None:
        raise KitError(f"{name} has no snapshot yet, and so no profile", "run it again later")
    s3, location = table.io.session.client("s3"), urlsplit(table.location())
    bucket, folder = location.netloc, f"{location.path.strip('/')}/profiles/"
    # Folders below hold the counts that profiles are made of: one object a data file.
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder, Delimiter="/")
    keys = {found["Key"] for page in pages for found in page.get("Contents", [])}
    for commits, one in enumerate(_and_ancestors(asked, table)):
        if (key := f"{folder}{one}.json") in keys:
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            document, committed = _read(body, f"s3://{bucket}/{key}")
            older = datetime.fromtimestamp(asked.timestamp_ms / 1000, UTC) - committed
            return Profile(document, one, asked.snapshot_id, commits, max(older, timedelta(0)))
    others = [one for one in table.snapshots() if f"{folder}{one.snapshot_id}.json" in keys]
    raise _none(f"{name} has no profile of snapshot {asked.snapshot_id} or of one before it", others)


def _none(found: str, others: list[Snapshot]) -> KitError:
    if not others:
        return KitError(found, "at most one a day is made", "run it again tomorrow, or read the table")
    newest = sorted(others, key=lambda one: one.timestamp_ms)[-NAMED:]
    allowed = ", ".join(str(one.snapshot_id) for one in newest)
    return KitError(found, f"there are profiles of {allowed}", "name one of these, or read the table")


def _and_ancestors(snapshot: Snapshot, table: Table) -> Iterator[int]:
    """Ends with one that the company keeps no more, if there is such: its profile may still be there."""
    parents = {one.snapshot_id: one.parent_snapshot_id for one in table.snapshots()}
    one: int | None = snapshot.snapshot_id
    while one is not None:
        yield one
        one = parents.get(one)


def _read(body: bytes, location: str) -> tuple[dict[str, Any], datetime]:
    """The document, and when its snapshot was committed."""
    try:
        document = dict(json.loads(body))
        made, committed = document["format"], datetime.fromisoformat(document["committed_at"])
    except (ValueError, KeyError, TypeError) as error:
        raise KitError(f"{location} is no profile: {error!r}", "send this line to the company") from error
    if made != FORMAT:
        raise KitError(f"{location} has format {made}", f"this kit reads {FORMAT}", "ask for the newer kit")
    return document, committed.astimezone(UTC)


def _frame(rows: list[dict[str, Any]], schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(
        [[row.get(name) for name in schema] for row in rows], schema=schema, orient="row", strict=False
    )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
