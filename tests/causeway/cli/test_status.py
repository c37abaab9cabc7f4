"""`causeway status`: every version is in exactly one class, and what nothing speaks of is found."""

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.__main__ import main
from causeway.flow.landing import Listed
from causeway.flow.ledger import Entry
from causeway.flow.manifest import AGAIN, REMOVED, SourceVersion
from causeway.operate import accounting as status
from causeway.operate.accounting import CLASSES, Pending, classify, sums
from causeway.operate.executions import cause as cause_of
from causeway.operate.executions import is_outstanding
from tests.causeway.conftest import Deployed

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VERSIONS = ["v1", "v2", "v3"]

versions = st.sets(st.tuples(st.sampled_from("ab"), st.sampled_from(VERSIONS)))
pendings = st.builds(
    Pending, until=st.just(NOW), in_queue=st.booleans(), running=versions, failed=versions, dead=versions
)
entries = st.none() | st.builds(
    Entry,
    version=st.none() | st.sampled_from(VERSIONS),
    contract=st.just("1"),
    rows=st.just(1),
    quarantined=st.just(0),
    unreadable=st.booleans(),
    snapshot=st.just("s"),
)


@st.composite
def histories(draw: Callable[..., Any], source: str) -> list[Listed]:
    """Versions of one source, oldest first; only the last can be the latest, and a marker may be it."""
    ages = [NOW + timedelta(minutes=draw(st.integers(-9, 9))) for _ in range(draw(st.integers(0, 3)))]
    marked = draw(st.booleans())
    return [
        Listed(source, version, 1, at, latest=n == len(ages) - 1 and not marked)
        for n, (version, at) in enumerate(zip(VERSIONS, sorted(ages), strict=False))
    ]


@given(st.data(), pendings)
def test_every_version_is_in_exactly_one_class_and_the_sums_add_up(
    data: st.DataObject, pending: Pending
) -> None:
    landed = [data.draw(histories(source)) for source in "ab"]
    known = {source: data.draw(entries) for source in "ab"}
    classes: Counter[str] = Counter()
    for history in landed:
        became = [classify(listed, known[listed.source], pending) for listed in history]
        assert sum(c in ("committed", "quarantined") for c in became) <= 1
        assert all(c in ("committed", "quarantined", "superseded") for c in became[:-1])
        classes.update(became)
    sums_of_classes = sums(classes)
    parts = [sums_of_classes[name] for name in CLASSES if name != "failed"]
    assert sums_of_classes["landed"] == sum(map(len, landed)) == sum(parts)
    assert sums_of_classes["failed"] <= sums_of_classes["waiting"]


@given(st.data(), pendings)
def test_unaccounted_is_the_newest_version_that_is_old_and_of_which_nothing_speaks(
    data: st.DataObject, pending: Pending
) -> None:
    known = data.draw(entries)
    for listed in data.draw(histories("a")):
        version = ("a", listed.version)
        mentioned = version in pending.running | pending.failed | pending.dead or pending.in_queue
        held = known is not None and known.version == listed.version
        lost = listed.latest and not held and not mentioned and listed.at <= pending.until
        assert (classify(listed, known, pending) == "unaccounted") == lost


SOURCE = SourceVersion("a", "v1", 1)
AT_V1 = Entry("v1", "1", 1, 0, False, "s1")
NOW_V1, NOW_V2 = Listed("a", "v1", 1, NOW, latest=True), Listed("a", "v2", 1, NOW, latest=True)
MARKED = Listed("a", "m", 0, NOW, latest=True, deleted=True)


@pytest.mark.parametrize(
    ("hint", "entry", "now", "due"),
    [
        ("", None, NOW_V1, True),
        ("", AT_V1, NOW_V1, False),
        ("", AT_V1, NOW_V2, False),  # the newer version has an event of its own
        ("", None, None, False),
        ("", None, MARKED, False),
        (REMOVED + "Delete", AT_V1, MARKED, True),
        (REMOVED + "Delete", AT_V1, None, True),
        (REMOVED + "Delete", None, None, False),
        (AGAIN + "s1", AT_V1, NOW_V1, True),
        (AGAIN + "s0", AT_V1, NOW_V1, False),
    ],
)
def test_a_failed_batch_is_resolved_once_its_sources_are_up_to_date(
    hint: str, entry: Entry | None, now: Listed | None, due: bool
) -> None:
    source = SourceVersion("a", "v1", 1, hint)
    assert is_outstanding(source, entry, now, removes=True) == due


