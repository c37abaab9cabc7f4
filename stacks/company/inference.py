"""A language model on accelerated machines: requests through S3, no instance while none waits."""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from causeway.operate.sizing import chosen, workload_in
from causeway.settings import Settings
from stacks.company.alarms import alarm_at_first
from stacks.company.inference_endpoint import ANSWERED, EACH, FAILED, SENT, VARIANT, InferenceEndpoint
from stacks.company.lake import LakeStack
from stacks.company.pipeline import PipelineStack
from stacks.parts.buckets import private_bucket
from stacks.parts.permissions import allow
from stacks.parts.roles import application_role

KEPT = Duration.days(7)
TOO_LONG = 3600  # seconds that a request waits: no capacity, no quota, or a container that does not start


class InferenceStack(Stack):
    """`users` may send requests and read answers, and nothing else; `model` serves them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        lake: LakeStack,
        pipeline: PipelineStack,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._settings, self._lake = settings, lake
        self.bucket, workload = self._make_bucket(), workload_in(settings.inference)
        self.model = InferenceEndpoint(
            self,
            "Model",
            settings=settings,
            fit=chosen(workload),
            dtype=workload.dtype,
            bucket=self.bucket,
            key=lake.key,
        )
        failed = {"InferenceFailed": self.model.metric("InvocationFailures", VariantName=VARIANT)}
        alarm_at_first(self, failed, statistic="Sum", topic=pipeline.failures)
        oldest = {"InferenceWaits": self.model.metric("ApproximateAgeOfOldestRequest")}
        alarm_at_first(self, oldest, statistic="Maximum", topic=pipeline.failures, threshold=TOO_LONG)
        self.users = self._let_use()
        CfnOutput(self, "Endpoint", value=self.model.name)
        CfnOutput(self, "Bucket", value=self.bucket.bucket_name)
        CfnOutput(self, "UserRoleArn", value=self.users.role_arn)

    def _make_bucket(self) -> s3.Bucket:
        return private_bucket(
            self,
            "Exchange",
            self._settings,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self._lake.key,
            bucket_key_enabled=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=KEPT)],
            why_unlogged="It holds requests and answers for a week",
            why_unversioned="It holds requests and answers for a week, each under a key of its own",
        )

    def _let_use(self) -> iam.Role:
        role = application_role(
            self,
            "Users",
            name=f"{self._settings.project}-inference-user",
            principals=self._settings.inference.users,
            description="For applications: sends requests to the language model and reads its answers",
        )
        objects = self.bucket.arn_for_objects
        allow(role, "sagemaker:InvokeEndpointAsync", self.model.endpoint.ref)
        allow(role, "s3:PutObject", objects(f"{SENT}/*"), why_wildcards=EACH)
        allow(role, "s3:GetObject", objects(f"{ANSWERED}/*"), objects(f"{FAILED}/*"), why_wildcards=EACH)
        allow(role, "kms:Decrypt kms:GenerateDataKey", self._lake.key.key_arn)
        return role
