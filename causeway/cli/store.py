"""`causeway store`: what the relational store has, and loads by hand."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from causeway.cli.output import Exit, Json, answer, printable, table

store = typer.Typer(help="The relational store: what it has, and loads by hand.", no_args_is_help=True)
Names = Annotated[list[str] | None, typer.Argument(metavar="DATASET", help="By default all.")]


def _store() -> Any:
    from causeway.operate.deployment import Deployment
    from causeway.store.deployed import DeployedStore

    return DeployedStore(Deployment.find())


@store.command()
def status(names: Names = None, as_json: Json = False) -> int:
    """Show which snapshot of each dataset the store has, its rows, and those that wait for others.

    Exits 1 if the last load of a dataset failed, or the table has moved on and no load runs.
    """
    document = _store().status(names or [])
    answer({"datasets": document}, lambda: _status_text(document), as_json)
    return Exit.ATTENTION if any(facts["needs"] for facts in document.values()) else Exit.FINE


def _status_text(document: Mapping[str, Any]) -> Iterator[RenderableType]:
    header = ("dataset", "snapshot", "table's snapshot", "rows", "waiting", "loads", "needs")
    keys = ("snapshot", "newest", "rows", "waiting", "running", "needs")
    rows = [(name, *(facts[key] for key in keys)) for name, facts in document.items()]
    yield table(header, rows)
    for name, facts in document.items():
        for reason, count in facts["reasons"].items():
            yield f"{name}: {count:,} wait: {printable(reason)}"


@store.command()
def load(
    names: Names = None,
    snapshot: Annotated[int | None, typer.Option(help="All of this snapshot, instead of changes.")] = None,
    anew: Annotated[bool, typer.Option("--anew", help="All of the newest snapshot.")] = False,
    as_json: Json = False,
) -> int:
    """Load what changed since the last load, or a whole snapshot; wait for the end.

    After a snapshot that is not the newest, the next commit loads the newest again.
    """
    if snapshot is not None and (anew or not names or len(names) > 1):
        raise typer.BadParameter("--snapshot goes with one dataset, and not with --anew")
    deployed = _store()
    loaded = deployed.load(names or [], snapshot=snapshot, anew=anew)
    answer({"loads": loaded}, lambda: _loaded_text(loaded), as_json)
    return Exit.FINE


def _loaded_text(loads: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    for one in loads:
        waiting = f", {int(one['quarantined']):,} wait" if int(one["quarantined"]) else ""
        yield f"{one['dataset']}: {int(one['rows']):,} rows of snapshot {one['snapshot']}{waiting}"
