"""What a batch does to the tables: each source ends as S3 holds it now, once, with nothing lost."""

import dataclasses
from typing import Any

import pytest
from pyiceberg.exceptions import CommitFailedException

from glue_jobs import batch as batch_module
from glue_jobs.tables import change_table
from tests.glue_jobs.conftest import SmallLake


def test_every_row_is_curated_or_quarantined_with_its_reason(small_lake: SmallLake) -> None:
    report = small_lake.curate(small_lake.put("a.csv", "1,Oslo", "x,Rome", "3,"))
    assert (report.total("landed"), report.total("curated"), report.total("quarantined")) == (3, 1, 2)
    assert small_lake.ids() == [1]
    faults = [(f["column"], f["code"]) for row in small_lake.rows("quarantine") for f in row["faults"]]
    assert faults == [("id", "type"), ("city", "required")]


def test_a_batch_is_one_snapshot_that_names_it(small_lake: SmallLake) -> None:
    report = small_lake.curate(small_lake.put("a.csv", "1,Oslo"), small_lake.put("b.csv", "2,Rome"))
    table = small_lake.catalog.load_table(("lake", "trips"))
    (snapshot,) = table.snapshots()
    assert snapshot.summary
    assert snapshot.summary.additional_properties["causeway.batch"] == report.batch


def test_a_batch_delivered_again_changes_nothing(small_lake: SmallLake) -> None:
    source = small_lake.put("a.csv", "1,Oslo")
    small_lake.curate(source)
    again = small_lake.curate(source)
    assert small_lake.snapshots() == 1
    assert again.sources == ()


def test_an_overwritten_source_is_replaced_in_one_snapshot(small_lake: SmallLake) -> None:
    small_lake.curate(small_lake.put("a.csv", "1,Oslo", "2,Rome"), small_lake.put("b.csv", "9,Bonn"))
    small_lake.curate(small_lake.put("a.csv", "3,Kyiv"))
    assert small_lake.ids() == [3, 9]
    assert small_lake.snapshots() == 2


def test_a_late_event_of_an_old_version_brings_the_current_one(small_lake: SmallLake) -> None:
    old = small_lake.put("a.csv", "1,Oslo")
    new = small_lake.put("a.csv", "2,Rome")
    small_lake.curate(new)
    small_lake.curate(old)
    assert small_lake.ids() == [2]


def test_the_quarantine_of_an_overwritten_source_is_replaced_too(small_lake: SmallLake) -> None:
    small_lake.curate(small_lake.put("a.csv", "x,Oslo"), small_lake.put("b.csv", "y,Rome"))
    small_lake.curate(small_lake.put("a.csv", "1,Oslo"))
    assert [row["_source"] for row in small_lake.rows("quarantine")] == ["landing/trips/b.csv"]


def test_a_deleted_source_loses_its_rows_when_its_contract_says_so(small_lake: SmallLake) -> None:
    source = small_lake.put("a.csv", "1,Oslo")
    small_lake.curate(source, small_lake.put("b.csv", "2,Rome"))
    small_lake.delete("a.csv")
    small_lake.curate(source)
    assert small_lake.ids() == [2]


def test_a_deleted_source_keeps_its_rows_by_default(small_lake: SmallLake) -> None:
    small_lake.contract = dataclasses.replace(small_lake.contract, on_delete="keep")
    source = small_lake.put("a.csv", "1,Oslo")
    small_lake.curate(source)
    small_lake.delete("a.csv")
    small_lake.curate(source)
    assert small_lake.ids() == [1]


def test_a_mended_contract_makes_its_sources_due_again(small_lake: SmallLake) -> None:
    source = small_lake.put("a.csv", "1,Oslo")
    small_lake.curate(source)
    small_lake.curate(source, contract=dataclasses.replace(small_lake.contract, version="1.0.1"))
    assert small_lake.ids() == [1]
    assert small_lake.snapshots() == 2


def test_an_unreadable_object_is_quarantined_whole_and_the_rest_commits(small_lake: SmallLake) -> None:
    broken = small_lake.put("broken.csv")
    small_lake.s3.put_object(Bucket="landing", Key=broken.source, Body=b"\x1f\x8bnot gzip")
    report = small_lake.curate(broken, small_lake.put("a.csv", "1,Oslo"))
    assert small_lake.ids() == [1]
    assert [s.source for s in report.sources if s.unreadable] == [broken.source]
    assert [row["_source"] for row in small_lake.rows("quarantine")] == [broken.source]


def test_a_commit_that_meets_another_decides_again_and_loses_neither(
    small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = small_lake.put("a.csv", "1,Oslo"), small_lake.put("b.csv", "2,Rome")
    rival = small_lake.batch(second)
    met: list[str] = []

    def meet(table: Any, **change: Any) -> int:
        if not met:
            met.append("rival")
            rival.curate()
        return change_table(table, **change)

    monkeypatch.setattr(batch_module, "change_table", meet)
    small_lake.curate(first)
    assert small_lake.ids() == [1, 2]


def test_a_rival_that_curated_the_same_source_leaves_it_once(
    small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = small_lake.put("a.csv", "1,Oslo", "x,Rome")
    rival = small_lake.batch(source)
    met: list[str] = []

    def meet(table: Any, **change: Any) -> int:
        if not met:
            met.append("rival")
            rival.curate()
        return change_table(table, **change)

    monkeypatch.setattr(batch_module, "change_table", meet)
    small_lake.curate(source)
    assert small_lake.ids() == [1]
    assert len(small_lake.rows("quarantine")) == 1


@pytest.mark.parametrize("step", ["_quarantine", "record", "advance"])
def test_a_crash_after_the_commit_heals_at_the_next_batch(
    small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    source = small_lake.put("a.csv", "1,Oslo", "x,Rome")
    owner = batch_module.Batch if step == "_quarantine" else type(small_lake.ledger)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(owner, step, crash)
        small_lake.curate(source)
    small_lake.curate(source)
    assert small_lake.ids() == [1]
    assert len(small_lake.rows("quarantine")) == 1
    assert small_lake.ledger.entries([source.source])[source.source].rows == 1


def test_a_table_that_never_stops_moving_ends_the_batch_with_an_error(
    small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object, **__: object) -> int:
        raise CommitFailedException("moved")

    monkeypatch.setattr(batch_module, "change_table", lose)
    with pytest.raises(CommitFailedException, match="lost 50 races for trips"):
        small_lake.curate(small_lake.put("a.csv", "1,Oslo"))
