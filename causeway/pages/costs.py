"""The page of what runs cost: dollars a day by dataset against the budget, and the dearest batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from causeway.pages.chart import bars, every_day, legend
from causeway.pages.page import render

DEAREST, PACE, MONTH = 20, 7, 30  # batches; days of which the pace is the mean; days
PER_GB = "dollars_per_gb"
PER = ("dollars_per_million_rows", PER_GB)
RAN = "runs of the Glue jobs, and of the function for small batches,"
NOT_SEEN = "storage, requests, logs, the key, the tables' upkeep, the partner's account, taxes and discounts"


def costs_page(
    sums: Mapping[str, Mapping[str, Any]], days: Mapping[str, Mapping[str, float]], budget: int
) -> str:
    """One HTML file, of the same runs summed by dataset, day and batch, and of dollars by day and dataset."""
    by_dataset, total = sums["dataset"], sums["dataset"]["total"]
    spent: Counter[str] = Counter({name: one["dollars"] for name, one in by_dataset["groups"].items()})
    names = [name for name, _ in spent.most_common()]
    shown = every_day(days)
    pace = sum(sum(days.get(day, {}).values()) for day in shown[-PACE:]) / max(1, len(shown[-PACE:]))
    batches, by_day = sums["batch"]["groups"].items(), sums["day"]["groups"]
    per_gb = {day: {"per GB": one[PER_GB]} for day, one in by_day.items() if one[PER_GB] is not None}
    facts = [
        ("dollars", f"{total['dollars']:,.2f}"),
        ("runs", f"{total['runs']:,}"),
        ("of them failed", f"{total['failed']:,}"),
        ("a month, at the pace of the last days", f"${pace * MONTH:,.2f}"),
        ("budget a month, of all costs", f"${budget:,}"),
    ]
    return render(
        "costs.html.jinja",
        title="What the runs cost",
        subtitle=f"{RAN} that ended since {by_dataset['since'][:10]}, days by UTC",
        document=by_dataset,
        facts=facts,
        chart=bars(shown, days, names, _dollars, budget / MONTH),
        per_gb=bars(shown, per_gb, ["per GB"], _dollars),
        legend=legend(names),
        datasets=[_row(name, by_dataset["groups"][name]) for name in names],
        daily=[_row(day, by_day[day]) for day in reversed(shown) if day in days],
        batches=[_row(name, one) for name, one in sorted(batches, key=lambda b: -b[1]["dollars"])[:DEAREST]],
        not_seen=NOT_SEEN,
    )


def _dollars(amount: float) -> str:
    return f"${amount:,.4f}"


def _row(name: str, one: Mapping[str, Any]) -> tuple[str, ...]:
    numbers = (f"{one['runs']:,}", f"{one['failed']:,}", f"{one['dollars']:,.4f}", f"{one['rows']:,}")
    per = ("" if one[key] is None else f"{one[key]:,.2f}" for key in PER)
    return (name or "?", *numbers, *per)
