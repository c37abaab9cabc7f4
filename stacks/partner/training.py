"""Training: in the partner's account, from the company's commits to models that wait for approval."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import ArnFormat, CfnOutput, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from causeway.settings import Settings
from ml.parameters import DecideParameters, PromoteParameters
from ml.spec import Spec
from stacks.company.alarms import alarm_at_first, alert_topic
from stacks.partner.inference import Inference
from stacks.partner.jobs import Jobs
from stacks.partner.news import news_bus
from stacks.partner.roles import OWN_BUCKET, starting_role
from stacks.partner.workflow import Workflow
from stacks.parts import assets
from stacks.parts.buckets import private_bucket
from stacks.parts.functions import PythonFunction, removal_policy
from stacks.parts.machines import DATASET_CURATED
from stacks.parts.permissions import acknowledge_wildcards, allow

# Rows of the company's, and models that no run is left of.
EXPIRING = ("prepared/", "candidates/", "scores/")


class TrainingStack(Stack):
    """An event bus on which the company tells of its commits, and the workflow that trains on them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        models: Mapping[str, Spec],
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._settings, self._models = settings, models
        self.news = news_bus(self, settings)
        self.bucket = self._bucket()
        emails = settings.partner.ml.emails
        self.failures = alert_topic(self, "Failures", services=["cloudwatch"], emails=emails)
        self.jobs = Jobs(self, "Jobs", settings=settings, bucket=self.bucket)
        self.decide = self._decide()
        self.workflow = Workflow(
            self,
            "Workflow",
            settings=settings,
            jobs=self.jobs,
            models=models,
            decide=self.decide,
            failures=self.failures,
            removal_policy=removal_policy(settings),
        )
        self._look_at_executions()
        self.groups = {name: f"{settings.project}-{name}" for name in models}
        for name, group in self.groups.items():
            registry = sagemaker.CfnModelPackageGroup(self, f"Models-{name}", model_package_group_name=group)
            registry.apply_removal_policy(removal_policy(settings))
        self.promote = self._promote()
        self._start_training()
        self.inference = Inference(
            self,
            "Inference",
            settings=settings,
            jobs=self.jobs,
            bucket=self.bucket,
            models=models,
            failures=self.failures,
        )
        self._alarms()
        CfnOutput(self, "AlertTopic", value=self.failures.topic_arn)
        CfnOutput(self, "Bucket", value=self.bucket.bucket_name)
        CfnOutput(self, "ScoringMachine", value=self.inference.machine.state_machine_arn)
        CfnOutput(self, "PredictFunction", value=self.inference.function.function.function_name)
        CfnOutput(self, "TrainingMachine", value=self.workflow.machine.state_machine_arn)

    def _bucket(self) -> s3.Bucket:
        return private_bucket(
            self,
            "Work",
            self._settings,
            encryption=s3.BucketEncryption.S3_MANAGED,
            lifecycle_rules=[
                s3.LifecycleRule(prefix=prefix, expiration=Duration.days(30)) for prefix in EXPIRING
            ],
            why_unlogged="CloudTrail shows who reads rows; here are copies of some for 30 days",
            why_unversioned="Each run has keys of its own; the registry's approvals say what is in use",
        )

    def _decide(self) -> PythonFunction:
        policies = {name: spec.policy() for name, spec in self._models.items()}
        decide = PythonFunction(
            self,
            "Decide",
            name="decide",
            description="The workflow's small decisions",
            parameters=DecideParameters(self.bucket.bucket_name, policies),
            settings=self._settings,
            timeout=Duration.minutes(1),
            shared=assets.DECISIONS,
        )
        self._allow_documents(decide.role, "s3:GetObject", "control/*", "runs/*")
        # Not which model is in use.
        written = (
            "control/*/judged.json",
            "control/*/running.json",
            "runs/*/rounds/*",
            "runs/*/verdict.json",
        )
        self._allow_documents(decide.role, "s3:PutObject", *written)
        return decide

    def _look_at_executions(self) -> None:
        """Who has a model's turn may have ended."""
        machine, decide = self.workflow.machine, self.decide
        executions = self.format_arn(
            service="states",
            resource="execution",
            resource_name=f"{machine.state_machine_name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        looking = iam.PolicyStatement(actions=["states:DescribeExecution"], resources=[executions])
        # Not of the role's own policy: the machine refers to the function, which waits for that.
        policy = iam.Policy(self, "DecideLooks", statements=[looking], roles=[decide.role])
        acknowledge_wildcards(policy, [executions], "This state machine's executions, by name")
        versions = [f"{decide.function.function_arn}:*"]
        acknowledge_wildcards(machine, versions, "Any version of that one function; CDK's own statement")

    def _promote(self) -> PythonFunction:
        models = {group: name for name, group in self.groups.items()}
        promote = PythonFunction(
            self,
            "Promote",
            name="promote_model",
            description="An approval in, the model that is in use out",
            parameters=PromoteParameters(self.bucket.bucket_name, models),
            settings=self._settings,
            timeout=Duration.minutes(1),
            shared=assets.DECISIONS,
        )
        in_use = "control/*/champion.json"
        self._allow_documents(promote.role, "s3:GetObject", in_use, "runs/*/model.skops")
        self._allow_documents(promote.role, "s3:PutObject s3:DeleteObject", in_use)
        if models:
            self._hear_of_approvals(promote, [*models])
        return promote

    def _hear_of_approvals(self, promote: PythonFunction, groups: list[str]) -> None:
        packages = [self._registry("model-package", f"{group}/*") for group in groups]
        of_group = "Every version of the model"
        allow(promote.role, "sagemaker:DescribeModelPackage", *packages, why_wildcards=of_group)
        listed = [*packages, *(self._registry("model-package-group", group) for group in groups)]
        allow(promote.role, "sagemaker:ListModelPackages", *listed)
        events.Rule(
            self,
            "Approved",
            description="A person approved a model, or took that back",
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Model Package State Change"],
                detail={"ModelPackageGroupName": groups, "ModelApprovalStatus": ["Approved", "Rejected"]},
            ),
            targets=[targets.LambdaFunction(promote.function, retry_attempts=2)],
        )

    def _allow_documents(self, role: iam.Role, actions: str, *keys: str) -> None:
        allow(role, actions, *(self.bucket.arn_for_objects(key) for key in keys), why_wildcards=OWN_BUCKET)
        # Without it, S3 would not say of a document that it is missing.
        allow(role, "s3:ListBucket", self.bucket.bucket_arn)

    def _registry(self, resource: str, name: str) -> str:
        return self.format_arn(service="sagemaker", resource=resource, resource_name=name)

    def _start_training(self) -> None:
        """By each commit of a model's dataset, and periodically."""
        role = starting_role(self, "Start")
        for name, spec in self._models.items():
            machine, every = self.workflow.machine, Duration.days(spec.retrain.every_days)
            if spec.retrain.on_commits:
                self._start_on_commits(name, spec, role)
            events.Rule(
                self,
                f"Periodically-{name}",
                description=f"Trains the model {name} on the newest snapshot",
                schedule=events.Schedule.rate(every),
                targets=[targets.SfnStateMachine(machine, input=_asking(name, "", asked=True), role=role)],
            )

    def _start_on_commits(self, name: str, spec: Spec, role: iam.Role) -> None:
        snapshot = events.EventField.from_path("$.detail.snapshot")
        asking = _asking(name, snapshot, asked=False)
        events.Rule(
            self,
            f"Committed-{name}",
            description=f"Commits of what the model {name} is trained on",
            event_bus=self.news,
            event_pattern=events.EventPattern(
                account=[self._settings.company.account],
                source=[self._settings.project],
                detail_type=[DATASET_CURATED],
                detail={"dataset": [spec.dataset]},
            ),
            targets=[targets.SfnStateMachine(self.workflow.machine, input=asking, role=role)],
        )

    def _alarms(self) -> None:
        machine = self.workflow.machine
        metrics = {
            "TrainingFailed": machine.metric_failed(),
            "TrainingTimedOut": machine.metric_timed_out(),
            "DecisionFailed": self.decide.function.metric_errors(),
            "PromotionFailed": self.promote.function.metric_errors(),
            **self.inference.failures(),
        }
        alarm_at_first(
            self, metrics, statistic="Sum", topic=self.failures, names="causeway ml status names the model"
        )


def _asking(model: str, snapshot: str, *, asked: bool) -> events.RuleTargetInput:
    return events.RuleTargetInput.from_object({"model": model, "snapshot": snapshot, "asked": asked})
