"""What state machines share: a job's run that waits for a full Glue, notices of failures, logs."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from stacks.parts.permissions import acknowledge_wildcards

DATASET_CURATED = "Dataset Curated"
# A full Glue is waited for. With full jitter between nothing and five minutes that is about a day.
GLUE_IS_BUSY = [
    "Glue.ConcurrentRunsExceededException",
    "Glue.InternalServiceException",
    "Glue.OperationTimeoutException",
    "Glue.ResourceNumberLimitExceededException",
    "Glue.ThrottlingException",
]
BUSY_ATTEMPTS = 500


def run_job(
    scope: Construct, construct_id: str, job: glue.PySparkEtlJob, arguments: Mapping[str, str]
) -> tasks.GlueStartJobRun:
    """Run the job to its end. Arguments are JSON paths."""
    run = tasks.GlueStartJobRun(
        scope,
        construct_id,
        glue_job_name=job.job_name,
        integration_pattern=sfn.IntegrationPattern.RUN_JOB,
        arguments=sfn.TaskInput.from_object(
            {name: sfn.JsonPath.string_at(path) for name, path in arguments.items()}
        ),
        result_path=sfn.JsonPath.DISCARD,
    )
    run.add_retry(
        errors=GLUE_IS_BUSY,
        interval=Duration.seconds(10),
        max_delay=Duration.minutes(5),
        backoff_rate=2,
        max_attempts=BUSY_ATTEMPTS,
        jitter_strategy=sfn.JitterType.FULL,
    )
    return run


def call_function(
    scope: Construct, construct_id: str, function: lambda_.Function, payload: Mapping[str, Any]
) -> tasks.LambdaInvoke:
    """Call it, and wait for its end. When Lambda has none to spare, it is asked again."""
    call = tasks.LambdaInvoke(
        scope,
        construct_id,
        lambda_function=function,
        payload=sfn.TaskInput.from_object(dict(payload)),
        result_path=sfn.JsonPath.DISCARD,
    )
    call.add_retry(
        errors=["Lambda.TooManyRequestsException"],
        interval=Duration.seconds(2),
        max_attempts=6,
        jitter_strategy=sfn.JitterType.FULL,
    )
    return call


def item_of_dataset(item: str) -> dict[str, tasks.DynamoAttributeValue]:
    """The key of one of the dataset's items in the ledger."""
    of_text = tasks.DynamoAttributeValue.from_string
    return {"dataset": of_text(sfn.JsonPath.string_at("$.dataset")), "item": of_text(item)}


def read_outcome(
    scope: Construct, ledger: dynamodb.Table, item: str, names: Sequence[str]
) -> tasks.DynamoGetItem:
    """What the job wrote into that item of the ledger, as $.outcome."""
    return tasks.DynamoGetItem(
        scope,
        "Read outcome",
        table=ledger,
        key=item_of_dataset(item),
        consistent_read=True,
        result_selector={f"{name}.$": f"$.Item.{name}.S" for name in names},
        result_path="$.outcome",
    )


def publish(
    scope: Construct, source: str, detail_type: str, detail: Mapping[str, str]
) -> tasks.EventBridgePutEvents:
    """Tell the default bus (docs/events.md). The detail holds JSON paths."""
    entry = tasks.EventBridgePutEventsEntry(
        source=source,
        detail_type=detail_type,
        event_bus=events.EventBus.from_event_bus_name(scope, "Bus", "default"),
        detail=sfn.TaskInput.from_object({k: sfn.JsonPath.string_at(path) for k, path in detail.items()}),
    )
    return tasks.EventBridgePutEvents(scope, "Publish", entries=[entry], result_path=sfn.JsonPath.DISCARD)


def retry(*steps: sfn.TaskStateBase) -> None:
    """Of what goes by itself."""
    for step in steps:
        step.add_retry(interval=Duration.seconds(1), max_attempts=8, jitter_strategy=sfn.JitterType.FULL)


def notify(scope: Construct, construct_id: str, topic: sns.Topic, subject: str) -> tasks.SnsPublish:
    return tasks.SnsPublish(
        scope,
        construct_id,
        topic=topic,
        subject=subject,
        message=sfn.TaskInput.from_json_path_at("$"),
        result_path=sfn.JsonPath.DISCARD,
    )


def notify_and_fail(scope: Construct, topic: sns.Topic, subject: str) -> tasks.SnsPublish:
    failed = sfn.Fail(scope, "Failed", error_path="$.failure.Error", cause_path="$.failure.Cause")
    notice = notify(scope, "Notify", topic, subject)
    notice.next(failed)
    # The execution must end red even when the notice cannot be sent.
    notice.add_catch(failed, errors=["States.ALL"], result_path=sfn.JsonPath.DISCARD)
    return notice


def make_machine(
    scope: Construct,
    start: sfn.IChainable,
    log_group: logs.LogGroup,
    removal_policy: RemovalPolicy,
    *,
    timeout: Duration,
    topic: sns.Topic,
) -> sfn.StateMachine:
    """A state machine that may use the key of the topic to which it publishes, if that has one."""
    machine = sfn.StateMachine(
        scope,
        "Machine",
        state_machine_type=sfn.StateMachineType.STANDARD,
        definition_body=sfn.DefinitionBody.from_chainable(start),
        timeout=timeout,
        tracing_enabled=True,
        logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL),
        removal_policy=removal_policy,
    )
    if topic.master_key:
        # SNS encrypts with the rights of whoever publishes.
        using = iam.PolicyStatement(
            actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[topic.master_key.key_arn]
        )
        machine.add_to_role_policy(using)
    logs_and_traces = "X-Ray and the delivery of logs know no resources; CDK's own statements"
    acknowledge_wildcards(machine, ["*"], logs_and_traces)
    return machine
