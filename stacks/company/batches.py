"""The state machine: one execution a batch, from its job run to the news of its commit."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_glue as glue
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from causeway.flow.parameters import EXECUTION, MANIFEST
from stacks.company.curate_small import CurateSmall
from stacks.parts.machines import (
    DATASET_CURATED,
    call_function,
    make_machine,
    notify,
    notify_and_fail,
    publish,
    read_outcome,
    retry,
    run_job,
)
from stacks.parts.permissions import acknowledge_wildcards

LONGEST = Duration.days(7)


class Batches(Construct):
    """`machine` runs the job on a batch, splits the batch if that kills the job, and publishes the commit."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        project: str,
        job: glue.PySparkEtlJob,
        ledger: dynamodb.Table,
        small: CurateSmall | None,
        price_run: lambda_.Function,
        split_batch: lambda_.Function,
        failures: sns.Topic,
        log_group: logs.LogGroup,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        curate = run_job(self, "Curate batch", job, {MANIFEST: "$.manifest", EXECUTION: "$$.Execution.Id"})
        split = self._split(split_batch)
        batch = sfn.JsonPath.format("batch#{}", sfn.JsonPath.string_at("$.batch"))
        outcome = read_outcome(self, ledger, batch, ["snapshot"])
        detail = {"dataset": "$.dataset", "batch": "$.batch", "snapshot": "$.outcome.snapshot"}
        published = publish(self, project, DATASET_CURATED, detail)
        isolated_some = "Causeway: objects that kill their job are quarantined"
        announce = notify(self, "Say what was isolated", failures, isolated_some)
        failed = notify_and_fail(self, failures, "Causeway: a batch failed")

        # A job that failed may have been killed by one object of its batch.
        curate.add_catch(split, errors=["States.TaskFailed", "States.Timeout"], result_path="$.failure")
        retry(split, outcome, published, announce)
        steps: list[sfn.TaskStateBase] = [curate, split, outcome, published, announce]
        for step in steps:
            step.add_catch(failed, errors=["States.ALL"], result_path="$.failure")

        # curate → outcome → publish; while a batch is searched for a poison object, curate → split → curate …
        outcome.next(published)
        searching = sfn.Choice(self, "Is a part of a batch")
        searching.when(sfn.Condition.is_present("$.search"), split).otherwise(outcome)
        isolated = sfn.Choice(self, "Was any isolated")
        isolated.when(sfn.Condition.is_present("$.isolated[0]"), announce.next(outcome)).otherwise(outcome)
        done = sfn.Choice(self, "Is all of it done")
        done.when(sfn.Condition.is_present("$.given_up"), failed)
        done.when(sfn.Condition.boolean_equals("$.search.done", value=True), isolated).otherwise(curate)
        split.next(done)
        curate.next(searching)
        # Each run has the job's own timeout; this is for all runs and waits together.
        start = self._begin(small, price_run, curate, outcome) if small else curate
        self.machine = make_machine(self, start, log_group, removal_policy, timeout=LONGEST, topic=failures)
        called = [split_batch, *([small.function, price_run] if small else [])]
        versions = [f"{function.function_arn}:*" for function in called]
        acknowledge_wildcards(self.machine, versions, "Any version of a function; CDK's own statement")

    def _begin(
        self, small: CurateSmall, price_run: lambda_.Function, curate: sfn.IChainable, outcome: sfn.IChainable
    ) -> sfn.Choice:
        """A small batch is for the function first. Whatever it fails of, the job is the way back."""
        run = {"manifest": sfn.JsonPath.string_at("$.manifest"), "execution": sfn.JsonPath.execution_id}
        call = call_function(self, "Curate small batch", small.function, run)
        began = {"began": sfn.JsonPath.execution_start_time, "memory_mb": small.memory_mb}
        price = call_function(self, "Price failed call", price_run, {"failed_call": {**run, **began}})
        call.add_catch(price, errors=["States.ALL"], result_path=sfn.JsonPath.DISCARD)
        call.next(outcome)
        price.add_catch(curate, errors=["States.ALL"], result_path=sfn.JsonPath.DISCARD)
        price.next(curate)
        return sfn.Choice(self, "Is it small").when(small.condition, call).otherwise(curate)

    def _split(self, function: lambda_.Function) -> tasks.LambdaInvoke:
        return tasks.LambdaInvoke(
            self,
            "Split batch",
            lambda_function=function,
            payload_response_only=True,
            retry_on_service_exceptions=False,
        )
