"""`causeway trace`: a file's whole story, and a clear word where there is none."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyiceberg.table import Table

from causeway.__main__ import main
from causeway.flow.manifest import Manifest, SourceVersion
from causeway.flow.runs import CURATE, Run
from causeway.operate import accounting
from tests.causeway.conftest import Deployed, later

Trace = Callable[..., dict[str, Any]]


@pytest.fixture
def show(
    deployed: Deployed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    monkeypatch.setattr(accounting, "GRACE", timedelta(0))
    monkeypatch.setattr("causeway.lake.tables.glue_catalog", lambda _: deployed.lake.catalog)
    monkeypatch.setattr(type(deployed.deployment.settings), "database", lambda _, kind: kind)
    deployed.deployment.client("s3").create_bucket(Bucket="curated")

    def show(*arguments: str, exits: int = 0) -> str:
        with monkeypatch.context() as patched:
            patched.setattr(Table, "location", lambda _: "s3://curated/trips")  # it lies in a folder
            assert main(["trace", *arguments]) == exits
        return capsys.readouterr().out

    return show


@pytest.fixture
def traced(show: Callable[..., str]) -> Trace:
    def traced(name: str, exits: int = 0) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(show(name, "--json", exits=exits))
        return document

    return traced


def priced(deployed: Deployed, whole: Manifest, part: Manifest, dollars: str, run: str = "jr_1") -> None:
    """A run of that part of a batch has ended."""
    Run(
        run,
        CURATE,
        "trips",
        whole.batch,
        part.batch,
        "SUCCEEDED",
        later(seconds=1).isoformat(timespec="seconds"),
        Decimal(120),
        Decimal("0.44"),
        "",
        Decimal(dollars),
    ).put(deployed.landing.ledger)


def told(deployed: Deployed, *sources: SourceVersion) -> Manifest:
    """A batch was told of the sources and committed them."""
    deployed.start(*sources)
    deployed.lake.curate(*sources)
    return Manifest("trips", sources)


def test_a_committed_file_is_told_from_its_event_to_its_profile_and_its_cost(
    deployed: Deployed, traced: Trace
) -> None:
    lake = deployed.lake
    mine, other = lake.put("a.csv", "1,Oslo", "x,Rome"), lake.put("b.csv", "2,Oslo", "3,Bonn", "4,Lima")
    batch = told(deployed, mine, other)
    priced(deployed, batch, batch, "0.02")
    snapshot = lake.entry("a.csv").snapshot
    document = traced("landing/trips/a.csv")
    (version,) = document["versions"]
    assert (version["version"], version["state"]) == (mine.version, "committed")
    (story,) = version["batches"]
    assert (story["batch"], story["sources"], story["snapshot"]) == (batch.batch, 2, snapshot)
    (execution,) = story["executions"]
    assert (execution["name"], execution["status"]) == (f"trips-{batch.batch}", "RUNNING")
    assert [(run["id"], run["dollars"]) for run in story["runs"]] == [("jr_1", 0.02)]
    assert {name: story["rows"][name] for name in ("landed", "curated", "quarantined", "reasons")} == {
        "landed": 2,
        "curated": 1,
        "quarantined": 1,
        "reasons": {"type": 1},
    }
    assert story["share"] == pytest.approx(0.02 * mine.size / (mine.size + other.size), abs=1e-6)
    assert document["held"]["snapshot"] == snapshot


@pytest.mark.parametrize(
    "name",
    ["landing/trips/x/a b.csv", "s3://landing/landing/trips/x/a b.csv", "trips/x/a b.csv", "x/a b.csv"],
)
def test_a_file_is_named_by_key_by_uri_or_by_what_is_below_its_dataset(
    deployed: Deployed, traced: Trace, name: str
) -> None:
    deployed.lake.put("x/a b.csv", "1,Oslo")
    deployed.lake.put("x/a b.csv.old", "1,Oslo")  # begins like it
    document = traced(name, exits=1)
    assert (document["key"], len(document["versions"])) == ("landing/trips/x/a b.csv", 1)


def test_each_of_several_versions_has_a_story_of_its_own_the_newest_first(
    deployed: Deployed, traced: Trace
) -> None:
    lake = deployed.lake
    first, second = told(deployed, lake.put("a.csv", "1,Oslo")), told(deployed, lake.put("a.csv", "2,Oslo"))
    lake.delete("a.csv")
    versions = traced("trips/a.csv")["versions"]
    assert [version["state"] for version in versions] == ["deleted", "committed", "superseded"]
    batches = [[story["batch"] for story in version["batches"]] for version in versions]
    assert batches == [[], [second.batch], [first.batch]]


def test_an_event_that_spoke_of_an_older_version_is_told_of_the_version_that_was_curated(
    deployed: Deployed, traced: Trace
) -> None:
    old = deployed.lake.put("a.csv", "1,Oslo")
    new = deployed.lake.put("a.csv", "2,Oslo")
    told(deployed, old)
    versions = traced("trips/a.csv")["versions"]
    rows = {
        v["version"]: [story["rows"] and story["rows"]["curated"] for story in v["batches"]] for v in versions
    }
    assert rows == {new.version: [1], old.version: [None]}


def test_every_try_of_a_failed_batch_is_told_with_its_cause_and_what_to_run(
    deployed: Deployed, traced: Trace, show: Callable[..., str]
) -> None:
    source = deployed.lake.put("a.csv", "1,Oslo")
    deployed.fail(source)
    deployed.fail(source, again="-r2")
    batch = Manifest("trips", (source,)).batch
    (version,) = traced("trips/a.csv", exits=1)["versions"]
    (story,) = version["batches"]
    assert version["state"] == "failed"
    assert [(e["name"], e["status"], e["cause"]) for e in story["executions"]] == [
        (f"trips-{batch}", "ABORTED", "ABORTED"),
        (f"trips-{batch}-r2", "ABORTED", "ABORTED"),
    ]
    assert (story["rows"], story["at"]) == (None, None)
    assert f"once the cause is mended: causeway replay {batch}" in show("trips/a.csv", exits=1)


def test_what_a_part_of_a_split_batch_did_is_told_of_the_batch(deployed: Deployed, traced: Trace) -> None:
    mine, other = deployed.lake.put("a.csv", "1,Oslo"), deployed.lake.put("b.csv", "2,Oslo")
    whole, part = Manifest("trips", (mine, other)), Manifest("trips", (mine,))
    deployed.start(mine, other)
    deployed.landing.s3.put_object(Bucket="landing", Key=part.key, Body=part.to_json())
    deployed.lake.curate(mine)
    priced(deployed, whole, whole, "0.5")
    priced(deployed, whole, part, "0.25", "jr_2")
    (story,) = traced("trips/a.csv")["versions"][0]["batches"]
    assert (story["batch"], story["rows"]["curated"], story["dollars"]) == (whole.batch, 1, 0.75)
    assert len(story["executions"]) == 1


@pytest.mark.parametrize("place", ["queue", "dead letter", "nowhere"])
def test_a_file_without_a_batch_is_told_where_it_is(deployed: Deployed, traced: Trace, place: str) -> None:
    source = deployed.lake.put("a.csv", "1,Oslo")
    if place == "queue":
        deployed.landing.sqs.send_message(QueueUrl=deployed.landing.queue_url, MessageBody="{}")
    if place == "dead letter":
        deployed.dead_letter(source)
    state = {"queue": "waiting", "dead letter": "dead_lettered", "nowhere": "unaccounted"}[place]
    (version,) = traced("trips/a.csv", exits=int(place != "queue"))["versions"]
    assert (version["state"], version["batches"]) == (state, [])


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (
            "landing/trips/2013-1.csv",
            "nothing landed as landing/trips/2013-1.csv; did you mean landing/trips/2013-01.csv?",
        ),
        ("trips/2013-1.csv", "did you mean landing/trips/2013-01.csv?"),
        ("landing/tripz/2013-01.csv", "no contract for tripz; contracts: trips; did you mean trips?"),
        ("s3://elsewhere/landing/trips/2013-01.csv", "the landing bucket is landing"),
        ("2014.csv", "contracts: trips"),
    ],
)
def test_a_key_that_there_is_not_is_answered_with_the_nearest(
    deployed: Deployed, capsys: pytest.CaptureFixture[str], name: str, why: str
) -> None:
    deployed.lake.put("2013-01.csv", "1,Oslo")
    assert main(["trace", name]) == 2
    assert why in capsys.readouterr().err


def test_a_name_that_several_datasets_have_must_say_which(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.lake.put("a.csv", "1,Oslo")
    deployed.deployment.contracts["planes"] = deployed.lake.contract  # type: ignore[index]
    deployed.landing.s3.put_object(Bucket="landing", Key="landing/planes/a.csv", Body=b"x")
    assert main(["trace", "a.csv"]) == 2
    assert "say which: landing/planes/a.csv, landing/trips/a.csv" in capsys.readouterr().err


def test_a_file_that_s3_forgot_is_told_by_what_the_table_holds(
    deployed: Deployed, traced: Trace, show: Callable[..., str]
) -> None:
    source = deployed.lake.put("a.csv", "1,Oslo")
    deployed.lake.curate(source)
    deployed.landing.s3.delete_object(Bucket="landing", Key=source.source, VersionId=source.version)
    document = traced("landing/trips/a.csv")
    assert (document["versions"], document["held"]["rows"]) == ([], 1)
    assert "S3 keeps no version of it any more" in show("landing/trips/a.csv")


def test_a_person_reads_the_story_line_by_line(deployed: Deployed, show: Callable[..., str]) -> None:
    batch = told(deployed, deployed.lake.put("a.csv", "1,Oslo", "x,Rome"))
    priced(deployed, batch, batch, "0.014667")
    shown = show("trips/a.csv")
    for line in (
        f"event seen: batch {batch.batch} of 1 sources",
        f"execution trips-{batch.batch} RUNNING",
        "run jr_1 SUCCEEDED",
        "rows: landed 2 = curated 1 + quarantined 1 (type 1)",
        f"snapshot {deployed.lake.entry('a.csv').snapshot}, committed ",
        "cost: $0.014667 the batch, $0.014667 this file by its bytes",
        "profile: none with these rows yet",
    ):
        assert line in shown


def test_the_first_profile_that_has_the_rows_is_named(deployed: Deployed, traced: Trace) -> None:
    lake, s3 = deployed.lake, deployed.deployment.client("s3")
    for n in range(4):
        lake.curate(lake.put(f"{n}.csv", f"{n},Oslo"))
    ids = [int(lake.entry(f"{n}.csv").snapshot) for n in range(4)]
    for n in (0, 2, 3):
        s3.put_object(Bucket="curated", Key=f"trips/profiles/{ids[n]}.json", Body=b"{}")
    assert traced("1.csv")["profile"] == f"s3://curated/trips/profiles/{ids[2]}.json"
    assert traced("3.csv")["profile"] == f"s3://curated/trips/profiles/{ids[3]}.json"
