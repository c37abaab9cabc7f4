"""Loads of the relational store: an item of the ledger says what the last one of a dataset did."""

from typing import Any

ITEM = "load"
OUTCOME = ("snapshot", "rows", "quarantined")
CHANGES, NEWEST = "changes", "newest"  # what may be loaded, besides a snapshot's id
# In a run's log, before the dataset and how many of its rows are in the store's quarantine.
WAITING = "store-quarantine"


def write_outcome(table: Any, dataset: str, **outcome: object) -> None:
    table.update_item(
        Key={"dataset": dataset, "item": ITEM},
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in OUTCOME),
        ExpressionAttributeNames={f"#{name}": name for name in OUTCOME},
        ExpressionAttributeValues={f":{name}": str(outcome[name]) for name in OUTCOME},
    )
