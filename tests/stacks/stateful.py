"""What holds data or work in flight; `python -m tests.stacks.stateful` lists it as a release deploys it."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ["CDK_VALIDATION"] = "false"

import aws_cdk as cdk
from aws_cdk.assertions import Template
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from causeway.settings import Settings, load_settings
from tests.stacks.conftest import EVERY_CONTRACT, build_app, every_option, normalised

INVENTORY = Path(__file__).with_name("stateful.json")
Inventory = dict[str, dict[str, Any]]
KINDS = {
    "AWS::DynamoDB::Table",
    "AWS::Glue::Database",
    "AWS::Glue::Table",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::RDS::DBCluster",
    "AWS::S3::Bucket",
    "AWS::S3Vectors::Index",
    "AWS::S3Vectors::VectorBucket",
    "AWS::SQS::Queue",
    "AWS::SageMaker::ModelPackageGroup",
    "AWS::SecretsManager::Secret",
    "AWS::StepFunctions::StateMachine",
}
# What CloudFormation's documentation says and the resource providers' schemas do not: a key's update
# fails, a database of another name is another one.
ALSO_IMMUTABLE = {
    "AWS::Glue::Database": ["CatalogId", "DatabaseInput/Name"],
    "AWS::KMS::Key": ["KeySpec", "KeyUsage", "MultiRegion", "Origin"],
}
TO_DO = "keep it as it was, or import or move it: docs/operations.md, What a deployment would replace"


def inventory_of(templates: Mapping[str, Any]) -> Inventory:
    """By stack and logical id: type, what outlives the stack, and the properties that cannot change."""
    return {
        f"{stack}/{logical_id}": {
            "type": resource["Type"],
            "kept": [resource.get(key, "Delete") for key in ("DeletionPolicy", "UpdateReplacePolicy")],
            "immutable": dict(_immutable(resource)),
        }
        for stack, template in sorted(templates.items())
        for logical_id, resource in sorted(template["Resources"].items())
        if resource["Type"] in KINDS or resource.get("DeletionPolicy") == "Retain"
    }


def _immutable(resource: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The properties it has whose change is documented as "Update requires: Replacement"."""
    kind = resource["Type"]
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    paths = [
        path.removeprefix("/properties/")
        for rule in ("createOnlyProperties", "conditionalCreateOnlyProperties")
        for path in schema.get(rule, [])
    ]
    for path in sorted({*paths, *ALSO_IMMUTABLE.get(kind, [])}):
        value: Any = resource.get("Properties", {})
        for key in path.split("/"):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            yield path, value


def endangered(released: Inventory, now: Inventory) -> list[str]:
    """What a deployment over the release would delete or replace: a line each, with what to do."""
    lines = []
    for name, before in released.items():
        after = now.get(name)
        if after is None:
            changes = [f"{before['type']} is gone under this logical id, so it would be deleted"]
        else:
            changes = [
                f"{key} was {old!r} and is {new!r}"
                for key, old, new in (
                    ("the type", before["type"], after["type"]),
                    ("what outlives it (DeletionPolicy, UpdateReplacePolicy)", before["kept"], after["kept"]),
                    *(
                        (key, before["immutable"].get(key), after["immutable"].get(key))
                        for key in sorted({*before["immutable"], *after["immutable"]})
                    ),
                )
                if old != new
            ]
        lines += [f"{name}: {change}; {TO_DO}" for change in changes]
    return lines


def todays(settings: Settings, folder: Path) -> Inventory:
    """What the app would deploy that is no sandbox, with every option that adds a resource."""
    app = build_app(every_option(settings), folder, EVERY_CONTRACT)
    stacks = [child for child in app.node.children if isinstance(child, cdk.Stack)]
    return inventory_of(
        {
            stack.stack_name.removeprefix(f"{settings.project}-"): normalised(Template.from_stack(stack))
            for stack in stacks
        }
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        resources = todays(load_settings(), Path(folder))
    lines = [f'"{name}": {json.dumps(facts)}' for name, facts in resources.items()]
    body = ",\n".join(lines)
    INVENTORY.write_text(f'{{"release": "{version("causeway")}", "resources": {{\n{body}\n}}}}\n')
    print(f"{INVENTORY}: {len(resources)} resources")


if __name__ == "__main__":
    main()
