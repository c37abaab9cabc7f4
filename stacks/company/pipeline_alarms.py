"""The pipeline's alarms: on the first failure, on silence, on what is put off or refused."""

from collections.abc import Mapping

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from causeway.flow.events import NO_DATASET
from causeway.flow.landing import GRACE, QUEUED_AGAIN
from causeway.flow.report import REJECTED_WHOLE
from causeway.settings import Settings
from stacks.company.alarms import alarm, alarm_at_first
from stacks.company.lake import LakeStack

# As AWS's services and the libraries over them say it, S3 of a HEAD too; without %…% it would be whole words.
DENIED = "%AccessDenied|ACCESS_DENIED|Forbidden%"


def alarm_on_executions(scope: Construct, machines: Mapping[str, sfn.StateMachine], topic: sns.Topic) -> None:
    """Of each state machine, by what its executions are: that one ends red."""
    red: dict[str, cloudwatch.Metric] = {}
    for name, machine in machines.items():
        red |= {f"{name}Failed": machine.metric_failed(), f"{name}TimedOut": machine.metric_timed_out()}
    red["BatchAborted"] = machines["Batch"].metric_aborted()
    alarm_at_first(scope, red, statistic="Sum", topic=topic)


def alarm_on_functions(scope: Construct, functions: Mapping[str, lambda_.Function], topic: sns.Topic) -> None:
    """Of each function, by what it does: that it fails, and that AWS does not let it run."""
    # The execution that called it fails with it.
    failed = {f"{does}Failed": one.metric_errors() for does, one in functions.items() if does != "Splitting"}
    throttled = {f"Throttled-{does}": one.metric_throttles() for does, one in functions.items()}
    alarm_at_first(scope, {**failed, **throttled}, statistic="Sum", topic=topic)


def alarm_on_queues(scope: Construct, lake: LakeStack, settings: Settings, topic: sns.Topic) -> None:
    """Messages that were given up, and messages that nobody takes."""
    dead = lake.dead_letters.metric_approximate_number_of_messages_visible()
    alarm(scope, "DeadLetters", dead, topic=topic)
    own = [limits.batch_window_seconds or 0 for limits in settings.datasets.values()]
    gathering = settings.limits.batch_window_seconds + max(own, default=0)
    age = lake.landing_events.metric_approximate_age_of_oldest_message()
    alarm(scope, "OldestMessage", age, topic=topic, threshold=GRACE.total_seconds() + gathering)


def alarm_on_logs(
    scope: Construct, log_groups: Mapping[str, logs.LogGroup], settings: Settings, topic: sns.Topic
) -> None:
    """What the functions and jobs, by what they do, say in their logs."""
    all_terms = logs.FilterPattern.all_terms
    told = {
        "Unrouted": ("Batching", all_terms(NO_DATASET)),
        "RejectedWhole": ("Curating", all_terms(REJECTED_WHOLE)),
        "Missing": ("Reconciliation", all_terms(QUEUED_AGAIN)),
        # The same metric, of whoever curates small batches.
        **{
            f"RejectedWhole-{does}": (does, all_terms(REJECTED_WHOLE))
            for does in log_groups
            if does == "SmallBatch"
        },
        **{f"AccessDenied-{does}": (does, logs.FilterPattern.literal(DENIED)) for does in log_groups},
    }
    counted: dict[str, cloudwatch.Metric] = {}
    for name, (does, pattern) in told.items():
        kind = name.partition("-")[0]
        counted[kind] = logs.MetricFilter(
            scope,
            f"{name}Filter",
            log_group=log_groups[does],
            filter_pattern=pattern,
            metric_namespace=settings.project,
            metric_name=kind,
        ).metric()
    alarm_at_first(scope, counted, statistic="Sum", topic=topic)
