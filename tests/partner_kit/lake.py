"""A table that is only its snapshots, and their profiles in moto's S3."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from pyiceberg.catalog.noop import NoopCatalog
from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadataUtil

from partner_kit.tables import RenewingFileIO

BUCKET, NOON = "lake", datetime(2026, 3, 1, 12, tzinfo=UTC)
COLUMNS: dict[str, Any] = {
    "carrier": {"measure": "category", "nulls": 0, "null_share": 0, "notes": []},
    "delay": {"measure": "quantity", "nulls": 2, "null_share": 0.2, "notes": []},
    "gate": {"measure": "category", "nulls": 9, "null_share": 0.9, "notes": []},
}
PAIR = {"x": "carrier", "y": "delay", "kind": "quantity-category", "n": 8, "effect": 1, "p": 0.01}
PAIRS = [{**PAIR, "p_adjusted": 0.03, "caveats": ["few rows"]}, {**PAIR, "y": "gate", "caveats": []}]


@dataclass
class Lake:
    """One table, by its snapshots' numbers: each is an hour after the one that it follows."""

    session: boto3.Session
    s3: Any
    snapshots: dict[int, dict[str, Any]] = field(default_factory=dict)
    current: int | None = None

    def commit(self, number: int, after: int | None = None) -> None:
        at = self._at(after) + timedelta(hours=1) if after in self.snapshots else NOON
        snapshot = {
            "snapshot-id": number,
            "timestamp-ms": int(at.timestamp() * 1000),
            "manifest-list": "none",
        }
        self.snapshots[number] = snapshot if after is None else {**snapshot, "parent-snapshot-id": after}
        self.current = number

    def _at(self, number: int | None) -> datetime:
        assert number is not None
        return datetime.fromtimestamp(self.snapshots[number]["timestamp-ms"] / 1000, UTC)

    def put(self, name: str, body: str) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=f"flights/profiles/{name}", Body=body)

    def profile(self, number: int, committed: datetime | None = None, **changes: Any) -> dict[str, Any]:
        at = committed or self._at(number)
        facts = {"dataset": "flights", "contract": "1.0.0", "snapshot": number}
        when = {"committed_at": at.isoformat(), "profiled_at": (at + timedelta(hours=5)).isoformat()}
        whole = {"format": 1, "rows": 10, "columns": COLUMNS, "associations": PAIRS}
        document = {**facts, **when, **whole, **changes}
        self.put(f"{number}.json", json.dumps(document))
        return document

    @property
    def table(self) -> Table:
        metadata = {
            "format-version": 2,
            "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1",
            "location": f"s3://{BUCKET}/flights",
            "last-sequence-number": 0,
            "last-updated-ms": 0,
            "last-column-id": 0,
            "current-schema-id": 0,
            "schemas": [{"schema-id": 0, "type": "struct", "fields": []}],
            "default-spec-id": 0,
            "partition-specs": [{"spec-id": 0, "fields": []}],
            "last-partition-id": 999,
            "default-sort-order-id": 0,
            "sort-orders": [{"order-id": 0, "fields": []}],
            "snapshots": list(self.snapshots.values()),
            "current-snapshot-id": self.current,
        }
        parsed = TableMetadataUtil.parse_obj(metadata)
        return Table(("lake", "flights"), parsed, "none", RenewingFileIO(self.session), NoopCatalog("none"))


def committed(lake: Lake, *numbers: int) -> Lake:
    for before, number in zip((None, *numbers), numbers, strict=False):
        lake.commit(number, before)
    return lake
