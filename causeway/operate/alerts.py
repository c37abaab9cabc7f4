"""Who hears: the subscriptions of the topics to which alarms, executions and the budget publish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from causeway.operate.account import stack_outputs
from causeway.operate.deployment import Deployment

TOPIC = "AlertTopic"  # the stacks' output
PENDING = "PendingConfirmation"  # in place of an ARN


def company_alerts(deployment: Deployment) -> dict[str, Any]:
    """For the JSON object: who hears of the company's failures (and alarms), and of its budget."""
    costs = stack_outputs(deployment.client("cloudformation"), deployment.settings, "costs")
    return hearing(deployment.client("sns"), {"failures": deployment.pipeline, "budget": costs})


def hearing(sns: Any, outputs: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """How many subscriptions are confirmed, and whose are not, by what the stack's topic is of.

    Stacks without that output were deployed before their topics let anyone publish: nobody hears of these.
    """
    return {
        of: _subscriptions(sns, stack[TOPIC]) if TOPIC in stack else {"confirmed": 0, "unconfirmed": []}
        for of, stack in outputs.items()
    }


def _subscriptions(sns: Any, topic: str) -> dict[str, Any]:
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    found = [(one["SubscriptionArn"], one["Endpoint"]) for page in pages for one in page["Subscriptions"]]
    return {
        "confirmed": sum(arn.startswith("arn:") for arn, _ in found),  # others are pending, or "Deleted"
        "unconfirmed": sorted(endpoint for arn, endpoint in found if arn == PENDING),
    }
