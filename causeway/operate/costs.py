"""What runs cost, by what caused them: the sum of the groups is the total."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from causeway.flow.ledger import Ledger
from causeway.flow.prices import REGION
from causeway.flow.runs import Run, runs_since
from causeway.operate.deployment import Deployment

# What a run is counted to. Days are UTC's.
BY: dict[str, Callable[[Run], str]] = {
    "dataset": lambda run: run.dataset,
    "day": lambda run: run.at[:10],
    "batch": lambda run: f"{run.dataset} {run.batch or f'({run.job})'}",
}


@dataclass(frozen=True)
class Spending:
    """The runs that ended since, and the batches that were committed since."""

    since: datetime
    region: str
    runs: Sequence[Run]
    committed: Sequence[Mapping[str, Any]]

    @classmethod
    def read(cls, deployment: Deployment, since: datetime) -> Spending:
        ledger = deployment.landing.ledger
        runs = list(runs_since(ledger, since))
        datasets = sorted({*deployment.contracts, *(run.dataset for run in runs)} - {""})
        committed = [batch for name in datasets for batch in _batches(ledger, name, since)]
        return cls(since, deployment.settings.company.region, runs, committed)

    def by(self, by: str) -> dict[str, Any]:
        """For the JSON object: the runs in groups, and what is not in the sum."""
        landed, known = _landed(self.runs, self.committed, BY[by]), {run.part for run in self.runs}
        groups: dict[str, list[Run]] = defaultdict(list)
        for run in self.runs:
            groups[BY[by](run)].append(run)
        return {
            "since": self.since.isoformat(timespec="seconds"),
            "by": by,
            "groups": {name: _sum(groups[name], landed[name]) for name in sorted(groups)},
            "total": _sum(self.runs, sum(landed.values(), Landed())),
            "prices": sorted({f"${run.price} a {run.unit}, {run.priced}" for run in self.runs}),
            "foreign_prices": self.region if self.region != REGION else "",
            "unpriced_batches": sum(batch["batch"] not in known for batch in self.committed),
        }

    def days(self) -> dict[str, dict[str, float]]:
        """Dollars by day, and of a day by dataset."""
        sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for run in self.runs:
            sums[BY["day"](run)][run.dataset] += run.dollars
        return {day: {name: float(d) for name, d in sums[day].items()} for day in sorted(sums)}


def _batches(ledger: Any, dataset: str, since: datetime) -> list[Mapping[str, Any]]:
    begin = since.isoformat(timespec="seconds")
    return [item for item in Ledger(ledger, dataset).items("batch#") if item["at"] >= begin]


@dataclass(frozen=True)
class Landed:
    """Rows, and bytes, of batches that say both; `sized` if all of them do."""

    rows: int = 0
    size: int = 0
    sized: bool = True

    def __add__(self, other: Landed) -> Landed:
        return Landed(self.rows + other.rows, self.size + other.size, self.sized and other.sized)


def _landed(
    runs: Iterable[Run], committed: Collection[Mapping[str, Any]], group: Callable[[Run], str]
) -> Mapping[str, Landed]:
    """What landed, by group: that of a batch is counted where its last run is."""
    last = {run.part: group(run) for run in runs if run.part}
    landed: dict[str, Landed] = defaultdict(Landed)
    for batch in committed:
        if batch["batch"] in last:
            # An earlier deployment wrote no size.
            landed[last[batch["batch"]]] += Landed(
                int(batch["landed"]), int(batch.get("size", 0)), "size" in batch
            )
    return landed


def _sum(runs: Collection[Run], landed: Landed) -> dict[str, Any]:
    dollars = sum((run.dollars for run in runs), Decimal())
    size = landed.size if landed.sized else 0
    return {
        "runs": len(runs),
        "failed": sum(run.state != "SUCCEEDED" for run in runs),
        "dpu_seconds": float(sum(run.dpu_seconds for run in runs)),
        "gb_seconds": float(sum(run.gb_seconds for run in runs)),
        "dollars": float(dollars),
        "rows": landed.rows,
        "bytes": landed.size,
        "dollars_per_million_rows": round(float(dollars) * 1e6 / landed.rows, 2) if landed.rows else None,
        "dollars_per_gb": round(float(dollars) * 1e9 / size, 2) if size else None,
    }
