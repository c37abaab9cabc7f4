"""Personal data by way of an example: made up, hashed or withheld, and served with what refers to it."""

from pathlib import Path
from typing import Any

from causeway.contract.load import load_contract
from causeway.engine.local import run
from examples.customers.__main__ import customers, film_names, ratings, write
from tests.causeway.engine import helpers
from tests.causeway.store.conftest import World, database, server, world

__all__ = ["database", "server", "world"]  # fixtures

EXAMPLE, CONTRACTS = Path("examples/customers"), Path("contracts")
PERSONAL = {"name", "born"}
AVERAGES = """
    SELECT f.title, c.country, count(*) AS ratings, avg(r.stars)::float8 AS stars
    FROM curated.ratings r
    JOIN curated.customers c ON c.customer = r.customer
    JOIN curated.films f ON f.film = r.film
    GROUP BY f.title, c.country
"""


def curated(world: World, path: Path, name: str) -> list[dict[str, Any]]:
    """What the engine makes of the file, hashed by one key; not a row is rejected."""
    contract = load_contract(
        (EXAMPLE if (EXAMPLE / f"{name}.odcs.yaml").exists() else CONTRACTS) / f"{name}.odcs.yaml"
    )
    world.contracts[name] = contract
    made = helpers.run(contract, path.read_bytes())
    assert not helpers.codes(made)
    columns = [column.name for column in contract.columns if not column.withheld]
    return list(made.rows.select(columns).to_pylist())


def test_customers_are_the_same_each_time_and_every_row_keeps_its_contract(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write(tmp_path / folder)
    for name in ("customers", "ratings"):
        one, two = (tmp_path / folder / f"{name}.csv" for folder in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
        report, _ = run(load_contract(EXAMPLE / f"{name}.odcs.yaml"), [one])
        assert (sum(s.quarantined for s in report.sources), sum(s.curated for s in report.sources)) == (
            0,
            len(one.read_text().splitlines()) - 1,
        )


def test_no_address_is_of_a_domain_that_anybody_has() -> None:
    assert all(str(email).endswith("@example.org") for _, email, *_ in customers())


def test_the_store_joins_ratings_to_customers_by_hashes_and_has_nothing_personal(
    world: World, tmp_path: Path
) -> None:
    write(tmp_path)
    rows = {name: curated(world, tmp_path / f"{name}.csv", name) for name in ("customers", "ratings")}
    world.contracts["films"] = load_contract(CONTRACTS / "films.odcs.yaml")
    titles = {film: f"title of {film}" for film in film_names()}
    rows["films"] = [
        {"film": film, "title": title, "year": 1940, "genres": []} for film, title in titles.items()
    ]
    for name in ("ratings", "customers", "films"):  # references hold, whatever comes first
        world.commit(name, rows[name], 1)
        loaded = world.load(name)
    raters = customers()
    given = ratings(raters, film_names())
    assert (loaded.rows, len(world.rows("ratings"))) == (len(titles), len(given))
    assert not world.rows("ratings", "quarantine")
    (columns,) = {frozenset(row) for row in world.rows("customers")}
    assert not columns & PERSONAL
    stored = str([world.rows("customers"), world.rows("ratings")])
    assert not [
        secret for number, email, name, *_ in raters for secret in (email, name) if str(secret) in stored
    ]
    countries = {number: country for number, *_, country, _ in raters}
    by_group: dict[tuple[str, str], list[int]] = {}
    for number, film, stars, _ in given:
        by_group.setdefault((titles[str(film)], str(countries[number])), []).append(int(str(stars)))
    expected = {group: (len(stars), round(sum(stars) / len(stars), 6)) for group, stars in by_group.items()}
    answers = world.database.query(AVERAGES)
    found = {(row["title"], row["country"]): (row["ratings"], round(row["stars"], 6)) for row in answers}
    assert found == expected
