"""`causeway quarantine`: each reason once, with how much it cost and an example that can be looked up."""

import dataclasses
import json
from typing import Any

import pyarrow as pa
import pytest

from causeway.__main__ import main
from causeway.contract.schema import REJECTED_SCHEMA
from causeway.lake import quarantine
from causeway.settings import load_settings
from tests.causeway.conftest import Deployed
from tests.glue_jobs.conftest import SmallLake


def rejected(source: str, line: int | None, raw: str | None, *faults: tuple[str, str]) -> dict[str, Any]:
    named = [{"column": column, "code": code, "message": "m"} for code, column in faults]
    return {"_source": source, "line": line, "raw": raw, "faults": named}


def batches(*rows: dict[str, Any]) -> list[pa.RecordBatch]:
    """One batch a row: what spans batches must come out as one."""
    schema = pa.schema([REJECTED_SCHEMA.field(name) for name in quarantine.COLUMNS])
    return [pa.RecordBatch.from_pylist([row], schema=schema) for row in rows]


def test_rows_are_grouped_by_code_and_column_most_rows_first_with_the_first_as_example() -> None:
    found = quarantine.reasons(
        batches(
            rejected("b", 2, "x,", ("type", "id"), ("required", "city")),
            rejected("a", 3, "z,Rome", ("type", "id")),
            rejected("a", 9, "y,Rome", ("type", "id")),
            rejected("c", None, None, ("empty", "")),
        )
    )
    assert [(g["code"], g["column"], g["rows"], g["sources"]) for g in found] == [
        ("type", "id", 3, 2),
        ("empty", "", 1, 1),
        ("required", "city", 1, 1),
    ]
    assert found[0]["example"] == {"source": "a", "line": 3, "raw": "z,Rome", "message": "m"}


def test_a_row_that_has_one_reason_twice_counts_once() -> None:
    (group,) = quarantine.reasons(batches(rejected("a", 1, "x", ("rule", ""), ("rule", ""))))
    assert group["rows"] == 1


@pytest.fixture
def lake(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> SmallLake:
    """The small lake where the command looks for the company's."""
    small_lake, database = deployed.lake, load_settings().database("quarantine")
    small_lake.catalog.create_namespace(database)
    small_lake.lake = dataclasses.replace(small_lake.lake, quarantine_database=database)
    monkeypatch.setattr("causeway.lake.tables.glue_catalog", lambda _: small_lake.catalog)
    return small_lake


def test_the_quarantine_table_is_read_and_shown_as_json(
    lake: SmallLake, capsys: pytest.CaptureFixture[str]
) -> None:
    lake.curate(lake.put("a.csv", "1,Oslo", "x,Rome", "y,"), lake.put("b.csv", "z,Bonn"))
    assert main(["quarantine", "--json", "--limit", "1"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["more"] == 1
    (group,) = answer["reasons"]
    assert [group[k] for k in ("dataset", "code", "column", "rows", "sources")] == [
        "trips",
        "type",
        "id",
        3,
        2,
    ]
    assert {k: group["example"][k] for k in ("source", "line", "raw")} == {
        "source": "landing/trips/a.csv",
        "line": 3,
        "raw": "x,Rome",
    }


def test_a_person_sees_source_line_message_and_raw_text_and_no_control_characters(
    lake: SmallLake, capsys: pytest.CaptureFixture[str]
) -> None:
    lake.curate(lake.put("a.csv", "1,Oslo", "x\x1b[2J,Rome"))
    assert main(["quarantine", "--dataset", "trips"]) == 0
    shown = capsys.readouterr().out
    first, where, raw, counted = shown.splitlines()
    assert first == "trips: type id: 1 in 1 source, for example"
    assert where.startswith("  landing/trips/a.csv:3: ")
    assert "is not" in where
    assert raw == "  x\\x1b[2J,Rome"
    assert counted.startswith("A row counts once for each of its faults; causeway explain CODE")


def test_a_dataset_without_a_quarantine_has_nothing_in_it(
    lake: SmallLake, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["quarantine", "--dataset", "trips"]) == 0
    assert capsys.readouterr().out == "Nothing is quarantined.\n"


def test_a_dataset_that_there_is_not_is_answered_with_the_nearest(
    lake: SmallLake, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["quarantine", "--dataset", "tripz"]) == 2
    assert "did you mean trips?" in capsys.readouterr().err


def test_the_quarantine_of_a_withdrawn_dataset_is_still_shown(
    lake: SmallLake, deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    lake.curate(lake.put("a.csv", "x,Rome"))
    deployed.deployment.contracts.clear()  # type: ignore[attr-defined]
    assert main(["quarantine", "--dataset", "trips"]) == 0
    assert "trips: type id: 1 in 1 source" in capsys.readouterr().out
