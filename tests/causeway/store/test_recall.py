"""The index on the demo's real texts: nearly all that an exact search finds, and that is what numpy finds."""

import gzip
import json
from typing import Any

import numpy as np
import pytest

from causeway.store import search as searching
from causeway.store.embeddings import WORD, Hashing, passages
from causeway.store.nearest import statement_of
from causeway.store.search import search
from local.demo.films import FILMS
from tests.causeway.store.conftest import World

RECALL = 0.95  # of ten answers, on average; 0.98 was measured
CONTRACT = """
      - {name: film, logicalType: string, primaryKey: true}
      - {name: year, logicalType: integer}
      - {name: extract, logicalType: string, customProperties: [{property: embed, value: true}]}
"""


def extracts() -> list[dict[str, Any]]:
    films = map(json.loads, gzip.decompress(FILMS.read_bytes()).decode().splitlines())
    return [
        {"film": film["href"], "year": film["year"], "extract": film["extract"]}
        for film in films
        if film["href"]
    ]


@pytest.fixture
def films(world: World) -> tuple[World, list[dict[str, Any]]]:
    world.contract("films", CONTRACT)
    rows = list({row["film"]: row for row in extracts()}.values())
    world.commit("films", rows, 1)
    world.load("films")
    return world, rows


def test_the_index_finds_nearly_all_of_what_an_exact_search_finds_and_that_equals_numpy(
    films: tuple[World, list[dict[str, Any]]],
) -> None:
    world, rows = films
    places = [
        (row["film"], begin, row["extract"][begin:end])
        for row in rows
        if row["extract"]
        for begin, end in passages(row["extract"])
    ]
    vectors = Hashing().embed([passage for *_, passage in places])
    matrix = np.array(vectors, np.float32)
    assert len(places) > 4_000
    found = near = 0
    for row in rows[:: len(rows) // 60]:
        question = " ".join(WORD.findall(row["extract"] or "war")[8:40:4])
        answers = {
            exact: search(world.database, Hashing(), question, limit=10, exact=exact)
            for exact in (True, False)
        }
        assert not answers[False]["exact"]
        similar = sorted(
            (matrix @ np.array(Hashing().embed([question])[0], np.float32)).tolist(), reverse=True
        )
        exactly, nearly = (
            [one["similarity"] for one in answers[exact]["answers"]] for exact in (True, False)
        )
        assert exactly == pytest.approx(similar[:10], abs=2e-4)
        # Texts that begin alike are equally near: any of them will do.
        found, near = found + sum(one >= exactly[-1] for one in nearly), near + 10
    assert found / near >= RECALL


def test_an_approximate_search_uses_the_index_and_an_exact_one_does_not(
    films: tuple[World, list[dict[str, Any]]],
) -> None:
    world, _ = films
    index = searching._index(world.database, None)
    vector = json.dumps(Hashing().embed(["war"])[0])
    for exact in (False, True):
        statement = statement_of(index, [], 10, exact=exact)
        plan = world.database.query(f"EXPLAIN {statement}", vector=vector)
        assert ("films_nearest" in str(plan)) is not exact
