"""`causeway costs`: what runs cost; and whether the bill can be divided, and watched."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType

from causeway.cli.alerts import lines as alert_lines
from causeway.cli.output import Exit, Json, answer, printable, table

if TYPE_CHECKING:
    from causeway.operate.costs import Spending
    from causeway.operate.deployment import Deployment

costs = typer.Typer(
    help="What runs of the Glue jobs, and of the function for small batches, cost.",
    invoke_without_command=True,
)
DAYS = 30
RAN = "Runs of the Glue jobs, and of the function for small batches,"
BILLED = ("billed", "runs", "difference")
PER = ("dollars_per_million_rows", "dollars_per_gb")


class By(StrEnum):
    dataset = "dataset"
    day = "day"
    batch = "batch"


@costs.callback()
def show_costs(
    context: typer.Context,
    by: Annotated[By, typer.Option(help="What the runs are counted to.")] = By.dataset,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help=f"A day, by UTC; by default {DAYS} days ago."),
    ] = None,
    bill: Annotated[
        bool,
        typer.Option(
            "--bill", help="And what AWS billed by the tag: a cent for asking, at most each 8 hours."
        ),
    ] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page here, in one file.")] = None,
    as_json: Json = False,
) -> None:
    """Add up what runs of the Glue jobs, and of the function for small batches, cost.

    A run counts to the batch that caused it, however it ended. What else costs something: docs/costs.md.
    """
    if context.invoked_subcommand:
        return
    from causeway.operate.costs import Spending
    from causeway.operate.deployment import Deployment

    begin = since or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(DAYS)
    deployment = Deployment.find()
    spending = Spending.read(deployment, begin.replace(tzinfo=UTC))
    document = spending.by(by.value)
    if bill:
        document["bill"] = _bill(deployment, spending)
    if html:
        from causeway.pages.costs import costs_page

        sums = {name.value: spending.by(name.value) for name in By}
        html.write_text(costs_page(sums, spending.days(), deployment.settings.limits.monthly_budget), "utf-8")
    answer(document, lambda: _text(document), as_json)


def _bill(deployment: "Deployment", spending: "Spending") -> dict[str, Any]:
    from causeway.flow.billing import REGION
    from causeway.operate.bill import BillError, compared, kept_bill

    company, project = deployment.settings.company, deployment.settings.project
    ce, now = deployment.session.client("ce", REGION), datetime.now(UTC)
    try:
        return compared(kept_bill(ce, company.account, project, spending.since, now), spending)
    except BillError as error:
        return {"error": str(error)}


def _bill_text(bill: Mapping[str, Any]) -> Iterator[RenderableType]:
    if "error" in bill:
        yield f"\nPartial: the bill is not known. {printable(bill['error'])}"
        return
    last = f"{bill['end']} excluded, read {bill['read']} for ${bill['asked_dollars']:.2f}"
    yield f"\nBilled by the tag project, days by UTC: from {bill['begin']} to {last}"
    if not bill["services"]:
        yield "Nothing: a bill is a day late, and is divided by a tag that is active: `causeway costs doctor`"
        return
    rows = [
        (printable(name), *(f"{one[key]:,.4f}" for key in BILLED), one.get("which_is", ""))
        for name, one in {**bill["services"], "total": bill["total"]}.items()
    ]
    yield table(("service", "billed", "of it runs", "difference", "which is"), rows)
    if bill["estimated"]:
        yield "AWS may still change it: the month is not closed"


def _text(document: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield f"{RAN} that ended since {document['since']}"
    header = (
        document["by"],
        "runs",
        "failed",
        "DPU-hours",
        "GB-seconds",
        "dollars",
        "rows",
        "dollars per million rows",
        "per GB",
    )
    groups = {**document["groups"], "total": document["total"]}
    yield table(header, [_row(name, one) for name, one in groups.items()])
    yield from (f"Priced at {price}" for price in document["prices"])
    if region := document["foreign_prices"]:
        yield f"Prices of {region} are not known here: these are another region's (docs/costs.md)"
    if missing := document["unpriced_batches"]:
        yield f"Partial: of batches committed since, {missing:,} have no price, or none yet"
    if bill := document.get("bill"):
        yield from _bill_text(bill)


def _row(name: str, one: Mapping[str, Any]) -> list[object]:
    hours, seconds = f"{one['dpu_seconds'] / 3600:,.3f}", f"{one['gb_seconds']:,.1f}"
    dollars = f"{one['dollars']:,.6f}"
    per = ("" if one[key] is None else f"{one[key]:,.2f}" for key in PER)
    return [printable(name), one["runs"], one["failed"], hours, seconds, dollars, one["rows"], *per]


@costs.command()
def doctor(as_json: Json = False) -> int:
    """Say whether billing knows the tags, who hears of the budget, and what each limit bounds.

    Exits 1 if the payer account must activate tags, or nobody hears of the budget. Changes nothing.
    """
    from causeway.flow.billing import REFUSED, REGION, command, look
    from causeway.operate import advisor
    from causeway.operate.alerts import company_alerts
    from causeway.operate.deployment import Deployment
    from causeway.operate.guard_rails import bounds

    deployment = Deployment.find()
    settings = deployment.settings
    keys = list(settings.every_tag())
    found = look(deployment.session.client("ce", REGION), keys)
    refused = [key for key, state in found.keys.items() if state == REFUSED]
    budget = company_alerts(deployment)["budget"]
    document = {
        "tags": {
            "state": found.state,
            "keys": found.keys,
            "reasons": found.reasons,
            "backfill": found.backfill,
        },
        "run": command(refused) if refused else "",
        "monthly_budget": settings.limits.monthly_budget,
        "anomaly_dollars": settings.limits.anomaly_dollars,
        "alerts": {"budget": budget},
        "bounds": bounds(settings),
        "trusted_advisor": advisor.advice(deployment.session.client("support", advisor.REGION)),
    }
    answer(document, lambda: _doctor_text(document), as_json)
    return Exit.ATTENTION if refused or not budget["confirmed"] else Exit.FINE


# What a state of the tags means, and what to do.
SAID = {
    "waiting": "billing lists a tag up to a day after its first use; the daily function activates it then",
    "inactive": "billing lists them; the daily function activates them",
    "active": "billing divides the bill by them, from a day after on",
    "ask the payer account": "with its credentials:",
}


def _doctor_text(document: Mapping[str, Any]) -> Iterator[RenderableType]:
    tags = document["tags"]
    yield f"Tags in billing: {tags['state']}: {SAID[tags['state']]}"
    yield from (f"  {line}" for line in document["run"].splitlines())
    yield from (f"  {key}: {state}" for key, state in tags["keys"].items() if state != tags["state"])
    yield from (f"  {printable(reason)}" for reason in sorted({*tags["reasons"].values()}))
    if tags["state"] == "active":
        yield f"  the months before: {tags['backfill']}"
    yield f"Budget: ${document['monthly_budget']} a month, told at 80 % and when 100 % are forecast"
    yield from alert_lines(document["alerts"], "alerts")
    dollars = document["anomaly_dollars"]
    told = f"told from ${dollars} on" if dollars else "nobody looks: limits.anomaly_dollars = 0"
    yield f"Spending out of the ordinary: {told}\n"
    rows = [(b["limit"], f"{b['value']:,}", b["bounds"], f"{b['dollars']:,.2f}") for b in document["bounds"]]
    yield table(("limit", "is", "bounds", "dollars"), rows)
    advice = document["trusted_advisor"]
    yield f"\nTrusted Advisor: {printable(advice['state'])}"
    for one in advice["flags"]:
        saving = f"${one['dollars_a_month']:,.2f} a month"
        yield f"  {printable(one['check'])}: {one['resources']} of the account's resources, {saving}"
