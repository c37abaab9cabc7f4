"""Vectors in S3 Vectors follow the store's transactions, of which S3 Vectors knows nothing.

An id is a hash of all that its vector says, so that what an id says never changes. Which ids are live the
store's table of passages says, and every search asks it. An id that may be in the index and is not live is a
stray: it is written down before its vector is put, or in the transaction that takes its passage away. What
is written down goes after the next commit, whatever happened in between.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from causeway.store.database import Database, Transaction, has, quoted
from causeway.store.s3_vectors import Vector, VectorIndex
from causeway.store.schemas import OWN, VECTORS

STRAYS = f"{OWN}.strays"
ID = "_id"
AT_ONCE = 5_000  # ids of a statement, whose answer may have 1 MB
MAKE = (
    f"CREATE SCHEMA IF NOT EXISTS {OWN}",
    f'CREATE TABLE IF NOT EXISTS {STRAYS} ("table" text NOT NULL, id text NOT NULL)',
    f'CREATE INDEX IF NOT EXISTS strays_of ON {STRAYS} ("table", id)',
)


@dataclass(frozen=True)
class Strays:
    """Of one table's index. What changes any has the store's lock, but for `make`."""

    table: str
    index: VectorIndex

    @property
    def _live(self) -> str:
        return f"(SELECT FROM {quoted(VECTORS, self.table)} v WHERE v.{ID} = s.id)"

    @staticmethod
    def are_told(source: Database) -> bool:
        return has(source, STRAYS)

    @staticmethod
    def make(transaction: Transaction) -> None:
        """In a transaction before the load's: that one's tables cannot be seen from outside."""
        for statement in MAKE:
            transaction.execute(statement)

    def put(self, database: Database, vectors: list[Vector]) -> None:
        """Written down first, outside the load's transaction: it stays if that is undone."""
        for start in range(0, len(vectors), AT_ONCE):
            some = vectors[start : start + AT_ONCE]
            database.query(
                f"INSERT INTO {STRAYS} SELECT :table, jsonb_array_elements_text(CAST(:ids AS jsonb))",
                table=self.table,
                ids=json.dumps([key for key, *_ in some]),
            )
            self.index.put(some)

    def take(self, transaction: Transaction, gone: str) -> None:
        """The ids that the SELECT or DELETE … RETURNING returns are live no more."""
        transaction.execute(
            f"WITH gone AS ({gone}) INSERT INTO {STRAYS} SELECT :table, {ID} FROM gone", table=self.table
        )

    def keep(self, transaction: Transaction) -> None:
        """Those that are live now are no strays."""
        transaction.execute(
            f'DELETE FROM {STRAYS} s WHERE "table" = :table AND EXISTS {self._live}', table=self.table
        )

    def remove(self, transaction: Transaction) -> None:
        """From the index, then from the list."""
        while True:
            rows = transaction.query(
                f'SELECT DISTINCT id FROM {STRAYS} s WHERE "table" = :table AND NOT EXISTS {self._live}'
                f" ORDER BY id LIMIT {AT_ONCE}",
                table=self.table,
            )
            ids = [row["id"] for row in rows]
            if not ids:
                return
            self.index.delete(ids)
            transaction.execute(
                f'DELETE FROM {STRAYS} WHERE "table" = :table'
                " AND id IN (SELECT jsonb_array_elements_text(CAST(:ids AS jsonb)))",
                table=self.table,
                ids=json.dumps(ids),
            )
