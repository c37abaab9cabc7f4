"""Roles for others than our own functions and jobs: the company's applications, and the partner."""

from collections.abc import Sequence
from typing import Any, cast

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from causeway.settings_partner import Reader

# The partner's roles live under this IAM path, of which policies of stacks speak that need nothing of theirs.
PARTNER_PATH = "/causeway/partner/"
# Both the longest session and how recent the console's MFA must be.
SESSION = Duration.hours(1)


def application_role(
    scope: Construct, construct_id: str, *, name: str, principals: Sequence[str], description: str
) -> iam.Role:
    """For these principals of the account, by their names; it may do nothing yet."""
    account = Stack.of(scope).account
    names = [f"arn:aws:iam::{account}:{principal}" for principal in principals]
    return iam.Role(
        scope,
        construct_id,
        role_name=name,
        assumed_by=iam.PrincipalWithConditions(
            iam.AccountPrincipal(account), {"ArnLike": {"aws:PrincipalArn": names}}
        ),
        description=description,
    )


def partner_role(
    scope: Construct,
    partner: Reader,
    prefix: str,
    kind: str,
    conditions: dict[str, Any],
    *,
    description: str,
    policies: Sequence[iam.IManagedPolicy],
    boundary: iam.IManagedPolicy,
) -> iam.Role:
    """Called `<prefix>-<kind>`, which the partner must be able to write down; worth nothing while revoked."""
    # The account, narrowed to names: a role as the principal would have to exist at deploy time,
    # and would break in silence when the partner makes it anew.
    account = iam.AccountPrincipal(partner.account)
    role = iam.Role(
        scope,
        kind.capitalize(),
        role_name=f"{prefix}-{kind}",
        path=PARTNER_PATH,
        description=description,
        assumed_by=iam.PrincipalWithConditions(account, conditions),
        managed_policies=[*policies],
        permissions_boundary=boundary,
        max_session_duration=SESSION,
    )
    if partner.revoked:
        deny: dict[str, Any] = {"sid": "Revoked", "effect": iam.Effect.DENY}
        cast(iam.PolicyDocument, role.assume_role_policy).add_statements(
            iam.PolicyStatement(**deny, principals=[iam.AnyPrincipal()], actions=["sts:AssumeRole"])
        )
        role.add_to_policy(iam.PolicyStatement(**deny, actions=["*"], resources=["*"]))
    CfnOutput(Stack.of(scope), f"{kind.capitalize()}RoleArn", value=role.role_arn)
    return role


def program_role(
    scope: Construct,
    partner: Reader,
    prefix: str,
    kind: str,
    *,
    programs: Sequence[str],
    description: str,
    policies: Sequence[iam.IManagedPolicy],
    boundary: iam.IManagedPolicy,
) -> iam.Role:
    """One that these roles of the partner's programs take, by its external id."""
    names = [f"arn:aws:iam::{partner.account}:role/{role}" for role in programs]
    ids = [partner.external_id, *partner.former_external_ids]  # several while it changes
    conditions: dict[str, Any] = {
        "ArnEquals": {"aws:PrincipalArn": names},
        "StringEquals": {"sts:ExternalId": ids if len(ids) > 1 else ids[0]},
    }
    if partner.source_identity:
        conditions["StringLike"] = {"sts:SourceIdentity": "?*"}
    role = partner_role(
        scope,
        partner,
        prefix,
        kind,
        conditions,
        description=description,
        policies=policies,
        boundary=boundary,
    )
    if partner.source_identity:
        # A statement of its own: AWS knows no external id when it asks for this action.
        cast(iam.PolicyDocument, role.assume_role_policy).add_statements(
            iam.PolicyStatement(
                principals=[iam.AccountPrincipal(partner.account)],
                actions=["sts:SetSourceIdentity"],
                conditions={"ArnEquals": {"aws:PrincipalArn": names}},
            )
        )
    return role
