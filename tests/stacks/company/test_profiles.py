"""When a table is profiled, by whom, and what becomes of it."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from causeway.settings import DatasetLimits, Settings
from tests.stacks.conftest import build_app, machine_of, named, resources, statements


@pytest.fixture(scope="module")
def states(pipeline: Template) -> dict[str, Any]:
    found: dict[str, Any] = machine_of(pipeline, "Profiles")["States"]
    return found


def pipeline_with(settings: Settings, folder: Path, own: dict[str, DatasetLimits], hours: int) -> Template:
    limits = settings.limits.model_copy(update={"profile_hours": hours})
    app = build_app(settings.model_copy(update={"limits": limits, "datasets": own}), folder)
    stack = app.node.find_child("causeway-pipeline")
    assert isinstance(stack, cdk.Stack)
    return Template.from_stack(stack)


def test_a_commit_is_what_starts_a_profile(pipeline: Template) -> None:
    rule = named(pipeline, "AWS::Events::Rule", "Profiles")
    assert rule["EventPattern"] == {"source": ["causeway"], "detail-type": ["Dataset Curated"]}


def test_a_run_waits_until_it_is_due_and_says_that_it_begins_before_it_reads(states: dict[str, Any]) -> None:
    assert states["Until it is due"] == {
        "Type": "Wait",
        "TimestampPath": "$.due",
        "Next": "Say that it begins",
    }
    assert states["Say that it begins"]["Next"] == "Profile table"


def test_the_news_of_a_profile_is_out_before_what_it_says_can_fail_the_run(states: dict[str, Any]) -> None:
    assert states["Publish"]["Next"] == "Does all of it hold"
    (entry,) = states["Publish"]["Parameters"]["Entries"]
    assert entry["DetailType"] == "Dataset Profiled"
    assert entry["Detail"] == {
        "dataset.$": "$.dataset",
        "snapshot.$": "$.outcome.snapshot",
        "profile.$": "$.outcome.profile",
    }


def test_whatever_fails_is_notified_and_ends_the_execution_failed(states: dict[str, Any]) -> None:
    caught = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Notify"}
    for state in states.values():
        if state["Type"] == "Task" and "sns" not in state["Resource"]:
            assert caught in state["Catch"]
    assert states["Does all of it hold"]["Default"] == "Say what failed"
    assert states["Say what failed"]["Next"] == "Notify"
    assert states["Notify"]["Next"] == "Failed"
    assert states["Failed"]["Type"] == "Fail"


def test_a_runs_cost_is_limited_by_its_time_and_workers(pipeline: Template) -> None:
    job = named(pipeline, "AWS::Glue::Job", "ProfilesProfile")
    assert (job["Timeout"], job["NumberOfWorkers"], job["MaxRetries"]) == (30, 2, 0)


def test_the_job_writes_profiles_and_nothing_else(pipeline: Template) -> None:
    policies = {
        name: policy
        for name, policy in resources(pipeline, "AWS::IAM::Policy").items()
        if name.startswith("ProfilesProfileRole")
    }
    only = Template.from_json({"Resources": policies})
    written = [s for s in statements(only) if {"s3:PutObject", "s3:DeleteObject"} & set(s["Action"])]
    (place,) = (json.dumps(resource) for statement in written for resource in statement["Resource"])
    assert "/*/profiles/*" in place
    actions = {action for statement in statements(only) for action in statement["Action"]}
    assert not {a for a in actions if a.startswith("glue:")} - {"glue:GetTable"}
    assert not any(a.startswith(("kms:GenerateMac", "dynamodb:Put", "dynamodb:Delete")) for a in actions)


def test_a_dataset_can_have_its_own_hours_or_no_profiles(settings: Settings, tmp_path: Path) -> None:
    own = {"flights": DatasetLimits(profile_hours=0), "weather": DatasetLimits(profile_hours=48)}
    template = pipeline_with(settings, tmp_path, own, hours=24)
    schedule = named(template, "AWS::Lambda::Function", "ProfilesSchedule")
    hours = json.loads(schedule["Environment"]["Variables"]["PROFILE_HOURS"])
    assert hours == {"*": 24, "flights": 0, "weather": 48}
    assert machine_of(template, "Profiles")["TimeoutSeconds"] > 48 * 3600


def test_where_nothing_is_profiled_nothing_is_deployed_for_it(settings: Settings, tmp_path: Path) -> None:
    template = pipeline_with(settings, tmp_path, {}, hours=0)
    assert len(resources(template, "AWS::Glue::Job")) == 1
    assert "Profile" not in json.dumps(list(template.to_json()["Resources"]))
