"""Every policy of the app, taken from what `cdk synth` leaves, with concrete ARNs in it."""

import json
import tomllib
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aws_cdk as cdk

from app import build
from causeway.contract.load import load_contracts
from causeway.flow.datasets import CONTRACTS
from causeway.settings import EMBEDDED_EXTERNAL_ID, SETTINGS_FILE, Settings
from stacks.parts.permissions import spelled
from tests.access.resolver import Resolver

Json = dict[str, Any]
# Types of resource policies, and the property that says which resources each is of.
OF_WHICH = {
    "AWS::Events::EventBusPolicy": "EventBusName",
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::SQS::QueuePolicy": "Queues",
    "AWS::SNS::TopicPolicy": "Topics",
}
# Names of constructs in the templates, as the command line has them; no copies of the code.
SYNTH = {
    "aws:cdk:enable-path-metadata": True,
    "aws:cdk:disable-asset-staging": True,
    "layers": "none",
}
DEFAULT: Json = {}
# Every option that says something else than the default.
OPTIONS: Json = {
    "datasets": ("flights", "mail"),
    "models": ("spam",),
    "may_land": ("flights",),
    "source_identity": True,
    "vpc_endpoints": ("vpce-0123456789abcdef0",),
    "console_principals": ("role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Analysts_*",),
    "console_mfa": False,
}
# The store's: where vectors are, and whether the partner may read it.
STORE: Json = {"vectors": "s3", "partner_reads": True}
# Weights and image of the company's own: what another account lets it read is that account's to say.
INFERENCE: Json = {
    "enabled": True,
    "model_data": "s3://cdk-hnb659fds-assets-111111111111-us-east-1/llama/",
    "image": f"111111111111.dkr.ecr.us-east-1.amazonaws.com/vllm@sha256:{'a' * 64}",
}
REVOKED: Json = {"revoked": True}


@dataclass
class Role:
    """A role of the app, and the names of its documents."""

    name: str
    identity: list[str]
    boundary: str | None = None


@dataclass
class Access:
    """Every policy of one synthesized app. A document's name is that of the construct it belongs to."""

    documents: dict[str, Json] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    """By ARN."""
    of_resource: dict[str, str] = field(default_factory=dict)
    """The name of the resource policy (for a role: its trust), by the resource's ARN."""
    reasons: dict[str, dict[str, str]] = field(default_factory=dict)
    """Why a pattern of resources in a document is one."""
    accounts: dict[str, str] = field(default_factory=dict)
    """By stack."""

    def role(self, ending: str) -> str:
        """The ARN of the role whose name ends so."""
        (arn,) = (arn for arn, role in self.roles.items() if role.name.endswith(ending))
        return arn

    def changed(self, name: str, document: Json) -> "Access":
        return replace(self, documents={**self.documents, name: document})


@cache
def _synthesized(options: tuple[tuple[str, Any], ...]) -> Access:
    values = tomllib.loads(SETTINGS_FILE.read_text()) | {"audit": True}
    values["partner"] |= {"external_id": EMBEDDED_EXTERNAL_ID}
    values["store"] |= {"enabled": True}
    values["inference"] |= INFERENCE
    for key, value in options:
        if key == "partners":  # JSON, for it must be hashable
            values[key] = json.loads(value)
            continue
        sections = (values["partner"]["ml"], values["store"], values["partner"])
        section = next((section for section in sections if key in section), values["partner"])
        section[key] = list(value) if isinstance(value, tuple) else value
    context = json.loads((SETTINGS_FILE.parent / "cdk.json").read_text())["context"]
    with TemporaryDirectory() as folder:
        app = cdk.App(outdir=folder, context={**context, **SYNTH})
        build(app, Settings.model_validate(values), load_contracts(CONTRACTS))
        app.synth()
        return read(Path(folder))


def synthesized(options: Json) -> Access:
    """The policies of the app under the committed settings, with these of the partner's and the store's."""
    return _synthesized(tuple(sorted(options.items())))


