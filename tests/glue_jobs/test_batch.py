"""What a batch does to the tables: each source ends as S3 holds it now, once, with nothing lost."""

import dataclasses
import json
from typing import Any

import pytest
from pyiceberg.exceptions import CommitFailedException

from causeway.contract.load import load_contract
from causeway.flow.manifest import AGAIN, POISON
from causeway.flow.report import REJECTED_WHOLE, Report
from causeway.lake.commit import change_table
from causeway.lake.history import History
from causeway.lake.tables import Design
from glue_jobs import batch as batch_module
from tests.glue_jobs.conftest import SmallLake


def test_every_row_is_curated_or_quarantined_with_its_reason(small_lake: SmallLake) -> None:
    report = small_lake.curate(small_lake.put("a.csv", "1,Oslo", "x,Rome", "3,"))
    assert report.totals == {"landed": 3, "curated": 1, "quarantined": 2}
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


def test_a_batch_says_how_many_bytes_it_curated_and_none_for_what_it_had_already(
    small_lake: SmallLake,
) -> None:
    first, second = small_lake.put("a.csv", "1,Oslo"), small_lake.put("b.csv", "2,Rome", "x,Bonn")
    report = small_lake.curate(first, second)
    assert report.size == first.size + second.size
    (item,) = small_lake.ledger.items("batch#")
    assert item["size"] == report.size
    assert small_lake.curate(first).size == 0


def test_a_report_of_an_earlier_version_can_be_read(small_lake: SmallLake) -> None:
    report = small_lake.curate(small_lake.put("a.csv", "1,Oslo"))
    document = json.loads(report.to_json())
    del document["size"]
    assert Report.from_json(json.dumps(document)) == dataclasses.replace(report, size=0)


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
    small_lake.curate(small_lake.delete("a.csv"))
    assert small_lake.ids() == [2]


def test_a_source_that_lifecycle_removed_keeps_its_rows(small_lake: SmallLake) -> None:
    source = small_lake.put("a.csv", "1,Oslo")
    small_lake.curate(source)
    small_lake.delete("a.csv")  # which nobody speaks of
    small_lake.curate(source)
    assert small_lake.ids() == [1]


def test_a_deleted_source_keeps_its_rows_by_default(small_lake: SmallLake) -> None:
    small_lake.contract = dataclasses.replace(small_lake.contract, on_delete="keep")
    source = small_lake.put("a.csv", "1,Oslo")
    small_lake.curate(source)
    small_lake.curate(small_lake.delete("a.csv"))
    assert small_lake.ids() == [1]


def test_a_mended_contract_makes_its_sources_due_again(small_lake: SmallLake) -> None:
    source = small_lake.put("a.csv", "1,Oslo")
    small_lake.curate(source)
    small_lake.curate(source, contract=dataclasses.replace(small_lake.contract, version="1.0.1"))
    assert small_lake.ids() == [1]
    assert small_lake.snapshots() == 2


def test_new_columns_join_the_table_and_those_that_cannot_are_rescued_in_one(small_lake: SmallLake) -> None:
    evolving = dataclasses.replace(small_lake.contract, on_schema_change="evolve")
    bodies = [b"id,city\n1,Rome", b"id,city,zip,CITY\n2,Pisa,56100,x", b"id,city,mayor,zip\n3,Bari,Ada,"]
    for n, body in enumerate(bodies):
        small_lake.curate(small_lake.land(f"{n}.csv", body), contract=evolving)
    columns = ("id", "city", "zip", "mayor", "_rescued")
    rows = [tuple(row[name] for name in columns) for row in small_lake.rows()]
    assert sorted(rows, key=lambda row: int(row[0])) == [
        (1, "Rome", None, None, None),
        (2, "Pisa", "56100", None, '{"CITY":"x"}'),
        (3, "Bari", None, "Ada", None),
    ]


