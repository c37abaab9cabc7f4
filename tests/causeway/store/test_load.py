"""What the store has of a dataset after a load."""

from tests.causeway.store.conftest import World


def test_a_store_has_the_rows_of_the_snapshot(films: World) -> None:
    films.commit("films", [{"id": 1, "title": "Jaws"}, {"id": 2, "title": ""}, {"id": 3, "title": None}], 1)
    films.load("films")
    titles = [(row["id"], row["title"]) for row in films.rows("films")]
    assert titles == [(1, "Jaws"), (2, ""), (3, None)]


def test_of_each_key_the_row_that_was_committed_last_is_in_the_store(films: World) -> None:
    films.commit("films", [{"id": 1, "title": "Jaw"}, {"id": 2, "title": "Alien"}], 1)
    films.load("films")
    films.commit("films", [{"id": 1, "title": "Jaws"}], 2)
    films.load("films")
    assert [row["title"] for row in films.rows("films")] == ["Jaws", "Alien"]
    films.commit("films", [], 3, remove="_batch = '0002'")
    films.load("films")
    assert [row["title"] for row in films.rows("films")] == ["Jaw", "Alien"]


def test_a_load_of_what_is_loaded_changes_nothing(films: World) -> None:
    films.commit("films", [{"id": 1, "title": "Jaws"}], 1)
    first = films.load("films")
    before = films.database.query('SELECT xmin::text AS by FROM curated."films"')
    assert films.load("films").snapshot == first.snapshot
    assert films.database.query('SELECT xmin::text AS by FROM curated."films"') == before


def test_rows_without_their_parent_wait_with_the_reason_and_come_with_it(films: World) -> None:
    films.commit("films", [{"id": 1, "title": "Jaws"}], 1)
    films.load("films")
    films.commit("castings", [{"film": 1, "person": 7}, {"film": 2, "person": 7}], 1)
    loaded = films.load("castings")
    assert (loaded.rows, loaded.quarantined) == (0, 2)
    assert [row["_reason"] for row in films.rows("castings", "quarantine")][1] in (
        "people has no row with id 7",
        "films has no row with id 2",
    )
    films.commit("people", [{"id": 7, "name": "Robert Shaw"}], 1)
    films.load("people")
    assert [(row["film"], row["person"]) for row in films.rows("castings")] == [(1, 7)]
    assert [row["film"] for row in films.rows("castings", "quarantine")] == [2]


def test_rows_whose_parent_goes_wait_again(films: World) -> None:
    films.commit("people", [{"id": 7, "name": "Robert Shaw"}, {"id": 8, "name": "A", "mentor": 7}], 1)
    films.commit("films", [{"id": 1, "title": "Jaws"}], 1)
    films.commit("castings", [{"film": 1, "person": 8}], 1)
    for name in ("people", "films", "castings"):
        films.load(name)
    assert len(films.rows("castings")) == 1
    films.commit("people", [], 2, remove="id = 7")
    films.load("people")
    assert not films.rows("people")
    assert not films.rows("castings")
    waiting = [row["_reason"] for name in ("people", "castings") for row in films.rows(name, "quarantine")]
    assert waiting == ["people has no row with id 7", "people has no row with id 8"]


def test_a_table_that_was_rolled_back_rolls_the_store_back(films: World) -> None:
    first = films.commit("films", [{"id": 1, "title": "Jaws"}], 1)
    films.load("films")
    films.commit("films", [{"id": 1, "title": "wrong"}, {"id": 2, "title": "wrong"}], 2)
    films.load("films")
    with films.table("films").manage_snapshots() as snapshots:
        snapshots.rollback_to_snapshot(first)
    films.load("films")
    assert [(row["id"], row["title"]) for row in films.rows("films")] == [(1, "Jaws")]


def test_any_snapshot_is_loaded_anew_on_request_and_the_next_load_goes_on_from_it(films: World) -> None:
    first = films.commit("films", [{"id": 1, "title": "Jaws"}], 1)
    films.commit("films", [{"id": 2, "title": "Alien"}], 2)
    films.load("films")
    films.database.query("UPDATE curated.\"films\" SET title = 'by hand'")
    assert films.load("films", wanted=first, anew=True).rows == 1
    assert [(row["id"], row["title"]) for row in films.rows("films")] == [(1, "Jaws")]
    films.load("films")
    assert [row["title"] for row in films.rows("films")] == ["Jaws", "Alien"]


def test_text_that_postgresql_cannot_hold_costs_its_row_alone(films: World) -> None:
    films.commit("films", [{"id": 1, "title": "a\0b"}, {"id": 2, "title": "Alien"}], 1)
    films.load("films")
    assert [row["id"] for row in films.rows("films")] == [2]
    held = films.rows("films", "quarantine")[0]
    assert held["title"] == "a␀b"
    assert held["_reason"].startswith("title: PostgreSQL's text cannot hold the character NUL")
    films.commit("films", [{"id": 1, "title": "ab"}], 2)
    films.load("films")
    assert [row["title"] for row in films.rows("films")] == ["ab", "Alien"]
    assert not films.rows("films", "quarantine")
