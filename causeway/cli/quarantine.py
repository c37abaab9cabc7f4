"""`causeway quarantine`: what was set aside and why, grouped, with an example of each."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from typing import Any

from causeway.lake.quarantine import of_dataset
from causeway.lake.tables import glue_catalog
from causeway.operate.account import session_of_company
from causeway.settings import load_settings

FORMAT_VERSION = 1


WIDTH = 100  # characters of a raw record that a person sees


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "quarantine",
        help="show what was set aside, by reason",
        description="Needs credentials of the company's account that may read the quarantine.",
    )
    parser.add_argument("--dataset", help="one of them; by default every one that has a quarantine")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="reasons to show (default 20)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    settings = load_settings()
    session_of_company(settings)  # the catalog takes the same credentials from the environment
    database = settings.database("quarantine")
    catalog = glue_catalog(settings.company.region)
    names = [options.dataset] if options.dataset else [name for _, name in catalog.list_tables(database)]
    found = [group for dataset in sorted(names) for group in of_dataset(catalog, database, dataset)]
    found.sort(key=lambda group: -group["rows"])
    shown = found[: options.limit]
    if options.json:
        answer = {"format_version": FORMAT_VERSION, "reasons": shown, "more": len(found) - len(shown)}
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print(as_text(shown, len(found) - len(shown)))
    return 0


def as_text(groups: Iterable[dict[str, Any]], more: int) -> str:
    header = ("DATASET", "CODE", "COLUMN", "ROWS", "SOURCES", "FOR EXAMPLE")
    rows = [
        (g["dataset"], g["code"], g["column"], f"{g['rows']:,}", f"{g['sources']:,}", _example(g["example"]))
        for g in groups
    ]
    if not rows:
        return "Nothing is quarantined."
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(5)]
    lines = [
        f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]:{widths[2]}}  "
        f"{row[3]:>{widths[3]}}  {row[4]:>{widths[4]}}  {row[5]}"
        for row in (header, *rows)
    ]
    return "\n".join([*lines, *([f"… and {more} more; --limit shows them"] if more else [])])


def _example(example: dict[str, Any]) -> str:
    line = "" if example["line"] is None else f":{example['line']}"
    raw = example["message"] if example["raw"] is None else example["raw"]
    cut = raw if len(raw) <= WIDTH else raw[: WIDTH - 1] + "…"
    # What others wrote may hold what a terminal would obey.
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode()
        for c in f"{example['source']}{line}  {cut}"
    )
