"""What runs cost, of the Glue jobs and of the function for small batches: an item of the ledger each.

It names the batch that caused them. They share a partition, whose name no dataset can have, and are sorted by
when they ended.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from causeway.flow.executions import NAME
from causeway.flow.manifest import dataset_and_batch
from causeway.flow.metrics import metric_line
from causeway.flow.parameters import DATASET, EXECUTION, LOAD, MANIFEST
from causeway.flow.prices import DATE, DPUS, MINUTE, PRICES, REGION

PARTITION = "#runs"
CURATE, PROFILE, STORE = "curate", "profile", "store"
MICRODOLLAR = Decimal("0.000001")
METRIC = "Dollars"


@dataclass(frozen=True)
class Run:
    """A run that has ended. `batch` caused it; `part` is what it ran of that, all of it unless it is split.

    Both are empty of a run that profiles or loads the store. `priced`: where and when `price`, of a
    DPU-hour, or of a GB-second if a function ran it, was so.
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
    gb_seconds: Decimal = Decimal(0)

    @property
    def unit(self) -> str:
        return "GB-second" if self.gb_seconds else "DPU-hour"

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
            gb_seconds=Decimal(0),
        )

    @classmethod
    def of_call(
        cls, call: Mapping[str, str], *, id_: str, state: str, ended: datetime, seconds: float, memory_mb: int
    ) -> "Run":
        """Of a function's call, to which `manifest` and `execution` were passed, and that took so long."""
        used = Decimal(math.ceil(seconds * 1000)) * memory_mb / 1024 / 1000  # billed by the millisecond
        price = PRICES["lambda_gb_second"].dollars
        return cls(
            id=id_,
            **_cause({MANIFEST: call["manifest"], EXECUTION: call["execution"]}),
            state=state,
            at=ended.astimezone(UTC).isoformat(timespec="seconds"),
            dpu_seconds=Decimal(0),
            price=price,
            priced=f"{REGION} {DATE}",
            dollars=(used * price + PRICES["lambda_request"].dollars).quantize(MICRODOLLAR),
            gb_seconds=used,
        )

    def metric(self, namespace: str) -> str:
        """The line, printed as it is, of which CloudWatch makes a metric."""
        ended = datetime.fromisoformat(self.at)
        return metric_line(namespace, self.dataset, {METRIC: float(self.dollars)}, ended, run=self.id)

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
    dataset, part = dataset_and_batch(arguments.get(MANIFEST, ""))
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
            # An earlier deployment wrote no gb_seconds.
            told = {**item, "dataset": item["of"]}
            yield Run(**{name: told[name] for name in names if name in told})
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
