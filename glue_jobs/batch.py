"""One batch, from decision to commit. What distributes the work (Spark, or nothing) is passed in."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.io import load_file_io
from pyiceberg.table import Table

from causeway.contract import Contract
from causeway.manifest import Manifest
from causeway.report import Report, SourceReport
from glue_jobs.engine import REJECTED_SCHEMA, curated_schema
from glue_jobs.keys import Banned, repeated
from glue_jobs.ledger import Ledger
from glue_jobs.model import SourceCount
from glue_jobs.output import parquet
from glue_jobs.tables import change_table, open_table, snapshots_since
from glue_jobs.units import SourceObject, Unit, number_lines, plan_units, torn_sources, total

logger = logging.getLogger(__name__)

# A batch that loses this many races to other writers of its table gives up, and its execution is red.
MAX_DECISIONS = 50
BATCH, REPORT, APPLIED = "causeway.batch", "causeway.report", "causeway.applied"


@dataclass(frozen=True)
class Lake:
    """Where everything is. The locations are URIs; a dataset's files lie below them under its name."""

    landing_bucket: str
    curated_location: str
    quarantine_location: str
    curated_database: str
    quarantine_database: str


@dataclass(frozen=True)
class UnitResult:
    """What a task says of a unit it curated: counts, files written, hashes of its keys, new columns."""

    counts: tuple[SourceCount, ...]
    files: tuple[str, ...]
    rejected_files: tuple[str, ...]
    keys: pl.DataFrame
    new_columns: tuple[str, ...] = ()


# Curates units (by number) somewhere; rows in `Banned` are rejected as duplicates.
Distribute = Callable[[Mapping[int, Unit], Banned], Mapping[int, UnitResult]]


