"""The newest approved model is in use, if its gate let it pass and its file is the one that was judged."""

import hashlib
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from moto import mock_aws

from causeway.flow.models import Run, Store, champion_key
from lambdas.promote_model.handler import PromotionError, promote

GROUP = "causeway-spam"


class Registry:
    """Packages of one group by ARN, two a page, in no order; each names its run's file."""

    def __init__(self, store: Store) -> None:
        self.store, self.packages = store, dict[str, dict[str, Any]]()

    def register(self, status: str = "Approved", **told: str) -> str:
        version = len(self.packages) + 1
        run, data = Run("spam", f"run-{version}"), f"model {version}".encode()
        self.store.s3.put_object(Bucket=self.store.bucket, Key=run.file, Body=data)
        properties = {
            "run": run.run, "candidate": "stacking-2", "tier": "2", "threshold": "0.8", "verdict": "passed",
            "sha256": hashlib.sha256(data).hexdigest(),
        }  # fmt: skip
        arn = f"arn:aws:sagemaker:us-east-1:222222222222:model-package/{GROUP}/{version}"
        summary = {"ModelPackageArn": arn, "ModelPackageVersion": version, "ModelApprovalStatus": status}
        self.packages[arn] = {**summary, "CustomerMetadataProperties": properties | told}
        return arn

    def get_paginator(self, operation: str) -> "Registry":
        assert operation == "list_model_packages"
        return self

    def paginate(self, *, ModelPackageGroupName: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        assert ModelPackageGroupName == GROUP
        found = sorted(self.packages.values(), key=lambda one: one["ModelPackageVersion"] % 3)
        for start in range(0, len(found), 2):
            yield {"ModelPackageSummaryList": found[start : start + 2]}

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:  # noqa: N803
        return self.packages[ModelPackageName]

    def told(self, arn: str, status: str) -> str:
        """A person says so, and the function hears of it."""
        self.packages[arn]["ModelApprovalStatus"] = status
        return promote(GROUP, arn, "spam", store=self.store, registry=self)

    @property
    def in_use(self) -> str:
        return str((self.store.get(champion_key("spam")) or {}).get("package", ""))


@pytest.fixture
def registry() -> Iterator[Registry]:
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="partner-ml")
        yield Registry(Store(s3, "partner-ml"))


def test_what_is_approved_is_in_use_with_all_that_its_users_need(registry: Registry) -> None:
    first = registry.register("PendingManualApproval")
    assert registry.told(first, "Approved") == first
    assert registry.store.get(champion_key("spam")) == {
        "package": first,
        "run": "run-1",
        "candidate": "stacking-2",
        "tier": 2,
        "threshold": 0.8,
        "file": "runs/spam/run-1/model.skops",
        "sha256": hashlib.sha256(b"model 1").hexdigest(),
        "pin": "runs/spam/run-1/pin.json",
    }


def test_the_newest_that_is_approved_is_in_use(registry: Registry) -> None:
    arns = [registry.register("PendingManualApproval") for _ in range(5)]
    registry.told(arns[0], "Approved")
    assert registry.told(arns[3], "Approved") == registry.in_use == arns[3]


def test_an_approval_that_is_told_twice_changes_nothing(registry: Registry) -> None:
    first = registry.register()
    registry.told(first, "Approved")
    with patch.object(registry.store.s3, "put_object") as put:
        assert registry.told(first, "Approved") == first
    put.assert_not_called()


def test_the_approval_of_an_older_one_is_refused_and_the_model_in_use_goes_on(registry: Registry) -> None:
    older, newer = registry.register("PendingManualApproval"), registry.register()
    registry.told(newer, "Approved")
    with pytest.raises(PromotionError, match=f"{older} was approved, but {newer} is newer, and approved too"):
        registry.told(older, "Approved")
    assert registry.in_use == newer


def test_what_the_gate_did_not_let_pass_is_refused(registry: Registry) -> None:
    first = registry.register()
    registry.told(first, "Approved")
    second = registry.register(verdict="not enough evidence")
    with pytest.raises(PromotionError, match="the gate's verdict is: not enough evidence"):
        registry.told(second, "Approved")
    assert registry.in_use == first


@pytest.mark.parametrize("gone", [False, True])
def test_a_file_that_is_not_the_one_that_was_judged_is_refused(registry: Registry, gone: bool) -> None:
    first = registry.register()
    place = {"Bucket": registry.store.bucket, "Key": "runs/spam/run-1/model.skops"}
    if gone:
        registry.store.s3.delete_object(**place)
    else:
        registry.store.s3.put_object(**place, Body=b"another")
    with pytest.raises(PromotionError, match="is not the file that was registered"):
        registry.told(first, "Approved")
    assert registry.in_use == ""


def test_when_the_model_in_use_is_rejected_the_one_before_is_in_use_again(registry: Registry) -> None:
    arns = [registry.register() for _ in range(3)]
    registry.told(arns[2], "Approved")
    assert registry.told(arns[2], "Rejected") == registry.in_use == arns[1]


def test_when_the_only_one_is_rejected_none_is_in_use(registry: Registry) -> None:
    first = registry.register()
    registry.told(first, "Approved")
    assert registry.told(first, "Rejected") == registry.in_use == ""
    assert registry.told(first, "Approved") == registry.in_use == first


def test_a_rejection_of_what_is_not_in_use_changes_nothing(registry: Registry) -> None:
    first, second = registry.register(), registry.register()
    registry.told(second, "Approved")
    assert registry.told(first, "Rejected") == registry.in_use == second


def test_of_two_approvals_at_the_same_moment_one_is_tried_again(registry: Registry) -> None:
    first = registry.register()
    with (
        patch.object(registry.store, "replace", return_value=False),
        pytest.raises(PromotionError, match="another approval came at the same moment; it is tried again"),
    ):
        registry.told(first, "Approved")
