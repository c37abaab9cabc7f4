"""What AWS billed by the tag, service by service, beside what runs cost by the ledger."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from causeway.flow.prices import PRICES
from causeway.operate.costs import Spending
from causeway.operate.explain import explain
from causeway.settings import SETTINGS_FILE
from causeway.settings_tags import PROJECT

CACHE = SETTINGS_FILE.parent / "build" / "bill.json"
FRESH = timedelta(
    hours=8
)  # AWS brings a bill up to date three times a day at most, and asks a cent a request
METRIC = "UnblendedCost"
GLUE, LAMBDA = "AWS Glue", "AWS Lambda"
# What AWS bills beside the runs, by its name of the service.
BESIDE = {
    GLUE: "the tables' upkeep, the catalog; minutes that Glue rounds otherwise",
    LAMBDA: "batching, reconciliation and the other functions",
    "Amazon Simple Storage Service": "storage and requests",
    "AmazonCloudWatch": "logs, alarms, metrics",
    "AWS Key Management Service": "keys and requests to them",
    "AWS Step Functions": "transitions",
    "Amazon DynamoDB": "the ledger",
    "Amazon Simple Queue Service": "the queues",
    "Amazon Simple Notification Service": "notices",
    "AWS CloudTrail": "the audit trail",
    "Amazon Relational Database Service": "the store",
    "Amazon SageMaker": "trainings, predictions, endpoints",
    "AWS Secrets Manager": "the store's secrets",
    "AWS Cost Explorer": "questions like this one",
}


@dataclass(frozen=True)
class Bill:
    """US dollars by service under the tag, of days by UTC from `begin` to before `end`.

    `estimated`: AWS may still change some of it. `requests`: what reading it took; a cent each.
    """

    begin: str
    end: str
    services: Mapping[str, float]
    estimated: bool
    requests: int
    read: str


class BillError(OSError):
    """AWS did not say what it billed; the message says why."""


def read_bill(ce: Any, project: str, begin: datetime, now: datetime) -> Bill:
    """Ask Cost Explorer. Raises BillError, also for what is billed in another currency."""
    period = {"Start": f"{begin:%Y-%m-%d}", "End": f"{now + timedelta(days=1):%Y-%m-%d}"}
    request: dict[str, Any] = {
        "TimePeriod": period,
        "Granularity": "MONTHLY",
        "Filter": {"Tags": {"Key": PROJECT, "Values": [project]}},
        "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}],
        "Metrics": [METRIC],
    }
    services: dict[str, Decimal] = defaultdict(Decimal)
    estimated, requests = False, 0
    try:
        while True:
            page, requests = ce.get_cost_and_usage(**request), requests + 1
            for month in page["ResultsByTime"]:
                estimated |= month.get("Estimated", False)
                for service, dollars in _groups(month):
                    services[service] += dollars
            if not (token := page.get("NextPageToken")):
                break
            request["NextPageToken"] = token
    except (BotoCoreError, ClientError) as error:
        raise BillError(f"Cost Explorer: {explain(error)}") from error
    told = {name: float(dollars) for name, dollars in sorted(services.items())}
    return Bill(period["Start"], period["End"], told, estimated, requests, now.isoformat(timespec="seconds"))


def _groups(month: Mapping[str, Any]) -> Iterator[tuple[str, Decimal]]:
    for group in month["Groups"]:
        amount = group["Metrics"][METRIC]
        if amount["Unit"] not in ("USD", "N/A"):
            raise BillError(f"Cost Explorer: billed in {amount['Unit']}; prices here are US dollars")
        yield group["Keys"][0], Decimal(amount["Amount"])


def kept_bill(ce: Any, account: str, project: str, begin: datetime, now: datetime) -> Bill:
    """As `read_bill`; what was read within FRESH is read from a file of this checkout instead."""
    of = {"account": account, "project": project, "begin": f"{begin:%Y-%m-%d}"}
    try:
        kept = json.loads(CACHE.read_text("utf-8"))
        bill = Bill(**kept["bill"])
        if kept["of"] == of and timedelta() <= now - datetime.fromisoformat(bill.read) < FRESH:
            return bill
    except (OSError, ValueError, KeyError, TypeError):
        pass  # there is none yet, or an earlier version wrote it
    bill = read_bill(ce, project, begin, now)
    _keep(CACHE, json.dumps({"of": of, "bill": asdict(bill)}))
    return bill


def _keep(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")


def compared(bill: Bill, spending: Spending) -> dict[str, Any]:
    """For the JSON object: each service as it was billed, what runs are of that, and what the rest is."""
    runs = {
        GLUE: float(sum(run.dollars for run in spending.runs if not run.gb_seconds)),
        LAMBDA: float(sum(run.dollars for run in spending.runs if run.gb_seconds)),
    }
    services = {
        name: {
            "billed": bill.services.get(name, 0.0),
            "runs": runs.get(name, 0.0),
            "difference": round(bill.services.get(name, 0.0) - runs.get(name, 0.0), 6),
            "which_is": BESIDE.get(name, "not known here"),
        }
        for name in sorted({*bill.services, *(name for name, dollars in runs.items() if dollars)})
    }
    total = {
        key: round(sum(float(str(one[key])) for one in services.values()), 6)
        for key in ("billed", "runs", "difference")
    }
    asked = bill.requests * float(PRICES["ce_request"].dollars)
    return {**asdict(bill), "asked_dollars": asked, "services": services, "total": total}
