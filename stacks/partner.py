"""The partner: two roles of one permission set, to the curated data and nothing else."""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from causeway.settings import Partner, Settings
from stacks.lake import PARTNER_PATH, LakeStack
from stacks.nag import acknowledge_wildcards


class PartnerStack(Stack):
    """A programmatic role (external id) and a console role (MFA) for the partner's account."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        lake: LakeStack,
        datasets: list[str],
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        partner = settings.partner
        read = iam.ManagedPolicy(
            self,
            "ReadCurated",
            path=PARTNER_PATH,
            description="Reads the curated data and its catalog entries",
            statements=self._read_curated(lake, datasets),
        )
        files = [f"{lake.curated_arn}/{dataset}/*" for dataset in datasets]
        acknowledge_wildcards(read, files, "A dataset is its files, whose names Iceberg makes")
        # The console cannot switch to a role that asks for an external id: hence two roles.
        self.programmatic = self._role(
            "Programmatic",
            f"{settings.project}-programmatic",
            read,
            self._named(partner, partner.programmatic_roles).with_conditions(
                {"StringEquals": {"sts:ExternalId": partner.external_id}}
            ),
        )
        self.console = self._role(
            "Console",
            f"{settings.project}-console",
            read,
            # Bool, not BoolIfExists: with that, access keys without MFA would get in.
            self._named(partner, partner.console_roles).with_conditions(
                {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
            ),
        )
        CfnOutput(self, "ProgrammaticRoleArn", value=self.programmatic.role_arn)
        CfnOutput(self, "ConsoleRoleArn", value=self.console.role_arn)
        role = PARTNER_PATH.strip("/") + f"/{settings.project}-console"
        CfnOutput(
            self,
            "SwitchRoleUrl",
            value=f"https://signin.aws.amazon.com/switchrole?account={self.account}&roleName={role}",
        )
        CfnOutput(
            self,
            "CuratedDataUrl",
            value=f"https://s3.console.aws.amazon.com/s3/buckets/{lake.curated_bucket.bucket_name}"
            f"?region={self.region}&prefix={datasets[0]}/",
        )

    @staticmethod
    def _named(partner: Partner, roles: list[str]) -> iam.PrincipalWithConditions:
        # The account, narrowed to names: a role as the principal would have to exist at deploy time,
        # and would break in silence when the partner makes it anew.
        arns = [f"arn:aws:iam::{partner.account}:role/{role}" for role in roles]
        return iam.PrincipalWithConditions(
            iam.AccountPrincipal(partner.account), {"ArnEquals": {"aws:PrincipalArn": arns}}
        )

    def _role(
        self, construct_id: str, name: str, read: iam.ManagedPolicy, principal: iam.PrincipalBase
    ) -> iam.Role:
        return iam.Role(
            self,
            construct_id,
            # A name of ours, because the partner must be able to write it down.
            role_name=name,
            path=PARTNER_PATH,
            description="For the partner: reads the curated data",
            assumed_by=principal,
            managed_policies=[read],
            permissions_boundary=read,
            max_session_duration=Duration.hours(1),
        )

    def _read_curated(self, lake: LakeStack, datasets: list[str]) -> list[iam.PolicyStatement]:
        bucket, database = lake.curated_arn, lake.curated_database
        tables = [f"{database}/{dataset}" for dataset in datasets]
        return [
            iam.PolicyStatement(
                sid="ReadObjects",
                actions=["s3:GetObject", "s3:GetObjectVersion"],
                resources=[f"{bucket}/{dataset}/*" for dataset in datasets],
            ),
            iam.PolicyStatement(
                sid="ListObjects",
                actions=["s3:ListBucket"],
                resources=[bucket],
                conditions={"StringLike": {"s3:prefix": [f"{dataset}/*" for dataset in datasets]}},
            ),
            iam.PolicyStatement(
                sid="LocateBucket", actions=["s3:GetBucketLocation"], resources=[bucket]
            ),
            iam.PolicyStatement(
                sid="ReadCatalog",
                actions=["glue:GetDatabase", "glue:GetTable", "glue:GetTables"],
                resources=[
                    self.format_arn(service="glue", resource="catalog"),
                    self.format_arn(service="glue", resource="database", resource_name=database),
                    *(
                        self.format_arn(service="glue", resource="table", resource_name=table)
                        for table in tables
                    ),
                ],
            ),
            iam.PolicyStatement(
                sid="DecryptThroughS3",
                actions=["kms:Decrypt"],
                resources=[lake.key.key_arn],
                conditions={
                    "StringEquals": {
                        "kms:ViaService": f"s3.{self.region}.amazonaws.com",
                        # With bucket keys, the encryption context is the bucket.
                        "kms:EncryptionContext:aws:s3:arn": bucket,
                    }
                },
            ),
        ]
