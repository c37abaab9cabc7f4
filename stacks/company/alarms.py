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

MINUTE = Duration.minutes(1)
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


def alarm_at_first(
    scope: Construct,
    metrics: Mapping[str, cloudwatch.Metric],
    *,
    statistic: str,
    topic: sns.Topic,
    threshold: int = 1,
) -> None:
    """An alarm for each metric, by construct id, that notifies the topic."""
    for construct_id, metric in metrics.items():
        alarm = cloudwatch.Alarm(
            scope,
            construct_id,
            metric=metric.with_(period=MINUTE, statistic=statistic),
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(cloudwatch_actions.SnsAction(topic))
