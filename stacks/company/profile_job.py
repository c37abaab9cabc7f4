"""The Glue job that profiles a dataset's table, and the role it runs under."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_logs as logs
from constructs import Construct

from causeway.flow.parameters import ProfileParameters, to_arguments
from causeway.flow.profiles import FOLDER, QUALITY
from causeway.settings import Settings
from stacks.company.lake import LakeStack
from stacks.company.upkeep import FILES, allow_finding
from stacks.parts import assets
from stacks.parts.permissions import allow
from stacks.parts.spark_job import SparkJob


class ProfileJob(SparkJob):
    """`job` reads curated tables and writes profiles beside them; `role` may do that and nothing else."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        lake: LakeStack,
        ledger: dynamodb.Table,
        log_group: logs.LogGroup,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            settings=settings,
            script="profile_table.py",
            modules=assets.PROFILE_MODULES,
            log_group=log_group,
            role_description="The profile job: reads curated tables, writes profiles beside them",
        )
        parameters = ProfileParameters(
            contracts=self.contracts.s3_object_url,
            curated_database=lake.curated_database,
            ledger_table=ledger.table_name,
        )
        self.job = self.make(
            to_arguments(parameters),
            description="Profiles the newest snapshot of one dataset's table",
            timeout_minutes=settings.limits.profile_minutes,
            max_concurrent_runs=settings.limits.max_concurrent_runs,
        )
        self._allow_profiling(lake, ledger)
        self._count_broken(log_group, settings.project)

    def _count_broken(self, log_group: logs.LogGroup, namespace: str) -> None:
        """Metrics of each dataset: how many of its contract's bounds are broken."""
        words = ("day", "time", "logger", "level", "word", "dataset", "warnings", "errors")
        line = logs.FilterPattern.space_delimited(*words).where_string("word", "=", QUALITY)
        for name in ("warnings", "errors"):
            logs.MetricFilter(
                self,
                f"Quality{name.capitalize()}",
                log_group=log_group,
                filter_pattern=line,
                metric_namespace=namespace,
                metric_name=f"Quality{name.capitalize()}",
                metric_value=f"${name}",
                dimensions={"Dataset": "$dataset"},
            )

    def _allow_profiling(self, lake: LakeStack, ledger: dynamodb.Table) -> None:
        role, tables = self.role, f"{lake.curated_arn}/*"
        allow(role, "s3:GetObject", tables, why_wildcards=FILES)
        allow(
            role,
            "s3:PutObject s3:DeleteObject",
            f"{lake.curated_arn}/*/{FOLDER}/*",
            why_wildcards="Profiles, beside the files of each table",
        )
        allow_finding(role, lake)
        allow(role, "dynamodb:UpdateItem", ledger.table_arn)
        allow(role, "kms:Decrypt kms:GenerateDataKey", lake.key.key_arn)
