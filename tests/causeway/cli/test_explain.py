"""`causeway explain`: a reason code's meaning, from where the codes are."""

import json

import pytest

from causeway.__main__ import main
from causeway.flow.codes import Code


@pytest.mark.parametrize("code", Code)
def test_a_code_is_told_with_what_it_is_said_of_its_meaning_and_what_to_do(
    code: Code, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", code]) == 0
    _, told, remedy = capsys.readouterr().out.splitlines()
    assert " ".join(told.split()) == f"{code} {code.subject} {code.meaning}"
    assert ("land it again" in remedy) == (code.subject != "message")


def test_without_a_code_all_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--json"]) == 0
    assert [one["code"] for one in json.loads(capsys.readouterr().out)["codes"]] == list(Code)


def test_a_code_that_there_is_not_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "kill_job"]) == 2
    assert "no reason code kill_job; did you mean kills_job?" in capsys.readouterr().err
