"""What an execution that profiles does, by the interpreter of the embedded AWS, task by task."""

from typing import Any

import pytest
from aws_cdk.assertions import Template
from ministack.services import stepfunctions

from tests.stacks.conftest import interpret, machine_of

HOLDS = {"snapshot": "7", "profile": "s3://curated/flights/profiles/7.json", "failed": ""}
BROKEN = HOLDS | {"failed": "mean of dep_delay: 99, allowed is at most 30"}
NOTHING = {"snapshot": "", "profile": "", "failed": ""}
Tasks = list[tuple[str, Any]]


def run(pipeline: Template, outcome: dict[str, str], *, fails: str = "") -> tuple[Tasks, str]:
    """The tasks that ran and what each was asked, and what the execution failed of."""
    ran: Tasks = []

    def task(resource: str, asked: dict[str, Any]) -> Any:
        name = resource.removeprefix("arn:<reference>:states:::")
        ran.append((name, asked))
        if fails and fails in name:
            raise stepfunctions._ExecutionError("States.TaskFailed", "killed")
        return {"Item": {key: {"S": value} for key, value in outcome.items()}} if "getItem" in name else {}

    asked = {"dataset": "flights", "due": "2026-01-01T00:00:00+00:00"}
    failed = interpret(machine_of(pipeline, "Profiles"), asked, task)
    return ran, failed


def names(ran: Tasks) -> list[str]:
    return [name for name, _ in ran]


WORK = ["dynamodb:updateItem", "glue:startJobRun.sync", "dynamodb:getItem"]


def test_a_profile_whose_bounds_hold_is_published(pipeline: Template) -> None:
    ran, failed = run(pipeline, HOLDS)
    assert names(ran) == [*WORK, "events:putEvents"]
    (entry,) = ran[-1][1]["Entries"]
    assert entry["Detail"] == {"dataset": "flights", "snapshot": "7", "profile": HOLDS["profile"]}
    assert not failed


def test_a_broken_bound_fails_the_execution_after_the_profile_was_published(pipeline: Template) -> None:
    ran, failed = run(pipeline, BROKEN)
    assert names(ran) == [*WORK, "events:putEvents", "sns:publish"]
    assert BROKEN["failed"] in str(ran[-1][1]["Message"])
    assert failed == f"QualityFailed: {BROKEN['failed']}"


def test_a_dataset_without_a_table_has_nothing_published(pipeline: Template) -> None:
    ran, failed = run(pipeline, NOTHING)
    assert (names(ran), failed) == (WORK, "")


@pytest.mark.parametrize("fails", WORK)
def test_what_fails_is_notified_and_fails_the_execution(pipeline: Template, fails: str) -> None:
    ran, failed = run(pipeline, HOLDS, fails=fails)
    assert names(ran)[-1] == "sns:publish"
    assert failed == "States.TaskFailed: killed"
