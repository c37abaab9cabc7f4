"""Every tag on everything that takes tags, by AWS's own specification of each resource type."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from causeway.settings import Settings
from stacks.company.costs import tag_everything
from tests.stacks.conftest import ROOT, build_app, machine_of, resources

TAGS = {
    "project": "causeway",
    "owner": "unassigned",
    "environment": "sandbox",
    "cost-centre": "unassigned",
    "data-classification": "confidential",
}


def tag_property(kind: str) -> str:
    """The property that holds the tags of a resource type, "" if it takes none.

    By the resource providers' schemas, which cfn-lint carries. Raises if AWS has no such type.
    """
    if kind.startswith("AWS::CDK::"):
        return ""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    tagging = schema.get("tagging", {"taggable": schema.get("taggable", True)})
    property_of = str(tagging.get("tagProperty", "/properties/Tags"))
    return property_of.rpartition("/")[2] if tagging["taggable"] else ""


def tags_of(resource: Mapping[str, Any], name: str) -> dict[str, str]:
    tags = resource.get("Properties", {}).get(name, [])
    return dict(tags) if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}


def taggable(templates: Mapping[str, Template]) -> Iterator[tuple[str, dict[str, str]]]:
    """Name and tags of each resource that takes tags."""
    for stack, template in templates.items():
        for logical_id, resource in template.to_json()["Resources"].items():
            if name := tag_property(resource["Type"]):
                yield f"{stack}/{logical_id} ({resource['Type']})", tags_of(resource, name)


def untagged(templates: Mapping[str, Template], wanted: Mapping[str, str]) -> list[str]:
    return [name for name, tags in taggable(templates) if not wanted.items() <= tags.items()]


def test_every_taggable_resource_carries_every_tag(templates: dict[str, Template]) -> None:
    assert untagged(templates, TAGS) == []
    count = len(list(taggable(templates)))
    print(f"{count} taggable resources in {len(templates)} templates")
    assert count > 50


def test_every_stack_carries_every_tag(stacks: dict[str, cdk.Stack]) -> None:
    assert {name: stack.tags.tag_values() for name, stack in stacks.items()} == dict.fromkeys(stacks, TAGS)


def test_a_tag_of_the_users_own_is_on_everything(settings: Settings, tmp_path: Path) -> None:
    tags = settings.tags.model_copy(update={"own": {"team": "data platform"}})
    app = build_app(settings.model_copy(update={"tags": tags}), tmp_path)
    stacks = [child for child in app.node.children if isinstance(child, cdk.Stack)]
    own = {**TAGS, "team": "data platform"}
    assert untagged({stack.stack_name: Template.from_stack(stack) for stack in stacks}, own) == []
    assert [stack.tags.tag_values() for stack in stacks] == [own] * len(stacks)


def test_what_lacks_a_tag_is_told_by_its_name(settings: Settings) -> None:
    stack = cdk.Stack(cdk.App(), "careless")
    tag_everything(stack, settings)
    cdk.Tags.of(s3.CfnBucket(stack, "Bucket")).remove("owner")
    cdk.CfnResource(stack, "Budget", type="AWS::Budgets::Budget")
    assert untagged({"careless": Template.from_stack(stack)}, TAGS) == [
        "careless/Bucket (AWS::S3::Bucket)",
        "careless/Budget (AWS::Budgets::Budget)",
    ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("AWS::S3::Bucket", "Tags"),
        ("AWS::Budgets::Budget", "ResourceTags"),
        ("AWS::Glue::Database", ""),
        ("AWS::Logs::MetricFilter", ""),
    ],
)
def test_the_specification_says_what_takes_tags(kind: str, expected: str) -> None:
    assert tag_property(kind) == expected


def jobs(value: Any) -> Iterator[Any]:
    """Every request of a state machine for a job of SageMaker AI's."""
    if isinstance(value, dict):
        if "Job.sync" in str(value.get("Resource")) and "sagemaker" in str(value.get("Resource")):
            yield value["Parameters"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from jobs(one)


def test_every_job_that_a_state_machine_makes_carries_every_tag(templates: dict[str, Template]) -> None:
    asked = [
        job
        for template in templates.values()
        for name in resources(template, "AWS::StepFunctions::StateMachine")
        for job in jobs(machine_of(template, name))
    ]
    assert asked
    assert [job["Tags"] for job in asked] == [[{"Key": k, "Value": v} for k, v in TAGS.items()]] * len(asked)


def test_every_log_group_that_a_run_makes_itself_is_listed_with_the_reason(
    templates: dict[str, Template],
) -> None:
    """What may make log groups makes some that no template tags."""
    page = (ROOT / "docs/costs.md").read_text()
    made = {
        group
        for template in templates.values()
        for policy in resources(template, "AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "logs:CreateLogGroup" in statement["Action"]
        for group in re.findall(r"log-group:(/[\w/-]+?)(?:/logs)?[:*\"]", json.dumps(statement["Resource"]))
    }
    assert made
    assert [group for group in made if f"`{group}" not in page] == []
