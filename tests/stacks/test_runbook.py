"""Whoever gets an alarm finds what to do: each has a section of the runbook, and each section an alarm."""

import re
from dataclasses import replace
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from causeway.contract.model import Column, Contract
from causeway.settings import Settings
from tests.stacks.conftest import ROOT, build_app, resources
from tests.stacks.test_options import INFERENCE

RUNBOOK = (ROOT / "docs/runbook.md").read_text()
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", RUNBOOK, re.M | re.S))
DESCRIPTION = re.compile(
    r"(?P<kind>\w+)( of (?P<of>\w+))?: docs/runbook\.md#(?P<anchor>\w+); causeway (?P<names>.+)"
)
PROMISE = replace(
    Contract("films", "1.0.0", (Column("id", "id", "integer", key=True),)),
    frequency=3600,
    quarantine_limit=5,
    served=True,
)


@pytest.fixture(scope="module")
def described(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What every alarm of every stack says of itself, with all that contracts and settings can ask for."""
    store = settings.store.model_copy(update={"enabled": True})
    folder: Path = tmp_path_factory.mktemp("alarms")
    inference = settings.inference.model_copy(update={"enabled": True, **INFERENCE})
    everything = settings.model_copy(update={"store": store, "inference": inference})
    app = build_app(everything, folder, {"films": PROMISE})
    stacks = [child for child in app.node.children if isinstance(child, cdk.Stack)]
    alarms = [a for s in stacks for a in resources(Template.from_stack(s), "AWS::CloudWatch::Alarm").values()]
    texts = [alarm["Properties"]["AlarmDescription"] for alarm in alarms]
    return [text for text in texts if not text.endswith("scaling alarm")]  # autoscaling hears of those alone


def test_each_alarm_names_its_own_section_of_the_runbook(described: list[str]) -> None:
    for text in described:
        found = DESCRIPTION.fullmatch(text)
        assert found, text
        assert found["kind"] in SECTIONS
        assert found["anchor"] == found["kind"].lower()


def test_each_section_is_of_an_alarm_and_says_what_it_means_where_to_look_and_what_to_do(
    described: list[str],
) -> None:
    assert {*SECTIONS} == {text.split(":")[0].split(" ")[0] for text in described}
    for text in SECTIONS.values():
        assert re.findall(r"^- \*\*(\w+)\*\*: ", text, re.M) == ["Means", "Look", "Do"]


def test_alarms_on_a_promise_name_its_dataset(described: list[str]) -> None:
    of_films = [text for text in described if " of films: " in text]
    assert sorted(text.split(" ")[0] for text in of_films) == ["Late", "Quarantined", "Stale"]
    assert all("causeway status --dataset films" in text for text in of_films)
