"""The profile of a table's newest snapshot, from what is known of the snapshots before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import polars as pl
from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.snapshots import Snapshot as IcebergSnapshot

from causeway.contract.model import Contract
from causeway.engine.profile import state
from causeway.engine.profile.bounds import with_quality
from causeway.engine.profile.counts import Counts, count
from causeway.engine.profile.measures import measures_of
from causeway.engine.profile.parts import AddUp
from causeway.engine.profile.plan import Plan, plan
from causeway.engine.profile.table import FORMAT, Rows, document
from causeway.lake.profiles import Profiles, facts_of
from causeway.lake.rows import FileReader, Snapshot, number_of
from glue_jobs.tasks import s3_of_task

# Associations are measured again when more rows than this share of the table came or went.
CHANGED = 0.1


@dataclass(frozen=True)
class Counter:
    """Counts the rows of files, of each but once; travels to where they are read."""

    profiles: Profiles
    reader: FileReader
    measures: Mapping[str, str]
    fingerprint: str

    def count(self, file: FileScanTask | None) -> Counts:
        if file is None or file.delete_files:  # what is deleted of a file changes, and the file does not
            return self._count(file)
        s3, path = s3_of_task(), file.file.file_path
        if stored := self.profiles.file_counts(s3, self.fingerprint, path):
            return state.from_bytes(stored)
        counted = self._count(file)
        self.profiles.write_file_counts(s3, self.fingerprint, path, state.to_bytes(counted))
        return counted

    def _count(self, file: FileScanTask | None) -> Counts:
        return count(map(pl.DataFrame, self.reader.read(file)), self.measures, number_of(file))


@dataclass(frozen=True)
class Profiler:
    """Profiles one snapshot of a dataset's table. `add_up` works on its files."""

    table: Table
    snapshot: IcebergSnapshot
    contract: Contract
    s3: Any
    profiles: Profiles
    add_up: AddUp
    at: datetime

    def profile(self) -> dict[str, Any]:
        """The snapshot's profile: the one that is there, or a new one, which is written."""
        id_ = self.snapshot.snapshot_id
        if there := self.profiles.read(self.s3, id_):
            return there
        counter = Counter(self.profiles, self._of.reader, self._measures, self._fingerprint)
        counts = self.add_up(counter.count, self._files)
        made = plan(counts, self._measures)
        previous = self.profiles.nearest(self.s3, self.table, id_)
        profiled = with_quality(self._document(counts, made, previous), self.contract.bounds, self.at)
        self.profiles.write_counts(self.s3, id_, state.to_bytes(counts))
        self.profiles.write(self.s3, id_, profiled)
        paths = [file.file.file_path for file in self._files if file]
        snapshots = [one.snapshot_id for one in self.table.snapshots()]
        self.profiles.forget_others(self.s3, snapshots, self._fingerprint, paths)
        return profiled

    def _document(self, counts: Counts, made: Plan, previous: int | None) -> dict[str, Any]:
        before = self.profiles.read(self.s3, previous) if previous else None
        kept = self.profiles.counts(self.s3, previous) if previous else None
        now = facts_of(self.snapshot)
        profiled = {
            "dataset": self.contract.dataset,
            "contract": self.contract.version,
            **now,
            "profiled_at": self.at.isoformat(timespec="seconds"),
            **document(counts, self._measures, made, reference=state.from_bytes(kept) if kept else None),
        }
        if kept:
            profiled["against"] = previous
        if before and self._changed_little(before):
            return {**profiled, **{name: before[name] for name in ("associations", "associations_of")}}
        reader = self._of.reader
        rows = Rows(self._files, lambda file: map(pl.DataFrame, reader.read(file)), number_of, self.add_up)
        return {
            **profiled,
            "associations": rows.associate(made),
            "associations_of": now | {"rows": counts.rows},
        }

    def _changed_little(self, before: Mapping[str, Any]) -> bool:
        """Whether the table is much as it was when its associations were measured."""
        measures = {name: column["measure"] for name, column in before["columns"].items()}
        since = before["associations_of"]["snapshot"]
        if before["format"] != FORMAT or measures != self._measures or not self.table.snapshot_by_id(since):
            return False
        then = {f.file.file_path: f.file.record_count for f in Snapshot(self.table, since, ()).files()}
        now = {f.file.file_path: f.file.record_count for f in self._files if f}
        changed = sum((then | now)[path] for path in then.keys() ^ now.keys())
        return changed <= CHANGED * sum(now.values())

    @cached_property
    def _measures(self) -> dict[str, str]:
        return measures_of(self.contract, self.table.schema().as_arrow().names)

    @cached_property
    def _of(self) -> Snapshot:
        return Snapshot(self.table, self.snapshot.snapshot_id, list(self._measures))

    @cached_property
    def _files(self) -> list[FileScanTask | None]:
        return self._of.parts()

    @cached_property
    def _fingerprint(self) -> str:
        return state.fingerprint(self._measures, self._of.reader.schema)
