"""Vectors in S3 Vectors: what numpy finds, of what the store says is there, and no strays after a load."""

import threading
from collections.abc import Callable
from datetime import date
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from causeway.store.database import Database, StoreError
from causeway.store.embeddings import DIMENSION, Hashing
from causeway.store.load import snapshot_loaded
from causeway.store.nearest import SearchError
from causeway.store.s3_vectors import MORE, VectorBucket
from causeway.store.search import search
from tests.causeway.store.conftest import CASTINGS, PEOPLE, Vectors, World, in_s3
from tests.causeway.store.test_faults import FAILURES, Failing, Killed
from tests.causeway.store.test_recall import CONTRACT, extracts

FILMS = """
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: title, logicalType: string}
      - {name: seen, logicalType: date}
      - name: plot
        logicalType: string
        customProperties: [{property: embed, value: true}]
"""
SHARK = {"id": 1, "title": "Jaws", "seen": None, "plot": "A giant shark attacks swimmers."}
SPACE = {"id": 2, "title": "Alien", "seen": None, "plot": "A creature hunts the crew of a spaceship."}


@pytest.fixture
def plots(world: World) -> World:
    for name, properties in (("films", FILMS), ("people", PEOPLE), ("castings", CASTINGS)):
        world.contract(name, properties)
    return in_s3(world)


def asked(world: World, question: str, **options: Any) -> dict[str, Any]:
    return search(world.database, Hashing(), question, vectors=world.vectors, **options)


def ids(world: World) -> set[str]:
    """Of the vectors that S3 Vectors has."""
    assert world.vectors
    index = world.vectors.index("films", DIMENSION)
    return {one["key"] for one in index.client.list_vectors(indexArn=index.arn)["vectors"]}


def live(world: World) -> set[str]:
    return {row["_id"] for row in world.database.query("SELECT _id FROM vectors.films")}


def strays(world: World) -> int:
    return int(world.database.query("SELECT count(*) AS n FROM causeway.strays")[0]["n"])


def assert_clean(world: World) -> None:
    assert (ids(world), strays(world)) == (live(world), 0)


def test_a_search_finds_what_numpy_finds_over_the_same_texts(world: World) -> None:
    world.contract("films", CONTRACT)
    rows = [row for row in {row["film"]: row for row in extracts()}.values() if row["extract"]][:800]
    texts = [row["extract"][:500] for row in rows]
    in_s3(world).commit("films", [{**row, "extract": text} for row, text in zip(rows, texts, strict=True)], 1)
    world.load("films")
    embedded = Hashing().embed(texts)
    matrix = np.array([vector for vector in embedded if vector], np.float32)
    assert len(matrix) > 700
    for question in ("a war hero returns", "ghosts in a house", "romance at sea"):
        similar = np.sort(matrix @ np.array(Hashing().embed([question])[0], np.float32))[::-1]
        for exact in (False, True):
            answers = asked(world, question, limit=10, exact=exact)["answers"]
            assert [one["similarity"] for one in answers] == pytest.approx(similar[:10].tolist(), abs=2e-4)
    year = rows[0]["year"]
    of_year = asked(world, "war", filters={"year": year}, limit=100)["answers"]
    assert len(of_year) == min(100, sum(row["year"] == year for row in rows))
    assert {one["row"]["year"] for one in of_year} == {year}


def test_what_went_and_what_changed_is_gone_from_the_index_after_the_load_and_a_repeat_changes_nothing(
    plots: World,
) -> None:
    plots.commit("films", [SHARK, SPACE], 1)
    plots.load("films")
    first = ids(plots)
    assert_clean(plots)
    plots.load("films")
    assert ids(plots) == first
    plots.commit("films", [{**SHARK, "plot": "A lawyer defends a widow."}], 2, remove="id = 2")
    plots.load("films")
    assert_clean(plots)
    assert len(ids(plots)) == 1
    assert not ids(plots) & first


def test_a_row_whose_other_columns_change_is_found_by_them(plots: World) -> None:
    plots.commit("films", [SHARK], 1)
    plots.load("films")
    plots.commit("films", [{**SHARK, "title": "Les Dents de la mer"}], 2)
    plots.load("films")
    assert len(asked(plots, "shark", filters={"title": "Les Dents de la mer"})["answers"]) == 1
    assert not asked(plots, "shark", filters={"title": "Jaws"})["answers"]
    assert_clean(plots)


class FailingVectors(Failing, Vectors):
    """S3 Vectors, failing at one of its calls."""


