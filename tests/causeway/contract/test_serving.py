"""What a contract says of where its dataset is served, and to what it refers."""

from pathlib import Path

import pytest

from causeway.contract.load import load_contract, load_contracts
from causeway.contract.model import ContractError, Reference

HEAD = """apiVersion: v3.1.0
kind: DataContract
id: {name}
name: {name}
version: 1.0.0
status: active
{servers}
schema:
  - name: {name}
{schema}
    properties:
"""
SERVED = "servers: [{server: store, type: postgresql}]"
FILMS = "      - {name: id, logicalType: integer, primaryKey: true}\n"
CASTINGS = (
    "      - {{name: film, logicalType: {kind}, primaryKey: true, relationships: [{{to: {to}}}]}}\n"
    "      - {{name: person, logicalType: string}}\n"
)


def write(folder: Path, name: str, properties: str, servers: str = SERVED, schema: str = "") -> Path:
    path = folder / f"{name}.odcs.yaml"
    path.write_text(HEAD.format(name=name, servers=servers, schema=schema) + properties)
    return path


def castings(kind: str = "integer", to: str = "films.id") -> str:
    return CASTINGS.format(kind=kind, to=to)


def test_a_contract_says_that_its_dataset_is_served_and_to_what_it_refers(tmp_path: Path) -> None:
    write(tmp_path, "films", FILMS)
    write(tmp_path, "castings", castings())
    contracts = load_contracts(tmp_path)
    assert contracts["films"].served
    assert contracts["castings"].references == (Reference(("film",), "films", ("id",)),)


def test_servers_of_other_names_say_nothing_of_the_store(tmp_path: Path) -> None:
    path = write(tmp_path, "films", FILMS, "servers: [{server: production, type: postgresql}]")
    assert not load_contract(path).served


def test_several_columns_refer_together(tmp_path: Path) -> None:
    two = FILMS + "      - {name: part, logicalType: integer, primaryKey: true}\n"
    write(tmp_path, "films", two)
    schema = "    relationships: [{from: [castings.film, part], to: [films.id, films.part]}]"
    columns = "".join(
        f"      - {{name: {name}, logicalType: integer, primaryKey: true}}\n" for name in ("film", "part")
    )
    write(tmp_path, "castings", columns, schema=schema)
    references = load_contracts(tmp_path)["castings"].references
    assert references == (Reference(("film", "part"), "films", ("id", "part")),)


@pytest.mark.parametrize(
    ("servers", "properties", "error"),
    [
        (
            "servers: [{server: store, type: mysql}]",
            FILMS,
            "servers[0].type: 'mysql' is not one of postgresql",
        ),
        (
            "servers: [{server: store, type: postgresql}, {server: store, type: postgresql}]",
            FILMS,
            "servers[1]: server store is there twice; remove one",
        ),
        (
            SERVED,
            "      - {name: id, logicalType: integer}\n",
            "servers[0]: a served dataset needs a primary key; write primaryKey: true at its columns",
        ),
        (
            SERVED,
            "      - {name: id, logicalType: integer, primaryKey: true, classification: secret}\n",
            "servers[0]: id is of the key and withheld, so it is in no table; hash it or pass it",
        ),
        (
            SERVED,
            f"{FILMS}      - {{name: {'é' * 40}, logicalType: string}}\n",
            "has 80 bytes; PostgreSQL takes 63",
        ),
        (
            SERVED,
            "      - {name: id, logicalType: integer, primaryKey: true, relationships: [{to: films}]}\n",
            "relationships[0].to: expected <dataset>.<column> for each of id",
        ),
        (
            SERVED,
            "      - {name: id, logicalType: integer, primaryKey: true,"
            " relationships: [{type: likes, to: a.b}]}\n",
            "relationships[0].type: 'likes' is not one of foreignKey",
        ),
    ],
)
def test_what_a_store_cannot_do_is_refused(tmp_path: Path, servers: str, properties: str, error: str) -> None:
    with pytest.raises(ContractError) as raised:
        load_contract(write(tmp_path, "films", properties, servers))
    assert error in str(raised.value)


@pytest.mark.parametrize(
    ("films", "casting", "error"),
    [
        (SERVED, castings(to="film.id"), "film: no contract for 'film'; did you mean 'films'?"),
        (
            "",
            castings(),
            "films is not served; write servers: [{server: store, type: postgresql}] into its contract",
        ),
        (SERVED, castings(to="films.title"), "films's key is id, found title"),
        (SERVED, castings("string"), "film is string, films.id is int64; make them the same"),
    ],
    ids=["no such dataset", "not served", "not the key", "another type"],
)
def test_a_reference_that_a_store_could_not_keep_is_refused(
    tmp_path: Path, films: str, casting: str, error: str
) -> None:
    write(tmp_path, "films", FILMS, films)
    write(tmp_path, "castings", casting)
    with pytest.raises(ContractError) as raised:
        load_contracts(tmp_path)
    assert error in str(raised.value)


def test_datasets_that_refer_to_each_other_in_a_circle_are_refused(tmp_path: Path) -> None:
    for name, other in (("films", "castings"), ("castings", "films")):
        to = f"relationships: [{{to: {other}.id}}]"
        write(tmp_path, name, f"      - {{name: id, logicalType: integer, primaryKey: true, {to}}}\n")
    with pytest.raises(ContractError, match="they refer to each other in a circle; drop one reference"):
        load_contracts(tmp_path)


def test_a_dataset_may_refer_to_itself(tmp_path: Path) -> None:
    mentor = "      - {name: mentor, logicalType: integer, relationships: [{to: people.id}]}\n"
    write(tmp_path, "people", FILMS + mentor)
    assert load_contracts(tmp_path)["people"].references
