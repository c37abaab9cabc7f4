"""The passages of embedded texts, beside their rows: made before a load's transaction, changed within it.

They are kept by the dataset's key, and a search joins the rows that are there: rows that go to the quarantine
and come back find theirs again.
"""

from __future__ import annotations

import dataclasses
import json
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pyarrow as pa

from causeway.contract.model import Contract
from causeway.store.changes import BATCH, COMMITTED, Changes
from causeway.store.database import Database, Transaction, has, listed, quoted
from causeway.store.embeddings import Embedder, passages
from causeway.store.filters import described, filterable
from causeway.store.s3_vectors import MORE, MOST, Vector, VectorIndex
from causeway.store.schemas import INDEXES, READER, REASON, VECTORS
from causeway.store.staging import Staging, as_text
from causeway.store.strays import ID, STRAYS, Strays
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
    """Of one dataset. Without embedded texts it has none, and those of an earlier contract go.

    Their vectors are in the store's table, or in an index of S3 Vectors.
    """

    contract: Contract
    served: Mapping[str, Contract]
    embedder: Embedder
    index: VectorIndex | None = None
    _files: list[str] = field(default_factory=list)
    _vectors: list[list[Vector]] = field(default_factory=list)  # of each file, for the index

    @property
    def table(self) -> str:
        return quoted(VECTORS, self.contract.table)

    @property
    def strays(self) -> Strays | None:
        return Strays(self.contract.table, self.index) if self.index and self.contract.embedded else None

    @property
    def _vector(self) -> tuple[str, str]:
        """The table's column, and its type, of the vector, or of what it is called in the index."""
        return (ID, "text") if self.index else (VECTOR, f"vector({self.embedder.dimension})")

    def are_lost(self, database: Database) -> bool:
        """Whether the index has nothing of what the store has: it was made anew."""
        if not self.strays or not has(database, self.table):
            return False
        some = database.query(f"SELECT EXISTS (SELECT FROM {self.table}) AS some")[0]["some"]
        return bool(some) and self.strays.index.is_empty()

    def are_current(self, source: Database | Transaction) -> bool:
        """Whether they are of this model, of the contract's texts and key, and where they are to be."""
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
        told = [name for name in self._metadata() if name in changes.columns]
        columns = list(dict.fromkeys([*self.contract.key, *texts, *told]))
        rows = dataclasses.replace(changes, columns=columns).rows()
        self._vectors.clear()
        self._files = staging.put(part for table in rows if texts for part in self._embed(table, texts, told))

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
        shape: list[Any] = [list(self.contract.embedded), {name: types[name] for name in self.contract.key}]
        shape += [self._metadata()] if self.index else []
        made = {"model": self.embedder.name, "dimension": self.embedder.dimension, "shape": json.dumps(shape)}
        return {"table": self.contract.table, **made}

    def _metadata(self) -> list[str]:
        """Columns by which the index may be filtered."""
        return filterable(self.contract) if self.index else []

    def _embed(self, table: pa.Table, texts: list[str], told: list[str]) -> Iterator[pa.Table]:
        rows = as_text(table)
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
            there = [(place, vector) for place, vector in zip(some, vectors, strict=True) if vector]
            of = [at for (at, *_), _ in there]
            columns: dict[str, Any] = {
                name: rows[name].take(of) for name in (*self.contract.key, COMMITTED, BATCH)
            }
            for i, name in enumerate(PLACE, 1):
                columns[name] = pa.array([place[i] for place, _ in there])
            name, _ = self._vector
            columns[name] = pa.array([json.dumps(vector) for _, vector in there], pa.string())
            if self.index:
                keys = rows.select([*self.contract.key]).take(of).to_pylist()
                metadata = table.select(told).take(of).to_pylist()
                self._vectors.append(
                    [
                        self._called(list(key.values()), place, vector, row)
                        for key, (place, vector), row in zip(keys, there, metadata, strict=True)
                    ]
                )
                columns[name] = pa.array([called for called, *_ in self._vectors[-1]], pa.string())
            yield pa.table(columns)

    def _called(
        self, key: list[Any], place: tuple[Any, ...], vector: list[float], row: dict[str, Any]
    ) -> Vector:
        """A vector with its metadata, by a name that says all of it."""
        metadata = {name: value for name, value in row.items() if value not in (None, "", [])}
        if len(json.dumps(metadata, ensure_ascii=False).encode()) > MOST:
            metadata = {MORE: True}
        every = [self.embedder.name, self.embedder.dimension, key, place[1:], metadata]
        return sha256(json.dumps(every, default=str).encode()).hexdigest()[:32], array("f", vector), metadata

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
        self._drop(transaction)
        if not self.contract.embedded:
            return [f"{self.table} is gone: no text of {self.contract.dataset} is embedded"]
        made = self._made()
        name, kind = self._vector
        columns = {**json.loads(made["shape"])[1], **PLACE, name: kind}
        typed = ", ".join(f"{quoted(name)} {kind} NOT NULL" for name, kind in columns.items())
        key = listed([*self.contract.key, "_column", "_passage"])
        transaction.execute(f"CREATE TABLE {self.table} ({typed}, PRIMARY KEY ({key}))")
        if self.index:
            transaction.execute(f"CREATE UNIQUE INDEX ON {self.table} ({ID})")
        transaction.execute(
            f"""INSERT INTO {INDEXES} ("table", dataset, model, dimension, shape, search)
                VALUES (:table, :dataset, :model, :dimension, :shape, '')""",
            **made,
            **dataset,
        )
        transaction.execute(f"GRANT USAGE ON SCHEMA {VECTORS} TO {READER}")
        transaction.execute(f"GRANT SELECT ON {self.table}, {INDEXES} TO {READER}")
        where = " in S3 Vectors" if self.index else ""
        return [f"made {self.table} with vectors of {self.embedder.name}{where}"]

    def _drop(self, transaction: Transaction) -> None:
        """All that the dataset has, of any version; what its index still has of it is written down."""
        dataset = {"dataset": self.contract.dataset}
        for row in transaction.query(
            f'SELECT "table", shape FROM {INDEXES} WHERE dataset = :dataset', **dataset
        ):
            table, (_, _, *in_s3) = quoted(VECTORS, row["table"]), json.loads(row["shape"])
            if in_s3 and self.strays and row["table"] == self.contract.table:
                self.strays.take(transaction, f"SELECT {ID} FROM {table}")
            elif in_s3:  # its index goes with what the stack no longer asks for
                transaction.execute(f'DELETE FROM {STRAYS} WHERE "table" = :table', table=row["table"])
            transaction.execute(f"DROP TABLE {table}")
        transaction.execute(f"DELETE FROM {INDEXES} WHERE dataset = :dataset", **dataset)

    def _insert(self, transaction: Transaction, changes: Changes, staging: Staging) -> None:
        key, (vector, _) = list(self.contract.key), self._vector
        columns = [*key, *PLACE, vector]
        gone = f"DELETE FROM {self.table} v {changes.among('v')}"
        if self.strays:
            self.strays.take(transaction, f"{gone} RETURNING v.{ID}")
        else:
            transaction.execute(gone)
        stamps = listed([COMMITTED, BATCH])
        transaction.execute(
            f"CREATE TEMPORARY TABLE passages ON COMMIT DROP AS SELECT {listed(columns)}, {stamps}"
            f" FROM {self.table}, (SELECT {stamps} FROM staged) s WHERE false"
        )
        if len(self._files) > INDEXED_AT_ONCE // AT_ONCE:
            self._index(transaction)
        for number, file in enumerate(self._files):
            if self.strays:
                self.strays.put(transaction.database, self._vectors[number])
            staging.import_into(transaction, "passages", [*key, COMMITTED, BATCH, *PLACE, vector], [file])
            transaction.execute(
                f"INSERT INTO {self.table} ({listed(columns)}) SELECT {listed(columns)} FROM passages"
                f" JOIN newest USING ({listed(key)}, {stamps}) WHERE {REASON} IS NULL"
            )
            transaction.execute("TRUNCATE passages")
        if self.strays:
            self.strays.keep(transaction)
        self._index(transaction)

    def _index(self, transaction: Transaction) -> None:
        if self.index:
            return
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
