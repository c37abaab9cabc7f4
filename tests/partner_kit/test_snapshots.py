"""Which snapshots there are, until when; holds, as the company puts them and the partner reads them."""

from datetime import UTC, datetime, timedelta

import pytest
from pyiceberg.table import Table

from causeway.lake.holds import hold, holds_of, release
from causeway.lake.rows import SnapshotError
from partner_kit.errors import KitError
from partner_kit.snapshots import snapshot_of, snapshots_of
from partner_kit.tables import select
from tests.glue_jobs.conftest import SmallLake

NAME = ("lake", "trips")
TODAY = datetime.now(UTC).date()
LATER = TODAY + timedelta(days=400)


@pytest.fixture
def table(small_lake: SmallLake) -> Table:
    """Three snapshots: one row, two, three."""
    for n in range(3):
        small_lake.curate(small_lake.put(f"{n}.csv", f"{n},Oslo"))
    return small_lake.table()


def ids(table: Table) -> list[int]:
    return snapshots_of(table)["snapshot"].to_list()


def expired(lake: SmallLake) -> Table:
    """The table after an upkeep to which every snapshot is old, by Iceberg's rules."""
    now = datetime.now(UTC) + timedelta(days=1)
    lake.table().maintenance.expire_snapshots().older_than(now.replace(tzinfo=None)).commit()
    return lake.table()


def test_each_snapshot_is_listed_with_its_rows_and_the_day_from_which_it_may_be_gone(table: Table) -> None:
    listed = snapshots_of(table)
    assert listed["rows"].to_list() == [1, 2, 3]
    assert listed["expires"].to_list() == [TODAY + timedelta(days=90)] * 2 + [None]
    assert listed["age_days"].to_list() == [0, 0, 0]


def test_the_days_are_those_of_the_settings_from_the_next_commit_on(small_lake: SmallLake) -> None:
    small_lake.curate(small_lake.put("a.csv", "1,Oslo"))
    batch = small_lake.batch(small_lake.put("b.csv", "2,Oslo"))
    batch.snapshot_days = 7
    batch.curate()
    assert snapshots_of(small_lake.table())["expires"][0] == TODAY + timedelta(days=7)


def test_a_hold_is_read_by_its_name_after_the_snapshots_about_it_expired(
    small_lake: SmallLake, table: Table
) -> None:
    first = ids(table)[0]
    hold(small_lake.catalog, NAME, first, "ml-2026-q1", LATER)
    after = expired(small_lake)
    assert ids(after) == [first, ids(table)[-1]]
    assert select(after, snapshot="ml-2026-q1").to_arrow().num_rows == 1
    held = snapshots_of(after).row(0, named=True)
    assert (held["hold"], held["expires"]) == ("ml-2026-q1", LATER)


def test_a_released_hold_lets_its_snapshot_expire(small_lake: SmallLake, table: Table) -> None:
    hold(small_lake.catalog, NAME, ids(table)[0], "ml", LATER)
    assert release(small_lake.catalog, NAME, "ml").snapshot == ids(table)[0]
    assert ids(expired(small_lake)) == ids(table)[-1:]
    assert list(holds_of(small_lake.table())) == []


def test_batches_go_on_while_a_snapshot_is_held(small_lake: SmallLake, table: Table) -> None:
    hold(small_lake.catalog, NAME, ids(table)[0], "ml", LATER)
    small_lake.curate(small_lake.put("0.csv", "7,Oslo"))
    assert small_lake.ids() == [1, 2, 7]
    (held,) = holds_of(small_lake.table())
    assert (held.snapshot, held.until) == (ids(table)[0], LATER)


def test_a_hold_that_meets_a_batch_is_put_all_the_same(
    small_lake: SmallLake, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = small_lake.catalog.load_table
    met: list[tuple[str, str]] = []

    def load_and_meet(name: tuple[str, str]) -> Table:
        loaded = load(name)
        if not met:
            met.append(name)
            small_lake.curate(small_lake.put("late.csv", "9,Oslo"))
        return loaded

    monkeypatch.setattr(small_lake.catalog, "load_table", load_and_meet)
    hold(small_lake.catalog, NAME, ids(table)[0], "ml", LATER)
    assert [one.name for one in holds_of(small_lake.table())] == ["ml"]
    assert small_lake.ids() == [0, 1, 2, 9]


WRONG = {
    "Q1": "--name: found 'Q1'; allowed are up to 63 small letters, digits",
    "7": "--name: found '7'",
    "main": "--name: found 'main'",
    "ml": r"trips has a hold ml already, on \d+; name it otherwise",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_name_that_is_none_or_taken_is_refused(small_lake: SmallLake, table: Table, name: str) -> None:
    first, second, _ = ids(table)
    hold(small_lake.catalog, NAME, first, "ml", LATER)
    with pytest.raises(SnapshotError, match=WRONG[name]):
        hold(small_lake.catalog, NAME, second, name, LATER)


def test_a_hold_needs_a_day_to_come_and_a_snapshot_that_is_there(small_lake: SmallLake, table: Table) -> None:
    with pytest.raises(SnapshotError, match=rf"--until: found {TODAY}, which is not after today"):
        hold(small_lake.catalog, NAME, ids(table)[0], "ml", TODAY)
    with pytest.raises(SnapshotError, match=r"lake\.trips has no snapshot 7; 3 are kept"):
        hold(small_lake.catalog, NAME, 7, "ml", LATER)
    with pytest.raises(SnapshotError, match="trips has no hold 'mll'; holds: none"):
        release(small_lake.catalog, NAME, "mll")


def test_an_expired_snapshot_is_told_with_those_kept_and_what_to_ask_for(
    small_lake: SmallLake, table: Table
) -> None:
    before_last, last = ids(table)[1:]
    after = expired(small_lake)
    with pytest.raises(KitError) as told:
        snapshot_of(after, before_last)
    line = str(told.value)
    assert line.startswith(
        f"lake.trips has no snapshot {before_last}: it expired, or never was; the company "
    )
    assert f"keeps a snapshot for 90 days, and always the newest; there are {last} of 20" in line
    assert line.endswith(
        "name another (--snapshots lists all), and ask the company for a hold on what must stay"
    )


def test_a_wrong_name_of_a_hold_is_told_with_the_nearest(small_lake: SmallLake, table: Table) -> None:
    with pytest.raises(KitError, match=r"lake\.trips has no hold 'mll'; there is none; name a hold, or"):
        snapshot_of(table, "mll")
    hold(small_lake.catalog, NAME, ids(table)[0], "ml", LATER)
    with pytest.raises(KitError, match="has no hold 'mll'; nearest: ml, there are ml; name a hold"):
        snapshot_of(small_lake.table(), "mll")
