"""Each alarm looks at a metric that is made, under that name and dimension, and trips when it should."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from botocore.exceptions import ClientError

from causeway.contract.model import Contract
from causeway.flow.runs import Run
from causeway.settings import DatasetLimits, Settings
from lambdas.batch_events.handler import Batching
from lambdas.measure.handler import handler
from lambdas.reconcile.handler import reconcile
from lambdas.split_batch.handler import decide
from tests.causeway.conftest import Deployed, deployed  # noqa: F401  # a fixture
from tests.causeway.flow.test_runs import glue_run
from tests.glue_jobs.conftest import small_lake  # noqa: F401
from tests.stacks.conftest import build_app, named, resources

PROMISE = replace(Contract("trips", "1.0.0", ()), frequency=3600, quarantine_limit=20)
Emitted = dict[tuple[str, str, str], float]


@pytest.fixture(scope="module")
def template(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Of a pipeline with a dataset that promises, and one that does not."""
    contracts = {"trips": PROMISE, "weather": Contract("weather", "1.0.0", ())}
    app = build_app(settings, tmp_path_factory.mktemp("promising"), contracts)
    stack = app.node.find_child("causeway-pipeline")
    assert isinstance(stack, cdk.Stack)
    return Template.from_stack(stack)


def alarm_of(template: Template, kind: str) -> dict[str, Any]:
    alarms = [alarm["Properties"] for alarm in resources(template, "AWS::CloudWatch::Alarm").values()]
    (found,) = (alarm for alarm in alarms if alarm["AlarmDescription"].startswith(kind))
    return dict(found)


def trips(alarm: dict[str, Any], emitted: Emitted) -> bool:
    """Whether one value of what the alarm looks at reaches it. Raises KeyError if there is none."""
    (dimension,) = alarm["Dimensions"]
    value = emitted[alarm["Namespace"], alarm["MetricName"], f"{dimension['Name']}={dimension['Value']}"]
    above = alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert above or alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["EvaluationPeriods"] == 1
    return bool(value > alarm["Threshold"] if above else value >= alarm["Threshold"])


def emitted(printed: str) -> Emitted:
    """What CloudWatch makes of lines in its embedded metric format."""
    found: Emitted = {}
    for line in map(json.loads, printed.splitlines()):
        for directive in line["_aws"]["CloudWatchMetrics"]:
            for (dimension,) in directive["Dimensions"]:
                for metric in directive["Metrics"]:
                    where = (directive["Namespace"], metric["Name"], f"{dimension}={line[dimension]}")
                    found[where] = line[metric["Name"]]
    return found


def matches(pattern: str, line: str) -> bool:
    """As CloudWatch's filters: a quoted text as it is, a regular expression between percent signs."""
    if pattern.startswith("%"):
        return bool(re.search(pattern.strip("%"), line))
    return pattern.strip('"') in line


