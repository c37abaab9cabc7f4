"""The whole app, built once from the committed settings, and each stack's template."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from ministack.services import stepfunctions
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from app import build
from causeway.contract.model import Column, Contract
from causeway.settings import SETTINGS_FILE, Settings, load_settings
from ml.spec import load_spec, model_names

ROOT = Path(__file__).resolve().parents[2]
# Not the number of contracts: the templates must not depend on them for more than names.
CONTRACTS = {name: Contract(name, "1.0.0", ()) for name in ("flights", "weather")}

# With one that asks for all that one can: a key behind hashes, a place in the store, alarms on promises.
EVERY_CONTRACT = CONTRACTS | {
    "people": Contract(
        "people",
        "1.0.0",
        (
            Column("id", "id", "integer", key=True),
            Column("mail", "mail", "string", access="hash"),
            Column("about", "about", "string", embedded=True),
        ),
        served=True,
        frequency=3600,
        quarantine_limit=5,
    )
}


def build_app(settings: Settings, outdir: Path, contracts: Mapping[str, Contract] = CONTRACTS) -> cdk.App:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    # Wheels of layers are fetched by nobody who only looks at templates.
    context["aws:cdk:bundling-stacks"] = []
    app = cdk.App(context=context, outdir=str(outdir), analytics_reporting=False)
    # Whatever the contracts: those here have no columns, of which models could be made.
    with patch("app.models_of", return_value={name: load_spec(name) for name in model_names()}):
        build(app, settings, contracts)
    return app


def every_option(settings: Settings) -> Settings:
    """With everything on that adds a resource or a statement, and no sandbox."""
    partner = {
        "may_land": ["flights"],
        "source_identity": True,
        "vpc_endpoints": ["vpce-0123456789abcdef0"],
        "console_mfa": False,
    }
    store = {"enabled": True, "partner_reads": True, "vectors": "s3"}
    image = f"763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm@sha256:{'a' * 64}"
    inference = {"enabled": True, "model_data": "s3://weights/llama/", "image": image}
    changes = {
        "sandbox": False,
        "audit": True,
        "partner": settings.partner.model_copy(update=partner),
        "store": settings.store.model_copy(update=store),
        "inference": settings.inference.model_copy(update=inference),
    }
    return settings.model_copy(update=changes)


@pytest.fixture(scope="session")
def settings() -> Settings:
    return load_settings(SETTINGS_FILE)


@pytest.fixture(scope="session")
def stacks(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, cdk.Stack]:
    app = build_app(settings, tmp_path_factory.mktemp("cdk.out"))
    found = [child for child in app.node.children if isinstance(child, cdk.Stack)]
    return {stack.stack_name.removeprefix(f"{settings.project}-"): stack for stack in found}


@pytest.fixture(scope="session")
def templates(stacks: dict[str, cdk.Stack]) -> dict[str, Template]:
    return {name: Template.from_stack(stack) for name, stack in stacks.items()}


@pytest.fixture(scope="session")
def lake(templates: dict[str, Template]) -> Template:
    return templates["lake"]


@pytest.fixture(scope="session")
def pipeline(templates: dict[str, Template]) -> Template:
    return templates["pipeline"]


@pytest.fixture(scope="session")
def partner(templates: dict[str, Template]) -> Template:
    return templates["partner"]


@pytest.fixture(scope="session")
def costs(templates: dict[str, Template]) -> Template:
    return templates["costs"]


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


def normalised(template: Template) -> Any:
    """The template without what changes with every edit of the code it packages: digests of assets."""
    return _sorted(json.loads(re.sub(r"\b[0-9a-f]{64}\b", "<digest>", json.dumps(template.to_json()))))


def _sorted(value: Any) -> Any:
    """CDK orders resources of a statement by what they were before their digests went."""
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in value.items()}
    if isinstance(value, list):
        ordered = [_sorted(item) for item in value]
        return sorted(ordered, key=json.dumps) if "<digest>" in json.dumps(ordered) else ordered
    return value


def resources(template: Template, kind: str) -> dict[str, Any]:
    return dict(template.find_resources(kind))


def named(template: Template, kind: str, name: str) -> dict[str, Any]:
    """Properties of the one resource of this type whose logical id begins so."""
    (found,) = (r["Properties"] for i, r in resources(template, kind).items() if i.startswith(name))
    return dict(found)


def machine_of(template: Template, name: str) -> dict[str, Any]:
    """A state machine's definition."""
    properties = named(template, "AWS::StepFunctions::StateMachine", name)
    joined = properties["DefinitionString"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else "<reference>" for part in joined)
    definition: dict[str, Any] = json.loads(text)
    return definition


def interpret(machine: dict[str, Any], asked: Any, task: Callable[[str, Any], Any]) -> str:
    """What an execution by the embedded AWS's interpreter failed of, or ""; `task` stands for its tasks."""
    context = {
        "Execution": {"Id": "e"},
        "StateMachine": {"Id": "m"},
        "State": {"EnteredTime": "2026-01-01T00:00:00.000Z"},
        "variables": {},
    }
    execution: dict[str, Any] = {"events": [], "executionArn": "e"}
    with patch.object(stepfunctions, "_invoke_resource", task), patch.object(stepfunctions, "_scaled_sleep"):
        try:
            stepfunctions._run_sub_machine(machine["States"], machine["StartAt"], asked, execution, context)
        except stepfunctions._ExecutionError as error:
            return f"{error.error}: {error.cause}"
    return ""


def statements(template: Template, *kinds: str) -> list[dict[str, Any]]:
    """Every statement of the policies of these resource types, actions and resources as lists."""
    found = []
    for kind in kinds or ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        for resource in resources(template, kind).values():
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                listed = {
                    key: value if isinstance(value, list) else [value]
                    for key, value in statement.items()
                    if key in ("Action", "Resource")
                }
                found.append({**statement, **listed})
    return found
