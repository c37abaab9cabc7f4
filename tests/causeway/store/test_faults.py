"""Loads that fail at any call, that meet others, and that come in any order."""

import threading
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causeway.store.database import Database, StoreError
from tests.causeway.store.conftest import FILMS, DataApi, World, open_world


class Killed(BaseException):
    """The process ended."""


class Failing(DataApi):
    """Fails at one of its calls, before or after it has been carried out."""

    def __init__(self, at: int, *, after: bool, failure: BaseException) -> None:
        self.calls, self._at, self._after, self._failure = 0, at, after, failure

    def __getattr__(self, operation: str) -> Any:
        call = super().__getattr__(operation)

        def counted(**request: Any) -> Any:
            self.calls += 1
            if self.calls == self._at and not self._after:
                raise self._failure
            answer = call(**request)
            if self.calls == self._at:
                raise self._failure
            return answer

        return counted


def _state(world: World) -> dict[str, Any]:
    query = world.database.query
    there = query("SELECT to_regclass('causeway.loads')::text AS loads")[0]["loads"]
    schemas = ("curated", "quarantine") if there else ()
    tables = {f"{schema}.{name}": world.rows(name, schema) for schema in schemas for name in world.contracts}
    if query("SELECT to_regclass('vectors.films')::text AS films")[0]["films"]:
        tables["vectors"] = query("SELECT id, _passage FROM vectors.films ORDER BY 1, 2")
    return {**tables, "loads": query('SELECT "table", snapshot FROM causeway.loads') if there else []}


def _prepare(world: World) -> None:
    world.commit("films", [{"id": 1, "title": "Jaws"}, {"id": 2, "title": "Alien"}], 1)
    world.commit("people", [{"id": 7, "name": "Robert Shaw"}], 1)
    world.load("people")
    world.commit("castings", [{"film": 1, "person": 7}, {"film": 2, "person": 7}], 1)
    world.load("castings")


EMBEDDED = FILMS.replace("string}", "string, customProperties: [{property: embed, value: true}]}")
FAILURES: list[Callable[[], BaseException]] = [
    lambda: ClientError({"Error": {"Code": "BadRequestException", "Message": "gone"}}, "ExecuteStatement"),
    Killed,
]


@pytest.mark.parametrize("failure", FAILURES, ids=["fails", "is killed"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_load_that_ends_at_any_call_leaves_all_or_nothing_and_the_next_one_completes_it(
    films: World, failure: Callable[[], BaseException], after: bool
) -> None:
    films.contract("films", EMBEDDED)
    _prepare(films)
    whole, before, at = films.database, _state(films), 0
    while True:
        at += 1
        client = Failing(at, after=after, failure=failure())
        films.database = Database(client, whole.cluster, whole.secret, whole.name)
        try:
            films.load("films")
        except (StoreError, Killed):
            films.database = whole
            now = _state(films)
            assert now == before or now["loads"] != before["loads"]
            if now != before:
                break  # it was the commit whose answer was lost: all of it is there
        else:
            films.database = whole
            break  # there was no call so late
    films.load("films")
    assert at > 20
    assert _state(films)["vectors"] == [{"id": 1, "_passage": 0}, {"id": 2, "_passage": 0}]
    assert [row["film"] for row in films.rows("castings")] == [1, 2]
    assert [row["snapshot"] for row in _state(films)["loads"] if row["table"] == "films"] == [
        films.table("films").current_snapshot().snapshot_id  # type: ignore[union-attr]
    ]


def test_loads_at_the_same_time_end_as_one_after_the_other(films: World) -> None:
    _prepare(films)
    errors: list[BaseException] = []

    def load(name: str) -> None:
        try:
            films.load(name)
        except BaseException as error:
            errors.append(error)

    with patch("causeway.store.load.PAUSE", 0.05):
        threads = [
            threading.Thread(target=load, args=(name,)) for name in ("films", "films", "castings", "people")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not errors
    assert [row["film"] for row in films.rows("castings")] == [1, 2]


ROWS = st.dictionaries(st.integers(1, 4), st.sampled_from(["a", "b", ""]), max_size=3)
PAIRS = st.dictionaries(
    st.tuples(st.integers(1, 4), st.integers(1, 4)), st.sampled_from(["x", "y"]), max_size=4
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("films"), ROWS, st.booleans()),
        st.tuples(st.just("people"), ROWS, st.booleans()),
        st.tuples(st.just("castings"), PAIRS, st.booleans()),
        st.tuples(st.just("load"), st.sampled_from(["films", "people", "castings"]), st.none()),
    ),
    max_size=8,
)


@given(STEPS)
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_whatever_came_in_whatever_order_the_store_ends_as_a_join_of_the_tables_would(
    database: Database, server: Any, tmp_path_factory: pytest.TempPathFactory, steps: list[Any]
) -> None:
    for schema in ("curated", "quarantine", "causeway"):
        database.query(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    world = open_world(database, server, tmp_path_factory.mktemp("world"))
    now: dict[str, list[tuple[int, dict[Any, str]]]] = {name: [] for name in world.contracts}
    for batch, (kind, what, removes) in enumerate(steps, 1):
        if kind == "load":
            if now[what]:
                world.load(what)
            continue
        remove = ""
        if removes and now[kind]:
            removed, _ = now[kind].pop(0)
            remove = f"_batch = '{removed:04}'"
        now[kind].append((batch, what))
        world.commit(kind, [_row(kind, key, value) for key, value in what.items()], batch, remove=remove)
    for name, batches in now.items():
        if batches:
            world.load(name)
    tables = {name: {k: v for _, rows in batches for k, v in rows.items()} for name, batches in now.items()}
    if any(now.values()):
        _assert_joined(world, tables)


def _row(kind: str, key: Any, value: str) -> dict[str, Any]:
    if kind == "castings":
        return {"film": key[0], "person": key[1], "role": value}
    if kind == "films":
        return {"id": key, "title": value}
    return {"id": key, "name": value, "mentor": key - 1 if value == "b" else None}


def _assert_joined(world: World, tables: dict[str, dict[Any, str]]) -> None:
    people = dict(tables["people"])
    while lost := [k for k, name in people.items() if name == "b" and k - 1 not in people]:
        for key in lost:
            del people[key]
    castings = {
        key: role
        for key, role in tables["castings"].items()
        if key[0] in tables["films"] and key[1] in people
    }
    assert {row["id"]: row["title"] for row in world.rows("films")} == tables["films"]
    assert {row["id"]: row["name"] for row in world.rows("people")} == people
    assert {(row["film"], row["person"]): row["role"] for row in world.rows("castings")} == castings
    held = len(world.rows("people", "quarantine")) + len(world.rows("castings", "quarantine"))
    assert held == len(tables["people"]) - len(people) + len(tables["castings"]) - len(castings)
