"""One batch, from decision to commit. What distributes the work (Spark, or nothing) is passed in."""

import logging
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pyarrow.parquet as pq
from botocore.exceptions import ClientError
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.io import load_file_io
from pyiceberg.table import Table

from causeway.contract.model import Contract
from causeway.engine.check.keys import NO_KEYS
from causeway.engine.curate import curated_schema
from causeway.engine.model import unread
from causeway.engine.plan import Unit, plan_units, target_bytes
from causeway.engine.settle import number_lines, settle_keys, torn_sources, total
from causeway.engine.write import parquet
from causeway.flow.codes import Code
from causeway.flow.ledger import Entry, Ledger, Watermark
from causeway.flow.manifest import AGAIN, POISON, REMOVED, Manifest, SourceVersion
from causeway.flow.report import Report, SourceReport
from causeway.lake.history import BATCH, REPORT
from causeway.lake.location import Lake
from causeway.lake.tables import change_table, open_table
from glue_jobs.tasks import Distribute, UnitResult

logger = logging.getLogger(__name__)

# A batch that loses this many races to other writers of its table gives up, and its execution is red.
MAX_DECISIONS = 50


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
        slots: int = 1,
    ) -> None:
        """`slots`: how many units `distribute` curates at a time."""
        self._manifest, self._contract, self._run = manifest, contract, run
        self._lake, self._catalog, self._ledger, self._s3 = lake, catalog, ledger, s3
        self._distribute, self._slots = distribute, slots
        self._history = lake.history(manifest.dataset, catalog=catalog, ledger=ledger, s3=s3)
        self._started = time.monotonic()

    def curate(self) -> Report:
        """Decide, curate, commit; decide again whenever the table moved meanwhile.

        Raises CommitFailedException after MAX_DECISIONS lost races.
        """
        curated: dict[str, SourceVersion | None] | None = None
        results: Sequence[UnitResult] = ()
        for _ in range(MAX_DECISIONS):
            table, mark = self._history.catch_up(lambda: self._curated_table(results))  # noqa: B023
            known = self._ledger.entries((s.source for s in self._manifest.sources), mark)
            current = self._current()
            if self._ledger.watermark() != mark:
                continue  # the entries may be newer than the table, or of a ledger that is being built anew
            due = self._due(known, current)
            if not due:
                return self._nothing_to_do(mark, known)
            if due != curated:
                curated, results = due, self._curate(due)
                # It took a while, and may need new columns.
                table, now = self._history.catch_up(lambda: self._curated_table(results))  # noqa: B023
                if now != mark:
                    continue
            try:
                return self._commit(table, known, due, results)
            except CommitFailedException:
                logger.info("another batch committed to %s first: deciding again", self._manifest.dataset)
        raise CommitFailedException(f"lost {MAX_DECISIONS} races for {self._manifest.dataset}")

    def _curated_table(self, results: Sequence[UnitResult]) -> Table:
        new_columns = sorted({name for result in results for name in result.new_columns})
        dataset = self._manifest.dataset
        return open_table(
            self._catalog,
            (self._lake.curated_database, dataset),
            curated_schema(self._contract, new_columns),
            f"{self._lake.curated_location}/{dataset}",
            self._contract.partitioning,
        )

    def _due(
        self, known: Mapping[str, Entry], current: Mapping[str, SourceVersion | None]
    ) -> dict[str, SourceVersion | None]:
        """The sources that are not as S3 has them now: with the current object, None if it is gone."""
        due: dict[str, SourceVersion | None] = {}
        for hinted in self._manifest.sources:
            source = hinted.source
            entry, now = known.get(source), current[source]
            if now is None:
                removed = hinted.hint.startswith(REMOVED) and self._contract.on_delete == "remove"
                if removed and entry and entry.version is not None:
                    due[source] = None
            else:
                wanted = (now.version, self._contract.version)
                stale = not entry or (entry.version, entry.contract) != wanted
                again = entry and hinted.hint == f"{AGAIN}{entry.snapshot}"
                if stale or again:
                    due[source] = now
        return due

    def _current(self) -> dict[str, SourceVersion | None]:
        """What S3 holds now of each of the manifest's sources."""
        names = [hinted.source for hinted in self._manifest.sources]
        with ThreadPoolExecutor(16) as pool:
            return dict(zip(names, pool.map(self._head, names), strict=True))

    def _head(self, source: str) -> SourceVersion | None:
        try:
            head = self._s3.head_object(Bucket=self._lake.landing_bucket, Key=source)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (404, 405):
                return None
            raise
        return SourceVersion(source, head.get("VersionId", "null"), head["ContentLength"])

    def _curate(self, due: Mapping[str, SourceVersion | None]) -> list[UnitResult]:
        """Curate what is there; the versions that are known to kill a job become quarantined unread."""
        poison = {(s.source, s.version) for s in self._manifest.sources if s.hint == POISON}
        objects = [item for item in due.values() if item]
        killers = [item for item in objects if (item.source, item.version) in poison]
        results = self._curate_units([item for item in objects if item not in killers])
        return [*results, self._set_aside(killers)] if killers else results

    def _set_aside(self, killers: Sequence[SourceVersion]) -> UnitResult:
        counts, rejected = unread(
            killers,
            code=Code.KILLS_JOB,
            message="a job that curates this object alone fails",
            contract=self._contract.version,
            batch=self._manifest.batch,
            committed_at=datetime.now(UTC),
        )
        uri = f"{self._lake.quarantine_location}/{self._manifest.dataset}/data/{uuid.uuid4()}.parquet"
        with load_file_io(self._catalog.properties, uri).new_output(uri).create() as stored:
            stored.write(parquet(rejected))
        return UnitResult(counts, (), (uri,), NO_KEYS)

    def _curate_units(self, objects: list[SourceVersion]) -> list[UnitResult]:
        """Curate every object; what one task cannot see of another's rows is settled here."""
        plan = partial(plan_units, contract=self._contract, target_bytes=target_bytes(objects, self._slots))
        units = dict(enumerate(plan(objects, split=True)))
        results = dict(self._distribute(units, {}))
        if torn := torn_sources(c for result in results.values() for c in result.counts):
            # A quoted newline crosses an edge: those objects cannot be cut.
            whole = [item for item in objects if (item.source, item.version) in torn]
            rest = [item for item in objects if item not in whole]
            units = dict(enumerate(plan(rest, split=True) + plan(whole), start=len(units)))
            results = dict(self._distribute(units, {}))
        settle_keys(units, results, self._contract, self._distribute)
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
        self,
        table: Table,
        known: Mapping[str, Entry],
        due: Mapping[str, SourceVersion | None],
        results: Sequence[UnitResult],
    ) -> Report:
        report = self._write_report(known, due, results)
        change_table(
            table,
            add=[path for result in results for path in result.files],
            replace=[source for source, entry in known.items() if source in due and entry.rows],
            properties={BATCH: report.batch, REPORT: report.key},
        )
        self._history.catch_up(table.refresh)
        return report

    def _nothing_to_do(self, mark: Watermark | None, known: Mapping[str, Entry]) -> Report:
        report = self._write_report(known, {}, ())
        self._ledger.close_batch(report, mark.snapshot if mark else "")
        return report

    def _write_report(
        self,
        known: Mapping[str, Entry],
        due: Mapping[str, SourceVersion | None],
        results: Sequence[UnitResult],
    ) -> Report:
        """Before the commit that refers to it."""
        gone = [SourceReport(source, None) for source, item in due.items() if item is None]
        there = [
            SourceReport(c.source, c.version, c.rows, c.curated, c.rejected, c.reasons, c.unreadable)
            for c in total(count for result in results for count in result.counts)
        ]
        report = Report(
            dataset=self._manifest.dataset,
            batch=self._manifest.batch,
            run=self._run,
            contract=self._contract.version,
            sources=(*gone, *there),
            rejected_files=tuple(path for result in results for path in result.rejected_files),
            seconds=round(time.monotonic() - self._started, 3),
            versions=self._account(known, there),
        )
        self._s3.put_object(Bucket=self._lake.landing_bucket, Key=report.key, Body=report.to_json().encode())
        return report

    def _account(self, known: Mapping[str, Entry], curated: Sequence[SourceReport]) -> dict[str, int]:
        """What became of each version that the manifest names."""
        held: dict[str, Entry | SourceReport] = {**known, **{report.source: report for report in curated}}

        def became(named: SourceVersion) -> str:
            now = held.get(named.source)
            if now is None or now.version != named.version:
                return "superseded"
            return "quarantined" if now.unreadable else "committed"

        found = Counter(map(became, self._manifest.sources))
        states = ("committed", "superseded", "quarantined")
        return {"landed": len(self._manifest.sources), **{state: found[state] for state in states}}
