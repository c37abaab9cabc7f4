"""Profiles: after a commit, at most so often, a run of its own describes the table for whoever reads it."""

from collections.abc import Mapping

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_glue as glue
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from causeway.flow.parameters import DATASET, ScheduleProfileParameters
from causeway.flow.profiles import ITEM, OUTCOME
from causeway.settings import Settings
from stacks.company.lake import LakeStack
from stacks.company.profile_job import ProfileJob
from stacks.parts.functions import PythonFunction, make_log_group, removal_policy
from stacks.parts.machines import (
    DATASET_CURATED,
    item_of_dataset,
    make_machine,
    notify_and_fail,
    publish,
    read_outcome,
    retry,
    run_job,
)
from stacks.parts.permissions import allow

PROFILED = "Dataset Profiled"
# Beyond the time that a run is waited for and takes.
SPARE = Duration.days(2)


class Profiles(Construct):
    """`schedule` hears of commits and starts `machine`, which waits until a run is due, and runs the job."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        lake: LakeStack,
        ledger: dynamodb.Table,
        failures: sns.Topic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._project, hours = settings.project, settings.profile_hours()
        job_logs = make_log_group(self, "ProfileLogs", settings)
        self.job = ProfileJob(
            self, "Profile", settings=settings, lake=lake, ledger=ledger, log_group=job_logs
        )
        log_name = f"/aws/vendedlogs/states/{settings.project}-profiles"
        self.machine = make_machine(
            self,
            self._steps(self.job.job, ledger, failures),
            make_log_group(self, "MachineLogs", settings, log_name),
            removal_policy(settings),
            timeout=Duration.hours(max(hours.values())).plus(SPARE),
            topic=failures,
        )
        self.schedule = self._schedule(settings, hours, ledger)

    def _steps(self, job: glue.PySparkEtlJob, ledger: dynamodb.Table, failures: sns.Topic) -> sfn.IChainable:
        wait = sfn.Wait(self, "Until it is due", time=sfn.WaitTime.timestamp_path("$.due"))
        begin, outcome = self._begin(ledger), read_outcome(self, ledger, ITEM, OUTCOME)
        detail = {"dataset": "$.dataset", "snapshot": "$.outcome.snapshot", "profile": "$.outcome.profile"}
        published = publish(self, self._project, PROFILED, detail)
        run = run_job(self, "Profile table", job, {DATASET: "$.dataset"})
        notice = notify_and_fail(self, failures, "Causeway: a profile failed, or what it says must not be")
        retry(begin, outcome, published)
        steps: list[sfn.TaskStateBase] = [begin, run, outcome, published]
        for step in steps:
            step.add_catch(notice, errors=["States.ALL"], result_path="$.failure")
        cause = {"Error": "QualityFailed", "Cause": sfn.JsonPath.string_at("$.outcome.failed")}
        failed = sfn.Pass(self, "Say what failed", parameters=cause, result_path="$.failure")
        is_empty, done = sfn.Condition.string_equals, sfn.Succeed(self, "Done")
        holds = sfn.Choice(self, "Does all of it hold")
        holds.when(is_empty("$.outcome.failed", ""), done).otherwise(failed.next(notice))
        there = sfn.Choice(self, "Was there anything to profile")
        there.when(is_empty("$.outcome.snapshot", ""), done).otherwise(published.next(holds))
        return wait.next(begin).next(run).next(outcome).next(there)

    def _begin(self, ledger: dynamodb.Table) -> tasks.DynamoUpdateItem:
        """Before the run: whatever is committed from here on is for the next."""
        entered = tasks.DynamoAttributeValue.from_string(sfn.JsonPath.string_at("$$.State.EnteredTime"))
        return tasks.DynamoUpdateItem(
            self,
            "Say that it begins",
            table=ledger,
            key=item_of_dataset(ITEM),
            update_expression="SET #at = :at",
            expression_attribute_names={"#at": "at"},
            expression_attribute_values={":at": entered},
            result_path=sfn.JsonPath.DISCARD,
        )

    def _schedule(
        self, settings: Settings, hours: Mapping[str, int], ledger: dynamodb.Table
    ) -> PythonFunction:
        schedule = PythonFunction(
            self,
            "Schedule",
            name="schedule_profile",
            description="A commit in, the execution that profiles the table when it is due out",
            parameters=ScheduleProfileParameters(hours, self.machine.state_machine_arn, ledger.table_name),
            settings=settings,
            timeout=Duration.minutes(1),
        )
        executions = Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{self.machine.state_machine_name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        allow(schedule.role, "dynamodb:GetItem dynamodb:UpdateItem", ledger.table_arn)
        allow(schedule.role, "states:StartExecution", self.machine.state_machine_arn)
        by_name = "This state machine's executions, by name"
        allow(schedule.role, "states:DescribeExecution", executions, why_wildcards=by_name)
        events.Rule(
            self,
            "Committed",
            description="Every commit of a curated table",
            event_pattern=events.EventPattern(source=[self._project], detail_type=[DATASET_CURATED]),
            targets=[targets.LambdaFunction(schedule.function, retry_attempts=2)],
        )
        return schedule
