"""Landing against the ledger: what is not as S3 holds it is queued again, through the same path.

Reconciliation, replay and backfill are this one thing; they differ in where they look and in what they
want again. Needs nothing but boto3 and the standard library: it runs in a Lambda too.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from causeway.flow import queue
from causeway.flow.datasets import is_beside_data
from causeway.flow.events import messages_of
from causeway.flow.ledger import Entry, Ledger, Watermark
from causeway.flow.manifest import AGAIN, REMOVED, SEEN, Manifest, SourceVersion, manifest_key

logger = logging.getLogger(__name__)

# Events are seldom this late; what landed since is left to its own.
GRACE = timedelta(minutes=15)
# The log's words for what reconciliation misses: an alarm counts them.
QUEUED_AGAIN = "are queued again"
SENDS = 5  # of what SQS refused, before giving up
READERS = 16
# A ledger that began less than this ago without a snapshot is being built, and knows nothing yet.
BUILDING = timedelta(hours=2)
# Whether a version that S3 lists is wanted again: the kind of hint its event shall carry, or None.
Wanted = Callable[[str, Entry | None], str | None]


class LedgerBeingBuiltError(OSError):
    """The ledger does not know yet what the table holds: nothing can be told from it now."""


def is_missing(version: str, entry: Entry | None) -> str | None:
    """Wanted, if the table does not hold this version, nor the quarantine."""
    return SEEN if entry is None or entry.version != version else None


def wanted_again(contract: str, *, quarantined: bool) -> Wanted:
    """Wanted, if missing, curated by another version of the contract, or (on request) with rejected rows."""

    def wanted(version: str, entry: Entry | None) -> str | None:
        if entry is None or is_missing(version, entry):
            return SEEN
        return AGAIN if entry.contract != contract or (quarantined and entry.quarantined) else None

    return wanted


@dataclass(frozen=True)
class Listed:
    """A version that S3 lists, or the marker that its source was deleted; `at` is when that was."""

    source: str
    version: str
    size: int
    at: datetime
    latest: bool
    deleted: bool = False


@dataclass(frozen=True)
class Checkpoint:
    """A part of a pass: how many sources were compared and queued; the key after which to go on."""

    dataset: str
    seen: int
    queued: int
    after: str
    size: int = 0  # bytes of what was queued


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
    page_size: int = 1000  # S3's limit

    def pages(self, prefix: str, after: str = "") -> Iterator[list[Listed]]:
        """Every version and delete marker below the prefix, a page at a time, in the order of the keys."""
        pages = self.s3.get_paginator("list_object_versions").paginate(
            Bucket=self.bucket,
            Prefix=prefix,
            PaginationConfig={"PageSize": self.page_size},
            **({"KeyMarker": after} if after else {}),
        )
        for page in pages:
            if versions := [listed for listed in _listed(page) if not is_beside_data(listed.source)]:
                yield sorted(versions, key=lambda listed: listed.source)

    def newest(self, sources: Iterable[str]) -> list[Listed]:
        """What S3 has to say last of each of these sources that it has anything to say of."""

        def newest_of(source: str) -> list[Listed]:
            # Of the keys that begin so, this one itself comes first.
            page = self.s3.list_object_versions(Bucket=self.bucket, Prefix=source, MaxKeys=1)
            return [listed for listed in _listed(page) if listed.source == source and listed.latest]

        with ThreadPoolExecutor(READERS) as pool:
            return [listed for versions in pool.map(newest_of, sources) for listed in versions]

    def manifest(self, dataset: str, batch: str) -> Manifest | None:
        """A batch's manifest; None if there is none, or none any more."""
        try:
            stored = self.s3.get_object(Bucket=self.bucket, Key=manifest_key(dataset, batch))
        except self.s3.exceptions.NoSuchKey:
            return None
        return Manifest.from_json(stored["Body"].read())

    def known(self, dataset: str, sources: Iterable[str]) -> tuple[dict[str, Entry], Watermark | None]:
        """What the ledger says of these sources, and as of when. Raises LedgerBeingBuiltError."""
        ledger = Ledger(self.ledger, dataset)
        watermark = ledger.watermark()
        if watermark and not watermark.snapshot:
            age = time.time() - watermark.epoch / 1e6
            if age < BUILDING.total_seconds():
                raise LedgerBeingBuiltError(f"the ledger of {dataset} is being built anew: wait for that")
        return ledger.entries(sources, watermark), watermark

    def requeue(
        self,
        dataset: str,
        pages: Iterable[list[Listed]],
        wanted: Wanted,
        *,
        older_than: timedelta = timedelta(0),
        dry_run: bool = False,
    ) -> Iterator[Checkpoint]:
        """Queue what is wanted again of what is listed; a checkpoint after each page.

        What landed less than `older_than` ago is left to its own event. Raises LedgerBeingBuiltError.
        """
        until = datetime.now(UTC) - older_than
        for page in pages:
            latest = [listed for listed in page if listed.latest]
            entries, watermark = self.known(dataset, (listed.source for listed in latest))
            again = []
            for listed in (listed for listed in latest if listed.at <= until):
                hint = self._hint(dataset, listed, entries.get(listed.source), watermark, wanted)
                if hint:
                    again.append(SourceVersion(listed.source, listed.version, listed.size, hint))
            if not dry_run:
                self.queue(again)
            size = sum(source.size for source in again)
            yield Checkpoint(dataset, len(latest), len(again), page[-1].source, size)

    def walk(
        self,
        prefixes: Mapping[str, str],
        wanted: Callable[[str], Wanted] = lambda _: is_missing,
        *,
        after: str = "",
        **options: Any,
    ) -> Iterator[Checkpoint]:
        """`requeue` below a prefix of each of several datasets, in the order of the keys, from one key on."""
        for dataset, prefix in sorted(prefixes.items(), key=lambda item: item[1]):
            within = after.startswith(prefix)
            if after > prefix and not within:
                continue
            try:
                pages = self.pages(prefix, after if within else "")
                yield from self.requeue(dataset, pages, wanted(dataset), **options)
            except LedgerBeingBuiltError as error:
                logger.warning("%s is left out: %s", dataset, error)

    def queue(self, sources: Iterable[SourceVersion]) -> None:
        """Queue events that say of these sources what S3 would say. Raises OSError if SQS refuses some."""
        if refused := queue.send(self.sqs, self.queue_url, list(messages_of(sources)), tries=SENDS):
            raise OSError(f"the queue refuses events: {next(iter(refused.values()))}; run it again")

    def _hint(
        self, dataset: str, listed: Listed, entry: Entry | None, watermark: Watermark | None, wanted: Wanted
    ) -> str | None:
        if listed.deleted:
            held = entry is not None and entry.version is not None
            removed = held and dataset in self.removing and self._was_deleted_by_someone(listed)
            return REMOVED + "DeleteMarkerCreated" if removed else None
        kind = wanted(listed.version, entry)
        if not kind:
            return None
        # Wanted in another state of the table, it is another batch than the one that succeeded then.
        since = entry.snapshot if entry else str(watermark.epoch) if watermark else ""
        return kind + since

    def _was_deleted_by_someone(self, marker: Listed) -> bool:
        """Not by lifecycle, which lets an object reach its age first. Both leave the same marker."""
        page = self.s3.list_object_versions(Bucket=self.bucket, Prefix=marker.source, MaxKeys=10)
        versions = [v for v in _listed(page) if v.source == marker.source and not v.deleted]
        ages = [marker.at - version.at for version in versions]
        return bool(ages) and min(ages) < timedelta(days=self.retention_days)


def _listed(page: Mapping[str, Any]) -> list[Listed]:
    return [
        Listed(v["Key"], v["VersionId"], v.get("Size", 0), v["LastModified"], v["IsLatest"], deleted)
        for kind, deleted in (("Versions", False), ("DeleteMarkers", True))
        for v in page.get(kind, [])
    ]
