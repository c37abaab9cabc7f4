"""What the runs of the Glue jobs cost, by what caused them: the sum of the groups is the total."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from causeway.flow.ledger import Ledger
from causeway.flow.prices import REGION
from causeway.flow.runs import PROFILE, Run, runs_since
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
        rows, known = _rows(self.runs, self.committed, BY[by]), {run.part for run in self.runs}
        groups: dict[str, list[Run]] = defaultdict(list)
        for run in self.runs:
            groups[BY[by](run)].append(run)
        return {
            "since": self.since.isoformat(timespec="seconds"),
            "by": by,
            "groups": {name: _sum(groups[name], rows[name]) for name in sorted(groups)},
            "total": _sum(self.runs, sum(rows.values())),
            "prices": sorted({f"${run.price} a DPU-hour, {run.priced}" for run in self.runs}),
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


def _rows(
    runs: Iterable[Run], committed: Collection[Mapping[str, Any]], group: Callable[[Run], str]
) -> Counter[str]:
    """How many rows landed, by group: those of a batch are counted where its last run is."""
    last = {run.part: group(run) for run in runs if run.part}
    rows: Counter[str] = Counter()
    for batch in committed:
        if batch["batch"] in last:
            rows[last[batch["batch"]]] += int(batch["landed"])
    return rows


def _sum(runs: Collection[Run], rows: int) -> dict[str, Any]:
    dollars = sum((run.dollars for run in runs), Decimal())
    return {
        "runs": len(runs),
        "failed": sum(run.state != "SUCCEEDED" for run in runs),
        "dpu_seconds": float(sum(run.dpu_seconds for run in runs)),
        "dollars": float(dollars),
        "rows": rows,
        "dollars_per_million_rows": round(float(dollars) * 1e6 / rows, 2) if rows else None,
    }
