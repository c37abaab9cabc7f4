"""Rows of the store by what their texts say. Functions use this: the standard library and boto3 alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from causeway.flow.nearest import did_you_mean
from causeway.store.database import Database, Value, has, quoted
from causeway.store.embeddings import Embedder, Vector
from causeway.store.nearest import LIST, Asked, SearchError, in_s3, in_store
from causeway.store.s3_vectors import VectorBucket

MOST = 100  # answers: what the Data API returns is 1 MB at most
DESCRIBED = """
    SELECT i."table", i.dataset, i.model, i.dimension, i.shape, i.search, l.snapshot::text AS snapshot
    FROM causeway.indexes i JOIN causeway.loads l USING ("table")
"""


def search(
    database: Database,
    embedder: Embedder,
    question: str,
    *,
    vectors: VectorBucket | None = None,
    dataset: str | None = None,
    filters: Mapping[str, Any] | None = None,
    limit: int = 5,
    exact: bool = False,
) -> dict[str, Any]:
    """The passages nearest to the question, each with its row, and the snapshot that they are of.

    `vectors` is where they are, unless they are in the store. Filters are equalities: of a column, or
    <dataset>.<column> of one that references lead to; those of one dataset are about one of its rows.
    Raises SearchError.
    """
    if not 1 <= limit <= MOST:
        raise SearchError(f"limit {limit}: expected 1 to {MOST}")
    index = _index(database, dataset)
    conditions, values = _conditions(index["search"], filters or {})
    asked = Asked(database, index, conditions, values, limit)
    vector, bucket = _vector(question, index, embedder), _bucket(index, vectors)
    if bucket:
        rows, exact = in_s3(
            asked, bucket.index(index["table"], index["dimension"]), vector, filters or {}, exact=exact
        )
    else:
        # With a filter HNSW would find the nearest and then drop what does not pass, up to all of it.
        rows, exact = in_store(asked, vector, exact=exact or bool(filters))
    return {
        "dataset": index["dataset"],
        "model": index["model"],
        "exact": exact,
        "snapshot": rows[0]["snapshot"] if rows else index["snapshot"],
        "answers": [_answer(row) for row in rows],
    }


def _index(database: Database, dataset: str | None) -> dict[str, Any]:
    there = has(database, "causeway.indexes")
    found = {row["dataset"]: row for row in database.query(DESCRIBED)} if there else {}
    if not found:
        raise SearchError(
            "no text in the store is embedded; write embed: true at one of a served dataset, deploy, load it"
        )
    if dataset is None and len(found) > 1:
        raise SearchError(f"which dataset? {', '.join(sorted(found))} can be searched; name one")
    wanted = dataset or next(iter(found))
    if wanted not in found:
        known = ", ".join(sorted(found))
        raise SearchError(f"{wanted} cannot be searched; {known} can{did_you_mean(wanted, found)}")
    _, _, *in_s3 = json.loads(found[wanted]["shape"])
    told = in_s3[0] if in_s3 else None
    return {**found[wanted], "search": json.loads(found[wanted]["search"]), "told": told}


def _bucket(index: Mapping[str, Any], vectors: VectorBucket | None) -> VectorBucket | None:
    """Where the vectors are, if not in the store."""
    if (index["told"] is not None) == (vectors is not None):
        return vectors
    there, here = ("postgres", "s3") if vectors else ("s3", "postgres")
    raise SearchError(
        f'{index["dataset"]} has its vectors where store.vectors = "{there}" puts them, and "{here}" is '
        f"deployed; causeway store load {index['dataset']} moves them, or set store.vectors back"
    )


def _vector(question: str, index: Mapping[str, Any], embedder: Embedder) -> Vector:
    found, mine = (index["model"], index["dimension"]), (embedder.name, embedder.dimension)
    if found != mine:
        raise SearchError(
            f"{index['dataset']} was embedded by {found[0]} in {found[1]} dimensions, the question would be "
            f"by {mine[0]} in {mine[1]}; causeway store load {index['dataset']} embeds it anew by what is "
            "deployed, or set store.embeddings back"
        )
    vector = embedder.embed([question])[0]
    if vector is None:
        raise SearchError(f"{question!r} has no word in it; ask with at least one")
    return vector


def filters_of(written: Sequence[str]) -> dict[str, str]:
    """From column=value, one a column. Raises SearchError."""
    filters: dict[str, str] = {}
    for one in written:
        name, equals, value = one.partition("=")
        if not equals or name in filters:
            wrong = f"{name} is there twice; one value each" if equals else "write column=value"
            raise SearchError(f"filter {one}: {wrong}")
        filters[name] = value
    return filters


def _conditions(
    described: Mapping[str, Any], filters: Mapping[str, Any]
) -> tuple[list[str], dict[str, Value]]:
    """In SQL, with the values that it names."""
    mine = {"as": "d", "columns": described["columns"]}
    known = {("", column): column for column in mine["columns"]} | {
        (dataset, column): f"{dataset}.{column}"
        for dataset, one in described["related"].items()
        for column in one["columns"]
    }
    asked: dict[str, list[str]] = {}
    values: dict[str, Value] = {}
    for name, value in filters.items():
        where = next((place for place, spelled in known.items() if spelled == name), None)
        if where is None:
            columns = ", ".join(mine["columns"])
            others = f"; columns of {', '.join(described['related'])} go as <dataset>.<column>" * bool(
                described["related"]
            )
            raise SearchError(
                f"filter {name}: no such column{did_you_mean(name, known.values())}; known: {columns}{others}"
            )
        dataset, column = where
        of = described["related"][dataset] if dataset else mine
        parameter = f"filter{len(values)}"
        asked.setdefault(dataset, []).append(_equals(of["as"], column, of["columns"][column], parameter))
        values[parameter] = str(value)
    conditions = asked.pop("", [])
    for dataset, its in asked.items():
        conditions.append(f"EXISTS ({described['related'][dataset]['exists']} AND {' AND '.join(its)})")
    return conditions, values


def _equals(alias: str, column: str, kind: str, parameter: str) -> str:
    name = f"{alias}.{quoted(column)}"
    if kind == LIST:
        return f"{name} @> to_jsonb(CAST(:{parameter} AS text))"
    return f"{name} = CAST(:{parameter} AS {kind})"


def _answer(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "similarity": round(row["similarity"], 4),
        "row": json.loads(row["row"]),
        "text": row["text"],
        "begins": row["begins"],
        "ends": row["ends"],
        "passage": row["passage"],
    }