def test_a_deletion_is_outstanding_only_where_the_contract_removes() -> None:
    removal = SourceVersion("a", "m", 0, REMOVED + "Delete")
    assert not is_outstanding(removal, AT_V1, MARKED, removes=False)


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    def say(*arguments: str, exits: int = 0, grace: float = 0) -> dict[str, Any]:
        monkeypatch.setattr(status, "GRACE", timedelta(minutes=grace))
        assert main(["status", "--json", *arguments]) == exits
        (line,) = capsys.readouterr().out.splitlines()
        answer: dict[str, Any] = json.loads(line)
        assert answer["format_version"] == 1
        return answer

    return say


Say = Callable[..., dict[str, Any]]


def test_each_version_is_told_where_it_is(deployed: Deployed, say: Say) -> None:
    lake = deployed.lake
    old = lake.put("changed.csv", "1,Oslo")
    lake.curate(old, lake.put("kept.csv", "2,Oslo"), lake.land("broken.csv", b"\xff"))
    lake.curate(lake.put("changed.csv", "3,Oslo"))
    deployed.start(lake.put("runs.csv", "4,Oslo"))
    deployed.fail(lake.put("failed.csv", "5,Oslo"))
    deployed.dead_letter(lake.put("dead.csv", "6,Oslo"))
    lake.put("lost.csv", "7,Oslo")
    answer = say(exits=1)
    of_trips = answer["datasets"]["trips"]
    assert {name: of_trips[name] for name in ("landed", *CLASSES)} == {
        "landed": 8,
        "committed": 2,
        "superseded": 1,
        "quarantined": 1,
        "waiting": 2,
        "failed": 1,
        "dead_lettered": 1,
        "unaccounted": 1,
    }
    assert answer["total"] == {name: of_trips[name] for name in ("landed", *CLASSES)}
    assert answer["adds_up"] is False
    assert answer["unaccounted"] == ["landing/trips/lost.csv"]
    assert answer["quarantined"] == ["landing/trips/broken.csv"]
    assert answer["running"] == 1
    assert [(f["outstanding"], f["failures"], f["cause"]) for f in answer["failed"]] == [(1, 1, "ABORTED")]
    assert of_trips["batches"]["count"] == of_trips["batches"]["last_day"] == 2


def test_what_is_young_or_may_be_in_the_queue_waits(deployed: Deployed, say: Say) -> None:
    deployed.lake.put("a.csv", "1,Oslo")
    assert say(grace=15)["total"]["waiting"] == 1
    say(exits=1)
    deployed.landing.sqs.send_message(QueueUrl=deployed.landing.queue_url, MessageBody="{}")
    answer = say()
    assert answer["total"]["waiting"] == 1
    assert answer["queue"] == {"visible": 1, "delayed": 0, "in_flight": 0}


def test_a_failure_that_was_made_good_is_no_failure(deployed: Deployed, say: Say) -> None:
    source = deployed.lake.put("a.csv", "1,Oslo")
    deployed.fail(source)
    deployed.fail(source, again="-r2")
    (failed,) = say(exits=1)["failed"]
    assert (failed["failures"], failed["execution"].endswith("-r2")) == (2, True)
    execution = deployed.start(source, again="-r3")
    answer = say()
    assert (answer["running"], answer["failed"]) == (1, [])
    deployed.states.stop_execution(executionArn=execution)
    assert len(say("--failed", exits=1)["failed"]) == 1
    deployed.lake.curate(source)
    assert say("--failed")["failed"] == []


