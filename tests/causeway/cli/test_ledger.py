"""`causeway ledger rebuild`: what it builds is what was there, and it says what that is."""

import json
from typing import Any

import pytest

from causeway.__main__ import main
from causeway.lake.location import Lake
from tests.causeway.conftest import Deployed


@pytest.fixture
def lake(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("causeway.lake.tables.glue_catalog", lambda _: deployed.lake.catalog)
    monkeypatch.setattr(Lake, "in_buckets", lambda *_: deployed.lake.lake)
    return deployed.lake


def test_what_is_lost_is_built_anew_from_the_tables(lake: Any, capsys: pytest.CaptureFixture[str]) -> None:
    lake.curate(lake.put("a.csv", "1,Oslo", "x,Rome"), lake.put("b.csv", "2,Bonn"))
    before = lake.entry("a.csv")
    for item in lake.ledger.items("source#"):
        lake.ledger._table.delete_item(Key={"dataset": "trips", "item": item["item"]})
    assert main(["ledger", "rebuild", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["datasets"] == {"trips": {"sources": 2, "rows": 2, "quarantined": 1}}
    assert lake.entry("a.csv") == before
    lake.curate(lake.put("a.csv", "7,Lima"))
    assert lake.ids() == [2, 7]


def test_entries_of_before_are_not_counted(lake: Any, capsys: pytest.CaptureFixture[str]) -> None:
    lake.curate(lake.put("a.csv", "1,Oslo"))
    lake.curate(lake.put("a.csv"))  # no rows: nothing in the tables speaks of it
    assert main(["ledger", "rebuild", "trips"]) == 0
    assert capsys.readouterr().out == "trips: 0 sources, 0 rows, 0 quarantined\n"


def test_a_dataset_without_a_table_has_nothing_to_build_from(
    lake: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ledger", "rebuild"]) == 0
    assert capsys.readouterr().out == "trips: no table yet, nothing to build from\n"
