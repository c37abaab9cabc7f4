"""Whatever a run of our jobs ends with, somebody is told, and knows what caused it."""

from aws_cdk.assertions import Template

from stacks.company.run_prices import ENDED
from tests.stacks.conftest import machine_of, named, resources


def test_the_end_of_each_jobs_runs_is_heard_of_however_it_is(pipeline: Template) -> None:
    pattern = named(pipeline, "AWS::Events::Rule", "RunPricesEnded")["EventPattern"]
    assert (pattern["source"], pattern["detail-type"]) == (["aws.glue"], ["Glue Job State Change"])
    jobs = resources(pipeline, "AWS::Glue::Job")
    assert [job["Ref"] for job in pattern["detail"]["jobName"]] == list(jobs)
    assert pattern["detail"]["state"] == ENDED == ["SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED"]


def test_a_run_is_told_the_execution_that_started_it(pipeline: Template) -> None:
    run = machine_of(pipeline, "Batches")["States"]["Curate batch"]
    assert run["Parameters"]["Arguments"]["--execution.$"] == "$$.Execution.Id"
