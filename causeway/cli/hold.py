"""`causeway hold`: keep a snapshot beyond its time, for who trains on it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType

from causeway.cli import output
from causeway.cli.output import Exit, Json, answer

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from causeway.lake.holds import Hold
    from causeway.operate.deployment import Deployment

DAYS = 365  # a hold's, where --until says nothing
NOTE = (
    "Rows that are removed from a table stay readable at its holds: whoever must erase them releases those, "
    "and the snapshot's files go with the upkeep after its retention."
)


def hold(
    table: Annotated[str | None, typer.Argument(help="A table of the lake.")] = None,
    snapshot: Annotated[int | None, typer.Argument(help="The id of one of its snapshots.")] = None,
    name: Annotated[str | None, typer.Option(help="By which the partner reads it: ml-2026-q1.")] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help=f"The last day; in {DAYS} days.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Which holds there are.")] = False,
    release: Annotated[str | None, typer.Option(help="Take this hold off again.")] = None,
    as_json: Json = False,
) -> int:
    """Keep a snapshot of a table beyond `snapshot_retention_days`, so that it can be trained on again.

    Needs credentials of the company's account that may change the table. The partner asks for it.
    """
    from causeway.lake.holds import hold as put
    from causeway.lake.holds import release as take_off
    from causeway.lake.rows import SnapshotError
    from causeway.lake.tables import glue_catalog
    from causeway.operate.deployment import Deployment

    if listed + bool(release) + bool(name) != 1:
        raise typer.BadParameter("one of --name, --list and --release is needed")
    if not (listed or table) or (name and snapshot is None):
        raise typer.BadParameter("a hold is of a TABLE, a new one of its SNAPSHOT too")
    deployment = Deployment.find()
    catalog = glue_catalog(deployment.settings.company.region)
    names = _tables(catalog, deployment, table)
    try:
        if name and snapshot is not None:
            last = until.date() if until else datetime.now(UTC).date() + timedelta(days=DAYS)
            return _tell("held", [put(catalog, names[0], snapshot, name, last)], as_json)
        if release:
            return _tell("released", [take_off(catalog, names[0], release)], as_json)
    except SnapshotError as error:
        raise typer.BadParameter(str(error)) from error
    return _list(catalog, names, as_json)


def _tables(catalog: "Catalog", deployment: "Deployment", named: str | None) -> list[tuple[str, str]]:
    """The lake's tables, or this one of them."""
    from causeway.flow.nearest import did_you_mean

    database = deployment.settings.database("lake")
    names = sorted(table[-1] for table in catalog.list_tables(database))
    if named and named not in names:
        there = f"tables: {', '.join(names) or 'none'}{did_you_mean(named, names)}"
        raise typer.BadParameter(f"no table {named}; {there}")
    return [(database, name) for name in ([named] if named else names)]


def _document(one: "Hold") -> dict[str, Any]:
    end = one.until.isoformat() if one.until else None
    at = one.committed.isoformat(timespec="seconds")
    return {"table": one.table, "name": one.name, "snapshot": one.snapshot, "committed": at, "until": end}


def _tell(done: str, holds: list["Hold"], as_json: bool) -> int:
    def text() -> Iterator[str]:
        for one in holds:
            until = f" until {one.until}" if one.until and done == "held" else ""
            yield f"{one.table}: snapshot {one.snapshot} {done} as {one.name}{until}"
            if done == "held":
                yield f"The partner's: python -m partner_kit --table {one.table} --snapshot {one.name}"
                yield NOTE

    answer({done: [_document(one) for one in holds]}, text, as_json)
    return Exit.FINE


def _list(catalog: "Catalog", names: list[tuple[str, str]], as_json: bool) -> int:
    from causeway.lake.holds import holds_of

    holds = [one for name in names for one in holds_of(catalog.load_table(name))]
    rows = [
        (one.table, one.name, str(one.snapshot), f"{one.committed:%F}", _until(one.until, over=one.over))
        for one in holds
    ]
    header = ("table", "name", "snapshot", "committed", "until")

    def text() -> Iterator[RenderableType]:
        yield from (output.table(header, rows), NOTE) if rows else ("No holds.",)

    answer({"holds": [_document(one) for one in holds]}, text, as_json)
    return Exit.FINE


def _until(day: date | None, *, over: bool) -> str:
    return f"{day or 'it is released'}{', which is over: the upkeep takes it off' if over else ''}"
