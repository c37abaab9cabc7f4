"""The alarms: one failure is enough, every alarm goes red at the first."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_sns as sns
from constructs import Construct

MINUTE = Duration.minutes(1)


def alarm_at_first(
    scope: Construct, metrics: Mapping[str, cloudwatch.Metric], *, statistic: str, topic: sns.Topic
) -> None:
    """An alarm for each metric, by construct id, that notifies the topic."""
    for construct_id, metric in metrics.items():
        alarm = cloudwatch.Alarm(
            scope,
            construct_id,
            metric=metric.with_(period=MINUTE, statistic=statistic),
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(cloudwatch_actions.SnsAction(topic))
