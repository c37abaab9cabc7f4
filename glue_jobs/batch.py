"""One batch, from decision to commit. What distributes the work (Spark, or nothing) is passed in."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from botocore.exceptions import ClientError
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table

from causeway.contract.model import Contract
from causeway.engine.curate import curated_schema
from causeway.engine.settle import source_reports
from causeway.engine.unit import UnitResult
from causeway.engine.write import FieldIds
from causeway.flow.failures import not_the_objects
from causeway.flow.ledger import Entry, Ledger, Watermark
from causeway.flow.manifest import AGAIN, REMOVED, Manifest, SourceVersion
from causeway.flow.report import REJECTED_WHOLE, Report, SourceReport
from causeway.lake.commit import change_table
from causeway.lake.history import BATCH, REPORT, History
from causeway.lake.location import Lake
from causeway.lake.properties import table_properties
from causeway.lake.tables import Design, open_table, with_field_ids
from glue_jobs.objects import curate_objects
from glue_jobs.tasks import Distribute

logger = logging.getLogger(__name__)

# A batch that loses this many races to other writers of its table gives up, and its execution is red.
MAX_DECISIONS = 50

# By source: the version to curate, or None where the source's rows are to be removed.
Due = Mapping[str, SourceVersion | None]


@dataclass
class Batch:
    """Brings the sources of one manifest to what S3 holds now.

    `distribute` curates units, `slots` of them at a time. Snapshots are kept for `snapshot_days`.
    """

    manifest: Manifest
    contract: Contract
    run: str
    lake: Lake
    catalog: Catalog
    ledger: Ledger
    s3: Any
    distribute: Distribute
    slots: Callable[[], int] = lambda: 1
    snapshot_days: int = 90
    _started: float = field(default_factory=time.monotonic)

    def curate(self) -> Report:
        """Decide, curate, commit; decide again whenever the table moved meanwhile.

        Raises CommitFailedException after MAX_DECISIONS lost races.
        """
        history = History(self.lake, self.manifest.dataset, self.catalog, self.ledger, self.s3)
        curated: tuple[Due, UUID] | None = None
        results: Sequence[UnitResult] = ()
        new: set[str] = set()
        for _ in range(MAX_DECISIONS):
            with not_the_objects(CommitFailedException):
                table, watermark = history.catch_up(partial(self._open, new))
                entries = self.ledger.entries((s.source for s in self.manifest.sources), watermark)
                current = self._current()
                if self.ledger.watermark() != watermark:
                    continue  # the entries may be newer than the table, or of a ledger that is built anew
                due = self._due(entries, current)
                if not due:
                    return self._nothing_to_do(watermark, entries)
            if (due, table.metadata.table_uuid) != curated:
                curated, results = (due, table.metadata.table_uuid), self._curate(due, table, history)
                new |= _new_columns(results)
                # It took a while.
                table, now = history.catch_up(partial(self._open, new))
                if now != watermark:
                    continue
            try:
                report = self._commit(table, entries, due, results)
            except CommitFailedException:
                logger.info("another batch committed to %s first: deciding again", self.manifest.dataset)
            else:
                logger.info("committed batch %s of %s", report.batch, report.dataset)
                if whole := [source.source for source in report.sources if source.unreadable]:
                    logger.warning("%s: %d objects, %s among them", REJECTED_WHOLE, len(whole), whole[0])
                history.catch_up(table.refresh)
                return report
        raise CommitFailedException(f"lost {MAX_DECISIONS} races for {self.manifest.dataset}")

    def _open(self, new_columns: Iterable[str]) -> Table:
        return open_table(self.catalog, self._design(new_columns))

    def _design(self, new_columns: Iterable[str] = ()) -> Design:
        """The curated table, with these columns beyond the contract."""
        return Design(
            (self.lake.curated_database, self.contract.table),
            curated_schema(self.contract, sorted(new_columns)),
            f"{self.lake.curated_location}/{self.contract.table}",
            self.contract.partitioning,
            self.contract.identifier,
            table_properties(self.contract, self.snapshot_days),
        )

    def _current(self) -> Due:
        """What S3 holds now of each of the manifest's sources; None if it is gone."""
        names = [source.source for source in self.manifest.sources]
        with ThreadPoolExecutor(16) as pool:
            return dict(zip(names, pool.map(self._head, names), strict=True))

    def _head(self, source: str) -> SourceVersion | None:
        try:
            head = self.s3.head_object(Bucket=self.lake.landing_bucket, Key=source)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (404, 405):
                return None
            raise
        return SourceVersion(source, head.get("VersionId", "null"), head["ContentLength"])

    def _due(self, entries: Mapping[str, Entry], current: Due) -> Due:
        """The sources that the table does not hold as S3 has them now."""
        due: dict[str, SourceVersion | None] = {}
        for source in self.manifest.sources:
            entry, now = entries.get(source.source), current[source.source]
            if now is None:
                removed = source.hint.startswith(REMOVED) and self.contract.on_delete == "remove"
                if removed and entry and entry.version is not None:
                    due[source.source] = None
            elif (
                entry is None
                or (entry.version, entry.contract) != (now.version, self.contract.version)
                or source.hint == f"{AGAIN}{entry.snapshot}"
            ):
                due[source.source] = now
        return due

    def _curate(self, due: Due, table: Table, history: History) -> list[UnitResult]:
        """Curate the objects; again if they brought columns, for a file names each by its id in the table."""
        objects = [version for version in due.values() if version]
        rejected = with_field_ids(history.open_quarantine())
        curate = partial(
            curate_objects,
            objects,
            self.manifest,
            self.contract,
            quarantine=f"{self.lake.quarantine_location}/{self.manifest.dataset}/data",
            file_io=self.catalog.properties,
            distribute=self.distribute,
            slots=self.slots(),
        )
        results = curate(ids=FieldIds(with_field_ids(table), rejected))
        if (new := _new_columns(results)) - set(table.schema().column_names):
            table = self._open(new)
            results = curate(ids=FieldIds(with_field_ids(table), rejected))
        return results

    def _commit(
        self, table: Table, entries: Mapping[str, Entry], due: Due, results: Sequence[UnitResult]
    ) -> Report:
        report = self._write_report(entries, due, results)
        change_table(
            table,
            self._design(_new_columns(results)),
            add=[path for result in results for path in result.files],
            replace=[source for source, entry in entries.items() if source in due and entry.rows],
            properties={BATCH: report.batch, REPORT: report.key},
        )
        return report

    def _nothing_to_do(self, watermark: Watermark | None, entries: Mapping[str, Entry]) -> Report:
        report = self._write_report(entries, {}, ())
        self.ledger.close_batch(report, watermark.snapshot if watermark else "")
        return report

    def _write_report(self, entries: Mapping[str, Entry], due: Due, results: Sequence[UnitResult]) -> Report:
        """Before the commit that refers to it."""
        gone = [SourceReport(source, None) for source, version in due.items() if version is None]
        curated = source_reports(count for result in results for count in result.counts)
        report = Report(
            dataset=self.manifest.dataset,
            batch=self.manifest.batch,
            run=self.run,
            contract=self.contract.version,
            sources=(*gone, *curated),
            rejected_files=tuple(path for result in results for path in result.rejected_files),
            seconds=round(time.monotonic() - self._started, 3),
            versions=self._account(entries, curated),
            size=sum(version.size for version in due.values() if version),
        )
        self.s3.put_object(Bucket=self.lake.landing_bucket, Key=report.key, Body=report.to_json().encode())
        return report

    def _account(self, entries: Mapping[str, Entry], curated: Sequence[SourceReport]) -> dict[str, int]:
        """What became of each version that the manifest lists."""
        held: dict[str, Entry | SourceReport] = {**entries, **{report.source: report for report in curated}}
        classes = Counter(_class(source, held.get(source.source)) for source in self.manifest.sources)
        names = ("committed", "superseded", "quarantined")
        return {"landed": len(self.manifest.sources), **{name: classes[name] for name in names}}


def _new_columns(results: Iterable[UnitResult]) -> set[str]:
    return {name for result in results for name in result.new_columns}


def _class(listed: SourceVersion, held: Entry | SourceReport | None) -> str:
    if held is None or held.version != listed.version:
        return "superseded"
    return "quarantined" if held.unreadable else "committed"
