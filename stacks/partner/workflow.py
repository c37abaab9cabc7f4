"""The workflow: from a commit of the company's to a model that waits for a person's approval."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from causeway.settings import Settings
from ml.judge.diagnose import ROUNDS
from stacks.partner.jobs import Jobs
from stacks.partner.roles import allow_registering, allow_running, allow_starting_again
from stacks.parts.functions import PythonFunction, make_log_group
from stacks.parts.machines import make_machine, notify, notify_and_fail, retry

AT_ONCE = 2  # candidates of a round that train side by side
TIMEOUT = Duration.hours(12)
State = TypeVar("State", tasks.LambdaInvoke, sfn.CustomState, sfn.Map)


class Workflow(Construct):
    """`machine` takes {"model": …, "snapshot": … or "", "asked": whether to train whatever the rows say}."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        jobs: Jobs,
        models: Collection[str],
        decide: PythonFunction,
        failures: sns.Topic,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self._jobs, self._decide, self._project = jobs, decide, settings.project
        self._notice = notify_and_fail(self, failures, "Causeway: a model's training failed")
        self._failed = self._give_back("after a failure", failed=True, then=self._notice)
        self._ended = self._give_back("", failed=False, then=sfn.Succeed(self, "Done"))
        log_name = f"/aws/vendedlogs/states/{settings.project}-training"
        self.machine = make_machine(
            self,
            self._steps(failures),
            make_log_group(self, "MachineLogs", settings, log_name),
            removal_policy,
            timeout=TIMEOUT,
            topic=failures,
        )
        allow_starting_again(self.machine)
        allow_running(self.machine, jobs.roles, models)
        allow_registering(self.machine, [f"{settings.project}-{model}" for model in models])

    def _steps(self, failures: sns.Topic) -> sfn.IChainable:
        begin = self._decision("Begin", "begin", {"snapshot": "$.snapshot", "asked": "$.asked"}, "$.begun")
        turn = sfn.Pass(
            self,
            "Name the run",
            parameters={
                "model": sfn.JsonPath.string_at("$.begun.model"),
                "run": sfn.JsonPath.string_at("$.begun.run"),
                "snapshot": sfn.JsonPath.string_at("$.begun.snapshot"),
                "asked": sfn.JsonPath.string_at("$.begun.asked"),
            },
        )
        prepare, evaluate = self._caught(self._jobs.prepare()), self._caught(self._jobs.evaluate())
        plan = self._decision("Has enough changed", "plan", {"run": "$.run", "asked": "$.asked"}, "$.plan")
        gate = self._decision("Gate", "gate", {"run": "$.run"}, "$.gate")
        refused = self._refused(failures)
        passed = sfn.Condition.string_equals("$.gate.verdict", "passed")
        judged = (
            sfn.Choice(self, "Is it good enough").when(passed, self._register(failures)).otherwise(refused)
        )
        ended = evaluate.next(gate).next(judged)
        rounds = self._round(1, ended)
        train = sfn.Choice(self, "Train or not")
        train.when(sfn.Condition.string_equals("$.plan.action", "train"), rounds).otherwise(self._ended)
        work = turn.next(prepare).next(plan).next(train)
        mine = sfn.Choice(self, "Whose turn is it")
        mine.when(sfn.Condition.string_equals("$.begun.action", "train"), work).otherwise(
            sfn.Succeed(self, "Not its turn")
        )
        return begin.next(mine)

    def _round(self, number: int, ended: sfn.IChainable) -> sfn.IChainable:
        """Train the round's candidates, see what they lack, go on to the next round or to the end."""
        each = sfn.Map(
            self,
            f"Round {number}",
            items_path="$.plan.candidates",
            max_concurrency=AT_ONCE,
            item_selector={
                "candidate": sfn.JsonPath.object_at("$$.Map.Item.Value"),
                "model": sfn.JsonPath.string_at("$.model"),
                "run": sfn.JsonPath.string_at("$.run"),
            },
            result_path=sfn.JsonPath.DISCARD,
        )
        each.item_processor(self._jobs.candidate(number))
        self._caught(each)
        diagnose = self._decision(
            f"Diagnose {number}", "diagnose", {"run": "$.run", "round": number}, "$.plan"
        )
        if number == ROUNDS:
            return each.next(diagnose).next(ended)
        more = sfn.Choice(self, f"Another round after {number}")
        done = sfn.Condition.boolean_equals("$.plan.done", True)
        more.when(done, ended).otherwise(self._round(number + 1, ended))
        return each.next(diagnose).next(more)

    def _decision(
        self, construct_id: str, step: str, more: Mapping[str, Any], result_path: str
    ) -> tasks.LambdaInvoke:
        return self._caught(self._decide_on(construct_id, step, more, result_path))

    def _decide_on(
        self, construct_id: str, step: str, more: Mapping[str, Any], result_path: str
    ) -> tasks.LambdaInvoke:
        paths = {k: sfn.JsonPath.string_at(v) if isinstance(v, str) else v for k, v in more.items()}
        asked = {"step": step, "model": sfn.JsonPath.string_at("$.model"), **paths}
        asked["execution"] = sfn.JsonPath.string_at("$$.Execution.Id")
        invoke = tasks.LambdaInvoke(
            self,
            construct_id,
            lambda_function=self._decide.function,
            payload=sfn.TaskInput.from_object(asked),
            payload_response_only=True,
            retry_on_service_exceptions=False,
            result_path=result_path,
        )
        retry(invoke)
        return invoke

    def _give_back(self, when: str, *, failed: bool, then: sfn.IChainable) -> tasks.LambdaInvoke:
        """Give the model's turn back, and start another execution if one was asked for meanwhile."""
        finish = self._decide_on(
            f"Give the turn back {when}".strip(), "finish", {"failed": failed}, "$.finished"
        )
        start = sfn.CustomState(
            self,
            f"Train again {when}".strip(),
            state_json={
                "Type": "Task",
                "Resource": f"arn:{Stack.of(self).partition}:states:::states:startExecution",
                "Parameters": {
                    "StateMachineArn.$": "$$.StateMachine.Id",
                    "Input": {
                        "model.$": "$.model",
                        "snapshot.$": "$.finished.snapshot",
                        "asked.$": "$.finished.asked",
                        "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$": "$$.Execution.Id",
                    },
                },
                "ResultPath": "$.again",
            },
        )
        # After a failure that one is told, not what failed then.
        told = sfn.JsonPath.DISCARD if failed else "$.failure"
        for state in (finish, start):
            state.add_catch(self._notice, errors=["States.ALL"], result_path=told)
        again = sfn.Choice(self, f"Was another asked for {when}".strip())
        again.when(sfn.Condition.boolean_equals("$.finished.again", True), start.next(then)).otherwise(then)
        finish.next(again)
        return finish

    def _caught(self, state: State) -> State:
        """The state; what goes wrong in it fails the execution."""
        state.add_catch(self._failed, errors=["States.ALL"], result_path="$.failure")
        return state

    def _register(self, failures: sns.Topic) -> sfn.IChainable:
        """Into the registry, where it waits for a person."""
        metrics = {"ContentType": "application/json"}
        request = {
            "ModelPackageGroupName.$": f"States.Format('{self._project}-{{}}', $.model)",
            "ModelPackageDescription.$": "States.Format('{}, of snapshot {}', $.gate.properties.candidate, "
            "$.gate.properties.snapshot)",
            "ModelApprovalStatus": "PendingManualApproval",
            "CustomerMetadataProperties.$": "$.gate.properties",
            "ModelCard": {"ModelCardContent.$": "$.gate.card", "ModelCardStatus": "PendingReview"},
            "ModelMetrics": {"ModelQuality": {"Statistics": {**metrics, "S3Uri.$": "$.gate.report"}}},
        }
        register = sfn.CustomState(
            self,
            "Register",
            state_json={
                "Type": "Task",
                "Resource": f"arn:{Stack.of(self).partition}:states:::aws-sdk:sagemaker:createModelPackage",
                "Parameters": request,
                "ResultPath": "$.registered",
            },
        )
        told = notify(self, "Ask for approval", failures, "Causeway: a model waits for your approval")
        return self._caught(register).next(told).next(self._ended)

    def _refused(self, failures: sns.Topic) -> sfn.IChainable:
        """The model in use goes on: no failure of the workflow, but somebody should know."""
        told = notify(self, "Tell why not", failures, "Causeway: a model was not good enough")
        return told.next(self._ended)
