"""The pipeline: from queued landing events to a curated table."""

from typing import Any

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from causeway.settings import Settings
from stacks import assets
from stacks.lake import BATCHING_TIMEOUT, LakeStack
from stacks.nag import acknowledge, acknowledge_wildcards

EVENT_SOURCE = "causeway"
EVENT_TYPE = "Dataset Curated"
NO_DATA_IN_LOGS = "CloudWatch encrypts logs with its own key; ours hold keys and counts, no rows"
RETENTION = {
    7: logs.RetentionDays.ONE_WEEK,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    3653: logs.RetentionDays.TEN_YEARS,
}


class PipelineStack(Stack):
    """Batching Lambda, state machine, Glue job, ledger, and the alarms that turn red."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        lake: LakeStack,
        datasets: list[str],
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._settings, self._lake = settings, lake
        self._removal = RemovalPolicy.DESTROY if settings.sandbox else RemovalPolicy.RETAIN

        self.failures = sns.Topic(self, "Failures", master_key=lake.key, enforce_ssl=True)
        self.ledger = self._ledger()
        self.job = self._glue_job()
        self.state_machine = self._state_machine()
        self.batch_events = self._batch_events(datasets)
        self._alarms()

    def _log_group(self, construct_id: str, name: str | None = None) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            construct_id,
            log_group_name=name,
            retention=RETENTION[self._settings.limits.log_retention_days],
            removal_policy=self._removal,
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
            removal_policy=self._removal,
        )

    def _glue_job(self) -> glue.PySparkEtlJob:
        lake, limits = self._lake, self._settings.limits
        role = iam.Role(
            self,
            "CurateRole",
            assumed_by=iam.ServicePrincipal("glue.amazonaws.com"),
            description="The Glue job: reads landing, writes curated, quarantine and their tables",
        )
        script = s3_assets.Asset(self, "Script", path=str(assets.ROOT / "glue_jobs" / "curate.py"))
        library = s3_assets.Asset(self, "Library", **assets.only(*assets.GLUE_LIBRARY))
        contracts = s3_assets.Asset(self, "Contracts", **assets.only(*assets.CONTRACTS))
        modules, how = self._job_modules()
        log_group = self._log_group("CurateLogs")
        job = glue.PySparkEtlJob(
            self,
            "Curate",
            description="Curates one batch of one dataset",
            # The construct would grant itself more of the asset bucket than it reads.
            role=role.without_policy_updates(),
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
            default_arguments={
                "--additional-python-modules": f"s3://{modules}",
                "--python-modules-installer-option": how,
                "--contracts": contracts.s3_object_url,
                "--landing-bucket": lake.landing_bucket.bucket_name,
                "--curated-bucket": lake.curated_bucket.bucket_name,
                "--quarantine-bucket": lake.quarantine_bucket.bucket_name,
                "--curated-database": lake.curated_database,
                "--quarantine-database": lake.quarantine_database,
                "--ledger-table": self.ledger.table_name,
            },
        )
        packaged = [
            asset.bucket.arn_for_objects(asset.s3_object_key) for asset in (script, library, contracts)
        ]
        packaged.append(f"arn:{self.partition}:s3:::{modules}")
        self._allow(role, ["s3:GetObject"], packaged)
        self._allow(
            role,
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [log_group.log_group_arn],
            "The streams of its own log group",
        )
        self._allow_curating(role)
        acknowledge(job, "AwsSolutions::AwsSolutions-GL1", NO_DATA_IN_LOGS)
        acknowledge(job, "Annotation::@aws-cdk/aws-glue-alpha:unencryptedContinuousLogging", NO_DATA_IN_LOGS)
        acknowledge(
            job, "AwsSolutions::AwsSolutions-GL3", "No bookmarks are used: the ledger says what is done"
        )
        return job

    def _job_modules(self) -> tuple[str, str]:
        """Where Glue finds the modules to install (bucket and key), and pip's option for it."""
        if self._settings.job_modules:
            return self._settings.job_modules.removeprefix("s3://"), "--no-index"
        requirements = s3_assets.Asset(self, "Modules", path=str(assets.JOB_MODULES))
        return f"{requirements.s3_bucket_name}/{requirements.s3_object_key}", "-r"

    def _allow_curating(self, role: iam.Role) -> None:
        lake = self._lake
        databases = [lake.curated_database, lake.quarantine_database]
        self._allow(
            role,
            ["s3:GetObject", "s3:GetObjectVersion"],
            [f"{lake.landing_arn}/landing/*", f"{lake.landing_arn}/batches/*"],
            "The sources and manifests, whose keys nobody knows at synth",
        )
        self._allow(role, ["s3:PutObject"], [f"{lake.landing_arn}/batches/*"], "The batches' reports")
        # Without ListBucket, S3 says "forbidden" of what is not there; Arrow lists to see if it is.
        self._allow(role, ["s3:ListBucket"], [lake.landing_arn, lake.curated_arn, lake.quarantine_arn])
        self._allow(
            role,
            ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            [f"{lake.curated_arn}/*", f"{lake.quarantine_arn}/rejected/*"],
            "The files of the two Iceberg databases, whose names Iceberg makes",
        )
        self._allow(
            role,
            ["glue:GetDatabase", "glue:GetTable", "glue:CreateTable", "glue:UpdateTable"],
            [
                self.format_arn(service="glue", resource="catalog"),
                *(self.format_arn(service="glue", resource="database", resource_name=db) for db in databases),
                *(
                    self.format_arn(service="glue", resource="table", resource_name=f"{db}/*")
                    for db in databases
                ),
            ],
            "A contract is enough to make a table; both databases are Causeway's own",
        )
        self._allow(
            role,
            [
                "dynamodb:BatchWriteItem",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
            ],
            [self.ledger.table_arn],
        )
        self._allow(role, ["kms:Decrypt", "kms:GenerateDataKey"], [lake.key.key_arn])

    @staticmethod
    def _allow(role: iam.Role, actions: list[str], resources: list[str], why_wildcards: str = "") -> None:
        role.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=resources))
        if why_wildcards:
            acknowledge_wildcards(role, resources, why_wildcards)

    def _state_machine(self) -> sfn.StateMachine:
        limits = self._settings.limits
        curate = tasks.GlueStartJobRun(
            self,
            "Curate batch",
            glue_job_name=self.job.job_name,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            arguments=sfn.TaskInput.from_object({"--manifest": sfn.JsonPath.string_at("$.manifest")}),
            result_path="$.run",
        )
        curate.add_retry(
            errors=[
                "Glue.ConcurrentRunsExceededException",
                "Glue.InternalServiceException",
                "Glue.OperationTimeoutException",
                "Glue.ResourceNumberLimitExceededException",
                "Glue.ThrottlingException",
            ],
            interval=Duration.seconds(10),
            max_delay=Duration.minutes(5),
            backoff_rate=2,
            max_attempts=12,
            jitter_strategy=sfn.JitterType.FULL,
        )
        outcome = tasks.DynamoGetItem(
            self,
            "Read outcome",
            table=self.ledger,
            key={
                "dataset": tasks.DynamoAttributeValue.from_string(sfn.JsonPath.string_at("$.dataset")),
                "item": tasks.DynamoAttributeValue.from_string(
                    sfn.JsonPath.format("batch#{}", sfn.JsonPath.string_at("$.batch"))
                ),
            },
            consistent_read=True,
            result_selector={"snapshot.$": "$.Item.snapshot.S"},
            result_path="$.outcome",
        )
        publish = tasks.EventBridgePutEvents(
            self,
            "Publish",
            entries=[
                tasks.EventBridgePutEventsEntry(
                    source=EVENT_SOURCE,
                    detail_type=EVENT_TYPE,
                    event_bus=events.EventBus.from_event_bus_name(self, "Bus", "default"),
                    detail=sfn.TaskInput.from_object(
                        {
                            "dataset": sfn.JsonPath.string_at("$.dataset"),
                            "batch": sfn.JsonPath.string_at("$.batch"),
                            "snapshot": sfn.JsonPath.string_at("$.outcome.snapshot"),
                        }
                    ),
                )
            ],
            result_path=sfn.JsonPath.DISCARD,
        )
        notify = tasks.SnsPublish(
            self,
            "Notify",
            topic=self.failures,
            subject="Causeway: a batch failed",
            message=sfn.TaskInput.from_json_path_at("$"),
            result_path=sfn.JsonPath.DISCARD,
        )
        failed = sfn.Fail(self, "Failed", error_path="$.failure.Error", cause_path="$.failure.Cause")
        for step in (curate, outcome, publish):
            step.add_catch(notify, errors=["States.ALL"], result_path="$.failure")
        # The execution must end red even when the notice cannot be sent.
        notify.add_catch(failed, errors=["States.ALL"], result_path=sfn.JsonPath.DISCARD)
        notify.next(failed)
        machine = sfn.StateMachine(
            self,
            "Batches",
            state_machine_type=sfn.StateMachineType.STANDARD,
            definition_body=sfn.DefinitionBody.from_chainable(curate.next(outcome).next(publish)),
            # The run's own timeout, and room for the retries of a full Glue.
            timeout=Duration.minutes(limits.job_timeout_minutes + 120),
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=self._log_group(
                    # Log delivery's resource policy has a size limit; names under this prefix share one.
                    "BatchesLogs",
                    f"/aws/vendedlogs/states/{self._settings.project}-batches",
                ),
                level=sfn.LogLevel.ALL,
            ),
            removal_policy=self._removal,
        )
        acknowledge_wildcards(
            machine, ["*"], "X-Ray and the delivery of logs know no resources; CDK's own statements"
        )
        return machine

    def _batch_events(self, datasets: list[str]) -> lambda_.Function:
        lake, limits = self._lake, self._settings.limits
        log_group = self._log_group("BatchEventsLogs")
        role = iam.Role(
            self,
            "BatchEventsRole",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="The batching Lambda: writes manifests, starts executions",
        )
        log_group.grant_write(role)
        function = lambda_.Function(
            self,
            "BatchEvents",
            description="Queued landing events in, one execution per dataset and batch out",
            role=role,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(**assets.only(*assets.BATCH_EVENTS)),
            handler="lambdas.batch_events.handler.handler",
            timeout=BATCHING_TIMEOUT,
            memory_size=512,
            log_group=log_group,
            environment={
                "DATASETS": ",".join(datasets),
                "LANDING_BUCKET": lake.landing_bucket.bucket_name,
                "QUARANTINE_BUCKET": lake.quarantine_bucket.bucket_name,
                "STATE_MACHINE": self.state_machine.state_machine_arn,
                "BATCH_MAX_OBJECTS": str(limits.batch_max_objects),
                "BATCH_MAX_BYTES": str(limits.batch_max_bytes),
            },
        )
        function.add_event_source(
            event_sources.SqsEventSource(
                lake.landing_events,
                batch_size=max(10, limits.batch_max_objects),
                max_batching_window=Duration.seconds(limits.batch_window_seconds),
                report_batch_item_failures=True,
                max_concurrency=2,
            )
        )
        executions = self.format_arn(
            service="states",
            resource="execution",
            resource_name=f"{self.state_machine.state_machine_name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        manifests = [f"{lake.landing_arn}/batches/*"]
        unrouted = [f"{lake.quarantine_arn}/unrouted/*"]
        self._allow(role, ["s3:PutObject"], manifests, "Manifests: one for each batch")
        self._allow(role, ["s3:PutObject"], unrouted, "What no dataset can take: one record for each")
        self._allow(role, ["kms:Decrypt", "kms:GenerateDataKey"], [lake.key.key_arn])
        self._allow(role, ["states:StartExecution"], [self.state_machine.state_machine_arn])
        self._allow(
            role, ["states:DescribeExecution"], [executions], "This state machine's executions, by name"
        )
        acknowledge(
            function,
            "AwsSolutions::AwsSolutions-L1",
            "Python 3.13 is what Glue 6.0 runs too: one interpreter for the code both share",
        )
        return function

    def _alarms(self) -> None:
        """One failure is enough: every alarm goes red at the first."""
        watched = {
            "BatchFailed": self.state_machine.metric_failed(),
            "BatchTimedOut": self.state_machine.metric_timed_out(),
            "BatchAborted": self.state_machine.metric_aborted(),
            "BatchingFailed": self.batch_events.metric_errors(),
            "DeadLetters": self._lake.dead_letters.metric_approximate_number_of_messages_visible(),
        }
        for name, metric in watched.items():
            alarm = cloudwatch.Alarm(
                self,
                name,
                metric=metric.with_(
                    period=Duration.minutes(1), statistic="Maximum" if name == "DeadLetters" else "Sum"
                ),
                threshold=1,
                evaluation_periods=1,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
            alarm.add_alarm_action(cloudwatch_actions.SnsAction(self.failures))
