"""Checks by others: a wrong state machine is told, and each answer to checkov has its reason."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from tests.stacks.lint import check_machines


def write(folder: Path, states: dict[str, Any]) -> Path:
    """A template with one state machine of these states."""
    definition = [json.dumps({"StartAt": "First", "States": states})]
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"DefinitionString": {"Fn::Join": ["", definition]}},
    }
    path = folder / "causeway-pipeline.template.json"
    path.write_text(json.dumps({"Resources": {"Machine": machine}}))
    return folder


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ({"First": {"Type": "Pass", "Next": "Second"}}, "target: Second"),
        ({"First": {"Type": "Succeed"}, "Second": {"Type": "Succeed"}}, "State Second is not reachable"),
        ({"First": {"Type": "Pass", "InputPath": "$..[", "End": True}}, "InputPath"),
    ],
)
def test_a_state_machine_that_is_wrong_is_told(tmp_path: Path, states: dict[str, Any], told: str) -> None:
    assert told in check_machines(write(tmp_path, states))


def test_one_that_is_right_is_not(tmp_path: Path) -> None:
    assert check_machines(write(tmp_path, {"First": {"Type": "Succeed"}})) == ""


def test_each_answer_to_checkov_has_its_reason(templates: dict[str, Template]) -> None:
    answers = [
        answer
        for template in templates.values()
        for resource in template.to_json()["Resources"].values()
        for answer in resource.get("Metadata", {}).get("checkov", {}).get("skip", [])
    ]
    assert answers
    assert [answer for answer in answers if len(answer["comment"]) < 20] == []
