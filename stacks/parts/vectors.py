"""S3 Vectors' bucket of the store: its name, and the key under which it is, which another stack has."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from causeway.settings import Settings


def vector_bucket_name(settings: Settings) -> str:
    return f"{settings.project}-store-vectors"


def let_index_vectors(key: kms.Key, settings: Settings) -> None:
    """S3 Vectors orders what it keeps by itself, and reads it for that; if the settings choose it."""
    if not settings.store.enabled or settings.store.vectors != "s3":
        return
    stack = Stack.of(key)
    bucket = stack.format_arn(
        service="s3vectors", resource="bucket", resource_name=vector_bucket_name(settings)
    )
    ours = {"StringEquals": {"aws:SourceAccount": stack.account}, "ArnLike": {"aws:SourceArn": f"{bucket}*"}}
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="AllowVectorIndexing",
            principals=[iam.ServicePrincipal("indexing.s3vectors.amazonaws.com")],
            actions=["kms:Decrypt"],
            resources=["*"],
            conditions=ours,
        )
    )
