"""Runs that profile a dataset's table: an item of the ledger says when the last began, and its outcome."""

import contextlib
from datetime import datetime
from typing import Any

ITEM = "profile"
OUTCOME = ("snapshot", "profile", "failed")  # what a run writes into it, and the state machine reads
# In a run's log, before the dataset, and how many of its contract's bounds are broken: warnings, then errors.
QUALITY = "quality"
FOLDER = "profiles"  # below a table's location, where its profiles are


def last_began(table: Any, dataset: str) -> datetime | None:
    item = table.get_item(Key=_key(dataset), ConsistentRead=True).get("Item")
    return datetime.fromisoformat(item["at"]) if item else None


def set_began(table: Any, dataset: str, at: datetime, *, before: datetime | None) -> None:
    """Write that the last run began `at`, unless the item no longer says what it said `before`."""
    condition = "attribute_not_exists(#at)" if before is None else "#at = :before"
    values = {":at": at.isoformat()} | ({":before": before.isoformat()} if before else {})
    with contextlib.suppress(table.meta.client.exceptions.ConditionalCheckFailedException):
        table.update_item(
            Key=_key(dataset),
            UpdateExpression="SET #at = :at",
            ConditionExpression=condition,
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues=values,
        )


def write_outcome(table: Any, dataset: str, *, snapshot: str, profile: str, failed: str) -> None:
    """A snapshot, its profile's URI, and the bounds that fail the run; all are empty if there is nothing."""
    table.update_item(
        Key=_key(dataset),
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in OUTCOME),
        ExpressionAttributeNames={f"#{name}": name for name in OUTCOME},
        ExpressionAttributeValues={":snapshot": snapshot, ":profile": profile, ":failed": failed},
    )


def _key(dataset: str) -> dict[str, str]:
    return {"dataset": dataset, "item": ITEM}
