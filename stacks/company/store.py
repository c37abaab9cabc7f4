"""The relational store: what contracts serve there, loaded after each commit, read by applications."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import CfnOutput, Duration, Fn, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from causeway.contract.model import Contract
from causeway.flow.loads import CHANGES, ITEM, OUTCOME
from causeway.flow.parameters import DATASET, LOAD
from causeway.settings import Settings
from stacks.company.alarms import alarm_at_first
from stacks.company.lake import LakeStack
from stacks.company.news import DATASETS_IN_A_PATTERN
from stacks.company.pipeline import PipelineStack
from stacks.company.run_prices import RunPrices
from stacks.company.store_cluster import DATABASE, ZONES, StoreCluster
from stacks.company.store_job import StoreJob
from stacks.company.store_partner import StorePartner, calls_to_read
from stacks.company.store_search import StoreSearch
from stacks.company.store_vectors import StoreVectors
from stacks.parts.buckets import private_bucket
from stacks.parts.functions import make_log_group, removal_policy
from stacks.parts.machines import (
    DATASET_CURATED,
    make_machine,
    notify_and_fail,
    publish,
    read_outcome,
    retry,
    run_job,
)
from stacks.parts.permissions import allow
from stacks.parts.roles import application_role

LOADED = "Dataset Loaded"
# A load that fails is tried again: the store was away, full or being changed.
TRIES, BETWEEN = 4, Duration.minutes(2)


class StoreStack(Stack):
    """Cluster, job and state machine; `applications` is the role that reads the store and nothing else."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        lake: LakeStack,
        pipeline: PipelineStack,
        contracts: Mapping[str, Contract],
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._settings, self._lake, self._pipeline = settings, lake, pipeline
        self.staging = self._make_staging()
        self.store = StoreCluster(self, "Store", settings=settings, lake=lake, staging=self.staging)
        common: Any = {"settings": settings, "lake": lake}
        in_s3 = settings.store.vectors == "s3"
        vectors = StoreVectors(self, "Vectors", contracts=contracts, **common) if in_s3 else None
        self.job = StoreJob(
            self,
            "Load",
            **common,
            store=self.store,
            staging=self.staging,
            vectors=vectors,
            contracts=contracts,
            ledger=pipeline.ledger,
            log_group=make_log_group(self, "LoadLogs", settings),
        )
        jobs = [self.job.job]
        prices = RunPrices(self, "RunPrices", settings=settings, jobs=jobs, ledger=pipeline.ledger)
        self.machine = self._make_machine()
        served = sorted(name for name, contract in contracts.items() if contract.served)
        for start in range(0, len(served), DATASETS_IN_A_PATTERN):
            self._hear(f"Committed{start or ''}", served[start : start + DATASETS_IN_A_PATTERN])
        failed = {
            "LoadFailed": self.machine.metric_failed(),
            "LoadTimedOut": self.machine.metric_timed_out(),
            "LoadPricingFailed": prices.function.metric_errors(),
        }
        alarm_at_first(self, failed, statistic="Sum", topic=pipeline.failures)
        self.applications = self._let_read()
        search = StoreSearch(self, "Search", **common, store=self.store, vectors=vectors)
        allow(self.applications, "lambda:InvokeFunction", search.function.function_arn)
        CfnOutput(self, "SearchFunction", value=search.function.function_name)
        if secret := self.store.partner_secret:
            StorePartner(self, "Partner", **common, store=self.store, secret=secret)
            CfnOutput(self, "PartnerSecret", value=secret.secret_arn)
        self._tell()

    def _tell(self) -> None:
        CfnOutput(self, "Cluster", value=self.store.cluster.cluster_arn)
        CfnOutput(self, "Database", value=DATABASE)
        CfnOutput(self, "ReaderSecret", value=self.store.reader_secret.secret_arn)
        CfnOutput(self, "ApplicationRoleArn", value=self.applications.role_arn)
        CfnOutput(self, "LoadMachine", value=self.machine.state_machine_arn)

    @property
    def availability_zones(self) -> list[str]:
        """By number: their names would be looked up in the account, for which a synth has no credentials."""
        return [Fn.select(number, Fn.get_azs()) for number in range(ZONES)]

    def _make_staging(self) -> s3.Bucket:
        return private_bucket(
            self,
            "Staging",
            self._settings,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self._lake.key,
            bucket_key_enabled=True,
            # A load removes its own; these are of loads that were killed.
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(1))],
            why_unlogged="It holds a load's files for the minutes that the load takes",
            why_unversioned="It holds a load's files for the minutes that the load takes",
        )

    def _make_machine(self) -> sfn.StateMachine:
        topic, ledger = self._pipeline.failures, self._pipeline.ledger
        run = run_job(self, "Load the store", self.job.job, {DATASET: "$.dataset", LOAD: "$.load"})
        run.add_retry(errors=["States.TaskFailed"], interval=BETWEEN, max_attempts=TRIES - 1, backoff_rate=2)
        outcome = read_outcome(self, ledger, ITEM, OUTCOME)
        detail = {"dataset": "$.dataset", **{name: f"$.outcome.{name}" for name in OUTCOME}}
        published = publish(self, self._settings.project, LOADED, detail)
        retry(outcome, published)
        notice = notify_and_fail(self, topic, "Causeway: the store could not be loaded")
        for step in (run, outcome, published):
            step.add_catch(notice, errors=["States.ALL"], result_path="$.failure")
        log_name = f"/aws/vendedlogs/states/{self._settings.project}-loads"
        return make_machine(
            self,
            run.next(outcome).next(published).next(sfn.Succeed(self, "Done")),
            make_log_group(self, "MachineLogs", self._settings, log_name),
            removal_policy(self._settings),
            timeout=Duration.days(2),
            topic=topic,
        )

    def _hear(self, construct_id: str, datasets: Sequence[str]) -> None:
        asked = {"dataset": events.EventField.from_path("$.detail.dataset"), "load": CHANGES}
        events.Rule(
            self,
            construct_id,
            description="Commits of the datasets that the store serves",
            event_pattern=events.EventPattern(
                source=[self._settings.project],
                detail_type=[DATASET_CURATED],
                detail={"dataset": [*datasets]},
            ),
            targets=[targets.SfnStateMachine(self.machine, input=events.RuleTargetInput.from_object(asked))],
        )

    def _let_read(self) -> iam.Role:
        role = application_role(
            self,
            "Applications",
            name=f"{self._settings.project}-store-reader",
            principals=self._settings.store.readers,
            description="For applications: reads the store",
        )
        allow(role, " ".join(calls_to_read()), self.store.cluster.cluster_arn)
        allow(role, "secretsmanager:GetSecretValue", self.store.reader_secret.secret_arn)
        allow(role, "kms:Decrypt", self._lake.key.key_arn)
        return role