@pytest.mark.parametrize("failure", FAILURES, ids=["fails", "is killed"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("service", ["the store", "S3 Vectors"])
def test_a_load_that_ends_at_any_call_leaves_what_is_found_whole_and_the_next_one_no_stray(
    plots: World, failure: Callable[[], BaseException], after: bool, service: str
) -> None:
    plots.commit("films", [SHARK, SPACE], 1)
    plots.load("films")
    whole, bucket, ended = plots.database, plots.vectors, 0
    assert bucket
    for at in range(1, 80):
        plot = f"A lawyer defends widow{at}."
        plots.commit("films", [{**SHARK, "plot": plot}], 1 + at, remove="id = 1")
        before = snapshot_loaded(whole, plots.contracts["films"])
        failing = (FailingVectors if service == "S3 Vectors" else Failing)(at, after=after, failure=failure())
        if service == "S3 Vectors":
            plots.vectors = VectorBucket(failing, bucket.arn)
        else:
            plots.database = Database(failing, whole.cluster, whole.secret, whole.name)
        try:
            plots.load("films")
            done = True
        except (StoreError, Killed):
            done, ended = False, ended + 1
        plots.database, plots.vectors = whole, bucket
        found = asked(plots, f"lawyer widow{at}", limit=1)
        committed = snapshot_loaded(whole, plots.contracts["films"]) != before
        assert (found["answers"][0]["passage"] == plot) is committed
        if at % 2 and not done:  # the next load is of the next commit, as often as not
            plots.load("films")
            assert_clean(plots)
        if done:
            break
    plots.load("films")
    assert_clean(plots)
    assert ended >= (3 if service == "S3 Vectors" else 20)


def test_an_index_that_was_made_anew_is_said_and_filled_by_the_next_load(plots: World) -> None:
    plots.commit("films", [SHARK, SPACE], 1)
    plots.load("films")
    in_s3(plots)
    with pytest.raises(SearchError, match=r"index has lost its vectors; causeway store load films"):
        asked(plots, "shark")
    plots.load("films")
    assert len(asked(plots, "shark")["answers"]) == 2


def test_vectors_move_at_the_load_after_the_setting_changed_and_are_not_asked_for_before(
    plots: World,
) -> None:
    bucket, plots.vectors = plots.vectors, None
    plots.commit("films", [SHARK, SPACE], 1)
    for there, here, vectors in (
        ("postgres", "s3", bucket),
        ("s3", "postgres", None),
        ("postgres", "s3", bucket),
    ):
        plots.load("films")
        plots.vectors = vectors
        with pytest.raises(
            SearchError, match=f'store.vectors = "{there}" puts them, and "{here}" is deployed'
        ):
            asked(plots, "shark")
        if vectors:
            in_s3(plots)  # the stack made it anew
        plots.load("films")
        assert [one["row"]["id"] for one in asked(plots, "shark")["answers"]] == [1, 2]
    assert_clean(plots)


def test_a_row_with_more_than_a_filter_may_know_is_found_by_filters_all_the_same(plots: World) -> None:
    long = "x" * 3000
    plots.commit("films", [{**SHARK, "title": long}, SPACE], 1)
    plots.load("films")
    assert plots.vectors
    index = plots.vectors.index("films", DIMENSION)
    kept = index.client.list_vectors(indexArn=index.arn, returnMetadata=True)["vectors"]
    assert {MORE: True} in [one["metadata"] for one in kept]
    for title, expected in ((long, [1]), ("Alien", [2]), ("Jaws", [])):
        found = asked(plots, "shark", filters={"title": title})
        assert [one["row"]["id"] for one in found["answers"]] == expected


def test_filters_that_the_index_does_not_know_are_answered_exactly_while_few_pass(
    plots: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plots.commit("films", [{**SHARK, "seen": date(1975, 6, 20)}, SPACE], 1)
    plots.commit("people", [{"id": 7, "name": "Robert Shaw"}], 1)
    plots.commit("castings", [{"film": 1, "person": 7, "role": "Quint"}], 1)
    for name in ("people", "films", "castings"):
        plots.load(name)
    for filters in (
        {"people.name": "Robert Shaw"},
        {"seen": "June 20 1975"},
        {"title": "Jaws", "castings.role": "Quint"},
    ):
        found = asked(plots, "shark", filters=filters)
        assert ([one["row"]["id"] for one in found["answers"]], found["exact"]) == ([1], True)
    monkeypatch.setattr("causeway.store.nearest.COMPARED", 0)
    told = r"more than 0 passages pass.*only by those that its index knows: id, title$"
    with pytest.raises(SearchError, match=told):
        asked(plots, "shark", filters={"people.name": "Robert Shaw"})


def test_loads_at_the_same_time_leave_no_stray_and_no_hole(plots: World) -> None:
    plots.commit("films", [SHARK, SPACE], 1)
    plots.load("films")
    errors: list[BaseException] = []

    def load() -> None:
        try:
            plots.load("films")
        except BaseException as error:
            errors.append(error)

    with patch("causeway.store.load.PAUSE", 0.05):
        for batch in range(2, 5):
            plots.commit("films", [{**SHARK, "plot": f"A lawyer defends widow{batch}."}], batch)
            threads = [threading.Thread(target=load) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert not errors
            assert_clean(plots)
            assert len(live(plots)) == 2
