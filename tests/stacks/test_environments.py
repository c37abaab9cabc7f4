"""Two environments of one checkout, in the same accounts: nothing of the one has a name of the other."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from causeway.settings import SETTINGS_FILE, Settings, load_settings
from tests.stacks.conftest import build_app
from tests.stacks.test_options import INFERENCE

# Called a name and none of the resource: a metric, the database inside a cluster, what AWS names.
NO_NAMES = {"MetricName", "DatabaseName", "DBClusterParameterGroupName"}
INLINE = "AWS::IAM::Policy"  # its name is one inside its role
INSIDE = {"DatabaseInput", "Budget"}  # where some have theirs


def templates_of(settings: Settings, folder: Path) -> dict[str, Any]:
    """Of every stack that there can be."""
    store = settings.store.model_copy(update={"enabled": True})
    inference = settings.inference.model_copy(update={"enabled": True, **INFERENCE})
    limits = settings.limits.model_copy(update={"anomaly_dollars": 5})
    partners = {"acme": settings.partner.model_copy(update={"external_id": "causeway-acme-agreed"})}
    whole = {"store": store, "inference": inference, "limits": limits, "partners": partners}
    app = build_app(settings.model_copy(update=whole), folder)
    stacks = [child for child in app.node.children if isinstance(child, cdk.Stack)]
    return {stack.stack_name: Template.from_stack(stack).to_json() for stack in stacks}


def names(properties: dict[str, Any]) -> Iterator[str]:
    """What the resource is called, if the template says it."""
    for key, value in properties.items():
        if isinstance(value, str) and key.endswith("Name") and key not in NO_NAMES:
            yield value
        elif key in INSIDE and isinstance(value, dict):
            yield from names(value)


def physical(templates: dict[str, Any]) -> set[str]:
    every = [one for template in templates.values() for one in template["Resources"].values()]
    resources = [one for one in every if one["Type"] != INLINE]
    return {f"{one['Type']} {name}" for one in resources for name in names(one.get("Properties", {}))}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return [
        templates_of(load_settings(SETTINGS_FILE, environment), tmp_path_factory.mktemp("app"))
        for environment in ("", "staging")
    ]


def test_no_stack_and_no_named_resource_is_in_both(both: list[dict[str, Any]]) -> None:
    production, staging = both
    assert len(production) == len(staging) == 9
    assert production.keys() & staging.keys() == set()
    assert "AWS::IAM::Role causeway-partner-acme-programmatic" in physical(production)
    assert len(physical(production)) > 12
    assert sorted(physical(production) & physical(staging)) == []


def test_no_rule_of_one_hears_of_the_others_commits(both: list[dict[str, Any]]) -> None:
    rules = [
        [
            resource["Properties"]["EventPattern"]["source"]
            for template in templates.values()
            for resource in template["Resources"].values()
            if resource["Type"] == "AWS::Events::Rule"
            and "Dataset Curated" in resource["Properties"].get("EventPattern", {}).get("detail-type", [])
        ]
        for templates in both
    ]
    assert len(rules[0]) > 3
    assert [{source for (source,) in found} for found in rules] == [{"causeway"}, {"causeway-staging"}]


def test_the_partners_bus_takes_the_commits_of_its_environment_alone(both: list[dict[str, Any]]) -> None:
    policies = [
        json.dumps(next(r for r in t[f"{p}-training"]["Resources"].values() if "BusPolicy" in r["Type"]))
        for t, p in zip(both, ("causeway", "causeway-staging"), strict=True)
    ]
    assert '"events:source": "causeway"' in policies[0]
    assert '"events:source": "causeway-staging"' in policies[1]


def test_everything_carries_the_tags_of_its_environment(both: list[dict[str, Any]]) -> None:
    for template in both[1].values():
        tagged = [
            r["Properties"]["Tags"] for r in template["Resources"].values() if r["Type"] == "AWS::IAM::Role"
        ]
        for tags in tagged:
            listed = {tag["Key"]: tag["Value"] for tag in tags}
            assert (listed["project"], listed["environment"]) == ("causeway-staging", "staging")
