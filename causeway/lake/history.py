"""What follows from the curated table's history, and is brought up to it: the ledger and the quarantine."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table

from causeway.contract.schema import REJECTED_SCHEMA
from causeway.flow.ledger import Entry, Ledger, Watermark
from causeway.flow.report import Report
from causeway.lake.tables import Commit, change_table, commits, open_table

logger = logging.getLogger(__name__)

# A history of so few commits is followed from its beginning rather than reading all rows.
SHORT = 100
# What a commit says of itself: the batch and where its report lies.
BATCH, REPORT = "causeway.batch", "causeway.report"
# A property of the quarantine: the commit of the curated table up to which it follows, as table:sequence.
FOLLOWS = "causeway.follows"


class History:
    """The history of one dataset's curated table. Any number of writers may follow it at once."""

    def __init__(
        self,
        dataset: str,
        *,
        ledger: Ledger,
        catalog: Catalog,
        quarantine: tuple[str, str],
        quarantine_location: str,
        landing_bucket: str,
        s3: Any,
    ) -> None:
        self._dataset, self.ledger = dataset, ledger
        self._catalog, self._quarantine, self._location = catalog, quarantine, quarantine_location
        self._landing, self._s3 = landing_bucket, s3

    def catch_up(self, load: Callable[[], Table]) -> tuple[Table, Watermark | None]:
        """Load the curated table, and bring ledger and quarantine up to it; returns it and the watermark.

        When the ledger was lost, or speaks of snapshots that the table no longer has, it is built anew.
        The watermark is the table's current snapshot: None, or of nothing, before the first commit.
        """
        while True:
            # Read before the table, the watermark is never ahead of it: not in its history means not true.
            mark = self.ledger.watermark()
            table = load()
            news = self._since(table, mark)
            if news is None:
                self.rebuild(table)
            elif news:
                self._follow(news, mark or self.ledger.begin())
            mark = self.ledger.watermark()
            if self._since(table, mark) == []:
                return table, mark
            # Others went on meanwhile, or began to build the ledger anew.

    def rebuild(self, table: Table) -> Watermark | None:
        """Build the ledger from the tables' rows. Costs what reading their lineage columns costs."""
        logger.warning("building the ledger of %s from its tables", self._dataset)
        mark = self.ledger.begin()
        history, quarantine = list(commits(table)), self._open_quarantine()
        at = Watermark("", 0, mark.epoch)
        if history:
            at = Watermark(str(history[0].id), history[0].sequence, mark.epoch)
        # Of a table that was rolled back, or is a new one, the quarantine knows what was lost with the rest.
        followed, sequence = _followed(quarantine)
        lost = followed != str(table.metadata.table_uuid) or sequence > at.sequence
        for commit in reversed([commit for commit in history if not _follows(quarantine, commit)]):
            if report := self._report(commit):
                self._quarantine_rows(commit, report, [source.source for source in report.sources])
        self.ledger.put(self._entries_in(table, at.snapshot, lost=lost), at)
        self.ledger.advance(at)
        return self.ledger.watermark()

    def _since(self, table: Table, mark: Watermark | None) -> list[Commit] | None:
        """The commits after the watermark, oldest first; None if the history does not tell."""
        news: list[Commit] = []
        for commit in commits(table):
            if mark and str(commit.id) == mark.snapshot:
                return news[::-1]
            news.append(commit)
        whole = len(news) <= SHORT and (not news or news[-1].sequence == 1)
        return news[::-1] if whole and (mark is None or mark.of_nothing) else None

    def _follow(self, news: Sequence[Commit], mark: Watermark) -> None:
        """Write down what these commits did, until they are known or the ledger is begun anew."""
        for commit in news:
            at = Watermark(str(commit.id), commit.sequence, mark.epoch)
            if report := self._report(commit):
                known = self.ledger.entries((source.source for source in report.sources), mark)
                now = self.ledger.watermark()
                if not now or now.epoch != mark.epoch:
                    return  # what was known may be missing from `known`
                set_aside = [source for source, entry in known.items() if entry.quarantined]
                self._quarantine_rows(commit, report, set_aside)
                self.ledger.record(report, at)
            self.ledger.advance(at)

    def _report(self, commit: Commit) -> Report | None:
        if REPORT not in commit.properties:
            return None  # compaction, or someone's own change
        stored = self._s3.get_object(Bucket=self._landing, Key=commit.properties[REPORT])
        return Report.from_json(stored["Body"].read())

    def _quarantine_rows(self, commit: Commit, report: Report, replaced: list[str]) -> None:
        """The quarantine's rows of these sources become those that the commit set aside."""
        if not replaced and not report.rejected_files:
            return
        while not _follows(table := self._open_quarantine(), commit):
            try:
                change_table(
                    table,
                    add=report.rejected_files,
                    replace=replaced,
                    properties={BATCH: report.batch},
                    state={FOLLOWS: f"{commit.table}:{commit.sequence}"},
                )
            except CommitFailedException:
                logger.info("another batch changed the quarantine of %s: looking again", self._dataset)

    def _open_quarantine(self) -> Table:
        return open_table(self._catalog, self._quarantine, REJECTED_SCHEMA, self._location)

    def _entries_in(self, table: Table, snapshot: str, *, lost: bool) -> dict[str, Entry]:
        """What the tables hold of each source; `lost`: what is in quarantine may have had good rows too."""
        curated, rejected = _sources_in(table), _sources_in(self._open_quarantine())
        entries = {}
        for source in curated.keys() | rejected.keys():
            rows, quarantined = curated.get(source, NONE), rejected.get(source, NONE)
            known = rows if rows["rows"] else NONE if lost else quarantined
            entries[source] = Entry(
                known["_source_version"],
                known["_contract"],
                rows["rows"],
                quarantined["rows"],
                quarantined["whole"],
                snapshot,
            )
        return entries


NONE: dict[str, Any] = {"rows": 0, "whole": False, "_source_version": None, "_contract": ""}


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
