"""News: the partner's account hears of each commit of a dataset that it may read."""

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from causeway.settings import Settings
from stacks.company.alarms import alarm_at_first
from stacks.parts.machines import DATASET_CURATED
from stacks.parts.permissions import acknowledge
from stacks.parts.queues import managed_queue

# A pattern has 4,096 characters at most, and a dataset's name up to 40.
DATASETS_IN_A_PATTERN = 80


class News(Construct):
    """Rules that pass commits on to the partner's event bus; what that does not take stays in a queue."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        datasets: Sequence[str],
        failures: sns.Topic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._project = settings.project
        self._undelivered = self._queue(settings)
        partner = settings.partner
        # Not looked up: the bus is the partner's, and may be deployed later or made anew.
        arn = f"arn:aws:events:{settings.company.region}:{partner.account}:event-bus/{partner.ml.bus}"
        bus = events.EventBus.from_event_bus_arn(self, "Bus", arn)
        role = self._role()
        for start in range(0, len(datasets), DATASETS_IN_A_PATTERN):
            self._rule(f"Rule{start or ''}", datasets[start : start + DATASETS_IN_A_PATTERN], bus, role)
        messages = {"PartnerNotTold": self._undelivered.metric_approximate_number_of_messages_visible()}
        alarm_at_first(self, messages, statistic="Maximum", topic=failures)

    def _rule(
        self, construct_id: str, datasets: Sequence[str], bus: events.IEventBus, role: iam.Role
    ) -> None:
        events.Rule(
            self,
            construct_id,
            description="Commits of the datasets that the partner may read",
            event_pattern=events.EventPattern(
                source=[self._project], detail_type=[DATASET_CURATED], detail={"dataset": [*datasets]}
            ),
            targets=[targets.EventBus(bus, role=role, dead_letter_queue=self._undelivered)],
        )

    def _role(self) -> iam.Role:
        """The target adds what it may do: put events on that bus."""
        account = {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        return iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("events.amazonaws.com", conditions=account),
            description="EventBridge: tells the partner's event bus of commits",
        )

    def _queue(self, settings: Settings) -> sqs.Queue:
        queue = managed_queue(self, "Undelivered", settings, retention_period=Duration.days(14))
        acknowledge(queue, "AwsSolutions::AwsSolutions-SQS3", "It is itself where undelivered events end")
        return queue
