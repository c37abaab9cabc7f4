"""Who hears: the subscriptions of the topics to which alarms, executions and the budget publish."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from causeway.operate.account import stack_outputs
from causeway.operate.deployment import Deployment

TOPIC = "AlertTopic"  # the stacks' output
PENDING = "PendingConfirmation"  # in place of an ARN


def company_alerts(deployment: Deployment) -> dict[str, Any]:
    """For the JSON object: who hears of the company's failures (and alarms), and of its budget."""
    costs = stack_outputs(deployment.client("cloudformation"), deployment.settings, "costs")
    topics = {"failures": deployment.pipeline, "budget": costs}
    return hearing(deployment.client("sns"), topics, deployment.settings.alerts.emails)


def hearing(sns: Any, outputs: Mapping[str, Mapping[str, str]], emails: Collection[str]) -> dict[str, Any]:
    """How many subscriptions are confirmed, and who has not confirmed, by what the stack's topic is of.

    `emails`: the settings' addresses, since SNS forgets who does not confirm within days. Stacks without that
    output were deployed before their topics let anyone publish: nobody hears of these.
    """
    return {
        of: _subscriptions(_listed(sns, stack[TOPIC]) if TOPIC in stack else [], emails)
        for of, stack in outputs.items()
    }


def _listed(sns: Any, topic: str) -> list[tuple[str, str]]:
    """ARN and endpoint of each subscription."""
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    return [(one["SubscriptionArn"], one["Endpoint"]) for page in pages for one in page["Subscriptions"]]


def _subscriptions(listed: Collection[tuple[str, str]], emails: Collection[str]) -> dict[str, Any]:
    confirmed = {endpoint for arn, endpoint in listed if arn.startswith("arn:")}  # not if it is "Deleted"
    pending = {endpoint for arn, endpoint in listed if arn == PENDING}
    return {"confirmed": len(confirmed), "unconfirmed": sorted((pending | {*emails}) - confirmed)}
