"""What holds data or work in flight is neither deleted nor replaced by a deployment over the last release."""

import json
from pathlib import Path
from typing import Any

import pytest

from causeway.settings import Settings
from tests.stacks.stateful import INVENTORY, KINDS, Inventory, endangered, inventory_of, todays


@pytest.fixture(scope="module")
def now(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Inventory:
    return todays(settings, tmp_path_factory.mktemp("cdk.out"))


def test_a_deployment_over_the_last_release_deletes_and_replaces_nothing_that_holds_data(
    now: Inventory,
) -> None:
    lines = endangered(json.loads(INVENTORY.read_text())["resources"], now)
    assert not lines, "\n".join(lines)


def test_outside_a_sandbox_all_of_it_outlives_its_stack(now: Inventory) -> None:
    assert {name for name, facts in now.items() if facts["kept"] != ["Retain", "Retain"]} == set()
    assert len({facts["type"] for facts in now.values()} & KINDS) > 8


TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "DeletionPolicy": "Retain",
    "UpdateReplacePolicy": "Retain",
    "Properties": {"KeySchema": [{"AttributeName": "dataset", "KeyType": "HASH"}], "BillingMode": "A"},
}
BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "a", "Tags": []}}
DATABASE = {"Type": "AWS::Glue::Database", "Properties": {"DatabaseInput": {"Name": "lake"}}}


def change(resource: dict[str, Any], logical_id: str = "It", **changes: Any) -> list[str]:
    """What is told of a release's resource that has changed so since."""
    properties = {**resource["Properties"], **changes.pop("properties", {})}
    changed = {**resource, "Properties": properties, **changes}
    before, after = ({"lake": {"Resources": r}} for r in ({"It": resource}, {logical_id: changed}))
    return endangered(inventory_of(before), inventory_of(after))


@pytest.mark.parametrize(
    ("resource", "changes", "told"),
    [
        (TABLE, {"logical_id": "Other"}, "lake/It: AWS::DynamoDB::Table is gone under this logical id"),
        (BUCKET, {"properties": {"BucketName": "b"}}, "lake/It: BucketName was 'a' and is 'b'"),
        (TABLE, {"properties": {"KeySchema": []}}, "lake/It: KeySchema was [{'AttributeName'"),
        (TABLE, {"properties": {"TableName": "a"}}, "lake/It: TableName was None and is 'a'"),
        (DATABASE, {"properties": {"DatabaseInput": {"Name": "b"}}}, "lake/It: DatabaseInput/Name was"),
        (TABLE, {"DeletionPolicy": "Delete"}, "lake/It: what outlives it (DeletionPolicy, Update"),
        (BUCKET, {"Type": "AWS::SQS::Queue", "properties": {}}, "lake/It: the type was 'AWS::S3::Bucket'"),
    ],
)  # fmt: skip
def test_what_would_be_lost_is_told_with_its_name_and_what_to_do(
    resource: dict[str, Any], changes: dict[str, Any], told: str
) -> None:
    lines = change(resource, **changes)
    assert lines[0].startswith(told)
    assert lines[0].endswith("docs/operations.md, What a deployment would replace")


def test_what_changes_in_place_is_nobodys_business() -> None:
    assert change(TABLE, properties={"BillingMode": "B"}) == change(BUCKET, properties={"Tags": [1]}) == []


def test_the_section_that_says_what_to_do_is_there() -> None:
    page = Path(__file__).resolve().parents[2] / "docs/operations.md"
    assert "## What a deployment would replace" in page.read_text().splitlines()
