"""Landing against the ledger: what is not as S3 holds it is queued again, through the same path.

Reconciliation, replay and backfill are this one thing; they differ in where they look and in what they
want again. Needs nothing but boto3 and the standard library: it runs in a Lambda too.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

from causeway.ledger import Entry, Ledger
from causeway.manifest import AGAIN, LANDING_PREFIX, REMOVED, SEEN, SourceVersion

MESSAGES_AT_ONCE = 10
MESSAGE_BYTES = 20_000  # ten of them stay below SQS's limit; one record has 3,400 at most
# Why a version that S3 lists is wanted again: the hint its event shall carry; None: it is not.
Wanted = Callable[[str, Entry | None], str | None]


def is_missing(version: str, entry: Entry | None) -> str | None:
    """The table does not hold this version, nor is it quarantined."""
    return SEEN + (entry.snapshot if entry else "") if entry is None or entry.version != version else None


def wanted_again(contract: str | None, *, quarantined: bool) -> Wanted:
    """Missing, curated by another version of the contract than this, or with rows in quarantine."""

    def wanted(version: str, entry: Entry | None) -> str | None:
        if missing := is_missing(version, entry):
            return missing
        assert entry
        mended = contract is not None and entry.contract != contract
        return AGAIN + entry.snapshot if mended or (quarantined and entry.quarantined) else None

    return wanted


@dataclass(frozen=True)
class Listed:
    """What S3 lists of a source: its newest version, or that it was deleted; `at` is when that was."""

    source: str
    version: str
    size: int
    at: datetime
    deleted: bool


@dataclass
class Progress:
    """How far a pass is: versions looked at and queued again; the key after which to go on."""

    seen: int = 0
    queued: int = 0
    after: str = ""
    done: bool = False


@dataclass(frozen=True)
class Landing:
    """The landing bucket, its queue, and the ledger, as boto3 knows them."""

    bucket: str
    queue_url: str
    s3: Any
    sqs: Any
    ledger: Any  # DynamoDB Table
    # Datasets whose contract lets deletions remove rows, and after how many days lifecycle deletes.
    removing: frozenset[str] = frozenset()
    retention_days: int = 365

    def pages(self, prefix: str, after: str = "") -> Iterator[list[Listed]]:
        """Everything that is or was below the prefix, a page of up to 1,000 versions at a time."""
        pages = self.s3.get_paginator("list_object_versions").paginate(
            Bucket=self.bucket, Prefix=prefix, **({"KeyMarker": after} if after else {})
        )
        for page in pages:
            found = [
                Listed(v["Key"], v["VersionId"], v.get("Size", 0), v["LastModified"], deleted)
                for kind, deleted in (("Versions", False), ("DeleteMarkers", True))
                for v in page.get(kind, [])
                if v["IsLatest"] and not v["Key"].endswith("/")
            ]
            if found:
                yield sorted(found, key=lambda listed: listed.source)

    def requeue(
        self,
        dataset: str,
        prefix: str,
        wanted: Wanted,
        *,
        after: str = "",
        older_than: timedelta = timedelta(0),
        may_go_on: Callable[[Progress], bool] = lambda _: True,
    ) -> Progress:
        """Queue what is wanted again below a prefix of one dataset; asks after each page whether to go on.

        What landed less than `older_than` ago is left to its own event.
        """
        progress, ledger = Progress(after=after), Ledger(self.ledger, dataset)
        until = datetime.now(UTC) - older_than
        for page in self.pages(prefix, after):
            known = ledger.entries((listed.source for listed in page), ledger.watermark())
            again = [
                source
                for listed in page
                if listed.at <= until
                if (source := self._hinted(dataset, listed, known.get(listed.source), wanted))
            ]
            self.queue(again)
            progress.seen += len(page)
            progress.queued += len(again)
            progress.after = page[-1].source
            if not may_go_on(progress):
                return progress
        progress.done = True
        return progress

    def _hinted(
        self, dataset: str, listed: Listed, entry: Entry | None, wanted: Wanted
    ) -> SourceVersion | None:
        if listed.deleted:
            held = entry is not None and entry.version is not None
            removed = held and dataset in self.removing and self._was_deleted_by_someone(listed)
            hint = REMOVED + "DeleteMarkerCreated" if removed else None
        else:
            hint = wanted(listed.version, entry)
        return None if hint is None else SourceVersion(listed.source, listed.version, listed.size, hint)

    def _was_deleted_by_someone(self, marker: Listed) -> bool:
        """Not by lifecycle, which lets an object reach its age first. Both leave the same marker."""
        listed = self.s3.list_object_versions(Bucket=self.bucket, Prefix=marker.source, MaxKeys=10)
        ages = [
            marker.at - v["LastModified"] for v in listed.get("Versions", []) if v["Key"] == marker.source
        ]
        return bool(ages) and min(ages) < timedelta(days=self.retention_days)

    def queue(self, sources: Iterable[SourceVersion]) -> None:
        """Queue events that say of these sources what S3 would say. Raises OSError if SQS refuses some."""
        bodies = list(_messages(sources))
        for i in range(0, len(bodies), MESSAGES_AT_ONCE):
            some = enumerate(bodies[i : i + MESSAGES_AT_ONCE])
            entries = [{"Id": str(n), "MessageBody": body} for n, body in some]
            answer = self.sqs.send_message_batch(QueueUrl=self.queue_url, Entries=entries)
            if failed := answer.get("Failed"):
                why = failed[0].get("Message", failed[0]["Code"])
                raise OSError(f"{self.queue_url}: {why}; run it again")


def _messages(sources: Iterable[SourceVersion]) -> Iterator[str]:
    """As many records to a message as fit: what is queued by the million should not cost by the record."""
    records: list[str] = []
    size = 0
    for source in sources:
        record = json.dumps(_record(source))
        if records and size + len(record) > MESSAGE_BYTES:
            yield f'{{"Records": [{", ".join(records)}]}}'
            records, size = [], 0
        records.append(record)
        size += len(record)
    if records:
        yield f'{{"Records": [{", ".join(records)}]}}'


def _record(source: SourceVersion) -> Mapping[str, Any]:
    name = f"Object{'Removed' if source.hint.startswith(REMOVED) else 'Created'}"
    how = source.hint.removeprefix(REMOVED) if name == "ObjectRemoved" else "Again"
    described = {"key": quote_plus(source.source), "versionId": source.version, "size": source.size}
    return {
        "eventSource": "causeway",
        "eventName": f"{name}:{how}",
        "s3": {"object": described},
        "causeway": {"hint": source.hint},
    }


def prefix_of(dataset: str) -> str:
    """Where a dataset's files lie in the landing bucket."""
    return f"{LANDING_PREFIX}{dataset}/"
