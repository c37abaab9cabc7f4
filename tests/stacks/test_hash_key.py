"""The key behind hashed columns: there where a contract asks for one, and of use to who curates alone."""

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from causeway.contract.model import Column, Contract
from causeway.settings import Settings
from tests.stacks.conftest import build_app, named, resources, statements

HASHED = Contract("people", "1.0.0", (Column("mail", "mail", "string", access="hash"),))


@pytest.fixture(scope="module")
def app(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    built = build_app(settings, tmp_path_factory.mktemp("cdk.out"), {"people": HASHED})
    stacks = [child for child in built.node.children if isinstance(child, cdk.Stack)]
    return {stack.stack_name.removeprefix("causeway-"): Template.from_stack(stack) for stack in stacks}


def test_no_contract_hashes_so_there_is_no_key_for_it(lake: Template, pipeline: Template) -> None:
    assert len(resources(lake, "AWS::KMS::Key")) == 1
    assert "kms:GenerateMac" not in str(pipeline.to_json())


def test_the_key_can_make_macs_and_nothing_else(app: dict[str, Template]) -> None:
    app["lake"].has_resource_properties(
        "AWS::KMS::Key", {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}
    )


def test_who_curates_may_use_the_key_and_knows_its_name_and_nobody_else(app: dict[str, Template]) -> None:
    using = {
        name: [s for s in statements(template) if any("Mac" in a or a == "kms:*" for a in s["Action"])]
        for name, template in app.items()
    }
    job, function = using.pop("pipeline")
    assert job["Action"] == function["Action"] == ["kms:GenerateMac"]
    assert "HashKey" in str(job["Resource"])
    assert job["Resource"] == function["Resource"]
    assert not any(using.values())
    arguments = named(app["pipeline"], "AWS::Glue::Job", "Curate")["DefaultArguments"]
    variables = named(app["pipeline"], "AWS::Lambda::Function", "CurateSmall")["Environment"]["Variables"]
    assert arguments["--hash-key"] == variables["HASH_KEY"] == job["Resource"][0]
