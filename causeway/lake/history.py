"""What follows from the curated table's history, and is brought up to it: the ledger and the quarantine."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table

from causeway.contract.schema import REJECTED_SCHEMA
from causeway.flow.ledger import Entry, Ledger, Watermark
from causeway.flow.report import Report
from causeway.lake.commit import Commit, change_table, commits
from causeway.lake.location import Lake
from causeway.lake.tables import Design, open_table

logger = logging.getLogger(__name__)

# A history of so few commits is followed from its beginning rather than reading all rows.
SHORT = 100
# What a commit says of itself: the batch and where its report lies.
BATCH, REPORT = "causeway.batch", "causeway.report"
# A property of the quarantine: the commit of the curated table up to which it follows, as table:sequence.
FOLLOWS = "causeway.follows"


@dataclass(frozen=True)
class History:
    """The history of one dataset's curated table. Any number of writers may follow it at once."""

    lake: Lake
    dataset: str
    catalog: Catalog
    ledger: Ledger
    s3: Any

    def catch_up(self, load: Callable[[], Table]) -> tuple[Table, Watermark | None]:
        """Load the curated table, and bring ledger and quarantine up to it; returns it and the watermark.

        The watermark is then the table's current snapshot; before the first commit it is None or empty.
        A ledger that was lost, or that speaks of snapshots which the table no longer has, is built anew.
        """
        while True:
            # Read before the table, a watermark is never ahead of it: one that is not in the table's
            # history is not true.
            watermark = self.ledger.watermark()
            table = load()
            news = self._since(table, watermark)
            if news is None:
                self.rebuild(table)
            elif news:
                self._follow(news, watermark or self.ledger.begin())
            watermark = self.ledger.watermark()
            if self._since(table, watermark) == []:
                return table, watermark
            # Others committed meanwhile, or began to build the ledger anew.

    def rebuild(self, table: Table) -> Watermark | None:
        """Build the ledger from the tables' rows. Costs what reading their lineage columns costs."""
        logger.warning("building the ledger of %s from its tables", self.dataset)
        epoch = self.ledger.begin().epoch
        history, quarantine = list(commits(table)), self.open_quarantine()
        at = Watermark(str(history[0].id), history[0].sequence, epoch) if history else Watermark("", 0, epoch)
        # If the table was rolled back or is a new one, the quarantine is ahead of it: rows were lost.
        followed, sequence = _followed(quarantine)
        lost = followed != str(table.metadata.table_uuid) or sequence > at.sequence
        for commit in reversed([commit for commit in history if not _follows(quarantine, commit)]):
            if report := self._report(commit):
                self._quarantine_rows(commit, report, [source.source for source in report.sources])
        self.ledger.put(self._entries_in(table, at.snapshot, lost=lost), at)
        self.ledger.advance(at)
        return self.ledger.watermark()

    def _since(self, table: Table, watermark: Watermark | None) -> list[Commit] | None:
        """The commits after the watermark, oldest first; None if the history does not reach back to it."""
        news: list[Commit] = []
        for commit in commits(table):
            if watermark and str(commit.id) == watermark.snapshot:
                return news[::-1]
            news.append(commit)
        complete = not news or news[-1].sequence == 1
        from_the_start = watermark is None or watermark.before_first_commit
        return news[::-1] if from_the_start and complete and len(news) <= SHORT else None

    def _follow(self, news: Sequence[Commit], watermark: Watermark) -> None:
        """Write down what these commits did, until all are known or someone begins the ledger anew."""
        for commit in news:
            at = Watermark(str(commit.id), commit.sequence, watermark.epoch)
            if report := self._report(commit):
                entries = self.ledger.entries((source.source for source in report.sources), watermark)
                now = self.ledger.watermark()
                if not now or now.epoch != watermark.epoch:
                    return  # `entries` may lack what was known
                quarantined = [source for source, entry in entries.items() if entry.quarantined]
                self._quarantine_rows(commit, report, quarantined)
                self.ledger.record(report, at)
            self.ledger.advance(at)

    def _report(self, commit: Commit) -> Report | None:
        if REPORT not in commit.properties:
            return None  # compaction, or someone's own change
        stored = self.s3.get_object(Bucket=self.lake.landing_bucket, Key=commit.properties[REPORT])
        return Report.from_json(stored["Body"].read())

    def _quarantine_rows(self, commit: Commit, report: Report, replaced: list[str]) -> None:
        """Replace the quarantine's rows of these sources by those that the commit rejected."""
        if not replaced and not report.rejected_files:
            return
        while not _follows(table := self.open_quarantine(), commit):
            try:
                change_table(
                    table,
                    self._quarantine,
                    add=report.rejected_files,
                    replace=replaced,
                    properties={BATCH: report.batch},
                    state={FOLLOWS: f"{commit.table}:{commit.sequence}"},
                )
            except CommitFailedException:
                logger.info("another batch changed the quarantine of %s: looking again", self.dataset)

    @property
    def _quarantine(self) -> Design:
        name, location = (self.lake.quarantine_database, self.dataset), self.lake.quarantine_location
        return Design(name, REJECTED_SCHEMA, f"{location}/{self.dataset}")

    def open_quarantine(self) -> Table:
        return open_table(self.catalog, self._quarantine)

    def _entries_in(self, table: Table, snapshot: str, *, lost: bool) -> dict[str, Entry]:
        """What the tables hold of each source.

        If rows were lost, a source that has only rejected rows may have had good ones too: its version
        counts as unknown, so that it is curated again.
        """
        curated, rejected = _sources_in(table), _sources_in(self.open_quarantine())
        entries = {}
        for source in curated.keys() | rejected.keys():
            rows, quarantined = curated.get(source, NO_ROWS), rejected.get(source, NO_ROWS)
            known = rows if rows["rows"] else NO_ROWS if lost else quarantined
            version, contract, unreadable = known["_source_version"], known["_contract"], quarantined["whole"]
            entries[source] = Entry(
                version, contract, rows["rows"], quarantined["rows"], unreadable, snapshot
            )
        return entries


NO_ROWS: dict[str, Any] = {"rows": 0, "whole": False, "_source_version": None, "_contract": ""}


def _followed(quarantine: Table) -> tuple[str, int]:
    """The last commit whose rejected rows are in the quarantine: its table, and its sequence number."""
    table, _, sequence = quarantine.properties.get(FOLLOWS, ":-1").partition(":")
    return table, int(sequence)


def _follows(quarantine: Table, commit: Commit) -> bool:
    table, sequence = _followed(quarantine)
    return table == commit.table and sequence >= commit.sequence


def _sources_in(table: Table) -> dict[str, dict[str, Any]]:
    """By source: its version and contract, how many rows it has, and whether that is one whole object."""
    line = [name for name in ("line",) if name in table.schema().column_names]
    by = ["_source", "_source_version", "_contract"]
    whole = pl.col(*line).is_null().any() if line else pl.lit(False)
    batches = table.scan(selected_fields=(*by, *line)).to_arrow_batch_reader()
    parts = [pl.DataFrame(batch).group_by(by).agg(rows=pl.len(), whole=whole) for batch in batches]
    if not parts:
        return {}
    together = pl.concat(parts).group_by(by).agg(pl.col("rows").sum(), pl.col("whole").any())
    return {row["_source"]: row for row in together.iter_rows(named=True)}
