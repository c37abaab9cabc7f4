"""`causeway report`: one page that says of each dataset what the other commands say."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from causeway.__main__ import main
from causeway.operate.costs import Spending
from causeway.operate.overview import overview
from causeway.settings import load_settings
from tests.causeway.cli.test_costs import run
from tests.causeway.cli.test_profile import Page
from tests.causeway.conftest import Deployed

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def batch(**more: Any) -> dict[str, Any]:
    at = (NOW - timedelta(days=1)).isoformat(timespec="seconds")
    rows = {"landed": 10, "curated": 9, "quarantined": 1}
    return {
        "dataset": "trips",
        "batch": "b" * 32,
        "at": at,
        "snapshot": "1",
        "versions": {"landed": 2},
        **rows,
        **more,
    }


def overview_of(
    deployed: Deployed, *batches: Any, arrival: datetime | None = None, frequency: int = 0
) -> Any:
    contract = dataclasses.replace(deployed.lake.contract, frequency=frequency)
    spending = Spending(NOW - timedelta(days=30), "us-east-1", [run(batch="b" * 32)], batches)
    return overview(spending, {"trips": contract}, {"trips": arrival}, NOW)


def test_rows_are_counted_to_the_day_and_dataset_of_their_commit(deployed: Deployed) -> None:
    old = batch(batch="c" * 32, at=(NOW - timedelta(days=3)).isoformat(), landed=5, curated=5, quarantined=0)
    document = overview_of(deployed, batch(), batch(batch="d" * 32), old)
    assert document["days"]["curated"] == {"2026-03-01": {"trips": 18}, "2026-02-27": {"trips": 5}}
    assert document["rows"]["trips"] == {"landed": 25, "curated": 23, "quarantined": 2}
    assert [one["batch"][0] for one in document["batches"]] == ["b", "d", "c"]
    assert [one["dollars"] is None for one in document["batches"]] == [False, True, True]


@pytest.mark.parametrize(
    ("arrival", "frequency", "late"),
    [(NOW, 3600, False), (NOW - timedelta(hours=2), 3600, True), (None, 3600, True), (None, 0, False)],
)
def test_a_dataset_is_late_when_its_contract_promises_rows_sooner(
    deployed: Deployed, arrival: datetime | None, frequency: int, late: bool
) -> None:
    document = overview_of(deployed, arrival=arrival, frequency=frequency)
    assert document["freshness"]["trips"]["late"] == late


@pytest.fixture
def curated(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    """One batch is committed, with a row that is rejected."""
    lake, settings = deployed.lake, load_settings()
    databases = {
        "curated_database": settings.database("lake"),
        "quarantine_database": settings.database("quarantine"),
    }
    for name in databases.values():
        lake.catalog.create_namespace(name)
    lake.lake = dataclasses.replace(lake.lake, **databases)
    monkeypatch.setattr("causeway.lake.tables.glue_catalog", lambda *_: lake.catalog)
    monkeypatch.setattr("causeway.lake.profiles.Profiles.nearest", lambda *_: None)  # its bucket is a folder
    lake.curate(lake.put("a.csv", "1,Oslo", "x,<script>alert(1)</script>"))
    return deployed


def report_of(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> dict[str, Any]:
    assert main(["report", "--json", *arguments]) == status
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_the_report_says_what_the_other_commands_say(
    curated: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    document = report_of(capsys)
    assert document["state"]["total"]["committed"] == 1
    assert document["tables"]["trips"]["rows"] == 1
    assert document["rows"]["trips"] == {"landed": 2, "curated": 1, "quarantined": 1}
    assert [(group["code"], group["column"]) for group in document["quarantine"]] == [("type", "id")]
    assert document["freshness"]["trips"]["age"] < 3600
    assert [one["dataset"] for one in document["batches"]] == ["trips"]


def test_what_needs_a_person_is_on_the_page_with_its_command_and_in_the_exit_status(
    curated: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    curated.fail(curated.lake.put("b.csv", "2,Rome"))
    page = tmp_path / "report.html"
    report_of(capsys, "--html", str(page), status=1)
    assert "once the cause is mended: causeway replay" in page.read_text("utf-8")
    assert "Nothing needs a person." not in page.read_text("utf-8")


def test_the_page_has_every_number_fetches_nothing_and_takes_no_row_for_html(
    curated: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, page = tmp_path / "report.html", Page()
    document = report_of(capsys, "--html", str(file))
    text = file.read_text("utf-8")
    page.feed(text)
    assert page.fetched == []
    assert "<script>" not in text
    assert "x,&lt;script&gt;" in text
    batch_id, snapshot = (document["batches"][0][name] for name in ("batch", "snapshot"))
    assert {"Nothing needs a person.", "50.00%", batch_id, snapshot, "rows to read"} <= set(page.texts)


def test_a_deployment_in_which_nothing_landed_is_a_page_that_says_so(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("causeway.lake.tables.glue_catalog", lambda *_: deployed.lake.catalog)
    for kind in ("lake", "quarantine"):
        deployed.lake.catalog.create_namespace(load_settings().database(kind))
    file = tmp_path / "report.html"
    report_of(capsys, "--html", str(file))
    assert "Nothing is in quarantine." in file.read_text("utf-8")
    assert main(["report"]) == 0
    assert "never" in capsys.readouterr().out
