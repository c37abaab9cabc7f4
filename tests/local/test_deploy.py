"""`make deploy` deploys what belongs to the account of the credentials, and nothing elsewhere."""

import json
from pathlib import Path
from unittest.mock import Mock

import boto3
import pytest

from causeway.operate.account import AccountError, session_of_either
from causeway.settings import load_settings
from local import deploy

ENVIRONMENTS = {"lake": "aws://111111111111/us-east-1", "training": "aws://222222222222/us-east-1"}


@pytest.fixture(autouse=True)
def assembly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a stack in each account, and what else there is."""
    stacks = {
        name: {"type": deploy.STACK, "environment": environment} for name, environment in ENVIRONMENTS.items()
    }
    artifacts = {**stacks, "lake.assets": {"type": "cdk:asset-manifest"}, "Tree": {"type": "cdk:tree"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    monkeypatch.setattr(deploy, "APP", tmp_path)
    return tmp_path


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """What the CDK's command line is told."""
    cdk = Mock(return_value=True)
    monkeypatch.setattr(deploy, "run_cdk", cdk)
    monkeypatch.setenv("YES", "1")
    return cdk


def with_credentials_of(monkeypatch: pytest.MonkeyPatch, of: str) -> None:
    session = Mock()
    session.client().get_caller_identity.return_value = {"Account": of}
    monkeypatch.setattr(boto3, "Session", lambda **_: session)


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_the_stacks_of_the_credentials_account_are_deployed_after_their_changes_are_shown(
    ran: Mock, monkeypatch: pytest.MonkeyPatch, stack: str
) -> None:
    with_credentials_of(monkeypatch, ENVIRONMENTS[stack].split("/")[2])
    deploy.main()
    assert [call.args[:2] for call in ran.call_args_list] == [
        ("diff", stack),
        ("bootstrap", ENVIRONMENTS[stack]),
        ("deploy", stack),
    ]


@pytest.mark.parametrize(("terminal", "answered"), [(True, "y"), (True, ""), (False, "yes")])
def test_nothing_is_deployed_unless_a_person_types_yes_or_the_environment_does(
    ran: Mock, monkeypatch: pytest.MonkeyPatch, *, terminal: bool, answered: str
) -> None:
    with_credentials_of(monkeypatch, "111111111111")
    monkeypatch.delenv("YES")
    monkeypatch.setattr("sys.stdin", Mock(isatty=lambda: terminal))
    monkeypatch.setattr("builtins.input", lambda _: answered)
    with pytest.raises(SystemExit):
        deploy.main()
    assert [call.args[0] for call in ran.call_args_list] == ["diff"]


def test_a_person_who_types_yes_deploys(ran: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    with_credentials_of(monkeypatch, "111111111111")
    monkeypatch.delenv("YES")
    monkeypatch.setattr("sys.stdin", Mock(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    deploy.main()
    assert [call.args[0] for call in ran.call_args_list] == ["diff", "bootstrap", "deploy"]


def test_what_failed_is_not_gone_on_from(ran: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    with_credentials_of(monkeypatch, "111111111111")
    ran.return_value = False
    with pytest.raises(SystemExit, match="make deploy: the CDK failed"):
        deploy.main()
    assert ran.call_count == 1


def test_an_account_without_stacks_is_named(
    ran: Mock, assembly: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_credentials_of(monkeypatch, "222222222222")
    (assembly / "manifest.json").write_text(json.dumps({"artifacts": {}}))
    with pytest.raises(SystemExit, match=r"account 222222222222: settings\.toml leaves it out"):
        deploy.main()
    assert not ran.called


def test_credentials_of_a_third_account_are_refused(ran: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    with_credentials_of(monkeypatch, "333333333333")
    with pytest.raises(SystemExit, match="make deploy: the credentials are for account 333333333333"):
        deploy.main()
    assert not ran.called
    with pytest.raises(AccountError, match=r'partner\.account = "222222222222": change one of them'):
        session_of_either(load_settings())
