"""`causeway revoke` closes the roles of the partner that is named, and no other's."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from causeway.__main__ import main
from causeway.settings import SETTINGS_FILE
from tests.causeway.cli.test_partner_kit import ACME

ROLES = ("causeway-programmatic", "causeway-console", "causeway-partner-acme-programmatic")
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.fixture
def iam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS_FILE.read_text() + ACME)
    monkeypatch.setenv("CAUSEWAY_SETTINGS", str(path))
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "111111111111")
    with mock_aws():
        iam = boto3.client("iam")
        for role in ROLES:
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)
        yield iam


def closed(iam: Any) -> list[str]:
    return [role for role in ROLES if iam.list_role_policies(RoleName=role)["PolicyNames"]]


def test_the_first_partner_is_meant_unless_another_is_named(iam: Any) -> None:
    assert main(["revoke"]) == 0
    assert closed(iam) == ["causeway-programmatic", "causeway-console"]


def test_another_partner_is_closed_alone(iam: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["revoke", "--partner", "acme"]) == 0
    assert closed(iam) == ["causeway-partner-acme-programmatic"]
    told = capsys.readouterr().out
    assert "causeway-partner-acme-console: there is no such role" in told
    assert "say partners.acme.revoked = true" in told
    assert "causeway revoke --undo --partner acme" in told


def test_a_partner_that_there_is_not_is_one_line(iam: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["revoke", "--partner", "acne"]) == 2
    assert capsys.readouterr().err == "causeway: no partner 'acne'; partners: acme; did you mean acme?\n"
    assert closed(iam) == []
