"""`causeway reconcile`, `backfill` and `replay`, from the command line to the table's rows."""

import dataclasses
import json
import shlex
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from causeway.__main__ import main
from causeway.cli import requeue
from causeway.flow.landing import Landing
from causeway.flow.manifest import AGAIN
from causeway.operate import queues
from causeway.operate.queues import Pace
from tests.causeway.conftest import Deployed
from tests.glue_jobs.conftest import SmallLake

Say = Callable[..., dict[str, Any]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command with --json; its one object."""

    def say(*arguments: str, exits: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        assert main([*arguments, "--json"]) == exits
        (line,) = capsys.readouterr().out.splitlines()
        answer: dict[str, Any] = json.loads(line)
        assert answer.pop("format_version") == 1
        return answer

    return say


def queued(answer: dict[str, Any]) -> int:
    return sum(int(of["queued"]) for of in answer["datasets"].values())


def test_reconcile_queues_what_is_missing_and_leaves_the_young_alone(deployed: Deployed, say: Say) -> None:
    deployed.lake.put("a.csv", "1,Oslo")
    assert queued(say("reconcile")) == 0
    assert queued(say("reconcile", "--grace-minutes", "0", "--dry-run")) == 1
    assert deployed.queued() == []
    answer = say("reconcile", "trips", "--grace-minutes", "0")
    assert answer["datasets"] == {"trips": {"seen": 1, "queued": 1}}
    assert answer["after"] is None
    assert len(deployed.queued()) == 1


def test_reconcile_looks_below_a_prefix_and_after_a_key(deployed: Deployed, say: Say) -> None:
    for name in ("2012/a.csv", "2013/a.csv", "2013/b.csv", "2014/a.csv"):
        deployed.lake.put(name, "1,Oslo")
    below = ["reconcile", "--grace-minutes", "0", "--prefix", "landing/trips/2013/"]
    assert queued(say(*below)) == 2
    assert queued(say(*below, "--after", "landing/trips/2013/a.csv")) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["reconcile", "crews"],
        ["reconcile", "--prefix", "landing/crews/"],
        ["backfill", "landing/trips"],
        ["backfill", "batches/"],
        ["backfill", ""],
        ["replay", "landing/"[:-1]],
        ["replay", "0" * 32],
        ["replay"],
    ],
)
def test_what_names_nothing_is_one_clear_line(
    deployed: Deployed, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("causeway: ")
    assert said.err.count("\n") == 1
    assert deployed.queued() == []


def test_backfill_queues_what_was_there_before_however_young(deployed: Deployed, say: Say) -> None:
    deployed.lake.curate(deployed.lake.put("a.csv", "1,Oslo"))
    for n in range(5):
        deployed.lake.put(f"b/{n}.csv", f"{n},Oslo")
    assert queued(say("backfill", "landing/trips/b/")) == 5
    assert say("backfill", "landing/")["datasets"] == {"trips": {"seen": 6, "queued": 5}}


@pytest.fixture
def stumbling(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> list[BaseException | None]:
    """Nine objects on three pages; what queueing each page raises."""
    for n in range(9):
        deployed.lake.put(f"{n}'s.csv", f"{n},Oslo")
    deployed.deployment.__dict__["landing"] = dataclasses.replace(deployed.landing, page_size=3)
    raised: list[BaseException | None] = []
    queue = Landing.queue

    def stumble(landing: Landing, sources: Any) -> None:
        if raised and (error := raised.pop(0)):
            raise error
        queue(landing, sources)

    monkeypatch.setattr(Landing, "queue", stumble)
    return raised


@pytest.mark.parametrize(("stop", "exits"), [(KeyboardInterrupt(), 130), (OSError("SQS is down"), 2)])
def test_a_backfill_that_stops_goes_on_after_the_key_it_names(
    deployed: Deployed, say: Say, stumbling: list[BaseException | None], stop: BaseException, exits: int
) -> None:
    stumbling += [None, None, stop]
    answer = say("backfill", "landing/trips/", exits=exits)
    assert answer["datasets"] == {"trips": {"seen": 6, "queued": 6}}
    assert queued(say("backfill", "landing/trips/", "--after", answer["after"])) == 3
    assert len(deployed.queued()) == 9


def test_the_key_to_go_on_after_can_be_pasted_into_a_shell(
    stumbling: list[BaseException | None], capsys: pytest.CaptureFixture[str]
) -> None:
    stumbling += [None, OSError("SQS is down")]
    assert main(["backfill", "landing/trips/"]) == 2
    said = capsys.readouterr().err.removeprefix("causeway: SQS is down; go on with ")
    assert shlex.split(said) == ["--after", "landing/trips/2's.csv"]


@pytest.mark.parametrize("key", ["plain.csv", "it's $HOME.csv", "a\x1b[2J\tü\xa0\\.csv"])
def test_a_key_that_a_terminal_would_obey_is_printable_and_still_the_same_key_to_a_shell(key: str) -> None:
    word = requeue._shell_word(key)
    assert word.isprintable()
    assert subprocess.check_output(["bash", "-c", f"printf %s {word}"]) == key.encode()


def pace(deployed: Deployed, slept: list[float], **limits: Any) -> Pace:
    return Pace(
        deployed.landing,
        deployed.states,
        deployed.deployment.pipeline["StateMachine"],
        **{"most_running": 2, "at_once": 10, "settled": 90, "sleep": slept.append, **limits},
    )


def test_a_backfill_looks_up_only_after_as_much_as_runs_at_once(deployed: Deployed) -> None:
    slept: list[float] = []
    go_on = pace(deployed, slept)
    for _ in range(5):
        go_on(4)
    assert slept == [90]  # at 12; the 8 since are less than 10


@pytest.mark.parametrize("command", ["backfill", "replay", "reconcile --grace-minutes 0 --prefix"])
def test_whatever_queues_is_paced_by_what_it_queued(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    paced: list[int] = []
    monkeypatch.setattr(Pace, "of", lambda _: paced.append)
    deployed.lake.curate(deployed.lake.put("a.csv", "1,Oslo"))
    deployed.lake.put("b.csv", "1,Oslo")
    for more in ([], ["--dry-run"]):
        assert main([*command.split(), "landing/trips/", *more]) == 0
    assert paced == [1, 0]


def test_a_batch_is_replayed_from_a_key_on(deployed: Deployed, say: Say) -> None:
    lake = deployed.lake
    batch = batch_of(lake, lake.put("a.csv", "1,Oslo"), lake.put("b.csv", "2,Oslo"))
    deployed.with_contract(mended(lake))
    assert queued(say("replay", batch, "--after", "landing/trips/a.csv")) == 1


@pytest.mark.parametrize("what", ["executions", "messages"])
def test_a_backfill_waits_while_the_pipeline_is_full(deployed: Deployed, what: str) -> None:
    lake = deployed.lake
    executions = [
        deployed.start(lake.put(f"{n}.csv", "1,Oslo")) for n in range(3 if what == "executions" else 0)
    ]
    if what == "messages":
        for _ in range(queues.DEEP + 1):
            deployed.landing.sqs.send_message(QueueUrl=deployed.landing.queue_url, MessageBody="{}")
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 4:  # room at last
            deployed.landing.sqs.purge_queue(QueueUrl=deployed.landing.queue_url)
            for arn in executions:
                deployed.states.stop_execution(executionArn=arn)

    pace(deployed, slept, sleep=sleep)(10)
    assert slept == [90, *[queues.POLL_SECONDS] * 3]


def mended(lake: SmallLake) -> Any:
    """The contract's next version: a city may be missing."""
    city = dataclasses.replace(lake.contract.columns[1], required=False)
    return dataclasses.replace(lake.contract, version="1.0.1", columns=(lake.contract.columns[0], city))


def batch_of(lake: SmallLake, *sources: Any) -> str:
    batch = lake.batch(*sources)
    manifest = batch.manifest
    lake.s3.put_object(Bucket="landing", Key=manifest.key, Body=manifest.to_json())
    batch.curate()
    return manifest.batch


@pytest.mark.parametrize("by", ["batch", "prefix"])
def test_once_a_contract_is_mended_its_quarantined_rows_come_in_and_the_good_ones_stay_single(
    deployed: Deployed, say: Say, by: str
) -> None:
    lake = deployed.lake
    batch = batch_of(lake, lake.put("a.csv", "1,Oslo", "2,"), lake.put("b.csv", "3,Bonn"))
    what = batch if by == "batch" else "landing/trips/"
    assert queued(say("replay", what)) == 0
    deployed.with_contract(mended(lake))
    assert queued(say("replay", what)) == 2
    due = deployed.queued()
    assert {s.hint[: len(AGAIN)] for s in due} == {AGAIN}
    lake.curate(*due, contract=mended(lake))
    assert lake.ids() == [1, 2, 3]
    assert lake.rows("quarantine") == []
    assert queued(say("replay", what)) == 0


def test_a_replay_of_the_quarantined_is_of_those_alone_and_once(deployed: Deployed, say: Say) -> None:
    lake = deployed.lake
    batch = batch_of(lake, lake.put("a.csv", "1,Oslo", "2,"), lake.put("b.csv", "3,Bonn"))
    assert queued(say("replay", batch, "--quarantined")) == 1
    (due,) = deployed.queued()
    lake.curate(due)
    assert lake.ids() == [1, 3]
    assert len(lake.rows("quarantine")) == 1
    snapshots = lake.snapshots()
    lake.curate(due)  # delivered again
    assert lake.snapshots() == snapshots


def test_a_replay_is_of_what_s3_holds_now(deployed: Deployed, say: Say) -> None:
    lake = deployed.lake
    batch = batch_of(lake, lake.put("a.csv", "1,Oslo"), lake.put("a.csv.gz", "2,Oslo"), lake.put("b.csv"))
    newer = lake.put("a.csv", "4,Oslo")
    lake.s3.delete_object(Bucket="landing", Key="landing/trips/b.csv")
    assert queued(say("replay", batch)) == 2
    lake.curate(*deployed.queued())
    assert lake.entry("a.csv").version == newer.version
    assert lake.entry("b.csv").version is None
    assert lake.ids() == [2, 4]


def test_dead_letters_go_back_to_the_queue(deployed: Deployed, say: Say) -> None:
    sources = [deployed.lake.put(f"{n}.csv", "1,Oslo") for n in range(25)]
    for source in sources:
        deployed.dead_letter(source)
    assert say("replay", "--dead-letters")["dead_letters_moved"] == 25
    assert deployed.queued() == sorted(sources)
    assert deployed.queued("DeadLettersUrl") == []


@pytest.mark.parametrize("call", ["send_message", "delete_message"])
def test_a_crash_between_the_queues_loses_no_dead_letter(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    deployed.dead_letter(deployed.lake.put("a.csv", "1,Oslo"))

    def crash(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(deployed.landing.sqs, call, crash)
    assert main(["replay", "--dead-letters"]) == 130
    dead_letters = queues.depth(deployed.landing.sqs, deployed.deployment.lake["DeadLettersUrl"])
    assert dead_letters["in_flight"] == 1  # and comes back


def test_people_read_what_was_done(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reconcile"]) == 0
    assert capsys.readouterr().out == "nothing there to look at\n"
    deployed.lake.put("a.csv", "1,Oslo")
    assert main(["reconcile"]) == 0
    assert capsys.readouterr().out == "trips: 1 looked at, 0 queued\n"
    assert main(["backfill", "landing/", "--dry-run"]) == 0
    assert capsys.readouterr().out == "trips: 1 looked at, 1 due: about 1 run, 1 minute, $0.00\n"
    assert main(["replay", "--dead-letters"]) == 0
    assert capsys.readouterr().out == "dead letters: 0 moved back to the queue\n"
