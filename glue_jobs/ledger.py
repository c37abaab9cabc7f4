"""The ledger: what became of each source. An index of the curated table's history, in DynamoDB.

One item a source (`source#<digest>`: a key can be longer than a sort key), one a batch
(`batch#<id>`), and the watermark: the last snapshot the ledger knows of.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from causeway.report import Report

WATERMARK = "watermark"


@dataclass(frozen=True)
class Entry:
    """What the table holds of a source: its version, the contract's version that curated it, rows."""

    version: str | None
    contract: str
    rows: int
    quarantined: int


def _item(source: str) -> str:
    return "source#" + hashlib.sha256(source.encode()).hexdigest()


class Ledger:
    """The part of the ledger that belongs to one dataset. `table` is a boto3 DynamoDB Table."""

    def __init__(self, table: Any, dataset: str) -> None:
        self._table, self._dataset = table, dataset

    def watermark(self) -> int | None:
        item = self._get(WATERMARK)
        return int(item["snapshot"]) if item else None

    def entries(self, sources: Iterable[str]) -> dict[str, Entry]:
        """The entries of those sources that have one."""
        found = {}
        for source in sources:
            if item := self._get(_item(source)):
                found[source] = Entry(
                    item["version"], item["contract"], int(item["rows"]), int(item["quarantined"])
                )
        return found

    def record(self, report: Report, snapshot: str) -> None:
        """Write down what a commit did. Writing it again changes nothing."""
        with self._table.batch_writer() as writer:
            for source in report.sources:
                writer.put_item(
                    Item={
                        "dataset": self._dataset,
                        "item": _item(source.source),
                        "source": source.source,
                        "version": source.version,
                        "contract": report.contract,
                        "batch": report.batch,
                        "snapshot": snapshot,
                        "rows": source.curated,
                        "quarantined": source.quarantined + int(source.unreadable),
                    }
                )
        self.close_batch(report, snapshot)

    def close_batch(self, report: Report, snapshot: str) -> None:
        """The batch's own item, which the state machine reads."""
        self._table.put_item(
            Item={
                "dataset": self._dataset,
                "item": f"batch#{report.batch}",
                "batch": report.batch,
                "snapshot": snapshot,
                "report": report.key,
                "landed": report.total("landed"),
                "curated": report.total("curated"),
                "quarantined": report.total("quarantined"),
            }
        )

    def advance(self, snapshot: str) -> None:
        self._table.put_item(Item={"dataset": self._dataset, "item": WATERMARK, "snapshot": snapshot})

    def _get(self, item: str) -> dict[str, Any] | None:
        key = {"dataset": self._dataset, "item": item}
        found: dict[str, Any] | None = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        return found
