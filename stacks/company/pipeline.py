"""The pipeline: from queued landing events to a curated table."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import ArnFormat, CfnOutput, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda_event_sources as event_sources
from constructs import Construct

from causeway.contract.model import Contract
from causeway.flow.manifest import BATCHES_PREFIX
from causeway.flow.parameters import BatchEventsParameters, ReconcileParameters, SplitBatchParameters
from causeway.settings import Settings
from stacks.company.alarms import alert_topic
from stacks.company.batches import Batches
from stacks.company.curate_job import CurateJob
from stacks.company.curate_small import CurateSmall
from stacks.company.dashboard import Dashboard
from stacks.company.lake import BATCHING_TIMEOUT, LakeStack
from stacks.company.measurements import Measurements
from stacks.company.news import News
from stacks.company.pipeline_alarms import (
    alarm_on_executions,
    alarm_on_functions,
    alarm_on_logs,
    alarm_on_queues,
)
from stacks.company.profiles import Profiles
from stacks.company.run_prices import RunPrices
from stacks.parts.functions import PythonFunction, make_log_group, removal_policy
from stacks.parts.permissions import allow


class PipelineStack(Stack):
    """Functions, state machine, Glue job, ledger, and the alarms that turn red."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        lake: LakeStack,
        contracts: Mapping[str, Contract],
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._settings, self._lake = settings, lake
        emails = settings.alerts.emails
        self.failures = alert_topic(self, "Failures", services=["cloudwatch"], emails=emails, key=lake.key)
        self.ledger = self._ledger()
        self._job_logs = make_log_group(self, "CurateLogs", settings)
        self.job = CurateJob(
            self, "Curate", settings=settings, lake=lake, ledger=self.ledger, log_group=self._job_logs
        )
        self.small = CurateSmall.wanted(self, settings, self.job)
        self.split_batch = self._split_batch()
        self.profiles = self._profiles()
        jobs = [self.job.job, *([self.profiles.job.job] if self.profiles else [])]
        self.prices = RunPrices(self, "RunPrices", settings=settings, jobs=jobs, ledger=self.ledger)
        # Log delivery's resource policy has a size limit; names under this prefix share one.
        log_name = f"/aws/vendedlogs/states/{settings.project}-batches"
        self.batches = Batches(
            self,
            "Batches",
            project=settings.project,
            job=self.job.job,
            ledger=self.ledger,
            small=self.small,
            price_run=self.prices.function,
            split_batch=self.split_batch.function,
            failures=self.failures,
            log_group=make_log_group(self, "BatchesLogs", settings, log_name),
            removal_policy=removal_policy(settings),
        )
        self.batch_events = self._batch_events()
        if settings.partner.ml.enabled and (readable := settings.partner.readable(contracts)):
            News(self, "News", settings=settings, datasets=readable, failures=self.failures)
        removing = sorted(name for name, contract in contracts.items() if contract.on_delete == "remove")
        self.reconcile = self._reconcile(removing)
        self._watch(contracts)
        CfnOutput(self, "AlertTopic", value=self.failures.topic_arn)
        CfnOutput(self, "LedgerTable", value=self.ledger.table_name)
        CfnOutput(self, "StateMachine", value=self.batches.machine.state_machine_arn)
        if self.profiles:
            CfnOutput(self, "ProfilesMachine", value=self.profiles.machine.state_machine_arn)

    def _profiles(self) -> Profiles | None:
        if not any(self._settings.profile_hours().values()):
            return None
        return Profiles(
            self,
            "Profiles",
            settings=self._settings,
            lake=self._lake,
            ledger=self.ledger,
            failures=self.failures,
        )

    def _ledger(self) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            "Ledger",
            partition_key=dynamodb.Attribute(name="dataset", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="item", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self._lake.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=removal_policy(self._settings),
        )

    def _split_batch(self) -> PythonFunction:
        lake = self._lake
        split = PythonFunction(
            self,
            "SplitBatch",
            name="split_batch",
            description="A batch that killed its job in, the part of it to run next out",
            parameters=SplitBatchParameters(lake.landing_bucket.bucket_name),
            settings=self._settings,
            timeout=Duration.minutes(1),
        )
        manifests = f"{lake.landing_arn}/{BATCHES_PREFIX}*"
        allow(
            split.role, "s3:GetObject s3:PutObject", manifests, why_wildcards="Manifests: one for each part"
        )
        allow(split.role, "kms:Decrypt kms:GenerateDataKey", lake.key.key_arn)
        return split

    def _batch_events(self) -> PythonFunction:
        lake, machine, batching = self._lake, self.batches.machine, self._settings.batching()
        batch_events = PythonFunction(
            self,
            "BatchEvents",
            name="batch_events",
            description="Queued landing events in, one execution per dataset and batch out",
            parameters=BatchEventsParameters(
                batching=batching,
                landing_bucket=lake.landing_bucket.bucket_name,
                quarantine_bucket=lake.quarantine_bucket.bucket_name,
                state_machine=machine.state_machine_arn,
                queue_url=lake.landing_events.queue_url,
                ledger_table=self.ledger.table_name,
            ),
            settings=self._settings,
            timeout=BATCHING_TIMEOUT,
        )
        batch_events.function.add_event_source(
            event_sources.SqsEventSource(
                lake.landing_events,
                batch_size=max(10, *(limits.get("max_objects", 0) for limits in batching.values())),
                max_batching_window=Duration.seconds(self._settings.limits.batch_window_seconds),
                report_batch_item_failures=True,
                max_concurrency=2,
            )
        )
        self._allow_batching(batch_events)
        return batch_events

    def _allow_batching(self, batch_events: PythonFunction) -> None:
        lake, machine, role = self._lake, self.batches.machine, batch_events.role
        manifests, unrouted = f"{lake.landing_arn}/{BATCHES_PREFIX}*", f"{lake.quarantine_arn}/unrouted/*"
        executions = self.format_arn(
            service="states",
            resource="execution",
            resource_name=f"{machine.state_machine_name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        allow(role, "s3:PutObject", manifests, why_wildcards="Manifests: one for each batch")
        allow(role, "s3:PutObject", unrouted, why_wildcards="What no dataset can take: one record for each")
        allow(role, "kms:Decrypt kms:GenerateDataKey", lake.key.key_arn)
        allow(role, "states:StartExecution", machine.state_machine_arn)
        by_name = "This state machine's executions, by name"
        allow(role, "states:DescribeExecution", executions, why_wildcards=by_name)
        allow(role, "dynamodb:BatchGetItem dynamodb:GetItem", self.ledger.table_arn)
        # What a dataset with a window of its own holds goes back into the queue.
        allow(role, "sqs:SendMessage", lake.landing_events.queue_arn)

    def _reconcile(self, removing: list[str]) -> PythonFunction:
        lake, limits = self._lake, self._settings.limits
        reconcile = PythonFunction(
            self,
            "Reconcile",
            name="reconcile",
            description="Landing against the ledger: what is missing is queued again",
            parameters=ReconcileParameters(
                landing_bucket=lake.landing_bucket.bucket_name,
                queue_url=lake.landing_events.queue_url,
                ledger_table=self.ledger.table_name,
                removing=removing,
                retention_days=limits.landing_retention_days,
            ),
            settings=self._settings,
            timeout=Duration.minutes(15),
            memory_mb=1769,  # a whole processor: it is what a pass over millions of objects waits for
        )
        role = reconcile.role
        allow(role, "s3:ListBucketVersions", lake.landing_arn)
        allow(role, "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:PutItem", self.ledger.table_arn)
        allow(role, "sqs:SendMessage", lake.landing_events.queue_arn)
        allow(role, "kms:Decrypt", lake.key.key_arn)
        events.Rule(
            self,
            "Reconciliation",
            description="Looks for what landed and whose event never came",
            schedule=events.Schedule.rate(Duration.hours(limits.reconcile_hours)),
            targets=[targets.LambdaFunction(reconcile.function, retry_attempts=2)],
        )
        return reconcile

    def _watch(self, contracts: Mapping[str, Contract]) -> None:
        """Metrics by dataset, every alarm, and the dashboard."""
        measurements = Measurements(
            self,
            "Measurements",
            settings=self._settings,
            contracts=contracts,
            machine=self.batches.machine,
            ledger=self.ledger,
            failures=self.failures,
        )
        machines, log_groups = {"Batch": self.batches.machine}, {"Curating": self._job_logs}
        functions = {
            "Batching": self.batch_events,
            "Reconciliation": self.reconcile,
            "Splitting": self.split_batch,
            "Measuring": measurements.measure,
        }
        if self.profiles:
            machines["Profile"] = self.profiles.machine
            functions["Scheduling"] = self.profiles.schedule
        if self.small:
            functions["SmallBatch"] = self.small.curate
        alarm_on_executions(self, machines, self.failures)
        called = {does: one.function for does, one in functions.items()} | {"Pricing": self.prices.function}
        alarm_on_functions(self, called, self.failures)
        alarm_on_queues(self, self._lake, self._settings, self.failures)
        log_groups |= {does: one.log_group for does, one in functions.items()}
        alarm_on_logs(self, log_groups, self._settings, self.failures)
        project, machine = self._settings.project, self.batches.machine
        Dashboard(self, "Dashboard", project=project, lake=self._lake, machine=machine)
