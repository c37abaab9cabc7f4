"""What the partner's account hears of the company's commits."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk.assertions import Template

from causeway.contract.model import Contract
from causeway.settings import Settings
from tests.stacks.conftest import build_app, named, resources

BUS = "arn:aws:events:us-east-1:222222222222:event-bus/causeway-news"
LONGEST = [f"{'x' * 37}{n:03}" for n in range(160)]  # as names of datasets may be


def pipeline_with(settings: Settings, folder: Path, known: list[str], **partner: Any) -> Template:
    changed = settings.partner.model_copy(update=partner)
    contracts = {name: Contract(name, "1.0.0", ()) for name in known}
    app = build_app(settings.model_copy(update={"partner": changed}), folder, contracts)
    stack = app.node.find_child("causeway-pipeline")
    assert isinstance(stack, cdk.Stack)
    return Template.from_stack(stack)


def rules(template: Template) -> list[dict[str, Any]]:
    found = [rule["Properties"] for rule in resources(template, "AWS::Events::Rule").values()]
    return [rule for rule in found if rule["Targets"][0]["Arn"] == BUS]


def test_every_dataset_that_the_partner_may_read_is_told_of_and_no_other(
    settings: Settings, pipeline: Template, tmp_path: Path
) -> None:
    (rule,) = rules(pipeline)
    news = {"source": ["causeway"], "detail-type": ["Dataset Curated"]}
    assert rule["EventPattern"] == {**news, "detail": {"dataset": ["flights", "weather"]}}
    (rule,) = rules(pipeline_with(settings, tmp_path, ["flights", "weather"], datasets=["weather"]))
    assert rule["EventPattern"] == {**news, "detail": {"dataset": ["weather"]}}


def test_the_role_may_put_events_on_that_bus_and_nothing_else(pipeline: Template) -> None:
    statement = {"Action": "events:PutEvents", "Effect": "Allow", "Resource": BUS}
    assert named(pipeline, "AWS::IAM::Policy", "News")["PolicyDocument"]["Statement"] == [statement]
    (rule,) = rules(pipeline)
    (role,) = (name for name in resources(pipeline, "AWS::IAM::Role") if name.startswith("News"))
    assert rule["Targets"][0]["RoleArn"] == {"Fn::GetAtt": [role, "Arn"]}


def test_what_is_not_delivered_is_kept_and_sets_off_an_alarm(pipeline: Template) -> None:
    (queue,) = (name for name in resources(pipeline, "AWS::SQS::Queue") if name.startswith("News"))
    (rule,) = rules(pipeline)
    assert rule["Targets"][0]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [queue, "Arn"]}}
    alarm = named(pipeline, "AWS::CloudWatch::Alarm", "News")
    assert alarm["Dimensions"][0]["Value"] == {"Fn::GetAtt": [queue, "QueueName"]}
    assert (alarm["Threshold"], alarm["MetricName"]) == (1, "ApproximateNumberOfMessagesVisible")
    assert "Failures" in str(alarm["AlarmActions"])


def test_no_pattern_is_longer_than_eventbridge_takes(settings: Settings, tmp_path: Path) -> None:
    patterns = [rule["EventPattern"] for rule in rules(pipeline_with(settings, tmp_path, LONGEST))]
    assert sorted(name for pattern in patterns for name in pattern["detail"]["dataset"]) == LONGEST
    assert max(len(json.dumps(pattern)) for pattern in patterns) <= 4096


def test_where_nobody_listens_nothing_is_told(settings: Settings, tmp_path: Path) -> None:
    off = settings.partner.ml.model_copy(update={"enabled": False})
    for folder, datasets, partner in (("off", ["flights"], {"ml": off}), ("none", [], {})):
        template = pipeline_with(settings, tmp_path / folder, datasets, **partner)
        assert not [name for name in template.to_json()["Resources"] if name.startswith("News")]
