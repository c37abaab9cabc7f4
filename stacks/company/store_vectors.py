"""Vectors of embedded texts in S3 Vectors, beside the store: a bucket, and an index for each dataset."""

from collections.abc import Mapping

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iam as iam
from aws_cdk.aws_s3vectors import CfnIndex, CfnVectorBucket
from constructs import Construct

from causeway.contract.model import Contract
from causeway.settings import Settings
from causeway.store.embeddings import DIMENSION
from causeway.store.s3_vectors import BUCKET, index_name
from stacks.company.lake import LakeStack
from stacks.parts.functions import removal_policy
from stacks.parts.permissions import allow
from stacks.parts.vectors import vector_bucket_name

WRITING = "s3vectors:PutVectors s3vectors:DeleteVectors s3vectors:ListVectors"
# A query by a filter asks for the right to get vectors too.
READING = "s3vectors:QueryVectors s3vectors:GetVectors"


class StoreVectors(Construct):
    """`arn` is the bucket's. All of it can be made anew from the lake, so that it goes with its stack."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        lake: LakeStack,
        contracts: Mapping[str, Contract],
    ) -> None:
        super().__init__(scope, construct_id)
        bucket = CfnVectorBucket(
            self,
            "Bucket",
            vector_bucket_name=vector_bucket_name(settings),
            encryption_configuration=CfnVectorBucket.EncryptionConfigurationProperty(
                sse_type="aws:kms", kms_key_arn=lake.key.key_arn
            ),
        )
        self.arn = bucket.attr_vector_bucket_arn
        indexes = [
            CfnIndex(
                self,
                index_name(contract.table, DIMENSION),
                vector_bucket_arn=self.arn,
                index_name=index_name(contract.table, DIMENSION),
                data_type="float32",
                dimension=DIMENSION,
                distance_metric="cosine",
            )
            for contract in contracts.values()
            if contract.embedded
        ]
        self._indexes = [index.attr_index_arn for index in indexes]
        for resource in (bucket, *indexes):
            resource.apply_removal_policy(removal_policy(settings))
        CfnOutput(Stack.of(self), BUCKET, value=self.arn)

    def let(self, role: iam.Role, actions: str) -> None:
        """These actions, on every index."""
        if self._indexes:
            allow(role, actions, *self._indexes)
