"""A second environment from the same checkout: settings.toml, and over it what its own file says."""

import json
import os
import shutil
import tomllib
from pathlib import Path
from unittest.mock import Mock

import jsonschema  # type: ignore[import-untyped]
import pytest

from causeway.__main__ import main
from causeway.operate.models import Models
from causeway.settings import SETTINGS_FILE, load_settings
from causeway.settings_errors import SettingsError
from causeway.settings_schema import ENVIRONMENT_SCHEMA_FILE, environment_schema

OWN_NAMES = '[partner.ml]\nbus = "news-b"\nrole = "training-b"\n'


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """settings.toml in a folder of its own."""
    return Path(shutil.copy(SETTINGS_FILE, tmp_path))


def environment(settings: Path, name: str, text: str) -> Path:
    path = settings.with_name(f"settings.{name}.toml")
    path.write_text(text)
    return path


def test_the_committed_environment_is_valid_and_as_the_schema_for_editors_has_it() -> None:
    overlay = SETTINGS_FILE.with_name("settings.staging.toml")
    assert load_settings(SETTINGS_FILE, "staging").project == "causeway-staging"
    jsonschema.validate(tomllib.loads(overlay.read_text()), json.loads(ENVIRONMENT_SCHEMA_FILE.read_text()))
    assert json.loads(ENVIRONMENT_SCHEMA_FILE.read_text()) == environment_schema()
    assert overlay.read_text().startswith(f"#:schema docs/{ENVIRONMENT_SCHEMA_FILE.name}\n")


def test_a_key_of_the_environments_file_stands_over_its_section_and_the_rest_stays(settings: Path) -> None:
    environment(settings, "b", OWN_NAMES + "[limits]\nworkers = 9\n[tags]\nowner = 'b-team'\n")
    base, own = load_settings(settings), load_settings(settings, "b")
    assert own.limits == base.limits.model_copy(update={"workers": 9})
    assert own.partner.model_copy(update={"ml": base.partner.ml}) == base.partner
    assert own.every_tag() == base.every_tag() | {
        "project": "causeway-b",
        "environment": "b",
        "owner": "b-team",
    }


def test_the_environment_is_that_of_the_variable_or_of_the_commands_option(
    settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment(settings, "b", OWN_NAMES)
    monkeypatch.setenv("CAUSEWAY_SETTINGS", str(settings))
    monkeypatch.setenv("CAUSEWAY_ENVIRONMENT", "b")
    assert load_settings().project == "causeway-b"
    assert load_settings(environment="").project == "causeway"
    assert main(["--environment", "c", *["estimate", "--objects", "1", "--bytes", "1"]]) == 2
    assert "settings.c.toml: no such settings file" in capsys.readouterr().err
    assert os.environ["CAUSEWAY_ENVIRONMENT"] == "c"


WRONG = {
    "[limits]\nworkers = 1": "limits.workers: found 1; Input should be greater than or equal to 2",
    "[limits]\nwrokers = 2": "limits.wrokers: unknown key; did you mean workers?",
    "[limits": "line 1: '[limits' is not TOML",
    'project = "x"': "project: is made of that of settings.toml and 'b'; remove it",
    "": "partner.ml.bus: settings.toml has 'causeway-news' as well, in the same account; "
    'write another, as "causeway-news-b"',
    '[partner.ml]\nbus = "news-b"': "partner.ml.role: settings.toml has 'causeway-training' as well",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_mistake_in_an_environments_file_is_one_line_that_names_it(settings: Path, text: str) -> None:
    environment(settings, "b", text if not text or "ml" in text else f"{text}\n{OWN_NAMES}")
    with pytest.raises(SettingsError) as error:
        load_settings(settings, "b")
    (line,) = str(error.value).splitlines()
    assert WRONG[text] in line
    assert "settings.b.toml" in line


def test_an_environment_that_there_is_not_is_told_with_those_there_are(settings: Path) -> None:
    for name in ("stage", "test"):
        environment(settings, name, OWN_NAMES)
    with pytest.raises(SettingsError, match=r"environments: there are stage, test; did you mean stage\?"):
        load_settings(settings, "staging")


@pytest.mark.parametrize("name", ["Prod", "partner", "a-b", "x" * 11])
def test_an_environments_name_makes_no_name_of_another_stack(settings: Path, name: str) -> None:
    environment(settings, name, OWN_NAMES)
    with pytest.raises(SettingsError, match="up to 10 small letters and digits"):
        load_settings(settings, name)


def test_two_environments_beside_settings_toml_are_told_apart_too(settings: Path) -> None:
    environment(settings, "a", OWN_NAMES)
    environment(settings, "b", OWN_NAMES)
    with pytest.raises(SettingsError, match=r"settings\.a\.toml has 'news-b' as well"):
        load_settings(settings, "b")


def test_without_models_or_in_another_account_names_may_be_the_same(settings: Path) -> None:
    environment(settings, "a", "[partner.ml]\nenabled = false")
    environment(settings, "b", '[partner]\naccount = "333333333333"')
    assert not load_settings(settings, "a").partner.ml.enabled
    assert load_settings(settings, "b").partner.ml.bus == "causeway-news"


def test_models_of_another_environment_in_the_account_are_not_taken_for_ones_own() -> None:
    models, names = object.__new__(Models), ("causeway-spam", "causeway-staging-spam", "causeways-late")
    models._prefix, models._registry = "causeway-", Mock()
    page = {"ModelPackageGroupSummaryList": [{"ModelPackageGroupName": name} for name in names]}
    models._registry.get_paginator().paginate.return_value = [page]
    assert models.names() == ["spam"]
