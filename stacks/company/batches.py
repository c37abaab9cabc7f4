"""The state machine: one execution a batch, from its job run to the news of its commit."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_glue as glue
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from causeway.flow.parameters import MANIFEST
from stacks.parts.permissions import acknowledge_wildcards

EVENT_SOURCE = "causeway"
EVENT_TYPE = "Dataset Curated"
# A full Glue is waited for. With full jitter between nothing and five minutes that is about a day.
GLUE_IS_BUSY = [
    "Glue.ConcurrentRunsExceededException",
    "Glue.InternalServiceException",
    "Glue.OperationTimeoutException",
    "Glue.ResourceNumberLimitExceededException",
    "Glue.ThrottlingException",
]
BUSY_ATTEMPTS = 500
LONGEST = Duration.days(7)


class Batches(Construct):
    """`machine` runs the job on a batch, splits the batch if that kills the job, and publishes the commit."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        job: glue.PySparkEtlJob,
        ledger: dynamodb.Table,
        split_batch: lambda_.Function,
        failures: sns.Topic,
        log_group: logs.LogGroup,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self._failures = failures
        curate, split = self._curate(job), self._split(split_batch)
        outcome, publish = self._read_outcome(ledger), self._publish()
        announce = self._notify(
            "Say what was isolated", "Causeway: objects that kill their job are quarantined"
        )
        notify = self._notify_and_fail()

        # A job that failed may have been killed by one object of its batch.
        curate.add_catch(split, errors=["States.TaskFailed", "States.Timeout"], result_path="$.failure")
        for retried in (split, outcome, publish, announce):
            retried.add_retry(
                interval=Duration.seconds(1), max_attempts=8, jitter_strategy=sfn.JitterType.FULL
            )
        steps: list[sfn.TaskStateBase] = [curate, split, outcome, publish, announce]
        for step in steps:
            step.add_catch(notify, errors=["States.ALL"], result_path="$.failure")

        # curate → outcome → publish; while a batch is searched for a poison object, curate → split → curate …
        outcome.next(publish)
        searching = sfn.Choice(self, "Is a part of a batch")
        searching.when(sfn.Condition.is_present("$.search"), split).otherwise(outcome)
        isolated = sfn.Choice(self, "Was any isolated")
        isolated.when(sfn.Condition.is_present("$.isolated[0]"), announce.next(outcome)).otherwise(outcome)
        done = sfn.Choice(self, "Is all of it done")
        done.when(sfn.Condition.is_present("$.given_up"), notify)
        done.when(sfn.Condition.boolean_equals("$.search.done", value=True), isolated).otherwise(curate)
        split.next(done)
        curate.next(searching)
        self.machine = self._machine(curate, log_group, removal_policy)
        versions = [f"{split_batch.function_arn}:*"]
        acknowledge_wildcards(self.machine, versions, "Any version of that one function; CDK's own statement")

    def _machine(
        self, start: sfn.IChainable, log_group: logs.LogGroup, removal_policy: RemovalPolicy
    ) -> sfn.StateMachine:
        machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_type=sfn.StateMachineType.STANDARD,
            definition_body=sfn.DefinitionBody.from_chainable(start),
            # Each run has the job's own timeout; this is for all runs and waits together.
            timeout=LONGEST,
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL),
            removal_policy=removal_policy,
        )
        logs_and_traces = "X-Ray and the delivery of logs know no resources; CDK's own statements"
        acknowledge_wildcards(machine, ["*"], logs_and_traces)
        return machine

    def _curate(self, job: glue.PySparkEtlJob) -> tasks.GlueStartJobRun:
        curate = tasks.GlueStartJobRun(
            self,
            "Curate batch",
            glue_job_name=job.job_name,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            arguments=sfn.TaskInput.from_object({MANIFEST: sfn.JsonPath.string_at("$.manifest")}),
            result_path=sfn.JsonPath.DISCARD,
        )
        curate.add_retry(
            errors=GLUE_IS_BUSY,
            interval=Duration.seconds(10),
            max_delay=Duration.minutes(5),
            backoff_rate=2,
            max_attempts=BUSY_ATTEMPTS,
            jitter_strategy=sfn.JitterType.FULL,
        )
        return curate

    def _split(self, function: lambda_.Function) -> tasks.LambdaInvoke:
        return tasks.LambdaInvoke(
            self,
            "Split batch",
            lambda_function=function,
            payload_response_only=True,
            retry_on_service_exceptions=False,
        )

    def _read_outcome(self, ledger: dynamodb.Table) -> tasks.DynamoGetItem:
        batch = sfn.JsonPath.format("batch#{}", sfn.JsonPath.string_at("$.batch"))
        return tasks.DynamoGetItem(
            self,
            "Read outcome",
            table=ledger,
            key={
                "dataset": tasks.DynamoAttributeValue.from_string(sfn.JsonPath.string_at("$.dataset")),
                "item": tasks.DynamoAttributeValue.from_string(batch),
            },
            consistent_read=True,
            result_selector={"snapshot.$": "$.Item.snapshot.S"},
            result_path="$.outcome",
        )

    def _publish(self) -> tasks.EventBridgePutEvents:
        detail = {
            "dataset": sfn.JsonPath.string_at("$.dataset"),
            "batch": sfn.JsonPath.string_at("$.batch"),
            "snapshot": sfn.JsonPath.string_at("$.outcome.snapshot"),
        }
        entry = tasks.EventBridgePutEventsEntry(
            source=EVENT_SOURCE,
            detail_type=EVENT_TYPE,
            event_bus=events.EventBus.from_event_bus_name(self, "Bus", "default"),
            detail=sfn.TaskInput.from_object(detail),
        )
        return tasks.EventBridgePutEvents(self, "Publish", entries=[entry], result_path=sfn.JsonPath.DISCARD)

    def _notify(self, construct_id: str, subject: str) -> tasks.SnsPublish:
        return tasks.SnsPublish(
            self,
            construct_id,
            topic=self._failures,
            subject=subject,
            message=sfn.TaskInput.from_json_path_at("$"),
            result_path=sfn.JsonPath.DISCARD,
        )

    def _notify_and_fail(self) -> tasks.SnsPublish:
        failed = sfn.Fail(self, "Failed", error_path="$.failure.Error", cause_path="$.failure.Cause")
        notify = self._notify("Notify", "Causeway: a batch failed")
        notify.next(failed)
        # The execution must end red even when the notice cannot be sent.
        notify.add_catch(failed, errors=["States.ALL"], result_path=sfn.JsonPath.DISCARD)
        return notify
