"""docs/events.md has every event that the state machines publish, field by field, and no other."""

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from causeway.settings import Settings
from tests.stacks.conftest import ROOT, build_app, resources

SECTIONS = dict(
    re.findall(r"^## (Dataset \w+)\n(.*?)(?=^## )", (ROOT / "docs/events.md").read_text(), re.M | re.S)
)


@pytest.fixture(scope="module")
def published(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each state that puts an event puts, by its detail type, of every stack."""
    store = settings.store.model_copy(update={"enabled": True})
    folder: Path = tmp_path_factory.mktemp("events")
    app = build_app(settings.model_copy(update={"store": store}), folder)
    found = {}
    for stack in (child for child in app.node.children if isinstance(child, cdk.Stack)):
        for machine in resources(Template.from_stack(stack), "AWS::StepFunctions::StateMachine").values():
            parts = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
            definition = json.loads("".join(part if isinstance(part, str) else "x" for part in parts))
            for state in definition["States"].values():
                for entry in state.get("Parameters", {}).get("Entries", []):
                    found[entry["DetailType"]] = entry
    return found


def test_every_event_has_a_section_and_every_section_an_event(published: dict[str, Any]) -> None:
    assert published.keys() == SECTIONS.keys()


@pytest.mark.parametrize("kind", SECTIONS)
def test_the_fields_of_an_event_are_those_of_its_table_and_its_example(
    published: dict[str, Any], kind: str
) -> None:
    fields = {name.removesuffix(".$") for name in published[kind]["Detail"]}
    assert set(re.findall(r"^\| `(\w+)` \|", SECTIONS[kind], re.M)) == fields
    (example,) = re.findall("```json\n(.*?)```", SECTIONS[kind], re.S)
    assert json.loads(example).keys() == fields
    assert all(isinstance(value, str) for value in json.loads(example).values())


def test_the_source_is_the_project(published: dict[str, Any], settings: Settings) -> None:
    assert {entry["Source"] for entry in published.values()} == {settings.project}
