"""`causeway profile`: what is in each column of a dataset, and how columns relate."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from causeway.cli.output import Exit, Json, answer, printable, table
from causeway.pages.wording import BOUNDED, by, chance, distinct, drifted, judged, middle, shown

STRONGEST = 20  # associations that a person sees


def profile(
    names: Annotated[list[str], typer.Argument(metavar="DATASET | FILE…", help="A dataset, or local files.")],
    contract: Annotated[Path | None, typer.Option(help="The contract of local files.")] = None,
    snapshot: Annotated[int | None, typer.Option(help="Of this snapshot, not of the newest.")] = None,
    against: Annotated[int | None, typer.Option(help="Say what changed since this snapshot.")] = None,
    recompute: Annotated[bool, typer.Option(help="Read the table, whatever profile there is.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page here, in one file.")] = None,
    as_json: Json = False,
) -> int:
    """Show what is in each column, and how columns relate: of a dataset's table, or of local files.

    Exits 1 if a file cannot be read, or a bound of severity error does not hold.
    """
    if contract:
        if snapshot is not None or against is not None:
            raise typer.BadParameter("--snapshot and --against go with a dataset, not with files")
        document = _of_files(contract, [Path(name) for name in names])
    elif len(names) > 1:
        raise typer.BadParameter("one dataset, or files with --contract")
    else:
        document = _of_table(names[0], snapshot, against, recompute=recompute)
    if html:
        from causeway.pages.profile import profile_page

        html.write_text(profile_page(document))
    answer(document, lambda: _text(document, html), as_json)
    broken = [b for b in document.get("quality", ()) if b["holds"] is False and b["severity"] == "error"]
    return Exit.ATTENTION if broken or document.get("unreadable") else Exit.FINE


def _of_files(contract: Path, files: list[Path]) -> dict[str, Any]:
    from causeway.engine.dry_run import load_runnable
    from causeway.engine.profile.bounds import with_quality
    from causeway.engine.profile.local import profile_files

    loaded = load_runnable(contract)
    profiled, report = profile_files(loaded, files)
    facts: dict[str, Any] = {
        "dataset": loaded.dataset,
        "contract": loaded.version,
        "rows_rejected": report.totals["quarantined"],
    }
    facts["unreadable"] = [s.source for s in report.sources if s.unreadable]
    return facts | with_quality(profiled, loaded.bounds, datetime.now(UTC))


def _of_table(dataset: str, wanted: int | None, against: int | None, *, recompute: bool) -> dict[str, Any]:
    from causeway.cli.snapshot_profile import profile_of_table

    return profile_of_table(dataset, wanted, against, recompute=recompute)


def _text(document: Mapping[str, Any], html: Path | None) -> Iterator[RenderableType]:
    of = f", snapshot {document['snapshot']}" if "snapshot" in document else ""
    yield f"{document['dataset']} {document['contract']}{of}: {document['rows']:,} rows\n"
    yield from _how_old(document)
    header = ("column", "measure", "nulls", "values", "lowest", "middle or most frequent", "highest", "notes")
    yield table(header, [_column(name, column) for name, column in document["columns"].items()])
    if document.get("quality"):
        yield "\nWhat the contract says of these numbers"
        yield table(BOUNDED, [tuple(map(printable, row)) for row in judged(document["quality"])])
    pairs = document["associations"]
    if pairs:
        yield f"\nThe strongest of {len(pairs):,} associations; p is adjusted for their number (Holm)"
        compared = ("between", "and", "effect", "by", "rows", "p", "careful")
        yield table(compared, [_pair(pair) for pair in pairs[:STRONGEST]])
    if "drift" in document:
        yield f"\nSince snapshot {document['against']}; psi is the population stability index"
        changed = ("column", "nulls", "psi", "new values", "vanished", "notes")
        yield table(changed, [_drift(name, column) for name, column in document["drift"].items()])
    if document.get("rows_rejected"):
        yield f"\n{document['rows_rejected']:,} rows are rejected by the contract, and in no number here."
    for file in document.get("unreadable", ()):
        yield f"{printable(file)} cannot be read."
    if html:
        yield f"\nWritten to {html}"


def _how_old(document: Mapping[str, Any]) -> Iterator[str]:
    if older := document.get("older"):
        by = f"{older['commits']:,} commits and {older['hours']:,.1f} hours older than {older['than']}"
        yield f"This is the newest profile that there is, {by}. --recompute reads the table.\n"
    of = document.get("associations_of", {}).get("snapshot", document.get("snapshot"))
    if of != document.get("snapshot"):
        yield f"Associations are those of snapshot {of}: less than a tenth of the rows changed since.\n"


def _column(name: str, column: Mapping[str, Any]) -> tuple[str, ...]:
    nulls = f"{column['null_share']:.1%}" if column["nulls"] else ""
    ends = [shown(value) for value in (column.get("minimum"), middle(column), column.get("maximum"))]
    cells = (name, column["measure"], nulls, distinct(column), *ends, "; ".join(column["notes"]))
    return tuple(map(printable, cells))


def _drift(name: str, column: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(map(printable, drifted(name, column)))


def _pair(pair: Mapping[str, Any]) -> tuple[str, ...]:
    careful = "; ".join(pair["caveats"])
    numbers = (f"{pair['effect']:.3f}", by(pair), f"{pair['n']:,}", chance(pair))
    return (*map(printable, (pair["x"], pair["y"])), *numbers, careful)
