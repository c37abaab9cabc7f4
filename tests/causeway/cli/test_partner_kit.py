"""The kit: what the partner gets is what its roles need, and no more than there is."""

import json
import re
from pathlib import Path

import pytest

from causeway import settings
from causeway.__main__ import main
from causeway.cli import partner_kit
from causeway.settings import EMBEDDED_EXTERNAL_ID, Settings, load_settings
from causeway.settings_errors import SettingsError

PROGRAMMATIC, CONSOLE = (
    f"arn:aws:iam::111111111111:role/causeway/partner/causeway-{kind}" for kind in ("programmatic", "console")
)
OUTPUTS = {
    "ProgrammaticRoleArn": PROGRAMMATIC,
    "ConsoleRoleArn": CONSOLE,
    "SwitchRoleUrl": "https://signin.aws.amazon.com/switchrole?account=111111111111&roleName=x",
    "CuratedDataUrl": "https://example.com/?prefix=",
    "CuratedDatabaseName": "causeway_lake",
}


def changed(**partner: object) -> Settings:
    loaded = load_settings(settings.SETTINGS_FILE)
    return loaded.model_copy(update={"partner": loaded.partner.model_copy(update=partner)})


TABLES = {"flights": "flights", "weather": "weather"}


def kit(folder: Path, outputs: dict[str, str] = OUTPUTS, **partner: object) -> dict[str, str]:
    written = partner_kit.write(
        folder, changed(**partner), outputs, {name: name for name in ("flights", "weather")}
    )
    return {path.name: path.read_text() for path in written}


def test_the_policy_for_the_partners_admin_allows_taking_our_roles_and_nothing_else(tmp_path: Path) -> None:
    (statement,) = json.loads(kit(tmp_path)["allow-causeway.json"])["Statement"]
    assert (statement["Action"], statement["Resource"]) == (["sts:AssumeRole"], [PROGRAMMATIC, CONSOLE])


def test_a_source_identity_is_allowed_and_asked_for_where_the_role_wants_one(tmp_path: Path) -> None:
    files = kit(tmp_path, source_identity=True)
    (statement,) = json.loads(files["allow-causeway.json"])["Statement"]
    assert "sts:SetSourceIdentity" in statement["Action"]
    assert "--source-identity WHO" in files["programs.md"]


def test_the_schema_of_profiles_is_with_the_program_that_reads_them(tmp_path: Path) -> None:
    files = kit(tmp_path)
    assert "profiles.py" in files
    assert json.loads(files["profile.schema.json"])["title"] == "Profile of a table"


def test_every_blank_is_filled_in(tmp_path: Path) -> None:
    files = kit(tmp_path)
    assert [
        name for name, text in files.items() if re.search(r"\$\{?[A-Za-z]", text) and name.endswith(".md")
    ] == []
    assert PROGRAMMATIC in files["programs.md"]
    assert EMBEDDED_EXTERNAL_ID in files["programs.md"]
    assert "prefix=weather/" in files["console.md"]


def test_only_the_datasets_that_the_partner_reads_are_spoken_of(tmp_path: Path) -> None:
    assert not [name for name, text in kit(tmp_path, datasets=["weather"]).items() if "flights" in text]


