"""Inference: what the model in use says of a few rows at once, and of every row of a snapshot."""

from collections.abc import Collection

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from causeway.settings import Settings
from ml.parameters import PredictParameters
from stacks.partner.jobs import Jobs
from stacks.partner.roles import IN_USE, OWN_BUCKET, allow_running
from stacks.parts import assets
from stacks.parts.functions import PythonFunction, make_log_group, removal_policy
from stacks.parts.layers import modules_layer
from stacks.parts.machines import make_machine, notify_and_fail
from stacks.parts.permissions import allow

MEMORY_MB = 1769  # one whole processor: less, and a first call waits longer for its imports
TIMEOUT = Duration.hours(2)


class Inference(Construct):
    """`function` takes {"model": …, "rows": […]}; `machine` {"model": …, "snapshot": … or ""}."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        jobs: Jobs,
        bucket: s3.Bucket,
        models: Collection[str],
        failures: sns.Topic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings, self._bucket = settings, bucket
        self.function = self._predict(models)
        self.machine = self._scoring(jobs, models, failures)

    def _predict(self, models: Collection[str]) -> PythonFunction:
        predict = PythonFunction(
            self,
            "Predict",
            name="predict",
            description="What the model in use says of rows",
            parameters=PredictParameters(self._bucket.bucket_name, sorted(models)),
            settings=self._settings,
            timeout=Duration.minutes(1),
            memory_mb=MEMORY_MB,
            shared=assets.PREDICTIONS,
        )
        if layer := modules_layer(self, "Modules", assets.PREDICT_MODULES):
            predict.function.add_layers(layer)
        keys = ("control/*/champion.json", *IN_USE)
        objects = (self._bucket.arn_for_objects(key) for key in keys)
        allow(predict.role, "s3:GetObject", *objects, why_wildcards=OWN_BUCKET)
        # Without it, S3 would not say that no model is in use.
        allow(predict.role, "s3:ListBucket", self._bucket.bucket_arn)
        return predict

    def _scoring(self, jobs: Jobs, models: Collection[str], failures: sns.Topic) -> sfn.StateMachine:
        named = sfn.Pass(
            self,
            "Name the run",
            parameters={
                "model": sfn.JsonPath.string_at("$.model"),
                "snapshot": sfn.JsonPath.string_at("$.snapshot"),
                # Short, for it is a part of the job's name.
                "run": sfn.JsonPath.string_at("States.Hash($$.Execution.Id, 'MD5')"),
            },
        )
        notice = notify_and_fail(self, failures, "Causeway: scoring a snapshot failed")
        score = jobs.score().add_catch(notice, errors=["States.ALL"], result_path="$.failure")
        machine = make_machine(
            self,
            named.next(score).next(sfn.Succeed(self, "Done")),
            make_log_group(
                self,
                "MachineLogs",
                self._settings,
                f"/aws/vendedlogs/states/{self._settings.project}-scoring",
            ),
            removal_policy(self._settings),
            timeout=TIMEOUT,
            topic=failures,
        )
        allow_running(machine, [jobs.prepare_role], models, kinds=["Processing"])
        return machine

    def failures(self) -> dict[str, cloudwatch.Metric]:
        """What an alarm should look at."""
        return {
            "ScoringFailed": self.machine.metric_failed(),
            "ScoringTimedOut": self.machine.metric_timed_out(),
            "PredictionFailed": self.function.function.metric_errors(),
        }
