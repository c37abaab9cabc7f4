"""Alarms: one failure is enough, every one goes red at the first; and the topics by which people hear."""

from collections.abc import Mapping, Sequence
from typing import Literal

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.parts.permissions import answer_checkov

MINUTE = Duration.minutes(1)
RUNBOOK, NAMES = "docs/runbook.md", "causeway status names dataset and batch"
Publisher = Literal["budgets", "cloudwatch", "costalerts"]


def alert_topic(
    scope: Construct,
    construct_id: str,
    *,
    services: Sequence[Publisher],
    emails: Sequence[str],
    key: kms.Key | None = None,
) -> sns.Topic:
    """A topic to which those services publish for this account, and each address once subscribed.

    With a key, messages are encrypted under it. SNS's own key would not do: no service may use that.
    """
    topic = sns.Topic(scope, construct_id, master_key=key, enforce_ssl=True)
    if not key:
        no_key = "It names things, no data; services may not use SNS's key, and one of ours is $1 a month"
        answer_checkov(topic, {"26": no_key})

    def allowed(service: str, actions: Sequence[str], resource: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid=f"Allow{service.title()}",
            principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
            actions=actions,
            resources=[resource],
            conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}},
        )

    for service in services:
        topic.add_to_resource_policy(allowed(service, ["sns:Publish"], topic.topic_arn))
        if key:
            # SNS encrypts with the rights of whoever publishes.
            key.add_to_resource_policy(allowed(service, ["kms:Decrypt", "kms:GenerateDataKey*"], "*"))
    for email in dict.fromkeys(emails):
        topic.add_subscription(subscriptions.EmailSubscription(email))
    return topic


def alarm(
    scope: Construct,
    construct_id: str,
    metric: cloudwatch.Metric,
    *,
    topic: sns.Topic,
    threshold: float = 1,
    statistic: str = "Maximum",
    period: Duration = MINUTE,
    above: bool = False,
    names: str = NAMES,
) -> cloudwatch.Alarm:
    """An alarm of one value that reaches the threshold (or is `above` it), which notifies the topic.

    Its id is `<kind>` or `<kind>-<of what>`; its kind is its section of the runbook. `names`: what says more.
    """
    kind, _, of = construct_id.partition("-")
    reached = f"{kind} of {of}" if of else kind
    operators = cloudwatch.ComparisonOperator
    made = cloudwatch.Alarm(
        scope,
        construct_id,
        alarm_description=f"{reached}: {RUNBOOK}#{kind.lower()}; {names}",
        metric=metric.with_(period=period, statistic=statistic),
        threshold=threshold,
        evaluation_periods=1,
        comparison_operator=operators.GREATER_THAN_THRESHOLD
        if above
        else operators.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    made.add_alarm_action(cloudwatch_actions.SnsAction(topic))
    return made


def alarm_at_first(
    scope: Construct,
    metrics: Mapping[str, cloudwatch.Metric],
    *,
    statistic: str,
    topic: sns.Topic,
    threshold: float = 1,
    names: str = NAMES,
) -> None:
    """An alarm for each metric, by construct id, that notifies the topic."""
    for construct_id, metric in metrics.items():
        alarm(scope, construct_id, metric, topic=topic, threshold=threshold, statistic=statistic, names=names)