def test_a_replay_that_failed_is_outstanding_though_its_version_is_in_the_table(
    deployed: Deployed, say: Say
) -> None:
    source = deployed.lake.put("a.csv", "1,Oslo", "2,")
    deployed.lake.curate(source)
    again = dataclasses.replace(source, hint=AGAIN + deployed.lake.entry("a.csv").snapshot)
    deployed.fail(again)
    assert [failed["outstanding"] for failed in say("--failed", exits=1)["failed"]] == [1]
    deployed.lake.curate(again)
    assert say("--failed")["failed"] == []


def test_dead_letters_are_looked_at_and_left_where_they_are(deployed: Deployed, say: Say) -> None:
    for n in range(12):
        deployed.dead_letter(deployed.lake.put(f"{n}.csv", "1,Oslo"))
    for _ in range(2):
        answer = say(exits=1)
        assert (answer["dead_letters"], answer["total"]["dead_lettered"]) == (12, 12)
    assert len(deployed.queued("DeadLettersUrl")) == 12


def test_a_ledger_that_is_being_built_is_not_mistaken_for_losses(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.lake.curate(deployed.lake.put("a.csv", "1,Oslo"))
    deployed.lake.ledger.begin()
    assert main(["status"]) == 2
    assert "being built" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("told", "cause"),
    [
        (
            {"error": "States.TaskFailed", "cause": '{"ErrorMessage": "no disk"}'},
            "States.TaskFailed: no disk",
        ),
        ({"error": "GivenUp", "cause": "plain words"}, "GivenUp: plain words"),
        ({"error": "GivenUp", "cause": '["no object"]'}, 'GivenUp: ["no object"]'),
        ({}, "TIMED_OUT"),
    ],
)
def test_the_cause_is_the_jobs_own_message_where_there_is_one(told: dict[str, str], cause: str) -> None:
    states = type("States", (), {"describe_execution": lambda **_: {"status": "TIMED_OUT", **told}})
    assert cause_of(states, "arn") == cause


def test_people_are_told_what_to_run(
    deployed: Deployed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "GRACE", timedelta(0))
    deployed.lake.put("lost.csv", "1,Oslo")
    deployed.fail(deployed.lake.put("failed.csv", "1,Oslo"))
    deployed.dead_letter(deployed.lake.put("dead.csv", "1,Oslo"))
    assert main(["status"]) == 1
    said = capsys.readouterr().out
    (batch,) = re.findall(r"trips ([0-9a-f]{32}) failed", said)
    for command in ("causeway reconcile", f"causeway replay {batch}", "causeway replay --dead-letters"):
        assert command in said
    header, of_trips, total, *_ = said.splitlines()
    assert of_trips.split()[:9] == ["trips", "3", "0", "0", "0", "1", "1", "1", "1"]
    assert header.split()[0] == "landed"
    assert total.split()[1:9] == of_trips.split()[1:9]


def test_a_file_that_was_rejected_whole_needs_a_person_until_it_is_landed_again(
    deployed: Deployed, say: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.lake.curate(deployed.lake.land("broken.csv", b"\xff"))
    assert say(exits=1)["quarantined"] == ["landing/trips/broken.csv"]
    main(["status"])
    shown = capsys.readouterr().out
    assert "1 file rejected whole: causeway quarantine says why" in shown
    assert "  landing/trips/broken.csv" in shown.splitlines()
    deployed.lake.curate(deployed.lake.put("broken.csv", "1,Oslo"))
    assert say()["quarantined"] == []


def test_rows_in_quarantine_alone_need_no_person(deployed: Deployed, say: Say) -> None:
    deployed.lake.curate(deployed.lake.put("a.csv", "1,Oslo", "x,Rome"))
    assert say()["quarantined"] == []


def test_dead_letters_need_a_person_also_where_only_failures_are_asked_for(
    deployed: Deployed, say: Say
) -> None:
    assert say("--failed")["dead_letters"] == 0
    deployed.dead_letter(deployed.lake.put("dead.csv", "1,Oslo"))
    assert say("--failed", exits=1)["dead_letters"] == 1
