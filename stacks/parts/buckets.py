"""Buckets that nobody beyond their account sees, reached over TLS alone."""

from typing import Any

from aws_cdk import aws_s3 as s3
from constructs import Construct

from causeway.settings import Settings
from stacks.parts.functions import removal_policy
from stacks.parts.permissions import acknowledge, answer_checkov


def private_bucket(
    scope: Construct,
    construct_id: str,
    settings: Settings,
    *,
    why_unlogged: str = "",
    why_unversioned: str = "",
    **more: Any,
) -> s3.Bucket:
    """`more`: what is a bucket's own, its encryption and lifecycle rules."""
    bucket = s3.Bucket(
        scope,
        construct_id,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        removal_policy=removal_policy(settings),
        **more,
    )
    reasons = {"18": why_unlogged, "21": why_unversioned}
    if answers := {check: reason for check, reason in reasons.items() if reason}:
        answer_checkov(bucket, answers)
    if why_unlogged:
        acknowledge(bucket, "AwsSolutions::AwsSolutions-S1", why_unlogged)
    return bucket
