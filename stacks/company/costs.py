"""Costs: tags on everything and in billing, and who hears when what carries them costs too much."""

import json
from typing import Any

from aws_cdk import CfnOutput, Duration, Stack, Tags
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_ce as ce
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct, IConstruct

from causeway.flow.parameters import ActivateTagsParameters
from causeway.settings import Settings
from causeway.settings_tags import PROJECT
from stacks.company.alarms import Publisher, alert_topic
from stacks.parts.functions import PythonFunction
from stacks.parts.permissions import allow


def tag_everything(scope: IConstruct, settings: Settings) -> None:
    """Tag every taggable resource. Stacks take the same tags as an argument: this does not reach them."""
    for key, value in settings.every_tag().items():
        Tags.of(scope).add(key, value)


class CostsStack(Stack):
    """The month's budget, and a monitor, for what carries the project tag; its activation in billing."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._settings, emails = settings, settings.alerts.emails
        looks = settings.limits.anomaly_dollars > 0
        publishers: list[Publisher] = ["budgets", "costalerts"] if looks else ["budgets"]
        alerts = alert_topic(self, "BudgetAlerts", services=publishers, emails=emails)
        CfnOutput(self, "AlertTopic", value=alerts.topic_arn)
        self._budget(alerts)
        if looks:
            self._look_for_anomalies(alerts)
        self._activate_tags()

    def _budget(self, alerts: sns.Topic) -> None:
        project, limits = self._settings.project, self._settings.limits
        subscriber = budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=alerts.topic_arn)
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=limits.monthly_budget, unit="USD"),
                cost_filters={"TagKeyValue": [f"user:{PROJECT}${project}"]},
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        comparison_operator="GREATER_THAN",
                        notification_type=kind,
                        threshold=threshold,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[subscriber],
                )
                for kind, threshold in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
        )

    def _look_for_anomalies(self, alerts: sns.Topic) -> None:
        project, dollars = self._settings.project, self._settings.limits.anomaly_dollars
        watched = {"Tags": {"Key": PROJECT, "Values": [project], "MatchOptions": ["EQUALS"]}}
        monitor = ce.CfnAnomalyMonitor(
            self,
            "Monitor",
            monitor_name=f"{project}-spending",
            monitor_type="CUSTOM",
            monitor_specification=json.dumps(watched),
        )
        impact = {
            "Key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE",
            "MatchOptions": ["GREATER_THAN_OR_EQUAL"],
            "Values": [f"{dollars}"],
        }
        ce.CfnAnomalySubscription(
            self,
            "Anomalies",
            subscription_name=f"{project}-anomalies",
            frequency="IMMEDIATE",
            monitor_arn_list=[monitor.attr_monitor_arn],
            subscribers=[ce.CfnAnomalySubscription.SubscriberProperty(type="SNS", address=alerts.topic_arn)],
            threshold_expression=json.dumps({"Dimensions": impact}),
        )

    def _activate_tags(self) -> None:
        """Daily: billing lists a key only after its use, and no resource of a template waits for that."""
        activate = PythonFunction(
            self,
            "ActivateTags",
            name="activate_tags",
            description="Has billing divide the bill by our tags, as soon as it lists them",
            parameters=ActivateTagsParameters(list(self._settings.every_tag())),
            settings=self._settings,
            timeout=Duration.minutes(1),
        )
        allow(
            activate.role,
            "ce:ListCostAllocationTags ce:UpdateCostAllocationTagsStatus "
            "ce:ListCostAllocationTagBackfillHistory ce:StartCostAllocationTagBackfill",
            "*",
            why_wildcards="Cost-allocation tags are the account's, and have no resources",
        )
        events.Rule(
            self,
            "Daily",
            description="Activates what billing lists of our tags",
            schedule=events.Schedule.rate(Duration.days(1)),
            targets=[targets.LambdaFunction(activate.function, retry_attempts=2)],
        )
