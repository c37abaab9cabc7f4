"""The profile of a table's snapshot: the nearest that was written, or one made now from the table's rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import polars as pl
import typer
from pyiceberg.table import FileScanTask, Table

from causeway.contract.model import Contract
from causeway.engine.profile import state
from causeway.engine.profile.bounds import with_quality
from causeway.engine.profile.counts import Counts
from causeway.engine.profile.drift import drift
from causeway.engine.profile.measures import measures_of
from causeway.engine.profile.table import Rows, profile
from causeway.lake.profiles import Profiles, age, facts_of
from causeway.lake.rows import Snapshot, SnapshotError, number_of, snapshot_of
from causeway.lake.tables import find_table, glue_catalog
from causeway.operate.deployment import Deployment


def profile_of_table(
    dataset: str, wanted: int | None, against: int | None, *, recompute: bool
) -> dict[str, Any]:
    """Raises typer.BadParameter for a table or a snapshot that is not there."""
    deployment = Deployment.find()
    (name,) = deployment.datasets([dataset])
    settings, contract = deployment.settings, deployment.contracts[name]
    catalog = glue_catalog(settings.company.region)
    if not (table := find_table(catalog, (settings.database("lake"), contract.table))):
        raise typer.BadParameter(f"{name} has no table yet: nothing of it was curated")
    try:
        chosen = snapshot_of(table, wanted)
        before = None if against is None else snapshot_of(table, against)
    except SnapshotError as error:
        raise typer.BadParameter(str(error)) from error
    known = _Known(table, contract, deployment.client("s3"))
    document = None if recompute else known.written(chosen, exactly=before is not None)
    document = document or known.made_now(chosen)
    return document if before is None else known.compared(document, chosen, before)


@dataclass(frozen=True)
class _Known:
    """What is known of a table's snapshots."""

    table: Table
    contract: Contract
    s3: Any

    @cached_property
    def _profiles(self) -> Profiles:
        return Profiles(self.table.location())

    @cached_property
    def _measures(self) -> dict[str, str]:
        return measures_of(self.contract, self.table.schema().as_arrow().names)

    def written(self, snapshot: int, *, exactly: bool) -> dict[str, Any] | None:
        """The snapshot's profile; or else, if that will do, the nearest older one, and how much older."""
        nearest = snapshot if exactly else self._profiles.nearest(self.s3, self.table, snapshot)
        document = None if nearest is None else self._profiles.read(self.s3, nearest)
        if document is None or nearest in (None, snapshot):
            return document
        return {**document, "older": age(self.table, nearest, snapshot)}

    def made_now(self, snapshot: int) -> dict[str, Any]:
        one = self.table.snapshot_by_id(snapshot)
        assert one
        facts = {"dataset": self.contract.dataset, "contract": self.contract.version, **facts_of(one)}
        profiled = profile(self._rows(snapshot), self._measures)
        return facts | with_quality(profiled, self.contract.bounds, datetime.now(UTC))

    def compared(self, document: dict[str, Any], snapshot: int, before: int) -> dict[str, Any]:
        """With what changed since that snapshot."""
        changes = drift(self._counts(before), self._counts(snapshot), self._measures)
        return {**document, "against": before, "drift": changes}

    def _counts(self, snapshot: int) -> Counts:
        kept = self._profiles.counts(self.s3, snapshot)
        return state.from_bytes(kept) if kept else self._rows(snapshot).count(self._measures)

    def _rows(self, snapshot: int) -> Rows[FileScanTask | None]:
        # Always with the columns of now: a new one was null.
        newest = self.table.current_snapshot()
        assert newest
        reader = Snapshot(self.table, newest.snapshot_id, list(self._measures)).reader

        def read(file: FileScanTask | None) -> Iterator[pl.DataFrame]:
            return map(pl.DataFrame, reader.read(file))

        return Rows(Snapshot(self.table, snapshot, ()).parts(), read, number_of)
