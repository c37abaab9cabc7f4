"""The way from an alarm or the budget to people: every alarm's topic, and who is subscribed to it."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from causeway.settings import Settings
from tests.stacks.conftest import build_app, resources

COMPANYS, PARTNERS = ["data@example.com", "d.ata@example.com"], ["ml@example.com"]
# The logical ids that deployments have: another would replace the topic, and ask for all confirmations anew.
TOPICS = {
    "pipeline": ("Failures8A3E1A2F", COMPANYS),
    "costs": ("BudgetAlertsB25CE4A8", COMPANYS),
    "training": ("Failures8A3E1A2F", PARTNERS),
}


@pytest.fixture(scope="module")
def subscribed(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """The templates with addresses in the settings, one of them twice."""
    ml = settings.partner.ml.model_copy(update={"emails": PARTNERS})
    changes = {
        "alerts": settings.alerts.model_copy(update={"emails": [*COMPANYS, COMPANYS[0]]}),
        "partner": settings.partner.model_copy(update={"ml": ml}),
    }
    app = build_app(settings.model_copy(update=changes), tmp_path_factory.mktemp("cdk.out"))
    stacks = [child for child in app.node.children if isinstance(child, cdk.Stack)]
    return {stack.stack_name.removeprefix("causeway-"): Template.from_stack(stack) for stack in stacks}


def subscriptions(template: Template) -> list[dict[str, Any]]:
    return [found["Properties"] for found in resources(template, "AWS::SNS::Subscription").values()]


@pytest.mark.parametrize("stack", TOPICS)
def test_each_address_is_subscribed_once_to_each_topic_of_its_account(
    stack: str, subscribed: dict[str, Template]
) -> None:
    topic, emails = TOPICS[stack]
    expected = [{"Protocol": "email", "TopicArn": {"Ref": topic}, "Endpoint": email} for email in emails]
    assert sorted(subscriptions(subscribed[stack]), key=str) == sorted(expected, key=str)


def test_without_addresses_nobody_is_subscribed(templates: dict[str, Template]) -> None:
    assert [name for name, template in templates.items() if subscriptions(template)] == []


def test_there_are_no_other_topics(templates: dict[str, Template]) -> None:
    topics = {name: [*resources(template, "AWS::SNS::Topic")] for name, template in templates.items()}
    assert {name: found for name, found in topics.items() if found} == {
        name: [topic] for name, (topic, _) in TOPICS.items()
    }


def test_every_alarm_and_every_notification_of_the_budget_goes_to_the_topic_of_its_stack(
    templates: dict[str, Template],
) -> None:
    told = []
    for name, template in templates.items():
        for alarm in resources(template, "AWS::CloudWatch::Alarm").values():
            assert alarm["Properties"].get("ActionsEnabled", True)
            told.append((name, alarm["Properties"].get("AlarmActions")))
    (budget,) = resources(templates["costs"], "AWS::Budgets::Budget").values()
    for notification in budget["Properties"]["NotificationsWithSubscribers"]:
        (subscriber,) = notification["Subscribers"]
        assert subscriber["SubscriptionType"] == "SNS"
        told.append(("costs", [subscriber["Address"]]))
    assert {name for name, _ in told} == TOPICS.keys()
    assert [(name, to) for name, to in told if to != [{"Ref": TOPICS[name][0]}]] == []


def test_the_companys_topic_is_encrypted_under_the_lakes_key(templates: dict[str, Template]) -> None:
    (topic,) = resources(templates["pipeline"], "AWS::SNS::Topic").values()
    (exported,) = (
        output["Export"]["Name"]
        for output in templates["lake"].to_json()["Outputs"].values()
        if output.get("Value", {}) == {"Fn::GetAtt": [_key(templates["lake"]), "Arn"]}
    )
    assert topic["Properties"]["KmsMasterKeyId"] == {"Fn::ImportValue": exported}


def _key(lake: Template) -> str:
    (key,) = (
        k for k, found in resources(lake, "AWS::KMS::Key").items() if "KeySpec" not in found["Properties"]
    )
    return key
