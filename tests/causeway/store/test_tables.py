"""The store's tables follow the contracts, and lose nothing on the way."""

import datetime
from decimal import Decimal

import pytest
from pyiceberg.types import LongType

from causeway.store.tables import MigrationError
from tests.causeway.store.conftest import CASTINGS, FILMS, World

EVERY_TYPE = """
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: small, logicalType: integer, logicalTypeOptions: {format: i32}}
      - {name: real, logicalType: number, logicalTypeOptions: {format: f32}}
      - {name: wide, logicalType: number}
      - {name: exact, logicalType: number, physicalType: "decimal(20,4)"}
      - {name: flag, logicalType: boolean}
      - {name: day, logicalType: date}
      - {name: hour, logicalType: time}
      - {name: zoned, logicalType: timestamp, logicalTypeOptions: {timezone: true}}
      - {name: unzoned, logicalType: timestamp, logicalTypeOptions: {timezone: false}}
      - {name: tags, logicalType: array, items: {logicalType: string}}
      - {name: inner, logicalType: object, properties: [{name: a, logicalType: integer}]}
      - {name: text, logicalType: string}
"""


def test_every_type_of_a_contract_has_its_own_in_the_store(world: World) -> None:
    world.contract("things", EVERY_TYPE)
    moment = datetime.datetime(2020, 2, 29, 23, 59, 59, 123456)
    full = {
        "id": 2**62, "small": -1, "real": 0.5, "wide": 0.1, "exact": Decimal("1234567890123456.7891"),
        "flag": False, "day": moment.date(), "hour": moment.time(),
        "zoned": moment.replace(tzinfo=datetime.UTC), "unzoned": moment,
        "tags": ["a", "ü\"'", None], "inner": {"a": 1}, "text": "a,\"b\"\n\\N",
    }  # fmt: skip
    world.commit("things", [full, {"id": 1}, {"id": 3, "wide": float("nan"), "text": ""}], 1)
    world.load("things")
    empty, nan, row = world.database.query(
        """SELECT *, zoned AT TIME ZONE 'UTC' AS at, tags->>1 AS second, (inner->>'a')::int AS a
           FROM curated.things ORDER BY id""".replace("inner->", '"inner"->')
    )
    assert {value for name, value in empty.items() if name != "id"} == {None}
    assert (nan["wide"] != nan["wide"], nan["text"]) == (True, "")
    assert (row["id"], row["small"], row["real"], row["wide"]) == (2**62, -1, 0.5, 0.1)
    assert (Decimal(row["exact"]), row["flag"], row["day"]) == (full["exact"], False, "2020-02-29")
    assert row["hour"] == "23:59:59.123456"
    assert row["at"] == row["unzoned"] == "2020-02-29 23:59:59.123456"
    assert (row["second"], row["a"], row["text"]) == ("ü\"'", 1, full["text"])


def test_new_columns_and_wider_types_are_migrated_and_rows_stay(films: World) -> None:
    films.contract("films", FILMS.replace("integer,", "integer, logicalTypeOptions: {format: i32},"))
    for name in ("castings", "people"):
        del films.contracts[name]
    films.commit("films", [{"id": 1, "title": "Jaws"}], 1)
    films.load("films")
    films.contract("films", f"{FILMS}      - {{name: year, logicalType: integer}}\n")
    changes = films.load("films").changes
    assert changes == ("curated.films: id is bigint, was integer", "curated.films: year is new")
    assert films.rows("films") == [{"id": 1, "title": "Jaws", "year": None}]


def test_keys_of_a_wider_type_are_told_apart_from_those_before(films: World) -> None:
    for name in ("castings", "people"):
        del films.contracts[name]
    films.contract("films", FILMS.replace("integer,", "integer, logicalTypeOptions: {format: i32},"))
    films.commit("films", [{"id": 1, "title": "Jaws"}], 1)
    films.load("films")
    films.contract("films", FILMS)
    with films.table("films").update_schema() as update:
        update.update_column("id", LongType())
    films.commit("films", [{"id": 2**40, "title": "Alien"}], 2, remove="_batch = '0001'")
    films.load("films")
    assert films.rows("films") == [{"id": 2**40, "title": "Alien"}]


def test_a_migration_that_would_lose_values_is_refused_and_the_store_is_as_it_was(films: World) -> None:
    films.commit("films", [{"id": 1, "title": "Jaws"}], 1)
    films.load("films")
    films.database.query("ALTER TABLE curated.films ALTER COLUMN id TYPE numeric(20,1)")
    films.commit("films", [{"id": 2, "title": "Alien"}], 2)
    with pytest.raises(MigrationError) as raised:
        films.load("films")
    assert str(raised.value) == (
        "curated.films: id is numeric(20,1) and would become bigint, which may lose values; undo it in the"
        " contract, or raise its version to 2.0.0, which has a table of its own"
    )
    assert [row["title"] for row in films.rows("films")] == ["Jaws"]


def test_a_reference_is_kept_once_the_contract_has_it_and_no_longer_when_it_has_not(films: World) -> None:
    without = "\n".join(line.replace("relationships: [{to: films.id}]", "") for line in CASTINGS.splitlines())
    films.contract("castings", without.replace(", }", "}") + "\n")
    films.commit("people", [{"id": 7}], 1)
    films.load("people")
    films.commit("castings", [{"film": 1, "person": 7}], 1)
    assert films.load("castings").rows == 1
    films.contract("castings", CASTINGS)
    loaded = films.load("castings")
    assert "curated.castings: films_of_film is kept" in loaded.changes
    assert (loaded.rows, loaded.quarantined) == (0, 1)
    films.contract("castings", without.replace(", }", "}") + "\n")
    loaded = films.load("castings")
    assert "curated.castings: films_of_film is no longer kept" in loaded.changes
    assert loaded.rows == 1


def test_a_reference_of_long_names_is_kept_once(world: World) -> None:
    long = "ü" * 31
    world.contract("films", FILMS)
    to = "relationships: [{to: films.id}]"
    world.contract(
        "castings",
        "      - {name: id, logicalType: integer, primaryKey: true}\n"
        f"      - {{name: {long}, logicalType: integer, {to}}}\n",
    )
    world.commit("films", [{"id": 1, "title": "Jaws"}], 1)
    world.commit("castings", [{"id": 1, long: 1}, {"id": 2, long: 9}], 1)
    world.load("films")
    assert [world.load("castings").rows, world.load("castings").changes] == [1, ()]


def test_the_reader_reads_every_table_and_changes_none(films: World) -> None:
    films.commit("films", [{"id": 1, "title": "Jaws"}], 1)
    films.load("films")
    grants = films.database.query(
        """SELECT DISTINCT table_schema AS schema, privilege_type AS may
           FROM information_schema.role_table_grants WHERE grantee = 'reader' ORDER BY 1"""
    )
    assert grants == [{"schema": s, "may": "SELECT"} for s in ("causeway", "curated", "quarantine")]
