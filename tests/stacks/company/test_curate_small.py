"""A small batch is for the function; what is too large or too much for it, for the job."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from ministack.services.stepfunctions import _ExecutionError

from causeway.flow.parameters import CurateSmallParameters, JobParameters, to_arguments, to_environment
from causeway.settings import Settings
from tests.stacks.conftest import build_app, interpret, machine_of, named, resources

BATCH = {"dataset": "flights", "batch": "b", "manifest": "s3://landing/batches/flights/b/manifest.json"}
SMALL = {**BATCH, "objects": 100, "bytes": 16_000_000}


@pytest.fixture(scope="module")
def machine(pipeline: Template) -> dict[str, Any]:
    return machine_of(pipeline, "Batches")


def who_works(machine: dict[str, Any], batch: Mapping[str, Any], *failing: str) -> list[str]:
    """Who was asked, in order; those named fail."""
    asked: list[str] = []

    def task(resource: str, given: Any) -> Any:
        if "glue:startJobRun" in resource:
            who = "job"
        elif "lambda:invoke" in resource:
            who = "price" if "failed_call" in given["Payload"] else "function"
            assert (given["Payload"].get("failed_call") or given["Payload"])["execution"] == "e"
        elif "dynamodb:getItem" in resource:
            return {"Item": {"snapshot": {"S": "1"}}}
        else:
            return {}
        asked.append(who)
        if who in failing:
            raise _ExecutionError("Sandbox.Timedout", "Task timed out after 300.00 seconds")
        return {"JobRunState": "SUCCEEDED"}

    assert interpret(machine, dict(batch), task) == ""
    return asked


def test_a_small_batch_is_curated_by_the_function_alone(machine: dict[str, Any]) -> None:
    assert who_works(machine, SMALL) == ["function"]


@pytest.mark.parametrize(
    "batch",
    [{**SMALL, "objects": 101}, {**SMALL, "bytes": 16_000_001}, BATCH],
    ids=["an object more", "a byte more", "of an earlier deployment, without its size"],
)
def test_any_other_batch_is_the_jobs(machine: dict[str, Any], batch: dict[str, Any]) -> None:
    assert who_works(machine, batch) == ["job"]


def test_what_the_function_fails_of_is_priced_and_curated_by_the_job(machine: dict[str, Any]) -> None:
    assert who_works(machine, SMALL, "function") == ["function", "price", "job"]


def test_a_failed_call_that_cannot_be_priced_is_curated_all_the_same(machine: dict[str, Any]) -> None:
    assert who_works(machine, SMALL, "function", "price") == ["function", "price", "job"]


def test_when_lambda_has_none_to_spare_it_is_asked_again_before_the_job_is(machine: dict[str, Any]) -> None:
    retried = [
        name for retry in machine["States"]["Curate small batch"]["Retry"] for name in retry["ErrorEquals"]
    ]
    assert "Lambda.TooManyRequestsException" in retried
    assert "States.ALL" not in retried


def test_the_function_is_told_what_the_job_is(pipeline: Template) -> None:
    arguments = named(pipeline, "AWS::Glue::Job", "Curate")["DefaultArguments"]
    variables = named(pipeline, "AWS::Lambda::Function", "CurateSmall")["Environment"]["Variables"]
    names: dict[str, Any] = {name: name for name in JobParameters.__dataclass_fields__}
    spelled = zip(to_arguments(JobParameters(**names)), to_environment(JobParameters(**names)), strict=True)
    assert {key: arguments.get(argument, "") for argument, key in spelled} == {
        key: value for key, value in variables.items() if key != "NAMESPACE"
    }
    assert variables.keys() == to_environment(CurateSmallParameters(**names)).keys()


def test_a_call_that_runs_out_of_time_has_cost_less_than_the_jobs_minute(pipeline: Template) -> None:
    function = named(pipeline, "AWS::Lambda::Function", "CurateSmall")
    assert function["Timeout"] * function["MemorySize"] / 1024 * 0.0000133334 < 2 * 60 / 3600 * 0.44


def test_without_small_batches_there_is_no_function_and_all_is_the_jobs(
    settings: Settings, tmp_path: Path
) -> None:
    none = settings.small_batches.model_copy(update={"max_objects": 0})
    app = build_app(settings.model_copy(update={"small_batches": none}), tmp_path)
    stack = app.node.find_child("causeway-pipeline")
    assert isinstance(stack, cdk.Stack)
    template = Template.from_stack(stack)
    assert not [name for name in resources(template, "AWS::Lambda::Function") if "CurateSmall" in name]
    machine = machine_of(template, "Batches")
    assert machine["StartAt"] == "Curate batch"
    assert who_works(machine, SMALL) == ["job"]
