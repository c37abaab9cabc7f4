"""A snapshot's profile is that of its rows, and what is known of earlier snapshots is not read again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from pyiceberg.table import FileScanTask

from causeway.engine.profile.measures import measures_of
from causeway.engine.profile.parts import in_turn
from causeway.engine.profile.table import Rows, profile
from causeway.lake.profiles import Profiles, age
from causeway.lake.rows import FileReader, Snapshot, number_of
from glue_jobs import tasks
from glue_jobs.profiler import Profiler
from tests.causeway.engine.profile.helpers import VALIDATOR
from tests.causeway.engine.profile.test_associations import pytest_approx
from tests.causeway.lake.test_history import expire_all_but_the_last
from tests.glue_jobs.conftest import SmallLake, open_lake

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: trips
name: trips
version: 1.0.0
schema:
  - name: trips
    customProperties:
      - {property: format, value: csv}
      - {property: onDelete, value: remove}
      - {property: nullValues, value: [""]}
      - {property: onSchemaChange, value: evolve}
    properties:
      - {name: id, logicalType: integer}
      - {name: city, logicalType: string}
      - {name: km, logicalType: number}
"""
PROFILES = Profiles("s3://curated/trips")


@pytest.fixture
def lake(tmp_path: Any) -> Iterator[SmallLake]:
    with open_lake(tmp_path, CONTRACT) as opened:
        opened.s3.create_bucket(Bucket="curated")
        tasks.s3_of_task.cache_clear()
        yield opened
        tasks.s3_of_task.cache_clear()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were read, in order."""
    paths: list[str] = []
    real = FileReader.read

    def noted(self: FileReader, file: FileScanTask | None) -> Iterator[Any]:
        if file:
            paths.append(file.file.file_path)
        return real(self, file)

    monkeypatch.setattr(FileReader, "read", noted)
    return paths


def land(lake: SmallLake, name: str, first: int, rows: int) -> None:
    numbers = range(first, first + rows)
    lines = (f"{n},{'Oslo' if n % 3 else 'Rome'},{n * n if n % 4 else ''}" for n in numbers)
    lake.curate(lake.land(name, "\n".join(["id,city,km", *lines]).encode()))


def profiled(lake: SmallLake) -> dict[str, Any]:
    table = lake.table()
    snapshot = table.current_snapshot()
    assert snapshot
    now = datetime.now(UTC)
    document = Profiler(table, snapshot, lake.contract, lake.s3, PROFILES, in_turn, now).profile()
    stored: Any = PROFILES.read(lake.s3, snapshot.snapshot_id)
    assert stored == json.loads(json.dumps(document, allow_nan=False))
    VALIDATOR.validate(stored)
    return dict(stored)


def of_all_rows(lake: SmallLake) -> dict[str, Any]:
    """The same, without anything that is known of before."""
    table = lake.table()
    snapshot = table.current_snapshot()
    assert snapshot
    measures = measures_of(lake.contract, table.schema().as_arrow().names)
    of = Snapshot(table, snapshot.snapshot_id, list(measures))
    whole = profile(Rows(of.parts(), lambda f: map(pl.DataFrame, of.reader.read(f)), number_of), measures)
    return json.loads(json.dumps(whole))  # type: ignore[no-any-return]


def test_after_an_append_the_new_file_alone_is_read_and_the_numbers_are_those_of_all(
    lake: SmallLake, read: list[str]
) -> None:
    land(lake, "a.csv", 1, 200)
    profiled(lake)
    land(lake, "b.csv", 201, 10)
    read.clear()
    document = profiled(lake)
    assert len(read) == len(set(read)) == 1
    assert document["columns"] == pytest_approx(of_all_rows(lake)["columns"])


def test_associations_of_nearly_the_same_rows_are_kept_and_say_of_which_snapshot_they_are(
    lake: SmallLake,
) -> None:
    land(lake, "a.csv", 1, 200)
    first = profiled(lake)
    land(lake, "b.csv", 201, 10)
    second = profiled(lake)
    assert second["associations"] == first["associations"]
    assert second["associations_of"] == first["associations_of"] | {"snapshot": first["snapshot"]}
    land(lake, "c.csv", 211, 15)  # with b.csv, more than a tenth
    third = profiled(lake)
    assert third["associations"] == pytest_approx(of_all_rows(lake)["associations"])
    assert third["associations_of"]["snapshot"] == third["snapshot"]


def test_what_is_corrected_and_what_is_removed_leaves_the_profile(lake: SmallLake, read: list[str]) -> None:
    for n in range(4):
        land(lake, f"{n}.csv", 100 * n, 100)
    profiled(lake)
    land(lake, "1.csv", 1000, 50)
    lake.curate(lake.delete("2.csv"))
    read.clear()
    document = profiled(lake)
    assert document["rows"] == 250
    assert document["columns"]["id"]["maximum"] == 1049
    assert document["columns"] == pytest_approx(of_all_rows(lake)["columns"])


def test_counts_of_files_that_are_gone_are_deleted(lake: SmallLake) -> None:
    land(lake, "a.csv", 1, 20)
    profiled(lake)
    land(lake, "a.csv", 1, 30)
    profiled(lake)
    kept = lake.s3.list_objects_v2(Bucket="curated", Prefix="trips/profiles/files/")["Contents"]
    assert len(kept) == 1


def test_profiles_and_counts_of_snapshots_that_the_table_keeps_no_more_are_deleted(lake: SmallLake) -> None:
    """They hold values of rows that were removed."""
    for rows in (20, 30):
        land(lake, "a.csv", 1, rows)
        profiled(lake)
    expire_all_but_the_last(lake)
    land(lake, "b.csv", 100, 10)
    newest = profiled(lake)["snapshot"]
    listed = lake.s3.list_objects_v2(Bucket="curated", Prefix="trips/profiles/")["Contents"]
    kept = {one.snapshot_id for one in lake.table().snapshots()}
    names = {item["Key"].removeprefix("trips/profiles/") for item in listed}
    assert {name for name in names if name.endswith(".json")} <= {f"{one}.json" for one in kept}
    assert f"{newest}.json" in names
    assert {name for name in names if name.startswith("counts/")} <= {f"counts/{one}" for one in kept}


def test_a_snapshot_is_profiled_once(lake: SmallLake, read: list[str]) -> None:
    land(lake, "a.csv", 1, 20)
    first = profiled(lake)
    read.clear()
    assert profiled(lake) == first
    assert read == []


def test_what_changed_since_the_profile_before_is_told(lake: SmallLake) -> None:
    land(lake, "a.csv", 1, 50)
    first = profiled(lake)
    assert "drift" not in first
    lake.curate(lake.land("b.csv", b"id,city,km\n1,Paris,\n"))
    second = profiled(lake)
    assert second["against"] == first["snapshot"]
    assert second["drift"]["city"]["new"] == {"count": 1, "values": ["Paris"]}


def test_a_column_that_came_later_counts_as_null_before(lake: SmallLake) -> None:
    land(lake, "a.csv", 1, 20)
    profiled(lake)
    lake.curate(lake.land("b.csv", b"id,city,km,color\n30,Rome,1,red\n"))
    document = profiled(lake)
    assert (document["columns"]["color"]["nulls"], document["rows"]) == (20, 21)
    assert document["columns"] == pytest_approx(of_all_rows(lake)["columns"])


def test_of_a_snapshot_without_a_profile_the_nearest_older_is_found(lake: SmallLake) -> None:
    land(lake, "a.csv", 1, 20)
    first = profiled(lake)["snapshot"]
    land(lake, "b.csv", 21, 5)
    land(lake, "c.csv", 26, 5)
    table = lake.table()
    newest = table.current_snapshot()
    assert newest
    assert PROFILES.nearest(lake.s3, table, newest.snapshot_id) == first
    assert age(table, first, newest.snapshot_id)["commits"] == 2


def test_a_table_without_rows_has_a_profile_of_none(lake: SmallLake) -> None:
    land(lake, "a.csv", 1, 3)
    lake.curate(lake.delete("a.csv"))
    document = profiled(lake)
    assert (document["rows"], document["associations"]) == (0, [])
