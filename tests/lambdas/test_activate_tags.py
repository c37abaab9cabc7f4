"""The daily function: it says where the tags stand, and a state is no failure."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.activate_tags.handler import handler


class MemberAccount:
    def list_cost_allocation_tags(self, **_: Any) -> Any:
        error = {"Code": "AccessDeniedException", "Message": "Linked account doesn't have access"}
        raise ClientError({"Error": error}, "ListCostAllocationTags")


def test_a_member_account_says_what_the_payer_is_to_run(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def client(name: str, region: str, **_: Any) -> Any:
        assert (name, region) == ("ce", "us-east-1")
        return MemberAccount()

    monkeypatch.setattr("lambdas.activate_tags.handler.boto3.client", client)
    monkeypatch.setenv("KEYS", json.dumps(["project", "owner"]))
    found = handler({}, None)
    assert (found["state"], set(found["keys"].values())) == (
        "ask the payer account",
        {"ask the payer account"},
    )
    assert "'TagKey=project,Status=Active' 'TagKey=owner,Status=Active'" in caplog.text
