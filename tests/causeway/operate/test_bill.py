"""The bill beside the runs: sums as AWS gives them, asked seldom, and what is missing told."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from causeway.flow.runs import Run
from causeway.operate import bill
from causeway.operate.bill import BillError, compared, kept_bill, read_bill
from causeway.operate.costs import Spending
from tests.causeway.flow.test_runs import glue_run

BEGIN, NOW = datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 11, 3, 9, tzinfo=UTC)


class Asked:
    """Cost Explorer, which answers by botocore's model of it."""

    def __init__(self) -> None:
        self.ce = boto3.client(
            "ce", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        self.stub = Stubber(self.ce)

    def expect(self, answer: dict[str, Any], token: str = "") -> None:
        asked = {
            "TimePeriod": {"Start": "2026-10-20", "End": "2026-11-04"},
            "Granularity": "MONTHLY",
            "Filter": {"Tags": {"Key": "project", "Values": ["causeway"]}},
            "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}],
            "Metrics": ["UnblendedCost"],
        }
        self.stub.add_response(
            "get_cost_and_usage", answer, {**asked, **({"NextPageToken": token} if token else {})}
        )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Asked]:
    monkeypatch.setattr(bill, "CACHE", tmp_path / "build" / "bill.json")
    one = Asked()
    with one.stub:
        yield one
    one.stub.assert_no_pending_responses()


def month(services: dict[str, str], *, estimated: bool = False, unit: str = "USD") -> dict[str, Any]:
    groups = [
        {"Keys": [name], "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": unit}}}
        for name, amount in services.items()
    ]
    return {"Groups": groups, "Estimated": estimated}


OCTOBER = month({"AWS Glue": "1.10", "Amazon DynamoDB": "0.1"})
NOVEMBER = month({"AWS Glue": "2.20", "AWS Lambda": "0.30"}, estimated=True)


def test_months_and_pages_add_up_by_service(asked: Asked) -> None:
    asked.expect({"ResultsByTime": [OCTOBER], "NextPageToken": "more"})
    asked.expect({"ResultsByTime": [NOVEMBER]}, "more")
    found = read_bill(asked.ce, "causeway", BEGIN, NOW)
    assert found.services == {"AWS Glue": 3.3, "AWS Lambda": 0.3, "Amazon DynamoDB": 0.1}
    assert (found.estimated, found.requests) == (True, 2)


def test_what_was_read_lately_is_not_asked_again_and_paid_once(asked: Asked) -> None:
    asked.expect({"ResultsByTime": [OCTOBER]})
    first = kept_bill(asked.ce, "1", "causeway", BEGIN, NOW)
    assert kept_bill(asked.ce, "1", "causeway", BEGIN, NOW + timedelta(hours=7, minutes=59)) == first


@pytest.mark.parametrize(
    ("account", "later"),
    [("2", timedelta()), ("1", timedelta(hours=8)), ("1", timedelta(hours=-1))],
    ids=["another account's", "old", "from the future: a clock was set back"],
)
def test_anything_else_is_asked_anew(asked: Asked, account: str, later: timedelta) -> None:
    asked.expect({"ResultsByTime": [OCTOBER]})
    kept_bill(asked.ce, "1", "causeway", BEGIN, NOW)
    asked.expect({"ResultsByTime": [NOVEMBER]})
    assert kept_bill(asked.ce, account, "causeway", BEGIN, NOW + later).services["AWS Lambda"] == 0.3


@pytest.mark.parametrize("torn", ["", "{", "[]", '{"of": {}, "bill": {"services": 1}}'])
def test_a_file_that_is_torn_is_no_bill(asked: Asked, torn: str) -> None:
    bill.CACHE.parent.mkdir()
    bill.CACHE.write_text(torn)
    asked.expect({"ResultsByTime": [OCTOBER]})
    assert kept_bill(asked.ce, "1", "causeway", BEGIN, NOW).services == {
        "AWS Glue": 1.1,
        "Amazon DynamoDB": 0.1,
    }
    assert json.loads(bill.CACHE.read_text())["bill"]["requests"] == 1


def test_another_currency_is_no_sum_of_dollars(asked: Asked) -> None:
    asked.expect({"ResultsByTime": [month({"AWS Glue": "1"}, unit="EUR")]})
    with pytest.raises(BillError, match="billed in EUR"):
        read_bill(asked.ce, "causeway", BEGIN, NOW)


def test_a_refusal_says_what_may_not_be_called(asked: Asked) -> None:
    asked.stub.add_client_error("get_cost_and_usage", "AccessDeniedException", "not you")
    with pytest.raises(BillError, match="may not call GetCostAndUsage"):
        read_bill(asked.ce, "causeway", BEGIN, NOW)


def test_the_difference_is_told_by_name_and_adds_up(asked: Asked) -> None:
    asked.expect({"ResultsByTime": [OCTOBER, NOVEMBER]})
    call = {"manifest": "s3://l/batches/trips/b/manifest.json", "execution": ""}
    runs = [
        Run.of(glue_run(ExecutionTime=3600)),
        Run.of_call(call, id_="c", state="SUCCEEDED", ended=NOW, seconds=1000, memory_mb=1024),
    ]
    spending = Spending(BEGIN, "us-east-1", runs, [])
    document = compared(read_bill(asked.ce, "causeway", BEGIN, NOW), spending)
    glue = document["services"]["AWS Glue"]
    assert (glue["billed"], glue["runs"], glue["difference"]) == (3.3, 0.88, 2.42)
    assert "upkeep" in glue["which_is"]
    assert document["services"]["AWS Lambda"]["difference"] == pytest.approx(0.3 - 0.0133336, abs=1e-6)
    for key in ("billed", "runs", "difference"):
        added = sum(one[key] for one in document["services"].values())
        assert document["total"][key] == pytest.approx(added, abs=1e-6)
    assert document["asked_dollars"] == 0.01


def test_what_runs_cost_and_nobody_billed_yet_is_a_line_too(asked: Asked) -> None:
    asked.expect({"ResultsByTime": []})
    spending = Spending(BEGIN, "us-east-1", [Run.of(glue_run(ExecutionTime=3600))], [])
    document = compared(read_bill(asked.ce, "causeway", BEGIN, NOW), spending)
    assert document["services"]["AWS Glue"]["difference"] == -0.88
