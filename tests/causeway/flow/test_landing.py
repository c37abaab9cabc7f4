"""Landing against the ledger: what is missing is queued once, what is there is left alone."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causeway.flow.landing import Checkpoint, Landing, is_missing
from causeway.flow.ledger import Ledger
from causeway.flow.manifest import SourceVersion
from tests.causeway.conftest import Deployed
from tests.glue_jobs.conftest import SmallLake


def look(landing: Landing, *, after: str = "", **how: Any) -> list[Checkpoint]:
    return list(landing.walk({"trips": "landing/trips/"}, after=after, **how))


def total(looks: list[Checkpoint]) -> tuple[int, int]:
    return sum(looked.seen for looked in looks), sum(looked.queued for looked in looks)


def test_what_the_table_holds_is_not_queued(deployed: Deployed) -> None:
    deployed.lake.curate(deployed.lake.put("a.csv", "1,Oslo"), deployed.lake.put("b.csv", "x,Rome"))
    deployed.lake.curate(deployed.lake.land("c.csv", b"\xff\xfe"))  # all of it is one quarantined record
    assert total(look(deployed.landing)) == (3, 0)
    assert deployed.queued() == []


def test_a_lost_event_ends_as_rows(deployed: Deployed) -> None:
    deployed.lake.curate(deployed.lake.put("a.csv", "1,Oslo"))
    new, changed = deployed.lake.put("b +é%.csv", "2,Bonn"), deployed.lake.put("a.csv", "3,Oslo")
    assert total(look(deployed.landing)) == (2, 2)
    queued = deployed.queued()
    assert {(s.source, s.version, s.size) for s in queued} == {
        (s.source, s.version, s.size) for s in (new, changed)
    }
    deployed.lake.curate(*queued)
    assert deployed.lake.ids() == [2, 3]
    assert total(look(deployed.landing)) == (2, 0)


def test_each_missing_source_is_queued_exactly_once_a_pass_however_the_pages_fall(deployed: Deployed) -> None:
    deployed.lake.curate(*(deployed.lake.put(f"{n:02}.csv", f"{n},Oslo") for n in range(0, 40, 2)))
    missing = [deployed.lake.put(f"{n:02}.csv", f"{n},Oslo") for n in range(1, 40, 2)]
    for _ in range(3):  # versions of one source over several pages
        missing[0] = deployed.lake.put("01.csv", "1,Rome")
    looks = look(dataclasses.replace(deployed.landing, page_size=3))
    assert total(looks) == (40, 20)
    assert len(looks) > 10
    assert [(s.source, s.version) for s in deployed.queued()] == [(s.source, s.version) for s in missing]


def test_a_pass_that_ended_early_goes_on_after_its_last_key(deployed: Deployed) -> None:
    for n in range(20):
        deployed.lake.put(f"{n:02}.csv", f"{n},Oslo")
    landing = dataclasses.replace(deployed.landing, page_size=4)
    first = []
    for looked in landing.walk({"trips": "landing/trips/"}):
        first.append(looked)
        if len(first) == 2:
            break
    rest = look(landing, after=first[-1].after)
    assert (total(first), total(rest)) == ((8, 8), (12, 12))
    assert len({s.source for s in deployed.queued()}) == 20


def test_datasets_before_the_key_are_done_and_those_behind_it_are_not(deployed: Deployed) -> None:
    for key in ("a/1", "a/2", "a-b/1", "b/1"):
        deployed.lake.s3.put_object(Bucket="landing", Key=f"landing/{key}", Body=b"x")
    prefixes = {name: f"landing/{name}/" for name in ("a", "a-b", "b")}
    every = [looked.after for looked in deployed.landing.walk(prefixes, dry_run=True)]
    assert every == ["landing/a-b/1", "landing/a/2", "landing/b/1"]
    after = [looked.dataset for looked in deployed.landing.walk(prefixes, after="landing/a/1", dry_run=True)]
    assert after == ["a", "b"]


def test_younger_objects_are_left_to_their_own_events(deployed: Deployed) -> None:
    deployed.lake.put("a.csv", "1,Oslo")
    assert total(look(deployed.landing, older_than=timedelta(minutes=1))) == (1, 0)
    assert total(look(deployed.landing)) == (1, 1)


def test_a_dry_run_counts_and_queues_nothing(deployed: Deployed) -> None:
    deployed.lake.put("a.csv", "1,Oslo")
    assert total(look(deployed.landing, dry_run=True)) == (1, 1)
    assert deployed.queued() == []


def test_folder_markers_are_no_sources(deployed: Deployed) -> None:
    for key in ("2013/", "_SUCCESS", ".a.csv.crc"):
        deployed.lake.s3.put_object(Bucket="landing", Key=f"landing/trips/{key}", Body=b"")
    assert total(look(deployed.landing)) == (0, 0)


def deleted(deployed: Deployed) -> SmallLake:
    lake = deployed.lake
    lake.curate(lake.put("a.csv", "1,Oslo"), lake.put("b.csv", "2,Bonn"))
    lake.delete("a.csv")
    return lake


def test_a_deletion_whose_event_was_lost_removes_the_rows(deployed: Deployed) -> None:
    lake = deleted(deployed)
    assert total(look(deployed.landing)) == (2, 1)
    lake.curate(*deployed.queued())
    assert lake.ids() == [2]
    assert total(look(deployed.landing)) == (2, 0)


def test_a_deletion_that_was_undone_brings_the_rows_back(deployed: Deployed) -> None:
    lake = deleted(deployed)
    look(deployed.landing)
    (removal,) = deployed.queued()
    lake.curate(removal)
    lake.s3.delete_object(Bucket="landing", Key=removal.source, VersionId=removal.version)
    assert total(look(deployed.landing)) == (2, 1)
    lake.curate(*deployed.queued())
    assert lake.ids() == [1, 2]


def test_deletions_count_only_where_the_contract_says_so(deployed: Deployed) -> None:
    deleted(deployed)
    assert total(look(dataclasses.replace(deployed.landing, removing=frozenset()))) == (2, 0)


def test_what_lifecycle_deleted_keeps_its_rows(deployed: Deployed) -> None:
    """The object reached its age: here at once."""
    deleted(deployed)
    assert total(look(dataclasses.replace(deployed.landing, retention_days=0))) == (2, 0)


def test_a_source_whose_rows_were_lost_twice_is_another_batch_each_time(deployed: Deployed) -> None:
    """A batch that succeeded is not started again; its name depends on its hints."""
    lake, hints = deployed.lake, set()
    lake.put("a.csv", "1,Oslo")
    for epoch in range(2):
        ledger = Ledger(deployed.landing.ledger, "trips")
        mark = ledger.begin()
        ledger.advance(dataclasses.replace(mark, snapshot=f"s{epoch}", sequence=1))
        look(deployed.landing)
        hints |= {s.hint for s in deployed.queued()}
    assert len(hints) == 2


def test_a_ledger_that_is_being_built_is_not_asked(
    deployed: Deployed, caplog: pytest.LogCaptureFixture
) -> None:
    deployed.lake.curate(deployed.lake.put("a.csv", "1,Oslo"))
    deployed.lake.ledger.begin()
    assert total(look(deployed.landing)) == (0, 0)
    assert "being built" in caplog.text


def test_an_event_that_sqs_refuses_is_sent_again_until_it_gives_up(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("causeway.flow.queue.time.sleep", lambda _: None)
    landing, refusals = deployed.landing, [1, 2]
    send = landing.sqs.send_message_batch

    def refuse(**asked: Any) -> Any:
        if not refusals:
            return send(**asked)
        refusals.pop()
        send(**{**asked, "Entries": asked["Entries"][1:]}) if asked["Entries"][1:] else None
        return {"Failed": [{"Id": asked["Entries"][0]["Id"], "Code": "InternalError"}]}

    monkeypatch.setattr(landing.sqs, "send_message_batch", refuse)
    sources = [SourceVersion(f"landing/trips/{n:01000}", "v", n) for n in range(60)]  # several messages
    landing.queue(sources)
    assert deployed.queued() == sources
    refusals[:] = range(100)
    with pytest.raises(OSError, match="InternalError"):
        landing.queue(sources)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.sets(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300), max_size=30)
)
def test_what_is_queued_comes_out_of_the_queue_as_it_went_in(deployed: Deployed, names: set[str]) -> None:
    sources = sorted(SourceVersion(f"landing/trips/{name}x", "v", 1, "seen:s") for name in names)
    deployed.landing.queue(sources)
    assert deployed.queued() == sources


def test_the_newest_of_a_source_is_not_that_of_one_whose_name_begins_alike(deployed: Deployed) -> None:
    gone = deployed.lake.put("a.csv", "1,Oslo")
    deployed.lake.put("a.csv.gz", "1,Oslo")
    deployed.lake.s3.delete_object(Bucket="landing", Key=gone.source, VersionId=gone.version)
    assert deployed.landing.newest([gone.source]) == []


def test_missing_is_what_is_unknown_or_of_another_version(deployed: Deployed) -> None:
    source = deployed.lake.put("a.csv", "1,Oslo")
    deployed.lake.curate(source)
    entry = deployed.lake.entry("a.csv")
    assert is_missing(source.version, entry) is None
    assert is_missing("another", entry)
    assert is_missing(source.version, None)
