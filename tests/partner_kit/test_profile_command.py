"""`python -m partner_kit --profile`, on a table whose profiles are in moto's S3."""

import json
import sys
from collections.abc import Callable

import pytest

from partner_kit import __main__ as kit
from partner_kit.errors import KitError
from tests.partner_kit.lake import Lake, committed

Run = Callable[[str], str]


@pytest.fixture
def run(lake: Lake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """What the command prints."""

    def run(options: str) -> str:
        role = "--role-arn x --external-id x --database lake"
        monkeypatch.setattr(sys, "argv", ["partner_kit", *f"{role} --table flights {options}".split()])
        monkeypatch.setattr(kit, "take_role", lambda *_: None)
        monkeypatch.setattr(kit, "open_table", lambda *_: lake.table)
        kit.main()
        return capsys.readouterr().out

    return run


def test_the_command_prints_nulls_associations_and_how_much_older_they_are(lake: Lake, run: Run) -> None:
    committed(lake, 1, 2, 3).profile(1)
    printed = run("--profile --snapshot 2")
    assert printed.index("gate") < printed.index("0.2") < printed.index("few rows")
    last = printed.splitlines()[-1]
    older = "which is 1 commit and 1 hour older than snapshot 2"
    assert last == f"lake.flights: 10 rows; profile of snapshot 1, {older}"


def test_the_command_says_nothing_of_age_where_there_is_none(lake: Lake, run: Run) -> None:
    committed(lake, 1).profile(1)
    assert run("--profile").endswith("lake.flights: 10 rows; profile of snapshot 1\n")


def test_the_command_gives_the_whole_document_as_json(lake: Lake, run: Run) -> None:
    document = committed(lake, 1, 2).profile(1)
    facts = {"table": "lake.flights", "snapshot": 2, "older": {"commits": 1, "hours": 1.0}}
    assert json.loads(run("--profile --json")) == {**facts, "profile": document}


EXCLUSIVE = {
    "--sql x": "not allowed with argument --profile",
    "--files": "not allowed with argument --profile",
    "--where x=1": "of all rows and columns; leave out --where and --columns",
    "--columns x": "of all rows and columns; leave out --where and --columns",
}


@pytest.mark.parametrize("option", EXCLUSIVE)
def test_a_profile_is_not_asked_for_together_with_what_it_would_not_heed(run: Run, option: str) -> None:
    with pytest.raises(KitError, match=EXCLUSIVE[option]):
        run(f"--profile {option}")
