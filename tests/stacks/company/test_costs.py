"""The tags in billing, and the budget and the monitor that watch what carries them."""

import json
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from syrupy.assertion import SnapshotAssertion

from causeway.settings import Settings
from tests.stacks.conftest import build_app, named, normalised, resources, statements


def test_the_template_is_the_reviewed_one(costs: Template, snapshot: SnapshotAssertion) -> None:
    assert normalised(costs) == snapshot


@pytest.mark.parametrize(("kind", "threshold"), [("ACTUAL", 80), ("FORECASTED", 100)])
def test_the_budget_watches_what_carries_the_tag(costs: Template, kind: str, threshold: int) -> None:
    (budget,) = resources(costs, "AWS::Budgets::Budget").values()
    assert budget["Properties"]["Budget"]["CostFilters"] == {"TagKeyValue": ["user:project$causeway"]}
    notified = [n["Notification"] for n in budget["Properties"]["NotificationsWithSubscribers"]]
    assert (kind, threshold) in {(n["NotificationType"], n["Threshold"]) for n in notified}


def test_the_tags_are_activated_daily_and_by_no_resource_of_the_template(costs: Template) -> None:
    function = named(costs, "AWS::Lambda::Function", "ActivateTags")
    keys = json.loads(function["Environment"]["Variables"]["KEYS"])
    assert keys == ["project", "owner", "environment", "cost-centre", "data-classification"]
    assert named(costs, "AWS::Events::Rule", "Daily")["ScheduleExpression"] == "rate(1 day)"
    assert [kind for kind in _kinds(costs) if kind.startswith("Custom::")] == []
    allowed = {action for one in statements(costs) for action in one["Action"] if action.startswith("ce:")}
    assert allowed == {
        "ce:ListCostAllocationTagBackfillHistory",
        "ce:ListCostAllocationTags",
        "ce:StartCostAllocationTagBackfill",
        "ce:UpdateCostAllocationTagsStatus",
    }


def _kinds(template: Template) -> set[str]:
    return {resource["Type"] for resource in template.to_json()["Resources"].values()}


def test_without_a_limit_there_is_no_monitor_and_nobody_else_publishes(costs: Template) -> None:
    assert not any("::CE::" in kind for kind in _kinds(costs))
    assert "costalerts" not in json.dumps(costs.to_json())


def test_a_monitor_by_tag_tells_the_budgets_topic_from_so_many_dollars_on(
    settings: Settings, tmp_path: Path
) -> None:
    limits = settings.limits.model_copy(update={"anomaly_dollars": 25})
    app = build_app(settings.model_copy(update={"limits": limits}), tmp_path)
    stack = app.node.find_child("causeway-costs")
    assert isinstance(stack, cdk.Stack)
    template = Template.from_stack(stack)
    monitor = named(template, "AWS::CE::AnomalyMonitor", "Monitor")
    assert json.loads(monitor["MonitorSpecification"]) == {
        "Tags": {"Key": "project", "Values": ["causeway"], "MatchOptions": ["EQUALS"]}
    }
    told = named(template, "AWS::CE::AnomalySubscription", "Anomalies")
    assert json.loads(told["ThresholdExpression"])["Dimensions"]["Values"] == ["25"]
    (topic,) = resources(template, "AWS::SNS::Topic")
    assert told["Subscribers"] == [{"Type": "SNS", "Address": {"Ref": topic}}]
    (policy,) = resources(template, "AWS::SNS::TopicPolicy").values()
    published = {
        one["Principal"].get("Service"): one["Condition"]
        for one in policy["Properties"]["PolicyDocument"]["Statement"]
        if one["Effect"] == "Allow"
    }
    assert published.keys() == {"budgets.amazonaws.com", "costalerts.amazonaws.com"}
    assert set(map(str, published.values())) == {str({"StringEquals": {"aws:SourceAccount": "111111111111"}})}
    for resource in (monitor, told):
        assert {"Key": "project", "Value": "causeway"} in resource["ResourceTags"]
