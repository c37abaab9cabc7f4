"""The partner's side of the news: a bus that takes them from the company alone."""

from pathlib import Path

import pytest
from aws_cdk.assertions import Template

from causeway.settings import Settings
from tests.stacks.conftest import build_app, resources


@pytest.fixture(scope="module")
def training(templates: dict[str, Template]) -> Template:
    return templates["training"]


def test_the_bus_takes_news_of_commits_from_the_company_alone(training: Template) -> None:
    (bus,) = resources(training, "AWS::Events::EventBus")
    (policy,) = resources(training, "AWS::Events::EventBusPolicy").values()
    keys = {"events:source": "causeway", "events:detail-type": "Dataset Curated"}
    assert policy["Properties"]["EventBusName"] == {"Ref": bus}
    assert policy["Properties"]["Statement"] == {
        "Sid": "CompanyTellsOfCommits",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
        "Action": "events:PutEvents",
        "Resource": {"Fn::GetAtt": [bus, "Arn"]},
        "Condition": {"ForAllValues:StringEquals": keys, "Null": dict.fromkeys(keys, "false")},
    }


def test_it_is_in_the_partners_account_and_needs_no_stack_of_the_companys(
    settings: Settings, tmp_path: Path
) -> None:
    assembly = build_app(settings, tmp_path).synth()
    found = {stack.stack_name: stack.environment.account for stack in assembly.stacks}
    assert {name for name, account in found.items() if account == "222222222222"} == {"causeway-training"}
    assert set(found.values()) == {"111111111111", "222222222222"}
    assert "ImportValue" not in str(assembly.get_stack_by_name("causeway-training").template)


def test_without_machine_learning_nothing_is_deployed_there(settings: Settings, tmp_path: Path) -> None:
    off = settings.partner.ml.model_copy(update={"enabled": False})
    partner = settings.partner.model_copy(update={"ml": off})
    app = build_app(settings.model_copy(update={"partner": partner}), tmp_path)
    assert app.node.try_find_child("causeway-training") is None
