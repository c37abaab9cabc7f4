"""`causeway ledger rebuild`: the index of what the tables hold, built anew from them."""

from __future__ import annotations

import argparse
import json
from typing import Any

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchTableError

from causeway.flow.ledger import Ledger
from causeway.lake.location import Lake
from causeway.lake.tables import glue_catalog
from causeway.operate.deployment import Deployment

FORMAT_VERSION = 1


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("ledger", help="build the index of what the tables hold anew")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    rebuild = commands.add_parser(
        "rebuild",
        help="from the tables' rows",
        description="Batches may go on meanwhile. Costs what reading the tables' lineage columns costs.",
    )
    rebuild.add_argument("datasets", nargs="*", metavar="DATASET", help="by default all")
    rebuild.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    rebuild.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    deployment = Deployment.find()
    settings, outputs = deployment.settings, deployment.lake
    lake = Lake.in_buckets(
        outputs["LandingBucket"],
        outputs["CuratedBucket"],
        outputs["QuarantineBucket"],
        settings.database("lake"),
        settings.database("quarantine"),
    )
    catalog = glue_catalog(settings.company.region)
    found = {}
    for dataset in deployment.datasets(options.datasets):
        ledger = Ledger(deployment.landing.ledger, dataset)
        found[dataset] = rebuild(lake, dataset, catalog=catalog, ledger=ledger, s3=deployment.client("s3"))
        if not options.json:
            print(f"{dataset}: {_as_text(found[dataset])}", flush=True)
    if options.json:
        print(json.dumps({"format_version": FORMAT_VERSION, "datasets": found}))
    return 0


def rebuild(lake: Lake, dataset: str, *, catalog: Catalog, ledger: Ledger, s3: Any) -> dict[str, int] | None:
    """Build it, and say what is in it; None if there is no table yet."""
    try:
        table = catalog.load_table((lake.curated_database, dataset))
    except NoSuchTableError:
        return None
    mark = lake.history(dataset, catalog=catalog, ledger=ledger, s3=s3).rebuild(table)
    found = {"sources": 0, "rows": 0, "quarantined": 0}
    for item in ledger.items("source#"):
        if mark and item["epoch"] == mark.epoch:
            found["sources"] += 1
            found["rows"] += int(item["rows"])
            found["quarantined"] += int(item["quarantined"])
    return found


def _as_text(found: dict[str, int] | None) -> str:
    if found is None:
        return "no table yet, nothing to build from"
    return f"{found['sources']:,} sources, {found['rows']:,} rows, {found['quarantined']:,} quarantined"
