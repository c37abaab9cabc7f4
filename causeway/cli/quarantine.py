"""`causeway quarantine`: what is in quarantine and why, grouped, with an example of each."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from causeway.cli.output import COUNTED, Json, answer, printable
from causeway.cli.unclaimed import lines as unclaimed_lines

if TYPE_CHECKING:
    from causeway.operate.deployment import Deployment

WIDTH = 2_000  # characters of a raw record that a person sees


def quarantine(
    dataset: Annotated[str | None, typer.Option(help="One of them; by default all.")] = None,
    limit: Annotated[int, typer.Option(metavar="N", help="Reasons to show.")] = 20,
    as_json: Json = False,
) -> None:
    """Show what is in quarantine, by reason."""
    from causeway.operate.deployment import Deployment
    from causeway.operate.unclaimed import unclaimed

    deployment = Deployment.find()
    groups = reasons_of(deployment, dataset)
    rest = {} if dataset else unclaimed(deployment)
    document = {"reasons": groups[:limit], "more": len(groups[limit:]), **rest}
    answer(document, lambda: _text(document), as_json)


def reasons_of(deployment: "Deployment", dataset: str | None = None) -> list[dict[str, Any]]:
    """Each reason for which rows are in quarantine, of one dataset or of all, most rows first."""
    from causeway.lake.quarantine import of_dataset
    from causeway.lake.tables import glue_catalog

    settings = deployment.settings
    database, catalog = settings.database("quarantine"), glue_catalog(settings.company.region)
    names = sorted(name for _, name in catalog.list_tables(database))
    if dataset:  # one without a quarantine has a contract, or its name is wrong
        names = [dataset] if dataset in names else deployment.datasets([dataset])
    groups = [group for name in names for group in of_dataset(catalog, database, name)]
    return sorted(groups, key=lambda group: -group["rows"])


def _text(document: dict[str, Any]) -> Iterator[str]:
    for group in document["reasons"]:
        yield from _reason(group)
    yield COUNTED if document["reasons"] else "Nothing is quarantined."
    if document["more"]:
        yield f"… and {document['more']} more; --limit shows them"
    yield from unclaimed_lines(document)


def _reason(group: dict[str, Any]) -> Iterator[str]:
    column = f" {printable(group['column'])}" if group["column"] else ""
    of_sources = f"{group['sources']:,} source{'s' * (group['sources'] > 1)}"
    yield f"{group['dataset']}: {group['code']}{column}: {group['rows']:,} in {of_sources}, for example"
    example = group["example"]
    line = "" if example["line"] is None else f":{example['line']}"
    yield f"  {printable(example['source'])}{line}: {printable(example['message'])}"
    if (raw := example["raw"]) is not None:
        cut = f"… ({len(raw):,} characters; --json shows all)" if len(raw) > WIDTH else ""
        yield f"  {printable(raw[:WIDTH])}{cut}"
