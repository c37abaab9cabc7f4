"""Brings a dataset's tables in the store up to a snapshot, exactly once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from pyiceberg.table import Table

from causeway.contract.model import Contract
from causeway.lake.rows import snapshot_of
from causeway.store.changes import BATCH, COMMITTED, Changes, changes_between
from causeway.store.database import PAUSE, Database, StoreError, Transaction, has, listed, quoted
from causeway.store.embeddings import Embedder, Hashing
from causeway.store.links import keep_links, settle
from causeway.store.s3_vectors import VectorBucket
from causeway.store.schemas import CURATED, LOADS, QUARANTINE, REASON, columns_of
from causeway.store.staging import Staging, as_text
from causeway.store.strays import Strays
from causeway.store.tables import Users, prepare
from causeway.store.vectors import Passages

LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('causeway')) AS mine"
LOCK_SECONDS = 240  # what a load that was killed had locked is free after three minutes
TRIES = 20  # to load when others load the same dataset meanwhile


class _OthersLoadedError(Exception):
    pass


@dataclass(frozen=True)
class Loaded:
    """What a load did: `rows` are those of its keys that the table has now."""

    dataset: str
    snapshot: int
    rows: int = 0
    quarantined: int = 0  # in the quarantine now, all in all
    changes: tuple[str, ...] = ()  # of tables


@dataclass(frozen=True)
class Loader:
    database: Database
    served: Mapping[str, Contract]
    users: Users
    embedder: Embedder = field(default_factory=Hashing)
    vectors: VectorBucket | None = None  # where those of passages are; without, they are in the store

    def load(
        self, dataset: str, table: Table, staging: Staging, *, wanted: int | None = None, anew: bool = False
    ) -> Loaded:
        """Load what changed since the last load, or `anew` all of it; without `wanted`, the newest snapshot.

        Raises SnapshotError, or StoreError (MigrationError is one), and the store is as it was.
        """
        contract, snapshot = self.served[dataset], snapshot_of(table, wanted)
        if self.vectors and not Strays.are_told(self.database):
            with self.database.transaction() as transaction:
                _lock(transaction)
                Strays.make(transaction)
        for _ in range(TRIES):
            before = snapshot_loaded(self.database, contract)
            passages = self._passages(contract)
            whole = anew or not passages.are_current(self.database) or passages.are_lost(self.database)
            changes = None
            if whole or before != snapshot:
                changes = _changes(table, contract, None if whole else before, snapshot)
            with contextlib.suppress(_OthersLoadedError):
                loaded = self._commit(contract, changes, passages, staging, snapshot=snapshot, before=before)
                if passages.strays:
                    with self.database.transaction() as transaction:
                        _lock(transaction)
                        passages.strays.remove(transaction)
                return loaded
        raise StoreError(f"{dataset} kept being loaded by others")

    def _passages(self, contract: Contract) -> Passages:
        index = self.vectors.index(contract.table, self.embedder.dimension) if self.vectors else None
        return Passages(contract, self.served, self.embedder, index)

    def _commit(
        self,
        contract: Contract,
        changes: Changes | None,
        passages: Passages,
        staging: Staging,
        *,
        snapshot: int,
        before: int | None,
    ) -> Loaded:
        staged = None
        if changes:  # before the transaction: nobody waits while files are read and written
            keys = None if changes.keys is None else [as_text(changes.keys.to_arrow()).drop([REASON])]
            staged = (keys and staging.put(keys), staging.put(map(as_text, changes.rows())))
            passages.stage(changes, staging)
        with self.database.transaction() as transaction:
            _lock(transaction)
            changed = prepare(transaction, self.served, self.users)
            others = snapshot_loaded(transaction, contract) != before
            if others or not ((changes and changes.keys is None) or passages.are_current(transaction)):
                raise _OthersLoadedError
            if changes and staged:
                _stage(transaction, contract, changes, staging, staged)
                _replace(transaction, contract, changes)
                changed += passages.replace(transaction, changes, staging)
            settle(transaction, self.served, contract)
            changed += keep_links(transaction, self.served)
            if changes:
                _note(transaction, contract, snapshot)
            rows, quarantined = (
                transaction.query(f"SELECT count(*) AS n FROM {quoted(schema, contract.table)}")[0]["n"]
                for schema in (CURATED, QUARANTINE)
            )
        return Loaded(contract.dataset, snapshot, rows, quarantined, tuple(changed))


def snapshot_loaded(source: Database | Transaction, contract: Contract) -> int | None:
    """Of the contract's table, which is in the store; None before its first load."""
    if not has(source, LOADS):
        return None
    rows = source.query(f'SELECT snapshot FROM {LOADS} WHERE "table" = :name', name=contract.table)
    return int(rows[0]["snapshot"]) if rows else None


