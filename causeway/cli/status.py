"""`causeway status`: what runs, what failed, what waits, and what became of every version that landed."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType
from rich.table import Table

from causeway.cli.alerts import lines as alert_lines
from causeway.cli.output import Exit, Json, Progress, answer, printable, table
from causeway.cli.unclaimed import lines as unclaimed_lines

if TYPE_CHECKING:
    from causeway.operate.deployment import Deployment

# Of the JSON object: what says that something needs a person, unless it is empty.
NEED_A_PERSON = ("failed", "dead_letters", "quarantined", "unaccounted", "unclaimed_files")


def status(
    dataset: Annotated[str | None, typer.Option(help="One of them; by default all.")] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only what failed, without looking at landing.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Say what became of every version that landed.

    Exits 1 if something needs a person: a batch that failed, dead letters, files that were rejected whole,
    are lost or of no dataset.
    """
    from causeway.operate.deployment import Deployment

    document = state_of(Deployment.find(), dataset, whole=not failed)
    answer(document, lambda: _text(document), as_json)
    return exit_status(document)


def state_of(deployment: "Deployment", dataset: str | None = None, *, whole: bool = True) -> dict[str, Any]:
    """The JSON object; `whole` counts what landed, too."""
    from causeway.operate.accounting import account, pipeline_state
    from causeway.operate.alerts import company_alerts
    from causeway.operate.unclaimed import unclaimed

    datasets, now = deployment.datasets([dataset] if dataset else []), datetime.now(UTC)
    document, pending = pipeline_state(deployment, datasets, now, count_only=not whole)
    if whole:
        with Progress("versions looked at") as progress:
            document |= account(deployment.landing, datasets, pending, now, progress.add)
        if not dataset:
            document |= unclaimed(deployment)
    return document | {"alerts": company_alerts(deployment)}


def exit_status(document: Mapping[str, Any]) -> Exit:
    return Exit.ATTENTION if any(document.get(each) for each in NEED_A_PERSON) else Exit.FINE


def _text(document: Mapping[str, Any]) -> Iterator[RenderableType]:
    if "datasets" in document:
        yield _table({**document["datasets"], "total": document["total"]})
        yield "Failed versions count as waiting.\n"
    waiting, dead = sum(document["queue"].values()), document["dead_letters"]
    yield f"batches: {document['running']:,} running, {len(document['failed']):,} failed"
    yield f"messages: {waiting:,} queued, {dead:,} dead letters"
    yield from what_to_do(document)
    yield from alert_lines(document["alerts"], "alerts")


def what_to_do(document: Mapping[str, Any]) -> Iterator[str]:
    """A line for each thing that needs a person; what to do of it follows, indented."""
    dead = document["dead_letters"]
    for failed in document["failed"]:
        times = f"{failed['failures']} times, last {failed['stopped']}"
        yield f"{failed['dataset']} {failed['batch']} failed {times}"
        yield f"  {failed['outstanding']:,} sources are outstanding: {printable(failed['cause'])}"
        yield f"  once the cause is mended: causeway replay {failed['batch']}"
    if dead:
        yield f"{dead:,} dead letters: messages that no function could take"
        yield "  once the cause is mended: causeway replay --dead-letters"
    if not document.get("adds_up", True):
        lost = document["total"]["unaccounted"]
        yield f"It does not add up: nothing speaks of {lost:,} versions that landed; run causeway reconcile."
        yield from (f"  {printable(source)}" for source in document["unaccounted"])
    if document.get("quarantined"):
        whole = document["total"]["quarantined"]
        yield f"{whole:,} file{'s' * (whole > 1)} rejected whole: causeway quarantine says why"
        yield "  land them again as they should be, or delete them; is the contract wrong: mend it, raise its"
        yield "  version, deploy, causeway replay landing/<dataset>/"
        yield from (f"  {printable(source)}" for source in document["quarantined"])
    yield from unclaimed_lines(document)


def _table(counts: Mapping[str, Mapping[str, Any]]) -> Table:
    classes = list(counts["total"])
    rows: list[list[object]] = []
    for name, count in counts.items():
        batches = count.get("batches")
        ended = [batches["count"], batches["last_day"], batches["last"] or "never"] if batches else [""] * 3
        rows.append([name, *(count[each] for each in classes), *ended])
    return table(
        ["", *(name.replace("_", "-") for name in classes), "batches", "last day", "last batch"], rows
    )
