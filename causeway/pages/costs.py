"""The page of what runs cost: dollars a day by dataset against the budget, and the dearest batches."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from causeway.pages.page import render

WIDTH, HEIGHT = 720, 200  # of the chart
COLOURS = 6  # of the template; further datasets share the last
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
    shown = _every_day(days)
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
        chart=_chart(shown, days, names, budget / MONTH),
        per_gb=_chart(shown, per_gb, ["per GB"], math.inf),
        legend=[(min(n, COLOURS - 1), name or "?") for n, name in enumerate(names)],
        datasets=[_row(name, by_dataset["groups"][name]) for name in names],
        daily=[_row(day, by_day[day]) for day in reversed(shown) if day in days],
        batches=[_row(name, one) for name, one in sorted(batches, key=lambda b: -b[1]["dollars"])[:DEAREST]],
        not_seen=NOT_SEEN,
    )


def _every_day(days: Mapping[str, Any]) -> list[str]:
    """From the first to the last, those without a run too."""
    if not days:
        return []
    first, last = (date.fromisoformat(end(days)) for end in (min, max))
    return [f"{first + timedelta(n)}" for n in range((last - first).days + 1)]


def _chart(
    shown: Sequence[str], days: Mapping[str, Mapping[str, float]], names: Sequence[str], budget: float
) -> dict[str, Any]:
    """A bar a day, of a part for each dataset; the budget's line, where it is not far above all bars."""
    most = max((sum(of.values()) for of in days.values()), default=0.0) or 1.0
    top = budget if most < budget < 2 * most else most
    step = WIDTH / max(1, len(shown))
    bars: list[dict[str, Any]] = []
    for n, day in enumerate(shown):
        y = float(HEIGHT)
        for colour, name in enumerate(names):
            if dollars := days.get(day, {}).get(name, 0.0):
                tall = dollars / top * HEIGHT
                y -= tall
                place = {"x": round(n * step, 1), "y": round(y, 1), "width": round(step * 0.8, 1)}
                said = f"{day}, {name}: ${dollars:,.4f}"
                shown_as = {"height": round(tall, 1), "colour": min(colour, COLOURS - 1), "said": said}
                bars.append({**place, **shown_as})
    line = round(HEIGHT - budget / top * HEIGHT, 1) if budget <= top else None
    return {"bars": bars, "top": f"${top:,.2f}", "line": line, "ends": [*shown[:1], *shown[-1:]]}


def _row(name: str, one: Mapping[str, Any]) -> tuple[str, ...]:
    numbers = (f"{one['runs']:,}", f"{one['failed']:,}", f"{one['dollars']:,.4f}", f"{one['rows']:,}")
    per = ("" if one[key] is None else f"{one[key]:,.2f}" for key in PER)
    return (name or "?", *numbers, *per)
