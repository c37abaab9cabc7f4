"""`causeway status` says when nobody hears of failures and the budget, and who has not confirmed."""

import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto.sns.models import sns_backends

from causeway.__main__ import main
from causeway.cli.alerts import lines
from causeway.operate.alerts import hearing
from tests.causeway.conftest import Deployed

HINT = "write emails under [alerts] in settings.toml, then make deploy"
LINK = "not confirmed by the link in SNS's mail"


def subscribe(topic: str, address: str, *, confirmed: bool) -> None:
    sns = boto3.client("sns")
    (arn,) = (one["TopicArn"] for one in sns.list_topics()["Topics"] if one["TopicArn"].endswith(topic))
    subscribed = sns.subscribe(TopicArn=arn, Protocol="email", Endpoint=address, ReturnSubscriptionArn=True)
    if not confirmed:
        # What SNS lists until somebody has followed the mail's link; moto confirms everyone.
        account, region = arn.split(":")[4], arn.split(":")[3]
        subscription = sns_backends[account][region].subscriptions[subscribed["SubscriptionArn"]]
        subscription.arn = "PendingConfirmation"


def status(capsys: pytest.CaptureFixture[str]) -> tuple[list[str], Any]:
    """The lines on who hears, and the JSON object's part of that."""
    capsys.readouterr()
    assert main(["status"]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if " hear" in line]
    assert main(["status", "--json"]) == 0
    return told, json.loads(capsys.readouterr().out)["alerts"]


def test_without_subscriptions_one_line_says_that_nobody_hears_and_what_to_do(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = {"confirmed": 0, "unconfirmed": []}
    assert status(capsys) == (
        [f"nobody hears of failures and budget: {HINT}"],
        {"failures": nobody, "budget": nobody},
    )


def test_who_has_not_confirmed_counts_as_nobody_and_is_named(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    for topic in ("failures", "budget"):
        subscribe(topic, "a@example.com", confirmed=False)
    told, alerts = status(capsys)
    assert told == [f"nobody hears of failures and budget: {LINK}: a@example.com"]
    assert alerts["failures"] == {"confirmed": 0, "unconfirmed": ["a@example.com"]}


def test_each_topic_is_confirmed_for_itself(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    subscribe("failures", "a@example.com", confirmed=True)
    subscribe("budget", "a@example.com", confirmed=False)
    told, alerts = status(capsys)
    assert told == [f"nobody hears of budget: {LINK}: a@example.com"]
    assert alerts == {
        "failures": {"confirmed": 1, "unconfirmed": []},
        "budget": {"confirmed": 0, "unconfirmed": ["a@example.com"]},
    }


def test_once_all_have_confirmed_nothing_is_said(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    for topic in ("failures", "budget"):
        subscribe(topic, "a@example.com", confirmed=True)
    assert status(capsys)[0] == []


def test_who_has_not_confirmed_beside_others_is_named() -> None:
    alerts = {"trainings": {"confirmed": 1, "unconfirmed": ["a@example.com"]}}
    assert [*lines(alerts, "partner.ml")] == [f"some do not hear of trainings: {LINK}: a@example.com"]


def test_who_of_the_settings_is_not_subscribed_or_whose_subscription_was_deleted_is_unconfirmed() -> None:
    sns, topic = boto3.client("sns", region_name="us-east-1"), "arn:aws:sns:us-east-1:111111111111:failures"
    listed = [
        ("PendingConfirmation", "b"),
        ("Deleted", "c"),
        (f"{topic}:1", "d"),
        ("PendingConfirmation", "a"),
    ]
    with Stubber(sns) as stubber:
        for page, (arn, name) in enumerate(listed):
            found = {"SubscriptionArn": arn, "Endpoint": f"{name}@example.com", "Protocol": "email"}
            asked = {"TopicArn": topic, **({"NextToken": str(page)} if page else {})}
            more = {"NextToken": str(page + 1)} if page + 1 < len(listed) else {}
            stubber.add_response("list_subscriptions_by_topic", {"Subscriptions": [found], **more}, asked)
        alerts = hearing(sns, {"failures": {"AlertTopic": topic}}, ["c@example.com", "d@example.com"])
    assert alerts == {
        "failures": {"confirmed": 1, "unconfirmed": ["a@example.com", "b@example.com", "c@example.com"]}
    }


def test_a_deployment_from_before_its_topic_had_subscriptions_is_one_of_which_nobody_hears() -> None:
    assert hearing(None, {"failures": {}}, []) == {"failures": {"confirmed": 0, "unconfirmed": []}}
