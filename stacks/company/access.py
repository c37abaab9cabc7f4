"""A partner: two roles of one permission set, to the curated data and nothing else."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from causeway.contract.model import Contract
from causeway.flow.datasets import LANDING_PREFIX
from causeway.settings import Settings, role_prefix
from causeway.settings_errors import SettingsError
from causeway.settings_partner import Reader
from stacks.company.lake import LakeStack
from stacks.parts.permissions import acknowledge_wildcards
from stacks.parts.roles import PARTNER_PATH, SESSION, partner_role, program_role

DESCRIPTION = "For the partner: reads the curated data"
# A policy has 6,144 characters at most, and what a table needs up to 300; a role has 10 policies at most.
TABLES_IN_A_POLICY = 16
MAX_TABLES = 10 * TABLES_IN_A_POLICY


class PartnerStack(Stack):
    """A programmatic role (external id) and a console role (MFA) for a partner's account.

    The console cannot switch to a role that asks for an external id: hence two roles.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        key: str,
        partner: Reader,
        lake: LakeStack,
        contracts: Mapping[str, Contract],
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._name = role_prefix(settings, key)
        policies, boundary = self._permissions(partner, lake, _tables_of(key, partner, contracts))
        limits: Any = {"description": DESCRIPTION, "policies": policies, "boundary": boundary}
        if partner.programmatic:
            programmatic = program_role(
                self, partner, self._name, "programmatic", programs=partner.programs(), **limits
            )
            if partner.vpc_endpoints:
                self._only_through(programmatic, partner.vpc_endpoints)
        if partner.console:
            partner_role(self, partner, self._name, "console", self._console_conditions(partner), **limits)
            name = f"{PARTNER_PATH.strip('/')}/{self._name}-console"
            url = f"https://signin.aws.amazon.com/switchrole?account={self.account}&roleName={name}"
            CfnOutput(self, "SwitchRoleUrl", value=url)

    @staticmethod
    def _console_conditions(partner: Reader) -> dict[str, Any]:
        names = [f"arn:aws:iam::{partner.account}:{name}" for name in partner.console_principals]
        conditions: dict[str, Any] = {"ArnLike": {"aws:PrincipalArn": names}}
        if partner.console_mfa:
            # Not the IfExists forms: with those, access keys without MFA would get in.
            conditions["Bool"] = {"aws:MultiFactorAuthPresent": "true"}
            conditions["NumericLessThan"] = {"aws:MultiFactorAuthAge": str(SESSION.to_seconds())}
        return conditions

    @staticmethod
    def _only_through(role: iam.Role, endpoints: list[str]) -> None:
        """S3 alone: the endpoints of other services have other ids, and a session may use several."""
        role.add_to_policy(
            iam.PolicyStatement(
                sid="DenyOtherWays",
                effect=iam.Effect.DENY,
                actions=["s3:*"],
                resources=["*"],
                conditions={"StringNotEquals": {"aws:SourceVpce": endpoints}},
            )
        )

    def _permissions(
        self, partner: Reader, lake: LakeStack, names: list[str]
    ) -> tuple[list[iam.IManagedPolicy], iam.IManagedPolicy]:
        """Everything either role may do, and their boundary, to which nothing attached later adds."""
        parts = [names[i : i + TABLES_IN_A_POLICY] for i in range(0, len(names), TABLES_IN_A_POLICY)]
        policies = [self._policy(f"Permissions{i or ''}", lake, part) for i, part in enumerate(parts or [[]])]
        # One policy is its own boundary; of several, none is, and one for all would be too long.
        boundary = policies[0] if len(policies) == 1 else self._policy("Boundary", lake, ["*"])
        for policy in dict.fromkeys((policies[0], boundary)):
            self._add_buckets(policy, partner, lake)
        return [*policies], boundary

    def _policy(self, construct_id: str, lake: LakeStack, names: list[str]) -> iam.ManagedPolicy:
        """Lets read these tables, if there are some."""
        description = "All that the partner's roles may do"
        policy = iam.ManagedPolicy(self, construct_id, path=PARTNER_PATH, description=description)
        if not names:
            return policy
        files = [f"{lake.curated_arn}/{name}/*" for name in names]
        tables = self._tables(lake.curated_database, names)
        policy.add_statements(
            iam.PolicyStatement(sid="ReadObjects", actions=["s3:GetObject"], resources=files),
            iam.PolicyStatement(
                sid="ListObjects",
                actions=["s3:ListBucket"],
                resources=[lake.curated_arn],
                conditions={"StringLike": {"s3:prefix": [f"{name}/*" for name in names]}},
            ),
            iam.PolicyStatement(
                sid="ReadCatalog",
                actions=["glue:GetDatabase", "glue:GetTable", "glue:GetTables"],
                resources=tables,
            ),
        )
        acknowledge_wildcards(policy, files, "A dataset is its files, whose names Iceberg makes")
        acknowledge_wildcards(policy, tables, "The boundary of roles with more tables than a policy can name")
        return policy

    def _add_buckets(self, policy: iam.ManagedPolicy, partner: Reader, lake: LakeStack) -> None:
        """What reading any table takes, and landing files."""
        policy.add_statements(
            iam.PolicyStatement(
                sid="LocateBucket", actions=["s3:GetBucketLocation"], resources=[lake.curated_arn]
            ),
            self._through_s3("Decrypt", ["kms:Decrypt"], lake, lake.curated_arn),
        )
        if partner.may_land:
            landed = [f"{lake.landing_arn}/{LANDING_PREFIX}{dataset}/*" for dataset in partner.may_land]
            policy.add_statements(
                iam.PolicyStatement(sid="LandFiles", actions=["s3:PutObject"], resources=landed),
                # Uploads in several parts decrypt what they have sent so far.
                self._through_s3("Encrypt", ["kms:Decrypt", "kms:GenerateDataKey"], lake, lake.landing_arn),
            )
            acknowledge_wildcards(policy, landed, "The partner names the files that it lands")

    def _tables(self, database: str, names: list[str]) -> list[str]:
        """The tables, and what Glue asks for besides: their database and the catalog."""
        return [
            self.format_arn(service="glue", resource="catalog"),
            self.format_arn(service="glue", resource="database", resource_name=database),
            *(
                self.format_arn(service="glue", resource="table", resource_name=f"{database}/{name}")
                for name in names
            ),
        ]

    def _through_s3(
        self, sid: str, actions: list[str], lake: LakeStack, bucket_arn: str
    ) -> iam.PolicyStatement:
        conditions = {
            "kms:ViaService": f"s3.{self.region}.amazonaws.com",
            # With bucket keys, the encryption context is the bucket.
            "kms:EncryptionContext:aws:s3:arn": bucket_arn,
        }
        return iam.PolicyStatement(
            sid=sid, actions=actions, resources=[lake.key.key_arn], conditions={"StringEquals": conditions}
        )


def _tables_of(key: str, partner: Reader, contracts: Mapping[str, Contract]) -> list[str]:
    """The tables of the partner's datasets, of every major version that there was; "*" is all contracts'.

    So access goes with the contract. Raises SettingsError.
    """
    names = [name for dataset in partner.readable(contracts) for name in contracts[dataset].tables]
    if len(names) > MAX_TABLES:
        raise SettingsError(
            f"{key}.datasets: {len(names)} tables, and an IAM role can name {MAX_TABLES}; name fewer"
        )
    return names
