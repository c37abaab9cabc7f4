"""A partner: two roles of one permission set, to the curated data and nothing else."""

from collections.abc import Mapping
from typing import Any, cast

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from causeway.contract.model import Contract
from causeway.flow.datasets import LANDING_PREFIX
from causeway.settings import Settings, role_prefix
from causeway.settings_errors import SettingsError
from causeway.settings_partner import Reader
from stacks.company.lake import PARTNER_PATH, LakeStack
from stacks.parts.permissions import acknowledge_wildcards

# Both the longest session and how recent the console's MFA must be.
SESSION = Duration.hours(1)
# A policy has 6,144 characters at most, and what a table needs up to 300; a role has 10 policies at most.
TABLES_IN_A_POLICY = 16
MAX_TABLES = 10 * TABLES_IN_A_POLICY


def _programs(partner: Reader) -> list[str]:
    return [f"arn:aws:iam::{partner.account}:role/{role}" for role in partner.programs()]


def _one_or_all(ids: list[str]) -> str | list[str]:
    return ids if len(ids) > 1 else ids[0]


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
        names = _tables_of(key, partner, contracts)
        self._policies, self._boundary = self._permissions(partner, lake, names)
        if partner.programmatic:
            programmatic = self._role("programmatic", partner, self._programmatic_conditions(partner))
            if partner.source_identity:
                self._let_name_source(programmatic, partner)
            if partner.vpc_endpoints:
                self._only_through(programmatic, partner.vpc_endpoints)
        if partner.console:
            self._role("console", partner, self._console_conditions(partner))
            name = f"{PARTNER_PATH.strip('/')}/{self._name}-console"
            url = f"https://signin.aws.amazon.com/switchrole?account={self.account}&roleName={name}"
            CfnOutput(self, "SwitchRoleUrl", value=url)

    @staticmethod
    def _programmatic_conditions(partner: Reader) -> dict[str, Any]:
        conditions: dict[str, Any] = {
            "ArnEquals": {"aws:PrincipalArn": _programs(partner)},
            # Two while it changes from one to the other.
            "StringEquals": {
                "sts:ExternalId": _one_or_all([partner.external_id, *partner.former_external_ids])
            },
        }
        if partner.source_identity:
            conditions["StringLike"] = {"sts:SourceIdentity": "?*"}
        return conditions

    @staticmethod
    def _let_name_source(role: iam.Role, partner: Reader) -> None:
        """A statement of its own: AWS knows no external id when it asks for this action."""
        cast(iam.PolicyDocument, role.assume_role_policy).add_statements(
            iam.PolicyStatement(
                principals=[iam.AccountPrincipal(partner.account)],
                actions=["sts:SetSourceIdentity"],
                conditions={"ArnEquals": {"aws:PrincipalArn": _programs(partner)}},
            )
        )

    @staticmethod
    def _console_conditions(partner: Reader) -> dict[str, Any]:
        names = [f"arn:aws:iam::{partner.account}:{name}" for name in partner.console_principals]
        conditions: dict[str, Any] = {"ArnLike": {"aws:PrincipalArn": names}}
        if partner.console_mfa:
            # Not the IfExists forms: with those, access keys without MFA would get in.
            conditions["Bool"] = {"aws:MultiFactorAuthPresent": "true"}
            conditions["NumericLessThan"] = {"aws:MultiFactorAuthAge": str(SESSION.to_seconds())}
        return conditions

    def _role(self, kind: str, partner: Reader, conditions: dict[str, Any]) -> iam.Role:
        # The account, narrowed to names: a role as the principal would have to exist at deploy time,
        # and would break in silence when the partner makes it anew.
        account = iam.AccountPrincipal(partner.account)
        role = iam.Role(
            self,
            kind.capitalize(),
            # A name of ours, because the partner must be able to write it down.
            role_name=f"{self._name}-{kind}",
            path=PARTNER_PATH,
            description="For the partner: reads the curated data",
            assumed_by=iam.PrincipalWithConditions(account, conditions),
            managed_policies=self._policies,
            permissions_boundary=self._boundary,
            max_session_duration=SESSION,
        )
        if partner.revoked:
            deny: dict[str, Any] = {"sid": "Revoked", "effect": iam.Effect.DENY}
            cast(iam.PolicyDocument, role.assume_role_policy).add_statements(
                iam.PolicyStatement(**deny, principals=[iam.AnyPrincipal()], actions=["sts:AssumeRole"])
            )
            role.add_to_policy(iam.PolicyStatement(**deny, actions=["*"], resources=["*"]))
        CfnOutput(self, f"{kind.capitalize()}RoleArn", value=role.role_arn)
        return role

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
