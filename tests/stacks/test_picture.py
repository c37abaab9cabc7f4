"""README's picture of the way of the data shows what the templates have, and leaves none of it out."""

import re

import pytest
from aws_cdk.assertions import Template

from tests.stacks.conftest import ROOT, named

# What the picture calls it, and what it is: stack, type, and how its logical id begins.
DRAWN = {
    "landing bucket": ("lake", "AWS::S3::Bucket", "Landing"),
    "quarantine bucket": ("lake", "AWS::S3::Bucket", "Quarantine"),
    "curated bucket": ("lake", "AWS::S3::Bucket", "Curated"),
    "queue": ("lake", "AWS::SQS::Queue", "LandingEvents"),
    "DLQ": ("lake", "AWS::SQS::Queue", "DeadLetters"),
    "batch events (Lambda)": ("pipeline", "AWS::Lambda::Function", "BatchEvents"),
    "state machine (Step Functions)": ("pipeline", "AWS::StepFunctions::StateMachine", "Batches"),
    "curate (Glue, PySpark)": ("pipeline", "AWS::Glue::Job", "Curate"),
    "ledger (DynamoDB)": ("pipeline", "AWS::DynamoDB::Table", "Ledger"),
    "partner roles": ("partner", "AWS::IAM::Role", "Programmatic"),
}
# Types of which the picture shows all that the road from S3 to the table has, and what is beside the road.
WHOLE = {("lake", "AWS::SQS::Queue"), ("pipeline", "AWS::DynamoDB::Table"), ("lake", "AWS::S3::Bucket")}
BESIDE = {"Logs"}


@pytest.fixture(scope="module")
def picture() -> str:
    readme = (ROOT / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    (drawn,) = (block for block in blocks if "landing bucket" in block)
    return str(drawn)


@pytest.mark.parametrize("name", DRAWN)
def test_what_the_picture_shows_is_in_the_templates(
    name: str, picture: str, templates: dict[str, Template]
) -> None:
    stack, kind, logical_id = DRAWN[name]
    assert name in picture
    assert named(templates[stack], kind, logical_id)


@pytest.mark.parametrize("place", sorted(WHOLE))
def test_nothing_that_holds_data_is_left_out(place: tuple[str, str], templates: dict[str, Template]) -> None:
    stack, kind = place
    shown = {logical_id for at, of, logical_id in DRAWN.values() if (at, of) == place}
    there = {re.sub(r"[0-9A-F]{8}$", "", found) for found in templates[stack].find_resources(kind)}
    assert there - BESIDE == shown


def test_the_job_is_started_as_the_picture_says(picture: str, templates: dict[str, Template]) -> None:
    assert "glue:startJobRun.sync" in picture
    machine = named(templates["pipeline"], "AWS::StepFunctions::StateMachine", "Batches")
    assert "glue:startJobRun.sync" in str(machine["DefinitionString"])
