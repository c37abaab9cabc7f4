"""`causeway costs`: every run is in one group, the groups add up, and what is missing is told."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causeway.__main__ import main
from causeway.flow.report import Report, SourceReport
from causeway.flow.runs import Run
from causeway.operate import costs as operate_costs
from causeway.operate.bill import Bill, BillError
from tests.causeway.conftest import Deployed
from tests.causeway.flow.test_runs import glue_run

NOW = datetime.now(UTC)
Costs = Callable[..., dict[str, Any]]


def run(**more: Any) -> Run:
    """One of trips, that ended now."""
    values = {"dataset": "trips", "batch": "one", "part": "one", **more}
    return replace(Run.of(glue_run(CompletedOn=NOW, **values.pop("glue", {}))), **values)


@pytest.fixture
def costs(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> Costs:
    def ask(*arguments: str) -> dict[str, Any]:
        assert main(["costs", "--json", *arguments]) == 0
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    return ask


def put(deployed: Deployed, *runs: Run) -> None:
    for one in runs:
        one.put(deployed.landing.ledger)


def close(deployed: Deployed, batch: str, rows: int, size: int = 0) -> None:
    sources = (SourceReport("s", "v", landed=rows, curated=rows),)
    report = Report("trips", batch, "run", "1.0.0", sources, size=size)
    deployed.lake.ledger.close_batch(report, "1")


def test_failed_runs_and_parts_count_to_the_batch_that_caused_them(deployed: Deployed, costs: Costs) -> None:
    put(
        deployed,
        run(id="1", state="FAILED"),
        run(id="2", part="half"),
        run(id="3", batch="two", part="two", glue={"NumberOfWorkers": 10}),
        run(id="4", batch="", part="", job="profile"),
    )
    for part, rows, size in (("half", 500_000, 10**8), ("two", 100, 10**9)):
        close(deployed, part, rows, size)
    document = costs("--by", "batch")
    groups = document["groups"]
    assert {name: (one["runs"], one["failed"], one["dollars"]) for name, one in groups.items()} == {
        "trips one": (2, 1, 0.044),
        "trips two": (1, 0, 0.11),
        "trips (profile)": (1, 0, 0.022),
    }
    assert groups["trips one"]["dollars_per_million_rows"] == 0.09
    assert [one["dollars_per_gb"] for one in groups.values()] == [None, 0.44, 0.11]
    assert (document["total"]["dollars"], document["unpriced_batches"]) == (0.176, 0)


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from("12"), st.integers(0, 9), st.integers(0, 5000)),
        max_size=30,
    ),
    st.sampled_from(list(operate_costs.BY)),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
def test_the_groups_add_up_to_the_total(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, runs: list[tuple[str, str, int, int]], by: str
) -> None:
    made = [
        run(dataset=dataset, batch=batch, at=f"2026-01-0{day + 1 if day < 9 else 9}T00:00:00+00:00",
            glue={"ExecutionTime": seconds})
        for dataset, batch, day, seconds in runs
    ]  # fmt: skip
    monkeypatch.setattr(operate_costs, "runs_since", lambda *_: iter(made))
    document = operate_costs.Spending.read(deployed.deployment, NOW).by(by)
    for name in ("runs", "failed", "dpu_seconds", "gb_seconds", "dollars"):
        added = sum(one[name] for one in document["groups"].values())
        assert added == pytest.approx(document["total"][name], abs=1e-9)


def test_a_batch_whose_size_nobody_wrote_down_makes_no_wrong_price_of_a_gigabyte(
    deployed: Deployed, costs: Costs
) -> None:
    """As those of an earlier deployment."""
    put(deployed, run(id="1"), run(id="2", part="two"))
    close(deployed, "one", 1, 10**9)
    close(deployed, "two", 1)
    key = {"dataset": "trips", "item": "batch#two"}
    deployed.landing.ledger.update_item(
        Key=key, UpdateExpression="REMOVE #size", ExpressionAttributeNames={"#size": "size"}
    )
    assert (costs()["total"]["rows"], costs()["total"]["dollars_per_gb"]) == (2, None)


def test_runs_before_are_not_counted(deployed: Deployed, costs: Costs) -> None:
    old = NOW - timedelta(days=40)
    put(deployed, run(id="1"), run(id="2", at=old.isoformat(timespec="seconds")))
    assert costs()["total"]["runs"] == 1
    assert costs("--since", f"{old:%Y-%m-%d}")["total"]["runs"] == 2


def test_a_dataset_without_a_contract_is_still_in_the_sum(deployed: Deployed, costs: Costs) -> None:
    put(deployed, run(dataset="gone"))
    assert costs()["groups"].keys() == {"gone"}


def test_batches_without_a_price_make_the_answer_partial(
    deployed: Deployed, costs: Costs, capsys: pytest.CaptureFixture[str]
) -> None:
    close(deployed, "unheard", 1)
    assert costs()["unpriced_batches"] == 1
    main(["costs"])
    assert "Partial: of batches committed since, 1 have no price" in capsys.readouterr().out


def test_a_region_without_prices_is_told(
    deployed: Deployed, costs: Costs, capsys: pytest.CaptureFixture[str]
) -> None:
    own = deployed.deployment.settings
    company = own.company.model_copy(update={"region": "eu-central-1"})
    object.__setattr__(deployed.deployment, "settings", own.model_copy(update={"company": company}))
    assert costs()["foreign_prices"] == "eu-central-1"
    main(["costs"])
    assert "Prices of eu-central-1 are not known here" in capsys.readouterr().out


def test_nothing_ran_is_a_sum_of_nothing(costs: Costs) -> None:
    document = costs()
    assert (document["groups"], document["total"]["dollars"]) == ({}, 0)


def test_a_person_is_told_dollars_and_what_they_were_priced_at(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    put(deployed, run(id="1"), run(id="2"))
    assert main(["costs", "--by", "day"]) == 0
    printed = capsys.readouterr().out
    assert f"{NOW:%Y-%m-%d}" in printed
    assert "0.044000" in printed
    assert "Priced at $0.44 a DPU-hour, us-east-1 2026-11-28" in printed


def test_calls_of_the_function_count_to_their_batch_beside_runs_of_the_job(
    deployed: Deployed, costs: Costs, capsys: pytest.CaptureFixture[str]
) -> None:
    call = {"manifest": "s3://landing/batches/trips/one/manifest.json", "execution": ""}
    put(deployed, run(id="1"))
    Run.of_call(call, id_="2", state="FAILED", ended=NOW, seconds=300, memory_mb=1024).put(
        deployed.landing.ledger
    )
    document = costs("--by", "batch")
    assert document["groups"]["trips one"]["gb_seconds"] == 300
    assert document["total"]["dollars"] == pytest.approx(0.022 + 300 * 0.0000133334 + 0.0000002, abs=1e-6)
    assert document["total"]["failed"] == 1
    main(["costs"])
    assert "Priced at $0.0000133334 a GB-second" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [["--since", "yesterday"], ["--by", "month"]])
def test_a_wrong_argument_says_what_is_allowed(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["costs", *wrong]) == 2
    told = capsys.readouterr().err
    assert "%Y-%m-%d" in told or "'dataset', 'day', 'batch'" in told


class Billing:
    """Answers as Cost Explorer, of tags in that status; None: as to an account that does not pay."""

    def __init__(self, status: str | None) -> None:
        self.status = status

    def list_cost_allocation_tags(self, TagKeys: list[str], **_: Any) -> Any:  # noqa: N803
        if self.status is None:
            error = {"Code": "AccessDeniedException", "Message": "Linked account doesn't have access"}
            raise ClientError({"Error": error}, "ListCostAllocationTags")
        tags = [{"TagKey": key, "Status": self.status} for key in TagKeys] if self.status else []
        return {"CostAllocationTags": tags}

    def list_cost_allocation_tag_backfill_history(self, **_: Any) -> Any:
        request = {"RequestedAt": "2026-03-04T06:00:00Z", "BackfillStatus": "SUCCEEDED"}
        return {"BackfillRequests": [request]}


@pytest.mark.parametrize(
    "case",
    [
        ("", "waiting", "Tags in billing: waiting: billing lists a tag up to a day after its first use"),
        ("Inactive", "inactive", "Tags in billing: inactive: billing lists them; the daily function"),
        ("Active", "active", "  the months before: succeeded"),
        (None, "ask the payer account", "  aws ce update-cost-allocation-tags-status --region us-east-1"),
    ],
)
@pytest.mark.parametrize("hears", [True, False])
def test_the_doctor_says_where_the_tags_stand_and_what_to_do(
    deployed: Deployed,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    case: tuple[str | None, str, str],
    hears: bool,
) -> None:
    status, state, told = case
    alerts = {"budget": {"confirmed": int(hears), "unconfirmed": []}}
    monkeypatch.setattr("causeway.operate.alerts.company_alerts", lambda _: alerts)
    flag = {"check": "Idle things", "resources": 2, "dollars_a_month": 31.5}
    advised = {"state": "available", "flags": [flag]}
    monkeypatch.setattr("causeway.operate.advisor.advice", lambda _: advised)
    client = boto3.Session.client
    monkeypatch.setattr(
        boto3.Session,
        "client",
        lambda session, name, *rest, **more: (
            Billing(status) if name == "ce" else client(session, name, *rest, **more)
        ),
    )
    expected = 0 if hears and status is not None else 1
    assert main(["costs", "doctor"]) == expected
    printed = capsys.readouterr().out
    assert told in printed
    assert ("nobody hears of budget" in printed) is not hears
    assert "all runs of the curating job, a day" in printed
    assert "211.20" in printed
    assert (
        "Trusted Advisor: available\n  Idle things: 2 of the account's resources, $31.50 a month" in printed
    )
    assert main(["costs", "doctor", "--json"]) == expected
    assert json.loads(capsys.readouterr().out)["tags"]["state"] == state


def test_the_bill_stands_beside_the_runs(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    billed = Bill("2026-11-01", "2026-11-29", {"AWS Glue": 1.0, "AmazonCloudWatch": 0.5}, True, 1, "now")
    monkeypatch.setattr("causeway.operate.bill.kept_bill", lambda *_: billed)
    put(deployed, run(id="1"))
    assert main(["costs", "--bill"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "AWS Glue 1.0000 0.0220 0.9780 the tables' upkeep" in printed
    assert "total 1.5000 0.0220 1.4780" in printed
    assert "AWS may still change it" in printed


def test_without_the_bill_the_answer_is_partial(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> Bill:
        raise BillError("Cost Explorer: no")

    monkeypatch.setattr("causeway.operate.bill.kept_bill", refuse)
    put(deployed, run(id="1"))
    assert main(["costs", "--bill"]) == 0
    printed = capsys.readouterr().out
    assert "0.022000" in printed
    assert "Partial: the bill is not known. Cost Explorer: no" in printed
