"""Buckets that nobody beyond their account sees, reached over TLS alone."""

from typing import Any

from aws_cdk import aws_s3 as s3
from constructs import Construct

from causeway.settings import Settings
from stacks.parts.functions import removal_policy


def private_bucket(scope: Construct, construct_id: str, settings: Settings, **more: Any) -> s3.Bucket:
    """`more`: what is a bucket's own, its encryption and lifecycle rules."""
    return s3.Bucket(
        scope,
        construct_id,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        removal_policy=removal_policy(settings),
        **more,
    )