def test_a_role_that_is_switched_off_has_no_page(tmp_path: Path) -> None:
    outputs = {
        name: value for name, value in OUTPUTS.items() if name not in ("ConsoleRoleArn", "SwitchRoleUrl")
    }
    files = kit(tmp_path, outputs)
    assert "console.md" not in files
    assert json.loads(files["allow-causeway.json"])["Statement"][0]["Resource"] == [PROGRAMMATIC]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of another account, whose external ids lie beside them."""
    path = tmp_path / "settings.toml"
    path.write_text(settings.SETTINGS_FILE.read_text().replace('"111111111111"', '"333333333333"'))
    monkeypatch.setattr(settings, "EXTERNAL_ID_FILE", tmp_path / ".external-id")
    monkeypatch.delenv("CAUSEWAY_EXTERNAL_ID", raising=False)
    return path


def test_an_account_of_ones_own_needs_an_external_id_of_its_own(own: Path) -> None:
    with pytest.raises(SettingsError, match=r"--new-external-id`, or set .CAUSEWAY_EXTERNAL_ID$"):
        load_settings(own)
    assert main(["partner-kit", "--new-external-id"]) == 0
    first = load_settings(own).partner.external_id
    assert first != EMBEDDED_EXTERNAL_ID
    assert main(["partner-kit", "--new-external-id"]) == 2
    assert load_settings(own).partner.external_id == first


def test_a_rotation_takes_both_external_ids_until_it_is_ended(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for option in ("--rotate-external-id", "--end-rotation"):
        assert main(["partner-kit", option]) == 2
    assert main(["partner-kit", "--new-external-id"]) == 0
    before = load_settings(own).partner
    assert main(["partner-kit", "--rotate-external-id"]) == 0
    assert "1. make deploy: the role takes both." in capsys.readouterr().out
    rotating = load_settings(own).partner
    assert rotating.external_id != before.external_id
    assert rotating.former_external_ids == [before.external_id]
    assert main(["partner-kit", "--rotate-external-id"]) == 2  # the partner may use either
    assert main(["partner-kit", "--end-rotation"]) == 0
    assert load_settings(own).partner.model_dump() == rotating.model_dump() | {"former_external_ids": []}


def test_a_rotation_of_an_id_in_the_environment_is_left_to_who_keeps_it(
    own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CAUSEWAY_EXTERNAL_ID", "causeway-new-new-new causeway-old-old-old")
    assert load_settings(own).partner.former_external_ids == ["causeway-old-old-old"]
    assert main(["partner-kit", "--rotate-external-id"]) == 2
    assert "$CAUSEWAY_EXTERNAL_ID says it" in capsys.readouterr().err


ACME = """
[partners.acme]
account = "222222222222"
datasets = ["weather"]
may_land = []
revoked = false
programmatic = true
programmatic_roles = ["acme-reader"]
source_identity = false
vpc_endpoints = []
console = false
console_principals = ["user/nobody"]
console_mfa = true
"""


def test_another_partner_has_an_external_id_and_a_kit_of_its_own(own: Path, tmp_path: Path) -> None:
    own.write_text(own.read_text() + ACME)
    assert main(["partner-kit", "--new-external-id"]) == 0
    with pytest.raises(SettingsError, match=r"partners\.acme\.external_id: .* --partner acme.*_ID_ACME"):
        load_settings(own)
    assert main(["partner-kit", "--new-external-id", "--partner", "acme"]) == 0
    loaded = load_settings(own)
    first, acme = loaded.partner, loaded.partners["acme"]
    assert first.external_id != acme.external_id
    files = partner_kit.write(tmp_path / "acme", loaded, OUTPUTS, TABLES, "acme")
    texts = {path.name: path.read_text() for path in files}
    assert json.loads(texts["access.json"])["external_id"] == acme.external_id
    assert json.loads(texts["access.json"])["tables"] == ["weather"]
    assert not [name for name, text in texts.items() if first.external_id in text or "flights" in text]
    with pytest.raises(SettingsError, match=r"no partner 'acne'; partners: acme; did you mean acme\?"):
        loaded.partner_named("acne")


def test_a_dataset_without_a_contract_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match="no contract for flihgts; contracts: flights, weather"):
        changed(datasets=["flihgts"]).partner.check_datasets(["flights", "weather"])


@pytest.mark.parametrize("name", ["analyst", "role/*", "user/a*", "group/x", "role/aws-reserved/other/*"])
def test_who_may_switch_to_the_console_role_is_never_a_pattern_of_the_partners_own_names(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(settings.SETTINGS_FILE.read_text().replace("user/causeway-analyst", name))
    with pytest.raises(SettingsError, match=r"partner\.console_principals"):
        load_settings(path)
