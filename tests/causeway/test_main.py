"""The command line as a whole: how it ends."""

import pytest

from causeway.__main__ import main


def test_a_mistake_of_the_programs_own_does_not_look_as_if_something_needed_a_person(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("causeway.cli.ml._models", broken)
    assert main(["ml", "status"]) == 2
    assert "ZeroDivisionError" in capsys.readouterr().err
