"""Who may search: the function reads the store and, if the settings choose it, asks one model of Bedrock."""

import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from causeway.settings import Settings
from tests.stacks.conftest import CONTRACTS, build_app

TITAN = "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0"
NOVA = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"


def statements(settings: Settings, folder: Path, embeddings: str, answers: str = "") -> list[Any]:
    store = settings.store.model_copy(update={"enabled": True, "embeddings": embeddings, "answers": answers})
    app = build_app(settings.model_copy(update={"store": store}), folder, CONTRACTS)
    (stack,) = (one for one in app.node.children if isinstance(one, cdk.Stack) and "store" in one.stack_name)
    policies = Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
    return [
        (policy["Properties"]["Roles"][0]["Ref"], statement)
        for policy in policies
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


@pytest.mark.parametrize(
    ("embeddings", "answers", "expected"),
    [
        ("local", "", set()),
        ("bedrock", "", {("Load", TITAN), ("Search", TITAN)}),
        ("local", "amazon.nova-lite-v1:0", {("Search", NOVA)}),
    ],
)
def test_bedrock_is_asked_for_the_chosen_models_alone_by_whom_it_concerns(
    settings: Settings, tmp_path: Path, embeddings: str, answers: str, expected: set[tuple[str, str]]
) -> None:
    asked = [
        (re.split("Role", role)[0], statement["Resource"])
        for role, statement in statements(settings, tmp_path, embeddings, answers)
        if "bedrock:InvokeModel" in str(statement["Action"])
    ]
    assert set(asked) == expected
    assert len(asked) == len(expected)


def test_the_search_function_reads_the_store_and_does_nothing_else(
    settings: Settings, tmp_path: Path
) -> None:
    actions = {
        str(statement["Action"])
        for role, statement in statements(settings, tmp_path, "local")
        if role.startswith("Search")
    }
    assert actions - {"['logs:CreateLogStream', 'logs:PutLogEvents']"} == {
        "rds-data:ExecuteStatement",
        "secretsmanager:GetSecretValue",
        "kms:Decrypt",
    }
