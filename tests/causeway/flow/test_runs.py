"""What a run cost: as Glue bills it, and to whom it counts."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from moto import mock_aws

from causeway.flow.runs import Run, runs_since
from tests.glue_jobs.conftest import ledger_table

ENDED = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
WHOLE, PART = "a" * 32, "b" * 32
EXECUTION = "arn:aws:states:us-east-1:111111111111:execution:batches:"


def glue_run(**more: Any) -> dict[str, Any]:
    """As GetJobRun answers."""
    arguments = {
        "--manifest": f"s3://landing/batches/air-lines/{PART}/manifest.json",
        "--execution": f"{EXECUTION}air-lines-{WHOLE}",
    }
    run = {"Id": "jr_1", "JobRunState": "SUCCEEDED", "CompletedOn": ENDED, "Arguments": arguments}
    return {**run, "ExecutionTime": 90, "WorkerType": "G.1X", "NumberOfWorkers": 2, **more}


@pytest.mark.parametrize(
    ("more", "dpu_seconds"),
    [
        ({}, 180),
        ({"WorkerType": "G.2X", "NumberOfWorkers": 5}, 900),
        ({"ExecutionTime": 61}, 122),
        ({"ExecutionTime": 1}, 120),  # a minute at least
        ({"ExecutionTime": 0, "JobRunState": "STOPPED"}, 0),  # it never had workers
        ({"JobRunState": "FAILED"}, 180),
        ({"JobRunState": "TIMEOUT", "ExecutionTime": 7200}, 14400),
        ({"DPUSeconds": 137.5}, 137.5),
    ],
)
def test_a_run_costs_what_glue_bills_however_it_ended(more: dict[str, Any], dpu_seconds: float) -> None:
    run = Run.of(glue_run(**more))
    assert run.dpu_seconds == Decimal(str(dpu_seconds))
    assert float(run.dollars) == pytest.approx(dpu_seconds * 0.44 / 3600, abs=1e-6)


def test_the_least_that_a_batch_of_two_workers_costs_is_a_cent_and_a_half() -> None:
    assert Run.of(glue_run(ExecutionTime=10)).dollars == Decimal("0.014667")


@pytest.mark.parametrize("again", ["", "-r2", "-r13"])
def test_a_run_of_a_part_counts_to_the_batch_that_was_split(again: str) -> None:
    arguments = {**glue_run()["Arguments"], "--execution": f"{EXECUTION}air-lines-{WHOLE}{again}"}
    run = Run.of(glue_run(Arguments=arguments))
    assert (run.dataset, run.batch, run.part, run.job) == ("air-lines", WHOLE, PART, "curate")


def test_a_run_that_nobody_says_who_started_counts_to_its_own_manifest() -> None:
    arguments = {"--manifest": glue_run()["Arguments"]["--manifest"]}
    run = Run.of(glue_run(Arguments=arguments))
    assert (run.dataset, run.batch, run.part) == ("air-lines", PART, PART)


def test_a_run_without_arguments_is_priced_too() -> None:
    run = Run.of(glue_run(Arguments={}))
    assert (run.dataset, run.batch, float(run.dpu_seconds)) == ("", "", 180)


def test_a_profile_counts_to_its_dataset() -> None:
    run = Run.of(glue_run(Arguments={"--dataset": "flights"}))
    assert (run.dataset, run.batch, run.job) == ("flights", "", "profile")


def test_a_run_that_has_not_ended_has_no_price() -> None:
    with pytest.raises(KeyError, match="CompletedOn"):
        Run.of({key: value for key, value in glue_run().items() if key != "CompletedOn"})


@pytest.fixture
def ledger() -> Iterator[Any]:
    with mock_aws():
        yield ledger_table()


def test_a_run_that_is_written_down_twice_counts_once_and_comes_back_as_it_was(ledger: Any) -> None:
    run = Run.of(glue_run())
    run.put(ledger)
    run.put(ledger)
    assert list(runs_since(ledger, ENDED)) == [run]


def test_the_time_from_which_on_runs_count_is_the_same_in_every_time_zone(ledger: Any) -> None:
    for seconds in (-1, 0, 1):
        Run.of(glue_run(Id=f"{seconds}", CompletedOn=ENDED + timedelta(seconds=seconds))).put(ledger)
    east = ENDED.astimezone(timezone(timedelta(hours=9)))
    assert [run.id for run in runs_since(ledger, east)] == ["0", "1"]


def test_no_page_of_runs_is_left_out(ledger: Any) -> None:
    long = "x" * 100_000
    for n in range(25):
        Run.of(glue_run(Id=f"{n:02}", JobRunState=long)).put(ledger)
    assert len(list(runs_since(ledger, ENDED))) == 25