def filters_of(template: Template, alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The filters that make the alarm's metric."""
    made = [found["Properties"] for found in resources(template, "AWS::Logs::MetricFilter").values()]
    metric = {"MetricNamespace": alarm["Namespace"], "MetricName": alarm["MetricName"]}
    return [found for found in made if metric.items() <= found["MetricTransformations"][0].items()]


def log_of(template: Template, function: str) -> Any:
    functions = [found["Properties"] for found in resources(template, "AWS::Lambda::Function").values()]
    (log,) = (f["LoggingConfig"]["LogGroup"] for f in functions if f".{function}." in f["Handler"])
    return log


@pytest.fixture
def measured(
    deployed: Deployed,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Emitted]:
    monkeypatch.setenv("PROMISING", '["trips"]')
    monkeypatch.setenv("STATE_MACHINE", deployed.deployment.pipeline["StateMachine"])
    monkeypatch.setenv("LEDGER_TABLE", "ledger")
    monkeypatch.setenv("NAMESPACE", "causeway")

    def measured(event: dict[str, Any], *, after: timedelta = timedelta(0)) -> Emitted:
        class Later(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> "Later":
                return cls.fromtimestamp((datetime.now(tz or UTC) + after).timestamp(), UTC)

        monkeypatch.setattr("lambdas.measure.handler.datetime", Later)
        handler(event, None)
        return emitted(capsys.readouterr().out)

    return measured


@pytest.mark.parametrize(("bad", "expected"), [(1, False), (2, True)])
def test_more_rejected_rows_than_the_contract_allows_trip_its_alarm(
    template: Template,
    deployed: Deployed,  # noqa: F811
    measured: Callable[..., Emitted],
    bad: int,
    expected: bool,
) -> None:
    rows = [f"{n if n >= bad else 'x'},Oslo" for n in range(5)]
    report = deployed.lake.curate(deployed.lake.put("a.csv", *rows))
    event = {"detail": {"dataset": "trips", "batch": report.batch}}
    assert trips(alarm_of(template, "Quarantined of trips"), measured(event)) == expected


@pytest.mark.parametrize(("minutes", "expected"), [(59, False), (61, True)])
def test_rows_that_do_not_come_in_time_trip_the_alarm_of_their_dataset(
    template: Template,
    deployed: Deployed,  # noqa: F811
    measured: Callable[..., Emitted],
    minutes: int,
    expected: bool,
) -> None:
    deployed.lake.curate(deployed.lake.put("a.csv", "1,Oslo"))
    stale = alarm_of(template, "Stale of trips")
    assert trips(stale, measured({}, after=timedelta(minutes=minutes))) == expected


@pytest.mark.parametrize(("minutes", "expected"), [(59, False), (61, True)])
def test_a_batch_that_runs_longer_than_its_dataset_promises_trips_an_alarm(
    template: Template,
    deployed: Deployed,  # noqa: F811
    measured: Callable[..., Emitted],
    minutes: int,
    expected: bool,
) -> None:
    deployed.start(deployed.lake.put("a.csv", "1,Oslo"))
    late = alarm_of(template, "Late of trips")
    assert trips(late, measured({}, after=timedelta(minutes=minutes))) == expected


def test_who_promises_nothing_has_no_alarm_of_its_own(template: Template) -> None:
    described = [
        a["Properties"]["AlarmDescription"] for a in resources(template, "AWS::CloudWatch::Alarm").values()
    ]
    assert [text for text in described if "weather" in text] == []


def test_that_nobody_measures_freshness_is_told_too(template: Template) -> None:
    stale = alarm_of(template, "Stale of trips")
    assert stale["TreatMissingData"] == "missing"
    assert stale["InsufficientDataActions"] == stale["AlarmActions"]


def test_every_commit_and_every_quarter_of_an_hour_is_measured(template: Template) -> None:
    rules = [rule["Properties"] for rule in resources(template, "AWS::Events::Rule").values()]
    (function,) = (
        name for name in resources(template, "AWS::Lambda::Function") if name.startswith("Measurements")
    )
    heard = [rule for rule in rules if function in json.dumps(rule["Targets"])]
    assert sorted(rule.get("ScheduleExpression", "") for rule in heard) == ["", "rate(15 minutes)"]
    (pattern,) = (rule["EventPattern"] for rule in heard if "EventPattern" in rule)
    assert pattern == {"source": ["causeway"], "detail-type": ["Dataset Curated"]}


def test_what_reconciliation_misses_trips_the_alarm_by_the_line_that_it_logs(
    template: Template,
    deployed: Deployed,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("lambdas.reconcile.handler.GRACE", timedelta(0))
    alarm = alarm_of(template, "Missing")
    (counted,) = filters_of(template, alarm)
    assert counted["LogGroupName"] == log_of(template, "reconcile")
    reconcile(deployed.landing, ["trips"], remaining_ms=lambda: 900_000)
    assert not any(matches(counted["FilterPattern"], line) for line in caplog.messages)
    deployed.lake.put("lost.csv", "1,Oslo")
    reconcile(deployed.landing, ["trips"], remaining_ms=lambda: 900_000)
    (line,) = (line for line in caplog.messages if matches(counted["FilterPattern"], line))
    assert line == "trips: 1 sources are queued again"
    assert alarm["Threshold"] == 1


def denied(*_: Any, **__: Any) -> Any:
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")


@pytest.mark.parametrize(
    "told",
    [
        "NotTheObjectsError: An error occurred (403) when calling the HeadObject operation: Forbidden",
        "AccessDeniedException: no",
        "PyArrow: AWS Error ACCESS_DENIED during GetObject",
    ],
)
def test_a_refusal_that_a_job_dies_of_trips_the_alarm_by_what_the_search_logs(
    template: Template,
    deployed: Deployed,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
    told: str,
) -> None:
    filters = filters_of(template, alarm_of(template, "AccessDenied"))
    (counted,) = (f for f in filters if f["LogGroupName"] == log_of(template, "split_batch"))
    batch = deployed.lake.batch(deployed.lake.put("a.csv", "1,Oslo")).manifest
    deployed.landing.s3.put_object(Bucket="landing", Key=batch.key, Body=batch.to_json())
    cause = json.dumps({"ErrorMessage": told, "JobRunState": "FAILED"})
    event = {
        "dataset": "trips",
        "batch": batch.batch,
        "manifest": f"s3://landing/{batch.key}",
        "failure": {"Error": "States.TaskFailed", "Cause": cause},
    }
    assert decide(event, landing_bucket="landing", s3=deployed.landing.s3)["given_up"]
    assert [line for line in caplog.messages if matches(counted["FilterPattern"], line)]


def test_a_refusal_that_a_function_lives_through_trips_the_alarm_by_its_log(
    template: Template, caplog: pytest.LogCaptureFixture
) -> None:
    filters = filters_of(template, alarm_of(template, "AccessDenied"))
    (counted,) = (f for f in filters if f["LogGroupName"] == log_of(template, "batch_events"))
    s3 = type("S3", (), {"put_object": staticmethod(denied)})
    batching = Batching({}, "l", "q", "m", "u", s3, None, None, None)
    record = {"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "landing/crews/a.csv", "size": 1}}}
    message = {"messageId": "1", "body": json.dumps({"Records": [record]})}
    assert batching.batch_events([message])["batchItemFailures"]
    assert matches(counted["FilterPattern"], caplog.text)


def test_refusals_are_looked_for_in_the_log_of_every_function_and_job_that_curates(
    template: Template,
) -> None:
    logs = [f["LogGroupName"] for f in filters_of(template, alarm_of(template, "AccessDenied"))]
    functions = ("batch_events", "curate_small", "measure", "reconcile", "schedule_profile", "split_batch")
    job = named(template, "AWS::Glue::Job", "Curate")["DefaultArguments"]["--continuous-log-logGroup"]
    assert sorted(map(str, logs)) == sorted(map(str, [job, *(log_of(template, name) for name in functions)]))


def test_a_message_is_too_old_a_quarter_of_an_hour_after_its_windows(
    settings: Settings, tmp_path: Path
) -> None:
    own = {"flights": DatasetLimits(batch_window_seconds=600)}
    app = build_app(settings.model_copy(update={"datasets": own}), tmp_path)
    stack = app.node.find_child("causeway-pipeline")
    assert isinstance(stack, cdk.Stack)
    oldest = alarm_of(Template.from_stack(stack), "OldestMessage")
    assert (oldest["Namespace"], oldest["MetricName"]) == ("AWS/SQS", "ApproximateAgeOfOldestMessage")
    assert oldest["Threshold"] == 15 * 60 + 60 + 600


def test_every_function_that_is_put_off_trips_an_alarm(template: Template) -> None:
    alarms = [alarm["Properties"] for alarm in resources(template, "AWS::CloudWatch::Alarm").values()]
    throttled = {a["Dimensions"][0]["Value"]["Ref"] for a in alarms if a["MetricName"] == "Throttles"}
    assert throttled == {*resources(template, "AWS::Lambda::Function")}


def test_the_dashboard_searches_for_every_metric_of_datasets_that_is_made(
    template: Template,
    deployed: Deployed,  # noqa: F811
    measured: Callable[..., Emitted],
) -> None:
    report = deployed.lake.curate(deployed.lake.put("a.csv", "1,Oslo"))
    deployed.start(deployed.lake.put("b.csv", "1,Oslo"))
    made = measured({"detail": {"dataset": "trips", "batch": report.batch}}) | measured({})
    made |= emitted(Run.of(glue_run()).metric("causeway"))
    (dashboard,) = resources(template, "AWS::CloudWatch::Dashboard").values()
    parts = dashboard["Properties"]["DashboardBody"]["Fn::Join"][1]
    body = json.loads("".join(part if isinstance(part, str) else "<reference>" for part in parts))
    expressions = [
        metric[0]["expression"]
        for widget in body["widgets"]
        for metric in widget["properties"].get("metrics", [])
        if isinstance(metric[0], dict)
    ]
    search = re.compile(r"SEARCH\('\{causeway,Dataset\} MetricName=\"(\w+)\"', '(Sum|Maximum)', (900|3600)\)")
    searched = {found[1] for expression in expressions if (found := search.fullmatch(expression))}
    assert len(searched) == len(expressions)
    # Of batches that run long an alarm tells; the dashboard says how many run.
    assert searched | {"QuarantinedRows", "OldestBatch"} == {name for _, name, _ in made}
    assert "docs/runbook.md" in body["widgets"][0]["properties"]["markdown"]
