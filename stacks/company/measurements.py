"""Metrics by dataset, and the alarms on what a contract promises of freshness and quality."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from causeway.contract.model import Contract
from causeway.flow.metrics import DIMENSION, FRESHNESS, OLDEST, SHARE
from causeway.flow.parameters import MeasureParameters
from causeway.settings import Settings
from stacks.company.alarms import alarm
from stacks.parts.functions import PythonFunction
from stacks.parts.machines import DATASET_CURATED
from stacks.parts.permissions import allow

EVERY = Duration.minutes(15)


class Measurements(Construct):
    """`measure` hears of commits, and looks at what runs and what does not come every quarter of an hour."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        contracts: Mapping[str, Contract],
        machine: sfn.StateMachine,
        ledger: dynamodb.Table,
        failures: sns.Topic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._namespace, self._failures = settings.project, failures
        promising = sorted(name for name, contract in contracts.items() if contract.freshness)
        self.measure = PythonFunction(
            self,
            "Measure",
            name="measure",
            description="Commits, running batches and freshness in, metrics by dataset out",
            parameters=MeasureParameters(
                promising, machine.state_machine_arn, ledger.table_name, settings.project
            ),
            settings=settings,
            timeout=Duration.minutes(1),
        )
        allow(self.measure.role, "dynamodb:Query dynamodb:UpdateItem", ledger.table_arn)
        allow(self.measure.role, "states:ListExecutions", machine.state_machine_arn)
        self._listen()
        for dataset, contract in sorted(contracts.items()):
            if contract.freshness:
                self._watch_freshness(dataset, contract.freshness)
            if contract.quarantine_limit is not None:
                self._alarm("Quarantined", SHARE, dataset, contract.quarantine_limit, Duration.minutes(1))

    def _listen(self) -> None:
        target = targets.LambdaFunction(self.measure.function, retry_attempts=2)
        committed = events.EventPattern(source=[self._namespace], detail_type=[DATASET_CURATED])
        every_commit = "Every commit of a curated table"
        events.Rule(self, "Committed", description=every_commit, event_pattern=committed, targets=[target])
        schedule = events.Schedule.rate(EVERY)
        looks = "Looks at what runs, and at what does not come"
        events.Rule(self, "Regularly", description=looks, schedule=schedule, targets=[target])

    def _watch_freshness(self, dataset: str, seconds: int) -> None:
        self._alarm("Late", OLDEST, dataset, seconds, EVERY)
        stale = self._alarm("Stale", FRESHNESS, dataset, seconds, EVERY)
        # That nobody measures is silence too.
        stale.add_insufficient_data_action(cloudwatch_actions.SnsAction(self._failures))
        resource = stale.node.default_child
        assert isinstance(resource, cloudwatch.CfnAlarm)
        resource.treat_missing_data = "missing"

    def _alarm(
        self, kind: str, name: str, dataset: str, threshold: float, period: Duration
    ) -> cloudwatch.Alarm:
        return alarm(
            self,
            f"{kind}-{dataset}",
            cloudwatch.Metric(
                namespace=self._namespace, metric_name=name, dimensions_map={DIMENSION: dataset}
            ),
            topic=self._failures,
            threshold=threshold,
            above=True,
            period=period,
            names=f"causeway status --dataset {dataset} names its batches",
        )
