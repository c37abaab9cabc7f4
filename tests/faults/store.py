"""Rows of the fault matrix for loads of the relational store: repeated, late, killed, at the same time."""

from __future__ import annotations

import random
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from causeway.store.database import Database
from local.aws.postgres.server import Server
from tests.causeway.store.conftest import World, open_database, open_world
from tests.causeway.store.test_faults import Failing, Killed
from tests.faults.row import Row

DATASETS = ("films", "people", "castings")
CALLS = 60  # of a load, at most


@contextmanager
def _worlds() -> Iterator[Callable[[], Any]]:
    """Makes worlds, each with a database of its own; one at a time."""

    @contextmanager
    def world() -> Iterator[World]:
        with tempfile.TemporaryDirectory() as folder, open_database(server) as database:
            yield open_world(database, server, Path(folder))

    with Server() as server:
        yield world


def _commit(world: World, rng: random.Random, batches: int) -> dict[str, dict[Any, Any]]:
    """Some batches of each dataset; what the tables then have, by key."""
    tables: dict[str, dict[Any, Any]] = {name: {} for name in DATASETS}
    for batch in range(1, batches + 1):
        for name in DATASETS:
            keys = [rng.randint(1, 5) for _ in range(3)]
            values = {
                (key, rng.randint(1, 5)) if name == "castings" else key: f"{name}{batch}" for key in keys
            }
            tables[name] |= values
            world.commit(name, [_row(name, key, value) for key, value in values.items()], batch)
    return tables


def _row(name: str, key: Any, value: str) -> dict[str, Any]:
    if name == "castings":
        return {"film": key[0], "person": key[1], "role": value}
    return {"id": key, "title" if name == "films" else "name": value}


def _wrong(world: World, tables: dict[str, dict[Any, Any]]) -> int:
    """Rows that the store lacks, has twice or wrongly: its tables against a join of the lake's."""
    expected = {
        **tables,
        "castings": {
            k: v
            for k, v in tables["castings"].items()
            if k[0] in tables["films"] and k[1] in tables["people"]
        },
    }
    wrong = 0
    for name in DATASETS:
        rows = [
            ((r["film"], r["person"]), r["role"])
            if name == "castings"
            else (r["id"], r.get("title", r.get("name")))
            for r in world.rows(name)
        ]
        wrong += len(rows) - len(dict(rows)) + len(set(rows) ^ set(expected[name].items()))
    waiting = len(tables["castings"]) - len(expected["castings"])
    return wrong + abs(len(world.rows("castings", "quarantine")) - waiting)


def repeats(n: int, seed: int) -> Row:
    """Each commit is heard of 1 to 5 times, in any order, datasets mixed, some late."""
    row, rng = (
        Row("the store: each commit heard of 1–5 times, in any order", n, "store equals tables"),
        random.Random(seed),
    )
    loads = 0
    with _worlds() as worlds:
        for _ in range(n):
            with worlds() as world:
                tables = _commit(world, rng, 2)
                heard = [name for name in DATASETS for _ in range(2 * rng.randint(1, 5) // 2)]
                rng.shuffle(heard)
                for name in heard:
                    world.load(name)
                loads += len(heard)
                row.failures += bool(_wrong(world, tables))
    row.measured.append(f"{loads} loads")
    return row


def kills(n: int, seed: int) -> Row:
    """A load ends at one of its calls, before or after it is carried out; the next one follows."""
    row, rng = (
        Row(
            "the store: a load killed at any call, before or after it",
            n,
            "all or nothing; the next completes it",
        ),
        random.Random(seed),
    )
    killed = 0
    with _worlds() as worlds:
        for _ in range(n):
            with worlds() as world:
                tables = _commit(world, rng, 1)
                for name in DATASETS:
                    whole, client = (
                        world.database,
                        Failing(rng.randint(1, CALLS), after=rng.random() < 0.5, failure=Killed()),
                    )
                    world.database = Database(client, whole.cluster, whole.secret, whole.name)
                    try:
                        world.load(name)
                    except Killed:
                        killed += 1
                    world.database = whole
                for name in DATASETS:
                    world.load(name)
                row.failures += bool(_wrong(world, tables))
    row.measured.append(f"{killed} of {3 * n} loads killed")
    return row


def at_once(n: int, seed: int) -> Row:
    """Several loads at the same time, of the same dataset and of others."""
    row, rng = (
        Row("the store: loads at the same time, of one dataset and of others", n, "store equals tables"),
        random.Random(seed),
    )
    errors: list[BaseException] = []

    def load(world: World, name: str) -> None:
        try:
            world.load(name)
        except BaseException as error:
            errors.append(error)

    with _worlds() as worlds, patch("causeway.store.load.PAUSE", 0.02):
        for _ in range(n):
            with worlds() as world:
                tables = _commit(world, rng, 2)
                threads = [
                    threading.Thread(target=load, args=(world, name)) for name in (*DATASETS, *DATASETS)
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                row.failures += bool(_wrong(world, tables))
    row.note("errors", len(errors))
    return row
