"""`causeway status`: what runs, what failed, what waits, and what became of every version that landed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from causeway.cli.output import Meter
from causeway.operate.accounting import CLASSES, UNACCOUNTED, look
from causeway.operate.deployment import Deployment

FORMAT_VERSION = 1


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "status", help="what became of every version that landed", description="Exits 1 if some are lost."
    )
    parser.add_argument("--dataset", help="one of them; by default all")
    parser.add_argument("--failed", action="store_true", help="only what failed, without looking at landing")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    deployment = Deployment.find()
    datasets = deployment.datasets([options.dataset] if options.dataset else [])
    with Meter("versions looked at") as meter:
        found = look(
            deployment, datasets, failed_only=options.failed, now=datetime.now(UTC), progress=meter.add
        )
    answer = {"format_version": FORMAT_VERSION, **found}
    print(json.dumps(answer) if options.json else "\n".join(_as_text(answer)))
    return 0 if answer.get("adds_up", True) else 1


def _as_text(answer: Mapping[str, Any]) -> Iterator[str]:
    if "datasets" in answer:
        yield from _table({**answer["datasets"], "total": answer["total"]})
        yield "Failed versions count as waiting."
        yield ""
    waiting, dead = sum(answer["queue"].values()), answer["dead_letters"]
    yield f"batches: {answer['running']:,} running, {len(answer['failed']):,} failed"
    yield f"messages: {waiting:,} queued, {dead:,} dead letters"
    for failed in answer["failed"]:
        times = f"{failed['failures']} times, last {failed['stopped']}"
        yield f"{failed['dataset']} {failed['batch']} failed {times}"
        yield f"  {failed['outstanding']:,} sources are outstanding: {failed['cause']}"
    if answer["failed"]:
        yield "  once the cause is mended: causeway replay BATCH"
    if answer["dead_letters"]:
        yield "  once the cause is mended: causeway replay --dead-letters"
    if not answer.get("adds_up", True):
        lost = answer["total"][UNACCOUNTED]
        yield f"It does not add up: nothing speaks of {lost:,} versions that landed; run causeway reconcile."
        yield from (f"  {source}" for source in answer["unaccounted"])


def _table(counts: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    names = ("landed", *CLASSES)
    rows = [["", *(name.replace("_", "-") for name in names), "batches", "last day", "last batch"]]
    for dataset, of in counts.items():
        made = of.get("batches")
        ended = [f"{made['count']:,}", f"{made['last_day']:,}", made["last"] or "never"] if made else [""] * 3
        rows.append([dataset, *(f"{of[name]:,}" for name in names), *ended])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = [f"{cell:>{width}}" for cell, width in zip(rest, widths[1:], strict=True)]
        yield "  ".join([f"{first:{widths[0]}}", *cells]).rstrip()
