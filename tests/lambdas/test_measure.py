"""What is measured of each commit, of what runs, and of what does not come."""

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from causeway.flow.ledger import Ledger
from lambdas.measure.handler import handler, of_commit, of_now
from tests.causeway.conftest import Deployed, deployed  # noqa: F401  # a fixture
from tests.glue_jobs.conftest import small_lake  # noqa: F401

NOW = datetime.now(UTC)
Measure = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture
def measure(
    deployed: Deployed,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Measure:
    """The lines of a call, by dataset."""
    environment = {
        "PROMISING": '["planes", "trips"]',
        "STATE_MACHINE": deployed.deployment.pipeline["StateMachine"],
        "LEDGER_TABLE": "ledger",
        "NAMESPACE": "causeway",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def measure(event: dict[str, Any]) -> dict[str, dict[str, Any]]:
        handler(event, None)
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return {line["Dataset"]: line for line in lines}

    return measure


def curated(deployed: Deployed, name: str, *rows: str) -> dict[str, Any]:  # noqa: F811
    """The event of a commit of such a file."""
    report = deployed.lake.curate(deployed.lake.put(name, *rows))
    detail = {"dataset": "trips", "batch": report.batch, "snapshot": "s"}
    return {"source": "causeway", "detail-type": "Dataset Curated", "detail": detail}


def test_a_commit_is_measured_in_rows_and_in_the_share_that_was_rejected(
    deployed: Deployed,  # noqa: F811
    measure: Measure,
) -> None:
    event = curated(deployed, "a.csv", "1,Oslo", "x,Rome", "3,Bonn", "4,Lima")
    line = measure(event)["trips"]
    (metrics,) = line["_aws"]["CloudWatchMetrics"]
    assert (metrics["Namespace"], metrics["Dimensions"]) == ("causeway", [["Dataset"]])
    assert {metric["Name"]: line[metric["Name"]] for metric in metrics["Metrics"]} == {
        "LandedRows": 4,
        "CuratedRows": 3,
        "QuarantinedRows": 1,
        "QuarantinedShare": 25,
    }
    assert line["batch"] == event["detail"]["batch"]


def test_a_batch_that_had_nothing_to_do_is_not_measured(deployed: Deployed, measure: Measure) -> None:  # noqa: F811
    source = deployed.lake.put("a.csv", "1,Oslo")
    deployed.lake.curate(source)
    other = deployed.lake.curate(dataclasses.replace(source, hint="seen:before"))
    assert measure({"detail": {"dataset": "trips", "batch": other.batch}}) == {}
    assert of_commit({"dataset": "trips", "batch": "0" * 32}, deployed.landing.ledger) == {}


def test_what_runs_is_measured_of_every_dataset_and_freshness_of_what_promises_it(
    deployed: Deployed,  # noqa: F811
) -> None:
    states, machine = deployed.states, deployed.deployment.pipeline["StateMachine"]
    first = deployed.start(deployed.lake.put("a.csv", "1,Oslo"))
    deployed.start(deployed.lake.put("b.csv", "1,Oslo"))
    states.start_execution(stateMachineArn=machine, name=f"mail-{'a' * 32}")
    deployed.fail(deployed.lake.put("c.csv", "1,Oslo"))
    later = datetime.now(UTC) + timedelta(hours=2)
    found = of_now(["planes"], later, states=states, machine=machine, ledger=deployed.landing.ledger)
    measured = {dataset: (values, oldest) for dataset, values, oldest in found}
    assert [*measured] == ["mail", "planes", "trips"]
    values, oldest = measured["trips"]
    assert values["RunningBatches"] == 2
    assert values["OldestBatch"] == pytest.approx(7200, abs=60)
    assert first.endswith(oldest)
    values, oldest = measured["planes"]
    assert ([*values], values["Freshness"] < 1, oldest) == (["Freshness"], True, "")


def test_freshness_counts_from_the_last_rows_and_a_dataset_that_never_came_from_when_it_was_first_looked_at(
    deployed: Deployed,  # noqa: F811
) -> None:
    ledger, machine = deployed.landing.ledger, deployed.deployment.pipeline["StateMachine"]

    def freshness(dataset: str, at: datetime) -> float:
        found = of_now([dataset], at, states=deployed.states, machine=machine, ledger=ledger)
        return next(values["Freshness"] for _, values, _ in found)

    assert freshness("planes", NOW) < 1
    assert freshness("planes", NOW + timedelta(days=1)) == pytest.approx(86_400, abs=2)
    curated(deployed, "a.csv", "1,Oslo")
    assert freshness("trips", datetime.now(UTC) + timedelta(hours=1)) == pytest.approx(3600, abs=3)


def test_only_rows_make_a_dataset_fresh(deployed: Deployed) -> None:  # noqa: F811
    ledger, lake = Ledger(deployed.landing.ledger, "trips"), deployed.lake
    old = NOW - timedelta(days=3)
    ledger.arrival(old)
    lake.curate(lake.land("broken.csv", b"\xff"))
    lake.curate(lake.put("bad.csv", "x,Rome"))
    assert ledger.arrival(NOW) == old.replace(microsecond=0)
    source = lake.put("good.csv", "1,Oslo")
    lake.curate(source)
    assert ledger.arrival(NOW) >= NOW.replace(microsecond=0)


def test_on_its_schedule_the_function_measures_what_is_now(deployed: Deployed, measure: Measure) -> None:  # noqa: F811
    deployed.start(deployed.lake.put("a.csv", "1,Oslo"))
    lines = measure({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}})
    assert {*lines} == {"planes", "trips"}
    names = {
        dataset: [m["Name"] for m in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
        for dataset, line in lines.items()
    }
    assert names == {"planes": ["Freshness"], "trips": ["RunningBatches", "OldestBatch", "Freshness"]}
