"""The passages of embedded texts, beside their rows: made before a load's transaction, changed within it.

They are kept by the dataset's key, and a search joins the rows that are there: rows that go to the quarantine
and come back find theirs again.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from causeway.contract.model import Contract
from causeway.store.changes import BATCH, COMMITTED, Changes
from causeway.store.database import Database, Transaction, has, listed, quoted
from causeway.store.embeddings import Embedder, passages
from causeway.store.filters import described
from causeway.store.schemas import INDEXES, READER, REASON, VECTORS
from causeway.store.staging import Staging, as_text
from causeway.store.tables import type_of

# Passages of a file, and of a statement with it, which must end within the Data API's 45 s: the index takes
# 2 ms for one that comes to others. Made of all at once it takes a fifth of that, and must end as well.
AT_ONCE, INDEXED_AT_ONCE = 5_000, 50_000
# Passages that a search by the index looks at. If nothing is said it looks at 40, and misses a tenth.
SEARCHED = 200
# Of a passage: in which text, which one of it, and between which characters.
PLACE = {"_column": "text", "_passage": "integer", "_begin": "integer", "_end": "integer"}
VECTOR = "_vector"


@dataclass
class Passages:
    """Of one dataset. Without embedded texts it has none, and those of an earlier contract go."""

    contract: Contract
    served: Mapping[str, Contract]
    embedder: Embedder
    _files: list[str] = field(default_factory=list)

    @property
    def table(self) -> str:
        return quoted(VECTORS, self.contract.table)

    def are_current(self, source: Database | Transaction) -> bool:
        """Whether the store's are of this model, and of the contract's texts and key."""
        if not has(source, INDEXES):
            return not self.contract.embedded
        found = source.query(
            f'SELECT "table", model, dimension, shape FROM {INDEXES} WHERE dataset = :dataset',
            dataset=self.contract.dataset,
        )
        return found == ([self._made()] if self.contract.embedded else [])

    def stage(self, changes: Changes, staging: Staging) -> None:
        """Embed the texts that changed: before the transaction, for it takes its time."""
        texts = [name for name in self.contract.embedded if name in changes.columns]
        rows = dataclasses.replace(changes, columns=[*self.contract.key, *texts]).rows()
        self._files = staging.put(
            part for table in rows if texts for part in self._embed(as_text(table), texts)
        )

    def replace(self, transaction: Transaction, changes: Changes, staging: Staging) -> list[str]:
        """After the rows: the passages of changed keys go, those of the rows that came are there."""
        done = [] if self.are_current(transaction) else self._make(transaction)
        if self.contract.embedded:
            self._insert(transaction, changes, staging)
        if has(transaction, INDEXES):
            self._describe(transaction)
        return done

    def _made(self) -> dict[str, Any]:
        types = {column.name: type_of(column) for column in self.contract.columns}
        shape = [list(self.contract.embedded), {name: types[name] for name in self.contract.key}]
        made = {"model": self.embedder.name, "dimension": self.embedder.dimension, "shape": json.dumps(shape)}
        return {"table": self.contract.table, **made}

    def _embed(self, rows: pa.Table, texts: list[str]) -> Iterator[pa.Table]:
        cut = [
            (at, name, number, begin, end, value[begin:end])
            for name in texts
            for at, value in enumerate(rows[name].to_pylist())
            if value
            for number, (begin, end) in enumerate(passages(value))
        ]
        for start in range(0, len(cut), AT_ONCE):
            some = cut[start : start + AT_ONCE]
            vectors = self.embedder.embed([passage for *_, passage in some])
            there = [(place, vector) for (*place, _), vector in zip(some, vectors, strict=True) if vector]
            of = rows.take([at for (at, *_), _ in there])
            columns: dict[str, Any] = {name: of[name] for name in (*self.contract.key, COMMITTED, BATCH)}
            for i, name in enumerate(PLACE, 1):
                columns[name] = pa.array([place[i] for place, _ in there])
            columns[VECTOR] = pa.array([json.dumps(vector) for _, vector in there], pa.string())
            yield pa.table(columns)

    def _make(self, transaction: Transaction) -> list[str]:
        """The table anew, and none of what the dataset's earlier contract or another model had."""
        for statement in (
            "CREATE EXTENSION IF NOT EXISTS vector",
            f"CREATE SCHEMA IF NOT EXISTS {VECTORS}",
            f"""CREATE TABLE IF NOT EXISTS {INDEXES} (
                "table" text PRIMARY KEY, dataset text NOT NULL, model text NOT NULL,
                dimension integer NOT NULL, shape text NOT NULL, search text NOT NULL)""",
        ):
            transaction.execute(statement)
        dataset = {"dataset": self.contract.dataset}
        for row in transaction.query(f'SELECT "table" FROM {INDEXES} WHERE dataset = :dataset', **dataset):
            transaction.execute(f"DROP TABLE {quoted(VECTORS, row['table'])}")
        transaction.execute(f"DELETE FROM {INDEXES} WHERE dataset = :dataset", **dataset)
        if not self.contract.embedded:
            return [f"{self.table} is gone: no text of {self.contract.dataset} is embedded"]
        made = self._made()
        columns = {**json.loads(made["shape"])[1], **PLACE, VECTOR: f"vector({self.embedder.dimension})"}
        typed = ", ".join(f"{quoted(name)} {kind} NOT NULL" for name, kind in columns.items())
        key = listed([*self.contract.key, "_column", "_passage"])
        transaction.execute(f"CREATE TABLE {self.table} ({typed}, PRIMARY KEY ({key}))")
        transaction.execute(
            f"""INSERT INTO {INDEXES} ("table", dataset, model, dimension, shape, search)
                VALUES (:table, :dataset, :model, :dimension, :shape, '')""",
            **made,
            **dataset,
        )
        transaction.execute(f"GRANT USAGE ON SCHEMA {VECTORS} TO {READER}")
        transaction.execute(f"GRANT SELECT ON {self.table}, {INDEXES} TO {READER}")
        return [f"made {self.table} with vectors of {self.embedder.name}"]

    def _insert(self, transaction: Transaction, changes: Changes, staging: Staging) -> None:
        key, columns = list(self.contract.key), [*self.contract.key, *PLACE, VECTOR]
        transaction.execute(f"DELETE FROM {self.table} v {changes.among('v')}")
        stamps = listed([COMMITTED, BATCH])
        transaction.execute(
            f"CREATE TEMPORARY TABLE passages ON COMMIT DROP AS SELECT {listed(columns)}, {stamps}"
            f" FROM {self.table}, (SELECT {stamps} FROM staged) s WHERE false"
        )
        if len(self._files) > INDEXED_AT_ONCE // AT_ONCE:
            self._index(transaction)
        for file in self._files:
            staging.import_into(transaction, "passages", [*key, COMMITTED, BATCH, *PLACE, VECTOR], [file])
            transaction.execute(
                f"INSERT INTO {self.table} ({listed(columns)}) SELECT {listed(columns)} FROM passages"
                f" JOIN newest USING ({listed(key)}, {stamps}) WHERE {REASON} IS NULL"
            )
            transaction.execute("TRUNCATE passages")
        self._index(transaction)

    def _index(self, transaction: Transaction) -> None:
        transaction.execute(
            f"CREATE INDEX IF NOT EXISTS {quoted(f'{self.contract.table}_nearest')} ON {self.table}"
            f" USING hnsw ({VECTOR} vector_cosine_ops)"
        )
        name = quoted(transaction.database.name)
        transaction.execute(f"ALTER DATABASE {name} SET hnsw.ef_search = {SEARCHED}")

    def _describe(self, transaction: Transaction) -> None:
        """What may be searched by which filters: other datasets' columns too, so of every index."""
        for contract in self.served.values():
            if contract.embedded:
                transaction.execute(
                    f'UPDATE {INDEXES} SET search = :search WHERE "table" = :table',
                    search=json.dumps(described(contract, self.served)),
                    table=contract.table,
                )