class Batch:
    """Brings the sources of one manifest to what S3 holds now."""

    def __init__(
        self,
        manifest: Manifest,
        contract: Contract,
        *,
        run: str,
        lake: Lake,
        catalog: Catalog,
        ledger: Ledger,
        s3: Any,
        distribute: Distribute,
    ) -> None:
        self._manifest, self._contract, self._run = manifest, contract, run
        self._lake, self._catalog, self._ledger, self._s3 = lake, catalog, ledger, s3
        self._distribute = distribute
        self._started = time.monotonic()

    def curate(self) -> Report:
        """Decide, curate, commit; decide again whenever the table moved meanwhile.

        Raises CommitFailedException after MAX_DECISIONS lost races.
        """
        decided: dict[str, SourceObject | None] | None = None
        results: Sequence[UnitResult] = ()
        for _ in range(MAX_DECISIONS):
            table = self._curated_table(results)
            self._catch_up(table)
            due = self._due()
            if not due:
                return self._nothing_to_do(table)
            if due != decided:
                decided, results = due, self._curate_units([item for item in due.values() if item])
                table = self._curated_table(results)
                if self._behind(table):
                    continue
            try:
                return self._commit(table, due, results)
            except CommitFailedException:
                logger.info("another batch committed to %s first: deciding again", self._manifest.dataset)
        raise CommitFailedException(f"lost {MAX_DECISIONS} races for {self._manifest.dataset}")

    def _curated_table(self, results: Sequence[UnitResult]) -> Table:
        schema = curated_schema(self._contract)
        for column in sorted({name for result in results for name in result.new_columns}):
            schema = schema.append(pa.field(column, pa.string()))
        dataset = self._manifest.dataset
        return open_table(
            self._catalog,
            (self._lake.curated_database, dataset),
            schema,
            f"{self._lake.curated_location}/{dataset}",
            self._contract.partitioning,
        )

    def _behind(self, table: Table) -> bool:
        current = table.current_snapshot()
        return current is not None and current.snapshot_id != self._ledger.watermark()

    def _catch_up(self, table: Table) -> None:
        """Bring the ledger and the quarantine table up to the curated table's history."""
        for snapshot in snapshots_since(table, self._ledger.watermark()):
            if BATCH in snapshot:
                where = {"Bucket": self._lake.landing_bucket, "Key": snapshot[REPORT]}
                report = Report.from_json(self._s3.get_object(**where)["Body"].read())
                self._quarantine(report, snapshot["id"])
                self._ledger.record(report, snapshot["id"])
            self._ledger.advance(snapshot["id"])

    def _quarantine(self, report: Report, snapshot: str) -> None:
        """The quarantine's rows of the batch's sources become those that this snapshot set aside."""
        before = self._ledger.entries(source.source for source in report.sources)
        replace = [source for source, entry in before.items() if entry.quarantined]
        if not replace and not report.rejected_files:
            return
        while True:
            table = open_table(
                self._catalog,
                (self._lake.quarantine_database, report.dataset),
                REJECTED_SCHEMA,
                f"{self._lake.quarantine_location}/{report.dataset}",
            )
            if any(news.get(APPLIED) == snapshot for news in snapshots_since(table, None)):
                return
            try:
                change_table(
                    table,
                    add=report.rejected_files,
                    replace=replace,
                    properties={BATCH: report.batch, APPLIED: snapshot},
                )
                return
            except CommitFailedException:
                logger.info("another batch changed the quarantine of %s: looking again", report.dataset)

    def _due(self) -> dict[str, SourceObject | None]:
        """The sources that are not as S3 has them now: with the current object, None if it is gone."""
        names = [source.source for source in self._manifest.sources]
        entries = self._ledger.entries(names)
        with ThreadPoolExecutor(16) as pool:
            current = dict(zip(names, pool.map(self._current, names), strict=True))
        due: dict[str, SourceObject | None] = {}
        for source, now in current.items():
            entry = entries.get(source)
            if now is None:
                if entry and entry.version is not None and self._contract.on_delete == "remove":
                    due[source] = None
            elif not entry or (entry.version, entry.contract) != (now.version, self._contract.version):
                due[source] = now
        return due

    def _current(self, source: str) -> SourceObject | None:
        try:
            head = self._s3.head_object(Bucket=self._lake.landing_bucket, Key=source)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (404, 405):
                return None
            raise
        return SourceObject(source, head.get("VersionId", "null"), head["ContentLength"])

    def _curate_units(self, objects: list[SourceObject]) -> list[UnitResult]:
        """Curate every object; what one task cannot see of another's rows is settled here."""
        units = dict(enumerate(plan_units(objects, self._contract, split=True)))
        results = dict(self._distribute(units, {}))
        if torn := torn_sources(c for result in results.values() for c in result.counts):
            # A quoted newline crosses an edge: those objects cannot be cut.
            whole = [item for item in objects if (item.source, item.version) in torn]
            rest = [item for item in objects if item not in whole]
            planned = plan_units(rest, self._contract, split=True) + plan_units(whole, self._contract)
            units = dict(enumerate(planned, start=len(units)))
            results = dict(self._distribute(units, {}))
        if banned := repeated([results[n].keys for n in sorted(results)], self._contract):
            affected = {
                n: unit
                for n, unit in units.items()
                if any((s.source, s.version, s.start) in banned for s in unit.slices)
            }
            results.update(self._distribute(affected, banned))
        ordered = [results[n] for n in sorted(results)]
        self._number_lines(units, results)
        return ordered

    def _number_lines(self, units: Mapping[int, Unit], results: Mapping[int, UnitResult]) -> None:
        """Rejected rows of objects that were cut: their lines become lines of the object."""
        counts = [count for result in results.values() for count in result.counts]
        for n, unit in units.items():
            if all(piece.whole for piece in unit.slices):
                continue
            for uri in results[n].rejected_files:
                files = load_file_io(self._catalog.properties, uri)
                with files.new_input(uri).open() as stored:
                    rejected = pq.read_table(stored)
                with files.new_output(uri).create(overwrite=True) as mended:
                    mended.write(parquet(number_lines(rejected, counts)))

    def _commit(
        self, table: Table, due: dict[str, SourceObject | None], results: Sequence[UnitResult]
    ) -> Report:
        entries = self._ledger.entries(due)
        report = self._write_report(due, results)
        change_table(
            table,
            add=[path for result in results for path in result.files],
            replace=[source for source, entry in entries.items() if entry.rows],
            properties={BATCH: report.batch, REPORT: report.key},
        )
        self._catch_up(table)
        return report

    def _nothing_to_do(self, table: Table) -> Report:
        current = table.current_snapshot()
        report = self._write_report({}, ())
        self._ledger.close_batch(report, str(current.snapshot_id) if current else "none")
        return report

    def _write_report(self, due: dict[str, SourceObject | None], results: Sequence[UnitResult]) -> Report:
        """Before the commit that refers to it."""
        report = self._report(due, results)
        self._s3.put_object(Bucket=self._lake.landing_bucket, Key=report.key, Body=report.to_json().encode())
        return report

    def _report(self, due: dict[str, SourceObject | None], results: Sequence[UnitResult]) -> Report:
        gone = [SourceReport(source, None) for source, item in due.items() if item is None]
        there = [
            SourceReport(c.source, c.version, c.rows, c.curated, c.rejected, c.reasons, c.unreadable)
            for c in total(count for result in results for count in result.counts)
        ]
        return Report(
            dataset=self._manifest.dataset,
            batch=self._manifest.batch,
            run=self._run,
            contract=self._contract.version,
            sources=(*gone, *there),
            rejected_files=tuple(path for result in results for path in result.rejected_files),
            seconds=round(time.monotonic() - self._started, 3),
        )
