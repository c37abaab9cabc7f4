"""Permissions, and answers to cdk-nag and checkov, each a reason that a reviewer can reject."""

from collections.abc import Iterable, Mapping
from typing import Any

from aws_cdk import Acknowledgment, CfnResource, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import IConstruct


def acknowledge(construct: IConstruct, finding: str, reason: str) -> None:
    """Acknowledge one finding on a construct and what is below it."""
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))


def answer_checkov(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Answer checkov's findings on a construct's resource, by the ids of its checks."""
    resource = construct.node.default_child
    assert isinstance(resource, CfnResource)
    skipped = [{"id": f"CKV_AWS_{check}", "comment": reason} for check, reason in reasons.items()]
    resource.add_metadata("checkov", {"skip": skipped})


def allow(role: iam.Role, actions: str, *resources: str, why_wildcards: str = "") -> None:
    """Allow actions, with blanks between, on resources; one with a wildcard in it needs its reason."""
    role.add_to_principal_policy(iam.PolicyStatement(actions=actions.split(), resources=list(resources)))
    if why_wildcards:
        acknowledge_wildcards(role, resources, why_wildcards)


def acknowledge_wildcards(construct: IConstruct, resources: Iterable[str], reason: str) -> None:
    """Acknowledge the wildcard resources among these; each is a finding of its own."""
    stack = Stack.of(construct)
    for resource in sorted({spelled(stack.resolve(resource)) for resource in resources}):
        if "*" in resource:
            acknowledge(construct, f"AwsSolutions::AwsSolutions-IAM5[Resource::{resource}]", reason)


def spelled(resolved: Any) -> str:
    """A resource as cdk-nag writes it: references by name, not by their JSON."""
    if isinstance(resolved, str):
        return resolved
    ((function, value),) = resolved.items()
    if function == "Fn::Join":
        return str(value[0]).join(spelled(part) for part in value[1])
    if function == "Fn::ImportValue":
        return str(value)
    return f"<{value}>" if function == "Ref" else f"<{'.'.join(value)}>"