def _changes(table: Table, contract: Contract, before: int | None, snapshot: int) -> Changes:
    kept = table.snapshot_by_id(snapshot)
    assert kept is not None
    schema = table.schema() if kept.schema_id is None else table.schemas()[kept.schema_id]
    there = {field.name for field in schema.fields}  # a column of the contract comes with its first batch
    columns = [column.name for column in columns_of(contract) if column.name in there]
    return changes_between(table, before, snapshot, columns, contract.key)


def _lock(transaction: Transaction) -> None:
    """One load at a time: rows go and come back in several tables."""
    deadline = time.monotonic() + LOCK_SECONDS
    while not transaction.query(LOCK)[0]["mine"]:
        if time.monotonic() > deadline:
            raise StoreError(f"another load has not ended within {LOCK_SECONDS} s")
        time.sleep(PAUSE)


def _stage(
    transaction: Transaction,
    contract: Contract,
    changes: Changes,
    staging: Staging,
    staged: tuple[list[str] | None, list[str]],
) -> None:
    """The files of keys as temporary table `keys`, those of rows as `staged`."""
    held, columns = quoted(QUARANTINE, contract.table), list(changes.columns)
    for name, wanted, more in (
        ("keys", contract.key, ""),
        ("staged", columns, f", now() AS {COMMITTED}, '' AS {BATCH}, {REASON}"),
    ):
        as_held = f"SELECT {listed(wanted)}{more} FROM {held} WHERE false"
        transaction.execute(f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS {as_held}")
    staging.import_into(transaction, "keys", contract.key, staged[0] or [])
    staging.import_into(transaction, "staged", [*columns, COMMITTED, BATCH, REASON], staged[1])


def _replace(transaction: Transaction, contract: Contract, changes: Changes) -> None:
    """What changed goes, what the snapshot has of it comes: of each key the row that was committed last."""
    for schema in (CURATED, QUARANTINE):
        transaction.execute(f"DELETE FROM {quoted(schema, contract.table)} t {changes.among('t')}")
    key, columns = listed(contract.key), listed(changes.columns)
    transaction.execute(
        f"CREATE TEMPORARY TABLE newest ON COMMIT DROP AS SELECT DISTINCT ON ({key}) * FROM staged"
        f" ORDER BY {key}, {COMMITTED} DESC, {BATCH} DESC"
    )
    for schema, more, which in ((CURATED, "", "IS NULL"), (QUARANTINE, f", {REASON}", "IS NOT NULL")):
        rows = f"SELECT {columns}{more} FROM newest WHERE {REASON} {which}"
        transaction.execute(f"INSERT INTO {quoted(schema, contract.table)} ({columns}{more}) {rows}")


def _note(transaction: Transaction, contract: Contract, snapshot: int) -> None:
    transaction.execute(
        f"""INSERT INTO {LOADS} ("table", dataset, contract, snapshot, loaded_at)
            VALUES (:table, :dataset, :contract, :snapshot, now())
            ON CONFLICT ("table") DO UPDATE SET contract = excluded.contract, snapshot = excluded.snapshot,
            loaded_at = excluded.loaded_at""",
        table=contract.table,
        dataset=contract.dataset,
        contract=contract.version,
        snapshot=snapshot,
    )