def test_an_unreadable_object_is_quarantined_whole_which_the_log_says_and_the_rest_commits(
    small_lake: SmallLake, caplog: pytest.LogCaptureFixture
) -> None:
    broken = small_lake.land("broken.csv", b"\x1f\x8bnot gzip")
    report = small_lake.curate(broken, small_lake.put("a.csv", "1,Oslo"))
    assert small_lake.ids() == [1]
    assert [s.source for s in report.sources if s.unreadable] == [broken.source]
    assert f"{REJECTED_WHOLE}: 1 objects, {broken.source} among them" in caplog.messages
    assert [row["_source"] for row in small_lake.rows("quarantine")] == [broken.source]


def commit_first(rival: batch_module.Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rival decide and commit just before the next commit."""
    rivals = [rival]

    def meet(table: Any, design: Design, **change: Any) -> int:
        if rivals:
            rivals.pop().curate()
        return change_table(table, design, **change)

    monkeypatch.setattr(batch_module, "change_table", meet)


def test_a_commit_that_meets_another_decides_again_and_loses_neither(
    small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = small_lake.put("a.csv", "1,Oslo"), small_lake.put("b.csv", "2,Rome")
    rival = small_lake.batch(second)
    commit_first(rival, monkeypatch)
    small_lake.curate(first)
    assert small_lake.ids() == [1, 2]


def test_a_rival_that_curated_the_same_source_leaves_it_once(
    small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = small_lake.put("a.csv", "1,Oslo", "x,Rome")
    rival = small_lake.batch(source)
    commit_first(rival, monkeypatch)
    small_lake.curate(source)
    assert small_lake.ids() == [1]
    assert len(small_lake.rows("quarantine")) == 1


@pytest.mark.parametrize("step", ["_quarantine_rows", "record", "advance"])
def test_a_crash_after_the_commit_heals_at_the_next_batch(
    small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    source = small_lake.put("a.csv", "1,Oslo", "x,Rome")
    owner = History if step == "_quarantine_rows" else type(small_lake.ledger)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(owner, step, crash)
        with pytest.raises(KeyboardInterrupt):
            small_lake.curate(source)
    small_lake.curate(source)
    assert small_lake.ids() == [1]
    assert len(small_lake.rows("quarantine")) == 1
    assert small_lake.entry("a.csv").rows == 1


def test_a_table_that_never_stops_moving_ends_the_batch_with_an_error(
    small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object, **__: object) -> int:
        raise CommitFailedException("moved")

    monkeypatch.setattr(batch_module, "change_table", lose)
    with pytest.raises(CommitFailedException, match="lost 50 races for trips"):
        small_lake.curate(small_lake.put("a.csv", "1,Oslo"))


KEYED = "{name: id, logicalType: integer, primaryKey: true, primaryKeyPosition: 1}"


@pytest.fixture
def keyed_lake(small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch) -> SmallLake:
    """The lake with a primary key, and units so small that every object is cut."""
    path = small_lake.folder / "trips.odcs.yaml"
    text = path.read_text().replace("{name: id, logicalType: integer, required: true}", KEYED)
    path.write_text(text)
    small_lake.contract = load_contract(path)
    monkeypatch.setattr("glue_jobs.objects.target_bytes", lambda *_: 40)
    return small_lake


def test_a_key_repeated_in_another_unit_rejects_both_rows(keyed_lake: SmallLake) -> None:
    first = keyed_lake.put("a.csv", *(f"{n},Oslo" for n in range(20)))
    second = keyed_lake.put("b.csv", *(f"{n},Rome" for n in range(19, 40)))
    report = keyed_lake.curate(first, second)
    assert keyed_lake.ids() == [n for n in range(40) if n != 19]
    assert report.totals["landed"] == 41
    rejected = {(row["_source"], row["line"], row["raw"]) for row in keyed_lake.rows("quarantine")}
    assert rejected == {("landing/trips/a.csv", 21, "19,Oslo"), ("landing/trips/b.csv", 2, "19,Rome")}


def test_lines_of_an_object_that_was_cut_are_counted_from_its_start(keyed_lake: SmallLake) -> None:
    rows = [f"{'x' if n % 7 == 3 else n},City{n}" for n in range(50)]
    keyed_lake.curate(keyed_lake.put("a.csv", *rows))
    found = {row["line"]: row["raw"] for row in keyed_lake.rows("quarantine")}
    assert found == {n + 2: rows[n] for n in range(50) if n % 7 == 3}


def test_an_object_whose_quoted_newlines_cross_a_cut_is_curated_whole(keyed_lake: SmallLake) -> None:
    rows = [f'{n},"Saint\nJohn\n{"s" * n}"' for n in range(30)]
    report = keyed_lake.curate(keyed_lake.put("a.csv", *rows))
    assert report.totals == {"landed": 30, "curated": 30, "quarantined": 0}
    assert keyed_lake.ids() == list(range(30))


@pytest.mark.parametrize(
    ("hint", "deaths"), [(f"{POISON}heap; then disk", "heap; then disk"), ("poison", "unknown")]
)
def test_a_version_that_kills_jobs_is_quarantined_unread_and_the_rest_commits(
    small_lake: SmallLake, hint: str, deaths: str
) -> None:
    killer, good = small_lake.put("killer.csv", "1,Oslo"), small_lake.put("a.csv", "2,Rome")
    report = small_lake.curate(dataclasses.replace(killer, hint=hint), good)
    assert small_lake.ids() == [2]
    (rejected,) = small_lake.rows("quarantine")
    assert (rejected["_source"], rejected["_source_version"]) == (killer.source, killer.version)
    assert [fault["code"] for fault in rejected["faults"]] == ["kills_job"]
    assert f"failed twice, the first time of {deaths}; to try it again" in rejected["faults"][0]["message"]
    assert "causeway replay landing/trips/ --quarantined" in rejected["faults"][0]["message"]
    assert report.versions == {"landed": 2, "committed": 1, "superseded": 0, "quarantined": 1}


def test_a_newer_version_of_what_killed_a_job_is_curated(small_lake: SmallLake) -> None:
    killer = dataclasses.replace(small_lake.put("a.csv", "1,Oslo"), hint=POISON)
    small_lake.curate(killer)
    small_lake.put("a.csv", "2,Rome")
    small_lake.curate(killer)
    assert small_lake.ids() == [2]
    assert small_lake.rows("quarantine") == []


def test_a_replayed_source_is_curated_again_once(small_lake: SmallLake) -> None:
    source = small_lake.put("a.csv", "1,Oslo", "x,Rome")
    small_lake.curate(source)
    again = dataclasses.replace(source, hint=AGAIN + small_lake.entry("a.csv").snapshot)
    small_lake.curate(again)
    small_lake.curate(again)
    assert small_lake.snapshots() == 2
    assert small_lake.ids() == [1]
    assert len(small_lake.rows("quarantine")) == 1


def test_every_version_of_a_manifest_is_accounted_for(small_lake: SmallLake) -> None:
    old = small_lake.put("a.csv", "1,Oslo")
    new = small_lake.put("a.csv", "2,Rome")
    broken, gone = small_lake.land("b.csv", b"\x1f\x8bnot gzip"), small_lake.put("c.csv", "3,Kyiv")
    small_lake.delete("c.csv")
    report = small_lake.curate(old, broken, gone)
    assert report.versions == {"landed": 3, "committed": 0, "superseded": 2, "quarantined": 1}
    report = small_lake.curate(new, broken)
    assert report.versions == {"landed": 2, "committed": 1, "superseded": 0, "quarantined": 1}


def test_a_batch_delivered_again_keeps_what_the_ledger_says_of_it(small_lake: SmallLake) -> None:
    source = small_lake.put("a.csv", "1,Oslo")
    report = small_lake.curate(source)
    small_lake.curate(source)
    (batch,) = small_lake.ledger.items("batch#")
    assert (batch["batch"], batch["curated"]) == (report.batch, 1)
