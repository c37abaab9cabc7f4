"""What the pipeline stack guarantees."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template
from syrupy.assertion import SnapshotAssertion

from causeway.flow.events import NO_DATASET
from causeway.flow.report import REJECTED_WHOLE
from causeway.settings import DatasetLimits, Settings
from causeway.settings_errors import SettingsError
from tests.stacks.conftest import build_app, machine_of, named, normalised, resources, statements


def test_the_template_is_the_reviewed_one(pipeline: Template, snapshot: SnapshotAssertion) -> None:
    assert normalised(pipeline) == snapshot


@pytest.fixture(scope="module")
def machine(pipeline: Template) -> dict[str, Any]:
    return machine_of(pipeline, "Batches")


def test_an_execution_waits_for_its_job_and_outlasts_its_timeout_many_times(
    pipeline: Template, machine: dict[str, Any]
) -> None:
    assert machine["States"]["Curate batch"]["Resource"].endswith(":states:::glue:startJobRun.sync")
    job = named(pipeline, "AWS::Glue::Job", "Curate")
    assert machine["TimeoutSeconds"] >= 16 * 60 * job["Timeout"]


def test_a_full_glue_is_waited_for_and_a_failed_job_is_not_run_again(machine: dict[str, Any]) -> None:
    (retry,) = machine["States"]["Curate batch"]["Retry"]
    assert "Glue.ConcurrentRunsExceededException" in retry["ErrorEquals"]
    assert not {"States.ALL", "States.TaskFailed"} & set(retry["ErrorEquals"])
    assert retry["MaxAttempts"] == 500
    assert retry["BackoffRate"] == 2


def test_a_job_that_fails_splits_its_batch(machine: dict[str, Any]) -> None:
    first, *_ = machine["States"]["Curate batch"]["Catch"]
    assert (first["Next"], first["ResultPath"]) == ("Split batch", "$.failure")
    assert {"States.TaskFailed", "States.Timeout"} <= set(first["ErrorEquals"])


def test_a_batch_that_is_given_up_is_not_run_again(machine: dict[str, Any]) -> None:
    assert machine["States"]["Split batch"]["Next"] == "Is all of it done"
    first, *_ = machine["States"]["Is all of it done"]["Choices"]
    assert first == {"Variable": "$.given_up", "IsPresent": True, "Next": "Notify"}


def test_every_failure_is_notified_and_ends_the_execution_failed(machine: dict[str, Any]) -> None:
    states = machine["States"]
    for name, state in states.items():
        if state["Type"] == "Task" and name not in ("Notify", "Curate small batch", "Price failed call"):
            caught = state["Catch"][-1]
            assert (caught["ErrorEquals"], caught["Next"]) == (["States.ALL"], "Notify")
    assert states["Notify"]["Next"] == "Failed"
    assert [c["Next"] for c in states["Notify"]["Catch"]] == ["Failed"]
    assert states["Failed"]["Type"] == "Fail"


def test_success_publishes_dataset_batch_and_snapshot(machine: dict[str, Any]) -> None:
    (entry,) = machine["States"]["Publish"]["Parameters"]["Entries"]
    assert entry["Detail"] == {
        "dataset.$": "$.dataset",
        "batch.$": "$.batch",
        "snapshot.$": "$.outcome.snapshot",
    }
    assert machine["States"]["Publish"].get("End") is True


def test_the_job_is_sized_on_purpose(pipeline: Template) -> None:
    pipeline.has_resource_properties(
        "AWS::Glue::Job",
        {
            "GlueVersion": "6.0",
            "WorkerType": "G.1X",
            "NumberOfWorkers": 2,
            "Timeout": 120,
            "MaxRetries": 0,
            "JobRunQueuingEnabled": True,
            "ExecutionProperty": {"MaxConcurrentRuns": 10},
        },
    )


def test_what_the_job_installs_is_pinned_with_hashes(pipeline: Template) -> None:
    pipeline.has_resource_properties(
        "AWS::Glue::Job",
        {
            "DefaultArguments": Match.object_like(
                {
                    "--additional-python-modules": Match.string_like_regexp(r"^s3://.*\.txt$"),
                    "--python-modules-installer-option": "-r",
                }
            )
        },
    )


def test_without_the_internet_the_job_installs_from_s3_alone(settings: Settings, tmp_path: Path) -> None:
    wheels = "s3://our-artifacts/causeway-1.2.3-0.gluewheels.zip"
    app = build_app(settings.model_copy(update={"job_modules": wheels}), tmp_path)
    stack = app.node.find_child("causeway-pipeline")
    assert isinstance(stack, cdk.Stack)
    template = Template.from_stack(stack)
    arguments = {"--additional-python-modules": wheels, "--python-modules-installer-option": "--no-index"}
    template.has_resource_properties("AWS::Glue::Job", {"DefaultArguments": Match.object_like(arguments)})
    readable = [r for s in statements(template) if "s3:GetObject" in s["Action"] for r in s["Resource"]]
    assert "arn:aws:s3:::our-artifacts/causeway-1.2.3-0.gluewheels.zip" in readable


def test_the_batching_function_waits_a_window_and_returns_only_failed_messages(pipeline: Template) -> None:
    pipeline.has_resource_properties(
        "AWS::Lambda::EventSourceMapping",
        {
            "BatchSize": 1000,
            "MaximumBatchingWindowInSeconds": 60,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": 2},
        },
    )


def test_the_queue_hides_a_message_for_six_times_the_functions_timeout(
    lake: Template, pipeline: Template
) -> None:
    function = functions(pipeline)["batch_events"]
    lake.has_resource_properties("AWS::SQS::Queue", {"VisibilityTimeout": 6 * function["Timeout"]})


def test_the_dead_letter_queue_keeps_messages_longer_than_the_queue(lake: Template) -> None:
    queues = [queue["Properties"] for queue in resources(lake, "AWS::SQS::Queue").values()]
    (events,) = [queue for queue in queues if "RedrivePolicy" in queue]
    (letters,) = [queue for queue in queues if "RedrivePolicy" not in queue]
    assert events["RedrivePolicy"]["maxReceiveCount"] == 5
    # A message keeps the age it had: the dead-letter queue must have room for it.
    assert letters["MessageRetentionPeriod"] >= 2 * events["MessageRetentionPeriod"]


def test_batching_limits_come_from_the_settings_for_each_dataset(settings: Settings, tmp_path: Path) -> None:
    own = {"flights": DatasetLimits(batch_window_seconds=600, batch_max_objects=5000)}
    app = build_app(settings.model_copy(update={"datasets": own}), tmp_path)
    stack = app.node.find_child("causeway-pipeline")
    assert isinstance(stack, cdk.Stack)
    template = Template.from_stack(stack)
    said = functions(template)["batch_events"]["Environment"]["Variables"]["BATCHING"]
    assert json.loads(said) == {
        "*": {"max_objects": 1000, "max_bytes": 10_000_000_000},
        "flights": {"window_seconds": 600, "max_objects": 5000},
    }
    template.has_resource_properties("AWS::Lambda::EventSourceMapping", {"BatchSize": 5000})


def test_limits_of_a_dataset_without_a_contract_are_refused(settings: Settings, tmp_path: Path) -> None:
    changed = settings.model_copy(update={"datasets": {"flihgts": DatasetLimits(batch_max_objects=1)}})
    with pytest.raises(SettingsError, match="no contract for flihgts; contracts: flights, weather"):
        build_app(changed, tmp_path)


def test_landing_is_reconciled_on_a_schedule(pipeline: Template) -> None:
    pipeline.has_resource_properties("AWS::Events::Rule", {"ScheduleExpression": "rate(6 hours)"})


def test_the_first_failure_raises_an_alarm(pipeline: Template) -> None:
    alarms = {
        v["Properties"]["MetricName"]: v["Properties"]
        for v in resources(pipeline, "AWS::CloudWatch::Alarm").values()
    }
    assert set(alarms) == {
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "ExecutionsAborted",
        "Errors",
        "ApproximateNumberOfMessagesVisible",
        "ApproximateAgeOfOldestMessage",
        "Throttles",
        "Unrouted",
        "RejectedWhole",
        "Missing",
        "AccessDenied",
    }
    assert len(resources(pipeline, "AWS::CloudWatch::Alarm")) == 25
    for name, alarm in alarms.items():
        assert alarm["Threshold"] == (960 if name == "ApproximateAgeOfOldestMessage" else 1)
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert alarm["EvaluationPeriods"] == 1
        assert alarm["AlarmActions"]


def test_the_alarm_on_what_no_dataset_takes_counts_the_words_of_the_function_s_log(
    pipeline: Template,
) -> None:
    counted = named(pipeline, "AWS::Logs::MetricFilter", "Unrouted")
    assert counted["FilterPattern"] == f'"{NO_DATASET}"'
    functions = resources(pipeline, "AWS::Lambda::Function").values()
    (batching,) = (f["Properties"] for f in functions if "batch_events" in f["Properties"]["Handler"])
    assert counted["LogGroupName"] == batching["LoggingConfig"]["LogGroup"]


def test_the_alarm_on_files_that_are_rejected_whole_counts_the_words_of_both_logs(
    pipeline: Template,
) -> None:
    counted = {
        key: f["Properties"]
        for key, f in resources(pipeline, "AWS::Logs::MetricFilter").items()
        if key.startswith("RejectedWhole")
    }
    assert {f["FilterPattern"] for f in counted.values()} == {f'"{REJECTED_WHOLE}"'}
    (transformed,) = {json.dumps(f["MetricTransformations"]) for f in counted.values()}
    assert '"MetricName": "RejectedWhole"' in transformed
    job = named(pipeline, "AWS::Glue::Job", "Curate")["DefaultArguments"]["--continuous-log-logGroup"]
    function = functions(pipeline)["curate_small"]["LoggingConfig"]["LogGroup"]
    assert [f["LogGroupName"] for f in counted.values()] in ([job, function], [function, job])


def test_every_log_is_kept_for_the_time_in_the_settings(pipeline: Template) -> None:
    assert len(resources(pipeline, "AWS::Logs::LogGroup")) == 11
    pipeline.all_resources_properties("AWS::Logs::LogGroup", {"RetentionInDays": 90})


def test_the_upkeep_role_is_glues_alone_and_only_who_curates_hands_it_over(pipeline: Template) -> None:
    ((name, role),) = ((k, v) for k, v in resources(pipeline, "AWS::IAM::Role").items() if "Maintenance" in k)
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "glue.amazonaws.com"}
    passing = [s for s in statements(pipeline) if "iam:PassRole" in s["Action"]]
    assert [(s["Resource"], s["Condition"]) for s in passing] == 2 * [
        (
            [{"Fn::GetAtt": [name, "Arn"]}],
            {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}},
        )
    ]
    arguments = named(pipeline, "AWS::Glue::Job", "Curate")["DefaultArguments"]
    assert arguments["--optimizer-role"] == {"Fn::GetAtt": [name, "Arn"]}
    assert arguments["--snapshot-retention-days"] == "90"
    assert arguments["--quarantine-retention-days"] == "90"


def test_no_statement_allows_a_wildcard_action(pipeline: Template) -> None:
    assert [a for s in statements(pipeline) if s["Effect"] == "Allow" for a in s["Action"] if "*" in a] == []


def functions(template: Template) -> dict[str, dict[str, Any]]:
    """Properties of the functions by the folder of their code."""
    found = [f["Properties"] for f in resources(template, "AWS::Lambda::Function").values()]
    return {f["Handler"].split(".")[1]: f for f in found}


def test_the_only_lambdas_are_our_own(templates: dict[str, Template]) -> None:
    found = {name: sorted(functions(template)) for name, template in templates.items()}
    ours = {
        "costs": ["activate_tags"],
        "pipeline": [
            "batch_events",
            "curate_small",
            "measure",
            "price_run",
            "reconcile",
            "schedule_profile",
            "split_batch",
        ],
        "training": ["decide", "predict", "promote_model"],
    }
    assert found == {name: ours.get(name, []) for name in templates}