def read(assembly: Path) -> Access:
    """Every policy in a cloud assembly."""
    templates = {
        path.name.removesuffix(".template.json"): json.loads(path.read_text())
        for path in sorted(assembly.glob("*.template.json"))
    }
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    accounts = {
        name: artifacts[name]["environment"].removeprefix("aws://").partition("/")[0] for name in templates
    }
    access, resolver = Access(accounts=accounts), Resolver(templates, accounts)
    for stack, template in templates.items():
        for logical_id in template["Resources"]:
            _add_role(access, resolver, stack, logical_id)
    for stack, template in templates.items():
        metadata = json.loads((assembly / f"{stack}.metadata.json").read_text())
        for logical_id in template["Resources"]:
            _add_policy(access, resolver, stack, logical_id, metadata)
    return access


def _add_role(access: Access, resolver: Resolver, stack: str, logical_id: str) -> None:
    kind, properties, name = resolver.describe(stack, logical_id)
    if kind != "AWS::IAM::Role":
        return

    def managed(reference: Json) -> str:
        return resolver.describe(stack, reference["Ref"])[2]

    arn = resolver.resolve(stack, {"Fn::GetAtt": [logical_id, "Arn"]})
    access.documents[f"{name} (trust)"] = resolver.resolve(stack, properties["AssumeRolePolicyDocument"])
    access.of_resource[arn] = f"{name} (trust)"
    access.roles[arn] = Role(name, [managed(policy) for policy in properties.get("ManagedPolicyArns", [])])
    for policy in properties.get("Policies", []):
        access.documents[f"{name}/{policy['PolicyName']}"] = resolver.resolve(stack, policy["PolicyDocument"])
        access.roles[arn].identity.append(f"{name}/{policy['PolicyName']}")
    if "PermissionsBoundary" in properties:
        access.roles[arn].boundary = managed(properties["PermissionsBoundary"])


def _add_policy(access: Access, resolver: Resolver, stack: str, logical_id: str, metadata: Json) -> None:
    kind, properties, name = resolver.describe(stack, logical_id)
    if kind == "AWS::KMS::Key":
        access.documents[name] = resolver.resolve(stack, properties["KeyPolicy"])
        access.of_resource[resolver.resolve(stack, {"Fn::GetAtt": [logical_id, "Arn"]})] = name
    document = properties.get("PolicyDocument")
    if kind == "AWS::Events::EventBusPolicy":
        document = {"Version": "2012-10-17", "Statement": [properties["Statement"]]}
    if not document:
        return
    access.documents[name] = resolver.resolve(stack, document)
    path = f"/{resolver.path(stack, logical_id)}/"
    above = {place: entries for place, entries in metadata.items() if path.startswith(f"{place}/")}
    access.reasons[name] = _reasons(resolver, stack, document, above)
    if kind == "AWS::IAM::Policy":
        for reference in properties["Roles"]:
            access.roles[resolver.resolve(stack, {"Fn::GetAtt": [reference["Ref"], "Arn"]})].identity.append(
                name
            )
    elif kind in OF_WHICH:
        of_which = properties[OF_WHICH[kind]]
        for reference in of_which if isinstance(of_which, list) else [of_which]:
            access.of_resource[resolver.arn(stack, reference)] = name
    elif kind != "AWS::IAM::ManagedPolicy":
        raise KeyError(f"{name}: what a {kind} allows is not simulated")


def _reasons(resolver: Resolver, stack: str, document: Json, metadata: Json) -> dict[str, str]:
    """Why resources in this document are patterns: what was said to cdk-nag of it, by resolved pattern."""
    said = {
        finding: reason
        for entries in metadata.values()
        for entry in entries
        if entry["type"] == "aws:cdk:acknowledged-rules"
        for finding, reason in entry["data"].items()
    }
    reasons = {}
    for statement in document["Statement"]:
        resources = statement.get("Resource", [])
        for resource in resources if isinstance(resources, list) else [resources]:
            pattern = resolver.resolve(stack, resource)
            finding = f"AwsSolutions::AwsSolutions-IAM5[Resource::{spelled(resource)}]"
            if "*" in pattern and "Fn::GetAtt" in resource:
                reasons[pattern] = "CloudWatch writes the ARN of a log group so"
            elif finding in said:
                reasons[pattern] = said[finding]
    return reasons
