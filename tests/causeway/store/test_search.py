"""Passages of embedded texts: in the store with their rows, and found by what they say."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from causeway.store.database import StoreError
from causeway.store.embeddings import DIMENSION, Hashing, Vector
from causeway.store.nearest import SearchError
from causeway.store.schemas import READER
from causeway.store.search import filters_of, search
from tests.causeway.store.conftest import CASTINGS, PEOPLE, World, in_s3

FILMS = """
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: year, logicalType: integer}
      - {name: genres, logicalType: array, items: {logicalType: string}}
      - name: plot
        logicalType: string
        customProperties: [{property: embed, value: true}]
"""
SHARK = {"id": 1, "year": 1975, "genres": ["Thriller"], "plot": "A giant shark attacks swimmers."}
SPACE = {"id": 2, "year": 1979, "genres": ["Horror"], "plot": "A creature hunts the crew of a spaceship."}


@pytest.fixture(params=["in the store", "in S3 Vectors"])
def world(request: pytest.FixtureRequest, world: World) -> World:
    """The vectors are in either place."""
    return in_s3(world, DIMENSION, 8) if request.param == "in S3 Vectors" else world


@pytest.fixture
def plots(world: World) -> World:
    for name, properties in (("films", FILMS), ("people", PEOPLE), ("castings", CASTINGS)):
        world.contract(name, properties)
    return world


def found(world: World, question: str, **options: object) -> list[int]:
    answer = search(world.database, Hashing(), question, vectors=world.vectors, **options)  # type: ignore[arg-type]
    return [one["row"]["id"] for one in answer["answers"]]


def test_a_row_is_found_by_what_its_text_says_with_its_passage_and_snapshot(plots: World) -> None:
    snapshot = plots.commit("films", [SHARK, SPACE], 1)
    plots.load("films")
    answer = search(plots.database, Hashing(), "sharks attacking a swimmer", vectors=plots.vectors, limit=1)
    assert (answer["dataset"], answer["snapshot"]) == ("films", str(snapshot))
    (one,) = answer["answers"]
    assert one["row"] == {"id": 1, "year": 1975, "genres": ["Thriller"]}
    assert (one["text"], one["passage"]) == ("plot", SHARK["plot"])
    assert 0.2 < one["similarity"] < 1


def test_a_text_that_changed_is_found_by_what_it_says_now_and_one_that_went_is_not(plots: World) -> None:
    plots.commit("films", [SHARK, SPACE], 1)
    plots.load("films")
    plots.commit("films", [{**SHARK, "plot": "A lawyer defends a widow."}], 2)
    plots.load("films")
    assert found(plots, "lawyer widow", limit=1) == [1]
    assert found(plots, "shark", limit=1) != [1]
    plots.commit("films", [], 3, remove="_batch = '0002'")
    plots.load("films")
    assert found(plots, "shark", limit=1) == [1]
    plots.commit("films", [], 4, remove="id = 1")
    plots.load("films")
    assert found(plots, "shark") == [2]


def test_a_row_that_waits_is_not_found_until_it_comes_back_with_its_passages(world: World) -> None:
    world.contract("people", PEOPLE)
    world.contract(
        "films", FILMS + "      - {name: by, logicalType: integer, relationships: [{to: people.id}]}\n"
    )
    world.commit("people", [{"id": 7, "name": "Spielberg"}], 1)
    world.load("people")
    world.commit("films", [{**SHARK, "by": 7}, {**SPACE, "by": 8}], 1)
    world.load("films")
    assert found(world, "spaceship creature") == [1]
    world.commit("people", [{"id": 8, "name": "Scott"}], 2)
    world.load("people")
    assert found(world, "spaceship creature") == [2, 1]


def test_a_text_of_no_words_costs_its_passage_alone(plots: World) -> None:
    plots.commit("films", [SHARK, {**SPACE, "plot": "…!"}, {"id": 3, "plot": ""}, {"id": 4, "plot": None}], 1)
    assert plots.load("films").rows == 4
    assert found(plots, "anything at all") == [1]


def test_a_long_text_is_found_by_any_of_its_passages_which_say_where_they_stand(plots: World) -> None:
    plot = "nothing happens here " * 40 + "until the zeppelin explodes " + "and nothing again " * 40
    plots.commit("films", [{**SHARK, "plot": plot}, SPACE], 1)
    plots.load("films")
    one = search(plots.database, Hashing(), "exploding zeppelins", vectors=plots.vectors, limit=1)["answers"][
        0
    ]
    assert "zeppelin explodes" in one["passage"]
    assert one["passage"] == plot[one["begins"] : one["ends"]]


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({"year": 1979}, [2]),
        ({"genres": "Thriller"}, [1]),
        ({"castings.person": 7}, [1]),
        ({"castings.person": "7", "castings.role": "Ripley"}, []),
        ({"castings.role": "Ripley"}, [2]),
        ({"people.name": "Sigourney Weaver"}, [2]),
        ({"year": 1975, "people.name": "Sigourney Weaver"}, []),
    ],
)
def test_a_filter_lets_only_its_rows_through_however_many_are_nearer(
    plots: World, filters: dict[str, object], ids: list[int]
) -> None:
    nearer = [{**SHARK, "id": i, "year": 1900, "genres": []} for i in range(10, 100)]
    plots.commit("films", [SHARK, SPACE, *nearer], 1)
    plots.commit("people", [{"id": 7, "name": "Robert Shaw"}, {"id": 8, "name": "Sigourney Weaver"}], 1)
    roles = [{"film": 1, "person": 7, "role": "Quint"}, {"film": 2, "person": 8, "role": "Ripley"}]
    plots.commit("castings", roles, 1)
    for name in ("people", "films", "castings"):
        plots.load(name)
    assert found(plots, "giant shark", filters=filters) == ids


def test_a_filters_value_is_data_whatever_it_says(plots: World) -> None:
    plots.commit("films", [SHARK], 1)
    plots.load("films")
    assert found(plots, "shark '; DROP TABLE curated.films --", filters={"plot": "' OR true --"}) == []
    with pytest.raises(StoreError, match="invalid input syntax for type bigint"):
        found(plots, "shark", filters={"year": "1 OR true"})
    assert found(plots, "shark") == [1]


class Other(Hashing):
    """Of another name and dimension; it is counted what it embeds."""

    def __init__(self, name: str, dimension: int) -> None:
        self.name, self.dimension, self.embedded = name, dimension, 0

    def embed(self, texts: Sequence[str]) -> list[Vector | None]:
        self.embedded += len(texts)
        return [[1.0] + [0.0] * (self.dimension - 1) for _ in texts]


@pytest.mark.parametrize("other", [("another", 256), ("causeway-hashing-1", 8)])
def test_a_search_by_another_model_is_refused_until_the_next_load_by_it(
    plots: World, other: tuple[str, int]
) -> None:
    plots.commit("films", [SHARK, SPACE], 1)
    plots.load("films")
    embedder = Other(*other)
    with pytest.raises(
        SearchError, match=r"was embedded by causeway-hashing-1 in 256 dimensions.*store load films"
    ):
        search(plots.database, embedder, "shark", vectors=plots.vectors)
    plots.load("films", embedder)
    assert embedder.embedded == 2
    assert len(search(plots.database, embedder, "shark", vectors=plots.vectors)["answers"]) == 2
    plots.load("films", embedder)
    assert embedder.embedded == 3  # the question; not the texts again
    with pytest.raises(SearchError):
        found(plots, "shark")


def test_texts_of_a_contract_that_embeds_others_now_are_embedded_at_the_next_load(plots: World) -> None:
    plots.commit("films", [SHARK], 1)
    plots.load("films")
    plots.contract("films", FILMS.replace("embed, value: true", "embed, value: false"))
    assert plots.load("films").changes == ('"vectors"."films" is gone: no text of films is embedded',)
    with pytest.raises(SearchError, match="no text in the store is embedded; write embed: true"):
        found(plots, "shark")
    plots.contract("films", FILMS)
    plots.load("films")
    assert found(plots, "shark") == [1]


def test_the_reader_may_read_what_a_search_reads(plots: World) -> None:
    plots.commit("films", [SHARK], 1)
    plots.load("films")
    plots.database.query(f"GRANT {READER} TO CURRENT_USER")
    with plots.database.transaction() as transaction:
        transaction.execute(f"SET LOCAL ROLE {READER}")
        assert transaction.query("SELECT count(*) AS n FROM vectors.films, causeway.indexes")[0]["n"] == 1
        with pytest.raises(StoreError, match="permission denied"):
            transaction.execute("DELETE FROM vectors.films")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"question": "?!"}, "'?!' has no word in it"),
        ({"question": "x", "limit": 0}, "limit 0: expected 1 to 100"),
        ({"question": "x", "dataset": "film"}, "film cannot be searched; films can; did you mean films?"),
        (
            {"question": "x", "filters": {"yeer": 1}},
            "filter yeer: no such column; did you mean year?; known: id",
        ),
        ({"question": "x", "filters": {"people.nam": 1}}, "did you mean people.name?"),
    ],
)
def test_what_cannot_be_asked_is_said(plots: World, asked: dict[str, Any], told: str) -> None:
    plots.commit("films", [SHARK], 1)
    plots.load("films")
    with pytest.raises(SearchError, match=re.escape(told)):
        search(plots.database, Hashing(), vectors=plots.vectors, **asked)


def test_filters_are_written_as_column_and_value_once_each() -> None:
    assert filters_of(["a=1", "b.c=x=y"]) == {"a": "1", "b.c": "x=y"}
    for wrong in (["a"], ["a=1", "a=2"]):
        with pytest.raises(SearchError, match=r"write column=value|is there twice"):
            filters_of(wrong)
