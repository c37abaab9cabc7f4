"""`causeway profile`: what is in each column of a dataset, and how columns relate."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from causeway.cli.output import Json, answer, printable, table

STRONGEST = 20  # associations that a person sees


def profile(
    names: Annotated[list[str], typer.Argument(metavar="DATASET | FILE…", help="A dataset, or local files.")],
    contract: Annotated[Path | None, typer.Option(help="The contract of local files.")] = None,
    snapshot: Annotated[int | None, typer.Option(help="Of this snapshot, not of the newest.")] = None,
    as_json: Json = False,
) -> None:
    """Show what is in each column, and how columns relate: of a dataset's table, or of local files."""
    if contract:
        if snapshot is not None:
            raise typer.BadParameter("--snapshot goes with a dataset, not with files")
        document = _of_files(contract, [Path(name) for name in names])
    elif len(names) > 1:
        raise typer.BadParameter("one dataset, or files with --contract")
    else:
        document = _of_table(names[0], snapshot)
    answer(document, lambda: _text(document), as_json)


def _of_files(contract: Path, files: list[Path]) -> dict[str, Any]:
    from causeway.engine.dry_run import load_runnable
    from causeway.engine.profile.local import profile_files

    loaded = load_runnable(contract)
    profiled, report = profile_files(loaded, files)
    facts = {
        "dataset": loaded.dataset,
        "contract": loaded.version,
        "rows_rejected": report.totals["quarantined"],
    }
    return {**facts, "unreadable": [s.source for s in report.sources if s.unreadable], **profiled}


def _of_table(dataset: str, wanted: int | None) -> dict[str, Any]:
    import polars as pl

    from causeway.engine.profile.measures import measures_of
    from causeway.engine.profile.table import profile as profile_of
    from causeway.lake.rows import Snapshot, snapshot_of
    from causeway.lake.tables import glue_catalog
    from causeway.operate.deployment import Deployment

    deployment = Deployment.find()
    (name,) = deployment.datasets([dataset])
    settings, contract = deployment.settings, deployment.contracts[name]
    catalog = glue_catalog(settings.company.region)
    opened = catalog.load_table((settings.database("lake"), contract.table))
    measures = measures_of(contract, opened.schema().as_arrow().names)
    snapshot = Snapshot(opened, snapshot_of(opened, wanted), list(measures))
    empty = pl.DataFrame(snapshot.schema.empty_table())
    read = lambda file: empty if file is None else pl.DataFrame(snapshot.read(file))  # noqa: E731
    profiled = profile_of(snapshot.files() or [None], read, measures)
    return {"dataset": name, "contract": contract.version, "snapshot": snapshot.id, **profiled}


def _text(document: Mapping[str, Any]) -> Iterator[RenderableType]:
    of = f", snapshot {document['snapshot']}" if "snapshot" in document else ""
    yield f"{document['dataset']} {document['contract']}{of}: {document['rows']:,} rows\n"
    header = ("column", "measure", "nulls", "values", "lowest", "middle or most frequent", "highest", "notes")
    yield table(header, [_column(name, column) for name, column in document["columns"].items()])
    pairs = document["associations"]
    if pairs:
        yield f"\nThe strongest of {len(pairs):,} associations; p is adjusted for their number (Holm)"
        compared = ("between", "and", "effect", "by", "rows", "p", "careful")
        yield table(compared, [_pair(pair) for pair in pairs[:STRONGEST]])
    if document.get("rows_rejected"):
        yield f"\n{document['rows_rejected']:,} rows are rejected by the contract, and in no number here."
    for file in document.get("unreadable", ()):
        yield f"{printable(file)} cannot be read."


def _column(name: str, column: Mapping[str, Any]) -> tuple[str, ...]:
    share, distinct = column["null_share"], column.get("distinct")
    about = "" if not distinct or distinct["method"] == "exact" else "≈ "
    values = f"{about}{distinct['count']:,}" if distinct else ""
    middle = _middle(column)
    nulls = "" if not share else f"{share:.1%}"
    cells = (name, column["measure"], nulls, values, column.get("minimum"), middle, column.get("maximum"))
    return *(_cell(cell) for cell in cells), "; ".join(column["notes"])


def _middle(column: Mapping[str, Any]) -> Any:
    if "quantiles" in column:
        return next(q["value"] for q in column["quantiles"]["values"] if q["share"] == 0.5)  # noqa: PLR2004
    often = column.get("frequent", {}).get("values")
    return often[0]["value"] if often else None


def _pair(pair: Mapping[str, Any]) -> tuple[str, ...]:
    names = ("pearson", "spearman", "phi", "v_corrected", "eta2")
    by = ", ".join(f"{name} {pair[name]:.3f}" for name in names if pair.get(name) is not None)
    p = pair.get("p_adjusted")
    chance = "" if p is None else "< 1e-12" if p < 1e-12 else f"{p:.2g}"  # noqa: PLR2004
    careful = "; ".join(pair["caveats"])
    return (
        *map(printable, (pair["x"], pair["y"])),
        f"{pair['effect']:.3f}",
        by,
        f"{pair['n']:,}",
        chance,
        careful,
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else printable(str(value))
