"""The page of what a month would cost: item by item, and what other windows would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from causeway.pages.page import render

BAR = 120  # of the dearest item


def estimate_page(document: Mapping[str, Any]) -> str:
    """One HTML file, of the JSON object of `causeway estimate`."""
    arrivals, plan = document["arrivals"], document["plan"]
    pattern = arrivals["pattern"]
    items = [*plan["items"], *({**item, "name": f"at rest: {item['name']}"} for item in document["idle"])]
    most = max(item["dollars"] for item in items) or 1.0
    facts = [
        ("a month", f"${plan['dollars']:,.2f}"),
        ("batches a day", f"{plan['batches_a_day']:,}"),
        ("of them small", f"{plan['by_function']:,}"),
        ("until rows are visible, on average", f"{plan['seconds_to_visible']:,} s"),
        ("a run of the job for each object, a month", f"${document['run_per_object']:,.2f}"),
        ("a crawler for each batch, a month more", f"${document['crawler_per_batch']:,.2f}"),
    ]
    return render(
        "estimate.html.jinja",
        title="What a month would cost",
        subtitle=f"{arrivals['objects']:,} objects a day of {arrivals['size']:,} bytes, {pattern}",
        document=document,
        facts=facts,
        items=[(item, round(item["dollars"] / most * BAR, 1)) for item in items],
        ways=[plan, *document["other_windows"]],
    )
