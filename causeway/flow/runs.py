"""What runs of the Glue jobs cost: an item of the ledger each, under the batch that caused it.

They share a partition, whose name no dataset can have, and are sorted by when they ended.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from causeway.flow.parameters import DATASET, EXECUTION, LOAD, MANIFEST
from causeway.flow.prices import DATE, DPUS, MINUTE, PRICES, REGION

PARTITION = "#runs"
# An execution's name; one that was started again has the number.
NAME = re.compile(r"(?P<dataset>.+?)-(?P<batch>[0-9a-f]{32})(-r\d+)?")
CURATE, PROFILE, STORE = "curate", "profile", "store"
MICRODOLLAR = Decimal("0.000001")


@dataclass(frozen=True)
class Run:
    """A run that has ended. `batch` caused it; `part` is what it ran of that, all of it unless it is split.

    Both are empty of a run that profiles or loads the store. `priced`: where and when `price`, of a DPU-hour,
    was so.
    """

    id: str
    job: str
    dataset: str
    batch: str
    part: str
    state: str
    at: str
    dpu_seconds: Decimal
    price: Decimal
    priced: str
    dollars: Decimal

    @classmethod
    def of(cls, run: Mapping[str, Any]) -> "Run":
        """By what Glue says of the run. Raises KeyError if that has not ended."""
        used, price = _dpu_seconds(run), PRICES["dpu_hour"].dollars
        return cls(
            id=run["Id"],
            **_cause(run["Arguments"]),
            state=run["JobRunState"],
            at=run["CompletedOn"].astimezone(UTC).isoformat(timespec="seconds"),
            dpu_seconds=used,
            price=price,
            priced=f"{REGION} {DATE}",
            dollars=(used * price / 3600).quantize(MICRODOLLAR),
        )

    def put(self, ledger: Any) -> None:
        """Write it down; again changes nothing."""
        item = asdict(self)
        ledger.put_item(
            Item={**item, "dataset": PARTITION, "item": f"{self.at}#{self.id}", "of": self.dataset}
        )


def _dpu_seconds(run: Mapping[str, Any]) -> Decimal:
    if scaled := run.get("DPUSeconds"):  # where Glue chooses how many workers there are
        return Decimal(str(scaled))
    seconds = run.get("ExecutionTime", 0)
    billed = max(seconds, MINUTE) if seconds else 0  # none, if it was stopped before it had workers
    return Decimal(billed * run["NumberOfWorkers"] * DPUS[run["WorkerType"]])


def _cause(arguments: Mapping[str, str]) -> dict[str, str]:
    if dataset := arguments.get(DATASET):
        return {"job": STORE if LOAD in arguments else PROFILE, "dataset": dataset, "batch": "", "part": ""}
    *_, dataset, part, _ = f"//{arguments.get(MANIFEST, '')}".split("/")
    # Started by hand, or before runs were told their execution: no part of another, as far as one can tell.
    named = NAME.fullmatch(arguments.get(EXECUTION, "").rpartition(":")[2])
    return {"job": CURATE, "dataset": dataset, "batch": named["batch"] if named else part, "part": part}


def runs_since(ledger: Any, since: datetime) -> Iterator[Run]:
    """Those that ended then or later, oldest first."""
    names = [field.name for field in fields(Run)]
    query: dict[str, Any] = {
        "KeyConditionExpression": "#dataset = :runs AND #item >= :since",
        "ExpressionAttributeNames": {"#dataset": "dataset", "#item": "item"},
        "ExpressionAttributeValues": {
            ":runs": PARTITION,
            ":since": since.astimezone(UTC).isoformat(timespec="seconds"),
        },
    }
    while True:
        page = ledger.query(**query)
        for item in page["Items"]:
            yield Run(**{name: item["of" if name == "dataset" else name] for name in names})
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
