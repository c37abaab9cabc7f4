"""Audit: who called what, and who read and wrote which object."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_cloudtrail as cloudtrail
from constructs import Construct

from causeway.settings import Settings
from stacks.company.lake import LakeStack
from stacks.parts.permissions import answer_checkov


class AuditStack(Stack):
    """One trail: the account's API calls (roles taken, catalog read, key used) and the data's objects."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, lake: LakeStack, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self.trail = cloudtrail.Trail(
            self,
            "Trail",
            trail_name=f"{settings.project}-audit",
            bucket=lake.log_bucket,
            s3_key_prefix="audit",
            enable_file_validation=True,
        )
        shared = "It shares the log bucket, which S3's key encrypts; its files are signed, and hold no data"
        answer_checkov(self.trail, {"35": shared})
        data = (lake.landing_bucket, lake.curated_bucket, lake.quarantine_bucket)
        self.trail.add_s3_event_selector([cloudtrail.S3EventSelector(bucket=bucket) for bucket in data])
