"""The ledger: what became of each source. An index of the curated table's history, in DynamoDB.

One item a source (`source#<digest>`: a key can be longer than a sort key), one a batch
(`batch#<id>`), and the watermark: the last snapshot that the ledger knows of.

Several writers may bring it up to the same history at once, in any interleaving. So what is written
for a snapshot replaces only what was written for an earlier one: items carry its sequence number
(Iceberg's, which grows with each commit) and the epoch of the ledger, a later one of which begins
whenever it is built anew. Entries of another epoch than the watermark's do not count.
"""

import contextlib
import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from causeway.flow.report import Report

WATERMARK = "watermark"
ARRIVAL = "arrival"  # the item that says when rows were last committed
READ_AT_ONCE = 100  # DynamoDB's limit for a BatchGetItem
WRITERS = 16
EARLIER = "attribute_not_exists(#item) OR #epoch < :epoch OR (#epoch = :epoch AND #sequence < :sequence)"


@dataclass(frozen=True)
class Watermark:
    """The last snapshot the ledger knows of, its sequence number, and the ledger's epoch.

    Before the table's first commit, `snapshot` is empty and `sequence` is 0. While the ledger is being
    built anew, `snapshot` is empty and `sequence` is -1.
    """

    snapshot: str
    sequence: int
    epoch: int

    @property
    def before_first_commit(self) -> bool:
        return self.sequence == 0


@dataclass(frozen=True)
class Entry:
    """What the table holds of a source since `snapshot`: which version, curated by which contract; rows.

    `version` is None when the source was removed; `unreadable` when all of it is one quarantined record.
    """

    version: str | None
    contract: str
    rows: int
    quarantined: int
    unreadable: bool
    snapshot: str

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "Entry":
        numbers = {"rows": int(item["rows"]), "quarantined": int(item["quarantined"])}
        return cls(**{field.name: item[field.name] for field in fields(cls)} | numbers)


def _item(source: str) -> str:
    return "source#" + hashlib.sha256(source.encode()).hexdigest()


class Ledger:
    """The part of the ledger that belongs to one dataset. `table` is a boto3 DynamoDB Table."""

    def __init__(self, table: Any, dataset: str) -> None:
        self._table, self._dataset = table, dataset

    def watermark(self) -> Watermark | None:
        key = {"dataset": self._dataset, "item": WATERMARK}
        item = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        return Watermark(item["snapshot"], int(item["sequence"]), int(item["epoch"])) if item else None

    def entries(self, sources: Iterable[str], watermark: Watermark | None) -> dict[str, Entry]:
        """The entries of those sources that have one, in the watermark's epoch."""
        if not watermark:
            return {}
        names = list(dict.fromkeys(sources))
        parts = [names[i : i + READ_AT_ONCE] for i in range(0, len(names), READ_AT_ONCE)]
        with ThreadPoolExecutor(WRITERS) as pool:
            items = [item for part in pool.map(self._read, parts) for item in part]
        return {i["source"]: Entry.from_item(i) for i in items if i["epoch"] == watermark.epoch}

    def _read(self, sources: Sequence[str]) -> list[dict[str, Any]]:
        keys = [{"dataset": self._dataset, "item": _item(source)} for source in sources]
        request: dict[str, Any] = {self._table.name: {"Keys": keys, "ConsistentRead": True}}
        items = []
        while request:
            response = self._table.meta.client.batch_get_item(RequestItems=request)
            items += response["Responses"].get(self._table.name, [])
            request = response.get("UnprocessedKeys", {})
        return items

    def record(self, report: Report, at: Watermark) -> None:
        """Write down what the commit `at` did. Writing it again, or after a later one, changes nothing."""
        entries = {}
        for s in report.sources:
            quarantined = s.quarantined + int(s.unreadable)
            entries[s.source] = Entry(
                s.version, report.contract, s.curated, quarantined, s.unreadable, at.snapshot
            )
        self.put(entries, at)
        self.close_batch(report, at.snapshot)

    def put(self, entries: Mapping[str, Entry], at: Watermark) -> None:
        """Write down what the table holds of sources as of `at`, over what is earlier."""
        items = [{"item": _item(s), "source": s, **asdict(entry)} for s, entry in entries.items()]
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(lambda item: self._put_over_earlier(item, at), items))

    def close_batch(self, report: Report, snapshot: str) -> None:
        """The batch's own item, which the state machine reads. The first that is written stays."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        item = {
            "item": f"batch#{report.batch}",
            "batch": report.batch,
            "snapshot": snapshot,
            "report": report.key,
            "at": at,
            "versions": report.versions,
            "size": report.size,
            **report.totals,
        }
        if self._put(item, "attribute_not_exists(#item)") and report.totals["curated"]:
            self._table.put_item(Item={"dataset": self._dataset, "item": ARRIVAL, "at": at})

    def last_arrival(self) -> datetime | None:
        """When rows were last committed, as far as that was ever asked or done."""
        item = self._table.get_item(Key={"dataset": self._dataset, "item": ARRIVAL}).get("Item")
        return datetime.fromisoformat(item["at"]) if item else None

    def arrival(self, now: datetime) -> datetime:
        """When rows were last committed; of a dataset without any, when that was first asked."""
        answer = self._table.update_item(
            Key={"dataset": self._dataset, "item": ARRIVAL},
            UpdateExpression="SET #at = if_not_exists(#at, :now)",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues={":now": now.isoformat(timespec="seconds")},
            ReturnValues="ALL_NEW",
        )
        return datetime.fromisoformat(answer["Attributes"]["at"])

    def advance(self, watermark: Watermark) -> None:
        """Everything up to this snapshot is written down."""
        self._put_over_earlier({"item": WATERMARK, "snapshot": watermark.snapshot}, watermark)

    def begin(self) -> Watermark:
        """Begin a new epoch, in which nothing is known yet; to be called before any entry of it is written.

        Whoever decides on entries of the epoch before then finds another watermark, and decides again.
        """
        before = self.watermark()
        if before and before.sequence < 0:
            return before  # someone else just did
        watermark = Watermark("", -1, max(time.time_ns() // 1000, before.epoch + 1 if before else 0))
        self.advance(watermark)
        return watermark

    def items(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Every item whose name begins with `source#` or `batch#`, page by page."""
        query: dict[str, Any] = {
            "KeyConditionExpression": "#dataset = :dataset AND begins_with(#item, :prefix)",
            "ExpressionAttributeNames": {"#dataset": "dataset", "#item": "item"},
            "ExpressionAttributeValues": {":dataset": self._dataset, ":prefix": prefix},
        }
        while True:
            page = self._table.query(**query)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _put_over_earlier(self, item: dict[str, Any], at: Watermark) -> None:
        order = {"epoch": at.epoch, "sequence": at.sequence}
        self._put({**item, **order}, EARLIER, **order)

    def _put(self, item: dict[str, Any], condition: str, **values: int) -> bool:
        """Whether the condition held, and the item is written."""
        names = {f"#{name}": name for name in ("item", "epoch", "sequence") if f"#{name}" in condition}
        given = {f":{name}": value for name, value in values.items()}
        with contextlib.suppress(self._table.meta.client.exceptions.ConditionalCheckFailedException):
            self._table.put_item(
                Item={"dataset": self._dataset, **item},
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                **({"ExpressionAttributeValues": given} if given else {}),
            )
            return True
        return False
