"""The quota of the endpoint's instance: enough, to be asked for, or not to be read."""

import json
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.stub import Stubber

from causeway.__main__ import main
from causeway.operate.quotas import Quota, quota_of
from causeway.settings import load_settings
from local import deploy

INSTANCE, CODE = "ml.g6e.xlarge", "L-6D0DF7E9"  # of a quota's code, the form alone is AWS's
ASK = (
    "aws service-quotas request-service-quota-increase --region us-east-1 "
    f"--service-code sagemaker --quota-code {CODE} --desired-value 2"
)


def listed(*names: str, value: float = 0.0) -> dict[str, Any]:
    return {"Quotas": [{"QuotaName": name, "QuotaCode": CODE, "Value": value} for name in names]}


def answered(*responses: tuple[str, dict[str, Any]]) -> Any:
    """A client that gives these answers in this order, and no more."""
    client = boto3.client("service-quotas", region_name="us-east-1")
    stubber = Stubber(client)
    for operation, response in responses:
        stubber.add_response(operation, response)
    stubber.activate()
    return client


def own(value: float) -> tuple[str, dict[str, Any]]:
    """Among others, whose names hold the instance's too."""
    names = (f"{INSTANCE} for training job usage", f"{INSTANCE} for endpoint usage")
    return "list_service_quotas", listed(*names, value=value)


def test_a_quota_that_takes_what_is_needed_is_enough() -> None:
    quota = quota_of(answered(own(2)), INSTANCE, 2)
    assert (quota.enough, quota.allowed) == (True, 2)
    assert quota.text("us-east-1").endswith("2 allowed to all endpoints of us-east-1, 2 needed: enough")


def test_one_that_does_not_is_told_with_the_command_that_asks_for_it() -> None:
    quota = quota_of(answered(own(1)), INSTANCE, 2)
    assert not quota.enough
    assert quota.text("us-east-1").endswith(
        f"1 allowed to all endpoints of us-east-1, 2 needed; ask for more: {ASK}"
    )


def test_an_account_without_a_value_of_its_own_has_awss_default() -> None:
    default = ("list_aws_default_service_quotas", listed(f"{INSTANCE} for endpoint usage"))
    quota = quota_of(answered(("list_service_quotas", listed("another")), default), INSTANCE, 1)
    assert (quota.allowed, quota.code, quota.trouble) == (0, CODE, "")


def test_later_pages_are_read_too() -> None:
    first = ("list_service_quotas", {**listed("another"), "NextToken": "more"})
    assert quota_of(answered(first, own(3)), INSTANCE, 1).allowed == 3


def test_one_that_may_not_be_read_says_so_and_is_not_enough() -> None:
    client = boto3.client("service-quotas", region_name="us-east-1")
    stubber = Stubber(client)
    stubber.add_client_error("list_service_quotas", "AccessDeniedException", "no")
    with stubber:
        quota = quota_of(client, INSTANCE, 1)
    assert not quota.enough
    assert "the credentials may not call ListServiceQuotas" in quota.text("us-east-1")


def test_an_instance_that_the_region_does_not_have_says_so() -> None:
    nothing = {"Quotas": list[Any]()}
    client = answered(("list_service_quotas", nothing), ("list_aws_default_service_quotas", nothing))
    assert "lists none of that name" in quota_of(client, INSTANCE, 1).text("us-east-1")


@pytest.mark.parametrize(
    ("quota", "exits"),
    [
        (Quota(INSTANCE, 1, allowed=1, code=CODE), 0),
        (Quota(INSTANCE, 2, allowed=1, code=CODE), 1),
        (Quota(INSTANCE, 1, trouble="no"), 1),
    ],
)
def test_the_command_exits_one_where_a_person_is_needed(
    quota: Quota, exits: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("causeway.operate.account.session_of_company", Mock())
    monkeypatch.setattr("causeway.operate.quotas.quota_for", lambda *_: quota)
    assert main(["inference", "check"]) == exits
    assert capsys.readouterr().out == quota.text("us-east-1") + "\n"
    assert main(["inference", "check", "--json"]) == exits
    assert json.loads(capsys.readouterr().out)["enough"] == (not exits)


def test_a_deployment_is_not_begun_without_the_quota(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    short, unknown = Quota(INSTANCE, 2, code=CODE), Quota(INSTANCE, 2, trouble="no")
    monkeypatch.setattr(deploy, "quota_for", lambda *_: short)
    with pytest.raises(SystemExit, match=f"make deploy: {INSTANCE}: 0 allowed .* {ASK}"):
        deploy.check_quota(load_settings(), Mock())
    # Who may deploy may be somebody who may not read quotas.
    monkeypatch.setattr(deploy, "quota_for", lambda *_: unknown)
    deploy.check_quota(load_settings(), Mock())
    assert "cannot be read" in capsys.readouterr().out


def test_only_a_deployment_with_the_endpoint_asks_for_its_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Mock()
    monkeypatch.setattr(deploy, "session_of_either", lambda _: (Mock(), "111111111111"))
    monkeypatch.setattr(deploy, "deploy", Mock())
    monkeypatch.setattr(deploy, "check_quota", asked)
    for stacks, times in ((["causeway-lake"], 0), (["causeway-lake", "causeway-inference"], 1)):
        monkeypatch.setattr(deploy, "stacks_of", lambda *_, stacks=stacks: stacks)
        deploy.main()
        assert asked.call_count == times
