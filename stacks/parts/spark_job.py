"""A Glue job of ours: its script, what it is packaged with, the role it runs under and its log."""

from pathlib import Path

from aws_cdk import Duration, Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from causeway.settings import Settings
from stacks.parts import assets
from stacks.parts.functions import NO_DATA_IN_LOGS
from stacks.parts.permissions import acknowledge, allow, answer_checkov


class SparkJob(Construct):
    """`role` may read what is packaged and write the log. `contracts` is packaged for it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        script: str,
        modules: Path,
        log_group: logs.LogGroup,
        role_description: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings, self._log_group = settings, log_group
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("glue.amazonaws.com"),
            description=role_description,
        )
        self._script = s3_assets.Asset(self, "Script", path=str(assets.ROOT / "glue_jobs" / script))
        self._library = s3_assets.Asset(self, "Library", **assets.only(*assets.GLUE_LIBRARY))
        self.contracts = s3_assets.Asset(self, "Contracts", **assets.only(*assets.CONTRACTS))
        self._modules, self._pip_option = self._installed(modules)

    def _installed(self, requirements: Path) -> tuple[str, str]:
        """Where Glue finds the modules to install (bucket and key), and pip's option for it."""
        if wheels := self._settings.job_modules:
            return wheels.removeprefix("s3://"), "--no-index"
        asset = s3_assets.Asset(self, "Modules", path=str(requirements))
        return f"{asset.s3_bucket_name}/{asset.s3_object_key}", "-r"

    def make(
        self, arguments: dict[str, str], *, description: str, timeout_minutes: int, max_concurrent_runs: int
    ) -> glue.PySparkEtlJob:
        limits = self._settings.limits
        job = glue.PySparkEtlJob(
            self,
            "Job",
            description=description,
            # The construct would grant itself more of the asset bucket than it reads.
            role=self.role.without_policy_updates(),
            glue_version=glue.GlueVersion.V6_0,
            script=glue.Code.from_bucket(self._script.bucket, self._script.s3_object_key),
            extra_python_files=[glue.Code.from_bucket(self._library.bucket, self._library.s3_object_key)],
            worker_configuration=glue.WorkerConfiguration(
                worker_type=glue.WorkerType[limits.worker_type.replace(".", "_")],
                number_of_workers=limits.workers,
            ),
            timeout=Duration.minutes(timeout_minutes),
            # Queued runs wait for capacity instead of failing; Glue wants no retries of its own then.
            # The state machine retries what is worth retrying.
            job_run_queuing_enabled=True,
            max_retries=0,
            max_concurrent_runs=max_concurrent_runs,
            enable_metrics=True,
            enable_observability_metrics=True,
            continuous_logging=glue.ContinuousLoggingProps(enabled=True, log_group=self._log_group),
            default_arguments={
                "--additional-python-modules": f"s3://{self._modules}",
                "--python-modules-installer-option": self._pip_option,
                **arguments,
            },
        )
        self.allow_packages(self.role)
        if self._settings.job_modules:
            allow(self.role, "s3:GetObject", f"arn:{Stack.of(self).partition}:s3:::{self._modules}")
        self._allow_logging(job)
        return job

    def allow_packages(self, role: iam.Role) -> None:
        packaged = self._script.bucket.arn_for_objects(f"{assets.package_prefix(self._settings)}*")
        allow(role, "s3:GetObject", packaged, why_wildcards=assets.EARLIER_PACKAGES)

    def _allow_logging(self, job: glue.PySparkEtlJob) -> None:
        allow(
            self.role,
            "logs:CreateLogStream logs:PutLogEvents",
            self._log_group.log_group_arn,
            why_wildcards="The streams of its own log group",
        )
        acknowledge(job, "AwsSolutions::AwsSolutions-GL1", NO_DATA_IN_LOGS)
        unencrypted = "Annotation::@aws-cdk/aws-glue-alpha:unencryptedContinuousLogging"
        acknowledge(job, unencrypted, NO_DATA_IN_LOGS)
        no_bookmarks = "No bookmarks are used: the ledger says what is done"
        acknowledge(job, "AwsSolutions::AwsSolutions-GL3", no_bookmarks)
        answer_checkov(job, {"195": f"{no_bookmarks}; buckets encrypt what it writes. {NO_DATA_IN_LOGS}"})
