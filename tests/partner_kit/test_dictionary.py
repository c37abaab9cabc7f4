"""What the kit says of columns is what the contract says, though it reads the table alone."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from causeway.contract.load import load_contract
from causeway.contract.schema import LINEAGE
from partner_kit.dictionary import HASH, described, dictionary_of, tables_of
from partner_kit.errors import NoTableError
from tests.glue_jobs.conftest import SmallLake, open_lake

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: trips
name: trips
version: 1.0.0
status: active
servers: [{server: store, type: postgresql}]
schema:
  - name: trips
    description: One row for each trip.
    customProperties: [{property: format, value: csv}, {property: onSchemaChange, value: rescue}]
    properties:
      - {name: id, logicalType: integer, primaryKey: true, description: Numbered by the depot.}
      - {name: city, logicalType: string, relationships: [{to: cities.name}], description: Where it began.}
      - {name: rider, logicalType: string, classification: personal, customProperties: [{property: partnerAccess, value: hash}]}
      - {name: phone, logicalType: string, classification: personal, customProperties: [{property: partnerAccess, value: withhold}]}
      - name: stops
        logicalType: array
        items: {logicalType: object, properties: [{name: lat, logicalType: number}]}
"""  # noqa: E501


@pytest.fixture
def trips(tmp_path: Path) -> Iterator[SmallLake]:
    with open_lake(tmp_path, CONTRACT) as lake:
        lake.curate(land(lake, "a.csv", "1,Oslo,ann,7"))
        yield lake


def land(lake: SmallLake, name: str, row: str):  # type: ignore[no-untyped-def]
    return lake.land(name, f"id,city,rider,phone\n{row}\n".encode())


def of(listed: pl.DataFrame, column: str) -> dict[str, object]:
    return listed.row(by_predicate=pl.col("column") == column, named=True)


def changed(lake: SmallLake, old: str, new: str) -> None:
    """The contract's next minor version is deployed, and a file lands."""
    path = lake.folder / "trips.odcs.yaml"
    text = path.read_text().replace("version: 1.0.0", "version: 1.1.0")
    assert old in text
    path.write_text(text.replace(old, new))
    lake.curate(land(lake, "b.csv", "2,Rome,bob,8"), contract=load_contract(path))


def test_a_column_has_its_type_nullability_key_and_description(trips: SmallLake) -> None:
    one = of(dictionary_of(trips.table()), "id")
    assert one == {
        "column": "id",
        "type": "long",
        "nullable": False,
        "key": True,
        "references": "",
        "values": "",
        "description": "Numbered by the depot.",
    }


def test_a_reference_says_what_to_join_by(trips: SmallLake) -> None:
    assert of(dictionary_of(trips.table()), "city")["references"] == "cities.name"


def test_a_hashed_column_is_told_and_a_withheld_one_is_not_there(trips: SmallLake) -> None:
    listed = dictionary_of(trips.table())
    assert (of(listed, "rider")["values"], of(listed, "rider")["type"]) == (HASH, "string")
    assert "phone" not in f"{listed.to_dicts()}{trips.table().properties}"


def test_lineage_and_rescued_fields_are_explained(trips: SmallLake) -> None:
    listed = dictionary_of(trips.table())
    for name in (*LINEAGE.names, "_rescued"):
        assert of(listed, name)["description"]


def test_the_parts_of_a_nested_column_have_rows_of_their_own(trips: SmallLake) -> None:
    listed = dictionary_of(trips.table())
    assert (of(listed, "stops")["type"], of(listed, "stops.element.lat")["type"]) == ("list", "double")


def test_a_description_that_the_contract_changes_or_drops_is_so_from_the_next_commit_on(
    trips: SmallLake,
) -> None:
    changed(trips, "description: Numbered by the depot.", "description: Numbered anew each year.")
    assert of(dictionary_of(trips.table()), "id")["description"] == "Numbered anew each year."
    changed(trips, ", description: Where it began.", "")
    assert of(dictionary_of(trips.table()), "city")["description"] == ""


def test_the_tables_own_description_and_references_follow_the_contract_too(trips: SmallLake) -> None:
    assert described(trips.table()) == "One row for each trip."
    changed(trips, "One row for each trip.", "One row a ride.")
    changed(trips, "cities.name", "towns.title")
    assert described(trips.table()) == "One row a ride."
    assert of(dictionary_of(trips.table()), "city")["references"] == "towns.title"


def test_a_commit_that_changes_no_word_makes_no_schema_and_no_properties(trips: SmallLake) -> None:
    before = trips.table().metadata
    trips.curate(land(trips, "b.csv", "2,Rome,bob,8"))
    after = trips.table().metadata
    assert (after.schemas, after.properties) == (before.schemas, before.properties)


def test_tables_are_listed_with_their_rows_and_one_that_is_not_there_yet_is_told(trips: SmallLake) -> None:
    table = trips.table()
    listed = tables_of([("trips", table), ("cities", NoTableError("your role sees no table lake.cities"))])
    snapshot = table.current_snapshot()
    assert snapshot
    there, missing = listed.rows()
    assert there == ("trips", 1, len(table.schema().fields), snapshot.snapshot_id, "One row for each trip.")
    assert missing == ("cities", 0, 0, None, "not there yet: your role sees no table lake.cities")
