"""The page of a deployment: what landed, what became of it, what it cost, and what needs a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from causeway.contract.model import RESCUED
from causeway.pages.chart import bars, every_day, legend
from causeway.pages.page import render
from causeway.pages.wording import lasting

DATASETS = (
    "dataset",
    "table",
    "last commit",
    "age",
    "promised",
    "rows",
    "files landed",
    "rejected rows",
    "of landed",
    "dollars",
)
BATCHES = (
    "committed",
    "dataset",
    "batch",
    "snapshot",
    "files",
    "landed",
    "curated",
    "quarantined",
    "dollars",
)
PROFILES = ("dataset", "columns", "of snapshot", "emptiest column", "strongest pair", "bounds broken")
RAW = 300  # characters of a sample


def report_page(document: Mapping[str, Any], demo: Mapping[str, Any] | None = None) -> str:
    """One HTML file of `causeway report`'s object; `demo`: what `make demo` asked and tried beside it."""
    days, names = document["days"], list(document["datasets"])
    shown = every_day({*days["landed"]})
    drawn = {
        name: bars(shown, days[name], names, lambda rows: f"{rows:,.0f}")
        for name in ("curated", "quarantined")
    }
    about = document["deployment"]
    return render(
        "report.html.jinja",
        title=f"{about['project']}: what landed, and what became of it",
        subtitle=f"account {about['account']}, {about['region']}; since {document['since'][:10]}, by UTC",
        document=document,
        way=_way(document),
        charts=drawn,
        legend=legend(names),
        headers={"datasets": DATASETS, "batches": BATCHES, "profiles": PROFILES},
        datasets=[_dataset(document, name) for name in names],
        samples=[_sample(group) for group in document["quarantine"]],
        batches=[_batch(batch) for batch in document["batches"]],
        profiles=list(_profiles(document)),
        demo=demo,
    )


def _way(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The road from S3 to the table, in numbers: how many, of what, and what to add."""
    total, state = document["state"]["total"], document["state"]
    tables = [one for one in document["tables"].values() if one]
    queued = sum(state["queue"].values())
    rejected = sum(group["rows"] for group in document["quarantine"])
    return [
        (f"{total['landed']:,}", "files landed", f"{total['superseded']:,} of them superseded"),
        (f"{queued:,}", "events waiting", f"{state['dead_letters']:,} dead letters"),
        (f"{state['running']:,}", "batches running", f"{len(state['failed']):,} failed"),
        (f"{total['committed']:,}", "files committed", f"{total['quarantined']:,} rejected whole"),
        (f"{sum(one['rows'] for one in tables):,}", "rows to read", f"in {len(tables)} tables"),
        (f"{rejected:,}", "faults in quarantine", "a row counts once for each of its faults"),
    ]


def _dataset(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    of_table, fresh, rows = (
        document["tables"][name] or {},
        document["freshness"][name],
        document["rows"][name],
    )
    share = f"{rows['quarantined'] / rows['landed']:.2%}" if rows["landed"] else ""
    return (
        name,
        of_table.get("table", "none yet"),
        fresh["arrival"] or "never",
        lasting(fresh["age"]) + (", late" if fresh["late"] else ""),
        lasting(fresh["promised"]),
        f"{of_table.get('rows', 0):,}",
        f"{document['state']['datasets'][name]['landed']:,}",
        f"{rows['quarantined']:,}",
        share,
        f"{document['dollars'][name]:,.4f}",
    )


def _sample(group: Mapping[str, Any]) -> dict[str, str]:
    example = group["example"]
    line = "" if example["line"] is None else f", line {example['line']:,}"
    raw = example["raw"] or ""
    return {
        "reason": f"{group['code']} {group['column']}".strip(),
        "dataset": group["dataset"],
        "rows": f"{group['rows']:,}",
        "sources": f"{group['sources']:,}",
        "message": example["message"],
        "place": f"{example['source']}{line}",
        "raw": raw[:RAW] + ("…" if len(raw) > RAW else ""),
    }


def _batch(batch: Mapping[str, Any]) -> tuple[str, ...]:
    rows = (f"{batch[name]:,}" for name in ("landed", "curated", "quarantined"))
    dollars = "none yet" if batch["dollars"] is None else f"{batch['dollars']:,.4f}"
    names = (batch[name] for name in ("at", "dataset", "batch", "snapshot"))
    return (*names, f"{sum(batch['versions'].values()):,}", *rows, dollars)


def _profiles(document: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, of_table in document["tables"].items():
        if not (profile := (of_table or {}).get("profile")):
            continue
        given = [
            (c["null_share"] or 0, column) for column, c in profile["columns"].items() if column != RESCUED
        ]
        nulls, emptiest = max(given, default=(0, ""))
        pairs = profile["associations"]
        yield (
            name,
            f"{len(profile['columns']):,}",
            str(profile["snapshot"]),
            f"{emptiest}, {nulls:.1%} null" if nulls else "none has nulls",
            f"{pairs[0]['x']}, {pairs[0]['y']}: {pairs[0]['effect']:.2f}" if pairs else "",
            f"{sum(one['holds'] is False for one in profile.get('quality', [])):,}",
        )
