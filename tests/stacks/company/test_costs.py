"""Tags on everything, and the budget that watches them."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from syrupy.assertion import SnapshotAssertion

from tests.stacks.conftest import normalised, resources

# CloudFormation types of ours that take no tags.
UNTAGGABLE = {
    "AWS::CDK::Metadata",
    "AWS::Events::EventBusPolicy",
    "AWS::Glue::Database",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::Logs::MetricFilter",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}
PROJECT = {"Key": "project", "Value": "causeway"}


def test_the_template_is_the_reviewed_one(costs: Template, snapshot: SnapshotAssertion) -> None:
    assert normalised(costs) == snapshot


def tags_of(resource: dict[str, Any]) -> list[dict[str, str]]:
    properties = resource.get("Properties", {})
    tags = properties.get("Tags") or properties.get("ResourceTags") or []
    return [{"Key": k, "Value": v} for k, v in tags.items()] if isinstance(tags, dict) else tags


def test_every_taggable_resource_carries_the_project_tag(templates: dict[str, Template]) -> None:
    untagged = [
        f"{name}/{logical_id} ({resource['Type']})"
        for name, template in templates.items()
        for logical_id, resource in template.to_json()["Resources"].items()
        if resource["Type"] not in UNTAGGABLE and PROJECT not in tags_of(resource)
    ]
    assert untagged == []


def test_every_stack_carries_the_project_tag(stacks: dict[str, cdk.Stack]) -> None:
    assert {name: stack.tags.tag_values() for name, stack in stacks.items()} == {
        name: {"project": "causeway"} for name in stacks
    }


@pytest.mark.parametrize(("kind", "threshold"), [("ACTUAL", 80), ("FORECASTED", 100)])
def test_the_budget_watches_what_carries_the_tag(costs: Template, kind: str, threshold: int) -> None:
    (budget,) = resources(costs, "AWS::Budgets::Budget").values()
    assert budget["Properties"]["Budget"]["CostFilters"] == {"TagKeyValue": ["user:project$causeway"]}
    notified = [n["Notification"] for n in budget["Properties"]["NotificationsWithSubscribers"]]
    assert (kind, threshold) in {(n["NotificationType"], n["Threshold"]) for n in notified}
