"""The Glue job that curates, and the role it runs under."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from causeway.flow.manifest import BATCHES_PREFIX
from causeway.flow.parameters import JobParameters, to_arguments
from causeway.settings import Settings
from stacks.company.lake import LakeStack
from stacks.company.upkeep import Maintenance, allow_files, catalog_arns
from stacks.parts import assets
from stacks.parts.permissions import acknowledge, allow

EARLIER_PACKAGES = "A run that begins while the stack is deployed reads what the deployment before packaged"
NO_DATA_IN_LOGS = "CloudWatch encrypts logs with its own key; ours hold keys and counts, no rows"


class CurateJob(Construct):
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
        super().__init__(scope, construct_id)
        self._settings, self._lake, self._ledger = settings, lake, ledger
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("glue.amazonaws.com"),
            description="The Glue job: reads landing, writes curated, quarantine and their tables",
        )
        script = s3_assets.Asset(self, "Script", path=str(assets.ROOT / "glue_jobs" / "curate.py"))
        library = s3_assets.Asset(self, "Library", **assets.only(*assets.GLUE_LIBRARY))
        contracts = s3_assets.Asset(self, "Contracts", **assets.only(*assets.CONTRACTS))
        modules, pip_option = self._modules()
        maintenance = Maintenance(self, "Maintenance", lake=lake)
        maintenance.set_up_by(self.role)
        arguments = {
            "--additional-python-modules": f"s3://{modules}",
            "--python-modules-installer-option": pip_option,
            **self._arguments(contracts, maintenance),
        }
        self.job = self._job(script, library, log_group, arguments)
        packaged = script.bucket.arn_for_objects(f"{assets.package_prefix(settings)}*")
        allow(self.role, "s3:GetObject", packaged, why_wildcards=EARLIER_PACKAGES)
        if settings.job_modules:
            allow(self.role, "s3:GetObject", f"arn:{Stack.of(self).partition}:s3:::{modules}")
        self._allow_logging(log_group)
        self._allow_curating()

    def _modules(self) -> tuple[str, str]:
        """Where Glue finds the modules to install (bucket and key), and pip's option for it."""
        if wheels := self._settings.job_modules:
            return wheels.removeprefix("s3://"), "--no-index"
        requirements = s3_assets.Asset(self, "Modules", path=str(assets.JOB_MODULES))
        return f"{requirements.s3_bucket_name}/{requirements.s3_object_key}", "-r"

    def _arguments(self, contracts: s3_assets.Asset, maintenance: Maintenance) -> dict[str, str]:
        lake, limits = self._lake, self._settings.limits
        return to_arguments(
            JobParameters(
                contracts=contracts.s3_object_url,
                landing_bucket=lake.landing_bucket.bucket_name,
                curated_bucket=lake.curated_bucket.bucket_name,
                quarantine_bucket=lake.quarantine_bucket.bucket_name,
                curated_database=lake.curated_database,
                quarantine_database=lake.quarantine_database,
                ledger_table=self._ledger.table_name,
                hash_key=lake.hash_key.key_arn if lake.hash_key else "",
                optimizer_role=maintenance.role.role_arn,
                snapshot_retention_days=limits.snapshot_retention_days,
                quarantine_retention_days=limits.quarantine_retention_days,
            )
        )

    def _job(
        self,
        script: s3_assets.Asset,
        library: s3_assets.Asset,
        log_group: logs.LogGroup,
        arguments: dict[str, str],
    ) -> glue.PySparkEtlJob:
        limits = self._settings.limits
        return glue.PySparkEtlJob(
            self,
            "Job",
            description="Curates one batch of one dataset",
            # The construct would grant itself more of the asset bucket than it reads.
            role=self.role.without_policy_updates(),
            glue_version=glue.GlueVersion.V6_0,
            script=glue.Code.from_bucket(script.bucket, script.s3_object_key),
            extra_python_files=[glue.Code.from_bucket(library.bucket, library.s3_object_key)],
            worker_configuration=glue.WorkerConfiguration(
                worker_type=glue.WorkerType[limits.worker_type.replace(".", "_")],
                number_of_workers=limits.workers,
            ),
            timeout=Duration.minutes(limits.job_timeout_minutes),
            # Queued runs wait for capacity instead of failing; Glue wants no retries of its own then.
            # The state machine retries what is worth retrying.
            job_run_queuing_enabled=True,
            max_retries=0,
            max_concurrent_runs=limits.max_concurrent_runs,
            enable_metrics=True,
            enable_observability_metrics=True,
            continuous_logging=glue.ContinuousLoggingProps(enabled=True, log_group=log_group),
            default_arguments=arguments,
        )

    def _allow_logging(self, log_group: logs.LogGroup) -> None:
        allow(
            self.role,
            "logs:CreateLogStream logs:PutLogEvents",
            log_group.log_group_arn,
            why_wildcards="The streams of its own log group",
        )
        acknowledge(self.job, "AwsSolutions::AwsSolutions-GL1", NO_DATA_IN_LOGS)
        unencrypted = "Annotation::@aws-cdk/aws-glue-alpha:unencryptedContinuousLogging"
        acknowledge(self.job, unencrypted, NO_DATA_IN_LOGS)
        no_bookmarks = "No bookmarks are used: the ledger says what is done"
        acknowledge(self.job, "AwsSolutions::AwsSolutions-GL3", no_bookmarks)

    def _allow_curating(self) -> None:
        lake, role = self._lake, self.role
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
