"""The event bus on which the company tells of its commits."""

from typing import Any

from aws_cdk import CfnResource
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from causeway.settings import Settings
from stacks.parts.machines import DATASET_CURATED

SID = "CompanyTellsOfCommits"


def news_bus(scope: Construct, settings: Settings) -> events.EventBus:
    """It takes nothing else, and from nobody else."""
    news = events.EventBus(scope, "News", event_bus_name=settings.partner.ml.bus)
    told = {"events:source": settings.project, "events:detail-type": DATASET_CURATED}
    conditions: dict[str, Any] = {
        # A request may hold several events; without the second line, one that holds none would pass.
        "ForAllValues:StringEquals": told,
        "Null": dict.fromkeys(told, "false"),
    }
    statement = iam.PolicyStatement(
        sid=SID,
        principals=[iam.AccountPrincipal(settings.company.account)],
        actions=["events:PutEvents"],
        resources=[news.event_bus_arn],
        conditions=conditions,
    )
    # CDK's class for it warns of a property that nobody sets.
    CfnResource(
        scope,
        "NewsPolicy",
        type="AWS::Events::EventBusPolicy",
        properties={
            "EventBusName": news.event_bus_name,
            "StatementId": SID,
            "Statement": statement.to_statement_json(),
        },
    )
    return news
