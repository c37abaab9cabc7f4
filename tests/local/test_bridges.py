"""The bridges fit one version of the emulator, and say so of any other. A bucket goes when it is empty."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ministack.services import sqs

from local.aws import bridges
from local.aws.bridges import cloudformation, s3, stepfunctions
from local.aws.embedded import EmbeddedAws

COMPANY = "111111111111"


def test_another_version_of_the_emulator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridges, "MINISTACK", "1.5.32")
    with pytest.raises(RuntimeError, match=r"the bridges fit ministack 1\.5\.32, found 1\.5\.33"):
        bridges.install()


@pytest.mark.parametrize("bridge", [cloudformation, s3, stepfunctions])
def test_a_private_name_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch, bridge: object) -> None:
    monkeypatch.setattr(bridge, "PRIVATE", {sqs: ("_gone",)})
    with pytest.raises(RuntimeError, match=r"ministack has no ministack\.services\.sqs\._gone"):
        bridges.install()


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(account=COMPANY, region="us-east-1") as aws:
        yield aws


def stack_of(aws: EmbeddedAws, bucket: str) -> Any:
    """A stack of that one bucket, which keeps versions."""
    versioned = {"BucketName": bucket, "VersioningConfiguration": {"Status": "Enabled"}}
    template = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": versioned}}}
    stacks = aws.client("cloudformation", COMPANY)
    stacks.create_stack(StackName=bucket, TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName=bucket, WaiterConfig={"Delay": 1})
    return stacks


def deleted(stacks: Any, stack: str) -> str:
    """The status in which the deletion of the stack ends."""
    (described,) = stacks.describe_stacks(StackName=stack)["Stacks"]
    stacks.delete_stack(StackName=stack)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        (now,) = stacks.describe_stacks(StackName=described["StackId"])["Stacks"]
        if now["StackStatus"] in ("DELETE_COMPLETE", "DELETE_FAILED"):
            return str(now["StackStatus"])
        time.sleep(0.1)
    raise AssertionError(f"{stack} is still {now['StackStatus']}")


@pytest.mark.embedded
@pytest.mark.parametrize("left", ["an object", "an old version", "a marker"])
def test_a_bucket_that_is_not_empty_fails_its_stacks_deletion(aws: EmbeddedAws, left: str) -> None:
    bucket = left.replace(" ", "-")
    stacks, objects = stack_of(aws, bucket), aws.client("s3", COMPANY)
    put = objects.put_object(Bucket=bucket, Key="key", Body=b"content")
    if left != "an object":
        objects.delete_object(Bucket=bucket, Key="key")
    if left == "a marker":
        objects.delete_object(Bucket=bucket, Key="key", VersionId=put["VersionId"])
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        objects.delete_bucket(Bucket=bucket)

    assert deleted(stacks, bucket) == "DELETE_FAILED"
    (resource,) = stacks.describe_stack_resources(StackName=bucket)["StackResources"]
    assert resource["ResourceStatus"] == "DELETE_FAILED"
    assert resource["ResourceStatusReason"] == f"The bucket you tried to delete is not empty ({bucket})"

    versions = objects.list_object_versions(Bucket=bucket)
    for version in [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])]:
        objects.delete_object(Bucket=bucket, Key="key", VersionId=version["VersionId"])
    assert deleted(stacks, bucket) == "DELETE_COMPLETE"
    assert bucket not in [b["Name"] for b in objects.list_buckets()["Buckets"]]


@pytest.mark.embedded
def test_a_bucket_that_somebody_deleted_does_not_fail_it(aws: EmbeddedAws) -> None:
    stacks = stack_of(aws, "gone-already")
    aws.client("s3", COMPANY).delete_bucket(Bucket="gone-already")
    assert deleted(stacks, "gone-already") == "DELETE_COMPLETE"


def test_a_stack_is_updated_around_its_budget_and_with_it(aws: EmbeddedAws) -> None:
    """A budget's name is made by the emulator's bridge: it must be found again."""
    stacks, budgets = aws.client("cloudformation", COMPANY), aws.client("budgets", COMPANY)

    def template(dollars: int, topic: str) -> str:
        amount = {
            "BudgetLimit": {"Amount": dollars, "Unit": "USD"},
            "TimeUnit": "MONTHLY",
            "BudgetType": "COST",
        }
        named = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": topic}}
        budget = {"Type": "AWS::Budgets::Budget", "Properties": {"Budget": amount}}
        return json.dumps({"Resources": {"Budget": budget, "Topic": named}})

    stacks.create_stack(StackName="budgeted", TemplateBody=template(10, "first"))
    stacks.get_waiter("stack_create_complete").wait(StackName="budgeted", WaiterConfig={"Delay": 1})
    for dollars, topic in ((10, "second"), (20, "second")):
        stacks.update_stack(StackName="budgeted", TemplateBody=template(dollars, topic))
        stacks.get_waiter("stack_update_complete").wait(StackName="budgeted", WaiterConfig={"Delay": 1})
        (budget,) = budgets.describe_budgets(AccountId=COMPANY)["Budgets"]
        assert float(budget["BudgetLimit"]["Amount"]) == dollars
    assert deleted(stacks, "budgeted") == "DELETE_COMPLETE"
    assert budgets.describe_budgets(AccountId=COMPANY).get("Budgets", []) == []
