"""`causeway quarantine`: what is in quarantine and why, grouped, with an example of each."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from causeway.cli.output import Json, answer, printable, table

WIDTH = 100  # characters of a raw record that a person sees


def quarantine(
    dataset: Annotated[str | None, typer.Option(help="One of them; by default all.")] = None,
    limit: Annotated[int, typer.Option(metavar="N", help="Reasons to show.")] = 20,
    as_json: Json = False,
) -> None:
    """Show what is in quarantine, by reason."""
    from causeway.lake.quarantine import of_dataset
    from causeway.lake.tables import glue_catalog
    from causeway.operate.account import session_of_company
    from causeway.settings import load_settings

    settings = load_settings()
    session_of_company(settings)  # the catalog takes the same credentials from the environment
    database, catalog = settings.database("quarantine"), glue_catalog(settings.company.region)
    names = [dataset] if dataset else sorted(name for _, name in catalog.list_tables(database))
    groups = [group for name in names for group in of_dataset(catalog, database, name)]
    groups.sort(key=lambda group: -group["rows"])
    document = {"reasons": groups[:limit], "more": len(groups[limit:])}
    answer(document, lambda: _text(document), as_json)


def _text(document: dict[str, Any]) -> Iterator[RenderableType]:
    header = ("dataset", "code", "column", "rows", "sources", "for example")
    rows = [
        (g["dataset"], g["code"], printable(g["column"]), g["rows"], g["sources"], _example(g["example"]))
        for g in document["reasons"]
    ]
    yield table(header, rows) if rows else "Nothing is quarantined."
    if document["more"]:
        yield f"… and {document['more']} more; --limit shows them"


def _example(example: dict[str, Any]) -> str:
    line = "" if example["line"] is None else f":{example['line']}"
    raw = example["message"] if example["raw"] is None else example["raw"]
    cut = raw if len(raw) <= WIDTH else raw[: WIDTH - 1] + "…"
    return printable(f"{example['source']}{line}  {cut}")
