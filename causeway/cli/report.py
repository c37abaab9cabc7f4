"""`causeway report`: the whole deployment on a page, for whoever does not run commands."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType

from causeway.cli.alerts import lines as alert_lines
from causeway.cli.output import Json, answer, table
from causeway.cli.quarantine import reasons_of
from causeway.cli.status import exit_status, state_of, what_to_do

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from causeway.operate.deployment import Deployment

HEADER = ("dataset", "rows", "last commit", "age, h", "promised, h", "rejected", "dollars")


def report(
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page here, in one file.")] = None,
    days: Annotated[
        int, typer.Option(min=1, max=365, help="Of which it tells; they begin at 0:00 UTC.")
    ] = 30,
    as_json: Json = False,
) -> int:
    """Tell of each dataset: freshness, rows, quarantine with samples, last batches, profile and cost.

    Exits 1 if something needs a person, as `causeway status` does.
    """
    from causeway.operate.deployment import Deployment

    document = report_of(Deployment.find(), days)
    if html:
        from causeway.pages.report import report_page

        html.write_text(report_page(document), "utf-8")
    answer(document, lambda: _text(document, html), as_json)
    return exit_status(document["state"])


def report_of(deployment: "Deployment", days: int) -> dict[str, Any]:
    """The JSON object."""
    from causeway.flow.ledger import Ledger
    from causeway.lake.tables import glue_catalog
    from causeway.operate.costs import Spending
    from causeway.operate.overview import overview

    now, settings = datetime.now(UTC), deployment.settings
    since = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days - 1)
    ledger, contracts = deployment.landing.ledger, deployment.contracts
    catalog = glue_catalog(settings.company.region)
    arrivals = {name: Ledger(ledger, name).last_arrival() for name in contracts}
    state = state_of(deployment)
    return {
        "deployment": {"project": settings.project, **vars(settings.company)},
        "state": state,
        "what_to_do": list(what_to_do(state)),
        "who_hears": list(alert_lines(state["alerts"], "alerts")),
        "datasets": {name: contract.description for name, contract in contracts.items()},
        "tables": {name: _table(deployment, catalog, name) for name in contracts},
        "quarantine": reasons_of(deployment),
        **overview(Spending.read(deployment, since), contracts, arrivals, now),
    }


def _table(deployment: "Deployment", catalog: "Catalog", dataset: str) -> dict[str, Any] | None:
    """The table's newest snapshot, and the newest profile there is; None before the first commit."""
    from causeway.lake.profiles import Profiles, facts_of
    from causeway.lake.tables import find_table

    contract = deployment.contracts[dataset]
    table = find_table(catalog, (deployment.settings.database("lake"), contract.table))
    if not table or not (snapshot := table.current_snapshot()):
        return None
    profiles, s3 = Profiles(table.location()), deployment.client("s3")
    profiled = profiles.nearest(s3, table, snapshot.snapshot_id)
    return {
        "table": contract.table,
        **facts_of(snapshot),
        "rows": int(snapshot.summary["total-records"] or 0) if snapshot.summary else 0,
        "profile": profiles.read(s3, profiled) if profiled else None,
    }


def _text(document: Mapping[str, Any], html: Path | None) -> Iterator[RenderableType]:
    yield table(HEADER, [_row(document, name) for name in document["datasets"]])
    yield f"Rejected and dollars: since {document['since']}"
    yield from (*document["what_to_do"], *document["who_hears"])
    if html:
        yield f"The page: {html}"


def _row(document: Mapping[str, Any], name: str) -> list[object]:
    of_table, fresh, rows = document["tables"][name], document["freshness"][name], document["rows"][name]
    hours = ["" if fresh[key] is None else f"{fresh[key] / 3600:,.1f}" for key in ("age", "promised")]
    dollars = f"{document['dollars'][name]:,.4f}"
    return [
        name,
        of_table["rows"] if of_table else 0,
        fresh["arrival"] or "never",
        *hours,
        rows["quarantined"],
        dollars,
    ]
