"""Costs: tags on everything, and a budget that watches what carries it."""

from typing import Any

from aws_cdk import CfnOutput, Stack, Tags
from aws_cdk import aws_budgets as budgets
from constructs import Construct, IConstruct

from causeway.settings import Settings
from causeway.settings_tags import PROJECT
from stacks.company.alarms import alert_topic


def tag_everything(scope: IConstruct, settings: Settings) -> None:
    """Tag every taggable resource. Stacks take the same tags as an argument: this does not reach them."""
    for key, value in settings.every_tag().items():
        Tags.of(scope).add(key, value)


class CostsStack(Stack):
    """The month's budget for everything that carries the project tag."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)
        alerts = alert_topic(self, "BudgetAlerts", service="budgets", emails=settings.alerts.emails)
        CfnOutput(self, "AlertTopic", value=alerts.topic_arn)
        subscriber = budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=alerts.topic_arn)
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(
                    amount=settings.limits.monthly_budget, unit="USD"
                ),
                cost_filters={"TagKeyValue": [f"user:{PROJECT}${settings.project}"]},
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
