"""The Glue job that curates, and the role it runs under."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from causeway.flow.manifest import BATCHES_PREFIX
from causeway.flow.parameters import JobParameters, to_arguments
from causeway.settings import Settings
from stacks.company.lake import LakeStack
from stacks.company.upkeep import Maintenance, allow_files, catalog_arns
from stacks.parts import assets
from stacks.parts.permissions import allow
from stacks.parts.spark_job import SparkJob


class CurateJob(SparkJob):
    """`job` reads landing and writes both Iceberg databases; `role` may do that and nothing else."""

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
            script="curate.py",
            modules=assets.JOB_MODULES,
            log_group=log_group,
            role_description="The Glue job: reads landing, writes curated, quarantine and their tables",
        )
        self._lake, self._ledger = lake, ledger
        self._maintenance = Maintenance(self, "Maintenance", lake=lake)
        self.parameters = self._parameters()
        self.let_curate(self.role)
        self.job = self.make(
            to_arguments(self.parameters),
            description="Curates one batch of one dataset",
            timeout_minutes=settings.limits.job_timeout_minutes,
            max_concurrent_runs=settings.limits.max_concurrent_runs,
        )

    def _parameters(self) -> JobParameters:
        lake, limits = self._lake, self._settings.limits
        return JobParameters(
            contracts=self.contracts.s3_object_url,
            landing_bucket=lake.landing_bucket.bucket_name,
            curated_bucket=lake.curated_bucket.bucket_name,
            quarantine_bucket=lake.quarantine_bucket.bucket_name,
            curated_database=lake.curated_database,
            quarantine_database=lake.quarantine_database,
            ledger_table=self._ledger.table_name,
            hash_key=lake.hash_key.key_arn if lake.hash_key else "",
            optimizer_role=self._maintenance.role.role_arn,
            snapshot_retention_days=limits.snapshot_retention_days,
            quarantine_retention_days=limits.quarantine_retention_days,
        )

    def let_curate(self, role: iam.Role) -> None:
        """What curating takes, whoever does it."""
        self._maintenance.set_up_by(role)
        lake = self._lake
        allow(
            role,
            "s3:GetObject s3:GetObjectVersion",
            f"{lake.landing_arn}/landing/*",
            f"{lake.landing_arn}/{BATCHES_PREFIX}*",
            why_wildcards="The sources and manifests, whose keys nobody knows at synth",
        )
        allow(
            role,
            "s3:PutObject",
            f"{lake.landing_arn}/{BATCHES_PREFIX}*",
            why_wildcards="The batches' reports",
        )
        # Without ListBucket, S3 says "forbidden" of what is not there; Arrow lists to see if it is.
        allow(role, "s3:ListBucket", lake.landing_arn, lake.curated_arn, lake.quarantine_arn)
        allow_files(role, lake)
        allow(
            role,
            "glue:GetDatabase glue:GetTable glue:CreateTable glue:UpdateTable",
            *catalog_arns(lake),
            why_wildcards="A contract is enough to make a table; both databases are Causeway's own",
        )
        allow(role, "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:PutItem", self._ledger.table_arn)
        allow(role, "kms:Decrypt kms:GenerateDataKey", lake.key.key_arn)
        if lake.hash_key:
            allow(role, "kms:GenerateMac", lake.hash_key.key_arn)
