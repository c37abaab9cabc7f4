"""`causeway doctor`: every check is made, whatever the others say, and each problem says what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from causeway.__main__ import main
from causeway.flow.billing import REFUSED, Activation
from causeway.operate import doctor
from causeway.operate.doctor import Check, examine, expected
from causeway.settings import load_settings
from tests.stacks.company.test_inference import ON
from tests.stacks.conftest import CONTRACTS, build_app

ROLE = "arn:aws:iam::111111111111:role/lambda"


class CloudFormation:
    """Knows one stack, which has these parts. (moto's wants a library of its own.)"""

    def __init__(self, parts: Mapping[str, str]) -> None:
        self._parts = parts

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803  # as AWS names it
        self._known(StackName)
        return {"Stacks": [{"StackStatus": "UPDATE_COMPLETE"}]}

    def get_paginator(self, _: str) -> CloudFormation:
        return self

    def paginate(self, StackName: str) -> list[dict[str, Any]]:  # noqa: N803
        self._known(StackName)
        parts = self._parts.items()
        return [{"StackResourceSummaries": [{"ResourceType": t, "PhysicalResourceId": i} for t, i in parts]}]

    def _known(self, stack: str) -> None:
        if stack != "causeway-lake":
            raise ClientError({"Error": {"Code": "ValidationError"}}, "DescribeStacks")


@pytest.fixture
def ids(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A deployed part of some types: the physical ids."""
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="landing")
        boto3.client("dynamodb").create_table(
            TableName="ledger",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        boto3.client("events").put_rule(Name="hourly", ScheduleExpression="rate(1 hour)")
        boto3.client("cloudwatch").put_metric_alarm(
            AlarmName="failed",
            MetricName="m",
            Namespace="n",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Period=60,
            Threshold=1,
            Statistic="Sum",
        )
        boto3.client("glue").create_job(Name="curate", Role=ROLE, Command={"Name": "glueetl"})
        made = {
            "AWS::S3::Bucket": "landing",
            "AWS::KMS::Key": boto3.client("kms").create_key()["KeyMetadata"]["KeyId"],
            "AWS::DynamoDB::Table": "ledger",
            "AWS::Events::Rule": "hourly",
            "AWS::CloudWatch::Alarm": "failed",
            "AWS::Glue::Job": "curate",
        }
        session = boto3.Session()
        clients = {"cloudformation": CloudFormation(made)}
        client = session.client
        monkeypatch.setattr(session, "client", lambda name, **more: clients.get(name) or client(name, **more))
        monkeypatch.setattr(doctor, "session_of_either", lambda settings: (session, settings.company.account))
        monkeypatch.setattr(doctor, "look", lambda _, keys: Activation(dict.fromkeys(keys, REFUSED)))
        yield made


def problems() -> dict[str, str]:
    return {check.name: check.problem for check in examine() if check.problem}


def test_what_is_not_deployed_is_told_and_stops_no_other_check(ids: dict[str, str]) -> None:
    told = problems()
    assert told["stack causeway-pipeline"] == "it is not deployed: make deploy"
    assert told["stack CDKToolkit"] == "it is not deployed: make deploy bootstraps it"
    assert "stack causeway-lake" not in told
    names = [check.name for check in examine()]
    assert {"1 buckets", "1 keys", "1 DynamoDB tables", "1 rules", "1 alarms", "1 Glue jobs"} <= set(names)
    assert told["tags in billing"] == "the payer activates them: causeway costs doctor"


def test_a_part_that_is_not_as_it_should_be_is_named_with_what_to_do(ids: dict[str, str]) -> None:
    boto3.client("events").disable_rule(Name=ids["AWS::Events::Rule"])
    boto3.client("cloudwatch").set_alarm_state(AlarmName="failed", StateValue="ALARM", StateReason="test")
    boto3.client("kms").disable_key(KeyId=ids["AWS::KMS::Key"])
    boto3.client("glue").delete_job(JobName="curate")
    told = problems()
    assert (
        f"aws events enable-rule --name {ids['AWS::Events::Rule']}"
        in told[f"rules: {ids['AWS::Events::Rule']}"]
    )
    assert told["alarms: failed"] == "it is ALARM: docs/runbook.md says what to do"
    assert "enable-key" in told[f"keys: {ids['AWS::KMS::Key']}"]
    assert "make deploy makes it again" in told["Glue jobs: curate"]


def test_wrong_credentials_are_a_problem_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "333333333333")
    with mock_aws():
        assert "the settings say company.account" in problems()["credentials"]


def test_a_tool_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "TOOLS", {"Node": tmp_path / "node"})
    monkeypatch.setattr(doctor, "session_of_either", lambda *_: pytest.fail("credentials are asked for"))
    assert next(examine()) == Check("Node", f"{tmp_path / 'node'} is not there: make install")


@pytest.mark.parametrize("problem", ["", "it is DISABLED"])
def test_the_exit_status_says_whether_something_needs_a_person(
    problem: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = [Check("one"), Check("two", problem), Check("three")]
    monkeypatch.setattr(doctor, "examine", lambda: iter(checks))
    assert main(["doctor"]) == bool(problem)
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["✓ one: OK", f"✗ two: {problem}" if problem else "✓ two: OK", "✓ three: OK"]


@pytest.mark.parametrize("enabled", [True, False])
def test_the_stacks_it_expects_are_those_that_the_app_makes(enabled: bool, tmp_path: Path) -> None:
    settings, more = load_settings(), {"inference": ON} if enabled else {}
    changed = {
        name: getattr(settings, name).model_copy(update={"enabled": enabled, **more.get(name, {})})
        for name in doctor.OPTIONAL
    }
    settings = settings.model_copy(update={"audit": enabled, **changed})
    app = build_app(settings, tmp_path, CONTRACTS)
    made = {stack.node.id for stack in app.node.children if stack.node.id.startswith("causeway-")}
    named = [f"causeway-{name}" for whose in ("company", "partner") for name in expected(settings, whose)]
    assert made == set(named)
