"""`causeway hold`: snapshots are held, listed and released; a mistake is one line."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from causeway.__main__ import main
from causeway.lake.holds import holds_of
from tests.causeway.conftest import Deployed

UNTIL = (datetime.now(UTC) + timedelta(days=200)).date().isoformat()


@pytest.fixture
def snapshot(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> str:
    """The table's snapshot, in the deployment's database."""
    lake = deployed.lake
    lake.curate(lake.put("a.csv", "1,Oslo"))
    monkeypatch.setattr("causeway.lake.tables.glue_catalog", lambda _: lake.catalog)
    monkeypatch.setattr("causeway.settings.Settings.database", lambda *_: "lake")
    current = lake.table().current_snapshot()
    assert current
    return str(current.snapshot_id)


def test_a_hold_is_put_listed_and_released(
    deployed: Deployed, snapshot: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["hold", "trips", snapshot, "--name", "ml-2026-q1", "--until", UNTIL]) == 0
    told = capsys.readouterr().out
    assert f"trips: snapshot {snapshot} held as ml-2026-q1 until {UNTIL}" in told
    assert "python -m partner_kit --table trips --snapshot ml-2026-q1" in told
    assert "stay readable at its holds: whoever must erase them releases those" in told
    assert main(["hold", "--list", "--json"]) == 0
    (held,) = json.loads(capsys.readouterr().out)["holds"]
    assert (held["table"], held["name"], held["until"]) == ("trips", "ml-2026-q1", UNTIL)
    assert main(["hold", "trips", "--release", "ml-2026-q1"]) == 0
    assert capsys.readouterr().out == f"trips: snapshot {snapshot} released as ml-2026-q1\n"
    assert main(["hold", "--list"]) == 0
    assert capsys.readouterr().out == "No holds.\n"


def test_a_hold_ends_after_a_year_unless_a_day_is_named(deployed: Deployed, snapshot: str) -> None:
    assert main(["hold", "trips", snapshot, "--name", "ml"]) == 0
    (held,) = holds_of(deployed.lake.table())
    assert held.until == (datetime.now(UTC) + timedelta(days=365)).date()


WRONG = {
    "trips 7 --name ml": "has no snapshot 7; 1 are kept",
    "tripz 7 --name ml": "no table tripz; tables: trips; did you mean trips?",
    "trips --name ml": "a hold is of a TABLE, a new one of its SNAPSHOT too",
    "trips 7": "one of --name, --list and --release is needed",
    "trips --release q1": "trips has no hold 'q1'; holds: none",
    "trips 7 --name ml --until 2026-13-01": "2026-13-01",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_a_mistake_is_one_line(snapshot: str, arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hold", *arguments.split()]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert WRONG[arguments] in line
