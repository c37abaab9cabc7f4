"""The command line as a whole: how it ends."""

import tomllib

import pytest

from causeway.__main__ import main
from causeway.settings import SETTINGS_FILE


def test_a_mistake_of_the_programs_own_does_not_look_as_if_something_needed_a_person(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("causeway.cli.ml._models", broken)
    assert main(["ml", "status"]) == 2
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads(SETTINGS_FILE.with_name("pyproject.toml").read_text())["project"]
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"causeway {project['version']}\n"


def test_the_help_says_what_the_exit_statuses_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "0 all is well, 1 something needs a person, 2 the command could not do its work" in told
