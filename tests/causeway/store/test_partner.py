"""What the partner's user of the store may read: its datasets' tables, while it may, and nothing else."""

import pytest

from causeway.store.database import StoreError
from causeway.store.schemas import PARTNER
from causeway.store.tables import Users
from tests.causeway.store.conftest import World


def readable(world: World) -> set[str]:
    """Every table, of every schema of ours, that the user may read."""
    rows = world.database.query(
        "SELECT n.nspname || '.' || c.relname AS name FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'v') AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
        " AND has_schema_privilege(:who, n.oid, 'USAGE') AND has_table_privilege(:who, c.oid, 'SELECT')",
        who=PARTNER,
    )
    return {row["name"] for row in rows}


def load(world: World, users: Users) -> None:
    world.users = users
    world.load("films")


def test_the_partner_reads_its_datasets_tables_while_it_may_and_nothing_else(films: World) -> None:
    films.commit("films", [{"id": 1, "title": "Jaws"}], 1)
    load(films, Users("reads-only"))
    assert not films.database.query("SELECT FROM pg_roles WHERE rolname = :name", name=PARTNER)
    load(films, Users("reads-only", "partner's", ["films", "castings", "weather"]))
    assert readable(films) == {"curated.films", "curated.castings"}
    films.database.query(f"GRANT {PARTNER} TO CURRENT_USER")
    with films.database.transaction() as transaction:
        transaction.execute(f"SET LOCAL ROLE {PARTNER}")
        assert transaction.query("SELECT title FROM curated.films") == [{"title": "Jaws"}]
    for refused in (
        "SELECT * FROM curated.people",
        "SELECT * FROM quarantine.films",
        "SELECT * FROM causeway.loads",
        "DELETE FROM curated.films",
        "CREATE TABLE curated.mine (a int)",
    ):
        with films.database.transaction() as transaction:
            transaction.execute(f"SET LOCAL ROLE {PARTNER}")
            with pytest.raises(StoreError, match="permission denied"):
                transaction.execute(refused)
    load(films, Users("reads-only", "partner's", ["people"]))
    assert readable(films) == {"curated.people"}
    load(films, Users("reads-only"))
    assert not readable(films)
    (role,) = films.database.query("SELECT rolcanlogin FROM pg_roles WHERE rolname = :name", name=PARTNER)
    assert role == {"rolcanlogin": False}
