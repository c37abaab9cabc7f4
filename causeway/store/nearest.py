"""The passages nearest to a question, by vectors in the store or in S3 Vectors.

Functions use this: the standard library and boto3 alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from causeway.store.database import Database, StoreError, Value, listed, text
from causeway.store.embeddings import Vector
from causeway.store.s3_vectors import NEAREST, VectorIndex, equalities

LIST = "texts"  # the kind of a column whose values are lists of texts: one of them is asked for
# Kinds of columns that an index in S3 Vectors may be filtered by: a value of theirs is spelled in one way.
TOLD = ("text", "integer", "bigint", "boolean", LIST)
COMPARED = 1000  # passages got from S3 Vectors to be compared here


class SearchError(StoreError):
    """What was asked cannot be answered, and why."""


@dataclass(frozen=True)
class Asked:
    """What is asked of the store, but for where the vectors are."""

    database: Database
    index: Mapping[str, Any]
    conditions: Sequence[str]
    values: Mapping[str, Value]
    limit: int

    def nearest(self, vector: Vector, *, exact: bool) -> list[dict[str, Any]]:
        """By vectors in the store."""
        statement = statement_of(self.index, self.conditions, self.limit, exact=exact)
        return self.database.query(statement, vector=json.dumps(vector), **self.values)

    def among(self, near: Mapping[str, float]) -> list[dict[str, Any]]:
        """Of these ids, whose distances S3 Vectors says."""
        pairs = json.dumps([{"_id": key, "distance": distance} for key, distance in near.items()])
        statement = statement_of(self.index, self.conditions, self.limit, in_s3=True)
        return self.database.query(statement, near=pairs, **self.values)

    def passing(self, most: int) -> list[str]:
        """Ids of passages, in S3 Vectors, whose rows pass the filters."""
        one, values = self.index["search"], self.values
        rows = f"{one['passages']} v JOIN {one['rows']} d USING ({listed(one['key'])})"
        where = f"WHERE {' AND '.join(self.conditions) or 'true'}"
        found = self.database.query(f"SELECT v._id AS id FROM {rows} {where} LIMIT {most}", **values)
        return [row["id"] for row in found]


def in_store(asked: Asked, vector: Vector, *, exact: bool) -> tuple[list[dict[str, Any]], bool]:
    """Rows, and whether every vector was compared."""
    rows = asked.nearest(vector, exact=exact)
    if len(rows) < asked.limit and not exact:  # passages near by are of rows that wait in the quarantine
        return in_store(asked, vector, exact=True)
    return rows, exact


def in_s3(
    asked: Asked, index: VectorIndex, vector: Vector, filters: Mapping[str, Any], *, exact: bool
) -> tuple[list[dict[str, Any]], bool]:
    """By the index if it knows all columns that are asked for; else of what the store says passes."""
    dataset, told = asked.index["dataset"], asked.index["told"]
    columns = asked.index["search"]["columns"]
    values = {
        name: known
        for name, value in filters.items()
        if name in told and (known := _as_told(columns[name], value)) is not None
    }
    if not exact and values.keys() == filters.keys():
        near = index.nearest(vector, equalities(values))
        rows = asked.among(near)
        if not near and asked.passing(1):
            raise SearchError(f"{dataset}'s index has lost its vectors; causeway store load {dataset}")
        # Without a filter too few come only if rows wait, or a load is under way.
        if not filters or len(rows) == asked.limit or len(near) < NEAREST:
            return rows, False
    passing = asked.passing(COMPARED + 1)
    if len(passing) > COMPARED:
        raise SearchError(
            f"more than {COMPARED} passages pass, too many to get from S3 Vectors and compare each; ask for "
            f"fewer, by more filters, or only by those that its index knows: {', '.join(told) or 'none'}"
        )
    return asked.among(index.distances(vector, passing)), True


def _as_told(kind: str, value: Any) -> str | int | bool | None:
    """A filter's value as the index has it; None if the store has to say what it is."""
    written = str(value)
    if kind in ("text", LIST):
        return written or None
    if kind == "boolean":
        return {"true": True, "false": False}.get(written.lower())
    return int(written) if re.fullmatch(r"-?\d{1,15}", written) else None


def statement_of(
    index: Mapping[str, Any],
    conditions: Sequence[str],
    limit: int,
    *,
    exact: bool = False,
    in_s3: bool = False,
) -> str:
    """Row and passage are looked up for the nearest alone."""
    one = index["search"]
    key, where, passages = listed(one["key"]), " AND ".join(conditions), f"{one['passages']} v"
    distance = f"v._vector <=> CAST(:vector AS vector({index['dimension']}))"
    order = f"({distance}) + 0" if exact else distance  # HNSW's index answers the operator alone
    if in_s3:
        near = "jsonb_to_recordset(CAST(:near AS jsonb)) AS n(_id text, distance double precision)"
        passages, distance, order = f"{passages} JOIN {near} USING (_id)", "n.distance", "n.distance"
    without_texts = "".join(f" - {text(name)}" for name in one["texts"])
    return f"""
        WITH nearest AS (
            SELECT {listed(one["key"], "v.")}, v._column, v._passage, v._begin, v._end, {distance} AS distance
            FROM {passages} JOIN {one["rows"]} d USING ({key})
            {where and f"WHERE {where}"} ORDER BY {order} LIMIT {limit}
        )
        SELECT 1 - distance AS similarity, _column AS text, _begin AS begins, _end AS ends,
            substring(to_jsonb(d) ->> _column FROM _begin + 1 FOR _end - _begin) AS passage,
            (to_jsonb(d){without_texts})::text AS row,
            (SELECT snapshot::text FROM causeway.loads WHERE "table" = {text(index["table"])}) AS snapshot
        FROM nearest JOIN {one["rows"]} d USING ({key}) ORDER BY distance, {key}, _column, _passage
    """
