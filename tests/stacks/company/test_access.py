"""What the partner stack guarantees; tests/access proves the permissions themselves."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template
from syrupy.assertion import SnapshotAssertion

from causeway.contract.model import Contract
from causeway.settings import Settings
from causeway.settings_errors import SettingsError
from tests.stacks.conftest import build_app, normalised, resources


def test_the_template_is_the_reviewed_one(partner: Template, snapshot: SnapshotAssertion) -> None:
    assert normalised(partner) == snapshot


def test_both_roles_have_the_boundary_the_path_and_an_hour_at_most(partner: Template) -> None:
    roles = resources(partner, "AWS::IAM::Role")
    assert len(roles) == 2
    for role in roles.values():
        assert role["Properties"]["Path"] == "/causeway/partner/"
        assert role["Properties"]["MaxSessionDuration"] == 3600
        assert role["Properties"]["PermissionsBoundary"]


def partner_of(settings: Settings, folder: Path, datasets: Iterable[str], version: str = "1.0.0") -> Template:
    contracts = {name: Contract(name, version, ()) for name in datasets}
    app = build_app(settings, folder, contracts)
    return Template.from_stack(app.node.find_child(f"{settings.project}-partner"))  # type: ignore[arg-type]


def policies(partner: Template) -> dict[str, str]:
    found = resources(partner, "AWS::IAM::ManagedPolicy")
    return {name: json.dumps(policy["Properties"]["PolicyDocument"]) for name, policy in found.items()}


def test_access_follows_the_contracts_in_both_directions(settings: Settings, tmp_path: Path) -> None:
    (both,) = policies(partner_of(settings, tmp_path / "a", ["flights", "weather"])).values()
    (one,) = policies(partner_of(settings, tmp_path / "b", ["flights"])).values()
    assert "/weather/*" in both
    assert "causeway_lake/weather" in both
    assert "weather" not in one
    assert "flights" in one
    assert "causeway_lake/*" not in both


def test_without_a_contract_there_is_nothing_to_read(settings: Settings, tmp_path: Path) -> None:
    (empty,) = policies(partner_of(settings, tmp_path, [])).values()
    assert "s3:GetObject" not in empty
    assert "glue:" not in empty


LONGEST = [f"{'x' * 37}{n:03}" for n in range(1000)]  # as names of datasets may be


def test_more_tables_than_a_policy_can_name_are_named_by_several(settings: Settings, tmp_path: Path) -> None:
    partner = partner_of(settings, tmp_path, LONGEST[:80], version="2.0.0")
    named = policies(partner)
    boundary = named.pop(next(name for name in named if name.startswith("Boundary")))
    assert len(named) == 10
    assert all(f'/{name}/*"' in "".join(named.values()) for name in LONGEST[:80])
    assert "causeway_lake/*" in boundary
    for role in resources(partner, "AWS::IAM::Role").values():
        assert {next(iter(p.values())) for p in role["Properties"]["ManagedPolicyArns"]} == set(named)
    for text in [*named.values(), boundary]:
        assert len(resolved(json.loads(text)).replace(" ", "")) <= 6144  # what IAM takes


def resolved(value: Any) -> str:
    """The document as IAM gets it, each reference as long as an ARN of ours can be."""
    if (
        isinstance(value, dict)
        and len(value) == 1
        and next(iter(value)).startswith(("Fn::Import", "Fn::GetAtt"))
    ):
        return f'"{"a" * 80}"'
    if isinstance(value, dict) and "Fn::Join" in value:
        return '"' + "".join(resolved(part).strip('"') for part in value["Fn::Join"][1]) + '"'
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{resolved(v)}" for k, v in value.items()) + "}"
    return "[" + ",".join(map(resolved, value)) + "]" if isinstance(value, list) else json.dumps(value)


def test_more_tables_than_a_role_can_name_are_refused_at_synth(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"partner\.datasets: 161 tables, and an IAM role can name 160"):
        partner_of(settings, tmp_path, LONGEST[:161])
