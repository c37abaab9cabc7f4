"""`causeway costs`: what the runs of the Glue jobs cost, by dataset, day or batch."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from causeway.cli.output import Json, answer, printable, table

costs = typer.Typer(help="What the runs of the Glue jobs cost.", invoke_without_command=True)
DAYS = 30


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
    as_json: Json = False,
) -> None:
    """Add up what the runs of the Glue jobs cost.

    A run counts to the batch that caused it, however it ended. What else costs something: docs/costs.md.
    """
    if context.invoked_subcommand:
        return
    from causeway.operate.costs import costs as costs_of
    from causeway.operate.deployment import Deployment

    begin = since or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(DAYS)
    document = costs_of(Deployment.find(), by.value, begin.replace(tzinfo=UTC))
    answer(document, lambda: _text(document), as_json)


def _text(document: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield f"Runs of the Glue jobs that ended since {document['since']}"
    header = (document["by"], "runs", "failed", "DPU-hours", "dollars", "rows", "dollars per million rows")
    groups = {**document["groups"], "total": document["total"]}
    yield table(header, [_row(name, one) for name, one in groups.items()])
    yield from (f"Priced at {price}" for price in document["prices"])
    if region := document["foreign_prices"]:
        yield f"Prices of {region} are not known here: these are another region's (docs/costs.md)"
    if missing := document["unpriced_batches"]:
        yield f"Partial: {missing:,} batches committed since whose runs have no price, or have none yet"


def _row(name: str, one: Mapping[str, Any]) -> list[object]:
    hours, dollars = one["dpu_seconds"] / 3600, one["dollars"]
    per = one["dollars_per_million_rows"]
    texts = (f"{hours:,.3f}", f"{dollars:,.6f}")
    return [
        printable(name),
        one["runs"],
        one["failed"],
        *texts,
        one["rows"],
        "" if per is None else f"{per:,.2f}",
    ]
