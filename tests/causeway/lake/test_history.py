"""The ledger and the quarantine follow the table's history, whoever writes, crashes or loses what, when."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from causeway.flow.ledger import Ledger
from tests.glue_jobs.conftest import SmallLake


def lose_ledger(lake: SmallLake, *, of: str = "") -> None:
    """Delete the dataset's items whose names begin with `of`."""
    table = lake.ledger._table
    for item in table.scan()["Items"]:
        if item["item"].startswith(of):
            table.delete_item(Key={"dataset": item["dataset"], "item": item["item"]})


def overwrite_and_count(lake: SmallLake) -> None:
    """An overwrite of a.csv must replace its rows, good and rejected, by one good one."""
    lake.curate(lake.put("a.csv", "7,Lima"))
    assert lake.ids() == [2, 7]
    assert lake.rows("quarantine") == []


def fill(lake: SmallLake) -> None:
    lake.curate(lake.put("a.csv", "1,Oslo", "x,Rome"))
    lake.curate(lake.put("b.csv", "2,Bonn"))


@pytest.mark.parametrize("of", ["", "watermark", "source#"])
def test_a_lost_ledger_is_built_from_the_history(small_lake: SmallLake, of: str) -> None:
    fill(small_lake)
    lose_ledger(small_lake, of=of)
    if of == "source#":  # what `causeway ledger rebuild` is for: the watermark says that all is known
        small_lake.history.rebuild(small_lake.table())
    overwrite_and_count(small_lake)


def expire_all_but_the_last(lake: SmallLake) -> None:
    table = lake.table()
    current = table.current_snapshot()
    assert current
    old = [s.snapshot_id for s in table.snapshots() if s.snapshot_id != current.snapshot_id]
    table.maintenance.expire_snapshots().by_ids(old).commit()


def test_a_lost_ledger_is_built_from_the_tables_where_their_history_expired(small_lake: SmallLake) -> None:
    fill(small_lake)
    before = {name: small_lake.entry(name) for name in ("a.csv", "b.csv")}
    expire_all_but_the_last(small_lake)
    lose_ledger(small_lake)
    small_lake.curate(small_lake.put("c.csv", "3,Kyiv"))
    built = {name: small_lake.entry(name) for name in before}
    assert [dataclasses.replace(e, snapshot="") for e in built.values()] == [
        dataclasses.replace(e, snapshot="") for e in before.values()
    ]
    small_lake.curate(small_lake.put("c.csv"))
    overwrite_and_count(small_lake)


@pytest.mark.parametrize("how", ["rolled back", "dropped"])
def test_a_table_that_was_rolled_back_or_dropped_gets_the_rows_again(small_lake: SmallLake, how: str) -> None:
    b = small_lake.put("b.csv", "2,Bonn")
    a = small_lake.put("a.csv", "1,Oslo", "x,Rome")
    small_lake.curate(b)
    small_lake.curate(a)
    table = small_lake.table()
    if how == "dropped":
        small_lake.catalog.drop_table(("lake", "trips"))
    else:
        with table.manage_snapshots() as manage:
            manage.rollback_to_snapshot(table.history()[0].snapshot_id)
    small_lake.curate(small_lake.put("c.csv", "3,Kyiv", "y,Rome"))  # the ledger is built anew
    small_lake.curate(a, b)
    assert small_lake.ids() == [1, 2, 3]
    assert sorted(row["raw"] for row in small_lake.rows("quarantine")) == ["x,Rome", "y,Rome"]
    small_lake.curate(small_lake.put("c.csv"))
    overwrite_and_count(small_lake)


def test_what_was_rejected_whole_is_known_when_the_ledger_is_built_anew(small_lake: SmallLake) -> None:
    fill(small_lake)
    small_lake.curate(small_lake.land("empty.csv", b""))
    before = small_lake.entry("empty.csv")
    small_lake.history.rebuild(small_lake.table())
    after = small_lake.entry("empty.csv")
    assert before.unreadable
    assert dataclasses.replace(after, snapshot="") == dataclasses.replace(before, snapshot="")


@pytest.mark.parametrize("step", ["record", "advance", "put", "begin"])
def test_a_writer_that_stalls_while_others_commit_spoils_nothing(
    small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """It wakes up and writes what it meant to write long ago: that must not count any more."""
    fill(small_lake)
    stalled: list[Any] = []
    do = getattr(Ledger, step)

    def stall(ledger: Ledger, *what: Any) -> Any:
        if stalled:
            return do(ledger, *what)
        stalled.append(what)
        small_lake.curate(small_lake.put("a.csv", "4,Nice"))
        small_lake.curate(small_lake.put("a.csv", "5,Lima"))
        return do(ledger, *what)

    monkeypatch.setattr(Ledger, step, stall)
    if step == "begin":
        lose_ledger(small_lake, of="watermark")
    small_lake.curate(small_lake.put("a.csv"))  # no rows: nothing to replace, the stalled writer thinks
    assert stalled
    overwrite_and_count(small_lake)


def test_a_ledger_that_is_being_built_is_never_taken_for_a_whole_one(
    small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Someone begins to build it anew before each of the calls of a catch-up in turn."""
    fill(small_lake)
    table, steps, at = small_lake.ledger._table, 0, 0

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def step(**how: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == at:
                small_lake.ledger.begin()
            return call(**how)

        return step

    for name in ("get_item", "put_item"):
        monkeypatch.setattr(table, name, watched(getattr(table, name)))
    while steps >= at:
        lose_ledger(small_lake)
        steps, at = 0, at + 1
        loaded, mark = small_lake.history.catch_up(small_lake.table)
        assert mark
        assert (mark.snapshot, mark.sequence) == (str(loaded.metadata.current_snapshot_id), 2), at
    assert at > 3


def test_compaction_and_other_commits_do_not_break_the_chain(small_lake: SmallLake) -> None:
    fill(small_lake)
    table = small_lake.table()
    rows = table.scan().to_arrow()
    table.overwrite(rows)
    overwrite_and_count(small_lake)
